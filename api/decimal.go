package api

import (
	stdjson "encoding/json"
	"math/big"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/koprogo/koprogo/events"
)

// maxMoney is the largest amount in cents: 9,999,999,999.99.
const maxMoney = 999_999_999_999

// Limits of a decimal in a request, so that a short text cannot ask for a long computation.
const (
	maxDecimalText     = 64
	maxDecimalExponent = 40
)

// Money is an amount in cents: in answers a string with two places, in requests a string or a
// number.
type Money int64

// MarshalJSON writes "1210.00".
func (m Money) MarshalJSON() ([]byte, error) {
	return []byte(`"` + fixedPlaces(int64(m), 2) + `"`), nil
}

// UnmarshalJSON reads a string or a number without floating point.
func (m *Money) UnmarshalJSON(data []byte) error {
	return unmarshalDecimal(data, 2, maxMoney, (*int64)(m))
}

// Schema describes both directions.
func (Money) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{
		Type: huma.TypeString, Format: "decimal", Pattern: `^-?\d{1,10}\.\d{2}$`,
		Description: "Exact amount with two places; requests may also send a JSON number.",
		Examples:    []any{"1210.00"},
	}
}

// Amount is an amount in cents as reports write it: a JSON number with two places.
type Amount int64

// MarshalJSON writes 1210.00.
func (a Amount) MarshalJSON() ([]byte, error) { return []byte(fixedPlaces(int64(a), 2)), nil }

// Schema describes the number.
func (Amount) Schema(huma.Registry) *huma.Schema {
	return numberSchema("Exact amount with two places.", "1210.5")
}

// Quota is a number of shares in ten-thousandths, a JSON number in answers.
type Quota events.Shares

// MarshalJSON writes the exact decimal without trailing zeros.
func (q Quota) MarshalJSON() ([]byte, error) { return []byte(events.Shares(q).String()), nil }

// UnmarshalJSON reads a number or a string of at most four places.
func (q *Quota) UnmarshalJSON(data []byte) error {
	const maxShares = 10_000_000 * int64(events.SharesUnit)
	return unmarshalDecimal(data, 4, maxShares, (*int64)(q))
}

// Schema describes the number.
func (Quota) Schema(huma.Registry) *huma.Schema {
	return numberSchema("Shares of the building's total, at most four places.", "412.5")
}

// Ratio is a part of one in millionths: percentages (0..1), rates and vote weights, written as
// a JSON number of six places.
type Ratio int64

// MarshalJSON writes 0.333333.
func (r Ratio) MarshalJSON() ([]byte, error) { return []byte(fixedPlaces(int64(r), 6)), nil }

// UnmarshalJSON reads a number or a string of at most six places, not beyond one million.
func (r *Ratio) UnmarshalJSON(data []byte) error {
	return unmarshalDecimal(data, 6, 1_000_000_000_000, (*int64)(r))
}

// Schema describes the number.
func (Ratio) Schema(huma.Registry) *huma.Schema {
	return numberSchema("Exact decimal of six places.", "0.333333")
}

func numberSchema(description string, example string) *huma.Schema {
	return &huma.Schema{
		Type: huma.TypeNumber, Description: description, Examples: []any{stdjson.Number(example)},
	}
}

// unmarshalDecimal reads a JSON number or string into units of 10^-places; most bounds its size.
// Its errors are fieldErrors.
func unmarshalDecimal(data []byte, places int, most int64, into *int64) error {
	text := string(data)
	if len(text) >= 2 && text[0] == '"' {
		text = text[1 : len(text)-1]
	} else if len(text) == 0 || text[0] != '-' && (text[0] < '0' || text[0] > '9') {
		return fieldError{Code: CodeWrongType, Params: params("type", "decimal")}
	}
	units, err := parseDecimal(text, places)
	if err != nil {
		return err
	}
	if units > most || units < -most {
		return fieldError{Code: CodeOutOfRange, Params: params("range", "≤ "+shortPlaces(most, places))}
	}
	*into = units
	return nil
}

// parseDecimal reads text as units of 10^-places. A decimal of more places is rounded half up
// when that moves it by less than 10^-9 (what floating point leaves behind), else refused.
func parseDecimal(text string, places int) (int64, error) {
	exact, err := exactDecimal(text)
	if err != nil {
		return 0, err
	}
	scale := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(places)), nil)
	scaled := new(big.Rat).Mul(exact, new(big.Rat).SetInt(scale))
	rounded := roundHalfUp(scaled)
	if !scaled.IsInt() {
		moved := new(big.Rat).Sub(scaled, new(big.Rat).SetInt(rounded))
		tail := new(big.Rat).Quo(moved.Abs(moved), new(big.Rat).SetInt(scale))
		if tail.Cmp(big.NewRat(1, 1_000_000_000)) >= 0 {
			return 0, fieldError{
				Code: CodeTooManyPlaces, Params: params("places", strconv.Itoa(places)),
			}
		}
	}
	if !rounded.IsInt64() {
		return 0, fieldError{Code: CodeOutOfRange, Params: params("range", "≤ 9999999999.99")}
	}
	return rounded.Int64(), nil
}

// exactDecimal reads -12.5 or 1.2e3, bounded in length and exponent.
func exactDecimal(text string) (*big.Rat, error) {
	notDecimal := fieldError{Code: CodeMalformed, Params: params("form", "decimal")}
	mantissa, exponent, scientific := strings.Cut(strings.ToLower(text), "e")
	if len(text) > maxDecimalText || !isPlainDecimal(mantissa) {
		return nil, notDecimal
	}
	if scientific {
		power, err := strconv.Atoi(exponent)
		if err != nil || power > maxDecimalExponent || power < -maxDecimalExponent {
			return nil, notDecimal
		}
	}
	exact, ok := new(big.Rat).SetString(text)
	if !ok {
		return nil, notDecimal
	}
	return exact, nil
}

// isPlainDecimal tells whether text is digits with at most one point between them and perhaps a
// minus before them.
func isPlainDecimal(text string) bool {
	text = strings.TrimPrefix(text, "-")
	whole, part, point := strings.Cut(text, ".")
	return isDigits(whole) && (!point || isDigits(part))
}

func isDigits(text string) bool {
	for _, r := range []byte(text) {
		if r < '0' || r > '9' {
			return false
		}
	}
	return text != ""
}

// roundHalfUp rounds to the nearest integer, halves away from zero.
func roundHalfUp(exact *big.Rat) *big.Int {
	twice := new(big.Int).Mul(exact.Num(), big.NewInt(2))
	if exact.Sign() < 0 {
		twice.Sub(twice, exact.Denom())
	} else {
		twice.Add(twice, exact.Denom())
	}
	return twice.Quo(twice, new(big.Int).Mul(exact.Denom(), big.NewInt(2)))
}

// fixedPlaces writes units of 10^-places with all their places.
func fixedPlaces(units int64, places int) string {
	sign, digits := "", strconv.FormatInt(units, 10)
	if units < 0 {
		sign, digits = "-", digits[1:]
	}
	if short := places + 1 - len(digits); short > 0 {
		digits = strings.Repeat("0", short) + digits
	}
	return sign + digits[:len(digits)-places] + "." + digits[len(digits)-places:]
}

func shortPlaces(units int64, places int) string {
	return strings.TrimSuffix(strings.TrimRight(fixedPlaces(units, places), "0"), ".")
}
