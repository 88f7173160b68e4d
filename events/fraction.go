package events

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"math/bits"
	"strconv"
	"strings"
)

// Fraction is an exact part of a lot, such as 1/3; in events the text "1/3". It keeps the terms
// that the deed names (412/1000 stays so) and is more than zero, unless it is the zero value,
// which stands for none and is written "".
type Fraction struct{ numerator, denominator int32 }

// MostFractionTerm is the largest numerator or denominator.
const MostFractionTerm = 1_000_000

// WholeFraction is all of a lot.
var WholeFraction = Fraction{1, 1}

// Errors of fractions.
var (
	ErrFraction = errors.New(
		"a fraction reads 1/3, its numerator and denominator from 1 to 1,000,000")
	ErrFractionTooFine = errors.New("the fraction's lowest terms exceed 1,000,000")
	ErrFractionTooMuch = errors.New("the fraction taken away is the larger one")
)

// NewFraction makes numerator/denominator, each from 1 to MostFractionTerm, or returns
// ErrFraction.
func NewFraction(numerator, denominator int64) (Fraction, error) {
	if numerator < 1 || numerator > MostFractionTerm ||
		denominator < 1 || denominator > MostFractionTerm {
		return Fraction{}, ErrFraction
	}
	return Fraction{int32(numerator), int32(denominator)}, nil
}

// ParseFraction reads 1/3, or returns ErrFraction.
func ParseFraction(text string) (Fraction, error) {
	before, after, found := strings.Cut(text, "/")
	numerator, err := parseTerm(before)
	if err != nil || !found {
		return Fraction{}, ErrFraction
	}
	denominator, err := parseTerm(after)
	if err != nil {
		return Fraction{}, ErrFraction
	}
	return NewFraction(numerator, denominator)
}

// parseTerm reads digits only, so that a fraction has one spelling.
func parseTerm(text string) (int64, error) {
	if text == "" || len(text) > 7 || text[0] < '1' || text[0] > '9' {
		return 0, ErrFraction
	}
	return strconv.ParseInt(text, 10, 64)
}

// Numerator is the term above the line.
func (f Fraction) Numerator() int64 { return int64(f.numerator) }

// Denominator is the term below the line; 0 in the zero value.
func (f Fraction) Denominator() int64 { return int64(f.denominator) }

// IsZero tells whether there is no fraction.
func (f Fraction) IsZero() bool { return f == Fraction{} }

// String is 1/3, or "" where there is none.
func (f Fraction) String() string {
	if f.IsZero() {
		return ""
	}
	return strconv.FormatInt(int64(f.numerator), 10) + "/" +
		strconv.FormatInt(int64(f.denominator), 10)
}

// MarshalText writes 1/3.
func (f Fraction) MarshalText() ([]byte, error) { return []byte(f.String()), nil }

// UnmarshalText reads what MarshalText writes.
func (f *Fraction) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		*f = Fraction{}
		return nil
	}
	parsed, err := ParseFraction(string(text))
	if err != nil {
		return err
	}
	*f = parsed
	return nil
}

// Rat is the fraction's value.
func (f Fraction) Rat() *big.Rat {
	if f.IsZero() {
		return new(big.Rat)
	}
	return big.NewRat(int64(f.numerator), int64(f.denominator))
}

// Compare is negative, zero or positive where f is less than, as much as or more than other:
// 1/2 and 2/4 are as much.
func (f Fraction) Compare(other Fraction) int {
	f, other = f.orNone(), other.orNone()
	left := int64(f.numerator) * int64(other.denominator)
	right := int64(other.numerator) * int64(f.denominator)
	switch {
	case left < right:
		return -1
	case left > right:
		return 1
	}
	return 0
}

// orNone gives the zero value a denominator to compute with.
func (f Fraction) orNone() Fraction {
	if f.IsZero() {
		return Fraction{0, 1}
	}
	return f
}

// Reduced is the fraction in lowest terms.
func (f Fraction) Reduced() Fraction {
	if f.IsZero() {
		return f
	}
	divisor := int32(greatestDivisor(int64(f.numerator), int64(f.denominator)))
	return Fraction{f.numerator / divisor, f.denominator / divisor}
}

