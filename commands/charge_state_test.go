package commands

import (
	"testing"

	"github.com/google/uuid"

	"github.com/koprogo/koprogo/events"
)

func TestApproval(t *testing.T) {
	t.Parallel()
	t.Run("a draft is submitted", func(t *testing.T) {
		given[Charge](t, bill()).when(SubmitCharge{id(31), id(91)}).then(submitted)
	})
	t.Run("a rejected charge too", func(t *testing.T) {
		given[Charge](t, bill(), submitted, rejected).when(SubmitCharge{id(31), id(91)}).
			then(submitted)
	})
	t.Run("a cancelled one is not", func(t *testing.T) {
		given[Charge](t, bill(), cancelled).when(SubmitCharge{id(31), id(91)}).
			thenRefused(CodeChargeCancelled)
	})
	t.Run("what nobody drafted is not found", func(t *testing.T) {
		given[Charge](t).when(SubmitCharge{id(31), id(91)}).thenRefused(CodeNotFound)
	})
	t.Run("a submitted charge is rejected with a reason", func(t *testing.T) {
		given[Charge](t, bill(), submitted).
			when(&RejectCharge{ChargeID: id(31), Actor: id(92), Reason: "Twice"}).
			then(events.ChargeRejected{
				Building: buildingID, RejectedBy: id(92), Reason: events.PersonalText("Twice"),
			})
	})
	t.Run("not without one", func(t *testing.T) {
		given[Charge](t, bill(), submitted).
			when(&RejectCharge{ChargeID: id(31), Actor: id(92), Reason: " "}).
			thenInvalid("reason", CodeRequired)
	})
	for state, happened := range map[string][]events.Event{
		"draft": {bill()}, "approved": {bill(), submitted, approved},
		"rejected": {bill(), submitted, rejected},
	} {
		t.Run("a charge in state "+state+" is not approved", func(t *testing.T) {
			given[Charge](t, happened...).when(&ApproveCharge{
				ChargeID: id(31), Actor: id(92), building: erables(), keys: reading().keys,
			}).thenRefused(CodeNotPending)
		})
		t.Run("a charge in state "+state+" is not rejected", func(t *testing.T) {
			given[Charge](t, happened...).
				when(&RejectCharge{ChargeID: id(31), Actor: id(92), Reason: "x"}).
				thenRefused(CodeNotPending)
		})
	}
	t.Run("a cancelled charge is not approved", func(t *testing.T) {
		given[Charge](t, bill(), submitted, cancelled).
			when(&ApproveCharge{ChargeID: id(31)}).thenRefused(CodeChargeCancelled)
	})
	t.Run("four eyes are not two", func(t *testing.T) {
		given[Charge](t, bill(), submitted).
			when(&ApproveCharge{ChargeID: id(31), second: true}).thenRefused(CodeFourEyes)
	})
	t.Run("neither for rejection", func(t *testing.T) {
		given[Charge](t, bill(), submitted).
			when(&RejectCharge{ChargeID: id(31), Reason: "x", second: true}).
			thenRefused(CodeFourEyes)
	})
}

func pay(adjust func(*PayCharge)) *PayCharge {
	c := &PayCharge{ChargeID: id(31), BankReference: "7", Now: now, building: erables()}
	if adjust != nil {
		adjust(c)
	}
	return c
}

