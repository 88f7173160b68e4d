package embedded

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// How long an orphaned postmaster may take to end by itself, after the signal for a fast
// shutdown, and after the one for an immediate shutdown.
const (
	patienceItself    = 5 * time.Second
	patienceFast      = 30 * time.Second
	patienceImmediate = 15 * time.Second
)

// endStale sees to it that nothing of an earlier run works on the cluster any more. The caller
// holds the lock, so whatever still runs has lost its server.
func (h home) endStale(ctx context.Context, logger *slog.Logger) error {
	pid, err := h.postmaster()
	if err != nil {
		return err
	}
	if pid != 0 {
		logger.Info("waiting for an earlier PostgreSQL of this data directory to end", "pid", pid)
		if err := h.endPostmaster(ctx, pid); err != nil {
			return err
		}
	}
	if err := h.endOrphans(ctx); err != nil {
		return err
	}
	return h.removeStalePID(logger)
}

// postmaster tells which process serves the cluster, 0 if none does. A number in
// postmaster.pid is believed only if the process runs with this cluster: numbers are reused.
func (h home) postmaster() (int, error) {
	text, err := os.ReadFile(filepath.Join(h.cluster(), "postmaster.pid"))
	if errors.Is(err, os.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("read who serves the database cluster: %w", err)
	}
	line, _, _ := strings.Cut(string(text), "\n")
	pid, _ := strconv.Atoi(strings.TrimSpace(line)) // half a file names nobody
	if pid <= 1 || !h.serves(pid) {
		return 0, nil
	}
	return pid, nil
}

// serves tells whether a process is the postmaster of this cluster. Its command line is what
// every user can read everywhere, unlike its working directory.
func (h home) serves(pid int) bool {
	return slices.Contains(commandLine(pid), h.cluster())
}

func commandLine(pid int) []string {
	text, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "cmdline"))
	if err != nil || len(text) == 0 {
		return nil // gone, or a zombie that nobody has waited for
	}
	return strings.Split(string(bytes.TrimRight(text, "\x00")), "\x00")
}

// endPostmaster waits for a postmaster whose server has died: the kernel has sent it the
// signal for a fast shutdown. Where that did not happen, it sends it.
func (h home) endPostmaster(ctx context.Context, pid int) error {
	for _, step := range []struct {
		signal   syscall.Signal
		patience time.Duration
	}{{0, patienceItself}, {syscall.SIGINT, patienceFast}, {syscall.SIGQUIT, patienceImmediate}} {
		if err := syscall.Kill(pid, step.signal); err != nil && !errors.Is(err, syscall.ESRCH) {
			return fmt.Errorf("end the earlier PostgreSQL, process %d: %w", pid, err)
		}
		gone, err := poll(ctx, step.patience, func() bool { return !h.serves(pid) })
		if gone || err != nil {
			return err
		}
	}
	return fmt.Errorf("the earlier PostgreSQL of %s, process %d, does not end", h.data, pid)
}

// endOrphans ends what a killed postmaster left behind: its children keep the shared memory,
// and with it a new postmaster from starting, until they notice, which a long query does late.
func (h home) endOrphans(ctx context.Context) error {
	for _, step := range []struct {
		signal   syscall.Signal
		patience time.Duration
	}{{0, 500 * time.Millisecond}, {syscall.SIGQUIT, time.Second}, {syscall.SIGKILL, time.Second}} {
		for _, pid := range h.orphans() {
			_ = syscall.Kill(pid, step.signal) // it may have ended meanwhile
		}
		gone, err := poll(ctx, step.patience, func() bool { return len(h.orphans()) == 0 })
		if gone || err != nil {
			return err
		}
	}
	return fmt.Errorf("processes of an earlier PostgreSQL of %s do not end: %v", h.data, h.orphans())
}

// orphans lists the children of this cluster's postmaster, which carry the cluster's name in
// their titles.
func (h home) orphans() []int {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil // no /proc: PostgreSQL itself still refuses shared memory in use
	}
	title := "postgres: " + h.name() + ": "
	var found []int
	for _, entry := range entries {
		pid, err := strconv.Atoi(entry.Name())
		if err != nil {
			continue
		}
		line := commandLine(pid)
		if len(line) == 0 || !strings.HasPrefix(line[0], title) {
			continue
		}
		info, err := entry.Info()
		if err != nil || info.Sys().(*syscall.Stat_t).Uid != h.owner.uid {
			continue
		}
		found = append(found, pid)
	}
	return found
}

// removeStalePID removes a postmaster.pid that names a living process which is none of ours:
// PostgreSQL would refuse to start for as long as that process lives. Neither a postmaster nor
// children of one remain when this is called.
func (h home) removeStalePID(logger *slog.Logger) error {
	pid, err := h.postmaster()
	if err != nil {
		return err
	}
	if pid != 0 {
		return fmt.Errorf("another PostgreSQL, process %d, serves the cluster of %s", pid, h.data)
	}
	err = os.Remove(filepath.Join(h.cluster(), "postmaster.pid"))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("remove the mark of an earlier PostgreSQL: %w", err)
	}
	logger.Info("the database cluster was not shut down; PostgreSQL recovers it")
	return nil
}

// clearSocket removes the socket of an ended postmaster, whose lock PostgreSQL would respect
// for as long as the process is a zombie. It stands in a directory that no other cluster uses.
func (p *Postgres) clearSocket() error {
	socket := filepath.Join(p.socketDir, ".s.PGSQL."+strconv.Itoa(p.cfg.port()))
	for _, path := range []string{socket, socket + ".lock"} {
		if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("remove the socket of an earlier PostgreSQL: %w", err)
		}
	}
	return nil
}

// poll asks until the answer is yes or patience ends; the error is the context's.
func poll(ctx context.Context, patience time.Duration, done func() bool) (bool, error) {
	end := time.NewTimer(patience)
	defer end.Stop()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		if done() {
			return true, nil
		}
		select {
		case <-ctx.Done():
			return false, fmt.Errorf("wait for an earlier PostgreSQL: %w", ctx.Err())
		case <-end.C:
			return done(), nil
		case <-tick.C:
		}
	}
}
