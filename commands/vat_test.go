package commands

import (
	"math"
	"math/big"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/koprogo/koprogo/events"
)

// sold makes a line of one unit at a price in cents.
func sold(net events.Money, rate events.VATRate) InvoiceLine {
	return InvoiceLine{
		Quantity: events.WholeQuantity(1), UnitPrice: events.UnitPrice(net) * 100, Rate: rate,
	}
}

func (l InvoiceLine) printing(vat events.Money) InvoiceLine {
	l.VAT = &vat
	return l
}

func printedNet(amount events.Money) Printed   { return Printed{Net: &amount} }
func printedVAT(amount events.Money) Printed   { return Printed{VAT: &amount} }
func printedGross(amount events.Money) Printed { return Printed{Gross: &amount} }

func vats(invoice Invoiced) []events.Money {
	amounts := make([]events.Money, len(invoice.Lines))
	for i, line := range invoice.Lines {
		amounts[i] = line.VAT
	}
	return amounts
}

// TestTheWorkedExamplesOfVAT are those of the domain's page, 10.3.
func TestTheWorkedExamplesOfVAT(t *testing.T) {
	t.Parallel()
	lift, err := PriceInvoice([]InvoiceLine{sold(800_00, 2100)}, Printed{})
	require.NoError(t, err)
	require.Equal(t, Priced{Net: 800_00, VAT: 168_00, Gross: 968_00}, lift.Total)
	require.Equal(t, []Priced{lift.Total}, lift.Lines)

	mixed, err := PriceInvoice([]InvoiceLine{sold(1_500_00, 600), sold(1_000_00, 2100)}, Printed{})
	require.NoError(t, err)
	require.Equal(t, Invoiced{
		Lines: []Priced{
			{Net: 1_500_00, VAT: 90_00, Gross: 1_590_00},
			{Net: 1_000_00, VAT: 210_00, Gross: 1_210_00},
		},
		Total: Priced{Net: 2_500_00, VAT: 300_00, Gross: 2_800_00},
	}, mixed)

	kept, err := PriceNet(333_33, 2100, "", printedVAT(70_00))
	require.NoError(t, err)
	require.Equal(t, Priced{Net: 333_33, VAT: 70_00, Gross: 403_33}, kept)
	kept, err = PriceNet(333_33, 2100, "", printedVAT(70_01))
	require.NoError(t, err, "what is printed stands")
	require.Equal(t, Priced{Net: 333_33, VAT: 70_01, Gross: 403_34}, kept)
	for _, vat := range []events.Money{70_02, 69_98, 0, -70_00, math.MaxInt64, math.MinInt64} {
		_, err = PriceNet(333_33, 2100, "", printedVAT(vat))
		refused := refusal(t, err)
		require.Equal(t, CodeVATMismatch, refused.Code)
		require.Equal(t, map[string]string{
			"field": "vat_amount", "expected": "70.00", "tolerance": "0.01",
		}, refused.Params)
	}
}

func TestALinesNetIsRoundedHalfUpToTheCent(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		quantity events.Quantity
		price    events.UnitPrice
		net      events.Money
	}{
		{events.WholeQuantity(3), 12_500, 3_75},
		{25_000, 33_333, 8_33},                   // 2.5 × 3.3333 = 8.33325
		{5_000, 100, 1},                          // 0.5 × 0.01 = 0.005
		{4_999, 100, 0},                          // 0.4999 × 0.01 = 0.004999
		{5_000, -100, -1},                        // a discount mirrors
		{1, 1, 0},                                // 0.0001 × 0.0001
		{events.WholeQuantity(1), 123_450, 1235}, // 12.345
		{events.WholeQuantity(1_000_000_000), 99_999, 9_999_900_000_00},
	} {
		var chk check
		line := InvoiceLine{Quantity: c.quantity, UnitPrice: c.price}
		require.Equal(t, c.net, chk.lineNet("", line), "%s × %s", c.quantity, c.price)
		require.NoError(t, chk.err())
	}
}

func TestVATIsRoundedPerRateAndNotPerLine(t *testing.T) {
	t.Parallel()
	lines := []InvoiceLine{sold(10, 2100), sold(10, 2100), sold(10, 2100)}
	invoice, err := PriceInvoice(lines, Printed{})
	require.NoError(t, err)
	require.Equal(t, events.Money(6), invoice.Total.VAT, "0.063, where each line's 0.021 is 0.02")
	require.Equal(t, cents(2, 2, 2), vats(invoice))
	for i := range lines {
		lines[i] = sold(12, 2100)
	}
	invoice, err = PriceInvoice(lines, Printed{})
	require.NoError(t, err)
	require.Equal(t, events.Money(8), invoice.Total.VAT, "0.0756, where each line's 0.0252 is 0.03")
	require.Equal(t, cents(3, 3, 2), vats(invoice), "the first lines get the cents")
}

