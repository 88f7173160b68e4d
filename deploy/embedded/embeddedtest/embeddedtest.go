// Package embeddedtest gives tests a PostgreSQL of their own: throwaway clusters on the
// machine's binaries, quick because nothing of them is durable. It imports deploy/embedded.
//
// Start with Shared, which all tests of a process (and, under make test, of all processes)
// share, and with Main, which ends it. A test that stops or kills its PostgreSQL calls Start.
package embeddedtest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/koprogo/koprogo/deploy/embedded"
)

// The environment names a cluster that runs already: the superuser's URL over the socket, and
// over TCP for tests that put a proxy between.
const (
	EnvURL    = "KOPROGO_TEST_POSTGRES"
	EnvTCPURL = "KOPROGO_TEST_POSTGRES_TCP"
)

// MaxConns is how many connections a shared cluster takes.
const MaxConns = 500

var (
	once   sync.Once
	shared *Cluster
	failed error
)

// Shared is the superuser's URL of the cluster that the tests share, on the database postgres.
// It is started at the first call unless the environment names one that runs.
func Shared() (superuserURL string, err error) {
	if url := os.Getenv(EnvURL); url != "" {
		return url, nil
	}
	once.Do(start)
	if failed != nil {
		return "", failed
	}
	return shared.SuperuserURL("postgres"), nil
}

// SharedTCP is the same cluster over 127.0.0.1, with a password.
func SharedTCP() (superuserURL string, err error) {
	if url := os.Getenv(EnvTCPURL); url != "" {
		return url, nil
	}
	if os.Getenv(EnvURL) != "" {
		return "", fmt.Errorf("%s is set and %s is not", EnvURL, EnvTCPURL)
	}
	once.Do(start)
	if failed != nil {
		return "", failed
	}
	return shared.SuperuserTCPURL("postgres"), nil
}

func start() { shared, failed = StartCluster(context.Background()) }

// Main runs a package's tests and ends the shared cluster, if they started it. Use it as
//
//	func TestMain(m *testing.M) { os.Exit(embeddedtest.Main(m)) }
func Main(m *testing.M) int {
	code := m.Run()
	once.Do(func() {}) // from here on nobody starts it
	if shared == nil {
		return code
	}
	if err := shared.Close(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return max(code, 1)
	}
	return code
}

// Cluster is a throwaway PostgreSQL in a directory of its own.
type Cluster struct {
	*embedded.Postgres
	dir string
}

// portAttempts is how often a port that was free may be taken before PostgreSQL gets to it.
const portAttempts = 3

// StartCluster starts a throwaway cluster that takes MaxConns connections, on a socket and on
// a free port of 127.0.0.1. The caller closes it.
func StartCluster(ctx context.Context) (*Cluster, error) {
	sweep()
	var failures error
	for range portAttempts {
		cluster, err := startOnce(ctx)
		if err == nil {
			return cluster, nil
		}
		failures = errors.Join(failures, err)
		if !strings.Contains(err.Error(), "could not bind") {
			break
		}
	}
	return nil, fmt.Errorf("start a throwaway cluster: %w", failures)
}

func startOnce(ctx context.Context) (*Cluster, error) {
	dir, err := os.MkdirTemp(base(), prefix)
	if err != nil {
		return nil, fmt.Errorf("make a directory for a throwaway cluster: %w", err)
	}
	// PostgreSQL's user passes through it; what stands in it is closed by itself.
	if err := os.Chmod(dir, 0o711); err != nil {
		return nil, fmt.Errorf("open the directory of a throwaway cluster: %w", err)
	}
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	postgres, err := embedded.StartPostgres(ctx, embedded.PostgresConfig{
		DataDir: dir, Logger: slog.New(slog.DiscardHandler), MaxConns: MaxConns, TCPPort: port,
		Throwaway: true,
	})
	if err != nil {
		return nil, errors.Join(err, remove(dir))
	}
	return &Cluster{Postgres: postgres, dir: dir}, nil
}

// Close ends the cluster and removes it.
func (c *Cluster) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := c.Stop(ctx); err != nil {
		return fmt.Errorf("stop a throwaway cluster: %w", err)
	}
	return remove(c.dir)
}

// remove takes the cluster along that stands outside because PostgreSQL's user could not reach
// the temporary files.
func remove(dir string) error {
	var err error
	if place, missing := filepath.EvalSymlinks(filepath.Join(dir, "postgres")); missing == nil {
		err = os.RemoveAll(place)
	}
	if err = errors.Join(err, os.RemoveAll(dir)); err != nil {
		return fmt.Errorf("remove a throwaway cluster: %w", err)
	}
	return nil
}

// Start starts a throwaway PostgreSQL for one test, which may stop or kill it.
func Start(t testing.TB) *Cluster {
	t.Helper()
	cluster, err := StartCluster(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := cluster.Close(); err != nil {
			t.Error(err)
		}
	})
	return cluster
}

const prefix = "koprogo-test-"

// sweep removes what killed test processes left behind an hour ago or earlier.
func sweep() {
	left, _ := filepath.Glob(filepath.Join(base(), prefix+"*")) // a well-formed pattern
	for _, dir := range left {
		info, err := os.Lstat(dir)
		if err != nil || !info.IsDir() || time.Since(info.ModTime()) < time.Hour {
			continue
		}
		if _, running := embedded.AttachPostgres(dir); !running {
			_ = remove(dir) // another user's stays
		}
	}
}

// Cloning a database is file work: in memory it takes a tenth of the time.
const (
	memory       = "/dev/shm"
	memoryNeeded = 4 << 30 // bytes free
)

// base is where throwaway clusters stand: in memory where there is plenty, unless TMPDIR says.
func base() string {
	var stat syscall.Statfs_t
	if os.Getenv("TMPDIR") != "" || syscall.Statfs(memory, &stat) != nil ||
		stat.Bavail*uint64(stat.Bsize) < memoryNeeded {
		return os.TempDir()
	}
	return memory
}

func freePort() (int, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, fmt.Errorf("find a free port: %w", err)
	}
	port := listener.Addr().(*net.TCPAddr).Port
	return port, listener.Close()
}
