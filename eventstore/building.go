package eventstore

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/koprogo/koprogo/events"
)

const (
	ownEventsSQL = `select ` + Columns + ` from log.events
 where organization_id = $1 and stream = $2 and version > $3 and position <= $4
 order by version limit $5`
	otherEventsSQL = `select ` + Columns + ` from log.events
 where organization_id = $1 and building_id = $2 and ` + OutsideBuildings + `
   and position > $3 and position <= $4
 order by position limit $5`
	versionAtSQL = `select version from log.events
 where organization_id = $1 and stream = $2 and position <= $3 order by version desc limit 1`
)

// ReplayBuilding calls fn with the events that belong to a building, after one position and up to
// another, oldest first: those of the building's own stream and those of its other streams.
func (s *Store) ReplayBuilding(
	ctx context.Context, organization, building uuid.UUID, after, upTo int64,
	fn func(*Recorded) error,
) error {
	stream := events.Stream{Category: events.BuildingCategory, ID: building}.String()
	pool := s.pools[RoleProjector]
	if after >= upTo {
		return nil
	}
	version, err := versionAt(ctx, pool, organization, stream, after)
	if err != nil {
		return err
	}
	own := tail{next: func() ([]Recorded, error) {
		return queryRecorded(ctx, pool, ownEventsSQL, organization, stream, version, upTo,
			replayPage)
	}, read: func(r *Recorded) { version = r.Version }}
	other := tail{next: func() ([]Recorded, error) {
		return queryRecorded(ctx, pool, otherEventsSQL, organization, building, after, upTo,
			replayPage)
	}, read: func(r *Recorded) { after = r.Position }}
	for {
		a, err := own.peek()
		if err != nil {
			return err
		}
		b, err := other.peek()
		if err != nil {
			return err
		}
		from, first := &own, a
		if a == nil || b != nil && b.Position < a.Position {
			from, first = &other, b
		}
		if first == nil {
			return nil
		}
		if err := fn(first); err != nil {
			return err
		}
		from.page = from.page[1:]
	}
}

// tail hands out one row after the other of a query that reads on where the last page ended.
type tail struct {
	page []Recorded
	last bool // page is the last one
	next func() ([]Recorded, error)
	read func(*Recorded) // is told where the page that was read ends
}

// peek returns the row whose turn it is; nil when there is none.
func (p *tail) peek() (*Recorded, error) {
	if len(p.page) == 0 && !p.last {
		page, err := p.next()
		if err != nil {
			return nil, err
		}
		p.page, p.last = page, len(page) < replayPage
		if !p.last {
			p.read(&page[len(page)-1])
		}
	}
	if len(p.page) == 0 {
		return nil, nil
	}
	return &p.page[0], nil
}

// versionAt is the version that the stream had at a position.
func versionAt(
	ctx context.Context, pool *pgxpool.Pool, organization uuid.UUID, stream string, position int64,
) (int64, error) {
	if position <= 0 {
		return 0, nil
	}
	var version int64
	err := pool.QueryRow(ctx, versionAtSQL, organization, stream, position).Scan(&version)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return 0, fmt.Errorf("find a stream's version: %w", unavailable(err))
	}
	return version, nil
}
