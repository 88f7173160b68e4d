package commands

import (
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/koprogo/koprogo/events"
)

func TestPackedLot(t *testing.T) {
	t.Parallel()
	floors := []int{-3, 0, 127, 1 << 40}
	lots := []events.LotRegistered{
		{},
		numbered(7),
		{Number: "É 12", Type: "parking", Floor: &floors[0], SortKey: "e000012", Shares: 85},
		{Number: "A", Type: "attic", Floor: &floors[1], Surface: -1, SortKey: "a"},
		{Number: "b", Type: "other", Floor: &floors[2], Surface: math.MaxInt64, Shares: math.MinInt64},
		{
			Number: strings.Repeat("x", 300), SortKey: strings.Repeat("é", 200), Type: "cellar",
			Floor: &floors[3],
		},
	}
	for _, lot := range lots {
		require.Equal(t, lot, *unpackLot(lot.LotID, packLot(&lot)))
	}
}
