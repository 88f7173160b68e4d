package eventstore_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/koprogo/koprogo/events"
	"github.com/koprogo/koprogo/eventstore"
	"github.com/koprogo/koprogo/migrations/migrationstest"
)

func TestFaultHeadMoved(t *testing.T) {
	t.Parallel()

	t.Run("an append whose head another server moved is decided under the lock",
		func(t *testing.T) {
			t.Parallel()
			store, proxy, database := linked(t)
			other := openOn(t, database.URL)
			organization, stream := newID(t), buildingStream(newID(t))
			mustAppend(t, store, appendTo(organization, stream, 0, registered("A")))
			mustAppend(t, other, appendTo(organization, stream, 1, renamed("B")))
			receipt := mustAppend(t, store, appendTo(organization, buildingStream(newID(t)), 0,
				registered("C")))
			require.EqualValues(t, 3, receipt.Position)
			locked := slices.ContainsFunc(proxy.batches(), func(s sent) bool {
				return len(s.statements) == 1 &&
					strings.HasSuffix(s.statements[0], "for update")
			})
			require.True(t, locked)
			requireSound(t, store, organization, receipt)
		})
	t.Run("an append whose caller leaves while the lock is waited for is not recorded",
		func(t *testing.T) {
			t.Parallel()
			store, proxy, database := linked(t)
			other := openOn(t, database.URL)
			organization, stream := newID(t), buildingStream(newID(t))
			mustAppend(t, store, appendTo(organization, stream, 0, registered("A")))
			mustAppend(t, other, appendTo(organization, stream, 1, renamed("B")))
			release := holdHead(t, database, organization)
			ctx, leave := context.WithTimeout(t.Context(), time.Minute)
			mark := proxy.mark()
			left := appendBeside(ctx, store, appendTo(organization, buildingStream(newID(t)), 0,
				registered("left")))
			proxy.awaitSent(t, mark, "for update")
			leave()
			require.ErrorIs(t, (<-left).err, eventstore.ErrUnavailable)
			release()
			next := mustAppend(t, store, appendTo(organization, buildingStream(newID(t)), 0,
				registered("next")))
			require.EqualValues(t, 3, next.Position)
			requireSound(t, store, organization, next)
		})
	t.Run("a caller who leaves when his append was sent is not told that nothing happened",
		func(t *testing.T) {
			t.Parallel()
			store, proxy, _ := linked(t)
			release := holdLane(t, store, proxy)
			organization, stream := newID(t), buildingStream(newID(t))
			offender := appendTo(organization, buildingStream(newID(t)), 0, registered("offender"))
			offender.Idempotency = &eventstore.Idempotency{Key: "k\x00", Request: []byte{1}}
			ctx, leave := context.WithTimeout(t.Context(), time.Minute)
			left := queue(ctx, t, store, appendTo(organization, stream, 0, registered("left")))
			refused := queue(t.Context(), t, store, offender)
			held, proceed := make(chan struct{}), make(chan struct{})
			proxy.always(func(w *wire, s sent) bool {
				if s.isCommit() && slices.Contains(s.statements, "begin") {
					proxy.always(nil)
					close(held)
					<-proceed
				}
				return false
			})
			release()
			<-held
			leave()
			err := (<-left).err
			close(proceed)
			require.ErrorIs(t, err, eventstore.ErrOutcomeUnknown)
			require.Error(t, (<-refused).err)
		})
}

