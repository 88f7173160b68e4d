package commands

import (
	"fmt"
	"math"
	"math/bits"
	"strconv"
	"strings"

	"github.com/koprogo/koprogo/events"
)

// Limits of an invoice. With them no sum of cents below comes near 64 bits.
const (
	maxInvoiceLines = 500
	maxQuantity     = 1_000_000_000 // whole ones
)

// InvoiceLine is a line as the invoice prints it.
type InvoiceLine struct {
	Quantity   events.Quantity  // more than zero
	UnitPrice  events.UnitPrice // VAT excluded; negative for a discount
	Rate       events.VATRate
	RateReason string        // why the rate is none of the usual ones
	VAT        *events.Money // as printed on the line, nil where it is not
}

// Printed are the totals that an invoice prints, nil where it does not.
type Printed struct{ Net, VAT, Gross *events.Money }

// Priced is a line, or an invoice, to the cent: Gross is Net and VAT.
type Priced struct{ Net, VAT, Gross events.Money }

// Invoiced is an invoice to the cent, its lines in the order in which they were given.
type Invoiced struct {
	Lines []Priced
	Total Priced
}

// PriceInvoice computes an invoice from its lines. A line's net is rounded half up to the cent,
// VAT is rounded half up per rate. What is printed stands: a printed VAT of lines as it is; one of
// the whole invoice, where no line prints its own, is shared out over the rates and in each over
// its lines by the largest remainder. Printed net and gross are only compared.
//
// It refuses a wrong line by its field (lines[2].vat_rate); VAT that is more than 0.01 per line
// of its rate from what the rate gives, or a gross that is not net and VAT, as vat_mismatch; a
// printed net more than 0.01 per line from the lines' as total_mismatch.
func PriceInvoice(lines []InvoiceLine, printed Printed) (Invoiced, error) {
	var c check
	if len(lines) == 0 {
		c.refuse("lines", CodeRequired, "an invoice has a line")
	}
	if len(lines) > maxInvoiceLines {
		c.refuse("lines", CodeTooMany, "the invoice has too many lines",
			"max", strconv.Itoa(maxInvoiceLines))
		return Invoiced{}, c.err()
	}
	bill := make([]taxed, len(lines))
	for i, line := range lines {
		at := fmt.Sprintf("lines[%d].", i)
		bill[i] = taxed{net: c.lineNet(at, line), rate: line.Rate, printed: line.VAT}
		c.rate(at, line.Rate, line.RateReason)
	}
	if err := c.err(); err != nil {
		return Invoiced{}, err
	}
	return invoiced(bill, printed, "lines")
}

// PriceNet computes an invoice without lines from its amount excluding VAT; the rest as
// PriceInvoice does for one line.
func PriceNet(
	net events.Money, rate events.VATRate, reason string, printed Printed,
) (Priced, error) {
	var c check
	c.amount("amount_excl_vat", net)
	c.rate("", rate, reason)
	if err := c.err(); err != nil {
		return Priced{}, err
	}
	whole, err := invoiced([]taxed{{net: net, rate: rate}}, printed, "amount_excl_vat")
	return whole.Total, err
}

// PriceGross takes the VAT out of an amount that includes it, rounded half up.
func PriceGross(gross events.Money, rate events.VATRate, reason string) (Priced, error) {
	var c check
	c.amount("amount", gross)
	c.rate("", rate, reason)
	if err := c.err(); err != nil {
		return Priced{}, err
	}
	vat, _ := roundedQuotient(int64(gross), int64(rate), uint64(events.MostVATRate+rate))
	return Priced{Net: gross - vat, VAT: vat, Gross: gross}, nil
}

// amount is more than zero and at most what one document may name.
func (c *check) amount(field string, amount events.Money) {
	if amount <= 0 || amount > events.MostMoney {
		c.refuse(field, CodeOutOfRange, "the amount is not above zero, or too large",
			"min", events.Money(1).String(), "max", events.MostMoney.String())
	}
}