// Plus adds exactly, in lowest terms; ErrFractionTooFine where these exceed MostFractionTerm.
func (f Fraction) Plus(other Fraction) (Fraction, error) { return f.combine(other, 1) }

// Minus subtracts exactly, in lowest terms: the zero value where nothing is left,
// ErrFractionTooMuch where other is more than f, ErrFractionTooFine as in Plus.
func (f Fraction) Minus(other Fraction) (Fraction, error) { return f.combine(other, -1) }

func (f Fraction) combine(other Fraction, sign int64) (Fraction, error) {
	f, other = f.orNone(), other.orNone()
	// Terms are at most 10^6, so products and their sum fit in 64 bits.
	denominator := int64(f.denominator) * int64(other.denominator)
	numerator := int64(f.numerator)*int64(other.denominator) +
		sign*int64(other.numerator)*int64(f.denominator)
	if numerator < 0 {
		return Fraction{}, ErrFractionTooMuch
	}
	if numerator == 0 {
		return Fraction{}, nil
	}
	divisor := greatestDivisor(numerator, denominator)
	result, err := NewFraction(numerator/divisor, denominator/divisor)
	if err != nil {
		return Fraction{}, fmt.Errorf("%w: %d/%d", ErrFractionTooFine, numerator/divisor,
			denominator/divisor)
	}
	return result, nil
}

// Millionths is the fraction in millionths of the whole, rounded half up: the six places that
// percentages are shown with. The fraction is the truth.
func (f Fraction) Millionths() int64 {
	f = f.orNone()
	return (2*int64(f.numerator)*1_000_000 + int64(f.denominator)) / (2 * int64(f.denominator))
}

// SumFractions adds exactly, without the limit on terms.
func SumFractions(fractions ...Fraction) *big.Rat {
	sum := new(big.Rat)
	for _, fraction := range fractions {
		sum.Add(sum, fraction.Rat())
	}
	return sum
}

// ExceedOne tells whether the fractions together are more than the whole.
func ExceedOne(fractions ...Fraction) bool {
	return SumFractions(fractions...).Cmp(big.NewRat(1, 1)) > 0
}

// CommonWeights are integers in the proportion of the fractions: their numerators over the least
// common denominator. ok is false where that denominator or the weights' sum exceeds 64 bits;
// then BigCommonWeights has them.
func CommonWeights(fractions []Fraction) (weights []int64, ok bool) {
	common := uint64(1)
	for _, fraction := range fractions {
		denominator := uint64(fraction.Reduced().orNone().denominator)
		step := denominator / uint64(greatestDivisor(int64(common), int64(denominator)))
		high, low := bits.Mul64(common, step)
		if high != 0 || low > math.MaxInt64 {
			return nil, false
		}
		common = low
	}
	weights = make([]int64, len(fractions))
	sum := uint64(0)
	for i, fraction := range fractions {
		fraction = fraction.Reduced().orNone()
		high, low := bits.Mul64(uint64(fraction.numerator), common/uint64(fraction.denominator))
		if high != 0 || low > math.MaxInt64 || sum+low > math.MaxInt64 {
			return nil, false
		}
		sum += low
		weights[i] = int64(low)
	}
	return weights, true
}

// BigCommonWeights are the same integers for any fractions.
func BigCommonWeights(fractions []Fraction) []*big.Int {
	common, divisor := big.NewInt(1), new(big.Int)
	for _, fraction := range fractions {
		denominator := big.NewInt(fraction.Reduced().orNone().Denominator())
		divisor.GCD(nil, nil, common, denominator)
		common.Mul(common, denominator.Quo(denominator, divisor))
	}
	weights := make([]*big.Int, len(fractions))
	for i, fraction := range fractions {
		fraction = fraction.Reduced().orNone()
		weight := new(big.Int).Quo(common, big.NewInt(fraction.Denominator()))
		weights[i] = weight.Mul(weight, big.NewInt(fraction.Numerator()))
	}
	return weights
}

// greatestDivisor is the greatest common divisor of two positive numbers.
func greatestDivisor(a, b int64) int64 {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}