func TestFaultSiblings(t *testing.T) {
	t.Parallel()
	// In each case the first append of a batch is refused by PostgreSQL, so that what the second
	// was measured against never stands.
	claiming := func(c eventstore.Claim) func(*eventstore.Append) {
		return func(a *eventstore.Append) {
			in := &a.Streams[0]
			in.Stream = buildingStream(newID(t))
			in.Building, c.Holder = in.Stream.ID, in.Stream
			a.Take = []eventstore.Claim{c}
		}
	}
	slug := claiming(eventstore.Claim{Kind: "slug", Value: "erables"})
	place := claiming(eventstore.Claim{Kind: "building", Limit: 1})
	key := func(a *eventstore.Append) {
		a.Idempotency = &eventstore.Idempotency{
			Key: "offending", Request: []byte{2}, Status: 201, Resource: "building/1",
		}
	}
	cases := map[string]struct{ first, second func(*eventstore.Append) }{
		"its version is no reason for a conflict": {},
		"its claim is free":                       {first: slug, second: slug},
		"its place is free":                       {first: place, second: place},
		"its idempotency key is free":             {second: key},
	}
	for name, change := range cases {
		t.Run("an append is refused: "+name, func(t *testing.T) {
			t.Parallel()
			store, proxy, _ := linked(t)
			release := holdLane(t, store, proxy)
			organization, stream := newID(t), buildingStream(newID(t))
			first := offending(appendTo(organization, stream, 0, registered("offender")))
			second := appendTo(organization, stream, 0, registered("neighbour"))
			for a, f := range map[*eventstore.Append]func(*eventstore.Append){
				&first: change.first, &second: change.second,
			} {
				if f != nil {
					f(a)
				}
			}
			refused := queue(t.Context(), t, store, first)
			neighbour := queue(t.Context(), t, store, second)
			release()
			require.Error(t, (<-refused).err)
			got := <-neighbour
			require.NoError(t, got.err)
			require.Len(t, requireSound(t, store, organization, got.receipt), 1)
		})
	}
	t.Run("a conflict with a neighbour that stands is told", func(t *testing.T) {
		t.Parallel()
		store, proxy, _ := linked(t)
		release := holdLane(t, store, proxy)
		organization, stream := newID(t), buildingStream(newID(t))
		first := queue(t.Context(), t, store,
			appendTo(organization, stream, 0, registered("first")))
		second := queue(t.Context(), t, store,
			appendTo(organization, stream, 0, registered("second")))
		release()
		require.NoError(t, (<-first).err)
		var conflict *eventstore.ConflictError
		require.ErrorAs(t, (<-second).err, &conflict)
		require.EqualValues(t, 1, conflict.Actual)
	})
}

func TestFaultBatchesAreAtomic(t *testing.T) {
	t.Parallel()

	t.Run("when the last statement fails nothing of the batch is written", func(t *testing.T) {
		t.Parallel()
		database := migrationstest.Database(t)
		store := openOn(t, database.URL)
		organization, stream := newID(t), buildingStream(newID(t))
		a := offending(appendTo(organization, stream, 0, registered("A")))
		a.Take = []eventstore.Claim{{Kind: "slug", Value: "erables", Holder: stream}}
		a.Subjects = append(a.Subjects, newID(t))
		_, err := store.Append(t.Context(), a)
		require.ErrorContains(t, err, "22021")
		conn, err := pgx.Connect(t.Context(), database.SuperuserURL)
		require.NoError(t, err)
		defer conn.Close(t.Context())
		for _, table := range []string{"logs", "events", "claims", "keys", "idempotency"} {
			var rows int
			require.NoError(t, conn.QueryRow(t.Context(),
				"select count(*) from log."+table).Scan(&rows))
			require.Zero(t, rows, table)
		}
	})
	t.Run("whatever writes to the log stands between begin and commit, or alone", func(t *testing.T) {
		t.Parallel()
		store, proxy, database := linked(t)
		other := openOn(t, database.URL)
		organization, stream := newID(t), buildingStream(newID(t))
		for version := int64(0); version < 6; version += 2 {
			a := appendTo(organization, stream, version, registered("A"))
			a.Take = []eventstore.Claim{{Kind: "building", Holder: stream, Limit: 3}}
			a.Idempotency = &eventstore.Idempotency{
				Key: newID(t).String(), Request: []byte{1}, Resource: "building/1",
			}
			mustAppend(t, store, a)
			mustAppend(t, other, appendTo(organization, stream, version+1, renamed("B")))
		}
		mustAppend(t, store, appendTo(organization, stream, 6, renamed("C")))
		writes, alone, begun := 0, 0, map[*wire]bool{}
		for _, s := range proxy.batches() {
			if s.isAlone() && !begun[s.by] {
				alone++
				continue
			}
			for n, text := range s.statements {
				switch {
				case text == "begin":
					begun[s.by] = true
				case text == "commit" || text == "rollback":
					require.Equal(t, len(s.statements), n+1, "nothing follows the end")
					begun[s.by] = false
				case strings.Contains(text, "move"), strings.Contains(text, "insert into"):
					require.True(t, begun[s.by], text)
					writes++
				}
			}
			if slices.ContainsFunc(s.statements, func(text string) bool {
				return strings.Contains(text, "insert into log.events")
			}) {
				require.False(t, begun[s.by], "commit travels with the rows")
			}
		}
		require.GreaterOrEqual(t, writes, 6, "three appends, each with its key")
		require.Equal(t, 1, alone, "the last append is one event and nothing else")
	})
}

