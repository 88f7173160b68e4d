package eventstore

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestCollect(t *testing.T) {
	t.Parallel()
	waitingLane := func(expected int, patience time.Duration) *lane {
		return &lane{
			queue: make(chan *pending), quit: make(chan struct{}),
			crowd: crowd{expected: expected, patience: patience}, aheadFrom: 8,
		}
	}
	one := func() *pending { return &pending{ctx: context.Background()} }

	t.Run("a writer that is alone waits for nobody", func(t *testing.T) {
		t.Parallel()
		l := waitingLane(0, time.Hour)
		l.crowd.answered(1, 0, 0)
		require.Len(t, l.collect([]*pending{one()}), 1)
	})
	t.Run("writers that were answered together, and who waited behind them, leave together",
		func(t *testing.T) {
			t.Parallel()
			l := waitingLane(0, time.Hour)
			l.crowd.answered(2, 1, 0)
			for range 2 {
				go func() { l.queue <- one() }()
			}
			require.Len(t, l.collect([]*pending{one()}), 3)
		})
	t.Run("who does not come back is not waited for long", func(t *testing.T) {
		t.Parallel()
		l := waitingLane(2, time.Millisecond)
		require.Len(t, l.collect([]*pending{one()}), 1)
	})
	t.Run("a lane that stops takes what it has", func(t *testing.T) {
		t.Parallel()
		l := waitingLane(2, time.Hour)
		close(l.quit)
		require.Len(t, l.collect([]*pending{one()}), 1)
	})
	t.Run("patience is a part of a commit, and bounded", func(t *testing.T) {
		t.Parallel()
		var c crowd
		c.committed(800 * time.Microsecond)
		require.Equal(t, 100*time.Microsecond, c.patience)
		c.committed(time.Minute)
		require.Equal(t, time.Millisecond, c.patience)
	})
}
