package events

import (
	"slices"
	"strconv"
	"strings"
)

// VATRate is a rate of value-added tax in hundredths of a percent: 2100 is 21 %.
type VATRate int64

// MostVATRate is 100 %.
const MostVATRate VATRate = 10_000

// usualVATRates are those of Belgium; an invoice with another one says why.
var usualVATRates = []VATRate{0, 600, 1200, 2100}

// IsUsual tells whether the rate is 0, 6, 12 or 21 %.
func (r VATRate) IsUsual() bool { return slices.Contains(usualVATRates, r) }

// String is the percentage without trailing zeros: 21, 5.5.
func (r VATRate) String() string { return trimmedPlaces(int64(r), 2) }

// Quantity counts what a line of an invoice sells, in ten-thousandths.
type Quantity int64

// WholeQuantity makes n whole ones.
func WholeQuantity(n int64) Quantity { return Quantity(n) * 10_000 }

// String is the exact decimal, without trailing zeros.
func (q Quantity) String() string { return trimmedPlaces(int64(q), 4) }

// UnitPrice is the price of one, VAT excluded, in ten-thousandths of a euro; a discount's is
// negative.
type UnitPrice int64

// String is the exact decimal, without trailing zeros.
func (p UnitPrice) String() string { return trimmedPlaces(int64(p), 4) }

func trimmedPlaces(units int64, places int) string {
	sign, digits := "", strconv.FormatUint(Money(units).Magnitude(), 10)
	if units < 0 {
		sign = "-"
	}
	for len(digits) <= places {
		digits = "0" + digits
	}
	whole, part := digits[:len(digits)-places], strings.TrimRight(digits[len(digits)-places:], "0")
	if part == "" {
		return sign + whole
	}
	return sign + whole + "." + part
}
