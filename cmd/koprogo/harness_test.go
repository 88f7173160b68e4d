// Package main_test starts the built program as a user does: processes, signals, exit codes, what
// they print. harness_test.go starts and ends processes, seeded_test.go makes data directories,
// client_test.go speaks HTTP.
package main_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koprogo/koprogo/deploy/embedded/embeddedtest"
)

// How long a process may take on a machine that is busy with other tests.
const (
	startPatience = time.Minute
	stopPatience  = 30 * time.Second
	runPatience   = 2 * time.Minute
	tick          = 20 * time.Millisecond
)

// program is the built binary. Every user of the machine may run it.
var program string

func TestMain(m *testing.M) { os.Exit(testMain(m)) }

func testMain(m *testing.M) int {
	dir, err := os.MkdirTemp("", "koprogo-built-")
	if err == nil {
		defer os.RemoveAll(dir)
		program = filepath.Join(dir, "koprogo")
		build := exec.Command("go", "build", "-buildvcs=false", "-o", program, ".")
		build.Stderr = os.Stderr
		err = errors.Join(os.Chmod(dir, 0o755), build.Run())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "build koprogo:", err)
		return 1
	}
	defer removeSeeded()
	return embeddedtest.Main(m)
}

// said collects what a process writes.
type said struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (s *said) Write(part []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(part)
}

func (s *said) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

// process is a started koprogo.
type process struct {
	cmd      *exec.Cmd
	out, log said
	ended    chan struct{}
	code     int // once ended is closed; -1 when a signal ended it
}

// environment is all that a process sees: nothing of the settings of whoever runs the tests.
func environment(dir string, settings []string) []string {
	return append([]string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "TMPDIR=" + os.TempDir(), "DATA_DIR=" + dir,
	}, settings...)
}

// options of a process that few tests need.
type option func(*exec.Cmd)

// as runs the process as another user.
func as(uid, gid uint32) option {
	return func(cmd *exec.Cmd) {
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: uid, Gid: gid}
	}
}

// launch starts koprogo on a data directory; settings are of the form NAME=value.
func launch(dir string, settings, args []string, options ...option) (*process, error) {
	p := &process{cmd: exec.Command(program, args...), ended: make(chan struct{})}
	p.cmd.Env, p.cmd.Dir = environment(dir, settings), dir
	p.cmd.Stdout, p.cmd.Stderr = &p.out, &p.log
	p.cmd.SysProcAttr = &syscall.SysProcAttr{}
	dieWithTests(p.cmd.SysProcAttr)
	for _, apply := range options {
		apply(p.cmd)
	}
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start koprogo: %w", err)
	}
	go func() {
		_ = p.cmd.Wait() // the state says it
		p.code = p.cmd.ProcessState.ExitCode()
		close(p.ended)
	}()
	return p, nil
}

// signal sends one and waits for the end.
func (p *process) signal(signal os.Signal) error {
	_ = p.cmd.Process.Signal(signal) // it may have ended already
	select {
	case <-p.ended:
		return nil
	case <-time.After(stopPatience):
		_ = p.cmd.Process.Kill()
		return fmt.Errorf("koprogo does not end on %v:\n%s", signal, p.log.String())
	}
}

// kill is kill -9.
func (p *process) kill(t testing.TB) {
	t.Helper()
	require.NoError(t, p.signal(syscall.SIGKILL))
}

// stop asks the process to end and wants it to end well.
func (p *process) stop(t testing.TB) {
	t.Helper()
	require.NoError(t, p.signal(syscall.SIGTERM))
	require.Zero(t, p.code, "exit code after SIGTERM:\n%s", p.log.String())
}

func (p *process) running() bool {
	select {
	case <-p.ended:
		return false
	default:
		return true
	}
}

// server is a running `koprogo serve`.
type server struct {
	*process
	dir string
	url string // http://127.0.0.1:port
}

var greeting = regexp.MustCompile(`(?m)^KoproGo listens on (\S+) `)

// serve starts a server of the data directory on a port of its choice and waits until it takes
// requests. It is ended with the test.
func serve(t testing.TB, dir string, settings []string, args ...string) *server {
	t.Helper()
	return serveAs(t, dir, settings, args)
}

func serveAs(
	t testing.TB, dir string, settings, args []string, options ...option,
) *server {
	t.Helper()
	s, err := tryServe(dir, settings, args, options...)
	require.NoError(t, err)
	t.Cleanup(func() {
		if err := s.signal(syscall.SIGTERM); err != nil {
			t.Error(err)
		}
		if t.Failed() {
			t.Logf("the server of %s said:\n%s%s", dir, s.out.String(), tellingOf(s.log.String()))
		}
	})
	return s
}

func tryServe(dir string, settings, args []string, options ...option) (*server, error) {
	args = append([]string{"serve", "--server-port", "0"}, args...)
	p, err := launch(dir, settings, args, options...)
	if err != nil {
		return nil, err
	}
	deadline := time.NewTimer(startPatience)
	defer deadline.Stop()
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	for {
		if found := greeting.FindStringSubmatch(p.out.String()); found != nil {
			return &server{process: p, dir: dir, url: found[1]}, nil
		}
		select {
		case <-p.ended:
			return nil, fmt.Errorf("koprogo serve ended with %d: %s", p.code, p.log.String())
		case <-deadline.C:
			return nil, errors.Join(errors.New("koprogo serve does not come up:\n"+p.log.String()),
				p.signal(syscall.SIGKILL))
		case <-ticker.C:
		}
	}
}

// dev starts a development server.
func dev(t testing.TB, dir string, settings ...string) *server {
	t.Helper()
	return serve(t, dir, settings, "--dev")
}

// outcome of a command.
type outcome struct {
	code     int
	out, log string
}

// run runs a command to its end.
func run(t testing.TB, dir string, args ...string) outcome {
	t.Helper()
	return runWith(t, dir, nil, args...)
}

func runWith(t testing.TB, dir string, settings []string, args ...string) outcome {
	t.Helper()
	p, err := launch(dir, settings, args)
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), runPatience)
	defer cancel()
	select {
	case <-p.ended:
	case <-ctx.Done():
		require.NoError(t, p.signal(syscall.SIGKILL))
		require.Fail(t, "koprogo does not end", "%v:\n%s", args, p.log.String())
	}
	return outcome{code: p.code, out: p.out.String(), log: p.log.String()}
}

// done wants a command to have done its work.
func (o outcome) done(t testing.TB) string {
	t.Helper()
	require.Zero(t, o.code, "%s%s", o.out, o.log)
	return o.out
}

// sentence is what a command that failed says.
func (o outcome) sentence() string {
	_, text, _ := strings.Cut("\n"+o.log, "\nkoprogo: ")
	return text
}

// failed wants a command to have ended with exit code 2 and a sentence that names each word.
func (o outcome) failed(t testing.TB, words ...string) {
	t.Helper()
	require.Equal(t, 2, o.code, "%s%s", o.out, o.log)
	for _, word := range words {
		require.Contains(t, o.sentence(), word)
	}
}

// tellingOf is what of a log tells why a test failed: errors, and the end.
func tellingOf(log string) string {
	const most = 4000
	var errors strings.Builder
	for line := range strings.Lines(log[:max(0, len(log)-most)]) {
		if strings.Contains(line, "level=ERROR") {
			errors.WriteString(line)
		}
	}
	return errors.String() + "…\n" + log[max(0, len(log)-most):]
}
