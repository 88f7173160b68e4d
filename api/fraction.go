package api

import (
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/koprogo/koprogo/events"
)

// Fraction is an exact part of a lot: "1/3". Requests may also send a decimal of six places.
type Fraction events.Fraction

// MarshalJSON writes "1/3".
func (f Fraction) MarshalJSON() ([]byte, error) {
	return []byte(`"` + f.exact().String() + `"`), nil
}

// UnmarshalJSON reads "1/3", or 0.5 as 1/2 and 0.333333 as 333333/1000000.
func (f *Fraction) UnmarshalJSON(data []byte) error {
	if text := string(data); strings.Contains(text, "/") {
		parsed, err := events.ParseFraction(strings.Trim(text, `"`))
		if err != nil {
			return fieldError{Code: CodeMalformed, Params: params("form", "fraction")}
		}
		*f = Fraction(parsed)
		return nil
	}
	var decimal int64
	if err := unmarshalDecimal(data, 6, events.MostFractionTerm, &decimal); err != nil {
		return err
	}
	return f.ofMillionths(decimal)
}

// ofMillionths is the exact fraction of a decimal of six places, in lowest terms.
func (f *Fraction) ofMillionths(decimal int64) error {
	parsed, err := events.NewFraction(decimal, events.MostFractionTerm)
	if err != nil {
		return fieldError{Code: CodeOutOfRange, Params: params("range", "0..1")}
	}
	*f = Fraction(parsed.Reduced())
	return nil
}

// Schema describes the text.
func (Fraction) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{
		Type: huma.TypeString, Examples: []any{"1/3"},
		Description: "Exact fraction, its terms at most 1,000,000; requests may also send a decimal.",
	}
}

// Percentage is a decimal of six places in requests, kept as the exact fraction that it is.
type Percentage Fraction

// UnmarshalJSON reads 0.5 as 1/2.
func (p *Percentage) UnmarshalJSON(data []byte) error {
	var decimal int64
	if err := unmarshalDecimal(data, 6, events.MostFractionTerm, &decimal); err != nil {
		return err
	}
	return (*Fraction)(p).ofMillionths(decimal)
}

// Schema describes the number.
func (Percentage) Schema(huma.Registry) *huma.Schema {
	return numberSchema("Part of the unit in (0,1], at most six places.", "0.5")
}

func (f Fraction) exact() events.Fraction { return events.Fraction(f) }

func exactFraction(f Fraction) events.Fraction { return f.exact() }
