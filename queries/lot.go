package queries

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/koprogo/koprogo/events"
	"github.com/koprogo/koprogo/projections"
)

// Lot is a lot as the read model shows it, with its primary contact of the day looked at.
type Lot struct {
	projections.LotRow
	OwnerID uuid.UUID // nil where nobody owns the lot
}

var lotModel = []string{projections.Lots.Name}

// LotList asks for lots. What is empty does not filter.
type LotList struct {
	Span      Span
	Building  uuid.UUID
	Type      string
	Buildings []uuid.UUID // nil: any; else lots of these, which may be none
	Only      []uuid.UUID // nil: any; else these, which may be none
	Page      Page
}

// LotSorts are the columns that a list of lots may be sorted by, the default first: numbers as
// people count, A2 before A10.
var LotSorts = []string{"number", "floor", "surface", "created_at"}

func (l *LotList) order() ordering {
	switch l.Page.Sort {
	case "floor":
		return ordering{"coalesce(floor, -1000)", "integer"}
	case "surface":
		return ordering{"surface", "bigint"}
	case "created_at":
		return ordering{"created_at", "timestamptz"}
	}
	return ordering{"number", "text"}
}

func (l *LotList) sorted(lot *projections.LotRow) any {
	switch l.Page.Sort {
	case "floor":
		if lot.Floor == nil {
			return -1000
		}
		return *lot.Floor
	case "surface":
		return lot.Surface
	case "created_at":
		return lot.CreatedAt
	}
	return lot.Number
}

func (l *LotList) conditions() conditions {
	var c conditions
	if !l.Span.Every {
		c.add("organization_id = ?", l.Span.Organization)
	}
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
	return c
}

func (l *LotList) rows() (string, []any, error) {
	return l.order().pageOf("select "+projections.LotTable.Columns()+" from read.lots",
		l.conditions(), l.Span.Every, l.Page)
}

// total is the SQL of how many rows the whole list has.
func (l *LotList) total() (string, []any) {
	if l.Building != uuid.Nil || l.Type != "" || l.Buildings != nil || l.Only != nil {
		c := l.conditions()
		return "select count(*) from read.lots" + c.where(), c.args
	}
	var c conditions
	if !l.Span.Every {
		c.add("organization_id = ?", l.Span.Organization)
	}
	c.add("resource = ?", projections.LotTotal)
	return "select coalesce(sum(n), 0)::bigint from read.totals" + c.where(), c.args
}

// Lots lists lots.
func (r *Reader) Lots(ctx context.Context, l LotList) (Listed[Lot], error) {
	var listed Listed[Lot]
	rowsSQL, rowsArgs, err := l.rows()
	if err != nil {
		return listed, err
	}
	totalSQL, totalArgs := l.total()
	var rows []projections.LotRow
	listed.Stale, err = r.read(ctx, l.Span, lotModel, func(batch *pgx.Batch) {
		batch.Queue(totalSQL, totalArgs...).QueryRow(number(&listed.Total))
		batch.Queue(rowsSQL, rowsArgs...).Query(many(&rows, projections.LotTable.Scan))
	})
	if err != nil {
		return listed, err
	}
	rows, more := cut(rows, l.Page.Size)
	if more {
		last := &rows[len(rows)-1]
		listed.Next, err = writeMark(l.sorted(last), last.ID.String(), last.OrganizationID.String())
		if err != nil {
			return listed, err
		}
	}
	listed.Items, err = r.ownedToday(ctx, rows)
	return listed, err
}

// LotByID returns the lot; ErrNotFound when the span has none of this id.
func (r *Reader) LotByID(
	ctx context.Context, span Span, id uuid.UUID,
) (found Found[Lot], err error) {
	text, args := lotSQL(span, id)
	var row projections.LotRow
	found.Stale, err = r.read(ctx, span, lotModel, func(batch *pgx.Batch) {
		batch.Queue(text, args...).Query(one(&row, projections.LotTable.Scan))
	})
	if err != nil {
		return found, err
	}
	owned, err := r.ownedToday(ctx, []projections.LotRow{row})
	if err != nil {
		return found, err
	}
	found.Item, found.Position = owned[0], found.Stale
	return found, nil
}