func TestThePrintedVATOfAnInvoiceIsSharedOutOverItsLines(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		lines   []InvoiceLine
		printed events.Money
		want    []events.Money
	}{
		"one rate": {
			[]InvoiceLine{sold(111_11, 2100), sold(222_22, 2100)}, 70_02, cents(23_34, 46_68),
		},
		"two rates": {
			[]InvoiceLine{sold(1_500_00, 600), sold(1_000_00, 2100)}, 300_01, cents(90_00, 210_01),
		},
		"a rate of zero takes none": {
			[]InvoiceLine{sold(100_00, 0), sold(100_00, 2100)}, 21_02, cents(0, 21_02),
		},
		"a discount keeps its own": {
			[]InvoiceLine{sold(200_00, 2100), sold(100_00, 2100), sold(-30_00, 2100)},
			56_72,
			cents(42_01, 21_01, -6_30),
		},
		"a rate that only a discount has": {
			[]InvoiceLine{sold(200_00, 2100), sold(-10_00, 600)}, 41_41, cents(42_01, -60),
		},
	} {
		invoice, err := PriceInvoice(c.lines, Printed{VAT: &c.printed})
		require.NoError(t, err, name)
		require.Equal(t, c.want, vats(invoice), name)
		require.Equal(t, c.printed, invoice.Total.VAT, name)
	}
}

func TestThePrintedVATOfLinesStands(t *testing.T) {
	t.Parallel()
	invoice, err := PriceInvoice([]InvoiceLine{
		sold(100_00, 2100).printing(21_01), sold(100_00, 2100).printing(20_99),
		sold(50_00, 600),
	}, Printed{})
	require.NoError(t, err)
	require.Equal(t, cents(21_01, 20_99, 3_00), vats(invoice))

	invoice, err = PriceInvoice([]InvoiceLine{
		sold(100_00, 2100).printing(21_01), sold(12, 2100), sold(12, 2100),
	}, printedVAT(21_06))
	require.NoError(t, err, "lines that print none have what the rate gives")
	require.Equal(t, cents(21_01, 3, 2), vats(invoice))
}

func TestVATThatDoesNotFitItsRateIsRefused(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		lines    []InvoiceLine
		printed  Printed
		expected string
	}{
		"a line beyond a cent": {
			[]InvoiceLine{sold(100_00, 2100).printing(21_02)}, Printed{}, "21.00",
		},
		"a line beyond a cent per line of its rate, though the sum is right": {
			[]InvoiceLine{sold(100_00, 2100).printing(0), sold(100_00, 2100).printing(42_00)},
			Printed{},
			"21.00",
		},
		"lines of one rate that are off by more than a cent each together": {
			[]InvoiceLine{sold(100_00, 2100).printing(21_02), sold(100_00, 2100).printing(21_02)},
			Printed{},
			"42.00",
		},
		"another rate's lines widen nothing": {
			[]InvoiceLine{sold(100_00, 2100).printing(21_02), sold(100_00, 600)}, Printed{}, "21.00",
		},
		"VAT on a rate of zero": {
			[]InvoiceLine{sold(100_00, 0).printing(1)}, Printed{}, "0.00",
		},
		"VAT on nothing": {
			[]InvoiceLine{sold(100_00, 2100), sold(0, 2100).printing(1)}, Printed{}, "0.00",
		},
		"an invoice of a rate of zero that prints VAT": {
			[]InvoiceLine{sold(100_00, 0)}, printedVAT(1), "0.00",
		},
		"the invoice's beyond a cent per line": {
			[]InvoiceLine{sold(100_00, 2100), sold(100_00, 600)}, printedVAT(27_03), "27.00",
		},
		"the invoice's is not its lines'": {
			[]InvoiceLine{sold(100_00, 2100).printing(21_00)}, printedVAT(21_02), "21.00",
		},
		"gross is not net and VAT": {
			[]InvoiceLine{sold(100_00, 2100)}, printedGross(121_02), "121.00",
		},
		"gross is without VAT": {
			[]InvoiceLine{sold(100_00, 2100)}, printedGross(100_00), "121.00",
		},
	} {
		_, err := PriceInvoice(c.lines, c.printed)
		refused := refusal(t, err)
		require.Equal(t, CodeVATMismatch, refused.Code, name)
		require.Equal(t, c.expected, refused.Params["expected"], name)
	}
}

