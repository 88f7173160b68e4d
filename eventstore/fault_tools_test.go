package eventstore_test

import (
	"context"
	"errors"
	"net/url"
	"os"
	"slices"
	"strconv"
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

// How long the tests wait for what another process does, and how often they look.
const (
	patience = 30 * time.Second
	interval = 2 * time.Millisecond
)

// kills is how often the kill tests kill: KOPROGO_KILLS, 10 without.
func kills(t testing.TB) int {
	t.Helper()
	text := os.Getenv("KOPROGO_KILLS")
	if text == "" {
		return 10
	}
	n, err := strconv.Atoi(text)
	require.NoError(t, err, "KOPROGO_KILLS")
	return n
}

// durable is a PostgreSQL of the test's own that keeps what it acknowledged when it is killed.
func durable(t testing.TB) (*embeddedtest.Cluster, migrationstest.Clone) {
	t.Helper()
	cluster := embeddedtest.Start(t)
	conn, err := pgx.Connect(t.Context(), cluster.SuperuserURL("postgres"))
	require.NoError(t, err)
	defer conn.Close(t.Context())
	for _, sql := range []string{
		"alter system set synchronous_commit = on", "select pg_reload_conf()",
	} {
		_, err = conn.Exec(t.Context(), sql)
		require.NoError(t, err)
	}
	return cluster, migrationstest.DatabaseOn(t, cluster.SuperuserURL("postgres"))
}

// overTCP is the login's way over TCP into a database of a cluster of the test's own.
func overTCP(
	t testing.TB, cluster *embeddedtest.Cluster, database migrationstest.Clone,
) string {
	t.Helper()
	address, err := url.Parse(cluster.SuperuserTCPURL(database.Name))
	require.NoError(t, err)
	address.User = url.UserPassword(migrationstest.Login, migrationstest.Login)
	return address.String()
}

// linked is a store behind a link, on a database that others reach beside it.
func linked(
	t testing.TB, change ...func(*eventstore.Config),
) (*eventstore.Store, *link, migrationstest.Clone) {
	t.Helper()
	database := migrationstest.Database(t)
	l, through := startLink(t, database.OverTCP(t))
	return eventstoretest.Open(t, through, change...), l, database
}

// holdHead locks the organization's head as another server would, until release is called.
func holdHead(
	t testing.TB, database migrationstest.Clone, organization uuid.UUID,
) (release func()) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), database.SuperuserURL)
	require.NoError(t, err)
	tx, err := conn.Begin(t.Context())
	require.NoError(t, err)
	_, err = tx.Exec(t.Context(),
		"select from log.logs where organization_id = $1 for update", organization)
	require.NoError(t, err)
	released := false
	release = func() {
		if !released {
			released = true
			_ = conn.Close(context.Background())
		}
	}
	t.Cleanup(release)
	return release
}

// answer is what an append returned.
type answer struct {
	receipt eventstore.Receipt
	err     error
}

// appendBeside appends in a goroutine of its own.
func appendBeside(ctx context.Context, s *eventstore.Store, a eventstore.Append) <-chan answer {
	answers := make(chan answer, 1)
	go func() {
		receipt, err := s.Append(ctx, a)
		answers <- answer{receipt, err}
	}()
	return answers
}

// holdLane blocks the store's writer in an append that does not reach the database, so that what
// is queued until the release makes one batch, in the order of queueing.
func holdLane(t testing.TB, s *eventstore.Store, proxy *link) (release func()) {
	t.Helper()
	reached, free := proxy.hold(t, passOn)
	held := appendBeside(t.Context(), s,
		appendTo(newID(t), buildingStream(newID(t)), 0, registered("held")))
	<-reached
	return func() {
		free()
		require.NoError(t, (<-held).err)
	}
}

// queue appends beside and waits until the append stands in the writer's queue.
func queue(
	ctx context.Context, t testing.TB, s *eventstore.Store, a eventstore.Append,
) <-chan answer {
	t.Helper()
	before := s.Waiting()
	answers := appendBeside(ctx, s, a)
	require.Eventually(t, func() bool { return s.Waiting() == before+1 }, patience, interval)
	return answers
}

func renamed(name string) events.Event { return events.BuildingRenamed{Name: name} }

// offending makes an append that PostgreSQL refuses in the last statement before commit.
func offending(a eventstore.Append) eventstore.Append {
	a.Idempotency = &eventstore.Idempotency{
		Key: "offending", Request: []byte{1}, Status: 201, Resource: "building/\x00",
	}
	return a
}

// requireSound checks an organization's log by its rows and by Verify, and that each receipt's
// events stand where it says, once.
func requireSound(
	t testing.TB, s *eventstore.Store, organization uuid.UUID, receipts ...eventstore.Receipt,
) []eventstore.Recorded {
	t.Helper()
	all := log(t, s, organization)
	requireWhole(t, all)
	at := map[uuid.UUID]int64{}
	for _, r := range all {
		require.NotContains(t, at, r.ID, "an event stands twice")
		at[r.ID] = r.Position
	}
	for _, receipt := range receipts {
		for _, r := range receipt.Recorded {
			require.Equal(t, r.Position, at[r.ID], "an acknowledged event is not where it was")
		}
	}
	requireVerified(t, s, organization)
	return all
}

func requireVerified(t testing.TB, s *eventstore.Store, organizations ...uuid.UUID) {
	t.Helper()
	report, err := eventstore.Verify(t.Context(), eventstore.VerifyOptions{
		Pool: s.Pool(eventstore.RoleJobs), Organizations: organizations,
	})
	require.NoError(t, err)
	require.True(t, report.Whole, "%v", report.Organizations)
}

// names are those that the renamings of the log gave, in order.
func names(all []eventstore.Recorded) []string {
	var given []string
	for _, r := range all {
		if e, ok := r.Event.(events.BuildingRenamed); ok {
			given = append(given, e.Name)
		}
	}
	return slices.Clip(given)
}

func isUnknown(err error) bool { return errors.Is(err, eventstore.ErrOutcomeUnknown) }
