package embedded

import (
	"context"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// back is how long PostgreSQL may be away after it died.
const back = 5 * time.Second

func TestPostgresIsStartedAgain(t *testing.T) {
	t.Parallel()
	t.Run("a killed postmaster is back within five seconds, losing nothing", func(t *testing.T) {
		t.Parallel()
		p := start(t, PostgresConfig{DataDir: publicDir(t), Logger: silent})
		p.ask(t, p.URL(), "create table kept (n int)")
		for round := 1; round <= 3; round++ {
			p.ask(t, p.URL(), "insert into kept values (1)")
			first := p.PID()
			require.NoError(t, syscall.Kill(first, syscall.SIGKILL))
			p.awaitRestart(t, int64(round))
			require.NotEqual(t, first, p.PID())
			require.Equal(t, string(rune('0'+round)), p.ask(t, p.URL(), "select count(*) from kept"))
		}
		url, ok := AttachPostgres(p.home.data)
		require.True(t, ok)
		require.Equal(t, p.URL(), url)
	})

	t.Run("a busy query that outlives its postmaster does not keep it away", func(t *testing.T) {
		t.Parallel()
		p := start(t, throwaway(publicDir(t)))
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			_, _ = p.psql(ctx, p.URL(), "select count(*) from generate_series(1, 1e12)")
		}()
		t.Cleanup(func() { cancel(); <-ended })
		require.Eventually(t, func() bool {
			return p.ask(t, p.URL(), `select count(*) from pg_stat_activity
				where state = 'active' and query like '%generate_series%'`) == "2"
		}, patience, interval)
		require.NoError(t, syscall.Kill(p.PID(), syscall.SIGKILL))
		p.awaitRestart(t, 1)
	})

	t.Run("a cluster that was deleted is not made anew, and stopping still works", func(t *testing.T) {
		t.Parallel()
		p := start(t, throwaway(publicDir(t)))
		require.NoError(t, os.RemoveAll(p.home.cluster()))
		require.NoError(t, syscall.Kill(p.PID(), syscall.SIGKILL))
		require.Eventually(t, func() bool { return !p.Ready() }, patience, interval)
		require.NoError(t, p.Stop(t.Context()))
		require.NoDirExists(t, p.home.cluster())
	})
}

func (p *Postgres) awaitRestart(t *testing.T, restarts int64) {
	t.Helper()
	require.Eventually(t, func() bool { return p.Restarts() == restarts && p.Ready() }, back, interval)
	require.Equal(t, "1", p.ask(t, p.URL(), "select 1"))
}

func TestServerIsKilled(t *testing.T) {
	t.Parallel()
	t.Run("its PostgreSQL ends cleanly", func(t *testing.T) {
		t.Parallel()
		dir := publicDir(t)
		server := startHelper(t, dir, nil)
		require.NotZero(t, server.postmaster, server.said)
		server.kill(t)
		p := looked(t, dir)
		require.Eventually(t, func() bool { return !p.home.serves(server.postmaster) },
			patience, interval)
		require.Equal(t, "shut down", p.state(t))
	})

	t.Run("the next start works at once and finds everything", func(t *testing.T) {
		t.Parallel()
		dir := publicDir(t)
		for round := 1; round <= 3; round++ {
			server := startHelper(t, dir, nil)
			require.NotZero(t, server.postmaster, server.said)
			url, ok := AttachPostgres(dir)
			require.True(t, ok)
			p := looked(t, dir)
			p.ask(t, url, "create table if not exists kept (n int)")
			p.ask(t, url, "insert into kept values (1)")
			server.kill(t)
			next := start(t, PostgresConfig{DataDir: dir, Logger: silent})
			require.Equal(t, string(rune('0'+round)), next.ask(t, next.URL(), "select count(*) from kept"))
			require.NoError(t, next.Stop(t.Context()))
		}
	})

	t.Run("killed together with its PostgreSQL, the next start recovers", func(t *testing.T) {
		t.Parallel()
		dir := publicDir(t)
		server := startHelper(t, dir, nil)
		url, ok := AttachPostgres(dir)
		require.True(t, ok)
		looked(t, dir).ask(t, url, "create table kept as select 42 as n")
		require.NoError(t, server.cmd.Process.Signal(syscall.SIGSTOP), "it must not start it again")
		require.NoError(t, syscall.Kill(server.postmaster, syscall.SIGKILL))
		server.kill(t)
		next := start(t, PostgresConfig{DataDir: dir, Logger: silent})
		require.Equal(t, "42", next.ask(t, next.URL(), "select n from kept"))
	})

	t.Run("a PostgreSQL that outlived its server is ended first", func(t *testing.T) {
		t.Parallel()
		dir := publicDir(t)
		first := start(t, throwaway(dir))
		require.NoError(t, first.Stop(t.Context()))
		left := first.home.owner.child("/", 0, first.install.program("postgres"),
			"-D", first.home.cluster())
		exited, err := startHeld(left)
		require.NoError(t, err)
		require.NoError(t, first.awaitReady(t.Context(), left, exited))
		next := start(t, throwaway(dir))
		require.NoError(t, <-exited, "it was shut down, not killed")
		require.Equal(t, "1", next.ask(t, next.URL(), "select 1"))
	})

	t.Run("a server that ends by itself leaves the directory free", func(t *testing.T) {
		t.Parallel()
		dir := publicDir(t)
		server := startHelper(t, dir, nil)
		_, err := StartPostgres(t.Context(), throwaway(dir))
		require.ErrorContains(t, err, "is in use by process")
		require.NoError(t, server.input.Close())
		require.NoError(t, server.cmd.Wait())
		start(t, throwaway(dir))
	})
}

// looked is a PostgreSQL of another process, to look at.
func looked(t *testing.T, dir string) *Postgres {
	t.Helper()
	found, err := FindPostgres(t.Context())
	require.NoError(t, err)
	h, err := openHome(t.Context(), dir, found[0].program("postgres"), silent)
	require.NoError(t, err)
	return &Postgres{home: h, install: found[0]}
}
