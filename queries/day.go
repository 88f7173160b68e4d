package queries

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/koprogo/koprogo/events"
)

// defaultZone is that of a building which never said another.
const defaultZone = "Europe/Brussels"

// Day is the day of a row's column; "" for none.
func Day(column pgtype.Date) events.Day {
	if !column.Valid {
		return ""
	}
	return dayOf(column.Time)
}

func dayOf(at time.Time) events.Day { return events.Day(at.Format(time.DateOnly)) }

func dayBefore(day events.Day) events.Day {
	at, err := time.Parse(time.DateOnly, string(day))
	if err != nil {
		return ""
	}
	return dayOf(at.AddDate(0, 0, -1))
}

// dayIn is the calendar day at an instant in a zone, the default one where it is not known.
func dayIn(zone string, at time.Time) events.Day {
	if zone == "" {
		zone = defaultZone
	}
	place, err := events.Zone(zone)
	if err != nil {
		place = time.UTC
	}
	return dayOf(at.In(place))
}

// today is the calendar day where a building stands.
func (r *Reader) today(
	ctx context.Context, organization, building uuid.UUID,
) (events.Day, error) {
	zone, err := r.Zone(ctx, organization, building)
	if err != nil {
		return "", err
	}
	return dayOf(r.store.Clock().In(zone)), nil
}

// Zone is where a building's days begin and end: the default one where it does not stand.
func (r *Reader) Zone(
	ctx context.Context, organization, id uuid.UUID,
) (*time.Location, error) {
	name := defaultZone
	found, err := r.BuildingByID(ctx, In(organization), id)
	switch {
	case err == nil:
		name = found.Item.Zone
	case !errors.Is(err, ErrNotFound):
		return nil, err
	}
	zone, err := events.Zone(name)
	if err != nil {
		return nil, fmt.Errorf("read the zone of a building: %w", err)
	}
	return zone, nil
}

// endOf is the last microsecond of a day, or now when the day is not over.
func (r *Reader) endOf(day events.Day, zone *time.Location) (time.Time, error) {
	start, err := time.ParseInLocation(time.DateOnly, string(day), zone)
	if err != nil {
		return time.Time{}, fmt.Errorf("read a day: %w", err)
	}
	now := r.store.Clock()
	if start.After(now) {
		return time.Time{}, ErrPositionUnknown
	}
	end := start.AddDate(0, 0, 1).Add(-time.Microsecond)
	if end.After(now) {
		end = now
	}
	return end, nil
}
