// Package migrations brings a database to the state that the program expects: the four roles,
// the log's tables, the read models' tables and river's. It holds the numbered SQL files and
// imports nothing of ours. Start reading at Migrate, then roles.sql and the files in order.
//
// The files only go forward: what was recorded under an older shape stays as it is.
package migrations

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
)

// The roles and the table that notes which files have run.
const (
	owner    = "koprogo_owner"
	writer   = "koprogo_writer"
	reader   = "koprogo_reader"
	versions = "log.migrations"
)

// migrating is the key of the advisory lock that keeps a second migration of the same database
// waiting. Without it (behind a pooler of transactions) one of the two would fail, harmlessly.
const migrating = 0x6b6f70726f676f // "koprogo"

// Errors of Migrate and Pending.
var (
	// ErrNewer: the database was migrated by a newer version of the program.
	ErrNewer = errors.New("the database was migrated by a newer version of the program")
	// ErrBackwards: Options.To lies before the database's version.
	ErrBackwards = errors.New("migrations only go forward")
	// ErrUnknown: there is no file of the number Options.To.
	ErrUnknown = errors.New("there is no migration of this number")
)

// Options says which database is migrated, by whom and how far.
type Options struct {
	// URL is of a login with CREATEROLE, and with CREATE on the database; no superuser.
	URL string
	// ServerLogin names the login that the server will use, when it is another one than URL's:
	// it becomes a member of the writer, the projector and the reader, not of the log's owner.
	ServerLogin string
	// To is the number of the last file to run; 0 runs all.
	To int64
	// Logger is told what was done; nil for nobody.
	Logger *slog.Logger
}

// Migrate makes roles and schemas, runs the numbered files up to Options.To that did not run yet,
// and then river's own migrations. It may run at any time and from several places at once. It
// returns ErrNewer, ErrBackwards or ErrUnknown, wrapped, without having changed the tables.
func Migrate(ctx context.Context, o Options) error {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	config, err := pgxpool.ParseConfig(o.URL)
	if err != nil {
		return fmt.Errorf("read the URL of the database to migrate: %w", err)
	}
	conn, err := pgx.ConnectConfig(ctx, config.ConnConfig)
	if err != nil {
		return fmt.Errorf("connect to the database to migrate: %w", err)
	}
	defer conn.Close(context.WithoutCancel(ctx))
	if _, err := conn.Exec(ctx, "select pg_advisory_lock($1)", int64(migrating)); err != nil {
		return fmt.Errorf("wait for another migration to end: %w", err)
	}
	if err := makeRoles(ctx, conn, o.ServerLogin); err != nil {
		return err
	}
	if err := runFiles(ctx, config.ConnConfig, o); err != nil {
		return err
	}
	return migrateRiver(ctx, config, o.Logger)
}

// makeRoles runs roles.sql. A migration of another database of the cluster may make the same
// roles at the same moment: it has committed when this one fails, so the repetition finds them.
func makeRoles(ctx context.Context, conn *pgx.Conn, serverLogin string) error {
	_, err := conn.Exec(ctx, "select set_config('app.server_login', $1, false)", serverLogin)
	if err != nil {
		return fmt.Errorf("name the server's login: %w", err)
	}
	for range 10 {
		if _, err = conn.Exec(ctx, roles); !raced(err) {
			break
		}
	}
	if err != nil {
		return fmt.Errorf("make the roles and schemas: %w", err)
	}
	return nil
}

// raced tells whether a change of roles met another one: a role or membership that was not there
// is there (duplicate_object, unique_violation), or "tuple concurrently updated", which
// PostgreSQL calls an internal error.
func raced(err error) bool {
	var failure *pgconn.PgError
	if !errors.As(err, &failure) {
		return false
	}
	return failure.Code == "42710" || failure.Code == "23505" || failure.Code == "XX000"
}

// runFiles runs the numbered files as the log's owner, each in a transaction of its own.
func runFiles(ctx context.Context, config *pgx.ConnConfig, o Options) error {
	db := stdlib.OpenDB(*config, stdlib.OptionAfterConnect(become(owner)))
	defer db.Close()
	provider, err := goose.NewProvider(goose.DialectPostgres, db, numbered,
		goose.WithTableName(versions), goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return fmt.Errorf("read the numbered files: %w", err)
	}
	before, err := provider.GetDBVersion(ctx)
	if err != nil {
		return fmt.Errorf("read the database's version: %w", err)
	}
	to := o.To
	if to == 0 {
		to = Version()
	}
	if err := check(before, to); err != nil {
		return err
	}
	results, err := provider.UpTo(ctx, to)
	for _, result := range results {
		o.Logger.InfoContext(ctx, "migrated", "file", result.Source.Path, "took", result.Duration)
	}
	if err != nil {
		return fmt.Errorf("migrate from version %d to %d: %w", before, to, err)
	}
	return nil
}

// check refuses to go where the files do not lead.
func check(before, to int64) error {
	if before > Version() {
		return fmt.Errorf("version %d, where this one knows %d: %w", before, Version(), ErrNewer)
	}
	if to < before {
		return fmt.Errorf("from version %d to %d: %w", before, to, ErrBackwards)
	}
	for _, file := range files() {
		if file.version == to {
			return nil
		}
	}
	return fmt.Errorf("to version %d: %w", to, ErrUnknown)
}

// become makes a new connection act as a role, and lets a long statement take its time.
func become(role string) func(context.Context, *pgx.Conn) error {
	return func(ctx context.Context, conn *pgx.Conn) error {
		_, err := conn.Exec(ctx, "set role "+role+"; set statement_timeout = 0")
		return err
	}
}
