package eventstore_test

import (
	"context"
	"errors"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/koprogo/koprogo/deploy/embedded/embeddedtest"
	"github.com/koprogo/koprogo/events"
	"github.com/koprogo/koprogo/eventstore"
	"github.com/koprogo/koprogo/eventstore/eventstoretest"
	"github.com/koprogo/koprogo/migrations/migrationstest"
)

func TestMain(m *testing.M) { os.Exit(embeddedtest.Main(m)) }

// open is a store on a database of the test's own.
func open(t testing.TB) *eventstore.Store {
	t.Helper()
	return openOn(t, migrationstest.Database(t).URL)
}

func openOn(t testing.TB, url string) *eventstore.Store {
	t.Helper()
	return eventstoretest.Open(t, url)
}

// newID is a fresh UUIDv7.
// newID makes ids whose organizations share a lane: nothing is apart by chance.
func newID(t testing.TB) uuid.UUID {
	t.Helper()
	id, err := uuid.NewV7()
	require.NoError(t, err)
	id[len(id)-1] &^= 1
	return id
}

var buildingStream = eventstoretest.BuildingStream

func registered(name string) events.Event { return eventstoretest.Registered(name) }

// appendTo adds events to a building's stream.
func appendTo(
	organization uuid.UUID, stream events.Stream, expected int64, added ...events.Event,
) eventstore.Append {
	return eventstore.Append{
		Organization: organization,
		Streams: []eventstore.StreamAppend{{
			Stream: stream, Expected: expected, Building: stream.ID, Events: added,
		}},
	}
}

func mustAppend(t testing.TB, s *eventstore.Store, a eventstore.Append) eventstore.Receipt {
	t.Helper()
	receipt, err := s.Append(t.Context(), a)
	require.NoError(t, err)
	return receipt
}

// log is the organization's whole log.
func log(t testing.TB, s *eventstore.Store, organization uuid.UUID) []eventstore.Recorded {
	t.Helper()
	var all []eventstore.Recorded
	for {
		after := int64(len(all))
		page, err := s.Read(t.Context(), organization, after, 5000)
		require.NoError(t, err)
		if len(page) == 0 {
			return all
		}
		all = append(all, page...)
	}
}

// requireWhole checks what must hold of every log: positions and versions without holes, times
// that never fall.
func requireWhole(t testing.TB, all []eventstore.Recorded) {
	t.Helper()
	versions, before := map[events.Stream]int64{}, time.Time{}
	for i, r := range all {
		require.EqualValues(t, i+1, r.Position)
		versions[r.Stream]++
		require.Equal(t, versions[r.Stream], r.Version)
		require.False(t, r.RecordedAt.Before(before), "recorded_at falls at %d", r.Position)
		require.Equal(t, eventstore.Leaf(&r), r.LeafHash)
		before = r.RecordedAt
	}
}

