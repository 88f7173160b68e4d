package main_test

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
)

// kills is how often a fault test kills: KOPROGO_KILLS, 10 unless set.
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

// writers are the clients of a load; betweenKills is what they get done from one kill to the next.
const (
	writers      = 4
	betweenKills = 40
)

// awaitCaughtUp waits until every projection has applied every log to its end.
func awaitCaughtUp(t testing.TB, super *pgx.Conn) {
	t.Helper()
	const behindSQL = `select count(*) from log.logs l
		join read.checkpoints c using (organization_id) where c.position < l.position`
	require.Eventually(t, func() bool {
		var behind int
		err := super.QueryRow(t.Context(), behindSQL).Scan(&behind)
		return err == nil && behind == 0
	}, startPatience, tick, "the read models do not catch up")
}

func TestFaultKilledServerLosesNothingThatItAcknowledged(t *testing.T) {
	t.Parallel()
	dir, token := devDir(t)
	s := dev(t, dir, unlimited)
	l := startLoad(t, s, token, writers)
	for range kills(t) {
		l.awaitMore(t, betweenKills)
		s.kill(t)
		s = dev(t, dir, unlimited)
		l.moveTo(s)
		require.NotContains(t, s.log.String(), "PostgreSQL recovers it",
			"the PostgreSQL of a killed server ends cleanly")
	}
	l.awaitMore(t, betweenKills)
	requireKept(t, s, token, l.finish(t))
	s.stop(t)
}

func TestFaultPostgreSQLOfAKilledServerEndsCleanly(t *testing.T) {
	t.Parallel()
	dir, token := devDir(t)
	s := dev(t, dir)
	s.with(token).register(t, "Résidence quittée")
	postmaster := postgresOf(t, dir).Postmaster
	fast, ended := "received fast shutdown request", "database system is shut down"
	before := postgresSaid(t, dir)
	s.kill(t)
	awaitPostgresEnd(t, dir)
	require.Eventually(t, func() bool {
		return syscall.Kill(postmaster, 0) == syscall.ESRCH
	}, stopPatience, tick)
	require.Eventually(t, func() bool { // its logger is the last of its processes
		after := postgresSaid(t, dir)
		return strings.Count(after, fast) == strings.Count(before, fast)+1 &&
			strings.Count(after, ended) == strings.Count(before, ended)+1
	}, 5*time.Second, tick, "it did not end by a fast shutdown")
}

// postgresSaid is all that stands in PostgreSQL's log.
func postgresSaid(t testing.TB, dir string) string {
	t.Helper()
	logs, err := filepath.Glob(filepath.Join(dir, "postgres", "log", "postgresql-*.log"))
	require.NoError(t, err)
	var said strings.Builder
	for _, name := range logs {
		text, err := os.ReadFile(name)
		require.NoError(t, err)
		said.Write(text)
	}
	return said.String()
}

func TestFaultKilledPostgreSQLIsStartedAgainUnderLoad(t *testing.T) {
	t.Parallel()
	dir, token := devDir(t)
	s := dev(t, dir, unlimited)
	l := startLoad(t, s, token, writers)
	for range kills(t) {
		l.awaitMore(t, betweenKills)
		postmaster := postgresOf(t, dir).Postmaster
		require.NoError(t, syscall.Kill(postmaster, syscall.SIGKILL))
		killed := time.Now()
		require.Eventually(t, func() bool {
			return postgresOf(t, dir).Postmaster != postmaster
		}, startPatience, tick, "PostgreSQL is not started again")
		l.awaitMore(t, 2*writers)
		require.Less(t, time.Since(killed), 5*time.Second, "until it works again")
		require.True(t, s.running())
	}
	acknowledged := l.finish(t)
	require.Positive(t, l.unavailable, "somebody was told to come back")
	requireKept(t, s, token, acknowledged)
	s.stop(t)
}

func TestFaultNATSDirectoryDeletedUnderLoadIsHarmless(t *testing.T) {
	t.Parallel()
	dir, token := devDir(t)
	s := dev(t, dir, unlimited)
	l := startLoad(t, s, token, writers)
	for range 3 {
		l.awaitMore(t, betweenKills)
		require.Eventually(t, func() bool { return os.RemoveAll(filepath.Join(dir, "nats")) == nil },
			startPatience, tick, "NATS may write into it meanwhile")
	}
	l.awaitMore(t, betweenKills)
	acknowledged := l.finish(t)
	requireKept(t, s, token, acknowledged)
	s.stop(t)
	again := dev(t, dir)
	again.awaitReady(t)
	requireKept(t, again, token, acknowledged)
}
