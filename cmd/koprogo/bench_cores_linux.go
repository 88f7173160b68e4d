package main

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// onCores runs start so that the process it starts, and what that one starts, stay on cores.
func onCores(cores []int, start func() error) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var before, these unix.CPUSet
	if err := unix.SchedGetaffinity(0, &before); err != nil {
		return fmt.Errorf("ask for this thread's cores: %w", err)
	}
	for _, core := range cores {
		these.Set(core)
	}
	if err := unix.SchedSetaffinity(0, &these); err != nil {
		return fmt.Errorf("keep a process on cores %v: %w", cores, err)
	}
	// A child has the cores of the thread that makes it.
	return errors.Join(start(), unix.SchedSetaffinity(0, &before))
}

// stayOnCore keeps this process on a core from here on.
func stayOnCore(core int) error {
	var one unix.CPUSet
	one.Set(core)
	threads, err := os.ReadDir("/proc/self/task")
	if err != nil {
		return fmt.Errorf("list this process's threads: %w", err)
	}
	for _, thread := range threads {
		id, err := strconv.Atoi(thread.Name())
		if err != nil {
			return fmt.Errorf("list this process's threads: %w", err)
		}
		err = unix.SchedSetaffinity(id, &one)
		if err != nil && !errors.Is(err, unix.ESRCH) { // one may have ended
			return fmt.Errorf("keep this process on core %d: %w", core, err)
		}
	}
	runtime.GOMAXPROCS(1)
	return nil
}

// cores lists those that this process may use.
func cores() ([]int, error) {
	var may unix.CPUSet
	if err := unix.SchedGetaffinity(0, &may); err != nil {
		return nil, fmt.Errorf("ask for this process's cores: %w", err)
	}
	var list []int
	for core := range len(may) * 64 {
		if may.IsSet(core) {
			list = append(list, core)
		}
	}
	return list, nil
}

// sleepUntil sleeps to within the kernel's slack of an instant, 50 µs: the runtime's own timers are
// up to a millisecond late.
func sleepUntil(at time.Time) {
	for left := time.Until(at); left > 0; left = time.Until(at) {
		interval := unix.NsecToTimespec(left.Nanoseconds())
		_ = unix.Nanosleep(&interval, nil) // a signal ends it early: the loop goes on
	}
}
