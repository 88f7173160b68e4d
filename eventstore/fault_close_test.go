package eventstore_test

import (
	"context"
	"os"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/koprogo/koprogo/eventstore"
	"github.com/koprogo/koprogo/migrations/migrationstest"
)

func TestFaultCloseUnderLoad(t *testing.T) {
	t.Parallel()
	t.Run("everyone is answered, and what was acknowledged is there", func(t *testing.T) {
		t.Parallel()
		database := migrationstest.Database(t)
		store, err := eventstore.Open(t.Context(), eventstore.Config{URL: database.URL})
		require.NoError(t, err)
		organization := newID(t)
		const writers = 64
		answers := make(chan answer, 10_000)
		stopped := make(chan struct{})
		for range writers {
			stream := buildingStream(newID(t))
			go func() {
				defer func() { stopped <- struct{}{} }()
				for version := int64(0); ; version++ {
					receipt, err := store.Append(context.Background(),
						appendTo(organization, stream, version, renamed("A")))
					answers <- answer{receipt, err}
					if err != nil {
						return
					}
				}
			}()
		}
		var receipts []eventstore.Receipt
		for range 10 * writers {
			first := <-answers
			require.NoError(t, first.err)
			receipts = append(receipts, first.receipt)
		}
		store.Close()
		for range writers {
			<-stopped
		}
		close(answers)
		for got := range answers {
			if got.err == nil {
				receipts = append(receipts, got.receipt)
				continue
			}
			require.ErrorIs(t, got.err, eventstore.ErrUnavailable)
		}
		all := requireSound(t, openOn(t, database.URL), organization, receipts...)
		require.Len(t, all, len(receipts), "what was refused as unavailable is not there")
		_, err = store.Append(t.Context(),
			appendTo(organization, buildingStream(newID(t)), 0, registered("late")))
		require.ErrorIs(t, err, eventstore.ErrUnavailable)
		store.Close() // a second time does no harm
	})
	t.Run("while the database is away", func(t *testing.T) {
		t.Parallel()
		database := migrationstest.Database(t)
		proxy, through := startLink(t, database.OverTCP(t))
		store, err := eventstore.Open(t.Context(), eventstore.Config{URL: through})
		require.NoError(t, err)
		organization := newID(t)
		proxy.next(func(w *wire, s sent) {
			proxy.refusing(true)
			loseBatch(w, s)
			proxy.cutAll()
		})
		lost := appendBeside(t.Context(), store,
			appendTo(organization, buildingStream(newID(t)), 0, registered("lost")))
		require.Eventually(t, func() bool { return !proxy.connected() }, patience, interval)
		waits := queue(t.Context(), t, store,
			appendTo(organization, buildingStream(newID(t)), 0, registered("waits")))
		store.Close()
		require.ErrorIs(t, (<-lost).err, eventstore.ErrOutcomeUnknown)
		require.ErrorIs(t, (<-waits).err, eventstore.ErrUnavailable)
		require.Empty(t, log(t, openOn(t, database.URL), organization))
	})
}

const leakURL = "KOPROGO_FAULT_LEAK_URL"

// TestFaultCloseLeavesNothing looks for goroutines in a process of its own: here other tests run.
func TestFaultCloseLeavesNothing(t *testing.T) {
	t.Parallel()
	if url := os.Getenv(leakURL); url != "" {
		closeAndLook(t, url)
		return
	}
	self := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestFaultCloseLeavesNothing$")
	self.Env = append(os.Environ(), leakURL+"="+migrationstest.Database(t).URL)
	said, err := self.CombinedOutput()
	require.NoError(t, err, string(said))
}

func closeAndLook(t *testing.T, url string) {
	t.Helper()
	before := goleak.IgnoreCurrent()
	store, err := eventstore.Open(t.Context(), eventstore.Config{URL: url})
	require.NoError(t, err)
	organization := newID(t)
	var answers []<-chan answer
	for range 32 {
		answers = append(answers, appendBeside(t.Context(), store,
			appendTo(organization, buildingStream(newID(t)), 0, registered("A"))))
	}
	require.NotEmpty(t, answers)
	store.Close()
	for _, got := range answers {
		<-got
	}
	goleak.VerifyNone(t, before)
}
