package embedded

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// Between failed starts the supervisor waits twice as long each time, within these bounds.
const (
	firstPause = 100 * time.Millisecond
	lastPause  = 5 * time.Second
)

// supervise starts PostgreSQL again whenever it dies, at once the first time, until asked to
// end; then it shuts it down.
func (p *Postgres) supervise(ctx context.Context, exited <-chan error) {
	defer close(p.gone)
	for {
		select {
		case <-ctx.Done():
			p.ready.Store(false)
			p.stopErr = end(context.Background(), p.PID(), exited)
			p.pid.Store(0)
			return
		case err := <-exited:
			p.ready.Store(false)
			p.pid.Store(0)
			p.cfg.Logger.Error("PostgreSQL died and is started again", "exit", fmt.Sprint(err))
		}
		if exited = p.relaunch(ctx); exited == nil {
			return
		}
		p.restarts.Add(1)
	}
}

// relaunch tries until it succeeds; nil when asked to end meanwhile.
func (p *Postgres) relaunch(ctx context.Context) <-chan error {
	pause := firstPause
	for {
		exited, err := p.launch(ctx)
		if err == nil {
			return exited
		}
		if ctx.Err() != nil {
			return nil
		}
		p.cfg.Logger.Error("PostgreSQL does not start", "error", err, "again_in", pause.String())
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(pause):
		}
		pause = min(2*pause, lastPause)
	}
}

// Stop shuts PostgreSQL down, ending open transactions, and gives the data directory free.
// It may be called more than once. The context bounds the waiting, not the shutdown, which
// turns immediate by itself when it takes long.
func (p *Postgres) Stop(ctx context.Context) error {
	p.stop()
	select {
	case <-p.gone:
	case <-ctx.Done():
		return fmt.Errorf("wait for PostgreSQL to end: %w", ctx.Err())
	}
	p.stopOnce.Do(func() {
		p.stopErr = errors.Join(p.stopErr, p.leave())
	})
	return p.stopErr
}

// leave removes what told others where PostgreSQL ran, and the lock last.
func (p *Postgres) leave() error {
	errRuntime := os.Remove(p.home.runtimeFile())
	var errSocket error
	if filepath.Dir(p.socketDir) != p.home.path {
		errSocket = os.Remove(p.socketDir)
	}
	for _, err := range []*error{&errRuntime, &errSocket} {
		if errors.Is(*err, os.ErrNotExist) {
			*err = nil
		}
	}
	return errors.Join(errRuntime, errSocket, p.lock.Close())
}
