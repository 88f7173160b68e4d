package embedded

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"syscall"
)

// InUseError says that another process uses a data directory.
type InUseError struct {
	Dir string
	PID int // 0 when unknown
}

// Error is a sentence for whoever starts a second server.
func (e *InUseError) Error() string {
	if e.PID == 0 {
		return fmt.Sprintf("the data directory %s is in use by another process", e.Dir)
	}
	return fmt.Sprintf("the data directory %s is in use by process %d", e.Dir, e.PID)
}

// lockFile takes the lock of a directory, which the kernel releases when this process ends,
// however it ends. Children do not inherit it. Returns *InUseError when another holds it.
func lockFile(path, dir string, owner account) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR|syscall.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the lock of %s: %w", dir, err)
	}
	if err := takeLock(f, path, dir, owner); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

func takeLock(f *os.File, path, dir string, owner account) error {
	err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		text, _ := io.ReadAll(io.LimitReader(f, 20)) // unreadable is as good as unknown
		pid, _ := strconv.Atoi(strings.TrimSpace(string(text)))
		return &InUseError{Dir: dir, PID: pid}
	}
	if err != nil {
		return fmt.Errorf("lock %s: %w", dir, err)
	}
	if err := owner.own(path); err != nil {
		return err
	}
	if err := f.Truncate(0); err != nil {
		return fmt.Errorf("write the lock of %s: %w", dir, err)
	}
	if _, err := f.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0); err != nil {
		return fmt.Errorf("write the lock of %s: %w", dir, err)
	}
	return nil
}
