package jobs

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/koprogo/koprogo/deploy/embedded/embeddedtest"
	"github.com/koprogo/koprogo/events"
	"github.com/koprogo/koprogo/eventstore"
	"github.com/koprogo/koprogo/eventstore/eventstoretest"
	"github.com/koprogo/koprogo/migrations/migrationstest"
)

func TestMain(m *testing.M) { os.Exit(embeddedtest.Main(m)) }

const patience = 20 * time.Second

func open(t *testing.T) *eventstore.Store {
	t.Helper()
	return eventstoretest.New(t).Store
}

func prepare(t *testing.T, store *eventstore.Store, config Config) *Jobs {
	t.Helper()
	config.Pool = store.Pool(eventstore.RoleJobs)
	j, err := New(config)
	require.NoError(t, err)
	return j
}

func start(t *testing.T, j *Jobs) {
	t.Helper()
	require.NoError(t, j.Start(context.Background()))
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		require.NoError(t, j.Stop(ctx))
	})
}

type row struct {
	Kind, Status string
	Progress     int
	Finished     *time.Time
	Result       json.RawMessage
	Problem      *string
}

func read(t require.TestingT, j *Jobs, organization, id uuid.UUID) row {
	rows, err := j.config.Pool.Query(context.Background(), `
select kind, status, progress, finished_at, result, problem from log.jobs
 where organization_id = $1 and id = $2`, organization, id)
	require.NoError(t, err)
	found, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByPos[row])
	require.NoError(t, err)
	return found
}

func awaitEnd(t *testing.T, j *Jobs, organization, id uuid.UUID) row {
	t.Helper()
	var ended row
	require.Eventually(t, func() bool {
		ended = read(t, j, organization, id)
		return ended.Finished != nil
	}, patience, 20*time.Millisecond)
	return ended
}

func TestATaskIsFollowedFromQueuedToDone(t *testing.T) {
	t.Parallel()
	store := open(t)
	organization, actor := uuid.New(), uuid.New()
	asked, goOn := make(chan Request, 1), make(chan struct{})
	j := prepare(t, store, Config{Tasks: map[string]Task{
		KindVerify: func(
			_ context.Context, request Request, progress func(int),
		) (any, error) {
			progress(40)
			progress(20)
			asked <- request
			<-goOn
			return map[string]bool{"whole": true}, nil
		},
	}})
	id, err := j.Enqueue(t.Context(), KindVerify, organization, actor, map[string]int{"from": 3})
	require.NoError(t, err)
	require.Equal(t, row{Kind: "verify", Status: "queued"}, read(t, j, organization, id))
	start(t, j)
	release := sync.OnceFunc(func() { close(goOn) })
	defer release()
	request := <-asked
	require.JSONEq(t, `{"from":3}`, string(request.Args))
	request.Args = nil
	require.Equal(t, Request{ID: id, Organization: organization, Actor: actor}, request)
	require.Equal(t, row{Kind: "verify", Status: "running", Progress: 40},
		read(t, j, organization, id))
	release()
	ended := awaitEnd(t, j, organization, id)
	require.Equal(t, "done", ended.Status)
	require.Equal(t, 100, ended.Progress)
	require.JSONEq(t, `{"whole":true}`, string(ended.Result))
	require.Nil(t, ended.Problem)
}

func TestLongTasksLeaveAConnectionToOthers(t *testing.T) {
	t.Parallel()
	for _, conns := range []int{5, 10} {
		t.Run(strconv.Itoa(conns)+" connections", func(t *testing.T) {
			t.Parallel()
			longTasksLeaveAConnection(t, eventstoretest.Open(t, migrationstest.Database(t).URL,
				func(c *eventstore.Config) { c.MaxConns = conns }))
		})
	}
}

func longTasksLeaveAConnection(t *testing.T, store *eventstore.Store) {
	t.Helper()
	pool := store.Pool(eventstore.RoleJobs)
	began, goOn := make(chan struct{}, 2), make(chan struct{})
	release := sync.OnceFunc(func() { close(goOn) })
	defer release()
	j := prepare(t, store, Config{Tasks: map[string]Task{
		KindVerify: func(ctx context.Context, _ Request, progress func(int)) (any, error) {
			conn, err := pool.Acquire(ctx)
			if err != nil {
				return nil, err
			}
			defer conn.Release()
			began <- struct{}{}
			<-goOn
			progress(40)
			return true, nil
		},
	}})
	organization := uuid.New()
	var asked []uuid.UUID
	for range 2 {
		id, err := j.Enqueue(t.Context(), KindVerify, organization, uuid.New(), struct{}{})
		require.NoError(t, err)
		asked = append(asked, id)
	}
	start(t, j)
	<-began
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	beside, cancel := context.WithTimeout(t.Context(), patience/4)
	defer cancel()
	require.NoError(t, pool.Ping(beside), "who signs in needs one")
	require.Never(t, func() bool {
		return len(began) > 0 || store.Pool(eventstore.RoleJobs).Ping(ctx) != nil
	}, 3*pollTasks, pollTasks/10, "one task at a time, and room beside it")
	release()
	for _, id := range asked {
		require.Equal(t, "done", awaitEnd(t, j, organization, id).Status)
	}
}

