package embeddedtest

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koprogo/koprogo/deploy/embedded"
)

func TestMain(m *testing.M) { os.Exit(Main(m)) }

func ask(t *testing.T, url, sql string) string {
	t.Helper()
	found, err := embedded.FindPostgres(t.Context())
	require.NoError(t, err)
	psql := filepath.Join(found[0].BinDir, "psql")
	out, err := exec.CommandContext(t.Context(), psql, "-w", "-XAtqc", sql, url).CombinedOutput()
	require.NoError(t, err, string(out))
	return strings.TrimSpace(string(out))
}

func TestShared(t *testing.T) {
	t.Parallel()
	t.Run("all get the same cluster, over the socket and over TCP", func(t *testing.T) {
		t.Parallel()
		url, err := Shared()
		require.NoError(t, err)
		again, err := Shared()
		require.NoError(t, err)
		require.Equal(t, url, again)
		tcp, err := SharedTCP()
		require.NoError(t, err)
		const started = "select pg_postmaster_start_time()"
		require.Equal(t, ask(t, url, started), ask(t, tcp, started))
		require.Equal(t, "t", ask(t, url, "select current_setting('max_connections')::int >= 500"))
		require.Equal(t, "off", ask(t, url, "show fsync"))
	})
}

func TestStart(t *testing.T) {
	t.Parallel()
	t.Run("a test's own cluster is removed with it", func(t *testing.T) {
		t.Parallel()
		cluster, err := StartCluster(t.Context())
		require.NoError(t, err)
		require.Equal(t, "1", ask(t, cluster.SuperuserURL("postgres"), "select 1"))
		require.NoError(t, cluster.Close())
		require.NoDirExists(t, cluster.dir)
	})

	t.Run("what a killed test left is removed after an hour, if it ended", func(t *testing.T) {
		t.Parallel()
		left, err := os.MkdirTemp(base(), prefix)
		require.NoError(t, err)
		running := Start(t)
		old := time.Now().Add(-2 * time.Hour)
		require.NoError(t, os.Chtimes(left, old, old))
		require.NoError(t, os.Chtimes(running.dir, old, old))
		sweep()
		require.NoDirExists(t, left)
		require.DirExists(t, running.dir)
		require.Equal(t, "1", ask(t, running.URL(), "select 1"))
	})
}
