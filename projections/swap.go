package projections

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"regexp"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

const (
	// Followers wait at the checkpoints' table, and the swap for those who hold one: nobody moves
	// rows or checkpoints while it lasts.
	lockAllSQL = `lock table read.checkpoints in exclusive mode`
	// A reader who is slow to finish holds the swap up, and the swap other readers: not for long,
	// and shorter than PostgreSQL's deadlock_timeout, so that the swap gives way and no reader.
	patienceSQL      = `set local lock_timeout = '400ms'`
	allPositionsSQL  = `select organization_id, position from read.checkpoints where projection = $1`
	setCheckpointSQL = `insert into read.checkpoints (organization_id, projection, position)
values ($1, $2, $3) on conflict (organization_id, projection)
do update set position = excluded.position`
	keepTotalsSQL = `insert into read.totals__new (organization_id, resource, n)
select organization_id, resource, n from read.totals where resource <> all($1)`
	indexesSQL = `select indexname, indexdef from pg_indexes
 where schemaname = 'read' and tablename = $1 order by indexname`
)

// swapAttempts bounds how often readers may hold a swap up.
const swapAttempts = 25

// swap applies what is left and gives the new tables the names of the live ones. It tries again
// when a reader held it up.
func (r *rebuild) swap(ctx context.Context) error {
	var err error
	for range swapAttempts {
		if err = r.trySwap(ctx); err == nil || !timedOut(err) {
			return err
		}
		if _, back := r.conn.Exec(ctx, "rollback"); back != nil {
			return back
		}
	}
	return err
}

func (r *rebuild) trySwap(ctx context.Context) error {
	before := r.at // what is filled here goes back with the transaction
	defer func() { r.at = before }()
	r.at = maps.Clone(before)
	for _, text := range []string{"begin", patienceSQL, lockAllSQL} {
		if _, err := r.conn.Exec(ctx, text); err != nil {
			return fmt.Errorf("lock the checkpoints: %w", err)
		}
	}
	if err := r.meet(ctx); err != nil {
		return err
	}
	if len(r.projection.Totals) > 0 {
		if _, err := r.conn.Exec(ctx, keepTotalsSQL, r.projection.Totals); err != nil {
			return fmt.Errorf("keep the other totals: %w", err)
		}
	}
	for _, table := range r.projection.tables() {
		if err := r.rename(ctx, table); err != nil {
			return err
		}
	}
	if _, err := r.conn.Exec(ctx, "commit"); err != nil {
		return fmt.Errorf("swap: %w", err)
	}
	return nil
}

// timedOut tells whether a lock was not to be had in time, or not without a deadlock.
func timedOut(err error) bool {
	var failure *pgconn.PgError
	return errors.As(err, &failure) && (failure.Code == "55P03" || failure.Code == "40P01")
}

// meet brings new tables and checkpoints to one position each: to the further of the two.
func (r *rebuild) meet(ctx context.Context) error {
	//nolint:rowserrcheck // ForEachRow does
	rows, err := r.conn.Query(ctx, allPositionsSQL, r.projection.Name)
	if err != nil {
		return fmt.Errorf("read checkpoints: %w", err)
	}
	live := map[uuid.UUID]int64{}
	var organization uuid.UUID
	var position int64
	_, err = pgx.ForEachRow(rows, []any{&organization, &position}, func() error {
		live[organization] = position
		return nil
	})
	if err != nil {
		return fmt.Errorf("read checkpoints: %w", err)
	}
	for organization, position := range live {
		if err := r.fill(ctx, organization, position, false, func() {}); err != nil {
			return err
		}
	}
	for organization, position := range r.at {
		if at, has := live[organization]; has && at == position {
			continue
		}
		_, err := r.conn.Exec(ctx, setCheckpointSQL, organization, r.projection.Name, position)
		if err != nil {
			return fmt.Errorf("move a checkpoint: %w", err)
		}
	}
	return nil
}

// rename drops the live table and gives its name, and its indexes' names, to the new one.
func (r *rebuild) rename(ctx context.Context, table AnyTable) error {
	live, err := r.indexes(ctx, table.Name())
	if err != nil {
		return err
	}
	made, err := r.indexes(ctx, newName(table))
	if err != nil {
		return err
	}
	texts := []string{
		"drop table read." + table.Name(),
		"alter table read." + newName(table) + " rename to " + table.Name(),
	}
	for shape, names := range made {
		for i, name := range names {
			if i >= len(live[shape]) {
				return fmt.Errorf("index %s of %s is like none of the live ones",
					name, newName(table))
			}
			texts = append(texts, "alter index read."+pgx.Identifier{name}.Sanitize()+
				" rename to "+pgx.Identifier{live[shape][i]}.Sanitize())
		}
	}
	for _, text := range texts {
		if _, err := r.conn.Exec(ctx, text); err != nil {
			return fmt.Errorf("swap %s: %w", table.Name(), err)
		}
	}
	return nil
}

var indexNames = regexp.MustCompile(`INDEX \S+ ON \S+ `)

// indexes lists a table's indexes by what they are, apart from names.
func (r *rebuild) indexes(ctx context.Context, table string) (map[string][]string, error) {
	rows, err := r.conn.Query(ctx, indexesSQL, table) //nolint:rowserrcheck // by ForEachRow
	if err != nil {
		return nil, fmt.Errorf("read the indexes of %s: %w", table, err)
	}
	indexes := map[string][]string{}
	var name, definition string
	_, err = pgx.ForEachRow(rows, []any{&name, &definition}, func() error {
		shape := indexNames.ReplaceAllString(definition, "INDEX ")
		indexes[shape] = append(indexes[shape], name)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read the indexes of %s: %w", table, err)
	}
	return indexes, nil
}
