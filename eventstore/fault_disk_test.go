//go:build linux

package eventstore_test

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koprogo/koprogo/deploy/embedded"
	"github.com/koprogo/koprogo/eventstore"
	"github.com/koprogo/koprogo/migrations/migrationstest"
)

// onSmallDisk starts a PostgreSQL that has 256 MiB in all, and says where.
func onSmallDisk(t *testing.T) (database migrationstest.Clone, disk string) {
	t.Helper()
	disk, err := os.MkdirTemp("", "koprogo-disk-")
	require.NoError(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(disk) })
	err = syscall.Mount("tmpfs", disk, "tmpfs", 0, "size=256m,mode=0711")
	if errors.Is(err, os.ErrPermission) {
		t.Skip("mounting a file system takes more rights: ", err)
	}
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, syscall.Unmount(disk, syscall.MNT_DETACH)) })
	home := filepath.Join(disk, "home")
	require.NoError(t, os.Mkdir(home, 0o711))
	postgres, err := embedded.StartPostgres(t.Context(), embedded.PostgresConfig{
		DataDir: home, Logger: slog.New(slog.DiscardHandler), Throwaway: true,
		ExtraSettings: map[string]string{
			"synchronous_commit": "on", "max_wal_size": "48MB", "min_wal_size": "32MB",
		},
	})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, postgres.Stop(context.Background())) })
	cluster, err := filepath.EvalSymlinks(filepath.Join(home, "postgres"))
	require.NoError(t, err)
	require.True(t, strings.HasPrefix(cluster, disk), "the cluster stands on another disk")
	return migrationstest.DatabaseOn(t, postgres.SuperuserURL("postgres")), disk
}

// fill leaves no room on a disk.
func fill(t *testing.T, path string) {
	t.Helper()
	ballast, err := os.Create(path)
	require.NoError(t, err)
	defer ballast.Close()
	for block := make([]byte, 1<<20); len(block) > 0; {
		if _, err = ballast.Write(block); err != nil {
			require.ErrorIs(t, err, syscall.ENOSPC)
			block = block[:len(block)/2]
		}
	}
}

func TestFaultFullDisk(t *testing.T) {
	t.Parallel()
	database, disk := onSmallDisk(t)
	store := openOn(t, database.URL)
	organization := newID(t)
	noise := make([]byte, 24<<10) // compresses badly
	_, err := rand.Read(noise)
	require.NoError(t, err)
	name := strings.ToValidUTF8(string(noise), "?")
	var receipts []eventstore.Receipt
	refused := map[string]bool{} // streams of appends that certainly were not recorded
	try := func() error {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		stream := buildingStream(newID(t))
		receipt, err := store.Append(ctx, appendTo(organization, stream, 0, renamed(name)))
		switch {
		case err == nil:
			receipts = append(receipts, receipt)
		case !isUnknown(err):
			require.ErrorIs(t, err, eventstore.ErrUnavailable)
			refused[stream.String()] = true
		}
		return err
	}
	for range 100 {
		require.NoError(t, try())
	}
	ballast := filepath.Join(disk, "ballast")
	fill(t, ballast)
	for failures := 0; failures < 3; {
		if try() != nil {
			failures++
		}
	}
	require.NoError(t, os.Remove(ballast))
	require.Eventually(t, func() bool { return try() == nil }, 2*patience, interval)
	for range 100 {
		require.NoError(t, try())
	}
	for _, r := range requireSound(t, store, organization, receipts...) {
		require.NotContains(t, refused, r.Stream.String())
	}
}
