package embedded

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestStartPostgres(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(publicDir(t), "data")
	p := start(t, PostgresConfig{DataDir: dir, Logger: silent, MaxConns: 12})

	t.Run("the cluster is durable, checked and reached by its socket alone", func(t *testing.T) {
		for setting, want := range map[string]string{
			"fsync": "on", "full_page_writes": "on", "synchronous_commit": "on",
			"data_checksums": "on", "server_encoding": "UTF8", "jit": "off",
			"listen_addresses": "", "wal_compression": "pglz", "max_connections": "32",
			"log_error_verbosity": "terse",
		} {
			require.Equal(t, want, p.ask(t, p.URL(), "show "+setting), setting)
		}
		info, err := os.Stat(p.socketDir)
		require.NoError(t, err)
		require.Equal(t, os.FileMode(0o700), info.Mode().Perm())
		require.Equal(t, filepath.Join(dir, "postgres", "socket"), p.socketDir)
	})

	t.Run("the login may create roles and owns its database, no more", func(t *testing.T) {
		require.Equal(t, "koprogo|koprogo|f|t|f|f", p.ask(t, p.URL(), `
			select current_user, pg_get_userbyid(datdba),
			       rolsuper, rolcreaterole, rolcreatedb, rolbypassrls
			from pg_roles, pg_database
			where rolname = current_user and datname = current_database()`))
		require.Equal(t, "postgres|t", p.ask(t, p.SuperuserURL("koprogo"),
			"select current_user, rolsuper from pg_roles where rolname = current_user"))
	})

	t.Run("a stopped cluster starts again with what was written", func(t *testing.T) {
		p.ask(t, p.URL(), "create table kept as select 42 as n")
		require.True(t, p.Ready())
		require.NoError(t, p.Stop(t.Context()))
		require.NoError(t, p.Stop(t.Context()), "stopping twice is stopping once")
		require.False(t, p.Ready())
		<-p.Exited()
		require.Equal(t, "shut down", p.state(t))

		again := start(t, PostgresConfig{DataDir: dir, Logger: silent})
		require.Equal(t, "42", again.ask(t, again.URL(), "select n from kept"))
		require.Zero(t, again.Restarts())
	})
}

// state is what the cluster's control file says about how it ended.
func (p *Postgres) state(t *testing.T) string {
	t.Helper()
	out, err := output(t.Context(), p.install.program("pg_controldata"), p.home.cluster())
	require.NoError(t, err)
	for line := range strings.Lines(out) {
		if state, found := strings.CutPrefix(line, "Database cluster state:"); found {
			return strings.TrimSpace(state)
		}
	}
	return ""
}

func TestPostgresOverTCP(t *testing.T) {
	t.Parallel()
	t.Run("TCP asks for the password", func(t *testing.T) {
		t.Parallel()
		cfg := throwaway(publicDir(t))
		cfg.TCPPort = freePort(t)
		p := start(t, cfg)
		url := p.SuperuserTCPURL("postgres")
		require.Equal(t, "1", p.ask(t, url, "select 1"))
		require.Equal(t, "1", p.ask(t, p.URL(), "select 1"), "the socket serves too")
		out, err := p.psql(t.Context(), strings.Replace(url, p.password, "wrong", 1), "select 1")
		require.Error(t, err)
		require.Contains(t, out, "password authentication failed")
	})
}

func TestOneServerPerDirectory(t *testing.T) {
	t.Parallel()
	dir := publicDir(t)
	p := start(t, throwaway(dir))

	t.Run("a second start is refused and names the process", func(t *testing.T) {
		_, err := StartPostgres(t.Context(), throwaway(dir))
		var inUse *InUseError
		require.ErrorAs(t, err, &inUse)
		require.Equal(t, fmt.Sprintf("the data directory %s is in use by process %d",
			dir, os.Getpid()), err.Error())
		require.Equal(t, "1", p.ask(t, p.URL(), "select 1"), "the first is not disturbed")
	})

	t.Run("a command attaches to it while it runs", func(t *testing.T) {
		url, ok := AttachPostgres(dir)
		require.True(t, ok)
		require.Equal(t, p.URL(), url)
		require.NoError(t, p.Stop(t.Context()))
		_, ok = AttachPostgres(dir)
		require.False(t, ok)
	})
}

