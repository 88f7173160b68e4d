package embedded

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

const (
	defaultMaxConns = 10
	// spareConns serve commands beside the server, the supervisor and PostgreSQL's reserve.
	spareConns = 20
	socketPort = 5432

	firstStartTimeout = 5 * time.Minute
	shutdownPatience  = 30 * time.Second
)

// PostgresConfig says what to run and where.
type PostgresConfig struct {
	// DataDir is the product's data directory; PostgreSQL uses DataDir/postgres.
	DataDir string
	// Logger hears of starts, ends and restarts; nil: slog.Default().
	Logger *slog.Logger
	// MaxConns is how many connections the server's pools may open together; 0: 10.
	MaxConns int
	// ExtraSettings go over the settings of this package (postgresql.conf names).
	ExtraSettings map[string]string
	// TCPPort also listens on 127.0.0.1, with a password; 0: on the socket only.
	TCPPort int
	// Throwaway gives durability up for speed: for clusters that tests delete.
	Throwaway bool
}

func (c PostgresConfig) port() int {
	if c.TCPPort != 0 {
		return c.TCPPort
	}
	return socketPort
}

// throwawaySettings make a cluster quick that nobody will miss.
var throwawaySettings = map[string]string{
	"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off",
	"wal_level": "minimal", "max_wal_senders": "0", "max_wal_size": "4GB",
}

func (c PostgresConfig) withDefaults() PostgresConfig {
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	if c.MaxConns <= 0 {
		c.MaxConns = defaultMaxConns
	}
	if c.Throwaway {
		settings := make(map[string]string)
		for name, value := range throwawaySettings {
			settings[name] = value
		}
		for name, value := range c.ExtraSettings {
			settings[name] = value
		}
		c.ExtraSettings = settings
	}
	return c
}

// Postgres is a running PostgreSQL, started again whenever it dies.
type Postgres struct {
	cfg       PostgresConfig
	home      home
	install   Installation
	socketDir string
	password  string
	lock      *os.File

	ready    atomic.Bool
	restarts atomic.Int64
	pid      atomic.Int64

	stop     context.CancelFunc // asks the supervisor to end
	gone     chan struct{}      // closed when it has
	stopOnce sync.Once
	stopErr  error
}

// StartPostgres starts the PostgreSQL of a data directory, making its cluster first if there
// is none, and returns when it takes connections. It keeps it running until Stop.
//
// Returns ErrNoPostgres without server binaries, ErrMajorVersion for a cluster of a version
// that is not installed, and *InUseError when another process uses the directory.
func StartPostgres(ctx context.Context, cfg PostgresConfig) (*Postgres, error) {
	cfg = cfg.withDefaults()
	found, err := FindPostgres(ctx)
	if err != nil {
		return nil, err
	}
	h, err := openHome(ctx, cfg.DataDir, found[0].program("postgres"), cfg.Logger)
	if err != nil {
		return nil, err
	}
	lock, err := lockFile(h.lockFile(), h.data, h.owner)
	if err != nil {
		return nil, err
	}
	p := &Postgres{cfg: cfg, home: h, lock: lock, gone: make(chan struct{})}
	if err := p.open(ctx, found); err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	return p, nil
}

func (p *Postgres) open(ctx context.Context, found []Installation) error {
	ctx, cancel := context.WithTimeout(ctx, firstStartTimeout)
	defer cancel()
	var err error
	if p.install, err = installationFor(p.home.cluster(), found); err != nil {
		return err
	}
	if err = p.home.makeCluster(ctx, p.install, !p.cfg.Throwaway); err != nil {
		return err
	}
	if p.password, err = p.home.readPassword(); err != nil {
		return err
	}
	if p.socketDir, err = p.home.socketDir(); err != nil {
		return err
	}
	exited, err := p.launch(ctx)
	if err != nil {
		return err
	}
	supervised, stop := context.WithCancel(context.Background())
	p.stop = stop
	go p.supervise(supervised, exited)
	return nil
}

// launch starts a postmaster once and waits until it takes connections. On an error no
// postmaster runs.
func (p *Postgres) launch(ctx context.Context) (exited <-chan error, err error) {
	began := time.Now()
	if err := p.home.endStale(ctx, p.cfg.Logger); err != nil {
		return nil, err
	}
	if err := p.clearSocket(); err != nil {
		return nil, err
	}
	if err := p.home.configure(p.cfg, p.socketDir); err != nil {
		return nil, err
	}
	cmd, exited, err := p.spawn()
	if err != nil {
		return nil, err
	}
	if err := p.awaitReady(ctx, cmd, exited); err != nil {
		return nil, err
	}
	p.pid.Store(int64(cmd.Process.Pid))
	if err := p.home.writeRuntime(p.runtime()); err != nil {
		return nil, errors.Join(err, end(context.WithoutCancel(ctx), cmd.Process.Pid, exited))
	}
	p.ready.Store(true)
	p.cfg.Logger.Info("PostgreSQL takes connections", "version", p.install.Major,
		"pid", cmd.Process.Pid, "user", p.home.owner.name, "took", time.Since(began).String())
	return exited, nil
}

