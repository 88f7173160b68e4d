// Command testcluster runs a command beside a throwaway PostgreSQL that all its tests share:
//
//	testcluster go test ./...
//
// The command finds it in KOPROGO_TEST_POSTGRES (the superuser's URL over a socket) and
// KOPROGO_TEST_POSTGRES_TCP (the same over 127.0.0.1). testcluster exits as the command does,
// 125 when it could not run it.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"syscall"

	"github.com/koprogo/koprogo/deploy/embedded/embeddedtest"
)

const exitNotRun = 125

func main() {
	args := os.Args[1:]
	if len(args) > 0 && args[0] == "--" {
		args = args[1:]
	}
	if len(args) == 0 {
		fmt.Fprintln(os.Stderr, "usage: testcluster COMMAND [ARGUMENT ...]")
		os.Exit(exitNotRun)
	}
	code, err := run(args)
	if err != nil {
		fmt.Fprintln(os.Stderr, "testcluster:", err)
		code = max(code, 1)
	}
	os.Exit(code)
}

func run(args []string) (code int, err error) {
	// A signal ends the command; the cluster ends after it.
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	cluster, err := embeddedtest.StartCluster(context.Background())
	if err != nil {
		return exitNotRun, err
	}
	defer func() { err = errors.Join(err, cluster.Close()) }()
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.Env = append(os.Environ(),
		embeddedtest.EnvURL+"="+cluster.SuperuserURL("postgres"),
		embeddedtest.EnvTCPURL+"="+cluster.SuperuserTCPURL("postgres"))
	if err := cmd.Start(); err != nil {
		return exitNotRun, fmt.Errorf("start the command: %w", err)
	}
	go func() {
		for s := range signals {
			_ = cmd.Process.Signal(s) // it may have ended already
		}
	}()
	var failure *exec.ExitError
	if err := cmd.Wait(); errors.As(err, &failure) {
		return exitCode(failure), nil
	} else if err != nil {
		return exitNotRun, fmt.Errorf("run the command: %w", err)
	}
	return 0, nil
}

// exitCode is what a shell would give: 128 and the signal for a command ended by one.
func exitCode(failure *exec.ExitError) int {
	if status, ok := failure.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return 128 + int(status.Signal())
	}
	return failure.ExitCode()
}
