package commands

import (
	"github.com/google/uuid"

	"github.com/koprogo/koprogo/events"
)

// AssignOwner makes somebody the sole owner of a lot from a day on: whoever else owns it then, or
// was to own it later, does so until the day before.
type AssignOwner struct {
	OnLot
	OwnershipID uuid.UUID // of the ownership that begins, if one does
	OwnerID     uuid.UUID
	From        Change[events.Day] // today where the building stands unless given
}

// Read loads the owner, and those who own the lot before.
func (c AssignOwner) Read(r *Reader) error {
	return c.readAll(r, c.OwnerID)
}

// readAll loads some owners and all whose ownership of the lot has no last day yet.
func (c OnLot) readAll(r *Reader, ids ...uuid.UUID) error {
	building, err := Load[Building](r, c.Stream())
	if err != nil {
		return err
	}
	if lot := building.Lot(c.LotID); lot != nil {
		for _, o := range lot.Ownerships {
			if o.To == "" {
				ids = append(ids, o.Owner)
			}
		}
	}
	return readOwners(r, ids...)
}

// Decide refuses a day that is none. The owner's own full ownership goes on, as the whole.
func (c AssignOwner) Decide(b Building) ([]events.Event, error) {
	d, err := c.decide(b)
	if err != nil {
		return nil, err
	}
	check := &check{}
	check.id(c.OwnershipID)
	from := c.From.or(d.today)
	check.day("from", from)
	if err := check.err(); err != nil {
		return nil, err
	}
	var own *Ownership
	for _, o := range d.before.Ownerships {
		switch {
		case o.OverOn(from) || o.To != "" && o.To < o.From:
		case own == nil && o.Owner == c.OwnerID && o.Right == events.RightFull && o.To == "" &&
			o.From <= from:
			own = o
		default:
			d.end(o, before(max(from, o.From)), c.OwnerID)
		}
	}
	if own == nil {
		d.start(events.OwnershipStarted{
			OwnershipID: c.OwnershipID, LotID: c.LotID, OwnerID: c.OwnerID,
			Fraction: events.WholeFraction, Right: events.RightFull, From: from,
			PrimaryContact: true,
		})
		return d.facts()
	}
	if !own.settledOn(from, events.WholeFraction) {
		d.amend(own, events.WholeFraction, from, "")
	}
	d.succeed()
	return d.facts()
}

// TransferOwnership hands what somebody owns of a lot to somebody else on a day, wholly or a
// fraction of the lot: a sale, a gift, a succession. The day is the buyer's.
type TransferOwnership struct {
	OnLot
	OwnershipID   uuid.UUID // of the ownership that begins, if one does
	FromOwner     uuid.UUID
	ToOwner       uuid.UUID
	Right         string                  // of what goes; empty: full ownership, else what he holds
	Fraction      Change[events.Fraction] // all that he holds unless given
	On            Change[events.Day]      // today where the building stands unless given
	DeedReference string
}

// Read loads both owners.
func (c TransferOwnership) Read(r *Reader) error { return readOwners(r, c.FromOwner, c.ToOwner) }

// Decide refuses wrong fields, a seller who holds nothing or less on the day, a buyer who is the
// seller or is to hold the same right later, and what remains in too fine a fraction.
func (c TransferOwnership) Decide(b Building) ([]events.Event, error) {
	d, err := c.decide(b)
	if err != nil {
		return nil, err
	}
	check := &check{}
	check.id(c.OwnershipID)
	deed := check.line("deed_reference", c.DeedReference, maxDeed)
	on := c.On.or(d.today)
	check.day("on", on)
	if c.Fraction.Given || c.Fraction.Cleared {
		check.fraction("fraction", c.Fraction.Value)
	}
	if c.Right != "" {
		check.among("right", c.Right, rights...)
	}
	if err := check.err(); err != nil {
		return nil, err
	}
	sold := c.sold(d.before, on)
	switch {
	case sold == nil:
		return nil, notFound("ownership")
	case c.FromOwner == c.ToOwner:
		return nil, alreadyOwner()
	}
	fraction := c.Fraction.or(sold.FractionOn(on))
	if err := d.sell(sold, fraction, on, c.ToOwner); err != nil {
		return nil, err
	}
	if err := d.buy(c, sold, fraction, on, deed); err != nil {
		return nil, err
	}
	d.succeed()
	return d.facts()
}

// sold is what the seller holds on a day.
func (c TransferOwnership) sold(lot *Lot, on events.Day) *Ownership {
	for _, right := range rights {
		for _, o := range lot.Ownerships {
			if o.Owner == c.FromOwner && o.Right == right && o.RunsOn(on) &&
				(c.Right == "" || c.Right == right) {
				return o
			}
		}
	}
	return nil
}

// sell takes a fraction from what is held from a day on.
func (d *decision) sell(
	sold *Ownership, fraction events.Fraction, on events.Day, buyer uuid.UUID,
) error {
	held := sold.FractionOn(on)
	switch held.Compare(fraction) {
	case -1:
		return refuse(CodeOwnershipInsufficient, "the seller holds less than that",
			"fraction", held.String())
	case 0:
		d.end(sold, before(on), buyer)
		return nil
	}
	rest, err := held.Minus(fraction)
	if err != nil {
		return refuse(CodeFractionTooFine, "what remains has terms beyond 1,000,000")
	}
	d.amend(sold, rest, on, "")
	return nil
}

// buy gives a fraction to the buyer from a day on: a new ownership, or more of the one that he
// holds by the same right.
func (d *decision) buy(
	c TransferOwnership, sold *Ownership, fraction events.Fraction, on events.Day, deed string,
) error {
	held := d.inWay(c.ToOwner, sold.Right, on)
	switch {
	case held == nil:
		d.start(events.OwnershipStarted{
			OwnershipID: c.OwnershipID, LotID: c.LotID, OwnerID: c.ToOwner, Fraction: fraction,
			Right: sold.Right, From: on, PrimaryContact: len(d.lot.OwnersOn(on)) == 0,
			DeedReference: deed, SoldBy: c.FromOwner,
		})
		return nil
	case !held.RunsOn(on) || held.To != "":
		return alreadyOwner()
	}
	sum, err := held.FractionOn(on).Plus(fraction)
	if err != nil {
		return refuse(CodeFractionTooFine, "the sum has terms beyond 1,000,000")
	}
	d.amend(held, sum, on, deed)
	return nil
}
