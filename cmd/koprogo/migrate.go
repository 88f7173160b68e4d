package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"

	"github.com/koprogo/koprogo/migrations"
)

// migrateCommand runs the migrations that did not run yet.
type migrateCommand struct {
	where
	MigrationDatabaseURL string `env:"MIGRATION_DATABASE_URL" help:"Absent: DATABASE_URL."`
	To                   int64  `help:"The last migration to run; 0: all."`
	Restored             bool   `help:"Say that the database was restored or failed over."`
}

// Run migrates and says so.
func (c *migrateCommand) Run(ctx context.Context, out io.Writer) error {
	if err := c.check(); err != nil {
		return err
	}
	if c.MigrationDatabaseURL != "" && !isURL(c.MigrationDatabaseURL, "postgres", "postgresql") {
		return errors.New("MIGRATION_DATABASE_URL must read postgres://user@host/database")
	}
	options := migrations.Options{
		URL: c.MigrationDatabaseURL, To: c.To, Logger: c.logger(os.Stderr),
	}
	named := func(err error) error {
		return fmt.Errorf("the database of MIGRATION_DATABASE_URL: %w", err)
	}
	if options.URL == "" {
		found, err := c.findDatabase(ctx, options.Logger)
		if err != nil {
			return err
		}
		defer found.close()
		options.URL, named = found.url, found.named
	} else if server, err := url.Parse(c.DatabaseURL); err == nil && server.User != nil {
		options.ServerLogin = server.User.Username()
	}
	if err := migrations.Migrate(ctx, options); err != nil {
		return named(err)
	}
	fmt.Fprintln(out, "The database is up to date.")
	if !c.Restored {
		return nil
	}
	store, done, err := c.openStore(ctx, options.Logger)
	if err != nil {
		return err
	}
	defer done()
	raised, err := store.RaiseEpochs(ctx)
	if err == nil {
		fmt.Fprintf(out, "The servers of %d logs forget what they remember.\n", raised)
	}
	return err
}
