package eventstore_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koprogo/koprogo/deploy/embedded"
	"github.com/koprogo/koprogo/eventstore"
	"github.com/koprogo/koprogo/migrations/migrationstest"
)

// relayUntil relays until stop is called.
func relayUntil(t *testing.T, store *eventstore.Store, broker *embedded.NATS) (stop func()) {
	t.Helper()
	conn, err := broker.Connect(nats.MaxReconnects(-1), nats.ReconnectWait(10*time.Millisecond))
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- store.Relay(ctx, eventstore.RelayConfig{Connection: conn}) }()
	return func() {
		cancel()
		require.NoError(t, <-done)
		conn.Close()
	}
}

func TestFaultRelay(t *testing.T) {
	t.Parallel()

	t.Run("a relay finds its place in a stream that another server filled anew",
		func(t *testing.T) {
			t.Parallel()
			url := migrationstest.Database(t).URL
			one, two := openOn(t, url), openOn(t, url)
			broker := startBroker(t, t.TempDir())
			conn := relaying(t, one, broker)
			organization, stream := newID(t), buildingStream(newID(t))
			relayed := func(want int64) {
				require.EventuallyWithT(t, func(c *assert.CollectT) {
					require.Equal(c, upTo(want), relayedPositions(t, conn, organization))
				}, patience, 10*time.Millisecond)
			}
			for version := range int64(3) {
				mustAppend(t, one, appendTo(organization, stream, version, renamed("A")))
				relayed(version + 1)
			}
			js, err := jetstream.New(conn)
			require.NoError(t, err)
			require.NoError(t, js.DeleteStream(t.Context(), eventstore.RelayStream))
			stop := relayUntil(t, two, broker)
			relayed(3)
			stop()
			mustAppend(t, one, appendTo(organization, stream, 3, renamed("B")))
			relayed(4)
		})
	t.Run("a directory deleted under load is filled again and no append notices",
		func(t *testing.T) {
			t.Parallel()
			store, dir := open(t), filepath.Join(t.TempDir(), "nats")
			broker := startBroker(t, dir)
			conn := relaying(t, store, broker)
			organization := newID(t)
			const writers, each = 8, 40
			appended, done := make(chan struct{}, writers*each), make(chan error)
			for range writers {
				stream := buildingStream(newID(t))
				go func() {
					var err error
					for version := int64(0); version < each && err == nil; version++ {
						_, err = store.Append(context.Background(),
							appendTo(organization, stream, version, renamed("A")))
						appended <- struct{}{}
					}
					done <- err
				}()
			}
			for n := range writers * each {
				<-appended
				if n%100 == 50 {
					require.Eventually(t, func() bool { return os.RemoveAll(dir) == nil },
						patience, time.Millisecond, "NATS may write into it meanwhile")
				}
			}
			for range writers {
				require.NoError(t, <-done)
			}
			require.EventuallyWithT(t, func(c *assert.CollectT) {
				require.Equal(c, upTo(writers*each), relayedPositions(t, conn, organization))
			}, 2*patience, 50*time.Millisecond)
			requireSound(t, store, organization)
		})
}
