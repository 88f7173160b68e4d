package embedded

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestDataDirectories(t *testing.T) {
	t.Parallel()
	t.Run("a path too long for a socket gets one among the temporary files", func(t *testing.T) {
		t.Parallel()
		dir := filepath.Join(publicDir(t), strings.Repeat("long", 30), "with a space & 'quote'")
		p := start(t, throwaway(dir))
		require.Equal(t, "1", p.ask(t, p.URL(), "select 1"))
		require.Less(t, len(p.socketDir), 90)
		info, err := os.Stat(p.socketDir)
		require.NoError(t, err)
		require.Equal(t, os.FileMode(0o700), info.Mode().Perm())
		url, ok := AttachPostgres(dir)
		require.True(t, ok)
		require.Equal(t, p.URL(), url)
		require.NoError(t, p.Stop(t.Context()))
		require.NoDirExists(t, p.socketDir)
	})

	t.Run("a socket directory that someone else has planted is refused", func(t *testing.T) {
		t.Parallel()
		owner, err := accountFor("/nowhere")
		require.NoError(t, err)
		dir := publicDir(t)
		planted := filepath.Join(dir, "planted")
		require.NoError(t, os.Symlink(dir, planted))
		require.ErrorContains(t, owner.makeDir(planted), "is not a directory of the user")
	})

	t.Run("two directories run side by side", func(t *testing.T) {
		t.Parallel()
		dir := publicDir(t)
		a, b := start(t, throwaway(dir+"/a")), start(t, throwaway(dir+"/b"))
		a.ask(t, a.URL(), "create table mine (n int)")
		require.Empty(t, b.ask(t, b.URL(), "select to_regclass('mine')"))
	})
}

func TestWhoRunsPostgres(t *testing.T) {
	t.Parallel()
	t.Run("started by root it runs as somebody else, who owns its files", func(t *testing.T) {
		t.Parallel()
		asRoot(t)
		p := start(t, throwaway(publicDir(t)))
		require.NotZero(t, p.home.owner.uid)
		require.Equal(t, p.home.owner.uid, ownerOf(t, "/proc/"+strconv.Itoa(p.PID())))
		require.Equal(t, p.home.owner.uid, ownerOf(t, p.home.cluster()))
		require.Zero(t, ownerOf(t, p.home.data), "the data directory stays root's")
	})

	t.Run("below a directory of root alone it stands elsewhere, and is found", func(t *testing.T) {
		t.Parallel()
		asRoot(t)
		closed := publicDir(t)
		require.NoError(t, os.Chmod(closed, 0o700))
		dir := filepath.Join(closed, "data")
		p := start(t, throwaway(dir))
		t.Cleanup(func() { require.NoError(t, os.RemoveAll(p.home.path)) })
		require.Equal(t, systemHome, filepath.Dir(p.home.path))
		p.ask(t, p.URL(), "create table kept as select 42 as n")
		require.NoError(t, p.Stop(t.Context()))

		moved := filepath.Join(closed, "moved")
		require.NoError(t, os.Rename(dir, moved))
		again := start(t, throwaway(moved))
		require.Equal(t, "42", again.ask(t, again.URL(), "select n from kept"))
		require.NoError(t, again.Stop(t.Context()))

		fresh := start(t, throwaway(dir))
		t.Cleanup(func() { require.NoError(t, os.RemoveAll(fresh.home.path)) })
		require.NotEqual(t, p.home.path, fresh.home.path, "a new directory gets a new cluster")
		require.NoError(t, fresh.Stop(t.Context()))
		require.NoError(t, RemoveDataDir(dir))
		require.NoDirExists(t, dir)
		require.NoDirExists(t, fresh.home.path, "nothing of a removed directory remains")
		require.DirExists(t, p.home.path, "another directory's cluster does")
	})

	t.Run("an ordinary user runs it himself, and root after him as that user", func(t *testing.T) {
		t.Parallel()
		asRoot(t)
		const uid, gid = 65534, 65534
		dir := publicDir(t)
		require.NoError(t, os.Chown(dir, uid, gid))
		nobody := &syscall.Credential{Uid: uid, Gid: gid}
		for range 2 {
			server := startHelper(t, dir, nobody)
			require.NotZero(t, server.postmaster, server.said)
			require.EqualValues(t, uid, ownerOf(t, "/proc/"+strconv.Itoa(server.postmaster)))
			require.NoError(t, server.input.Close())
			require.NoError(t, server.cmd.Wait())

			p := start(t, throwaway(dir))
			require.EqualValues(t, uid, ownerOf(t, "/proc/"+strconv.Itoa(p.PID())))
			require.NoError(t, p.Stop(t.Context()))
		}
	})
}

func ownerOf(t *testing.T, path string) uint32 {
	t.Helper()
	info, err := os.Stat(path)
	require.NoError(t, err)
	return info.Sys().(*syscall.Stat_t).Uid
}
