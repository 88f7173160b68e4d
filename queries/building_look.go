package queries

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/koprogo/koprogo/events"
	"github.com/koprogo/koprogo/projections"
)

// look is a building and all that belongs to it at a moment.
type look struct {
	copied   *projections.Copy
	position int64
	at       time.Time  // when position was recorded; zero for position 0
	day      events.Day // the moment's, in the building's zone: who owns a lot depends on it
}

// look shows a building at a moment, now too; errors as BuildingAt.
func (r *Reader) look(
	ctx context.Context, organization, building uuid.UUID, moment Moment,
) (l look, err error) {
	if l.position, err = r.position(ctx, organization, building, moment); err != nil {
		return l, err
	}
	l.copied, err = r.travel.At(ctx, organization, projections.Scope{Building: building}, l.position)
	if err != nil {
		return l, err
	}
	row, stood := projections.BuildingTable.Of(l.copied, building)
	if !stood {
		return l, ErrNotFound
	}
	if l.at, err = r.recordedAt(ctx, organization, l.position); err != nil {
		return l, err
	}
	zone, err := events.Zone(row.Zone)
	if err != nil {
		zone = time.UTC
	}
	switch {
	case moment.Day != "":
		l.day = moment.Day
	case !moment.Instant.IsZero():
		l.day = dayOf(moment.Instant.In(zone))
	case moment.Position == 0:
		l.day = dayOf(r.store.Clock().In(zone))
	default:
		l.day = dayOf(l.at.In(zone))
	}
	return l, nil
}

// lots are the building's lots in their order.
func (l *look) lots() []Lot {
	rows := projections.LotTable.All(l.copied)
	slices.SortFunc(rows, func(a, b projections.LotRow) int {
		return cmp.Or(strings.Compare(a.SortKey, b.SortKey), slices.Compare(a.ID[:], b.ID[:]))
	})
	lots := make([]Lot, len(rows))
	for i, row := range rows {
		lots[i] = ownedOn(row, l.day)
	}
	return lots
}

// ownerships are those of the building's lots, or of one of them, as Ownerships lists them.
func (l *look) ownerships(lot uuid.UUID) []Ownership {
	primaries := map[uuid.UUID]uuid.UUID{}
	for _, row := range projections.LotTable.All(l.copied) {
		if primary, owned := row.PrimaryOn(l.day); owned {
			primaries[row.ID] = primary.OwnershipID
		}
	}
	var rows []projections.OwnershipRow
	for _, row := range projections.OwnershipTable.All(l.copied) {
		if lot == uuid.Nil || row.LotID == lot {
			rows = append(rows, row)
		}
	}
	return shownOwnerships(rows, func(row *projections.OwnershipRow) (events.Day, bool) {
		return l.day, primaries[row.LotID] == row.ID
	})
}
