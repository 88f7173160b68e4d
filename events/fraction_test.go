package events_test

import (
	"encoding/json"
	"math/big"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/koprogo/koprogo/events"
)

func fraction(t require.TestingT, text string) events.Fraction {
	f, err := events.ParseFraction(text)
	require.NoError(t, err)
	return f
}

func anyFraction(most int64) *rapid.Generator[events.Fraction] {
	return rapid.Custom(func(t *rapid.T) events.Fraction {
		f, err := events.NewFraction(rapid.Int64Range(1, most).Draw(t, "numerator"),
			rapid.Int64Range(1, most).Draw(t, "denominator"))
		require.NoError(t, err)
		return f
	})
}

func TestAFractionKeepsTheTermsOfTheDeed(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"1/3", "412/1000", "1/1", "1000000/1000000", "2/1"} {
		f := fraction(t, text)
		require.Equal(t, text, f.String())
		data, err := json.Marshal(f)
		require.NoError(t, err)
		require.Equal(t, `"`+text+`"`, string(data))
		var again events.Fraction
		require.NoError(t, json.Unmarshal(data, &again))
		require.Equal(t, f, again)
	}
	require.Equal(t, "103/250", fraction(t, "412/1000").Reduced().String())
	require.Equal(t, int64(412), fraction(t, "412/1000").Numerator())
	require.Equal(t, int64(1000), fraction(t, "412/1000").Denominator())
	require.Equal(t, "1/1", events.WholeFraction.String())
}

func TestWhatIsNoFractionIsRefused(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"", "1", "/", "1/", "/3", "0/3", "1/0", "-1/3", "1/-3", "+1/3", "01/3", "1/03", " 1/3",
		"1/3 ", "1/3/5", "1.5/3", "1000001/2", "1/1000001", "10000000/1", "٣/4", "1e3/4", "0x1/2",
	} {
		_, err := events.ParseFraction(text)
		require.ErrorIs(t, err, events.ErrFraction, text)
	}
	for _, terms := range [][2]int64{{0, 1}, {1, 0}, {-1, 2}, {1_000_001, 1}, {1, 1_000_001}} {
		_, err := events.NewFraction(terms[0], terms[1])
		require.ErrorIs(t, err, events.ErrFraction)
	}
	var f events.Fraction
	require.Error(t, json.Unmarshal([]byte(`"1/0"`), &f))
	require.Error(t, json.Unmarshal([]byte(`0.5`), &f))
}

func TestNoFractionIsWrittenEmptyAndIsLessThanAny(t *testing.T) {
	t.Parallel()
	var none events.Fraction
	data, err := json.Marshal(none)
	require.NoError(t, err)
	require.Equal(t, `""`, string(data))
	again := fraction(t, "1/2")
	require.NoError(t, json.Unmarshal(data, &again))
	require.True(t, again.IsZero())
	require.Negative(t, none.Compare(fraction(t, "1/1000000")))
	require.Zero(t, none.Rat().Sign())
	require.Zero(t, none.Millionths())
	require.Equal(t, none, none.Reduced())
	sum, err := none.Plus(fraction(t, "2/4"))
	require.NoError(t, err)
	require.Equal(t, "1/2", sum.String())
}

func TestFractionsAreComparedAndCombinedExactly(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		f := anyFraction(events.MostFractionTerm).Draw(t, "f")
		other := anyFraction(events.MostFractionTerm).Draw(t, "other")
		require.Equal(t, f.Rat().Cmp(other.Rat()), f.Compare(other))
		require.Zero(t, f.Rat().Cmp(f.Reduced().Rat()))
		requireCombined(t, new(big.Rat).Add(f.Rat(), other.Rat()), f.Plus, other)
		requireCombined(t, new(big.Rat).Sub(f.Rat(), other.Rat()), f.Minus, other)
	})
	rapid.Check(t, func(t *rapid.T) {
		f, other := anyFraction(900).Draw(t, "f"), anyFraction(900).Draw(t, "other")
		requireCombined(t, new(big.Rat).Sub(f.Rat(), other.Rat()), f.Minus, other)
	})
}