func TestMajorVersions(t *testing.T) {
	t.Parallel()
	t.Run("a cluster of another major version is refused with both named", func(t *testing.T) {
		t.Parallel()
		dir := publicDir(t)
		p := start(t, throwaway(dir))
		require.NoError(t, p.Stop(t.Context()))
		version := filepath.Join(p.home.cluster(), "PG_VERSION")
		require.NoError(t, os.WriteFile(version, []byte("9\n"), 0o600))
		_, err := StartPostgres(t.Context(), throwaway(dir))
		require.ErrorIs(t, err, ErrMajorVersion)
		require.ErrorContains(t, err, "was made by PostgreSQL 9")
		require.ErrorContains(t, err, "this machine has PostgreSQL "+strconv.Itoa(p.Major()))
	})

	t.Run("a cluster is opened by its version, a new one made by the newest", func(t *testing.T) {
		t.Parallel()
		found := []Installation{{BinDir: "/new", Major: 18}, {BinDir: "/old", Major: 16}}
		dir := t.TempDir()
		i, err := installationFor(dir, found)
		require.NoError(t, err)
		require.Equal(t, 18, i.Major)
		require.NoError(t, os.WriteFile(filepath.Join(dir, "PG_VERSION"), []byte("16\n"), 0o600))
		i, err = installationFor(dir, found)
		require.NoError(t, err)
		require.Equal(t, "/old", i.BinDir)
	})

	t.Run("without binaries the sentence says what to install", func(t *testing.T) {
		t.Parallel()
		_, err := installationsIn(t.Context(), []string{t.TempDir(), "/nowhere"})
		require.ErrorIs(t, err, ErrNoPostgres)
		require.ErrorContains(t, err, "install PostgreSQL 15 or newer")
	})

	t.Run("binaries too old do not count", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		program(t, filepath.Join(dir, "initdb"), "true")
		program(t, filepath.Join(dir, "postgres"), "echo 'postgres (PostgreSQL) 11.3'")
		_, err := installationsIn(t.Context(), []string{dir})
		require.ErrorIs(t, err, ErrNoPostgres)
		program(t, filepath.Join(dir, "postgres"), "echo 'postgres (PostgreSQL) 19beta1'")
		found, err := installationsIn(t.Context(), []string{dir})
		require.NoError(t, err)
		require.Equal(t, []Installation{{BinDir: dir, Major: 19}}, found)
	})
}

func program(t *testing.T, path, text string) {
	t.Helper()
	require.NoError(t, os.WriteFile(path, []byte("#!/bin/sh\n"+text+"\n"), 0o700))
}

func TestInterruptedStarts(t *testing.T) {
	t.Parallel()
	t.Run("a cluster whose making was interrupted is made again", func(t *testing.T) {
		t.Parallel()
		dir := publicDir(t)
		half := filepath.Join(dir, "postgres", "cluster.draft", "base")
		require.NoError(t, os.MkdirAll(half, 0o700))
		p := start(t, throwaway(dir))
		require.Equal(t, "1", p.ask(t, p.URL(), "select 1"))
	})

	t.Run("a start that is called off leaves no process and a free directory", func(t *testing.T) {
		t.Parallel()
		dir := publicDir(t)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := StartPostgres(ctx, throwaway(dir))
		require.Error(t, err)
		p := start(t, throwaway(dir))
		require.Equal(t, "1", p.ask(t, p.URL(), "select 1"))
	})

	t.Run("a setting that PostgreSQL refuses is quoted in the error", func(t *testing.T) {
		t.Parallel()
		cfg := throwaway(publicDir(t))
		cfg.ExtraSettings = map[string]string{"wal_buffers": `it's \ nonsense`}
		_, err := StartPostgres(t.Context(), cfg)
		require.ErrorContains(t, err, "PostgreSQL ended while starting")
		require.ErrorContains(t, err, "wal_buffers")
	})

	t.Run("a postmaster.pid that names another program is no hindrance", func(t *testing.T) {
		t.Parallel()
		dir := publicDir(t)
		p := start(t, throwaway(dir))
		require.NoError(t, p.Stop(t.Context()))
		other := p.home.owner.child("/", 9, "/bin/sleep", "600")
		exited, err := startHeld(other)
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, other.Process.Kill()); <-exited })
		stale := fmt.Sprintf("%d\n%s\n", other.Process.Pid, p.home.cluster())
		require.NoError(t, p.home.owner.writeFile(
			filepath.Join(p.home.cluster(), "postmaster.pid"), []byte(stale)))
		again := start(t, throwaway(dir))
		require.Equal(t, "1", again.ask(t, again.URL(), "select 1"))
	})
}
