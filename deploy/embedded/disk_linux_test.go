package embedded

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestNATSOnAFullDisk(t *testing.T) {
	t.Parallel()
	t.Run("a full disk stops it, and room brings it back without a hand", func(t *testing.T) {
		t.Parallel()
		disk := smallDisk(t)
		n := startNATS(t, filepath.Join(disk, "nats"))
		js := connect(t, n)
		rings := load(t, js)
		require.Eventually(t, func() bool { return rings.Load() > 100 }, patience, interval)
		full := filepath.Join(disk, "full")
		fill(t, full)
		require.Eventually(t, func() bool { return n.Restarts() >= 1 || !n.Ready() },
			patience, interval)
		require.NoError(t, os.Remove(full))
		require.Eventually(t, n.Ready, patience, interval)
		before := rings.Load()
		require.Eventually(t, func() bool { return rings.Load() > before+100 }, patience, interval)
	})
}

// smallDisk is a file system of 8 MiB.
func smallDisk(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=8m")
	if errors.Is(err, os.ErrPermission) {
		t.Skip("mounting a file system takes more rights: ", err)
	}
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, syscall.Unmount(dir, syscall.MNT_DETACH)) })
	return dir
}

func fill(t *testing.T, path string) {
	t.Helper()
	f, err := os.Create(path)
	require.NoError(t, err)
	defer f.Close()
	for err == nil {
		_, err = f.Write(make([]byte, 4096))
	}
	require.ErrorIs(t, err, syscall.ENOSPC)
}