func TestASellerWhoSellsAllKeepsNothing(t *testing.T) {
	t.Parallel()
	require.Zero(t, fraction(t, "1/2").Compare(fraction(t, "2/4")))
	left, err := fraction(t, "1/2").Minus(fraction(t, "2/4"))
	require.NoError(t, err)
	require.True(t, left.IsZero())
	left, err = fraction(t, "1/2").Minus(fraction(t, "1/3"))
	require.NoError(t, err)
	require.Equal(t, "1/6", left.String())
	_, err = fraction(t, "1/3").Minus(fraction(t, "1/2"))
	require.ErrorIs(t, err, events.ErrFractionTooMuch)
	_, err = fraction(t, "1/999999").Minus(fraction(t, "1/1000000"))
	require.ErrorIs(t, err, events.ErrFractionTooFine)
}

func requireCombined(
	t *rapid.T, exact *big.Rat, combine func(events.Fraction) (events.Fraction, error),
	other events.Fraction,
) {
	most := big.NewInt(events.MostFractionTerm)
	got, err := combine(other)
	switch {
	case exact.Sign() < 0:
		require.ErrorIs(t, err, events.ErrFractionTooMuch)
	case exact.Num().Cmp(most) > 0 || exact.Denom().Cmp(most) > 0:
		require.ErrorIs(t, err, events.ErrFractionTooFine)
	default:
		require.NoError(t, err)
		require.Zero(t, exact.Cmp(got.Rat()))
		require.Equal(t, got, got.Reduced())
	}
}

func TestASumOfFractionsIsComparedWithTheWholeExactly(t *testing.T) {
	t.Parallel()
	third := fraction(t, "1/3")
	require.False(t, events.ExceedOne())
	require.False(t, events.ExceedOne(third, third, third))
	require.True(t, events.ExceedOne(third, third, third, fraction(t, "1/1000000")))
	require.False(t, events.ExceedOne(fraction(t, "999999/1000000"), fraction(t, "1/1000000")))
	require.True(t, events.ExceedOne(fraction(t, "333334/1000000"), third, third))
	require.False(t, events.ExceedOne(fraction(t, "333333/1000000"), third, third))
	require.Equal(t, "5/6", events.SumFractions(fraction(t, "1/2"), third).String())
}

func TestMillionthsAreRoundedHalfUp(t *testing.T) {
	t.Parallel()
	for text, millionths := range map[string]int64{
		"1/3": 333_333, "2/3": 666_667, "1/1": 1_000_000, "1/1000000": 1, "1/640000": 2,
		"3/1000000": 3, "1/999999": 1,
	} {
		require.Equal(t, millionths, fraction(t, text).Millionths(), text)
	}
}

func TestCommonWeightsAreInTheProportionOfTheFractions(t *testing.T) {
	t.Parallel()
	weights, ok := events.CommonWeights([]events.Fraction{
		fraction(t, "1/2"), fraction(t, "2/6"), {}, fraction(t, "1/6"),
	})
	require.True(t, ok)
	require.Equal(t, []int64{3, 2, 0, 1}, weights)
	several := []events.Fraction{
		fraction(t, "1000000/999983"), fraction(t, "1000000/999979"), fraction(t, "1000000/999961"),
	}
	_, ok = events.CommonWeights(several)
	require.True(t, ok)
	_, ok = events.CommonWeights(slices.Repeat(several, 4))
	require.False(t, ok, "each weight fits, their sum does not")
	rapid.Check(t, func(t *rapid.T) {
		fractions := rapid.SliceOfN(anyFraction(rapid.SampledFrom([]int64{4, 100, 1_000_000}).
			Draw(t, "most")), 0, 8).Draw(t, "fractions")
		large := events.BigCommonWeights(fractions)
		small, ok := events.CommonWeights(fractions)
		sum, total := new(big.Int), events.SumFractions(fractions...)
		for i, weight := range large {
			sum.Add(sum, weight)
			if ok {
				require.Equal(t, weight.Int64(), small[i])
				require.True(t, weight.IsInt64())
			}
			// weight / its sum = fraction / the fractions' sum
			require.NotZero(t, weight.Sign())
		}
		require.Equal(t, ok, len(fractions) == 0 || leastFits(large, fractions) && sum.IsInt64())
		for i, weight := range large {
			share := new(big.Rat).SetFrac(weight, sum)
			require.Zero(t, share.Cmp(new(big.Rat).Quo(fractions[i].Rat(), total)))
		}
	})
}

// leastFits tells whether the least common denominator is within 64 bits: weight / fraction.
func leastFits(weights []*big.Int, fractions []events.Fraction) bool {
	denominator := new(big.Rat).Quo(new(big.Rat).SetInt(weights[0]), fractions[0].Rat())
	return denominator.Num().IsInt64()
}