func TestAppend(t *testing.T) {
	t.Parallel()
	store := open(t)

	t.Run("events stand at the next positions, byte for byte", func(t *testing.T) {
		t.Parallel()
		organization, stream := newID(t), buildingStream(newID(t))
		receipt := mustAppend(t, store, appendTo(organization, stream, 0,
			registered("Érables <1> & \"2\""), events.BuildingRenamed{Name: "Tilleuls"}))
		require.EqualValues(t, 1, receipt.First)
		require.EqualValues(t, 2, receipt.Position)
		all := log(t, store, organization)
		requireWhole(t, all)
		require.Len(t, all, 2)
		require.Equal(t, receipt.Recorded[0].Data, all[0].Data)
		require.Equal(t, registered("Érables <1> & \"2\""), all[0].Event)
		require.Equal(t, stream.ID, all[0].Building)
	})
	t.Run("none of very many streams that were read has moved", func(t *testing.T) {
		t.Parallel()
		organization := newID(t)
		many := eventstore.Append{Organization: organization}
		next := appendTo(organization, buildingStream(newID(t)), 0, registered("A"))
		for range 4_100 { // more than the writer remembers
			stream := buildingStream(newID(t))
			many.Streams = append(many.Streams, eventstore.StreamAppend{
				Stream: stream, Events: []events.Event{renamed("B")},
			})
			next.Reads = append(next.Reads, eventstore.StreamVersion{Stream: stream, Version: 1})
		}
		mustAppend(t, store, many)
		first := many.Streams[0].Stream
		mustAppend(t, store, appendTo(organization, first, 1, renamed("C")))
		_, err := store.Append(t.Context(), next)
		require.ErrorIs(t, err, eventstore.ErrConflict)
		next.Reads[0].Version = 2
		mustAppend(t, store, next)
	})
	t.Run("an expected version that is wrong is a conflict", func(t *testing.T) {
		t.Parallel()
		organization, stream := newID(t), buildingStream(newID(t))
		mustAppend(t, store, appendTo(organization, stream, 0, registered("A")))
		for _, expected := range []int64{0, 2} {
			_, err := store.Append(t.Context(), appendTo(organization, stream, expected,
				events.BuildingRemoved{}))
			var conflict *eventstore.ConflictError
			require.ErrorAs(t, err, &conflict)
			require.EqualValues(t, 1, conflict.Actual)
		}
		require.Len(t, log(t, store, organization), 1)
	})
	t.Run("a stream that was only read must not have moved", func(t *testing.T) {
		t.Parallel()
		organization := newID(t)
		read, written := buildingStream(newID(t)), buildingStream(newID(t))
		mustAppend(t, store, appendTo(organization, read, 0, registered("A")))
		a := appendTo(organization, written, 0, registered("B"))
		a.Reads = []eventstore.StreamVersion{{Stream: read, Version: 0}}
		_, err := store.Append(t.Context(), a)
		require.ErrorIs(t, err, eventstore.ErrConflict)
		a.Reads[0].Version = 1
		mustAppend(t, store, a)
	})
	t.Run("several streams are appended to together or not at all", func(t *testing.T) {
		t.Parallel()
		organization := newID(t)
		one, two := buildingStream(newID(t)), buildingStream(newID(t))
		mustAppend(t, store, appendTo(organization, two, 0, registered("two")))
		a := appendTo(organization, one, 0, registered("one"))
		a.Streams = append(a.Streams, eventstore.StreamAppend{
			Stream: two, Expected: 0, Events: []events.Event{events.BuildingRemoved{}},
		})
		_, err := store.Append(t.Context(), a)
		require.ErrorIs(t, err, eventstore.ErrConflict)
		require.Len(t, log(t, store, organization), 1)
		a.Streams[1].Expected = 1
		receipt := mustAppend(t, store, a)
		require.EqualValues(t, 3, receipt.Position)
		require.Equal(t, []eventstore.StreamVersion{{one, 1}, {two, 2}}, receipt.Versions)
	})
	t.Run("an append without events is refused before anything is sent", func(t *testing.T) {
		t.Parallel()
		_, err := store.Append(t.Context(), eventstore.Append{Organization: newID(t)})
		require.ErrorContains(t, err, "0 events")
	})
}