func TestPrintedTotalsAreComparedWithinACentPerLine(t *testing.T) {
	t.Parallel()
	lines := []InvoiceLine{sold(100_00, 2100), sold(200_00, 2100), sold(33, 0)}
	for _, off := range []events.Money{-3, 0, 3} {
		for _, printed := range []Printed{
			printedNet(300_33 + off), printedVAT(63_00 + off), printedGross(363_33 + off),
		} {
			invoice, err := PriceInvoice(lines, printed)
			require.NoError(t, err)
			require.Equal(t, events.Money(300_33), invoice.Total.Net, "totals come from the lines")
		}
	}
	for _, off := range []events.Money{-4, 4} {
		_, err := PriceInvoice(lines, printedNet(300_33+off))
		refused := refusal(t, err)
		require.Equal(t, CodeTotalMismatch, refused.Code)
		require.Equal(t, map[string]string{
			"field": "amount_excl_vat", "expected": "300.33", "tolerance": "0.03",
		}, refused.Params)
		_, err = PriceInvoice(lines, printedGross(363_33+off))
		refused = refusal(t, err)
		require.Equal(t, CodeVATMismatch, refused.Code)
		require.Equal(t, "gross", refused.Params["field"])
	}
}

func TestAWrongLineIsRefusedByItsField(t *testing.T) {
	t.Parallel()
	good := sold(100_00, 2100)
	for name, c := range map[string]struct {
		change func(*InvoiceLine)
		field  string
		code   Code
	}{
		"no quantity": {func(l *InvoiceLine) { l.Quantity = 0 }, "quantity", CodeOutOfRange},
		"a negative quantity": {
			func(l *InvoiceLine) { l.Quantity = -1 }, "quantity", CodeOutOfRange,
		},
		"a vast quantity": {
			func(l *InvoiceLine) { l.Quantity = math.MaxInt64 }, "quantity", CodeOutOfRange,
		},
		"a vast price": {
			func(l *InvoiceLine) { l.UnitPrice = math.MinInt64 }, "unit_price", CodeOutOfRange,
		},
		"a product of more than 64 bits": {
			func(l *InvoiceLine) {
				l.Quantity, l.UnitPrice = events.WholeQuantity(maxQuantity), math.MaxInt64
			}, "unit_price", CodeOutOfRange,
		},
		"a line beyond the largest amount": {
			func(l *InvoiceLine) { l.UnitPrice = 100_000_000_000_000 }, "unit_price", CodeOutOfRange,
		},
		"a negative rate": {func(l *InvoiceLine) { l.Rate = -600 }, "vat_rate", CodeOutOfRange},
		"more than all":   {func(l *InvoiceLine) { l.Rate = 10_001 }, "vat_rate", CodeOutOfRange},
		"an unusual rate": {func(l *InvoiceLine) { l.Rate = 550 }, "vat_rate_reason", CodeRequired},
		"a hollow reason": {
			func(l *InvoiceLine) { l.Rate, l.RateReason = 550, "  " }, "vat_rate_reason", CodeRequired,
		},
		"a reason too long": {
			func(l *InvoiceLine) { l.RateReason = strings.Repeat("x", 256) }, "vat_rate_reason",
			CodeTooLong,
		},
	} {
		bad := good
		c.change(&bad)
		_, err := PriceInvoice([]InvoiceLine{good, bad}, Printed{})
		refused := refusal(t, err)
		require.Equal(t, "lines[1]."+c.field, refused.Field, name)
		require.Equal(t, c.code, refused.Code, name)
		require.Empty(t, refused.More, name)
	}
	reasoned := good
	reasoned.Rate, reasoned.RateReason = 550, "supplier established in France"
	invoice, err := PriceInvoice([]InvoiceLine{reasoned}, Printed{})
	require.NoError(t, err)
	require.Equal(t, events.Money(5_50), invoice.Total.VAT)
}

func TestAnInvoiceHasAtLeastOneLineAndAPositiveAmount(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		lines []InvoiceLine
		code  Code
	}{
		"no line":           {nil, CodeRequired},
		"too many lines":    {make([]InvoiceLine, maxInvoiceLines+1), CodeTooMany},
		"nothing to pay":    {[]InvoiceLine{sold(0, 2100)}, CodeOutOfRange},
		"discount only":     {[]InvoiceLine{sold(-1_00, 2100)}, CodeOutOfRange},
		"more than allowed": {[]InvoiceLine{sold(events.MostMoney, 2100)}, CodeOutOfRange},
	} {
		_, err := PriceInvoice(c.lines, Printed{})
		require.Equal(t, "lines", refusal(t, err).Field, name)
		require.Equal(t, c.code, refusal(t, err).Code, name)
	}
}

