package migrations

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivermigrate"
)

// RiverSchema is where river's tables stand. They belong to the writer and stay plain where the
// log's are distributed.
const RiverSchema = "river"

type riverMigrator = rivermigrate.Migrator[pgx.Tx]

// migrateRiver brings river's tables to the version of the library in the program.
func migrateRiver(ctx context.Context, config *pgxpool.Config, logger *slog.Logger) error {
	return withRiver(ctx, config, func(migrator *riverMigrator) error {
		result, err := migrator.Migrate(ctx, rivermigrate.DirectionUp, nil)
		if err != nil {
			return fmt.Errorf("migrate river's tables: %w", err)
		}
		for _, version := range result.Versions {
			logger.InfoContext(ctx, "migrated river's tables",
				"version", version.Version, "took", version.Duration)
		}
		return nil
	})
}

// riverReady tells whether river's tables are at the version of the library in the program.
func riverReady(ctx context.Context, config *pgxpool.Config) (ready bool, err error) {
	err = withRiver(ctx, config, func(migrator *riverMigrator) error {
		result, err := migrator.Validate(ctx, nil)
		if err != nil {
			return fmt.Errorf("check river's tables: %w", err)
		}
		ready = result.OK
		return nil
	})
	return ready, err
}

// withRiver lends a migrator that acts as the writer.
func withRiver(
	ctx context.Context, config *pgxpool.Config, use func(*riverMigrator) error,
) error {
	config = config.Copy()
	config.MaxConns, config.MinConns, config.MinIdleConns = 2, 0, 0
	config.AfterConnect = become(writer)
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return fmt.Errorf("connect as %s: %w", writer, err)
	}
	defer pool.Close()
	migrator, err := newRiverMigrator(pool)
	if err != nil {
		return err
	}
	return use(migrator)
}

func newRiverMigrator(pool *pgxpool.Pool) (*riverMigrator, error) {
	migrator, err := rivermigrate.New(riverpgxv5.New(pool), &rivermigrate.Config{
		Schema: RiverSchema, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		return nil, fmt.Errorf("open river's migrations: %w", err)
	}
	return migrator, nil
}
