package commands

import (
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/koprogo/koprogo/events"
)

func fractionOf(text string) events.Fraction {
	f, err := events.ParseFraction(text)
	if err != nil {
		panic(err)
	}
	return f
}

// Owners are 100, 101 and so on; ownership n is of owner 100+n.
func ownerID(n byte) uuid.UUID     { return id(100 + n) }
func ownershipID(n byte) uuid.UUID { return id(200 + n) }

// holds is an ownership of lot 2, by full right unless another is named.
func holds(n byte, fraction string, from events.Day, right ...string) events.OwnershipStarted {
	e := events.OwnershipStarted{
		OwnershipID: ownershipID(n), LotID: id(2), OwnerID: ownerID(n),
		Fraction: fractionOf(fraction), Right: events.RightFull, From: from,
	}
	if len(right) > 0 {
		e.Right = right[0]
	}
	return e
}

func ends(n byte, to events.Day) events.OwnershipEnded {
	return events.OwnershipEnded{
		OwnershipID: ownershipID(n), LotID: id(2), OwnerID: ownerID(n), To: to,
	}
}

func named(n byte) events.OwnershipContactNamed {
	return events.OwnershipContactNamed{
		OwnershipID: ownershipID(n), LotID: id(2), OwnerID: ownerID(n),
	}
}

func amends(n byte, fraction string, from events.Day) events.OwnershipFractionAmended {
	return events.OwnershipFractionAmended{
		OwnershipID: ownershipID(n), LotID: id(2), OwnerID: ownerID(n),
		Fraction: fractionOf(fraction), From: from,
	}
}

// begins and stops are what the owner's stream notes.
func begins(n byte) events.Event {
	return Elsewhere(OwnerStream(ownerID(n)), events.OwnerHoldingBegun{
		OwnershipID: ownershipID(n), Building: id(1), LotID: id(2),
	})
}

func stops(n byte) events.Event {
	return Elsewhere(OwnerStream(ownerID(n)),
		events.OwnerHoldingEnded{OwnershipID: ownershipID(n)})
}

// ownedLot is lot 2 with what happened to it.
func ownedLot(happened ...events.Event) []events.Event {
	return append([]events.Event{residence, lotA2}, happened...)
}

var onA2 = OnLot{BuildingID: id(1), LotID: id(2), Now: now}

func startOwner(n byte, fraction string, change ...func(*StartOwnership)) StartOwnership {
	c := StartOwnership{
		OnLot: onA2, OwnershipID: ownershipID(n), OwnerID: ownerID(n),
		Fraction: fractionOf(fraction),
	}
	for _, f := range change {
		f(&c)
	}
	return c
}

