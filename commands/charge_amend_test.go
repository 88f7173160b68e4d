package commands

import (
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/koprogo/koprogo/events"
)

func amend(is events.ChargeDrafted, fields ChargeFields) *AmendCharge {
	c := &AmendCharge{
		ChargeID: id(31), SupplierID: id(41), ChargeFields: fields, chargeReading: reading(),
	}
	c.is = &is.Content
	return c
}

func amended(adjust ...func(*events.ChargeContent)) events.ChargeAmended {
	return events.ChargeAmended(bill(adjust...))
}

func TestAmendCharge(t *testing.T) {
	t.Parallel()
	t.Run("what is not named stays, printed VAT too", func(t *testing.T) {
		printed := func(c *events.ChargeContent) {
			c.VAT, c.Gross = 16801, 96801
			c.Lines[0].VAT, c.Lines[0].Gross = 16801, 96801
		}
		is := bill(printed)
		given[Charge](t, is).when(amend(is, ChargeFields{
			InvoiceNumber: To("F2026-118"), Net: To(events.Money(80000)),
		})).then(amended(printed, func(c *events.ChargeContent) { c.InvoiceNumber = "F2026-118" }))
	})
	t.Run("another net has its own VAT", func(t *testing.T) {
		s := given[Charge](t, bill()).
			when(amend(bill(), ChargeFields{Net: To(events.Money(10000))}))
		require.NoError(t, s.err)
		require.Equal(t, events.Money(12100), s.decided[0].(events.ChargeAmended).Content.Gross)
	})
	t.Run("another rate is that of the net", func(t *testing.T) {
		s := given[Charge](t, bill()).
			when(amend(bill(), ChargeFields{VATRate: To(events.VATRate(600))}))
		require.NoError(t, s.err)
		require.Equal(t, events.Money(84800), s.decided[0].(events.ChargeAmended).Content.Gross)
	})
	t.Run("an amount that it has already leaves net and VAT", func(t *testing.T) {
		given[Charge](t, bill()).
			when(amend(bill(), ChargeFields{Amount: To(events.Money(96800))})).then()
	})
	t.Run("another category brings another account where none was named", func(t *testing.T) {
		bare := func(c *events.ChargeContent) { c.AccountCode = "" }
		is := bill(bare)
		require.Equal(t, "6109", is.Content.Lines[0].AccountCode)
		given[Charge](t, is).when(amend(is, ChargeFields{Category: To("works")})).
			then(amended(bare, func(c *events.ChargeContent) { c.Category = "works" }))
	})
	t.Run("what is cleared goes", func(t *testing.T) {
		given[Charge](t, bill()).when(amend(bill(), ChargeFields{
			DueDate: Cleared[When](), KeyID: Cleared[uuid.UUID](), AccountCode: Cleared[string](),
		})).then(amended(func(c *events.ChargeContent) {
			c.DueDate, c.KeyID, c.AccountCode = "", uuid.Nil, ""
		}))
	})
	t.Run("a rejected charge is amended and submitted again", func(t *testing.T) {
		is := bill()
		given[Charge](t, is, submitted, rejected).
			when(amend(is, ChargeFields{Description: To("Lift")})).
			then(amended(func(c *events.ChargeContent) {
				c.Description = events.PersonalText("Lift")
			}))
	})
	for state, happened := range map[string][]events.Event{
		"submitted": {submitted}, "approved": {submitted, approved},
	} {
		history := append([]events.Event{bill()}, happened...)
		t.Run("a "+state+" charge is locked", func(t *testing.T) {
			given[Charge](t, history...).when(amend(bill(), ChargeFields{Description: To("x")})).
				thenRefused(CodeChargeLocked)
		})
		t.Run("a "+state+" charge is not removed", func(t *testing.T) {
			given[Charge](t, history...).when(RemoveCharge{id(31)}).thenRefused(CodeChargeLocked)
		})
		t.Run("a "+state+" charge is not submitted again", func(t *testing.T) {
			given[Charge](t, history...).when(SubmitCharge{id(31), id(91)}).
				thenRefused(CodeChargeLocked)
		})
	}
	t.Run("a charge stays in its building", func(t *testing.T) {
		c := amend(bill(), ChargeFields{})
		c.Building = To(id(2))
		given[Charge](t, bill()).when(c).thenInvalid("building_id", CodeUnchangeable)
	})
	t.Run("a draft is removed", func(t *testing.T) {
		given[Charge](t, bill()).when(RemoveCharge{id(31)}).then(removed)
	})
	t.Run("what was removed is not found", func(t *testing.T) {
		given[Charge](t, bill(), removed).when(RemoveCharge{id(31)}).thenRefused(CodeNotFound)
	})
}

func TestLinesStayWhenAnInvoiceIsAmended(t *testing.T) {
	t.Parallel()
	lined := func(c *events.ChargeContent) {
		c.Priced = events.PricedLines
		c.Lines[0].Description = events.PersonalText("Lift")
	}
	t.Run("totals are compared with them", func(t *testing.T) {
		is := bill(lined)
		given[Charge](t, is).when(amend(is, ChargeFields{Amount: To(events.Money(50000))})).
			thenRefused(CodeVATMismatch)
	})
	t.Run("until they are taken away", func(t *testing.T) {
		is := bill(lined)
		s := given[Charge](t, is).when(amend(is, ChargeFields{
			Amount: To(events.Money(50000)), Lines: Cleared[[]ChargeLineFields](),
		}))
		require.NoError(t, s.err)
		content := s.decided[0].(events.ChargeAmended).Content
		require.Equal(t, events.Money(50000), content.Gross)
		require.Equal(t, events.PricedGross, content.Priced)
	})
}