func TestClaims(t *testing.T) {
	t.Parallel()
	store := open(t)
	claiming := func(organization uuid.UUID, claims ...eventstore.Claim) eventstore.Append {
		stream := buildingStream(newID(t))
		for i := range claims {
			claims[i].Holder = stream
		}
		a := appendTo(organization, stream, 0, registered("A"))
		a.Take = claims
		return a
	}

	t.Run("one holder at a time has a name", func(t *testing.T) {
		t.Parallel()
		organization := newID(t)
		first := claiming(organization, eventstore.Claim{Kind: "slug", Value: "erables"})
		mustAppend(t, store, first)
		_, err := store.Append(t.Context(),
			claiming(organization, eventstore.Claim{Kind: "slug", Value: "erables"}))
		var claimed *eventstore.ClaimError
		require.ErrorAs(t, err, &claimed)
		require.Equal(t, "slug", claimed.Kind)

		release := appendTo(organization, first.Streams[0].Stream, 1, events.BuildingRemoved{})
		release.Release = first.Take
		mustAppend(t, store, release)
		mustAppend(t, store,
			claiming(organization, eventstore.Claim{Kind: "slug", Value: "erables"}))
	})
	t.Run("another organization may have the same name", func(t *testing.T) {
		t.Parallel()
		for range 2 {
			mustAppend(t, store,
				claiming(newID(t), eventstore.Claim{Kind: "slug", Value: "erables"}))
		}
	})
	t.Run("64 clients race for 20 places and 20 succeed", func(t *testing.T) {
		t.Parallel()
		organization := newID(t)
		other := openOn(t, store.Pool(eventstore.RoleJobs).Config().ConnString())
		outcomes := make(chan error)
		for i := range 64 {
			a := claiming(organization, eventstore.Claim{Kind: "building", Limit: 20})
			on := []*eventstore.Store{store, other}[i%2]
			go func() {
				_, err := on.Append(context.Background(), a)
				outcomes <- err
			}()
		}
		taken := 0
		for range 64 {
			err := <-outcomes
			if err == nil {
				taken++
				continue
			}
			require.ErrorIs(t, err, eventstore.ErrClaimed)
		}
		require.Equal(t, 20, taken)
		requireWhole(t, log(t, store, organization))
	})
	t.Run("a place that was given back is taken again", func(t *testing.T) {
		t.Parallel()
		organization := newID(t)
		for range 3 {
			a := claiming(organization, eventstore.Claim{Kind: "building", Limit: 1})
			mustAppend(t, store, a)
			release := appendTo(organization, a.Streams[0].Stream, 1, events.BuildingRemoved{})
			release.Release = []eventstore.Claim{{Kind: "building", Holder: a.Streams[0].Stream}}
			mustAppend(t, store, release)
		}
	})
	t.Run("a claim within a batch is seen by the next append of it", func(t *testing.T) {
		t.Parallel()
		organization := newID(t)
		outcomes := make(chan error)
		for range 32 {
			a := claiming(organization, eventstore.Claim{Kind: "slug", Value: "one"})
			go func() {
				_, err := store.Append(context.Background(), a)
				outcomes <- err
			}()
		}
		won := 0
		for range 32 {
			if err := <-outcomes; err == nil {
				won++
			} else {
				require.ErrorIs(t, err, eventstore.ErrClaimed)
			}
		}
		require.Equal(t, 1, won)
	})
}

