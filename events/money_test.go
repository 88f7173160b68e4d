package events_test

import (
	"encoding/json"
	"math"
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/koprogo/koprogo/events"
)

func TestMoneyIsWrittenWithTwoPlaces(t *testing.T) {
	t.Parallel()
	for amount, text := range map[events.Money]string{
		0: "0.00", 1: "0.01", -1: "-0.01", 99: "0.99", 100: "1.00", 121_000: "1210.00",
		-121_005: "-1210.05", events.MostMoney: "9999999999.99",
		math.MinInt64: "-92233720368547758.08",
	} {
		require.Equal(t, text, amount.String())
	}
}

func TestMoneyIsAnIntegerInEvents(t *testing.T) {
	t.Parallel()
	data, err := json.Marshal(struct {
		Amount events.Money `json:"amount"`
	}{-121_000})
	require.NoError(t, err)
	require.JSONEq(t, `{"amount":-121000}`, string(data))
}

func TestMoneyIsAddedExactlyOrRefused(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a := events.Money(rapid.Int64().Draw(t, "a"))
		b := events.Money(rapid.Int64().Draw(t, "b"))
		sum, err := a.Plus(b)
		requireExact(t, new(big.Int).Add(big.NewInt(int64(a)), big.NewInt(int64(b))), sum, err)
		difference, err := a.Minus(b)
		requireExact(t, new(big.Int).Sub(big.NewInt(int64(a)), big.NewInt(int64(b))), difference,
			err)
	})
}

func TestASumDoesNotDependOnTheOrder(t *testing.T) {
	t.Parallel()
	sum, err := events.Sum()
	require.NoError(t, err)
	require.Zero(t, sum)
	rapid.Check(t, func(t *rapid.T) {
		amounts := rapid.SliceOf(rapid.Custom(func(t *rapid.T) events.Money {
			return events.Money(rapid.Int64().Draw(t, "amount"))
		})).Draw(t, "amounts")
		exact := new(big.Int)
		for _, amount := range amounts {
			exact.Add(exact, big.NewInt(int64(amount)))
		}
		seed := rapid.Uint64().Draw(t, "seed")
		rand.New(rand.NewPCG(seed, 0)).Shuffle(len(amounts), func(i, j int) {
			amounts[i], amounts[j] = amounts[j], amounts[i]
		})
		sum, err := events.Sum(amounts...)
		requireExact(t, exact, sum, err)
	})
}

func requireExact(t *rapid.T, exact *big.Int, got events.Money, err error) {
	if !exact.IsInt64() {
		require.ErrorIs(t, err, events.ErrMoneyOverflow)
		return
	}
	require.NoError(t, err)
	require.Equal(t, exact.Int64(), int64(got))
}

func TestTheLargestSumsAreTold(t *testing.T) {
	t.Parallel()
	sum, err := events.Sum(math.MaxInt64, 1, -1, math.MinInt64)
	require.NoError(t, err, "what overflows between may come back")
	require.Equal(t, events.Money(-1), sum)
	_, err = events.Sum(math.MaxInt64, 1)
	require.ErrorIs(t, err, events.ErrMoneyOverflow)
	_, err = events.Sum(math.MinInt64, -1)
	require.ErrorIs(t, err, events.ErrMoneyOverflow)
	_, err = events.Money(math.MaxInt64).Plus(1)
	require.ErrorIs(t, err, events.ErrMoneyOverflow)
	_, err = events.Money(-2).Minus(math.MaxInt64)
	require.ErrorIs(t, err, events.ErrMoneyOverflow)
	_, err = events.Money(0).Minus(math.MinInt64)
	require.ErrorIs(t, err, events.ErrMoneyOverflow)
	require.Equal(t, uint64(1)<<63, events.Money(math.MinInt64).Magnitude())
}

func TestRatesQuantitiesAndPricesAreExactDecimals(t *testing.T) {
	t.Parallel()
	require.Equal(t, "21", events.VATRate(2100).String())
	require.Equal(t, "5.5", events.VATRate(550).String())
	require.Equal(t, "0", events.VATRate(0).String())
	require.Equal(t, "0.05", events.VATRate(5).String())
	require.Equal(t, "12", events.WholeQuantity(12).String())
	require.Equal(t, "0.0001", events.Quantity(1).String())
	require.Equal(t, "-1.25", events.UnitPrice(-12_500).String())
	for _, rate := range []events.VATRate{0, 600, 1200, 2100} {
		require.True(t, rate.IsUsual())
	}
	require.False(t, events.VATRate(550).IsUsual())
}
