package embedded

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
)

const (
	// natsMaxStore leaves room for the relay's stream (24 MiB) and its consumers.
	natsMaxStore  = 512 << 20
	natsMaxMemory = 16 << 20
	natsSync      = 30 * time.Second

	natsStartPatience = 20 * time.Second
	natsLookInterval  = 500 * time.Millisecond
)

// ErrNATSDown says that the NATS server inside the process is being started again or stopped.
var ErrNATSDown = errors.New("the embedded NATS is not running")

// NATSConfig says where JetStream keeps its files.
type NATSConfig struct {
	// Dir is JetStream's own directory; what stands in it may be deleted at any time.
	Dir string
	// Logger hears what the NATS server says; nil: slog.Default().
	Logger *slog.Logger
}

// NATS is a NATS server with JetStream inside this process. It listens on no network.
//
// Nothing in it is irreplaceable: when its files are deleted or cannot be written, the server
// is started anew with an empty store, and whoever publishes makes his streams again. Such a
// loss shows as a reconnection of every connection.
type NATS struct {
	cfg  NATSConfig
	lock *os.File

	mu      sync.Mutex
	running *server.Server // nil while none runs

	faulty   atomic.Bool // the store could not be written
	restarts atomic.Int64
	stop     context.CancelFunc
	gone     chan struct{}
	stopOnce sync.Once
	stopErr  error
}

