package embedded

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const (
	envHelper = "KOPROGO_EMBEDDED_HELPER" // the data directory of a helper process

	patience = 20 * time.Second
	interval = 20 * time.Millisecond
)

// TestMain lets the test binary stand in for a server that can be killed.
func TestMain(m *testing.M) {
	if dir := os.Getenv(envHelper); dir != "" {
		os.Exit(serve(dir))
	}
	os.Exit(m.Run())
}

// serve runs PostgreSQL until its input ends, as a server would.
func serve(dir string) int {
	ctx := context.Background()
	p, err := StartPostgres(ctx, PostgresConfig{DataDir: dir, Logger: silent})
	if err != nil {
		fmt.Println("failed", err)
		return 1
	}
	fmt.Println("ready", p.PID())
	_, _ = io.Copy(io.Discard, os.Stdin)
	if err := p.Stop(ctx); err != nil {
		fmt.Println("failed", err)
		return 1
	}
	return 0
}

var silent = slog.New(slog.DiscardHandler)

// helper is a server in a process of its own.
type helper struct {
	cmd        *exec.Cmd
	input      io.Closer
	said       string
	postmaster int
}

// startHelper runs the test binary as a server, as another user where a credential is given.
func startHelper(t *testing.T, dir string, credential *syscall.Credential) *helper {
	t.Helper()
	cmd := exec.Command(publicCopy(t, os.Args[0]))
	cmd.Dir = "/"
	cmd.Env = append(os.Environ(), envHelper+"="+dir)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: credential}
	input, err := cmd.StdinPipe()
	require.NoError(t, err)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = input.Close()
		_ = cmd.Wait() // killed by some tests
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	h := &helper{cmd: cmd, input: input, said: strings.TrimSpace(line)}
	if pid, found := strings.CutPrefix(h.said, "ready "); found {
		h.postmaster, err = strconv.Atoi(pid)
		require.NoError(t, err)
	}
	return h
}

func (h *helper) kill(t *testing.T) {
	t.Helper()
	require.NoError(t, h.cmd.Process.Kill())
	_ = h.cmd.Wait() // says that it was killed
}

// publicCopy copies a program to where every user may run it; go test's directory is closed.
// Another process writes it: whatever this one starts meanwhile would hold the file open, and a
// file that is open for writing cannot be run.
func publicCopy(t *testing.T, program string) string {
	t.Helper()
	path := filepath.Join(publicDir(t), "server")
	said, err := exec.Command("install", "-m", "755", program, path).CombinedOutput()
	require.NoError(t, err, "%s", said)
	return path
}

// publicDir is a directory that every user can pass through, unlike t.TempDir.
func publicDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "koprogo-embedded-")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(dir)) })
	require.NoError(t, os.Chmod(dir, 0o755))
	return dir
}

func throwaway(dir string) PostgresConfig {
	return PostgresConfig{DataDir: dir, Logger: silent, Throwaway: true}
}

func start(t *testing.T, cfg PostgresConfig) *Postgres {
	t.Helper()
	p, err := StartPostgres(t.Context(), cfg)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, p.Stop(context.Background())) })
	return p
}

// ask runs one statement with psql and returns the bare answer.
func (p *Postgres) ask(t *testing.T, url, sql string) string {
	t.Helper()
	out, err := p.psql(t.Context(), url, sql)
	require.NoError(t, err, out)
	return out
}

func (p *Postgres) psql(ctx context.Context, url, sql string) (string, error) {
	cmd := exec.CommandContext(ctx, p.install.program("psql"), "-w", "-XAtqc", sql, url)
	cmd.Env = childEnvironment()
	out, err := cmd.CombinedOutput()
	return strings.TrimSpace(string(out)), err
}

func asRoot(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root can start processes as another user")
	}
}

func freePort(t *testing.T) int {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, listener.Close())
	return listener.Addr().(*net.TCPAddr).Port
}