func TestPayment(t *testing.T) {
	t.Parallel()
	before := []events.Event{bill(), submitted, approved}
	after := func(more ...events.Event) []events.Event {
		return append(before[:3:3], more...)
	}
	t.Run("an approved charge is paid today, or on the day given", func(t *testing.T) {
		given[Charge](t, before...).when(pay(nil)).then(paid)
	})
	t.Run("an overdue one too", func(t *testing.T) {
		given[Charge](t, after(overdue)...).when(pay(nil)).then(paid)
	})
	t.Run("the same again changes nothing", func(t *testing.T) {
		given[Charge](t, after(paid)...).when(pay(nil)).then()
	})
	t.Run("it is not paid otherwise", func(t *testing.T) {
		given[Charge](t, after(paid)...).when(pay(func(c *PayCharge) {
			c.PaidOn = To(OnDay("2026-03-14"))
		})).thenRefused(CodeChargePaid)
	})
	t.Run("a charge that is not approved is not paid", func(t *testing.T) {
		given[Charge](t, bill(), submitted).when(pay(nil)).thenRefused(CodeNotApproved)
	})
	t.Run("a cancelled one is not paid", func(t *testing.T) {
		given[Charge](t, after(cancelled)...).when(pay(nil)).thenRefused(CodeChargeCancelled)
	})
	t.Run("a wrong day is refused", func(t *testing.T) {
		given[Charge](t, before...).when(pay(func(c *PayCharge) {
			c.PaidOn = To(OnDay("yesterday"))
		})).thenInvalid("paid_on", CodeMalformed)
	})
	t.Run("a payment is taken back", func(t *testing.T) {
		given[Charge](t, after(paid)...).when(UnpayCharge{id(31)}).then(unpaid)
	})
	t.Run("not where there is none", func(t *testing.T) {
		given[Charge](t, after(paid, unpaid)...).when(UnpayCharge{id(31)}).thenRefused(CodeNotPaid)
	})
	t.Run("somebody marks it overdue", func(t *testing.T) {
		given[Charge](t, bill()).when(MarkOverdue{id(31)}).then(overdue)
	})
	t.Run("once", func(t *testing.T) {
		given[Charge](t, bill(), overdue).when(MarkOverdue{id(31)}).then()
	})
	t.Run("not when it was paid", func(t *testing.T) {
		given[Charge](t, after(paid)...).when(MarkOverdue{id(31)}).thenRefused(CodeChargePaid)
	})
	t.Run("a charge is cancelled", func(t *testing.T) {
		given[Charge](t, after(overdue)...).when(CancelCharge{id(31)}).then(cancelled)
	})
	t.Run("once, too", func(t *testing.T) {
		given[Charge](t, after(cancelled)...).when(CancelCharge{id(31)}).then()
	})
	t.Run("a paid one is not cancelled", func(t *testing.T) {
		given[Charge](t, after(paid)...).when(CancelCharge{id(31)}).thenRefused(CodeChargePaid)
	})
	t.Run("a cancellation ends", func(t *testing.T) {
		given[Charge](t, after(cancelled)...).when(ReactivateCharge{id(31)}).then(again)
	})
	t.Run("not where there is none", func(t *testing.T) {
		given[Charge](t, before...).when(ReactivateCharge{id(31)}).thenRefused(CodeNotCancelled)
	})
	for name, command := range map[string]Command[Charge]{
		"paid": pay(nil), "unpaid": UnpayCharge{id(31)}, "overdue": MarkOverdue{id(31)},
		"cancelled": CancelCharge{id(31)}, "reactivated": ReactivateCharge{id(31)},
	} {
		t.Run("a charge that was removed is not "+name, func(t *testing.T) {
			given[Charge](t, bill(), removed).when(command).thenRefused(CodeNotFound)
		})
	}
}

func TestTheCalendarLetsChargesFallOverdue(t *testing.T) {
	t.Parallel()
	due := func(day events.Day) events.ChargeDrafted {
		return bill(func(c *events.ChargeContent) { c.DueDate = day })
	}
	falls := &LetFallOverdue{ChargeID: id(31), Now: now, building: erables()}
	t.Run("the day after the due day", func(t *testing.T) {
		given[Charge](t, due("2026-03-14"), submitted, approved).when(falls).then(overdue)
	})
	for what, happened := range map[string][]events.Event{
		"on the due day":      {due("2026-03-15"), submitted, approved},
		"without one":         {due(""), submitted, approved},
		"before approval":     {due("2026-03-14"), submitted},
		"once it was paid":    {due("2026-03-14"), submitted, approved, paid},
		"when it is no more":  {due("2026-03-14"), removed},
		"when it is overdue":  {due("2026-03-14"), submitted, approved, overdue},
		"when it was stopped": {due("2026-03-14"), submitted, approved, cancelled},
	} {
		t.Run("not "+what, func(t *testing.T) {
			given[Charge](t, happened...).when(falls).then()
		})
	}
}

func declare(adjust func(*DeclareKey)) *DeclareKey {
	c := &DeclareKey{
		KeyID: liftID, BuildingID: buildingID, Name: " Ascenseur ", Base: 1000,
		ValidFrom: To(OnDay("2026-01-01")), Weights: lift.Weights, Now: now, building: erables(),
	}
	if adjust != nil {
		adjust(c)
	}
	return c
}