func TestStartOwnership(t *testing.T) {
	t.Parallel()
	t.Run("the first owner holds from today and is the primary contact", func(t *testing.T) {
		e := holds(1, "1/3", "2026-03-15")
		e.PrimaryContact = true
		given[Building](t, ownedLot()...).when(startOwner(1, "1/3")).then(e, begins(1))
	})
	t.Run("the next one is not, unless he is named", func(t *testing.T) {
		given[Building](t, ownedLot(holds(1, "1/2", "2020-01-01"))...).
			when(startOwner(2, "1/2")).then(holds(2, "1/2", "2026-03-15"), begins(2))
	})
	t.Run("today is a day where the building stands", func(t *testing.T) {
		e := holds(1, "1/3", "2026-03-16")
		e.PrimaryContact = true
		given[Building](t, ownedLot()...).when(startOwner(1, "1/3", func(c *StartOwnership) {
			c.Now = now.Add(13 * 3600e9) // 23:00 UTC is midnight in Brussels
		})).then(e, begins(1))
	})
	t.Run("a day, a right and a deed are kept as they are given", func(t *testing.T) {
		e := holds(2, "412/1000", "2019-07-01", events.RightBare)
		e.PrimaryContact, e.DeedReference = true, "Rép. 2019/77"
		given[Building](t, ownedLot()...).when(startOwner(2, "412/1000", func(c *StartOwnership) {
			c.From, c.Right = To(events.Day("2019-07-01")), To(events.RightBare)
			c.PrimaryContact, c.DeedReference = true, " Rép. 2019/77 "
		})).then(e, begins(2))
	})
	t.Run("the same again changes nothing, on another day too", func(t *testing.T) {
		e := holds(1, "1/3", "2026-03-10")
		e.PrimaryContact = true
		given[Building](t, ownedLot(e, amends(1, "1/4", "2026-03-12"))...).
			when(startOwner(1, "1/3")).then()
	})
	t.Run("another ownership under the id is refused", func(t *testing.T) {
		given[Building](t, ownedLot(holds(1, "1/3", "2026-03-10"))...).
			when(startOwner(1, "1/4")).thenRefused(CodeIDTaken)
	})
	t.Run("more than the whole lot is refused, with what is held", func(t *testing.T) {
		s := given[Building](t, ownedLot(holds(1, "3/5", "2020-01-01"))...).
			when(startOwner(2, "400001/1000000"))
		s.thenRefused(CodeOwnershipExceeded)
		require.Equal(t, map[string]string{
			"sum": "60.00%", "fraction": "3/5", "day": "2026-03-15",
		}, refusal(t, s.err).Params)
	})
	t.Run("three thirds are the whole", func(t *testing.T) {
		given[Building](t, ownedLot(holds(1, "1/3", "2020-01-01"), holds(2, "1/3", "2020-01-01"))...).
			when(startOwner(3, "1/3")).then(holds(3, "1/3", "2026-03-15"), begins(3))
	})
	t.Run("a later day counts too", func(t *testing.T) {
		given[Building](t, ownedLot(holds(1, "3/5", "2027-01-01"))...).
			when(startOwner(2, "1/2")).thenRefused(CodeOwnershipExceeded)
	})
	t.Run("a day on which the other holds no more does not", func(t *testing.T) {
		e := holds(2, "1/1", "2026-03-15")
		e.PrimaryContact = true
		given[Building](t, ownedLot(holds(1, "1/1", "2020-01-01"), ends(1, "2026-03-14"))...).
			when(startOwner(2, "1/1")).then(e, begins(2))
	})
	t.Run("usufruct and bare ownership are not added up", func(t *testing.T) {
		given[Building](t, ownedLot(holds(1, "1/1", "2020-01-01", events.RightBare))...).
			when(startOwner(2, "1/1", func(c *StartOwnership) {
				c.Right = To(events.RightUsufruct)
			})).
			then(holds(2, "1/1", "2026-03-15", events.RightUsufruct), begins(2))
	})
	t.Run("full ownership and usufruct are", func(t *testing.T) {
		given[Building](t, ownedLot(holds(1, "1/2", "2020-01-01", events.RightUsufruct))...).
			when(startOwner(2, "2/3")).thenRefused(CodeOwnershipExceeded)
	})
	t.Run("the same owner twice is refused", func(t *testing.T) {
		given[Building](t, ownedLot(holds(1, "1/3", "2020-01-01"))...).
			when(startOwner(1, "1/3", func(c *StartOwnership) { c.OwnershipID = ownershipID(9) })).
			thenRefused(CodeAlreadyOwner)
	})
	t.Run("also when he was to come later", func(t *testing.T) {
		given[Building](t, ownedLot(holds(1, "1/3", "2027-01-01"))...).
			when(startOwner(1, "1/3", func(c *StartOwnership) { c.OwnershipID = ownershipID(9) })).
			thenRefused(CodeAlreadyOwner)
	})
	t.Run("a widow holds her half and the usufruct of the other", func(t *testing.T) {
		e := holds(1, "1/2", "2026-03-15", events.RightUsufruct)
		e.OwnershipID = ownershipID(9)
		s := given[Building](t, ownedLot(holds(1, "1/2", "2020-01-01"))...)
		s.when(startOwner(1, "1/2", func(c *StartOwnership) {
			c.OwnershipID, c.Right = ownershipID(9), To(events.RightUsufruct)
		}))
		require.NoError(t, s.err)
		require.Equal(t, e, s.decided[0])
	})
	t.Run("a lot that is not there is not found", func(t *testing.T) {
		given[Building](t, residence).when(startOwner(1, "1/2")).thenRefused(CodeNotFound)
	})
	for name, wrong := range map[string]struct {
		field  string
		code   Code
		change func(*StartOwnership)
	}{
		"no id": {"id", CodeRequired, func(c *StartOwnership) { c.OwnershipID = uuid.Nil }},
		"no fraction": {"fraction", CodeRequired, func(c *StartOwnership) {
			c.Fraction = events.Fraction{}
		}},
		"more than the whole": {"fraction", CodeOutOfRange, func(c *StartOwnership) {
			c.Fraction = fractionOf("3/2")
		}},
		"another right": {"right", CodeUnknownValue, func(c *StartOwnership) { c.Right = To("lease") }},
		"no day": {"from", CodeMalformed, func(c *StartOwnership) {
			c.From = To(events.Day("x"))
		}},
		"a long deed": {"deed_reference", CodeTooLong, func(c *StartOwnership) {
			c.DeedReference = long(256)
		}},
	} {
		t.Run(name+" is refused", func(t *testing.T) {
			given[Building](t, ownedLot()...).when(startOwner(1, "1/2", wrong.change)).
				thenInvalid(wrong.field, wrong.code)
		})
	}
}

