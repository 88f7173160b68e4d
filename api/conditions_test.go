package api

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/koprogo/koprogo/eventstore"
)

func TestETags(t *testing.T) {
	t.Parallel()
	s := serve(t)
	s.yard.parcels[firstID] = parcel{ID: firstID, Name: "A"}
	path := "/api/v1/parcels/" + firstID.String()

	t.Run("a resource has a strong tag, and 304 says that the client has it", func(t *testing.T) {
		answer := s.get(t, path)
		require.Equal(t, `"3"`, answer.header.Get("Etag"))
		for _, header := range []string{`"3"`, `W/"3"`, `"1", "3"`, `*`} {
			again := s.get(t, path, "If-None-Match", header)
			require.Equal(t, http.StatusNotModified, again.status, header)
			require.Empty(t, again.body)
			require.Equal(t, `"3"`, again.header.Get("Etag"))
		}
		require.Equal(t, 200, s.get(t, path, "If-None-Match", `"2"`).status)
	})
	t.Run("a list has a weak one, of its content", func(t *testing.T) {
		answer := s.get(t, "/api/v1/parcels")
		tag := answer.header.Get("Etag")
		require.True(t, strings.HasPrefix(tag, `W/"`), tag)
		require.Equal(t, 304, s.get(t, "/api/v1/parcels", "If-None-Match", tag).status)
		opaque := strings.TrimPrefix(tag, "W/")
		require.Equal(t, 304, s.get(t, "/api/v1/parcels", "If-None-Match", opaque).status)
		require.NotEqual(t, tag, s.get(t, "/api/v1/parcels?per_page=3").header.Get("Etag"))
	})
	t.Run("If-Match reaches the rules", func(t *testing.T) {
		require.Equal(t, 200, s.send(t, "PUT", path, `{"name":"B"}`, "If-Match", `"12"`).status)
		require.Equal(t, int64(12), *s.yard.last.IfMatch)
		require.Equal(t, int64(12), *s.yard.last.Asking(firstID).IfMatch)
		require.Equal(t, 200, s.send(t, "PUT", path, `{"name":"B"}`, "If-Match", `*`).status)
		require.Nil(t, s.yard.last.IfMatch)
	})
	t.Run("a weak If-Match never matches, and one that is no tag is 400", func(t *testing.T) {
		require.Equal(t, 412, s.send(t, "PUT", path, `{"name":"B"}`, "If-Match", `W/"3"`).status)
		for _, header := range []string{`3`, `"x"`, `"-1"`, `"3`, `"1", "2"`, `"99999999999999999999"`} {
			answer := s.send(t, "PUT", path, `{"name":"B"}`, "If-Match", header)
			require.Equal(t, 400, answer.status, header)
			require.Equal(t, "If-Match", answer.problem(t).Errors[0].Field)
		}
	})
	t.Run("a write answers the new tag and the position", func(t *testing.T) {
		answer := s.send(t, "PUT", path, `{"name":"C"}`)
		require.Equal(t, `"3"`, answer.header.Get("Etag"))
		require.NotEmpty(t, answer.header.Get(positionHeader))
	})
	t.Run("a DELETE is 204 without a body, with the position", func(t *testing.T) {
		answer := s.send(t, "DELETE", path, "")
		require.Equal(t, http.StatusNoContent, answer.status)
		require.Empty(t, answer.body)
		require.NotEmpty(t, answer.header.Get(positionHeader))
	})
}

func TestIdempotencyKeys(t *testing.T) {
	t.Parallel()
	t.Run("a key reaches the store with the request's digest and resource", func(t *testing.T) {
		t.Parallel()
		s := serve(t)
		body := `{"name":"A","id":"` + firstID.String() + `"}`
		require.Equal(t, 201, s.post(t, body, idempotencyHeader, "key 1").status)
		first := s.yard.last.Asking(firstID).Idempotency
		require.Equal(t, "key 1", first.Key)
		require.Equal(t, "building/"+firstID.String(), first.Resource)
		require.Equal(t, 201, first.Status)
		require.Equal(t, callers["syndic-token"].Account, first.Actor)
		require.Equal(t, 201, s.post(t, body, idempotencyHeader, "key 1").status)
		require.Equal(t, first.Request, s.yard.last.Asking(firstID).Idempotency.Request)
		require.Equal(t, 201, s.post(t, body+" ", idempotencyHeader, "key 1").status)
		require.NotEqual(t, first.Request, s.yard.last.Asking(firstID).Idempotency.Request)
		require.Equal(t, 201, s.post(t, body).status)
		require.Nil(t, s.yard.last.Asking(firstID).Idempotency)
	})
	t.Run("a key that is empty, long, or not printable ASCII is 400", func(t *testing.T) {
		t.Parallel()
		s := serve(t)
		for _, key := range []string{strings.Repeat("k", 256), "clé", "a\tb"} {
			answer := s.post(t, `{"name":"A"}`, idempotencyHeader, key)
			require.Equal(t, 400, answer.status, key)
			require.Equal(t, idempotencyHeader, answer.problem(t).Errors[0].Field)
		}
		_, err := idempotencyKey(http.Header{idempotencyHeader: {""}})
		require.Error(t, err)
		_, err = idempotencyKey(http.Header{idempotencyHeader: {"a", "b"}})
		require.Error(t, err)
		long := strings.Repeat("k", 255)
		require.Equal(t, 201, s.post(t, `{"name":"A"}`, idempotencyHeader, long).status)
	})
	t.Run("/auth and /2fa take no key", func(t *testing.T) {
		t.Parallel()
		s := serve(t)
		answer := s.send(t, "POST", "/api/v1/auth/parcels", `{"name":"A"}`, idempotencyHeader, "k")
		require.Equal(t, 400, answer.status)
		require.Equal(t, CodeIdempotencyForbidden, answer.problem(t).Code)
		require.True(t, refusesIdempotency("/2fa/setup"))
	})
	t.Run("a second request waits while the first runs under the key", func(t *testing.T) {
		t.Parallel()
		s := serve(t)
		var running, most atomic.Int32
		entered, release := make(chan struct{}, 8), make(chan struct{})
		s.yard.during = func() {
			most.Store(max(most.Load(), running.Add(1)))
			entered <- struct{}{}
			<-release
			running.Add(-1)
		}
		var all sync.WaitGroup
		for range 4 {
			all.Go(func() { s.post(t, `{"name":"A"}`, idempotencyHeader, "same") })
		}
		<-entered
		overtaken := func() bool { return running.Load() > 1 }
		waited := !eventually(overtaken, 50*time.Millisecond)
		close(release) // before anything may fail: the server's Close waits for its requests
		all.Wait()
		require.True(t, waited)
		require.Equal(t, int32(1), most.Load())
		require.Len(t, s.yard.parcels, 4)
	})
	t.Run("other keys do not wait", func(t *testing.T) {
		t.Parallel()
		waiting := newTurns()
		done, err := waiting.take(t.Context(), turn{house, firstID, "a"})
		require.NoError(t, err)
		other, err := waiting.take(t.Context(), turn{stranger, firstID, "a"})
		require.NoError(t, err)
		other()
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		_, err = waiting.take(ended, turn{house, firstID, "a"})
		require.ErrorIs(t, err, context.Canceled)
		done()
		require.Empty(t, waiting.running)
	})
}

