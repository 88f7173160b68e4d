package commands

import (
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/koprogo/koprogo/events"
)

// keyed makes the parts A, B, C … of weights.
func keyed(weights ...int64) []Part {
	parts := make([]Part, len(weights))
	for i, weight := range weights {
		parts[i] = Part{Weight: weight, SortKey: fmt.Sprintf("%03d", i), ID: id(byte(i + 1))}
	}
	return parts
}

func cents(amounts ...events.Money) []events.Money { return amounts }

// TestTheWorkedExamplesOfTheLargestRemainder are those of the domain's page, 10.1.
func TestTheWorkedExamplesOfTheLargestRemainder(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		total events.Money
		base  int64
		parts []Part
		want  []events.Money
	}{
		"A1": {100_00, 3, keyed(1, 1, 1), cents(33_34, 33_33, 33_33)},
		"A2": {1_234_56, 1000, keyed(333, 333, 334), cents(411_11, 411_11, 412_34)},
		"A3": {1_000_01, 1000, keyed(412, 355, 233), cents(412_01, 355_00, 233_00)},
		"A4": {-1_000_01, 1000, keyed(412, 355, 233), cents(-412_01, -355_00, -233_00)},
		"A5": {
			9_876_54, 10_000, keyed(1215, 1410, 985, 2230, 1760, 1190, 1210),
			cents(1_200_00, 1_392_59, 972_84, 2_202_47, 1_738_27, 1_175_31, 1_195_06),
		},
		"A6": {1, 1000, keyed(500, 500), cents(1, 0)},
		"A7": {5, 1000, keyed(250, 250, 250, 250), cents(2, 1, 1, 1)},
		"A8": {1_000_00, 1000, keyed(0, 600, 400), cents(0, 600_00, 400_00)},
	} {
		amounts, err := AllocateByKey(c.total, c.base, c.parts)
		require.NoError(t, err, name)
		require.Equal(t, c.want, amounts, name)
	}
}

// TestTheWorkedExampleOfAYear holds the amounts of the domain's 10.3, 10.4 and 10.5.
func TestTheWorkedExampleOfAYear(t *testing.T) {
	t.Parallel()
	general, lift := keyed(412, 355, 233), keyed(0, 600, 400)
	for _, c := range []struct {
		total events.Money
		parts []Part
		want  []events.Money
	}{
		{2_400_00, general, cents(988_80, 852_00, 559_20)},
		{1_815_00, general, cents(747_78, 644_33, 422_89)},
		{968_00, lift, cents(0, 580_80, 387_20)},
		{605_47, general, cents(249_45, 214_94, 141_08)},
		{1_210_00, general, cents(498_52, 429_55, 281_93)},
		{-12_50, general, cents(-5_15, -4_44, -2_91)},
		{1_750_00, general, cents(721_00, 621_25, 407_75)},
		{3_000_00, general, cents(1_236_00, 1_065_00, 699_00)},
		{1_200_00, general, cents(494_40, 426_00, 279_60)},
		{5_000_00, general, cents(2_060_00, 1_775_00, 1_165_00)},
		{-100_00, lift, cents(0, -60_00, -40_00)}, // a credit note
	} {
		amounts, err := AllocateByKey(c.total, 1000, c.parts)
		require.NoError(t, err)
		require.Equal(t, c.want, amounts, c.total)
	}
	for amount, occupant := range map[events.Money]events.Money{
		498_52: 249_26, 429_55: 214_78, 281_93: 140_97, // the syndic's fee, half and half
	} {
		amounts, err := Allocate(amount, []Part{{Weight: 50}, {Weight: 50}})
		require.NoError(t, err)
		require.Equal(t, cents(occupant, amount-occupant), amounts, "the occupant is listed first")
	}
}

func TestAKeyWhoseWeightsDoNotSumToItsBaseIsRefused(t *testing.T) {
	t.Parallel()
	_, err := AllocateByKey(1_000_00, 1000, keyed(412, 355, 232))
	refused := refusal(t, err)
	require.Equal(t, CodeSharesIncomplete, refused.Code)
	require.Equal(t, map[string]string{"sum": "999", "base": "1000"}, refused.Params)
	_, err = AllocateByKey(1_000_00, 1000, keyed(412, 355, 234))
	require.Equal(t, CodeSharesIncomplete, refusal(t, err).Code)
}

func TestWeightsThatNothingCanBeSharedOutByAreRefused(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		parts []Part
		code  Code
	}{
		"none":           {nil, CodeSharesIncomplete},
		"all zero":       {keyed(0, 0), CodeSharesIncomplete},
		"negative":       {keyed(3, -1), CodeWeightsInvalid},
		"negative first": {keyed(-1, 3), CodeWeightsInvalid},
		"too large":      {keyed(math.MaxInt64, 1), CodeWeightsInvalid},
		"wraps to more":  {keyed(math.MaxInt64, math.MaxInt64, 3), CodeWeightsInvalid},
	} {
		for _, total := range []events.Money{0, 1, -1} {
			_, err := Allocate(total, c.parts)
			require.Equal(t, c.code, refusal(t, err).Code, name)
		}
	}
	_, err := AllocateByKey(1, 0, keyed(0))
	require.Equal(t, CodeSharesIncomplete, refusal(t, err).Code)
	_, err = AllocateByKey(1, 0, keyed(-1, 1))
	require.Equal(t, CodeWeightsInvalid, refusal(t, err).Code)
}