func (p *Postgres) spawn() (*exec.Cmd, <-chan error, error) {
	cmd := p.home.owner.child(p.home.path, syscall.SIGINT, p.install.program("postgres"),
		"-D", p.home.cluster())
	if err := p.home.owner.writeFile(p.home.startupLog(), nil); err != nil {
		return nil, nil, err
	}
	// A file, not a pipe: PostgreSQL must be able to write when this process is dead.
	said, err := os.OpenFile(p.home.startupLog(), os.O_WRONLY|os.O_APPEND|syscall.O_NOFOLLOW, 0)
	if err != nil {
		return nil, nil, fmt.Errorf("open PostgreSQL's start log: %w", err)
	}
	defer said.Close()
	cmd.Stdout, cmd.Stderr = said, said
	exited, err := startHeld(cmd)
	return cmd, exited, err
}

func (p *Postgres) awaitReady(ctx context.Context, cmd *exec.Cmd, exited <-chan error) error {
	began := time.Now()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		if ping(p.socketDir, p.cfg.port()) == nil {
			return nil
		}
		select {
		case err := <-exited:
			return fmt.Errorf("PostgreSQL ended while starting (%w): %s", err,
				p.home.lastWords(began.Add(-time.Second)))
		case <-ctx.Done():
			err := end(context.WithoutCancel(ctx), cmd.Process.Pid, exited)
			return errors.Join(fmt.Errorf("wait for PostgreSQL to start: %w", ctx.Err()), err)
		case <-tick.C:
		}
	}
}

// end shuts a postmaster down: fast, and at once when that takes longer than the context or
// shutdownPatience allow.
func end(ctx context.Context, pid int, exited <-chan error) error {
	ctx, cancel := context.WithTimeout(ctx, shutdownPatience)
	defer cancel()
	_ = syscall.Kill(pid, syscall.SIGINT) // it may have ended already
	select {
	case <-exited:
		return nil
	case <-ctx.Done():
	}
	_ = syscall.Kill(pid, syscall.SIGQUIT)
	select {
	case <-exited:
		return nil
	case <-time.After(patienceImmediate):
		return fmt.Errorf("PostgreSQL, process %d, does not end", pid)
	}
}

// URL is the application's way in: the login koprogo on the database koprogo, which it owns;
// it may create roles and is no superuser.
func (p *Postgres) URL() string {
	return p.home.url(applicationLogin, applicationDatabase, p.socketDir, p.cfg.port())
}

// SuperuserURL is the superuser's way into a database.
func (p *Postgres) SuperuserURL(database string) string {
	return p.home.url(superuser, database, p.socketDir, p.cfg.port())
}

// SuperuserTCPURL is the superuser's way in over TCP, "" unless TCPPort was given.
func (p *Postgres) SuperuserTCPURL(database string) string {
	if p.cfg.TCPPort == 0 {
		return ""
	}
	address := url.URL{
		Scheme: "postgres", User: url.UserPassword(superuser, p.password),
		Host: "127.0.0.1:" + strconv.Itoa(p.cfg.TCPPort), Path: "/" + database,
		RawQuery: "sslmode=disable",
	}
	return address.String()
}

func (h home) url(login, database, socketDir string, port int) string {
	query := url.Values{"host": {socketDir}, "port": {strconv.Itoa(port)}, "sslmode": {"disable"}}
	return "postgres://" + login + "@/" + url.PathEscape(database) + "?" + query.Encode()
}

// Ready tells whether PostgreSQL has taken connections since it last started.
func (p *Postgres) Ready() bool { return p.ready.Load() }

// Restarts counts how often PostgreSQL died and was started again.
func (p *Postgres) Restarts() int64 { return p.restarts.Load() }

// PID is the process id of the postmaster, 0 while none runs.
func (p *Postgres) PID() int { return int(p.pid.Load()) }

// Major is the major version that runs.
func (p *Postgres) Major() int { return p.install.Major }

// Exited is closed when PostgreSQL has ended for good, which only Stop brings about.
func (p *Postgres) Exited() <-chan struct{} { return p.gone }
