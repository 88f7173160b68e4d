package eventstore_test

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/koprogo/koprogo/eventstore"
	"github.com/koprogo/koprogo/eventstore/eventstoretest"
	"github.com/koprogo/koprogo/migrations/migrationstest"
)

func TestAKeyIsReservedBeforeSeveralAppendsAndCompletedAfterThem(t *testing.T) {
	t.Parallel()
	now := time.Now().UTC().Truncate(time.Microsecond)
	store := eventstoretest.Open(t, migrationstest.Database(t).URL, func(c *eventstore.Config) {
		c.Clock = func() time.Time { return now }
	})
	asked := eventstore.Idempotency{
		Actor: uuid.New(), Key: "k", Request: []byte("a body"), Status: 200, Resource: "user/note",
	}
	another := asked
	another.Request = []byte("another body")
	reserve := func(asked eventstore.Idempotency) eventstore.Reservation {
		t.Helper()
		got, err := store.Reserve(t.Context(), eventstore.Platform, asked)
		require.NoError(t, err)
		return got
	}

	first := reserve(asked)
	require.False(t, first.Begun)
	require.False(t, first.Done)
	again := asked
	again.Resource = "user/other note"
	second := reserve(again)
	require.True(t, second.Begun)
	require.Equal(t, "user/note", second.Receipt.Resource, "as the first request noted it")
	_, err := store.Reserve(t.Context(), eventstore.Platform, another)
	require.ErrorIs(t, err, eventstore.ErrKeyReused)
	_, known, err := store.Repeated(t.Context(), eventstore.Platform, asked)
	require.NoError(t, err)
	require.False(t, known, "it was not answered")

	require.NoError(t, store.Release(t.Context(), eventstore.Platform, another))
	require.True(t, reserve(asked).Begun, "another request releases nothing")
	require.NoError(t, store.Release(t.Context(), eventstore.Platform, asked))
	require.False(t, reserve(another).Begun, "a refusal keeps no key")

	ended := eventstore.Receipt{Position: 7, RecordedAt: now.Add(time.Second)}
	complete := func(asked eventstore.Idempotency) {
		t.Helper()
		asked.Resource = "user/x"
		require.NoError(t, store.Complete(t.Context(), eventstore.Platform, asked, ended))
	}
	complete(asked)
	require.True(t, reserve(another).Begun, "another request completes nothing")
	complete(another)
	ended.Position = 9
	complete(another)
	require.NoError(t, store.Release(t.Context(), eventstore.Platform, another))
	done := reserve(another)
	require.True(t, done.Done)
	require.Equal(t, eventstore.Receipt{
		Position: 7, RecordedAt: now.Add(time.Second), Replayed: true, Status: 200,
		Resource: "user/x",
	}, utc(done.Receipt), "the first completion holds")
	now = now.Add(eventstore.IdempotencyLife + 2*time.Second)
	require.False(t, reserve(asked).Done, "a key is forgotten after a day")
}

func utc(receipt eventstore.Receipt) eventstore.Receipt {
	receipt.RecordedAt = receipt.RecordedAt.UTC()
	return receipt
}