func TestTheLargestAmountsAndWeightsAreSharedOutExactly(t *testing.T) {
	t.Parallel()
	amounts, err := Allocate(math.MaxInt64, keyed(math.MaxInt64-1, 1))
	require.NoError(t, err)
	require.Equal(t, cents(math.MaxInt64-1, 1), amounts)
	amounts, err = Allocate(math.MinInt64, keyed(0, math.MaxInt64))
	require.NoError(t, err)
	require.Equal(t, cents(0, math.MinInt64), amounts)
	amounts, err = Allocate(events.MostMoney, keyed(50_000_000_000, 49_999_999_999, 1))
	require.NoError(t, err)
	require.Equal(t, cents(499_999_999_999, 499_999_999_990, 10), amounts)
}

// anyWeights draws weights as keys have them, and now and then very large ones.
func anyWeights(t *rapid.T) []int64 {
	most := rapid.SampledFrom([]int64{1, 3, 1000, 10_000, 100_000_000_000, 1 << 55}).Draw(t, "most")
	weights := rapid.SliceOfN(rapid.Int64Range(0, most), 1, 40).Draw(t, "weights")
	if !slices.ContainsFunc(weights, func(w int64) bool { return w > 0 }) {
		weights[0] = most
	}
	return weights
}

func anyTotal(t *rapid.T) events.Money {
	most := rapid.SampledFrom([]int64{10, 10_000, int64(events.MostMoney), math.MaxInt64}).
		Draw(t, "most of total")
	return events.Money(rapid.Int64Range(-most, most).Draw(t, "total"))
}

// drawnParts have sort keys of which some are equal; the ids are not.
func drawnParts(t *rapid.T) []Part {
	weights := anyWeights(t)
	parts := keyed(weights...)
	for i := range parts {
		parts[i].SortKey = rapid.SampledFrom([]string{"", "A", "A1", "B"}).Draw(t, "key")
	}
	return parts
}

func allocated(t require.TestingT, total events.Money, parts []Part) []events.Money {
	amounts, err := Allocate(total, parts)
	require.NoError(t, err)
	return amounts
}

func TestAnAllocationSumsToTheWhole(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		total, parts := anyTotal(t), drawnParts(t)
		sum, err := events.Sum(allocated(t, total, parts)...)
		require.NoError(t, err)
		require.Equal(t, total, sum)
	})
}

func TestAPartWithoutWeightGetsNothing(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		total, parts := anyTotal(t), drawnParts(t)
		for i, amount := range allocated(t, total, parts) {
			if parts[i].Weight == 0 {
				require.Zero(t, amount)
			}
		}
	})
}

func TestAShareIsLessThanACentFromTheExactOne(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		total, parts := anyTotal(t), drawnParts(t)
		whole, err := wholeWeight(parts)
		require.NoError(t, err)
		for i, amount := range allocated(t, total, parts) {
			exact := new(big.Rat).SetFrac(
				new(big.Int).Mul(big.NewInt(int64(total)), big.NewInt(parts[i].Weight)),
				big.NewInt(whole))
			apart := exact.Sub(exact, new(big.Rat).SetInt64(int64(amount)))
			require.Negative(t, apart.Abs(apart).Cmp(big.NewRat(1, 1)))
		}
	})
}

func TestANegativeTotalMirrorsThePositiveOne(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		total, parts := anyTotal(t), drawnParts(t)
		mirror := allocated(t, -total, parts)
		for i, amount := range allocated(t, total, parts) {
			require.Equal(t, -amount, mirror[i])
		}
	})
}

func TestTheOrderOfThePartsIsIrrelevant(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		total, parts := anyTotal(t), drawnParts(t)
		byID := map[uuid.UUID]events.Money{}
		for i, amount := range allocated(t, total, parts) {
			byID[parts[i].ID] = amount
		}
		seed := rapid.Uint64().Draw(t, "seed")
		rand.New(rand.NewPCG(seed, 0)).Shuffle(len(parts), func(i, j int) {
			parts[i], parts[j] = parts[j], parts[i]
		})
		for i, amount := range allocated(t, total, parts) {
			require.Equal(t, byID[parts[i].ID], amount)
		}
	})
}

func TestAPartWithoutWeightChangesNothing(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		total, parts := anyTotal(t), drawnParts(t)
		want := allocated(t, total, parts)
		at := rapid.IntRange(0, len(parts)).Draw(t, "at")
		with := slices.Insert(slices.Clone(parts), at, Part{ID: id(200)})
		require.Equal(t, slices.Insert(slices.Clone(want), at, 0), allocated(t, total, with))
	})
}

// TestWeightsBeyond64BitsGiveTheSameAmounts checks each way of computing by the other.
func TestWeightsBeyond64BitsGiveTheSameAmounts(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		total, parts := anyTotal(t), drawnParts(t)
		factor := new(big.Int).Lsh(big.NewInt(rapid.Int64Range(1, 1<<40).Draw(t, "factor")), 60)
		weights := make([]*big.Int, len(parts))
		for i, part := range parts {
			weights[i] = new(big.Int).Mul(big.NewInt(part.Weight), factor)
		}
		require.Equal(t, allocated(t, total, parts), allocateBig(total, weights, parts))
	})
}
