package commands

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/koprogo/koprogo/events"
)

func TestAssignOwner(t *testing.T) {
	t.Parallel()
	assign := AssignOwner{OnLot: onA2, OwnershipID: ownershipID(5), OwnerID: ownerID(5)}
	sole := holds(5, "1/1", "2026-03-15")
	sole.PrimaryContact = true
	soldTo := func(e events.OwnershipEnded) events.OwnershipEnded {
		e.SoldTo = ownerID(5)
		return e
	}
	t.Run("a lot without owner gets one", func(t *testing.T) {
		given[Building](t, ownedLot()...).when(assign).then(sole, begins(5))
	})
	t.Run("those who owned it did so until the day before", func(t *testing.T) {
		given[Building](t, ownedLot(holds(1, "1/2", "2020-01-01"), holds(2, "1/2", "2020-01-01"),
			ends(2, "2022-01-01"))...).when(assign).
			then(soldTo(ends(1, "2026-03-14")), stops(1), sole, begins(5))
	})
	t.Run("on the day that is named, whatever was to come later", func(t *testing.T) {
		earlier, then := assign, sole
		earlier.From, then.From = To(events.Day("2021-05-01")), "2021-05-01"
		given[Building](t, ownedLot(holds(1, "1/2", "2020-01-01"), ends(1, "2026-01-01"),
			holds(2, "1/2", "2025-01-01"))...).when(earlier).
			then(soldTo(ends(1, "2021-04-30")), soldTo(ends(2, "2024-12-31")), stops(2), then,
				begins(5))
	})
	t.Run("an owner of a part goes on, as sole owner and contact", func(t *testing.T) {
		given[Building](t, ownedLot(holds(1, "1/2", "2020-01-01"), named(1),
			holds(5, "1/2", "2020-01-01"))...).when(assign).
			then(soldTo(ends(1, "2026-03-14")), stops(1), amends(5, "1/1", "2026-03-15"), named(5))
	})
	t.Run("the sole owner again changes nothing", func(t *testing.T) {
		given[Building](t, ownedLot(holds(5, "1/1", "2020-01-01"))...).when(assign).then()
	})
	t.Run("wrong fields and lots are refused", func(t *testing.T) {
		wrong := assign
		wrong.From = To(events.Day("x"))
		given[Building](t, ownedLot()...).when(wrong).thenInvalid("from", CodeMalformed)
		_, err := assign.Decide(folded2(residence))
		require.Equal(t, CodeNotFound, refusal(t, err).Code)
	})
}