func TestATaskDoesNotWaitForItsProgressToBeShown(t *testing.T) {
	t.Parallel()
	store := open(t)
	pool := store.Pool(eventstore.RoleJobs)
	j := prepare(t, store, Config{Tasks: map[string]Task{
		KindVerify: func(ctx context.Context, _ Request, progress func(int)) (any, error) {
			for pool.Stat().AcquiredConns() < pool.Stat().MaxConns() {
				conn, err := pool.Acquire(ctx)
				if err != nil {
					return nil, err
				}
				defer conn.Release()
			}
			progress(40)
			return true, nil
		},
	}})
	start(t, j)
	organization := uuid.New()
	id, err := j.Enqueue(t.Context(), KindVerify, organization, uuid.New(), struct{}{})
	require.NoError(t, err)
	require.Equal(t, "done", awaitEnd(t, j, organization, id).Status)
}

func TestWhoAsksAgainGetsTheTaskThatWaits(t *testing.T) {
	t.Parallel()
	j := prepare(t, open(t), Config{Tasks: map[string]Task{
		KindVerify: func(context.Context, Request, func(int)) (any, error) { return true, nil },
	}})
	ours, theirs := uuid.New(), uuid.New()
	ask := func(organization, actor uuid.UUID, args any) uuid.UUID {
		id, err := j.Enqueue(t.Context(), KindVerify, organization, actor, args)
		require.NoError(t, err)
		return id
	}
	anne, bart := uuid.New(), uuid.New()
	first := ask(ours, anne, struct{}{})
	require.Equal(t, first, ask(ours, anne, struct{}{}))
	others := []uuid.UUID{
		first, ask(ours, bart, struct{}{}), ask(theirs, anne, struct{}{}),
		ask(ours, anne, map[string]int{"from": 3}), ask(ours, anne, map[string]int{"from": 3}),
	}
	start(t, j)
	seen := map[uuid.UUID]bool{}
	for i, id := range others {
		require.False(t, seen[id], "another caller, organization or argument is another task")
		seen[id] = true
		organization := ours
		if i == 2 {
			organization = theirs
		}
		require.Equal(t, "done", awaitEnd(t, j, organization, id).Status)
	}
	require.NotEqual(t, first, ask(ours, anne, struct{}{}), "what has begun is not what waits")
}

func TestATaskThatFailsIsTriedThreeTimes(t *testing.T) {
	t.Parallel()
	var tries atomic.Int32
	j := prepare(t, open(t), Config{Tasks: map[string]Task{
		"flaky": func(context.Context, Request, func(int)) (any, error) {
			if tries.Add(1) < 3 {
				return nil, errors.New("not yet")
			}
			return nil, nil
		},
		"broken": func(context.Context, Request, func(int)) (any, error) {
			return nil, errors.New("never")
		},
		"panics": func(context.Context, Request, func(int)) (any, error) { panic("at the disco") },
		"mute": func(context.Context, Request, func(int)) (any, error) {
			return func() {}, nil
		},
	}})
	start(t, j)
	organization := uuid.New()
	for kind, status := range map[string]string{
		"flaky": "done", "broken": "failed", "panics": "failed", "mute": "failed",
	} {
		id, err := j.Enqueue(t.Context(), kind, organization, uuid.Nil, nil)
		require.NoError(t, err)
		ended := awaitEnd(t, j, organization, id)
		require.Equal(t, status, ended.Status, kind)
		if status == "failed" {
			require.Equal(t, problemFailed, *ended.Problem)
		}
	}
	require.EqualValues(t, 3, tries.Load())
}

func TestATaskThatNobodyKnowsIsNotEnqueued(t *testing.T) {
	t.Parallel()
	store := open(t)
	organization := uuid.New()
	newer := prepare(t, store, Config{Tasks: map[string]Task{
		"new": func(context.Context, Request, func(int)) (any, error) { return nil, nil },
	}})
	older := prepare(t, store, Config{})
	_, err := older.Enqueue(t.Context(), "new", organization, uuid.Nil, nil)
	require.ErrorIs(t, err, ErrUnknownTask)
	_, err = newer.Enqueue(t.Context(), "new", organization, uuid.Nil, func() {})
	require.ErrorContains(t, err, "write the arguments")
	id, err := newer.Enqueue(t.Context(), "new", organization, uuid.Nil, nil)
	require.NoError(t, err)
	start(t, older)
	require.Equal(t, "failed", awaitEnd(t, older, organization, id).Status)
}

