package main

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/koprogo/koprogo/deploy/embedded"
	"github.com/koprogo/koprogo/eventstore"
	"github.com/koprogo/koprogo/migrations"
)

// database is the PostgreSQL that a command works on.
type database struct {
	url      string
	embedded *embedded.Postgres // nil for DATABASE_URL, and beside a running server
	given    bool               // by DATABASE_URL
	logger   *slog.Logger
}

// startDatabase is a server's: the one of DATABASE_URL, or the data directory's own, which no
// other server may be using.
func (w where) startDatabase(ctx context.Context, logger *slog.Logger) (*database, error) {
	if w.DatabaseURL != "" {
		return &database{url: w.DatabaseURL, given: true, logger: logger}, nil
	}
	server, err := embedded.StartPostgres(ctx, embedded.PostgresConfig{
		DataDir: w.DataDir, Logger: logger, MaxConns: w.DBMaxConns,
	})
	if err != nil {
		return nil, fmt.Errorf("start the embedded PostgreSQL: %w", err)
	}
	return &database{url: server.URL(), embedded: server, logger: logger}, nil
}

// findDatabase is a command's: it works beside the server of the same data directory, and starts
// the embedded PostgreSQL itself when none runs.
func (w where) findDatabase(ctx context.Context, logger *slog.Logger) (*database, error) {
	if w.DatabaseURL == "" {
		if url, running := embedded.AttachPostgres(w.DataDir); running {
			return &database{url: url, logger: logger}, nil
		}
	}
	return w.startDatabase(ctx, logger)
}

// named says in an error which setting names the database.
func (d *database) named(err error) error {
	if err == nil || !d.given {
		return err
	}
	return fmt.Errorf("the database of DATABASE_URL: %w", err)
}

// close stops the PostgreSQL that this process started.
func (d *database) close() {
	if d.embedded == nil {
		return
	}
	if err := d.embedded.Stop(context.Background()); err != nil {
		d.logger.Error("the embedded PostgreSQL did not stop cleanly", "error", err)
	}
}

// migrate brings an embedded database to this program's state. One that is given by DATABASE_URL
// is migrated by `koprogo migrate`, and refused while it lags behind.
func (d *database) migrate(ctx context.Context, given bool) error {
	if !given {
		return d.named(migrations.Migrate(ctx, migrations.Options{URL: d.url, Logger: d.logger}))
	}
	pending, err := migrations.Pending(ctx, d.url)
	if err != nil {
		return d.named(fmt.Errorf("look at the database's migrations: %w", err))
	}
	if len(pending) > 0 {
		return fmt.Errorf("the database lacks %d migrations: run koprogo migrate", len(pending))
	}
	return nil
}

// openLog opens the database's log. It refuses another master key than the one that wraps the
// database's keys: what would be written under it, nobody could read beside what is there.
func (d *database) openLog(
	ctx context.Context, config eventstore.Config,
) (*eventstore.Store, error) {
	config.URL = d.url
	store, err := eventstore.Open(ctx, config)
	if err != nil {
		return nil, d.named(err)
	}
	if _, err := store.Keyring().ClaimHMAC(ctx, eventstore.Platform, "", ""); err != nil {
		store.Close()
		return nil, fmt.Errorf("try the key of MASTER_KEY_FILE on the database: %w", err)
	}
	return store, nil
}

// openStore opens the log of the database that a command finds; done closes both.
func (w where) openStore(
	ctx context.Context, logger *slog.Logger,
) (store *eventstore.Store, done func(), err error) {
	if err := w.check(); err != nil {
		return nil, nil, err
	}
	master, err := w.masterKey(false)
	if err != nil {
		return nil, nil, err
	}
	d, err := w.findDatabase(ctx, logger)
	if err != nil {
		return nil, nil, err
	}
	store, err = d.openLog(ctx, eventstore.Config{
		MaxConns: min(w.DBMaxConns, 8), MasterKey: master, Logger: logger,
	})
	if err != nil {
		d.close()
		return nil, nil, err
	}
	return store, func() { store.Close(); d.close() }, nil
}