// StartNATS starts the server on the directory's store, or on an empty one when the store
// cannot be read. Returns *InUseError when another process uses the directory.
func StartNATS(cfg NATSConfig) (*NATS, error) {
	if cfg.Logger == nil {
		cfg.Logger = slog.Default()
	}
	dir, err := filepath.Abs(cfg.Dir)
	if err != nil {
		return nil, fmt.Errorf("find the directory of NATS: %w", err)
	}
	cfg.Dir = dir
	if _, err := makeDataDir(filepath.Dir(dir)); err != nil {
		return nil, err
	}
	// Beside the directory: it outlives the directory's deletion.
	lock, err := lockFile(dir+".lock", dir, account{})
	if err != nil {
		return nil, err
	}
	n := &NATS{cfg: cfg, lock: lock, gone: make(chan struct{})}
	if err := n.start(); err != nil {
		cfg.Logger.Warn("NATS does not start on its store and gets an empty one", "error", err)
		if err := n.startEmpty(); err != nil {
			return nil, errors.Join(err, lock.Close())
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	n.stop = cancel
	go n.supervise(ctx)
	return n, nil
}

// Connect opens a connection inside the process. It reconnects for as long as the server
// lives, over restarts too; the options given go over these.
func (n *NATS) Connect(options ...nats.Option) (*nats.Conn, error) {
	all := append([]nats.Option{
		nats.InProcessServer(n),
		nats.MaxReconnects(-1),
		nats.ReconnectWait(100 * time.Millisecond),
		nats.ReconnectJitter(50*time.Millisecond, 50*time.Millisecond),
	}, options...)
	conn, err := nats.Connect("", all...)
	if err != nil {
		return nil, fmt.Errorf("connect to the embedded NATS: %w", err)
	}
	return conn, nil
}

// InProcessConn is what nats.InProcessServer asks for at every connection and reconnection.
func (n *NATS) InProcessConn() (net.Conn, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.running == nil {
		return nil, ErrNATSDown
	}
	return n.running.InProcessConn()
}

// Ready tells whether the server runs and JetStream stores.
func (n *NATS) Ready() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.running != nil && n.running.JetStreamEnabled() && !n.faulty.Load()
}

// Restarts counts how often the server was started anew with an empty store.
func (n *NATS) Restarts() int64 { return n.restarts.Load() }

// Stop ends the server with everything written, and gives the directory free. It may be
// called more than once.
func (n *NATS) Stop() error {
	n.stop()
	<-n.gone
	n.stopOnce.Do(func() {
		n.halt()
		n.stopErr = n.lock.Close()
	})
	return n.stopErr
}

// start starts a server on what stands in the directory.
func (n *NATS) start() error {
	if err := os.MkdirAll(n.cfg.Dir, 0o700); err != nil {
		return fmt.Errorf("make the directory of NATS: %w", err)
	}
	if err := os.WriteFile(n.mark(), []byte(rand.Text()+"\n"), 0o600); err != nil {
		return fmt.Errorf("mark the directory of NATS: %w", err)
	}
	n.faulty.Store(false)
	s, err := server.NewServer(&server.Options{
		ServerName: "koprogo", DontListen: true, NoSigs: true,
		JetStream: true, StoreDir: n.cfg.Dir, JetStreamMaxMemory: natsMaxMemory,
		JetStreamMaxStore: natsMaxStore, SyncInterval: natsSync, DisableJetStreamBanner: true,
	})
	if err != nil {
		return fmt.Errorf("set NATS up: %w", err)
	}
	said := &natsLog{logger: n.cfg.Logger, faulty: &n.faulty}
	s.SetLoggerV2(said, false, false, false)
	s.Start()
	if said.fatal.Load() || !s.ReadyForConnections(natsStartPatience) || !s.JetStreamEnabled() {
		s.Shutdown()
		s.WaitForShutdown()
		return errors.New("start NATS: JetStream does not come up")
	}
	n.mu.Lock()
	n.running = s
	n.mu.Unlock()
	return nil
}

func (n *NATS) startEmpty() error {
	if err := os.RemoveAll(n.cfg.Dir); err != nil {
		return fmt.Errorf("empty the store of NATS: %w", err)
	}
	return n.start()
}

// halt ends the running server, if there is one.
func (n *NATS) halt() {
	n.mu.Lock()
	s := n.running
	n.running = nil
	n.mu.Unlock()
	if s != nil {
		s.Shutdown()
		s.WaitForShutdown()
	}
}

// mark is a file whose absence shows that the directory was deleted, even when JetStream has
// made parts of it again.
func (n *NATS) mark() string { return filepath.Join(n.cfg.Dir, "store") }

// supervise looks after the store and starts anew when it is lost; between attempts it waits
// longer and longer, as a full disk stays full for a while.
func (n *NATS) supervise(ctx context.Context) {
	defer close(n.gone)
	look := time.NewTicker(natsLookInterval)
	defer look.Stop()
	doubts, pause := 0, natsLookInterval
	wellSince := time.Now()
	for {
		select {
		case <-ctx.Done():
			return
		case <-look.C:
		}
		if fault := n.fault(); fault == "" {
			doubts = 0
			if time.Since(wellSince) > time.Minute {
				pause = natsLookInterval
			}
			continue
		} else if doubts++; doubts < 2 {
			continue // a stream that is being deleted looks the same for a moment
		} else {
			n.cfg.Logger.Warn("NATS lost its store and starts with an empty one", "fault", fault)
		}
		if !n.recover(ctx, &pause) {
			return
		}
		doubts, wellSince = 0, time.Now()
	}
}

// recover starts with an empty store, until that succeeds; false when asked to end meanwhile.
func (n *NATS) recover(ctx context.Context, pause *time.Duration) bool {
	n.halt()
	for {
		err := n.startEmpty()
		if err == nil {
			n.restarts.Add(1)
			return true
		}
		n.cfg.Logger.Error("NATS does not start", "error", err, "again_in", pause.String())
		select {
		case <-ctx.Done():
			return false
		case <-time.After(*pause):
		}
		*pause = min(2**pause, lastPause)
	}
}

// fault says what is wrong with the store, "" if nothing is.
func (n *NATS) fault() string {
	n.mu.Lock()
	s := n.running
	n.mu.Unlock()
	switch {
	case s == nil || !s.Running():
		return "the server ended"
	case !s.JetStreamEnabled():
		return "JetStream has switched itself off"
	case n.faulty.Load():
		return "the store could not be written"
	}
	if _, err := os.Stat(n.mark()); errors.Is(err, os.ErrNotExist) {
		return "its directory was deleted"
	}
	streams, err := s.Jsz(&server.JSzOptions{Accounts: true, Streams: true})
	if err != nil {
		return "" // shutting down; the next look tells
	}
	for _, a := range streams.AccountDetails {
		for _, stream := range a.Streams {
			dir := filepath.Join(streams.Config.StoreDir, a.Name, "streams", stream.Name, "msgs")
			if _, err := os.Stat(dir); errors.Is(err, os.ErrNotExist) {
				return "the directory of a stream was deleted"
			}
		}
	}
	return ""
}
