package commands

import (
	"github.com/koprogo/koprogo/events"
)

// price enters lines and totals: from the lines that are given, else from the amount that is
// given, else from what the charge said before.
func (d *chargeReading) price(f *ChargeFields, wanted *events.ChargeContent) error {
	switch {
	case len(f.Lines.Value) > 0:
		return priceLines(f, wanted)
	case f.Lines.named():
		return d.priceWhole(f, wanted, nil)
	case d.is != nil && d.is.Priced == events.PricedLines:
		return compare(f, wanted)
	}
	return d.priceWhole(f, wanted, d.is)
}

// priceLines computes the charge from its lines; amounts beside them are compared.
func priceLines(f *ChargeFields, wanted *events.ChargeContent) error {
	c := &check{}
	if len(f.Lines.Value) <= maxInvoiceLines { // more are refused below
		wanted.Lines = c.lines(f.Lines.Value)
	}
	given := make([]InvoiceLine, len(f.Lines.Value))
	for i, line := range f.Lines.Value {
		given[i] = InvoiceLine{
			Quantity: line.Quantity, UnitPrice: line.UnitPrice, Rate: line.VATRate,
			RateReason: wanted.VATRateReason, VAT: line.VAT,
		}
	}
	c.reason(wanted.VATRateReason, f.Lines.Value)
	if err := c.err(); err != nil {
		return err
	}
	invoice, err := PriceInvoice(given, f.printed())
	if err != nil {
		return err
	}
	for i, line := range invoice.Lines {
		wanted.Lines[i].Net, wanted.Lines[i].VAT, wanted.Lines[i].Gross = line.Net, line.VAT, line.Gross
	}
	wanted.Priced = events.PricedLines
	wanted.Net, wanted.VAT, wanted.Gross = invoice.Total.Net, invoice.Total.VAT, invoice.Total.Gross
	return nil
}

// reason refuses, once for all lines, a rate that is not usual without a reason.
func (c *check) reason(reason string, lines []ChargeLineFields) {
	for _, line := range lines {
		if line.VATRate >= 0 && line.VATRate <= events.MostVATRate && !line.VATRate.IsUsual() &&
			reason == "" {
			c.refuse("vat_rate_reason", CodeRequired, "a rate other than 0, 6, 12 or 21 has a reason")
			return
		}
	}
}

// printed are the totals that the command gives.
func (f *ChargeFields) printed() Printed {
	return Printed{
		Net: printedAmount(f.Net), VAT: printedAmount(f.VAT), Gross: printedAmount(f.Amount),
	}
}

func printedAmount(amount Change[events.Money]) *events.Money {
	if !amount.Given {
		return nil
	}
	return &amount.Value
}

// compare refuses totals that are not those of the lines, which stay.
func compare(f *ChargeFields, wanted *events.ChargeContent) error {
	for _, total := range []struct {
		code  Code
		field string
		given Change[events.Money]
		is    events.Money
	}{
		{CodeTotalMismatch, "amount_excl_vat", f.Net, wanted.Net},
		{CodeVATMismatch, "vat_amount", f.VAT, wanted.VAT},
		{CodeVATMismatch, "gross", f.Amount, wanted.Gross},
	} {
		if total.given.Given && !near(total.given.Value, total.is, len(wanted.Lines)) {
			return mismatch(total.code, total.field, "a total is not that of the lines",
				total.is, len(wanted.Lines))
		}
	}
	return nil
}

// priceWhole computes a charge without lines: it has one, which is all of it. is is nil where
// nothing stands that the fields could leave as it is.
func (d *chargeReading) priceWhole(
	f *ChargeFields, wanted *events.ChargeContent, is *events.ChargeContent,
) error {
	rate := events.VATRate(0)
	if is != nil {
		rate = is.Lines[0].VATRate
	}
	rate = f.VATRate.over(rate)
	priced, mode, err := f.priceOne(rate, wanted.VATRateReason, is)
	if err != nil {
		return err
	}
	wanted.Priced = mode
	wanted.Net, wanted.VAT, wanted.Gross = priced.Net, priced.VAT, priced.Gross
	wanted.Lines = []events.ChargeLine{{
		Quantity: events.WholeQuantity(1), UnitPrice: events.UnitPrice(priced.Net) * 100,
		VATRate: rate, Net: priced.Net, VAT: priced.VAT, Gross: priced.Gross,
	}}
	return nil
}

func (f *ChargeFields) priceOne(
	rate events.VATRate, reason string, is *events.ChargeContent,
) (Priced, string, error) {
	same := is != nil && rate == is.Lines[0].VATRate && !f.VAT.Given
	switch {
	case same && f.Net.or(is.Net) == is.Net && f.Amount.or(is.Gross) == is.Gross:
		return Priced{is.Net, is.VAT, is.Gross}, is.Priced, nil
	case f.Net.Given && is == nil && !f.VATRate.Given:
		return Priced{}, "", &Refused{
			Code: CodeRequired, Field: "vat_rate", Reason: "the field is required",
		}
	case f.Net.Given:
		priced, err := PriceNet(f.Net.Value, rate, reason, f.printed())
		return priced, events.PricedNet, err
	case f.Amount.Given:
		priced, err := f.priceGross(f.Amount.Value, rate, reason)
		return priced, events.PricedGross, err
	case is == nil:
		return Priced{}, "", &Refused{
			Code: CodeRequired, Field: "amount", Reason: "the field is required",
		}
	case is.Priced == events.PricedNet:
		priced, err := PriceNet(is.Net, rate, reason, f.printed())
		return priced, events.PricedNet, err
	}
	priced, err := f.priceGross(is.Gross, rate, reason)
	return priced, events.PricedGross, err
}

// priceGross takes the VAT out of an amount; a printed one stands when it is near.
func (f *ChargeFields) priceGross(
	gross events.Money, rate events.VATRate, reason string,
) (Priced, error) {
	priced, err := PriceGross(gross, rate, reason)
	if err != nil || !f.VAT.Given {
		return priced, err
	}
	if !nearVAT(f.VAT.Value, priced.VAT, []int64{exactVAT(priced.Net, rate)}, 1) {
		return priced, mismatch(CodeVATMismatch, "vat_amount",
			"the printed VAT is not that of the rate", priced.VAT, 1)
	}
	return Priced{Net: gross - f.VAT.Value, VAT: f.VAT.Value, Gross: gross}, nil
}