func TestDeclareKey(t *testing.T) {
	t.Parallel()
	t.Run("weights that sum to the base make a key", func(t *testing.T) {
		given[Key](t).when(declare(nil)).then(lift)
	})
	t.Run("from today unless a day is given", func(t *testing.T) {
		today := lift
		today.ValidFrom = "2026-03-15"
		given[Key](t).when(declare(func(c *DeclareKey) { c.ValidFrom = Change[When]{} })).then(today)
	})
	t.Run("the same again changes nothing", func(t *testing.T) {
		given[Key](t, lift).when(declare(func(c *DeclareKey) { c.ValidFrom = Change[When]{} })).
			then()
	})
	t.Run("another key has the id", func(t *testing.T) {
		given[Key](t, lift).when(declare(func(c *DeclareKey) { c.Name = "x" })).
			thenRefused(CodeIDTaken)
	})
	t.Run("weights below the base are refused (10.1)", func(t *testing.T) {
		given[Key](t).when(declare(func(c *DeclareKey) {
			c.Weights = []events.KeyWeight{
				{LotID: lotA.LotID, Weight: 412},
				{LotID: lotB.LotID, Weight: 355},
				{LotID: lotC.LotID, Weight: 232},
			}
		})).thenRefused(CodeSharesIncomplete)
	})
	t.Run("a lot of another building is not found", func(t *testing.T) {
		given[Key](t).when(declare(func(c *DeclareKey) {
			c.Weights = []events.KeyWeight{{LotID: id(99), Weight: 1000}}
		})).thenRefused(CodeNotFound)
	})
	t.Run("a building that is not in the books is not found", func(t *testing.T) {
		given[Key](t).when(declare(func(c *DeclareKey) { c.building = Building{} })).
			thenRefused(CodeNotFound)
	})
	for _, wrong := range []struct {
		field string
		code  Code
		by    func(*DeclareKey)
	}{
		{"name", CodeRequired, func(c *DeclareKey) { c.Name = "" }},
		{"base", CodeOutOfRange, func(c *DeclareKey) { c.Base = 0 }},
		{"id", CodeRequired, func(c *DeclareKey) { c.KeyID = uuid.Nil }},
		{"weights", CodeRequired, func(c *DeclareKey) { c.Weights = nil }},
		{"weights", CodeTooMany, func(c *DeclareKey) {
			c.Weights = make([]events.KeyWeight, maxKeyWeights+1)
		}},
		{"valid_from", CodeMalformed, func(c *DeclareKey) { c.ValidFrom = To(OnDay("soon")) }},
		{"weights[1].weight", CodeOutOfRange, func(c *DeclareKey) {
			c.Weights = []events.KeyWeight{
				{LotID: lotA.LotID, Weight: 1000}, {LotID: lotB.LotID, Weight: -1},
			}
		}},
		{"weights[1].lot_id", CodeWeightsInvalid, func(c *DeclareKey) {
			c.Weights = []events.KeyWeight{
				{LotID: lotA.LotID, Weight: 500}, {LotID: lotA.LotID, Weight: 500},
			}
		}},
	} {
		t.Run(wrong.field+" is refused as "+string(wrong.code), func(t *testing.T) {
			given[Key](t).when(declare(wrong.by)).thenInvalid(wrong.field, wrong.code)
		})
	}
}

func TestChangeKey(t *testing.T) {
	t.Parallel()
	second := events.KeyVersioned{
		Building: buildingID, Name: "Ascenseur", Base: 2, ValidFrom: "2026-03-15",
		Weights: []events.KeyWeight{{LotID: lotC.LotID, Weight: 2}},
	}
	change := func(adjust func(*ChangeKey)) *ChangeKey {
		c := &ChangeKey{KeyID: liftID, Now: now, building: erables()}
		adjust(c)
		return c
	}
	t.Run("a version begins today unless a day is given", func(t *testing.T) {
		given[Key](t, lift).when(change(func(c *ChangeKey) {
			c.Base, c.Weights = To(int64(2)), To(second.Weights)
		})).then(second)
	})
	t.Run("charges of each day have the version of their day", func(t *testing.T) {
		t.Parallel()
		key := Key{}.Evolve(lift).Evolve(second)
		for day, base := range map[events.Day]int64{"2026-03-14": 1000, "2026-03-15": 2} {
			version, valid := key.On(day)
			if !valid || version.Base != base {
				t.Errorf("on %s: %v, base %d", day, valid, version.Base)
			}
		}
		if _, valid := key.On("2025-12-31"); valid {
			t.Error("valid before its first day")
		}
	})
	t.Run("what is the same changes nothing", func(t *testing.T) {
		given[Key](t, lift).when(change(func(c *ChangeKey) { c.Name = To("Ascenseur") })).then()
	})
	t.Run("weights that do not sum to the base are refused", func(t *testing.T) {
		given[Key](t, lift).when(change(func(c *ChangeKey) { c.Base = To(int64(999)) })).
			thenRefused(CodeSharesIncomplete)
	})
	t.Run("a key stays in its building", func(t *testing.T) {
		given[Key](t, lift).when(change(func(c *ChangeKey) { c.Building = To(id(2)) })).
			thenInvalid("building_id", CodeUnchangeable)
	})
	t.Run("a key that nobody declared is not found", func(t *testing.T) {
		given[Key](t).when(change(func(*ChangeKey) {})).thenRefused(CodeNotFound)
	})
}
