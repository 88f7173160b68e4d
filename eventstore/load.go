package eventstore

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/koprogo/koprogo/events"
)

// Head is the end of an organization's log.
type Head struct {
	Organization uuid.UUID
	Position     int64 // of the newest event; 0 when there is none
	RecordedAt   time.Time
	Tree         []byte // the Merkle tree's compact range
	Epoch        int32  // rises at a restore or failover; 0 when there is no head
}

// Querier is a pool, a connection or a transaction.
type Querier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}

// Columns are those of log.events, in the order that ScanRecorded reads.
const Columns = `organization_id, position, building_id, subjects, stream, version, id, type,
       schema, data, metadata, recorded_at, effective_at, leaf_hash`

// What events_building_idx and events_subjects_idx hold; events_stream_key finds the others. A
// query by building_id or by subjects names the condition, as it stands, to use the index.
const (
	// OutsideBuildings is true for all streams but the buildings' own.
	OutsideBuildings = `(stream < 'building-' or stream >= 'building.')`
	// OutsideOwnStreams is true where somebody else's texts may stand than those of the person
	// whose stream it is, or of the event itself.
	OutsideOwnStreams = `subjects is not null and (cardinality(subjects) > 1
    or (stream < 'account-' or stream >= 'account.') and (stream < 'owner-' or stream >= 'owner.')
       and (stream < 'supplier-' or stream >= 'supplier.') and subjects[1] <> id)`
)

const loadSQL = `select ` + Columns + ` from log.events
 where organization_id = $1 and stream = $2 and version > $3 order by version`

// Load calls fn with the stream's events after version, oldest first. Rules load on the jobs'
// connections: no append waits for them, and no organization has to be entered.
func (s *Store) Load(
	ctx context.Context, organization uuid.UUID, stream events.Stream, after int64,
	fn func(Recorded) error,
) error {
	rows, err := s.pools[RoleJobs].Query(ctx, loadSQL,
		organization, stream.String(), after)
	if err != nil {
		return fmt.Errorf("load a stream: %w", unavailable(err))
	}
	return eachRecorded(rows, fn)
}

const readSQL = `select ` + Columns + ` from log.events
 where organization_id = $1 and position > $2 order by position limit $3`

// Read returns at most limit events of the organization after position, oldest first.
func (s *Store) Read(
	ctx context.Context, organization uuid.UUID, after int64, limit int,
) ([]Recorded, error) {
	return ReadPage(ctx, s.pools[RoleProjector], organization, after, limit)
}

// ReadPage is Store.Read on a connection of the caller's choice.
func ReadPage(
	ctx context.Context, q Querier, organization uuid.UUID, after int64, limit int,
) ([]Recorded, error) {
	return queryRecorded(ctx, q, readSQL, organization, after, limit)
}

const headColumns = `organization_id, position, recorded_at, tree, epoch`

// Head returns the end of the organization's log; position 0 when it has no event.
func (s *Store) Head(ctx context.Context, organization uuid.UUID) (Head, error) {
	heads, err := readHeads(ctx, s.pools[RoleJobs],
		`select `+headColumns+` from log.logs where organization_id = $1`, organization)
	if err != nil || len(heads) == 0 {
		return Head{Organization: organization}, err
	}
	s.epochs.see(heads)
	return heads[0], nil
}

// Heads returns the ends of all logs.
func (s *Store) Heads(ctx context.Context) ([]Head, error) {
	heads, err := readHeads(ctx, s.pools[RoleJobs],
		`select `+headColumns+` from log.logs order by organization_id`)
	s.epochs.see(heads)
	return heads, err
}

func readHeads(ctx context.Context, q Querier, sql string, args ...any) ([]Head, error) {
	rows, err := q.Query(ctx, sql, args...)
	if err != nil {
		return nil, fmt.Errorf("read heads: %w", unavailable(err))
	}
	heads, err := pgx.CollectRows(rows, scanHead)
	if err != nil {
		return nil, fmt.Errorf("read heads: %w", unavailable(err))
	}
	return heads, nil
}

func scanHead(row pgx.CollectableRow) (Head, error) {
	var h Head
	err := row.Scan(&h.Organization, &h.Position, &h.RecordedAt, &h.Tree, &h.Epoch)
	h.RecordedAt = h.RecordedAt.UTC()
	return h, err
}

// readEncoded is Store.Read for who passes events on as they are: Event is not set.
func (s *Store) readEncoded(
	ctx context.Context, organization uuid.UUID, after int64, limit int,
) ([]Recorded, error) {
	rows, err := s.pools[RoleProjector].Query(ctx, readSQL, organization, after, limit)
	if err != nil {
		return nil, fmt.Errorf("read the log: %w", unavailable(err))
	}
	page, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (Recorded, error) {
		return ScanRecorded(row)
	})
	if err != nil {
		return nil, fmt.Errorf("read the log: %w", unavailable(err))
	}
	return page, nil
}

func queryRecorded(ctx context.Context, q Querier, sql string, args ...any) ([]Recorded, error) {
	rows, err := q.Query(ctx, sql, args...)
	if err != nil {
		return nil, fmt.Errorf("read the log: %w", unavailable(err))
	}
	var page []Recorded
	err = eachRecorded(rows, func(r Recorded) error {
		page = append(page, r)
		return nil
	})
	return page, err
}

func eachRecorded(rows pgx.Rows, fn func(Recorded) error) error {
	defer rows.Close()
	for rows.Next() {
		recorded, err := ScanRecorded(rows)
		if err != nil {
			return err
		}
		if err := recorded.Decode(); err != nil {
			return err
		}
		if err := fn(recorded); err != nil {
			return err
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("read the log: %w", unavailable(err))
	}
	return nil
}

// Decode sets Event from Data. It refuses a sealed value that somebody moved here from elsewhere.
func (r *Recorded) Decode() error {
	event, err := events.Decode(r.Type, r.Schema, r.Data, r.ID, r.Stream)
	if err != nil {
		return fmt.Errorf("position %d: %w", r.Position, err)
	}
	r.Event = event
	return nil
}

// unavailable marks err as ErrUnavailable unless the caller gave up or PostgreSQL answered with a
// statement's error.
func unavailable(err error) error {
	if err == nil || errors.Is(err, context.Canceled) || serverSaid(err) {
		return err
	}
	return fmt.Errorf("%w: %w", ErrUnavailable, err)
}

const probeSQL = `select recorded_at from log.events
 where organization_id = $1 and position = $2`

// PositionAt is the last position that was recorded by the instant; 0 when none was. Instants
// never fall along a log, so a few probes find it.
func (s *Store) PositionAt(
	ctx context.Context, organization uuid.UUID, at time.Time,
) (int64, error) {
	head, err := s.Head(ctx, organization)
	if err != nil {
		return 0, err
	}
	by, after := int64(0), head.Position+1
	for by+1 < after {
		probe := (by + after) / 2
		var recorded time.Time
		err := s.pools[RoleJobs].QueryRow(ctx, probeSQL, organization, probe).Scan(&recorded)
		if err != nil {
			return 0, fmt.Errorf("find the position of an instant: %w", unavailable(err))
		}
		if recorded.After(at) {
			after = probe
		} else {
			by = probe
		}
	}
	return by, nil
}