func TestAnInvoiceWithoutLinesIsPricedFromOneAmount(t *testing.T) {
	t.Parallel()
	for _, amount := range []events.Money{0, -1, events.MostMoney + 1, math.MinInt64} {
		_, err := PriceNet(amount, 2100, "", Printed{})
		require.Equal(t, "amount_excl_vat", refusal(t, err).Field)
		_, err = PriceGross(amount, 2100, "")
		require.Equal(t, "amount", refusal(t, err).Field)
	}
	_, err := PriceNet(events.MostMoney, 2100, "", Printed{})
	require.Equal(t, "amount_excl_vat", refusal(t, err).Field, "its gross is too large")
	for _, price := range []func() (Priced, error){
		func() (Priced, error) { return PriceNet(1_00, 550, "", Printed{}) },
		func() (Priced, error) { return PriceGross(1_00, 550, "") },
	} {
		_, err := price()
		require.Equal(t, "vat_rate_reason", refusal(t, err).Field)
	}
	_, err = PriceNet(100_00, 2100, "", printedGross(121_02))
	require.Equal(t, CodeVATMismatch, refusal(t, err).Code)
	priced, err := PriceGross(1_210_00, 2100, "")
	require.NoError(t, err)
	require.Equal(t, Priced{Net: 1_000_00, VAT: 210_00, Gross: 1_210_00}, priced)
	priced, err = PriceGross(100_00, 2100, "")
	require.NoError(t, err)
	require.Equal(t, Priced{Net: 82_64, VAT: 17_36, Gross: 100_00}, priced)
	priced, err = PriceGross(100_00, 0, "")
	require.NoError(t, err)
	require.Equal(t, Priced{Net: 100_00, Gross: 100_00}, priced)
}

// drawnLines have discounts, free lines, small and large amounts at a few rates.
func drawnLines(t *rapid.T) []InvoiceLine {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) InvoiceLine {
		most := rapid.SampledFrom([]int64{100, 1_000_000, 10_000_000_000}).Draw(t, "most")
		return InvoiceLine{
			Quantity:   events.Quantity(rapid.Int64Range(1, 1_000_000).Draw(t, "quantity")),
			UnitPrice:  events.UnitPrice(rapid.Int64Range(-most/4, most).Draw(t, "price")),
			Rate:       rapid.SampledFrom([]events.VATRate{0, 600, 2100, 550}).Draw(t, "rate"),
			RateReason: "a reason",
		}
	}), 1, 12).Draw(t, "lines")
}

func TestEveryInvoiceAddsUpAndIsNearTheExactVAT(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		lines := append(drawnLines(t), sold(500_000_000_00, 2100)) // so that there is a bill to pay
		invoice, err := PriceInvoice(lines, Printed{})
		require.NoError(t, err)
		requireAddsUp(t, invoice)
		exact := map[events.VATRate]*big.Rat{}
		group := map[events.VATRate]events.Money{}
		for i, line := range invoice.Lines {
			rate := lines[i].Rate
			if exact[rate] == nil {
				exact[rate] = new(big.Rat)
			}
			exact[rate].Add(exact[rate], big.NewRat(int64(line.Net)*int64(rate), 10_000))
			group[rate] += line.VAT
		}
		for rate, vat := range exact {
			apart := new(big.Rat).Sub(vat, new(big.Rat).SetInt64(int64(group[rate])))
			require.LessOrEqual(t, apart.Abs(apart).Cmp(big.NewRat(1, 2)), 0, "half up per rate")
		}
	})
}

func TestAPrintedVATWithinACentPerLineIsTheInvoices(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		lines := append(drawnLines(t), sold(500_000_000_00, 2100))
		computed, err := PriceInvoice(lines, Printed{})
		require.NoError(t, err)
		off := rapid.IntRange(-2*len(lines), 2*len(lines)).Draw(t, "off")
		printed := computed.Total.VAT + events.Money(off)
		invoice, err := PriceInvoice(lines, Printed{VAT: &printed})
		if off > len(lines) || off < -len(lines) {
			require.ErrorContains(t, err, string(CodeVATMismatch))
			return
		}
		require.NoError(t, err)
		require.Equal(t, printed, invoice.Total.VAT)
		requireAddsUp(t, invoice)
		for i, line := range invoice.Lines {
			require.True(t, lines[i].Rate != 0 || line.VAT == 0)
			require.True(t, near(line.VAT, computed.Lines[i].VAT, 2*len(lines)))
		}
	})
}

func requireAddsUp(t require.TestingT, invoice Invoiced) {
	var total Priced
	for _, line := range invoice.Lines {
		require.Equal(t, line.Gross, line.Net+line.VAT)
		total.Net += line.Net
		total.VAT += line.VAT
		total.Gross += line.Gross
	}
	require.Equal(t, total, invoice.Total)
}
