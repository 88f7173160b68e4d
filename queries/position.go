package queries

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/koprogo/koprogo/events"
)

// Moment is when a read looks at; its zero value is now. At most one field is set.
type Moment struct {
	Position int64      // a position in the organization's log
	Instant  time.Time  // the last position recorded by then
	Day      events.Day // its end in the building's zone; today's end is now
}

const headSQL = `select coalesce(
  (select position from log.logs where organization_id = $1), 0)`

// positionBySQL halves the log until it finds the last event recorded by an instant: recorded_at
// never falls along a log.
const positionBySQL = `
with recursive search (low, high) as (
  select 0::bigint, coalesce((select position from log.logs where organization_id = $1), 0)
  union all
  select case when e.recorded_at <= $2 then e.position else s.low end,
         case when e.recorded_at <= $2 then s.high else e.position - 1 end
    from search s
    join log.events e on e.organization_id = $1 and e.position = (s.low + s.high + 1) / 2
   where s.low < s.high
)
select low from search where low >= high`

// Head is the position of the organization's newest event; 0 when it has none.
func (r *Reader) Head(ctx context.Context, organization uuid.UUID) (position int64, err error) {
	_, err = r.read(ctx, In(organization), nil, func(batch *pgx.Batch) {
		batch.Queue(headSQL, organization).QueryRow(number(&position))
	})
	return position, err
}

// PositionBy is the last position recorded by an instant; 0 when nothing was. It returns
// ErrPositionUnknown for an instant of the future.
func (r *Reader) PositionBy(
	ctx context.Context, organization uuid.UUID, instant time.Time,
) (position int64, err error) {
	if instant.After(r.store.Clock()) {
		return 0, ErrPositionUnknown
	}
	_, err = r.read(ctx, In(organization), nil, func(batch *pgx.Batch) {
		batch.Queue(positionBySQL, organization, instant).QueryRow(number(&position))
	})
	return position, err
}

// position turns a moment into a position of the organization's log.
func (r *Reader) position(
	ctx context.Context, organization, building uuid.UUID, moment Moment,
) (int64, error) {
	switch {
	case moment.Day != "":
		zone, err := r.Zone(ctx, organization, building)
		if err != nil {
			return 0, err
		}
		instant, err := r.endOf(moment.Day, zone)
		if err != nil {
			return 0, err
		}
		return r.PositionBy(ctx, organization, instant)
	case !moment.Instant.IsZero():
		return r.PositionBy(ctx, organization, moment.Instant)
	}
	head, err := r.Head(ctx, organization)
	if err != nil || moment.Position == 0 {
		return head, err
	}
	if moment.Position < 0 || moment.Position > head {
		return 0, ErrPositionUnknown
	}
	return moment.Position, nil
}

const recordedAtSQL = `select recorded_at from log.events
 where organization_id = $1 and position = $2`

// recordedAt is when a position was recorded; zero for position 0.
func (r *Reader) recordedAt(
	ctx context.Context, organization uuid.UUID, position int64,
) (at time.Time, err error) {
	if position == 0 {
		return at, nil
	}
	_, err = r.read(ctx, In(organization), nil, func(batch *pgx.Batch) {
		batch.Queue(recordedAtSQL, organization, position).
			Query(one(&at, pgx.RowTo[time.Time]))
	})
	return at.UTC(), err
}
