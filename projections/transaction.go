package projections

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/koprogo/koprogo/eventstore"
)

// transaction is one round of a follower.
type transaction struct {
	follower *Follower
	conn     *pgxpool.Conn
	limit    int // events of one organization
	parts    []*part
}

// part is one organization in a transaction.
type part struct {
	organization uuid.UUID
	projections  []*moving // those whose checkpoints are locked
	believed     int64     // where the slowest was thought to be
	create       []string  // projections that may have no checkpoint yet
	page         []eventstore.Recorded
	unreadable   map[int64]error // events of page without Event, by position
}

// moving is one projection of an organization in a transaction.
type moving struct {
	*Projection
	from, to int64
	copy     *Copy
	changed  map[string][]string
	err      error // why it stops at to
}

const (
	insertCheckpointSQL = `insert into read.checkpoints (organization_id, projection, position)
values ($1, $2, 0) on conflict (organization_id, projection) do nothing`
	lockCheckpointsSQL = `select projection, position from read.checkpoints
 where organization_id = $1 and projection = any($2) for update skip locked`
	moveCheckpointsSQL = `update read.checkpoints c set position = m.position
  from (select unnest($2::text[]) as projection, unnest($3::bigint[]) as position) m
 where c.organization_id = $1 and c.projection = m.projection`
	eventsSQL = `select ` + eventstore.Columns + ` from log.events
 where organization_id = $1 and position > $2 order by position limit $3`
)

// run applies a page to each unit; commit is to follow.
func (t *transaction) run(ctx context.Context, units []unit) error {
	for _, u := range units {
		t.parts = append(t.parts, t.follower.part(u))
	}
	if err := t.begin(ctx, units); err != nil {
		return err
	}
	for _, p := range t.parts {
		if err := t.reread(ctx, p); err != nil {
			return err
		}
	}
	if err := t.prefetch(ctx); err != nil {
		return err
	}
	for _, p := range t.parts {
		for _, m := range p.projections {
			if err := t.apply(ctx, p, m); err != nil {
				return err
			}
		}
	}
	return nil
}

// part begins where this process believes the organization's checkpoints to be.
func (f *Follower) part(u unit) *part {
	p := &part{organization: u.organization, believed: -1, unreadable: map[int64]error{}}
	for _, projection := range u.projections {
		at, _ := f.progress.position(u.organization, projection.Name)
		if at == 0 {
			p.create = append(p.create, projection.Name)
		}
		if p.believed < 0 || at < p.believed {
			p.believed = at
		}
	}
	return p
}

// begin locks the checkpoints, one organization after the other, and reads a page of each
// organization's log behind where its checkpoints are believed to be, all in one round trip.
func (t *transaction) begin(ctx context.Context, units []unit) error {
	batch := &pgx.Batch{}
	batch.Queue("begin")
	for i, p := range t.parts {
		for _, name := range p.create {
			batch.Queue(insertCheckpointSQL, p.organization, name)
		}
		names := make([]string, len(units[i].projections))
		for j, projection := range units[i].projections {
			names[j] = projection.Name
		}
		batch.Queue(lockCheckpointsSQL, p.organization, names)
		batch.Queue(eventsSQL, p.organization, p.believed, t.limit)
	}
	results := t.conn.SendBatch(ctx, batch)
	if _, err := results.Exec(); err != nil {
		return errors.Join(fmt.Errorf("begin: %w", err), results.Close())
	}
	for i, p := range t.parts {
		if err := p.collect(results, units[i]); err != nil {
			return errors.Join(err, results.Close())
		}
	}
	if err := results.Close(); err != nil {
		return fmt.Errorf("lock checkpoints: %w", err)
	}
	return nil
}

// collect reads what begin asked for about one organization, in its order.
func (p *part) collect(results pgx.BatchResults, u unit) error {
	for range p.create {
		if _, err := results.Exec(); err != nil {
			return fmt.Errorf("make a checkpoint: %w", err)
		}
	}
	rows, err := results.Query()
	if err != nil {
		return fmt.Errorf("lock checkpoints: %w", err)
	}
	at, err := scanCheckpoints(rows)
	if err != nil {
		return err
	}
	for _, projection := range u.projections {
		if from, locked := at[projection.Name]; locked {
			p.projections = append(p.projections, &moving{
				Projection: projection, from: from, to: from, copy: NewCopy(u.organization),
			})
		}
	}
	if rows, err = results.Query(); err != nil {
		return fmt.Errorf("read the log: %w", err)
	}
	return p.read(rows)
}

func scanCheckpoints(rows pgx.Rows) (map[string]int64, error) {
	at := map[string]int64{}
	var name string
	var position int64
	_, err := pgx.ForEachRow(rows, []any{&name, &position}, func() error {
		at[name] = position
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read checkpoints: %w", err)
	}
	return at, nil
}

// read takes a page of the log.
func (p *part) read(rows pgx.Rows) (err error) {
	p.page, err = readPage(rows, p.wants, p.unreadable)
	return err
}

// readPage reads events. One that nobody wants is not decoded; one that cannot be decoded is noted
// as unreadable: it concerns those who want it.
func readPage(
	rows pgx.Rows, wants func(*eventstore.Recorded) bool, unreadable map[int64]error,
) ([]eventstore.Recorded, error) {
	defer rows.Close()
	var page []eventstore.Recorded
	for rows.Next() {
		r, err := eventstore.ScanRecorded(rows)
		if err != nil {
			return nil, err
		}
		if wants(&r) {
			if err := r.Decode(); err != nil {
				unreadable[r.Position] = err
			}
		}
		page = append(page, r)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read the log: %w", err)
	}
	return page, nil
}

func (p *part) wants(r *eventstore.Recorded) bool {
	for _, m := range p.projections {
		if m.wants(r) {
			return true
		}
	}
	return false
}

// reread reads the page again when the checkpoints were not where they were believed to be.
func (t *transaction) reread(ctx context.Context, p *part) error {
	if len(p.projections) == 0 {
		p.page = nil
		return nil
	}
	slowest := p.projections[0].from
	for _, m := range p.projections {
		slowest = min(slowest, m.from)
	}
	if slowest == p.believed {
		return nil
	}
	rows, err := t.conn.Query(ctx, eventsSQL, p.organization, slowest, t.limit)
	if err != nil {
		return fmt.Errorf("read the log: %w", err)
	}
	return p.read(rows)
}

// prefetch loads the rows that the pages are known to need, in one round trip.
func (t *transaction) prefetch(ctx context.Context) error {
	batch := &pgx.Batch{}
	for _, p := range t.parts {
		for _, m := range p.projections {
			for _, fetch := range m.fetches(m.copy, p.page) {
				batch.Queue(fetch.from.live().load, p.organization, fetch.keys).Query(fetch.take)
			}
		}
	}
	if batch.Len() == 0 {
		return nil
	}
	if err := t.conn.SendBatch(ctx, batch).Close(); err != nil {
		return fmt.Errorf("load rows: %w", err)
	}
	return nil
}
