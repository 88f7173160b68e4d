package migrations

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// riverTables stands for river's own migrations in what Pending answers.
const riverTables = "river's tables"

// Pending names what Migrate has still to do for this program, the next first; nothing when the
// database is ready. It changes nothing; its login is a member of the reader and the writer. A
// database ahead of the program gives ErrNewer, wrapped.
func Pending(ctx context.Context, url string) ([]string, error) {
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, fmt.Errorf("read the database's URL: %w", err)
	}
	stands, err := standsAt(ctx, config.ConnConfig)
	if err != nil {
		return nil, fmt.Errorf("read the database's version: %w", err)
	}
	if stands > Version() {
		return nil, fmt.Errorf("version %d, where this one knows %d: %w",
			stands, Version(), ErrNewer)
	}
	var pending []string
	for _, file := range files() {
		if file.version > stands {
			pending = append(pending, file.name)
		}
	}
	ready := false
	if stands > 0 { // else the roles may be missing too
		if ready, err = riverReady(ctx, config); err != nil {
			return nil, err
		}
	}
	if !ready {
		pending = append(pending, riverTables)
	}
	return pending, nil
}

// standsAt is the number of the newest file that ran, 0 in a database where none did.
func standsAt(ctx context.Context, config *pgx.ConnConfig) (version int64, err error) {
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return 0, err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	var made bool
	err = conn.QueryRow(ctx, `select exists (select from pg_tables
		where schemaname || '.' || tablename = $1)`, versions).Scan(&made)
	if err != nil || !made {
		return 0, err
	}
	// The owner makes the table a moment before the first file grants it to the reader.
	var granted bool
	err = conn.QueryRow(ctx, "select has_table_privilege($1, $2::regclass, 'select')",
		reader, versions).Scan(&granted)
	if err != nil || !granted {
		return 0, err
	}
	if err := become(reader)(ctx, conn); err != nil {
		return 0, err
	}
	err = conn.QueryRow(ctx, "select coalesce(max(version_id), 0) from "+versions).Scan(&version)
	return version, err
}