func TestChangeOwnership(t *testing.T) {
	t.Parallel()
	both := ownedLot(holds(1, "1/2", "2020-01-01"), named(1), holds(2, "1/2", "2021-01-01"))
	change := func(n byte, f func(*ChangeOwnership)) ChangeOwnership {
		c := ChangeOwnership{OnLot: onA2, OwnershipID: ownershipID(n)}
		f(&c)
		return c
	}
	t.Run("another fraction holds from today", func(t *testing.T) {
		given[Building](t, both...).when(change(1, func(c *ChangeOwnership) {
			c.Fraction = To(fractionOf("1/4"))
		})).then(amends(1, "1/4", "2026-03-15"))
	})
	t.Run("or from the day that is named", func(t *testing.T) {
		given[Building](t, both...).when(change(1, func(c *ChangeOwnership) {
			c.Fraction, c.From = To(fractionOf("1/4")), To(events.Day("2020-01-01"))
		})).then(amends(1, "1/4", "2020-01-01"))
	})
	t.Run("one that is to come changes from its first day", func(t *testing.T) {
		given[Building](t, ownedLot(holds(1, "1/2", "2027-01-01"))...).
			when(change(1, func(c *ChangeOwnership) { c.Fraction = To(fractionOf("1/4")) })).
			then(amends(1, "1/4", "2027-01-01"))
	})
	t.Run("the fraction that it has changes nothing", func(t *testing.T) {
		given[Building](t, both...).when(change(1, func(c *ChangeOwnership) {
			c.Fraction, c.PrimaryContact = To(fractionOf("1/2")), To(true)
		})).then()
	})
	t.Run("what was to hold later does not", func(t *testing.T) {
		given[Building](t, append(both, amends(1, "1/8", "2027-01-01"))...).
			when(change(1, func(c *ChangeOwnership) { c.Fraction = To(fractionOf("1/2")) })).
			then(amends(1, "1/2", "2026-03-15"))
	})
	t.Run("more than the whole is refused", func(t *testing.T) {
		given[Building](t, both...).when(change(1, func(c *ChangeOwnership) {
			c.Fraction = To(fractionOf("2/3"))
		})).thenRefused(CodeOwnershipExceeded)
	})
	t.Run("another primary contact takes the place of the one that is", func(t *testing.T) {
		s := given[Building](t, both...).when(change(2, func(c *ChangeOwnership) {
			c.PrimaryContact = To(true)
		}))
		s.then(named(2))
		b := s.state.Evolve(named(2))
		lot := b.Lot(id(2))
		require.Equal(t, ownershipID(2), lot.PrimaryOn("2026-03-15").ID)
		require.EqualValues(t, 3, lot.Ownership(ownershipID(1)).Revision, "it is the contact no more")
	})
	t.Run("a primary contact who steps back leaves it to another", func(t *testing.T) {
		given[Building](t, both...).when(change(1, func(c *ChangeOwnership) {
			c.PrimaryContact = To(false)
		})).then(named(2))
	})
	t.Run("the only owner cannot", func(t *testing.T) {
		given[Building](t, ownedLot(holds(1, "1/2", "2020-01-01"))...).
			when(change(1, func(c *ChangeOwnership) { c.PrimaryContact = To(false) })).
			thenRefused(CodePrimaryRequired)
	})
	t.Run("a day before the ownership is refused", func(t *testing.T) {
		given[Building](t, both...).when(change(1, func(c *ChangeOwnership) {
			c.Fraction, c.From = To(fractionOf("1/4")), To(events.Day("2019-12-31"))
		})).thenRefused(CodeOwnershipDates)
	})
	t.Run("an ownership that is over is refused", func(t *testing.T) {
		given[Building](t, append(both, ends(1, "2026-03-14"))...).
			when(change(1, func(c *ChangeOwnership) { c.Fraction = To(fractionOf("1/4")) })).
			thenRefused(CodeOwnershipDates)
	})
	t.Run("one that is not there is not found", func(t *testing.T) {
		given[Building](t, both...).when(change(3, func(*ChangeOwnership) {})).
			thenRefused(CodeNotFound)
	})
	t.Run("a fraction is not taken away", func(t *testing.T) {
		given[Building](t, both...).when(change(1, func(c *ChangeOwnership) {
			c.Fraction = Cleared[events.Fraction]()
		})).thenInvalid("fraction", CodeRequired)
	})
	t.Run("its revision is its own", func(t *testing.T) {
		t.Parallel()
		require.EqualValues(t, 2, change(1, func(*ChangeOwnership) {}).Revision(folded2(both...)))
		require.EqualValues(t, 1, change(2, func(*ChangeOwnership) {}).Revision(folded2(both...)))
		require.Zero(t, change(3, func(*ChangeOwnership) {}).Revision(folded2(both...)))
		require.EqualValues(t, 6, onA2.Revision(folded2(both...)),
			"the lot moves with all, and on the two days on which an ownership began")
	})
}

