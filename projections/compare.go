package projections

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/koprogo/koprogo/eventstore"
)

// Comparison says whether a read model shows what the log says.
type Comparison struct {
	Projection  string
	Position    int64    // up to which it was compared: its checkpoint
	Differences []Change // Before as the log says, After as the table has it
}

const checkpointSQL = `select position from read.checkpoints
 where organization_id = $1 and projection = $2`

// Compare folds an organization's log anew, in memory, up to the projection's checkpoint, and
// holds the rows against those of the tables. It makes no table and stops nobody. watch, which may
// be nil, is told how many events of how many are done.
func Compare(
	ctx context.Context, store *eventstore.Store, p Projection, organization uuid.UUID,
	watch func(done, of int64),
) (Comparison, error) {
	found := Comparison{Projection: p.Name}
	live := NewCopy(organization)
	var err error
	if found.Position, err = readLive(ctx, store, &p, live); err != nil {
		return found, fmt.Errorf("compare %s: %w", p.Name, err)
	}
	said := NewCopy(organization)
	for after := int64(0); after < found.Position; {
		page, err := store.Read(ctx, organization, after, pageEvents)
		if err != nil {
			return found, fmt.Errorf("compare %s: %w", p.Name, err)
		}
		for i := range page {
			if page[i].Position > found.Position {
				break
			}
			if err := p.apply(&Batch{copy: said}, &page[i]); err != nil {
				return found, fmt.Errorf("compare %s: %w", p.Name, err)
			}
		}
		if len(page) == 0 {
			return found, fmt.Errorf("compare %s: the log ends at position %d before the "+
				"checkpoint", p.Name, after)
		}
		after = page[len(page)-1].Position
		if watch != nil {
			watch(min(after, found.Position), found.Position)
		}
	}
	found.Differences, err = Between(said, live)
	return found, err
}

// readLive reads checkpoint and rows as one transaction shows them.
func readLive(
	ctx context.Context, store *eventstore.Store, p *Projection, into *Copy,
) (position int64, err error) {
	conn, err := store.Pool(eventstore.RoleProjector).Acquire(ctx)
	if err != nil {
		return 0, fmt.Errorf("reach the read models: %w", err)
	}
	defer conn.Release()
	tx, err := conn.BeginTx(ctx, pgx.TxOptions{
		IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly,
	})
	if err != nil {
		return 0, fmt.Errorf("begin to read: %w", err)
	}
	defer tx.Rollback(ctx) //nolint:errcheck // it only reads
	err = tx.QueryRow(ctx, checkpointSQL, into.organization, p.Name).Scan(&position)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return 0, fmt.Errorf("read the checkpoint: %w", err)
	}
	for _, table := range p.tables() {
		if err := table.readAll(ctx, tx, into); err != nil {
			return 0, err
		}
	}
	totals := shelfOf(into, Totals)
	for resource := range totals.rows {
		if !slices.Contains(p.Totals, resource) {
			delete(totals.rows, resource)
		}
	}
	return position, nil
}

// readAll reads an organization's rows into a copy.
func (t *Table[K, R]) readAll(ctx context.Context, q eventstore.Querier, into *Copy) error {
	rows, err := q.Query(ctx, t.sql.all, into.organization)
	if err != nil {
		return fmt.Errorf("read %s: %w", t.name, err)
	}
	loaded, err := pgx.CollectRows(rows, t.Scan)
	if err != nil {
		return fmt.Errorf("read %s: %w", t.name, err)
	}
	shelf := shelfOf(into, t)
	for _, row := range loaded {
		shelf.rows[row.RowID()] = entry[R]{row: row, present: true}
	}
	return nil
}