func TestIdempotency(t *testing.T) {
	t.Parallel()
	store := open(t)
	with := func(organization uuid.UUID, key, request string) eventstore.Append {
		stream := buildingStream(newID(t))
		a := appendTo(organization, stream, 0, registered("A"))
		a.Idempotency = &eventstore.Idempotency{
			Key: key, Request: []byte(request), Status: 201,
			Resource: "building/" + stream.ID.String(),
		}
		return a
	}

	t.Run("the same request is answered as it was", func(t *testing.T) {
		t.Parallel()
		organization := newID(t)
		first := with(organization, "k", "same")
		receipt := mustAppend(t, store, first)
		mustAppend(t, store, with(organization, "other", "same"))
		again := mustAppend(t, store, with(organization, "k", "same"))
		require.True(t, again.Replayed)
		require.Equal(t, receipt.Position, again.Position)
		require.Equal(t, first.Idempotency.Resource, again.Resource)
		require.Len(t, log(t, store, organization), 2)
	})
	t.Run("a key can be looked up without an append", func(t *testing.T) {
		t.Parallel()
		organization := newID(t)
		first := with(organization, "k", "same")
		_, known, err := store.Repeated(t.Context(), organization, *first.Idempotency)
		require.NoError(t, err)
		require.False(t, known)
		receipt := mustAppend(t, store, first)
		again, known, err := store.Repeated(t.Context(), organization, *first.Idempotency)
		require.NoError(t, err)
		require.True(t, known)
		require.Equal(t, receipt.Position, again.Position)
		other := *first.Idempotency
		other.Request = []byte("another")
		_, _, err = store.Repeated(t.Context(), organization, other)
		require.ErrorIs(t, err, eventstore.ErrKeyReused)
	})
	t.Run("another request under the same key is refused", func(t *testing.T) {
		t.Parallel()
		organization := newID(t)
		mustAppend(t, store, with(organization, "k", "one"))
		_, err := store.Append(t.Context(), with(organization, "k", "two"))
		require.ErrorIs(t, err, eventstore.ErrKeyReused)
	})
	t.Run("of requests at the same time one is recorded and all get its answer",
		func(t *testing.T) {
			t.Parallel()
			organization := newID(t)
			type answer struct {
				receipt eventstore.Receipt
				err     error
			}
			answers := make(chan answer)
			for range 16 {
				a := with(organization, "k", "same")
				go func() {
					receipt, err := store.Append(context.Background(), a)
					answers <- answer{receipt, err}
				}()
			}
			replayed := 0
			for range 16 {
				got := <-answers
				require.NoError(t, got.err)
				require.EqualValues(t, 1, got.receipt.Position)
				if got.receipt.Replayed {
					replayed++
				}
			}
			require.Equal(t, 15, replayed)
		})
}

func TestOneRefusedAppendNeverFailsItsNeighbours(t *testing.T) {
	t.Parallel()
	store := open(t)
	organization := newID(t)
	// A stream taken at its word: the writer's memory does not know it, the database does.
	known := buildingStream(newID(t))
	mustAppend(t, store, appendTo(organization, known, 0, registered("A")))
	fresh := openOn(t, store.Pool(eventstore.RoleJobs).Config().ConnString())

	outcomes := make(chan error)
	for i := range 40 {
		a := appendTo(organization, buildingStream(newID(t)), 0, registered("B"))
		switch i {
		case 7:
			a = appendTo(organization, known, 0, registered("again"))
		case 23: // PostgreSQL refuses this byte in a text
			a.Idempotency = &eventstore.Idempotency{Key: "k\x00", Request: []byte{1}}
		}
		go func() {
			_, err := fresh.Append(context.Background(), a)
			outcomes <- err
		}()
	}
	refused := 0
	for range 40 {
		if err := <-outcomes; err != nil {
			refused++
		}
	}
	require.Equal(t, 2, refused)
	all := log(t, store, organization)
	requireWhole(t, all)
	require.Len(t, all, 39)
}

func TestTwoServersOnOneDatabase(t *testing.T) {
	t.Parallel()
	url := migrationstest.Database(t).URL
	servers := []*eventstore.Store{openOn(t, url), openOn(t, url)}
	organizations := []uuid.UUID{newID(t), newID(t), newID(t)}
	const writers, each = 24, 20
	done := make(chan error)
	for w := range writers {
		go func() {
			stream := buildingStream(newID(t))
			for version := range int64(each) {
				_, err := servers[w%2].Append(context.Background(), appendTo(
					organizations[w%3], stream, version, events.BuildingRenamed{Name: "A"}))
				if err != nil {
					done <- err
					return
				}
			}
			done <- nil
		}()
	}
	for range writers {
		require.NoError(t, <-done)
	}
	for _, organization := range organizations {
		all := log(t, servers[0], organization)
		requireWhole(t, all)
		require.Len(t, all, writers/3*each)
		head, err := servers[1].Head(t.Context(), organization)
		require.NoError(t, err)
		require.EqualValues(t, len(all), head.Position)
		tree := eventstore.NewTree()
		for _, r := range all {
			tree.Append(r.LeafHash)
		}
		stored, err := eventstore.ParseTree(head.Position, head.Tree)
		require.NoError(t, err)
		require.Equal(t, tree.Root(), stored.Root())
	}
}

