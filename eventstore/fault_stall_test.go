package eventstore_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koprogo/koprogo/eventstore"
)

// TestFaultStalledServer has a server stop (a paused machine, a cut cable) while it holds the lock
// of a head.
func TestFaultStalledServer(t *testing.T) {
	t.Parallel()
	stalled, proxy, database := linked(t)
	other := openOn(t, database.URL)
	organization, stream := newID(t), buildingStream(newID(t))
	mustAppend(t, stalled, appendTo(organization, stream, 0, registered("A")))
	mustAppend(t, other, appendTo(organization, stream, 1, renamed("B")))
	holds, end := make(chan struct{}), make(chan struct{})
	t.Cleanup(func() { close(end) })
	locked := false
	proxy.always(func(w *wire, s sent) bool {
		if locked { // what follows the lock never arrives
			proxy.always(nil)
			close(holds)
			<-end
			return true
		}
		locked = len(s.statements) == 1 && strings.HasSuffix(s.statements[0], "for update")
		return false
	})
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	later := appendBeside(ctx, stalled,
		appendTo(organization, buildingStream(newID(t)), 0, registered("later")))
	<-holds
	receipts := []eventstore.Receipt{
		mustAppend(t, other, appendTo(organization, stream, 2, renamed("C"))),
	}
	got := <-later
	require.NoError(t, got.err)
	requireSound(t, other, organization, append(receipts, got.receipt)...)
}

// TestFaultHeldHead holds the head of one organization for longer than its callers wait: those
// of other organizations do not notice.
func TestFaultHeldHead(t *testing.T) {
	t.Parallel()
	store, proxy, database := linked(t)
	held, free := newID(t), newID(t)
	stream := buildingStream(newID(t))
	mustAppend(t, store, appendTo(held, stream, 0, registered("A")))
	mustAppend(t, store, appendTo(free, stream, 0, registered("A")))
	release := holdHead(t, database, held)
	mark := proxy.mark()
	waits := appendBeside(t.Context(), store, appendTo(held, stream, 1, renamed("B")))
	proxy.awaitSent(t, mark, "require_moved_head")
	began := time.Now()
	for version := range int64(5) {
		mustAppend(t, store, appendTo(free, stream, version+1, renamed("B")))
	}
	require.Less(t, time.Since(began), 3*time.Second)
	select {
	case <-waits:
		require.Fail(t, "a held head was moved")
	default:
	}
	release()
	got := <-waits
	require.NoError(t, got.err)
	requireSound(t, store, held, got.receipt)
	requireSound(t, store, free)

	t.Run("a writer that is closed answers them", func(t *testing.T) {
		holdHead(t, database, held)
		mark := proxy.mark()
		waits := appendBeside(t.Context(), store, appendTo(held, stream, 2, renamed("C")))
		proxy.awaitSent(t, mark, "skip locked")
		store.Close()
		require.ErrorIs(t, (<-waits).err, eventstore.ErrUnavailable)
	})
}
