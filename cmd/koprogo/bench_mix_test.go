package main

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestTheMixHasItsShares(t *testing.T) {
	t.Parallel()
	drawn := make([]int, len(mixRoutes))
	cards := newDeck(7)
	for range mixDeck {
		drawn[cards.draw()]++
	}
	require.Equal(t, []int{42, 35, 28, 28, 7, 18, 18, 12, 12}, drawn)
}

func TestPercentilesAreOfTheNearestRank(t *testing.T) {
	t.Parallel()
	var took []time.Duration
	for n := range 1000 {
		took = append(took, time.Duration(n+1)*time.Millisecond)
	}
	for percent, want := range map[float64]float64{50: 500, 99: 990, 99.9: 999, 100: 1000} {
		require.InDelta(t, want, percentile(took, percent), 1e-9)
	}
	require.Zero(t, percentile(nil, 99))
}
