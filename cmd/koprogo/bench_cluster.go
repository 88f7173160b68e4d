package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"syscall"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/koprogo/koprogo/deploy/embedded"
	"github.com/koprogo/koprogo/eventstore"
	"github.com/koprogo/koprogo/migrations"
)

// benchCluster is a durable PostgreSQL for one benchmark, with the log in it.
type benchCluster struct {
	dir      string
	postgres *embedded.Postgres
	store    *eventstore.Store
	version  string
}

// benchSettings keep enough of the write-ahead log's files for a run: a server that has run for an
// hour writes over old ones, a fresh one would stop for each new file. Durability is the default.
var benchSettings = map[string]string{"min_wal_size": "1GB", "max_wal_size": "4GB"}

// prepareWAL makes the files that benchSettings keep.
func (c *benchCluster) prepareWAL(ctx context.Context) error {
	pool, err := c.superuser(ctx, 1)
	if err != nil {
		return err
	}
	defer pool.Close()
	for range 40 {
		_, err := pool.Exec(ctx, "select pg_logical_emit_message(true, 'bench', 'x')")
		if err == nil {
			_, err = pool.Exec(ctx, "select pg_switch_wal()")
		}
		if err != nil {
			return fmt.Errorf("fill the write-ahead log's files: %w", err)
		}
	}
	if _, err := pool.Exec(ctx, "checkpoint"); err != nil {
		return fmt.Errorf("settle the cluster: %w", err)
	}
	return nil
}

// startBenchCluster makes the cluster in dir (a temporary directory when it is empty).
func startBenchCluster(ctx context.Context, dir string) (*benchCluster, error) {
	logger := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError}))
	dir, err := os.MkdirTemp(dir, "koprogo-bench-")
	if err != nil {
		return nil, fmt.Errorf("make a directory for the benchmark: %w", err)
	}
	c := &benchCluster{dir: dir}
	c.postgres, err = embedded.StartPostgres(ctx, embedded.PostgresConfig{
		DataDir: dir, Logger: logger, MaxConns: 160, ExtraSettings: benchSettings,
	})
	if err != nil {
		c.close()
		return nil, err
	}
	if err := migrations.Migrate(ctx, migrations.Options{URL: c.postgres.URL()}); err != nil {
		c.close()
		return nil, err
	}
	c.store, err = eventstore.Open(ctx, eventstore.Config{URL: c.postgres.URL(), Logger: logger})
	if err != nil {
		c.close()
		return nil, err
	}
	if err := c.prepareWAL(ctx); err != nil {
		c.close()
		return nil, err
	}
	err = c.store.Pool(eventstore.RoleJobs).QueryRow(ctx, "show server_version").Scan(&c.version)
	if err != nil {
		c.close()
		return nil, fmt.Errorf("ask PostgreSQL for its version: %w", err)
	}
	return c, nil
}

func (c *benchCluster) close() {
	if c.store != nil {
		c.store.Close()
	}
	if c.postgres != nil {
		_ = c.postgres.Stop(context.Background()) // the directory goes anyway
	}
	_ = embedded.RemoveDataDir(c.dir)
}

// superuser opens connections that may make tables for a yardstick.
func (c *benchCluster) superuser(ctx context.Context, conns int) (*pgxpool.Pool, error) {
	config, err := pgxpool.ParseConfig(c.postgres.SuperuserURL("koprogo"))
	if err != nil {
		return nil, fmt.Errorf("read the cluster's address: %w", err)
	}
	config.MaxConns = int32(conns)
	return pgxpool.NewWithConfig(ctx, config)
}

// cpuSeconds is what this process and every process of the cluster have used so far.
func (c *benchCluster) cpuSeconds() float64 {
	var own syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &own)
	postmaster, others := treeOf(c.postgres.PID()).cpuSeconds()
	return seconds(own.Utime) + seconds(own.Stime) + postmaster + others
}

func seconds(t syscall.Timeval) float64 { return float64(t.Sec) + float64(t.Usec)/1e6 }

// reportTo prints what was measured on the cluster.
func (c *benchCluster) reportTo(out io.Writer, measured []measurement, asJSON bool) error {
	return printBenchmarks(out, benchReport{
		Benchmarks: measured, Machine: machine(c.version),
	}, asJSON)
}

// settle writes statistics and dirty pages, so that neither side of a comparison pays for what
// was filled in before it.
func (c *benchCluster) settle(ctx context.Context) error {
	pool, err := c.superuser(ctx, 1)
	if err != nil {
		return err
	}
	defer pool.Close()
	for _, sql := range []string{"vacuum (analyze) log.events", "checkpoint"} {
		if _, err := pool.Exec(ctx, sql); err != nil {
			return fmt.Errorf("let the cluster settle: %w", err)
		}
	}
	return nil
}
