package api

import (
	"errors"
	"math/big"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/koprogo/koprogo/commands"
	"github.com/koprogo/koprogo/events"
)

// Category is what a charge is for, in requests and answers with a capital.
type Category events.Category

var categories = enumeration{
	"Maintenance", "Repairs", "Insurance", "Utilities", "Cleaning", "Administration", "Works",
	"Other",
}

// MarshalText writes Works for works.
func (c Category) MarshalText() ([]byte, error) { return categories.marshal(string(c)) }

// UnmarshalText reads one of the names as it is written.
func (c *Category) UnmarshalText(text []byte) error {
	name, err := categories.unmarshal(text)
	if err == nil {
		*c = Category(name)
	}
	return err
}

// Schema names the categories.
func (Category) Schema(huma.Registry) *huma.Schema { return categories.schema() }

// Percent is a rate of VAT in hundredths of a percent, a JSON number of percents.
type Percent events.VATRate

// MarshalJSON writes 21 or 5.5.
func (p Percent) MarshalJSON() ([]byte, error) { return []byte(events.VATRate(p).String()), nil }

// UnmarshalJSON reads a number or a string of at most two places.
func (p *Percent) UnmarshalJSON(data []byte) error {
	return unmarshalDecimal(data, 2, int64(events.MostVATRate), (*int64)(p))
}

// Schema describes the number.
func (Percent) Schema(huma.Registry) *huma.Schema {
	return numberSchema("Percent, at most two places.", "21")
}

// Quantity counts what a line sells, in ten-thousandths, a JSON number.
type Quantity events.Quantity

// MarshalJSON writes the exact decimal without trailing zeros.
func (q Quantity) MarshalJSON() ([]byte, error) { return []byte(events.Quantity(q).String()), nil }

// UnmarshalJSON reads a number or a string of at most four places.
func (q *Quantity) UnmarshalJSON(data []byte) error {
	return unmarshalDecimal(data, 4, 1_000_000_000*10_000, (*int64)(q))
}

// Schema describes the number.
func (Quantity) Schema(huma.Registry) *huma.Schema {
	return numberSchema("At most four places.", "2.5")
}

// UnitPrice is the price of one in ten-thousandths of a euro: in answers a string of two to four
// places, in requests a string or a number.
type UnitPrice events.UnitPrice

// MarshalJSON writes "800.00" or "0.1234".
func (p UnitPrice) MarshalJSON() ([]byte, error) {
	text := fixedPlaces(int64(p), 4)
	for range 2 {
		text = strings.TrimSuffix(text, "0")
	}
	return []byte(`"` + text + `"`), nil
}

// UnmarshalJSON reads it without floating point.
func (p *UnitPrice) UnmarshalJSON(data []byte) error {
	return unmarshalDecimal(data, 4, maxMoney*100, (*int64)(p))
}

// Schema describes both directions.
func (UnitPrice) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{
		Type: huma.TypeString, Format: "decimal", Pattern: `^-?\d{1,10}\.\d{2,4}$`,
		Description: "Exact price of one, VAT excluded; requests may also send a JSON number.",
		Examples:    []any{"800.00"},
	}
}

// Total is an amount in a request that is only compared where lines stand beside it: then it is
// rounded to the cent, however many places it has.
type Total struct {
	cents Money
	finer bool // it had more than two places
}

// UnmarshalJSON reads a string or a number without floating point.
func (t *Total) UnmarshalJSON(data []byte) error {
	err := t.cents.UnmarshalJSON(data)
	var wrong fieldError
	if !errors.As(err, &wrong) || wrong.Code != CodeTooManyPlaces {
		return err
	}
	exact, err := exactDecimal(strings.Trim(string(data), `"`))
	if err != nil {
		return err
	}
	cents := roundHalfUp(exact.Mul(exact, big.NewRat(100, 1)))
	if !cents.IsInt64() || cents.Int64() > maxMoney || cents.Int64() < -maxMoney {
		return fieldError{Code: CodeOutOfRange, Params: params("range", "≤ 9999999999.99")}
	}
	t.cents, t.finer = Money(cents.Int64()), true
	return nil
}

// Schema is that of an amount.
func (Total) Schema(registry huma.Registry) *huma.Schema { return Money(0).Schema(registry) }

// moneyOf is an amount as the rules take it.
func moneyOf(field Field[Total]) commands.Change[events.Money] {
	return changeOf(field, func(t Total) events.Money { return events.Money(t.cents) })
}

// when is a calendar day as the rules take it: they know the building's zone.
func when(field Field[Date]) commands.Change[commands.When] {
	return changeOf(field, func(d Date) commands.When {
		if d.instant.IsZero() {
			return commands.OnDay(d.day)
		}
		return commands.AtInstant(d.instant)
	})
}