func TestFaultAbandoned(t *testing.T) {
	t.Parallel()
	store, proxy, _ := linked(t)
	release := holdLane(t, store, proxy)
	organization, stream := newID(t), buildingStream(newID(t))
	ctx, leave := context.WithTimeout(t.Context(), time.Minute)
	left := queue(ctx, t, store, appendTo(organization, stream, 0, registered("left")))
	leave()
	require.ErrorIs(t, (<-left).err, eventstore.ErrUnavailable)
	release()
	stays := mustAppend(t, store, appendTo(organization, stream, 0, registered("stays")))
	require.EqualValues(t, 1, stays.Position)
	require.Len(t, requireSound(t, store, organization, stays), 1)
}

func TestFaultServersShareAnOrganization(t *testing.T) {
	t.Parallel()
	database := migrationstest.Database(t)
	servers := []*eventstore.Store{openOn(t, database.URL), openOn(t, database.URL)}
	shared, alone := newID(t), newID(t)
	const writers, each = 16, 30
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	type progress struct {
		server int
		err    error
	}
	done := make(chan progress)
	for w := range writers {
		go func() {
			stream, err := buildingStream(newID(t)), error(nil)
			for version := int64(0); version < each && err == nil; version++ {
				_, err = servers[w%2].Append(ctx, appendTo(shared, stream, version, renamed("A")))
			}
			done <- progress{w % 2, err}
		}()
	}
	// Beside them an organization that nobody shares is appended to on the first server.
	stop, slowest := make(chan struct{}), make(chan time.Duration)
	go func() {
		worst, stream := time.Duration(0), buildingStream(newID(t))
		for version := int64(0); ; version++ {
			select {
			case <-stop:
				slowest <- worst
				return
			default:
			}
			began := time.Now()
			_, err := servers[0].Append(ctx, appendTo(alone, stream, version, renamed("B")))
			if err != nil {
				worst = time.Hour
			}
			worst = max(worst, time.Since(began))
		}
	}()
	finished := [2]int{}
	for range writers {
		p := <-done
		require.NoError(t, p.err)
		finished[p.server]++
	}
	close(stop)
	require.Less(t, <-slowest, 2*time.Second)
	require.Equal(t, [2]int{writers / 2, writers / 2}, finished)
	require.Len(t, requireSound(t, servers[0], shared), writers*each)
	requireSound(t, servers[0], alone)
}

func TestFaultClockStepsBack(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 29, 1, 59, 0, 0, time.UTC)
	steps := []time.Duration{0, time.Hour, -2 * time.Hour, time.Second, -24 * 365 * time.Hour, 0}
	i := 0
	clock := func() time.Time { // only the writer's goroutine and, before it, this one ask
		return now
	}
	store, err := eventstore.Open(t.Context(), eventstore.Config{
		URL: migrationstest.Database(t).URL, Clock: clock,
	})
	require.NoError(t, err)
	t.Cleanup(store.Close)
	organization, stream := newID(t), buildingStream(newID(t))
	var receipts []eventstore.Receipt
	for ; i < len(steps); i++ {
		now = now.Add(steps[i])
		receipts = append(receipts, mustAppend(t, store,
			appendTo(organization, stream, int64(i), renamed("A"))))
	}
	requireSound(t, store, organization, receipts...)
	require.Equal(t, receipts[1].RecordedAt, receipts[2].RecordedAt)
	latest := now.Add(-steps[len(steps)-1])
	require.True(t, latest.Before(receipts[1].RecordedAt))
	// A server whose clock was never ahead does not go behind the head either.
	behind, err := eventstore.Open(t.Context(), eventstore.Config{
		URL:   store.Pool(eventstore.RoleJobs).Config().ConnString(),
		Clock: func() time.Time { return latest.Add(-time.Hour) },
	})
	require.NoError(t, err)
	t.Cleanup(behind.Close)
	receipts = append(receipts, mustAppend(t, behind,
		appendTo(organization, stream, int64(len(steps)), renamed("B"))))
	requireSound(t, store, organization, receipts...)
}

func TestFaultRefusalsAreOfTheirKind(t *testing.T) {
	t.Parallel()
	// What is refused while the log works is never told as unavailable or unknown.
	store := open(t)
	organization, stream := newID(t), buildingStream(newID(t))
	mustAppend(t, store, appendTo(organization, stream, 0, registered("A")))
	_, err := store.Append(t.Context(), appendTo(organization, stream, 0, events.BuildingRemoved{}))
	require.ErrorIs(t, err, eventstore.ErrConflict)
	require.False(t, errors.Is(err, eventstore.ErrUnavailable) ||
		errors.Is(err, eventstore.ErrOutcomeUnknown))
}
