package embedded

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// childEnvironment is what children see: enough to run, and none of the server's secrets or
// the PG* variables of whoever started it.
func childEnvironment() []string {
	path := os.Getenv("PATH")
	if path == "" {
		path = "/usr/local/bin:/usr/bin:/bin"
	}
	return []string{"PATH=" + path, "LC_ALL=C", "TZ=UTC"}
}

// child prepares a program that runs as the account, in a session of its own so that Ctrl-C
// reaches the server alone, and gets the signal when this process dies.
func (a account) child(dir string, death syscall.Signal, program string, args ...string) *exec.Cmd {
	cmd := exec.Command(program, args...)
	cmd.Dir = dir
	cmd.Env = childEnvironment()
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Credential: a.credential()}
	dieWithParent(cmd.SysProcAttr, death)
	return cmd
}

// startHeld starts a program and waits for it on one and the same operating system thread:
// Linux sends the parent's death signal when the thread that forked ends.
func startHeld(cmd *exec.Cmd) (exited <-chan error, err error) {
	started, ended := make(chan error, 1), make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		if err := cmd.Start(); err != nil {
			started <- fmt.Errorf("start %s: %w", cmd.Path, err)
			return
		}
		started <- nil
		ended <- cmd.Wait()
	}()
	if err := <-started; err != nil {
		return nil, err
	}
	return ended, nil
}

// run runs a program to its end; its error carries the end of what the program said.
func (a account) run(ctx context.Context, dir, input, program string, args ...string) error {
	cmd := a.child(dir, syscall.SIGKILL, program, args...)
	var said strings.Builder
	cmd.Stdout, cmd.Stderr = &said, &said
	cmd.Stdin = strings.NewReader(input)
	cmd.WaitDelay = 5 * time.Second // for grandchildren that keep the pipe open
	exited, err := startHeld(cmd)
	if err != nil {
		return err
	}
	select {
	case err = <-exited:
	case <-ctx.Done():
		_ = cmd.Process.Kill() // it may have ended meanwhile
		<-exited
		err = ctx.Err()
	}
	if err != nil {
		return fmt.Errorf("%s: %w: %s", filepath.Base(program), err, tail(said.String()))
	}
	return nil
}