func TestAnEnqueuedTaskIsWholeOrNotThere(t *testing.T) {
	t.Parallel()
	store := open(t)
	j := prepare(t, store, Config{Tasks: map[string]Task{
		"x": func(context.Context, Request, func(int)) (any, error) { return nil, nil },
	}})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := j.Enqueue(ctx, "x", uuid.New(), uuid.Nil, nil)
	require.ErrorIs(t, err, context.Canceled)
	var rows int
	require.NoError(t, j.config.Pool.QueryRow(t.Context(),
		`select (select count(*) from log.jobs) + (select count(*) from river.river_job)`).
		Scan(&rows))
	require.Zero(t, rows)
}

func TestPeriodicWorkComesByItself(t *testing.T) {
	t.Parallel()
	var finished, signed atomic.Int32
	j := prepare(t, open(t), Config{
		FinishPending: func(context.Context) error {
			if finished.Add(1) == 1 {
				return errors.New("the first one fails")
			}
			return nil
		},
		SignCheckpoints: func(context.Context) error {
			signed.Add(1)
			return nil
		},
		Every: Intervals{FinishPending: time.Second, SignCheckpoints: time.Second},
	})
	start(t, j)
	require.Eventually(t, func() bool { return finished.Load() >= 2 && signed.Load() >= 1 },
		patience, 50*time.Millisecond)
}

func TestRetention(t *testing.T) {
	t.Parallel()
	store := open(t)
	organization := uuid.New()
	building := events.Stream{Category: "building", ID: uuid.New()}
	_, err := store.Append(t.Context(), eventstore.Append{
		Organization: organization,
		Streams: []eventstore.StreamAppend{{
			Stream: building, Events: []events.Event{events.BuildingRenamed{Name: "A"}},
		}},
		Idempotency: &eventstore.Idempotency{Key: "k", Request: make([]byte, 32)},
	})
	require.NoError(t, err)
	pool := store.Pool(eventstore.RoleJobs)
	now := time.Now()
	for _, age := range []time.Duration{
		-time.Hour, 23 * time.Hour, 25 * time.Hour, 100 * 24 * time.Hour,
	} {
		at := now.Add(-age)
		insert := func(sql string, args ...any) {
			_, err := pool.Exec(t.Context(), sql, args...)
			require.NoError(t, err)
		}
		insert(`insert into log.links (organization_id, token_hash, account_id, purpose, expires_at)
values ($1, $2, $3, 'reset', $4)`, uuid.Nil, []byte(uuid.NewString()), uuid.New(), at)
		insert(`insert into log.attempts (organization_id, who, at) values ($1, 'x', $2)`,
			uuid.Nil, at)
		insert(`insert into log.sessions
(organization_id, id, account_id, role_id, token_hash, rotated_at, expires_at)
values ($1, $2, $3, $4, 'x', $5, $5)`, uuid.Nil, uuid.New(), uuid.New(), uuid.New(), at)
		insert(`insert into log.jobs
(organization_id, id, actor, kind, status, created_at, finished_at)
values ($1, $2, $3, 'old', 'done', $4, $4)`, organization, uuid.New(), uuid.New(), at)
		insert(`insert into log.jobs (organization_id, id, actor, kind, status, created_at)
values ($1, $2, $3, 'lost', 'running', $4)`, organization, uuid.New(), uuid.New(), at)
	}
	count := func(from string) (n int) {
		require.NoError(t, pool.QueryRow(t.Context(), "select count(*) from "+from).Scan(&n))
		return n
	}
	j := prepare(t, store, Config{Clock: func() time.Time { return now }})
	require.NoError(t, j.retain(t.Context()))
	require.Equal(t, 1, count("log.idempotency"))
	require.Equal(t, 1, count("log.links"))
	require.Equal(t, 1, count("log.attempts"))
	require.Equal(t, 1, count("log.sessions"))
	require.Equal(t, 3, count("log.jobs where kind = 'old'"))
	require.Equal(t, 2, count("log.jobs where kind = 'lost' and status = 'running'"))
	require.Equal(t, 2, count("log.jobs where kind = 'lost' and problem = 'job_lost'"))
	require.Equal(t, 1, count("log.events"))

	j = prepare(t, store, Config{Clock: func() time.Time { return now.Add(25 * time.Hour) }})
	require.NoError(t, j.retain(t.Context()))
	require.Zero(t, count("log.idempotency"))
	require.Equal(t, 1, count("log.events"), "the log itself is never touched")
}

func TestStopCancelsWorkThatDoesNotEnd(t *testing.T) {
	t.Parallel()
	begun := make(chan struct{})
	j := prepare(t, open(t), Config{Tasks: map[string]Task{
		"endless": func(ctx context.Context, _ Request, _ func(int)) (any, error) {
			close(begun)
			<-ctx.Done()
			return nil, ctx.Err()
		},
	}})
	require.NoError(t, j.Start(context.Background()))
	_, err := j.Enqueue(t.Context(), "endless", uuid.New(), uuid.Nil, nil)
	require.NoError(t, err)
	<-begun
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	require.NoError(t, j.Stop(ctx))
}
