package eventstore_test

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koprogo/koprogo/deploy/embedded"
	"github.com/koprogo/koprogo/eventstore"
	"github.com/koprogo/koprogo/migrations/migrationstest"
)

// relaying starts a broker in dir and the store's relay on it.
func relaying(t *testing.T, store *eventstore.Store, broker *embedded.NATS) *nats.Conn {
	t.Helper()
	conn, err := broker.Connect(nats.MaxReconnects(-1), nats.ReconnectWait(10*time.Millisecond))
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- store.Relay(ctx, eventstore.RelayConfig{Connection: conn}) }()
	t.Cleanup(func() {
		cancel()
		require.NoError(t, <-done)
		conn.Close()
	})
	return conn
}

func startBroker(t *testing.T, dir string) *embedded.NATS {
	t.Helper()
	broker, err := embedded.StartNATS(embedded.NATSConfig{Dir: dir})
	require.NoError(t, err)
	t.Cleanup(func() { _ = broker.Stop() })
	return broker
}

// relayedPositions are those that JetStream holds of an organization, in order.
func relayedPositions(t *testing.T, conn *nats.Conn, organization uuid.UUID) []int64 {
	t.Helper()
	js, err := jetstream.New(conn)
	require.NoError(t, err)
	stream, err := js.Stream(t.Context(), eventstore.RelayStream)
	if err != nil {
		return nil
	}
	consumer, err := stream.OrderedConsumer(t.Context(), jetstream.OrderedConsumerConfig{
		FilterSubjects: []string{"koprogo.log." + organization.String()},
	})
	if err != nil {
		return nil
	}
	messages, err := consumer.FetchNoWait(1000)
	if err != nil {
		return nil
	}
	var positions []int64
	for message := range messages.Messages() {
		var relayed eventstore.Relayed
		require.NoError(t, json.Unmarshal(message.Data(), &relayed))
		for _, e := range relayed.Events {
			positions = append(positions, e.Position)
		}
	}
	return positions
}

func upTo(n int64) []int64 {
	positions := make([]int64, n)
	for i := range positions {
		positions[i] = int64(i) + 1
	}
	return positions
}

func TestRelay(t *testing.T) {
	t.Parallel()

	t.Run("every event is relayed once and in order, by two servers too", func(t *testing.T) {
		t.Parallel()
		url := migrationstest.Database(t).URL
		one, two := openOn(t, url), openOn(t, url)
		broker := startBroker(t, t.TempDir())
		conn := relaying(t, one, broker)
		relaying(t, two, broker)
		organization := newID(t)
		for i := range 40 {
			on := []*eventstore.Store{one, two}[i%2]
			mustAppend(t, on, appendTo(organization, buildingStream(newID(t)), 0, registered("A")))
		}
		require.EventuallyWithT(t, func(c *assert.CollectT) {
			require.Equal(c, upTo(40), relayedPositions(t, conn, organization))
		}, 10*time.Second, 20*time.Millisecond)
	})
	t.Run("so are those of organizations whose messages lie between each other", func(t *testing.T) {
		t.Parallel()
		url := migrationstest.Database(t).URL
		stores := []*eventstore.Store{openOn(t, url), openOn(t, url)}
		broker := startBroker(t, t.TempDir())
		conn := relaying(t, stores[0], broker)
		relaying(t, stores[1], broker)
		var writers sync.WaitGroup
		failed := make(chan error, 8)
		organizations := make([]uuid.UUID, 8)
		for i := range organizations {
			organizations[i] = newID(t)
			writers.Go(func() {
				for range 40 {
					_, err := stores[i%2].Append(t.Context(), appendTo(organizations[i],
						buildingStream(uuid.New()), 0, registered("A")))
					if err != nil {
						failed <- err
						return
					}
				}
			})
		}
		writers.Wait()
		require.Empty(t, failed)
		for _, organization := range organizations {
			require.EventuallyWithT(t, func(c *assert.CollectT) {
				require.Equal(c, upTo(40), relayedPositions(t, conn, organization))
			}, 10*time.Second, 20*time.Millisecond)
		}
	})
	t.Run("the bell rings on a server for what another one appended", func(t *testing.T) {
		t.Parallel()
		url := migrationstest.Database(t).URL
		one, two := openOn(t, url), openOn(t, url)
		broker := startBroker(t, t.TempDir())
		relaying(t, one, broker)
		relaying(t, two, broker)
		organization := newID(t)
		mustAppend(t, one, appendTo(organization, buildingStream(newID(t)), 0, registered("A")))
		require.Eventually(t, func() bool { return two.Bell().Position(organization) == 1 },
			5*time.Second, 5*time.Millisecond)
	})
	t.Run("a broker that lost its directory is filled again", func(t *testing.T) {
		t.Parallel()
		store, dir := open(t), filepath.Join(t.TempDir(), "nats")
		organization := newID(t)
		mustAppend(t, store, appendTo(organization, buildingStream(newID(t)), 0, registered("A")))
		broker := startBroker(t, dir)
		conn := relaying(t, store, broker)
		require.EventuallyWithT(t, func(c *assert.CollectT) {
			require.Equal(c, upTo(1), relayedPositions(t, conn, organization))
		}, 10*time.Second, 20*time.Millisecond)
		require.NoError(t, os.RemoveAll(dir))
		mustAppend(t, store, appendTo(organization, buildingStream(newID(t)), 0, registered("B")))
		require.EventuallyWithT(t, func(c *assert.CollectT) {
			require.Equal(c, upTo(2), relayedPositions(t, conn, organization))
		}, 30*time.Second, 50*time.Millisecond)
	})
}

func TestPositionAt(t *testing.T) {
	t.Parallel()
	store := open(t)
	organization := newID(t)
	var receipts []eventstore.Receipt
	for range 5 {
		receipts = append(receipts, mustAppend(t, store,
			appendTo(organization, buildingStream(newID(t)), 0, registered("A"))))
	}
	at := func(instant time.Time) int64 {
		position, err := store.PositionAt(t.Context(), organization, instant)
		require.NoError(t, err)
		return position
	}
	require.Zero(t, at(receipts[0].RecordedAt.Add(-time.Microsecond)))
	for _, receipt := range receipts {
		require.Equal(t, receipt.Position, at(receipt.RecordedAt))
	}
	require.EqualValues(t, 5, at(time.Now().Add(time.Hour)))
}
