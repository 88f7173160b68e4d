package queries

import (
	"context"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/koprogo/koprogo/events"
	"github.com/koprogo/koprogo/projections"
)

// Lot is a lot as the read model shows it, with its primary contact and its version of the day
// looked at.
type Lot struct {
	projections.LotRow
	OwnerID uuid.UUID // nil where nobody owns the lot
}

// lotModel is what lots and ownerships are shown from.
var lotModel = []string{projections.Lots.Name}

var lotSource = source[projections.LotRow]{
	table: projections.LotTable, model: lotModel, total: projections.LotTotal,
	sorts: []sorting[projections.LotRow]{
		// Numbers as people count, A2 before A10.
		{"number", "number", "text", func(l *projections.LotRow) any { return l.Number }},
		{
			"floor", "coalesce(floor, -1000)", "integer",
			func(l *projections.LotRow) any { return orElse(l.Floor, -1000) },
		},
		{"surface", "surface", "bigint", func(l *projections.LotRow) any { return l.Surface }},
		{
			"created_at", "created_at", "timestamptz",
			func(l *projections.LotRow) any { return l.CreatedAt },
		},
	},
	whose: func(l *projections.LotRow) uuid.UUID { return l.OrganizationID },
}

// LotList asks for lots. What is empty does not filter.
type LotList struct {
	Span      Span
	Building  uuid.UUID
	Type      string
	Buildings []uuid.UUID // nil: any; else lots of these, which may be none
	Only      []uuid.UUID // nil: any; else these, which may be none
	Page      Page
}

func (l *LotList) filter(c *conditions) {
	if l.Building != uuid.Nil {
		c.add("building_id = ?", l.Building)
	}
	if l.Type != "" {
		c.add("type = ?", l.Type)
	}
	if l.Buildings != nil {
		c.add("building_id = any(?)", l.Buildings)
	}
	if l.Only != nil {
		c.add("id = any(?)", l.Only)
	}
}

// Lots lists lots.
func (r *Reader) Lots(ctx context.Context, l LotList) (Listed[Lot], error) {
	asked := listing{l.Span, l.filter, l.Page}
	return r.lotPages.list(r, asked, lotSource.sortNames(), func() (Listed[Lot], error) {
		listed, err := lotSource.list(ctx, r, asked)
		if err != nil {
			return Listed[Lot]{}, err
		}
		owned, err := r.ownedToday(ctx, listed.Items)
		return withItems(listed, owned), err
	})
}

// LotByID returns the lot; ErrNotFound when the span has none of this id.
func (r *Reader) LotByID(
	ctx context.Context, span Span, id uuid.UUID,
) (found Found[Lot], err error) {
	row, err := lotSource.byID(ctx, r, span, id)
	if err != nil {
		return found, err
	}
	owned, err := r.ownedToday(ctx, []projections.LotRow{row.Item})
	if err != nil {
		return found, err
	}
	return withItem(row, owned[0]), nil
}

// LotAt returns the lot as it was at a moment; errors as BuildingAt. A lot that was removed since
// is found too.
func (r *Reader) LotAt(
	ctx context.Context, organization, id uuid.UUID, moment Moment,
) (found Found[Lot], err error) {
	building, err := r.LotBuilding(ctx, organization, id)
	if err != nil {
		return found, err
	}
	look, err := r.look(ctx, organization, building, moment)
	if err != nil {
		return found, err
	}
	row, stood := projections.LotTable.Of(look.copied, id)
	if !stood {
		return found, ErrNotFound
	}
	found.Item, found.Position = ownedOn(row, look.day), look.position
	return found, nil
}

// BuildingLots lists a building's lots in their order, as they are or were at a moment; it does
// not tell a building without lots from none.
func (r *Reader) BuildingLots(
	ctx context.Context, organization, building uuid.UUID, moment Moment,
) (found Found[[]Lot], err error) {
	if moment != (Moment{}) {
		look, err := r.look(ctx, organization, building, moment)
		if err != nil {
			return found, err
		}
		found.Item, found.Position = look.lots(), look.position
		return found, nil
	}
	rows, err := lotSource.rows(ctx, r, In(organization), buildingLotsSQL, organization, building)
	if err != nil {
		return found, err
	}
	lots, err := r.ownedToday(ctx, rows.Item)
	return withItem(rows, lots), err
}

var buildingLotsSQL = lotSource.selects() + `
 where organization_id = $1 and building_id = $2 order by sort_key, id`

// lotPlaceSQL tells in which building a lot stands or stood.
const lotPlaceSQL = `select building_id from read.lots
 where organization_id = $1 and id = $2
 union all select building_id from read.removed_lots
 where organization_id = $1 and id = $2 limit 1`

// LotBuilding tells in which building a lot stands, or stood when it was removed; ErrNotFound when
// the organization never had it.
func (r *Reader) LotBuilding(
	ctx context.Context, organization, id uuid.UUID,
) (building uuid.UUID, err error) {
	_, err = r.read(ctx, In(organization), lotModel, func(batch *pgx.Batch) {
		batch.Queue(lotPlaceSQL, organization, id).Query(one(&building, pgx.RowTo[uuid.UUID]))
	})
	return building, err
}

// LotOrganization tells whose lot it is; ErrNotFound when there is none.
func (r *Reader) LotOrganization(ctx context.Context, id uuid.UUID) (uuid.UUID, error) {
	return lotSource.organizationOf(ctx, r, id)
}

// ownedOn is a lot with its primary contact and its version of a day.
func ownedOn(row projections.LotRow, day events.Day) Lot {
	primary, _ := row.PrimaryOn(day)
	row.Version = row.VersionOn(day)
	return Lot{LotRow: row, OwnerID: primary.OwnerID}
}

// ownedToday gives lots their primary contacts of today. Where it is yesterday or tomorrow
// somewhere on earth, and that makes a difference, the building's zone is asked for.
func (r *Reader) ownedToday(ctx context.Context, rows []projections.LotRow) ([]Lot, error) {
	lots := make([]Lot, len(rows))
	now := r.store.Clock()
	day, eve, morrow := dayOf(now), dayOf(now.AddDate(0, 0, -1)), dayOf(now.AddDate(0, 0, 1))
	todays := map[uuid.UUID]events.Day{}
	for i := range rows {
		lots[i] = ownedOn(rows[i], day)
		if rows[i].VersionOn(eve) == rows[i].VersionOn(morrow) {
			continue
		}
		building := rows[i].BuildingID
		today, known := todays[building]
		if !known {
			var err error
			today, err = r.today(ctx, rows[i].OrganizationID, building)
			if err != nil {
				return nil, err
			}
			todays[building] = today
		}
		lots[i] = ownedOn(rows[i], today)
	}
	return lots, nil
}
