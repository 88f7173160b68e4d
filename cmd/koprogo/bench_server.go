package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// benchServer is a server in a process of its own.
type benchServer struct {
	address string
	process *exec.Cmd
	stdin   io.WriteCloser
}

// patience of the benchmark with its servers.
const (
	benchStartPatience = time.Minute
	benchStopPatience  = 20 * time.Second
)

// startBenchServer runs `koprogo serve` on a data directory and returns once it is ready. Its
// settings are production's but for the rate limit, which counts and never refuses unless settings
// say otherwise, and for the secrets and demo data of --dev.
func startBenchServer(
	ctx context.Context, dir string, settings ...string,
) (*benchServer, error) {
	address, err := freeAddress()
	if err != nil {
		return nil, err
	}
	s := &benchServer{address: address}
	_, port, _ := net.SplitHostPort(address)
	if err := s.start(ctx, nil, append([]string{
		"DATA_DIR=" + dir, "SERVER_PORT=" + port, "RATE_LIMIT_PER_TOKEN=1000000000",
	}, settings...), "serve", "--dev"); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, benchStartPatience)
	defer cancel()
	for {
		if _, err = s.get(ctx, "", "/health/ready"); err == nil {
			return s, nil
		}
		select {
		case <-ctx.Done():
			s.stop()
			return nil, fmt.Errorf("wait for the server: %w", errors.Join(ctx.Err(), err))
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// freeAddress is a loopback address that nobody listens on.
func freeAddress() (string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("find a free port: %w", err)
	}
	return listener.Addr().String(), listener.Close()
}

// start runs this program with other arguments. The process ends with ctx.
func (s *benchServer) start(
	ctx context.Context, stdout io.Writer, settings []string, args ...string,
) error {
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find this program: %w", err)
	}
	s.process = exec.CommandContext(ctx, self, args...)
	s.process.Cancel = func() error { return s.process.Process.Signal(os.Interrupt) }
	s.process.WaitDelay = benchStopPatience
	s.process.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME")},
		settings...)
	s.process.Stdout = stdout
	if s.stdin, err = s.process.StdinPipe(); err != nil {
		return fmt.Errorf("start a server: %w", err)
	}
	if err := s.process.Start(); err != nil {
		return fmt.Errorf("start a server: %w", err)
	}
	return nil
}

// pid is the server's process.
func (s *benchServer) pid() int { return s.process.Process.Pid }

// stop ends the process and waits for it.
func (s *benchServer) stop() {
	_ = s.stdin.Close()
	_ = s.process.Process.Signal(os.Interrupt) // it may have ended
	_ = s.process.Wait()                       // how it ended changes no figure
}

// benchBareCommand is the yardstick's server: it answers the targets that it reads from its
// standard input with the bytes given there, until the input ends.
type benchBareCommand struct{}

// Run serves and prints the address.
func (*benchBareCommand) Run(out io.Writer) error {
	input := json.NewDecoder(os.Stdin)
	var bodies map[string][]byte
	if err := input.Decode(&bodies); err != nil {
		return fmt.Errorf("read what to answer: %w", err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	server := &http.Server{
		ReadHeaderTimeout: time.Minute,
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body := bodies[r.RequestURI]
			w.Header().Set("Content-Type", "application/json")
			w.Header().Set("Content-Length", strconv.Itoa(len(body)))
			_, _ = w.Write(body) // the benchmark has gone when it fails
		}),
	}
	fmt.Fprintln(out, listener.Addr())
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin) // it ends with the benchmark
		_ = server.Close()
	}()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve: %w", err)
	}
	return nil
}

func startBareServer(ctx context.Context, bodies map[string][]byte) (*benchServer, error) {
	s := new(benchServer)
	said, says := io.Pipe()
	if err := s.start(ctx, says, nil, "bench", "bare"); err != nil {
		return nil, err
	}
	if err := json.NewEncoder(s.stdin).Encode(bodies); err != nil {
		s.stop()
		return nil, fmt.Errorf("tell the bare server what to answer: %w", err)
	}
	line, err := bufio.NewReader(said).ReadString('\n')
	if err != nil {
		s.stop()
		return nil, fmt.Errorf("start the bare server: %w", err)
	}
	s.address = strings.TrimSpace(line)
	return s, nil
}

// askFor sends the request on one connection until the time is up and returns how often it was
// answered with a body of size bytes. It reads no more of an answer than it needs, so that the
// servers are what is measured.
func askFor(
	ctx context.Context, address string, request []byte, size int, lasting time.Duration,
) (int, error) {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", address)
	if err != nil {
		return 0, fmt.Errorf("ask: %w", err)
	}
	defer conn.Close()
	answers := bufio.NewReaderSize(conn, 64<<10)
	count := 0
	for until := time.Now().Add(lasting); time.Now().Before(until); count++ {
		if _, err := conn.Write(request); err != nil {
			return count, fmt.Errorf("ask: %w", err)
		}
		got, err := readHead(answers)
		switch {
		case err != nil:
		case got.status != http.StatusOK:
			err = fmt.Errorf("status %d", got.status)
		case got.length != size:
			err = fmt.Errorf("a body of %d bytes where %d were expected", got.length, size)
		default:
			_, err = answers.Discard(got.length)
		}
		if err != nil {
			return count, fmt.Errorf("read an answer: %w", err)
		}
	}
	return count, nil
}

// head is what a client needs to know of an answer before its body.
type head struct {
	status, length int
	position       int64 // of the log, where the answer names one
}

// readHead reads status line and headers.
func readHead(answers *bufio.Reader) (got head, err error) {
	for first := true; ; first = false {
		line, err := answers.ReadSlice('\n')
		if err != nil {
			return got, err
		}
		text := strings.TrimRight(string(line), "\r\n")
		if text == "" {
			return got, nil
		}
		if first {
			if got.status, err = statusOf(text); err != nil {
				return got, err
			}
			continue
		}
		switch name, value, _ := strings.Cut(text, ": "); name {
		case "Content-Length":
			got.length, err = strconv.Atoi(value)
		case "Koprogo-Position":
			got.position, err = strconv.ParseInt(value, 10, 64)
		}
		if err != nil {
			return got, err
		}
	}
}

func statusOf(line string) (int, error) {
	version, rest, _ := strings.Cut(line, " ")
	code, _, _ := strings.Cut(rest, " ")
	status, err := strconv.Atoi(code)
	if version != "HTTP/1.1" || err != nil {
		return 0, fmt.Errorf("no status line: %q", line)
	}
	return status, nil
}