func TestConsistency(t *testing.T) {
	t.Parallel()
	var told sync.Map
	s := serve(t, func(config *Config) {
		config.Fence = Fence{
			Answered: func(organization uuid.UUID, position int64) { told.Store(organization, position) },
			Wait: func(ctx context.Context, _ uuid.UUID, position int64) error {
				if position <= 100 {
					return nil
				}
				<-ctx.Done()
				return ctx.Err()
			},
		}
	})
	s.yard.parcels[firstID] = parcel{ID: firstID}
	path := "/api/v1/parcels/" + firstID.String()

	t.Run("what was answered is told to the fence", func(t *testing.T) {
		answer := s.post(t, `{"name":"A"}`)
		require.Equal(t, "8", answer.header.Get(positionHeader))
		position, _ := told.Load(house)
		require.Equal(t, int64(8), position)
	})
	t.Run("a repeated write shows the resource as it then was", func(t *testing.T) {
		s.yard.replay = &eventstore.Receipt{
			Organization: house, Position: 4, Replayed: true, Status: 201,
			Resource: "building/" + firstID.String(),
		}
		defer func() { s.yard.replay = nil }()
		answer := s.post(t, `{"name":"A"}`, idempotencyHeader, "k")
		require.Equal(t, 201, answer.status)
		require.Equal(t, "true", answer.header.Get(replayedHeader))
		require.Equal(t, "4", answer.header.Get(positionHeader))
		require.Equal(t, `"1"`, answer.header.Get("Etag"), "the version that it had then")
		require.Equal(t, firstID.String(), answer.parcel(t)["id"])
		position, _ := told.Load(house)
		require.NotEqual(t, int64(4), position)
	})
	t.Run("what is recorded is answered also where the read model is behind", func(t *testing.T) {
		s.yard.behind = true
		defer func() { s.yard.behind = false }()
		require.Equal(t, 201, s.post(t, `{"name":"A"}`).status)
		answer := s.get(t, path)
		require.Equal(t, 503, answer.status)
		require.Equal(t, CodePositionNotReached, answer.problem(t).Code)
	})
	t.Run("a read waits for Koprogo-Min-Position, 2 s at most", func(t *testing.T) {
		require.Equal(t, 200, s.get(t, path, leastHeader, "100").status)
		began := time.Now()
		answer := s.get(t, path, leastHeader, "101")
		require.Equal(t, http.StatusServiceUnavailable, answer.status)
		require.Equal(t, CodePositionNotReached, answer.problem(t).Code)
		require.NotEmpty(t, answer.header.Get("Retry-After"))
		require.Less(t, time.Since(began), 4*time.Second)
		require.Equal(t, 400, s.get(t, path, leastHeader, "x").status)
	})
	t.Run("a read of an earlier moment names its position", func(t *testing.T) {
		answer := s.get(t, path+"?as_of_position=5")
		require.Equal(t, "5", answer.header.Get(positionHeader))
		position, _ := told.Load(house)
		require.NotEqual(t, int64(5), position)
	})
	t.Run("both moments at once are refused", func(t *testing.T) {
		require.Equal(t, 400, s.get(t, path+"?as_of_position=5&as_of=2026-01-01").status)
	})
}

// eventually tells whether a condition comes true within a time.
func eventually(condition func() bool, within time.Duration) bool {
	tick, end := time.NewTicker(time.Millisecond), time.After(within)
	defer tick.Stop()
	for !condition() {
		select {
		case <-tick.C:
		case <-end:
			return false
		}
	}
	return true
}