func TestEndOwnership(t *testing.T) {
	t.Parallel()
	three := ownedLot(holds(1, "1/3", "2020-01-01"), holds(2, "1/3", "2019-01-01"),
		holds(3, "1/3", "2019-01-01"), named(1))
	end := func(n byte, change ...func(*EndOwnership)) EndOwnership {
		c := EndOwnership{OnLot: onA2, OwnerID: ownerID(n)}
		for _, f := range change {
			f(&c)
		}
		return c
	}
	t.Run("an owner who goes held the lot until yesterday", func(t *testing.T) {
		given[Building](t, three...).when(end(2)).then(ends(2, "2026-03-14"), stops(2))
	})
	t.Run("when the primary contact goes it is who came first, then by id", func(t *testing.T) {
		given[Building](t, three...).when(end(1)).
			then(ends(1, "2026-03-14"), stops(1), named(2))
	})
	t.Run("a later last day names nobody yet", func(t *testing.T) {
		s := given[Building](t, three...).when(end(1, func(c *EndOwnership) {
			c.To = To(events.Day("2026-06-30"))
		}))
		s.then(ends(1, "2026-06-30"), stops(1))
		b := s.state.Evolve(ends(1, "2026-06-30"))
		lot := b.Lot(id(2))
		require.Equal(t, ownershipID(1), lot.PrimaryOn("2026-06-30").ID)
		require.Equal(t, ownershipID(2), lot.PrimaryOn("2026-07-01").ID)
	})
	t.Run("what begins today was never held", func(t *testing.T) {
		given[Building](t, ownedLot(holds(1, "1/3", "2026-03-15"))...).when(end(1)).
			then(ends(1, "2026-03-14"), stops(1))
	})
	t.Run("nor what was to begin later", func(t *testing.T) {
		given[Building](t, ownedLot(holds(1, "1/3", "2027-01-01"))...).when(end(1)).
			then(ends(1, "2026-12-31"), stops(1))
	})
	t.Run("every right that he holds ends, or the one that is named", func(t *testing.T) {
		widow := ownedLot(holds(1, "1/2", "2020-01-01", events.RightUsufruct))
		full := holds(1, "1/2", "2020-01-01")
		full.OwnershipID = ownershipID(9)
		given[Building](t, append(widow, full)...).when(end(1, func(c *EndOwnership) {
			c.Right = events.RightUsufruct
		})).then(ends(1, "2026-03-14"), stops(1), events.OwnershipContactNamed{
			OwnershipID: ownershipID(9), LotID: id(2), OwnerID: ownerID(1),
		})
		all, err := end(1).Decide(folded2(append(widow, full)...))
		require.NoError(t, err)
		require.Len(t, all, 4)
		require.Equal(t, ownershipID(9), all[0].(events.OwnershipEnded).OwnershipID)
	})
	t.Run("a last day that is known can come earlier, and is noted once", func(t *testing.T) {
		given[Building](t, append(three, ends(2, "2026-06-30"))...).
			when(end(2)).then(ends(2, "2026-03-14"))
	})
	t.Run("not later", func(t *testing.T) {
		given[Building](t, append(three, ends(2, "2026-06-30"))...).
			when(end(2, func(c *EndOwnership) { c.To = To(events.Day("2026-07-01")) })).
			thenRefused(CodeOwnershipDates)
	})
	t.Run("a last day before the first is refused", func(t *testing.T) {
		given[Building](t, three...).
			when(end(1, func(c *EndOwnership) { c.To = To(events.Day("2019-12-31")) })).
			thenRefused(CodeOwnershipDates)
	})
	t.Run("an owner of nothing is not found, nor one who has gone", func(t *testing.T) {
		given[Building](t, append(three, ends(1, "2026-03-14"))...).when(end(1)).
			thenRefused(CodeNotFound)
	})
	t.Run("wrong fields are refused", func(t *testing.T) {
		given[Building](t, three...).when(end(1, func(c *EndOwnership) { c.Right = "lease" })).
			thenInvalid("right", CodeUnknownValue)
	})
	t.Run("a day that is none is refused", func(t *testing.T) {
		given[Building](t, three...).
			when(end(1, func(c *EndOwnership) { c.To = To(events.Day("x")) })).
			thenInvalid("to", CodeMalformed)
	})
}