func TestAServerRefusesAMightyRole(t *testing.T) {
	t.Parallel()
	database := migrationstest.Database(t)
	conn, err := pgx.Connect(t.Context(), database.SuperuserURL)
	require.NoError(t, err)
	defer conn.Close(t.Context())
	// Ownership is told per database, so this one alone is spoilt.
	_, err = conn.Exec(t.Context(), "alter table log.events owner to koprogo_writer")
	require.NoError(t, err)
	_, err = eventstore.Open(t.Context(), eventstore.Config{URL: database.URL})
	require.ErrorContains(t, err, "koprogo_writer owns the log")
}

func TestARestoredDatabaseIsNoticed(t *testing.T) {
	t.Parallel()
	url := migrationstest.Database(t).URL
	noticed := make(chan struct{}, 10)
	store, err := eventstore.Open(t.Context(), eventstore.Config{
		URL: url, Restored: func() { noticed <- struct{}{} },
	})
	require.NoError(t, err)
	t.Cleanup(store.Close)
	organization, stream := newID(t), buildingStream(newID(t))
	mustAppend(t, store, appendTo(organization, stream, 0, registered("A")))
	_, err = store.Heads(t.Context())
	require.NoError(t, err)
	require.Empty(t, noticed)

	raised, err := openOn(t, url).RaiseEpochs(t.Context())
	require.NoError(t, err)
	require.EqualValues(t, 1, raised)
	mustAppend(t, store, appendTo(organization, stream, 1, events.BuildingRemoved{}))
	require.NotEmpty(t, noticed)
	requireWhole(t, log(t, store, organization))
}

// Who listens is told of every append once, in the order of its log, before anybody is answered
// about it or about a later one; of what was refused or repeated he hears nothing.
func TestOnAppend(t *testing.T) {
	t.Parallel()
	store := open(t)
	var mu sync.Mutex
	told := map[uuid.UUID][]int64{}
	store.OnAppend(func(r eventstore.Receipt) {
		mu.Lock()
		defer mu.Unlock()
		for _, recorded := range r.Recorded {
			told[r.Organization] = append(told[r.Organization], recorded.Position)
		}
	})
	hasTold := func(organization uuid.UUID, least int64) bool {
		mu.Lock()
		defer mu.Unlock()
		for i, position := range told[organization] {
			if position != int64(i+1) {
				return false
			}
		}
		return int64(len(told[organization])) >= least
	}
	const appending, each = 32, 10
	organizations := []uuid.UUID{newID(t), apart(t)}
	var group errgroup.Group
	for n := range appending {
		organization := organizations[n%len(organizations)]
		group.Go(func() error {
			for range each {
				receipt, err := store.Append(t.Context(), appendTo(organization,
					buildingStream(eventstoretest.NewID()), 0, registered("a"), registered("b")))
				if err != nil {
					return err
				}
				if !hasTold(organization, receipt.Position) {
					return errors.New("answered before who listens was told, or told out of order")
				}
			}
			return nil
		})
	}
	require.NoError(t, group.Wait())
	first := organizations[0]
	twice := appendTo(first, buildingStream(newID(t)), 0, registered("once"))
	twice.Idempotency = &eventstore.Idempotency{
		Key: "k", Request: []byte("same"), Status: 201, Resource: "building/x",
	}
	mustAppend(t, store, twice)
	repeated := mustAppend(t, store, twice)
	require.True(t, repeated.Replayed)
	_, err := store.Append(t.Context(),
		appendTo(first, twice.Streams[0].Stream, 0, registered("late")))
	require.Error(t, err)
	require.Len(t, told[first], appending*each+1)
	require.True(t, hasTold(first, appending*each+1))
}