// rate is from 0 to 100 %; one that is not usual has a reason.
func (c *check) rate(at string, rate events.VATRate, reason string) {
	switch {
	case rate < 0 || rate > events.MostVATRate:
		c.refuse(at+"vat_rate", CodeOutOfRange, "a rate is from 0 to 100 percent",
			"min", "0", "max", events.MostVATRate.String())
	case !rate.IsUsual() && strings.TrimSpace(reason) == "":
		c.refuse(at+"vat_rate_reason", CodeRequired, "a rate other than 0, 6, 12 or 21 has a reason")
	}
	c.line(at+"vat_rate_reason", reason, maxName)
}

// lineNet is quantity times unit price, rounded half up to the cent.
func (c *check) lineNet(at string, line InvoiceLine) events.Money {
	if line.Quantity <= 0 || line.Quantity > events.WholeQuantity(maxQuantity) {
		c.refuse(at+"quantity", CodeOutOfRange, "the quantity is not above zero, or too large",
			"min", events.Quantity(1).String(), "max", strconv.Itoa(maxQuantity))
		return 0
	}
	// Ten-thousandths of one times ten-thousandths of a euro are millionths of a cent.
	net, ok := roundedQuotient(int64(line.UnitPrice), int64(line.Quantity), 1_000_000)
	if !ok || net.Magnitude() > uint64(events.MostMoney) {
		c.refuse(at+"unit_price", CodeOutOfRange, "the line is too large",
			"min", (-events.MostMoney).String(), "max", events.MostMoney.String())
		return 0
	}
	return net
}

// roundedQuotient is a times b over divisor, rounded half up (a negative one mirrors the positive
// one), b not negative; false where it does not fit.
func roundedQuotient(a, b int64, divisor uint64) (events.Money, bool) {
	high, low := bits.Mul64(events.Money(a).Magnitude(), uint64(b))
	if high >= divisor/2 { // then half of 64 bits do not hold the quotient
		return 0, false
	}
	quotient, remainder := bits.Div64(high, low, divisor)
	if remainder >= divisor-remainder {
		quotient++
	}
	if quotient > math.MaxInt64 {
		return 0, false
	}
	if a < 0 {
		return -events.Money(quotient), true
	}
	return events.Money(quotient), true
}

// taxed is a line whose net is known.
type taxed struct {
	net     events.Money
	rate    events.VATRate
	printed *events.Money
}

// vatOf is the VAT of a bounded net at a checked rate, rounded half up.
func vatOf(net events.Money, rate events.VATRate) events.Money {
	vat, _ := roundedQuotient(int64(net), int64(rate), uint64(events.MostVATRate))
	return vat
}

// invoiced computes the VAT of the lines and compares the totals; field names what an impossible
// total is blamed on.
func invoiced(bill []taxed, printed Printed, field string) (Invoiced, error) {
	vats, err := vatOfLines(bill, printed.VAT)
	if err != nil {
		return Invoiced{}, err
	}
	whole := Invoiced{Lines: make([]Priced, len(bill))}
	for i, line := range bill {
		whole.Lines[i] = Priced{Net: line.net, VAT: vats[i], Gross: line.net + vats[i]}
		whole.Total.Net += line.net
		whole.Total.VAT += vats[i]
	}
	whole.Total.Gross = whole.Total.Net + whole.Total.VAT
	var c check
	c.amount(field, whole.Total.Gross)
	if err := c.err(); err != nil {
		return Invoiced{}, err
	}
	if printed.Net != nil && !near(*printed.Net, whole.Total.Net, len(bill)) {
		return Invoiced{}, mismatch(CodeTotalMismatch, "amount_excl_vat",
			"the printed net is not the sum of the lines", whole.Total.Net, len(bill))
	}
	if printed.Gross != nil && !near(*printed.Gross, whole.Total.Gross, len(bill)) {
		return Invoiced{}, mismatch(CodeVATMismatch, "gross",
			"the printed total is not net and VAT", whole.Total.Gross, len(bill))
	}
	return whole, nil
}