// Whatever is asked in whatever order, no day sees more than the whole lot owned, and each day on
// which it is owned has one primary contact.
func TestAnyCommandsKeepALotWhole(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		b := folded2(residence, lotA2)
		days := []events.Day{
			"2026-03-10", "2026-03-14", "2026-03-15", "2026-03-16", "2026-04-01",
		}
		day := rapid.SampledFrom(days)
		fraction := rapid.SampledFrom([]string{"1/1", "1/2", "1/3", "2/3", "412/1000", "1/7"})
		who := rapid.ByteRange(0, 3)
		for n := range rapid.IntRange(1, 25).Draw(t, "n") {
			command := drawOwnershipCommand(t, byte(n), who, day, fraction, b)
			decided, err := command.Decide(b)
			if err != nil {
				continue
			}
			for _, event := range decided {
				if _, away := event.(elsewhere); !away {
					b = b.Evolve(event)
				}
			}
			lot := b.Lot(id(2))
			for _, day := range days {
				held := lot.HeldOn(day)
				require.LessOrEqual(t, held.WithBare().Cmp(oneWhole), 0, day)
				require.LessOrEqual(t, held.WithUsufruct().Cmp(oneWhole), 0, day)
				require.Equal(t, len(lot.OwnersOn(day)) > 0, lot.PrimaryOn(day) != nil)
			}
			again, err := command.Decide(b)
			if _, started := command.(StartOwnership); started && err == nil {
				require.Empty(t, again)
			}
		}
	})
}