func lotSQL(span Span, id uuid.UUID) (string, []any) {
	var c conditions
	if !span.Every {
		c.add("organization_id = ?", span.Organization)
	}
	c.add("id = ?", id)
	return "select " + projections.LotTable.Columns() + " from read.lots" + c.where() + " limit 1",
		c.args
}

// LotAt returns the lot as it was at a moment; errors as BuildingAt. A lot that was removed since
// is found too.
func (r *Reader) LotAt(
	ctx context.Context, organization, id uuid.UUID, moment Moment,
) (found Found[Lot], err error) {
	at, err := r.lotPlace(ctx, In(organization), id)
	if err != nil {
		return found, err
	}
	look, err := r.look(ctx, organization, at.building, moment)
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
	var rows []projections.LotRow
	found.Stale, err = r.read(ctx, In(organization), lotModel, func(batch *pgx.Batch) {
		batch.Queue(buildingLotsSQL, organization, building).
			Query(many(&rows, projections.LotTable.Scan))
	})
	if err != nil {
		return found, err
	}
	found.Position = found.Stale
	found.Item, err = r.ownedToday(ctx, rows)
	return found, err
}

var buildingLotsSQL = "select " + projections.LotTable.Columns() + ` from read.lots
 where organization_id = $1 and building_id = $2 order by sort_key, id`

// lotPlace is where a lot stands or stood.
type lotPlace struct{ organization, building uuid.UUID }

const (
	lotPlaceSQL = `select organization_id, building_id from read.lots
 where organization_id = $1 and id = $2
 union all select organization_id, building_id from read.removed_lots
 where organization_id = $1 and id = $2 limit 1`
	lotAnywhereSQL = `select organization_id, building_id from read.lots where id = $1 limit 1`
)

func (r *Reader) lotPlace(ctx context.Context, span Span, id uuid.UUID) (at lotPlace, err error) {
	_, err = r.read(ctx, span, lotModel, func(batch *pgx.Batch) {
		text, args := lotPlaceSQL, []any{span.Organization, id}
		if span.Every {
			text, args = lotAnywhereSQL, args[1:]
		}
		batch.Queue(text, args...).Query(one(&at, func(row pgx.CollectableRow) (lotPlace, error) {
			var at lotPlace
			err := row.Scan(&at.organization, &at.building)
			return at, err
		}))
	})
	return at, err
}

// LotBuilding tells in which building a lot stands, or stood when it was removed; ErrNotFound when
// the organization never had it.
func (r *Reader) LotBuilding(ctx context.Context, organization, id uuid.UUID) (uuid.UUID, error) {
	at, err := r.lotPlace(ctx, In(organization), id)
	return at.building, err
}

// LotOrganization tells whose lot it is; ErrNotFound when there is none. For a superadmin who names
// a lot only.
func (r *Reader) LotOrganization(ctx context.Context, id uuid.UUID) (uuid.UUID, error) {
	at, err := r.lotPlace(ctx, Everywhere(), id)
	return at.organization, err
}

// ownedOn is a lot with its primary contact of a day.
func ownedOn(row projections.LotRow, day events.Day) Lot {
	primary, _ := row.PrimaryOn(day)
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
		if ownedOn(rows[i], eve).OwnerID == lots[i].OwnerID &&
			ownedOn(rows[i], morrow).OwnerID == lots[i].OwnerID {
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

// today is the calendar day where a building stands.
func (r *Reader) today(
	ctx context.Context, organization, building uuid.UUID,
) (events.Day, error) {
	zone, err := r.zone(ctx, organization, building)
	if err != nil {
		return "", err
	}
	return dayOf(r.store.Clock().In(zone)), nil
}

func dayOf(at time.Time) events.Day { return events.Day(at.Format(time.DateOnly)) }