func TestTransferOwnership(t *testing.T) {
	t.Parallel()
	transfer := func(change ...func(*TransferOwnership)) TransferOwnership {
		c := TransferOwnership{
			OnLot: onA2, OwnershipID: ownershipID(5), FromOwner: ownerID(1), ToOwner: ownerID(5),
			DeedReference: "Rép. 2026/3",
		}
		for _, f := range change {
			f(&c)
		}
		return c
	}
	bought := func(fraction string, from events.Day, primary bool) events.OwnershipStarted {
		e := holds(5, fraction, from)
		e.PrimaryContact, e.DeedReference, e.SoldBy = primary, "Rép. 2026/3", ownerID(1)
		return e
	}
	sold := func(to events.Day) events.OwnershipEnded {
		e := ends(1, to)
		e.SoldTo = ownerID(5)
		return e
	}
	whole := ownedLot(holds(1, "1/1", "2020-01-01"))
	half := ownedLot(holds(1, "1/2", "2020-01-01"), named(1), holds(2, "1/2", "2020-01-01"))
	t.Run("a sale: the day of the deed is the buyer's", func(t *testing.T) {
		given[Building](t, whole...).when(transfer(func(c *TransferOwnership) {
			c.On = To(events.Day("2026-09-15"))
		})).then(sold("2026-09-14"), stops(1), bought("1/1", "2026-09-15", true), begins(5))
	})
	t.Run("of a part, the seller keeps the rest", func(t *testing.T) {
		given[Building](t, whole...).when(transfer(func(c *TransferOwnership) {
			c.Fraction = To(fractionOf("1/3"))
		})).then(amends(1, "2/3", "2026-03-15"), bought("1/3", "2026-03-15", false), begins(5))
	})
	t.Run("a part that is all he holds ends what he holds", func(t *testing.T) {
		given[Building](t, half...).when(transfer(func(c *TransferOwnership) {
			c.Fraction = To(fractionOf("2/4"))
		})).then(sold("2026-03-14"), stops(1), bought("2/4", "2026-03-15", false), begins(5),
			named(2))
	})
	t.Run("an owner who buys the other half holds the whole", func(t *testing.T) {
		e := amends(2, "1/1", "2026-03-15")
		e.DeedReference = "Rép. 2026/3"
		gone := ends(1, "2026-03-14")
		gone.SoldTo = ownerID(2)
		given[Building](t, half...).when(transfer(func(c *TransferOwnership) {
			c.ToOwner = ownerID(2)
		})).then(gone, stops(1), e, named(2))
	})
	t.Run("more than he holds is refused", func(t *testing.T) {
		given[Building](t, half...).when(transfer(func(c *TransferOwnership) {
			c.Fraction = To(fractionOf("2/3"))
		})).thenRefused(CodeOwnershipInsufficient)
	})
	t.Run("a rest that is too fine is refused", func(t *testing.T) {
		given[Building](t, ownedLot(holds(1, "1/999983", "2020-01-01"))...).
			when(transfer(func(c *TransferOwnership) {
				c.Fraction = To(fractionOf("1/1000000"))
			})).thenRefused(CodeFractionTooFine)
	})
	t.Run("a sum that is too fine is refused", func(t *testing.T) {
		given[Building](t, ownedLot(holds(1, "1/999983", "2020-01-01"),
			holds(2, "1/999979", "2020-01-01"))...).
			when(transfer(func(c *TransferOwnership) { c.ToOwner = ownerID(2) })).
			thenRefused(CodeFractionTooFine)
	})
	t.Run("who holds nothing on the day sells nothing", func(t *testing.T) {
		given[Building](t, whole...).when(transfer(func(c *TransferOwnership) {
			c.On = To(events.Day("2019-12-31"))
		})).thenRefused(CodeNotFound)
	})
	t.Run("nobody sells to himself", func(t *testing.T) {
		given[Building](t, whole...).
			when(transfer(func(c *TransferOwnership) { c.ToOwner = ownerID(1) })).
			thenRefused(CodeAlreadyOwner)
	})
	t.Run("nor to who is to hold the same right later", func(t *testing.T) {
		given[Building](t, ownedLot(holds(1, "1/2", "2020-01-01"), holds(5, "1/2", "2027-01-01"))...).
			when(transfer()).thenRefused(CodeAlreadyOwner)
	})
	t.Run("a right is sold as the right that it is", func(t *testing.T) {
		bare := holds(1, "1/1", "2020-01-01", events.RightBare)
		e := bought("1/1", "2026-03-15", true)
		e.Right = events.RightBare
		given[Building](t, ownedLot(bare)...).
			when(transfer(func(c *TransferOwnership) { c.Right = events.RightBare })).
			then(sold("2026-03-14"), stops(1), e, begins(5))
	})
	t.Run("a right that he does not hold is not", func(t *testing.T) {
		given[Building](t, whole...).
			when(transfer(func(c *TransferOwnership) { c.Right = events.RightBare })).
			thenRefused(CodeNotFound)
	})
	t.Run("a wrong fraction is refused", func(t *testing.T) {
		given[Building](t, whole...).when(transfer(func(c *TransferOwnership) {
			c.Fraction = To(fractionOf("3/2"))
		})).thenInvalid("fraction", CodeOutOfRange)
	})
	t.Run("a wrong right is refused", func(t *testing.T) {
		given[Building](t, whole...).
			when(transfer(func(c *TransferOwnership) { c.Right = "lease" })).
			thenInvalid("right", CodeUnknownValue)
	})
}