var oneWhole = events.WholeFraction.Rat()

func drawOwnershipCommand(
	t *rapid.T, n byte, who *rapid.Generator[byte], day *rapid.Generator[events.Day],
	fraction *rapid.Generator[string], b Building,
) Command[Building] {
	optional := func() (change Change[events.Day]) {
		if rapid.Bool().Draw(t, "dated") {
			change = To(day.Draw(t, "day"))
		}
		return change
	}
	switch rapid.IntRange(0, 4).Draw(t, "command") {
	case 0:
		return startOwner(n, fraction.Draw(t, "fraction"), func(c *StartOwnership) {
			c.OwnerID, c.From = ownerID(who.Draw(t, "owner")), optional()
			c.Right = To(rapid.SampledFrom(rights).Draw(t, "right"))
			c.PrimaryContact = rapid.Bool().Draw(t, "primary")
		})
	case 1:
		c := ChangeOwnership{OnLot: onA2, OwnershipID: ownershipID(n), From: optional()}
		if all := b.Lot(id(2)).Ownerships; len(all) > 0 {
			c.OwnershipID = rapid.SampledFrom(all).Draw(t, "which").ID
		}
		c.Fraction = To(fractionOf(fraction.Draw(t, "fraction")))
		c.PrimaryContact = To(rapid.Bool().Draw(t, "primary"))
		return c
	case 2:
		return EndOwnership{OnLot: onA2, OwnerID: ownerID(who.Draw(t, "owner")), To: optional()}
	case 3:
		return AssignOwner{
			OnLot: onA2, OwnershipID: ownershipID(n), OwnerID: ownerID(who.Draw(t, "owner")),
			From: optional(),
		}
	}
	return TransferOwnership{
		OnLot: onA2, OwnershipID: ownershipID(n), FromOwner: ownerID(who.Draw(t, "seller")),
		ToOwner: ownerID(who.Draw(t, "buyer")), On: optional(),
		Fraction: To(fractionOf(fraction.Draw(t, "fraction"))),
	}
}

func TestSixtyFourBuyersOfOneLot(t *testing.T) {
	t.Parallel()
	o := newOffice(t, "starter")
	for _, command := range []Command[Building]{registerResidence(), registerA2()} {
		_, err := Handle(t.Context(), o.App, o.caller(), command)
		require.NoError(t, err)
	}
	for n := range byte(64) {
		_, err := Handle(t.Context(), o.App, o.caller(), &RegisterOwner{
			OwnerID: id(n + 100), OwnerFields: OwnerFields{
				FirstName: To("Ann"), LastName: To("Peeters"), Address: To("Rue Haute 1"),
				Email: To(uuid.NewString() + "@example.be"), City: To("Bruxelles"),
				PostalCode: To("1000"), Country: To("BE"),
			},
		})
		require.NoError(t, err)
	}
	bought, _ := race(t, 64, CodeOwnershipExceeded, func(n int) error {
		_, err := Handle(t.Context(), o.App, o.caller(), startOwner(0, "1/7",
			func(c *StartOwnership) { c.OwnershipID, c.OwnerID = uuid.New(), id(byte(n)+100) }))
		return err
	})
	require.Len(t, bought, 7)
	r := o.reader(t.Context(), o.organization)
	building, err := Load[Building](r, BuildingStream(id(1)))
	require.NoError(t, err)
	lot := building.Lot(id(2))
	require.Zero(t, lot.HeldOn("2099-01-01").Full.Cmp(oneWhole))
	for _, o := range lot.Ownerships {
		owner, err := Load[Owner](r, OwnerStream(o.Owner))
		require.NoError(t, err)
		require.Equal(t, 1, owner.Holdings)
	}
}
