package queries

import (
	"cmp"
	"context"
	"math/big"
	"slices"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/koprogo/koprogo/events"
	"github.com/koprogo/koprogo/projections"
)

// Ownership is a dated relation of a lot and an owner, as it is on the day looked at.
type Ownership struct {
	Row       projections.OwnershipRow
	From      events.Day
	To        events.Day      // the last day; "" while none is known, before From where never held
	Fraction  events.Fraction // of the day; of one that is over its last, of a later one its first
	IsPrimary bool            // the lot's primary contact
	IsActive  bool            // the owner holds it on the day
	Periods   []OwnershipPeriod
}

// OwnershipPeriod is a fraction with its first and last day; To is "" while none is known.
type OwnershipPeriod struct {
	From, To events.Day
	Fraction events.Fraction
}

// IsOver tells whether the ownership ended before a day.
func (o *Ownership) IsOver(day events.Day) bool { return o.To != "" && o.To < day }

// shownOwnership is a row as it is on a day.
func shownOwnership(row projections.OwnershipRow, day events.Day, primary bool) Ownership {
	o := Ownership{Row: row, From: Day(row.From), To: Day(row.To)}
	o.IsActive = o.From <= day && !o.IsOver(day)
	o.IsPrimary = primary && o.IsActive
	for i, step := range row.Steps {
		if i > 0 && o.To != "" && step.From > o.To {
			break
		}
		if i > 0 {
			o.Periods[i-1].To = dayBefore(step.From)
		}
		o.Periods = append(o.Periods, OwnershipPeriod{step.From, o.To, step.Fraction})
		if i == 0 || step.From <= day {
			o.Fraction = step.Fraction
		}
	}
	return o
}

// shownOwnerships shows rows by first day, owner and id; on tells the day to look at each, and
// whether it is its lot's primary contact then.
func shownOwnerships(
	rows []projections.OwnershipRow, on func(*projections.OwnershipRow) (events.Day, bool),
) []Ownership {
	shown := make([]Ownership, len(rows))
	for i := range rows {
		day, primary := on(&rows[i])
		shown[i] = shownOwnership(rows[i], day, primary)
	}
	slices.SortFunc(shown, func(a, b Ownership) int {
		return cmp.Or(cmp.Compare(a.From, b.From),
			slices.Compare(a.Row.OwnerID[:], b.Row.OwnerID[:]),
			slices.Compare(a.Row.ID[:], b.Row.ID[:]))
	})
	return shown
}

var (
	ownershipsOfLotSQL = "select " + projections.OwnershipTable.Columns() + ` from read.ownerships
 where organization_id = $1 and lot_id = $2`
	ownershipsOfOwnerSQL = "select " + projections.OwnershipTable.Columns() + ` from read.ownerships
 where organization_id = $1 and owner_id = $2`
	lotsOfOwnerSQL = "select " + projections.LotTable.Columns() + ` from read.lots
 where organization_id = $1 and id = any(array(select lot_id from read.ownerships
 where organization_id = $1 and owner_id = $2))`
	zonesOfOwnerSQL = `select id, zone from read.buildings
 where organization_id = $1 and id = any(array(select building_id from read.ownerships
 where organization_id = $1 and owner_id = $2))`
	buildingOwnersSQL = "select " + projections.OwnershipTable.Columns() + ` from read.ownerships
 where organization_id = $1 and building_id = $2`
)

// LotOwnerships lists every ownership of a lot there ever was, as they are now or were at a moment;
// ErrNotFound for a lot that does not stand then.
func (r *Reader) LotOwnerships(
	ctx context.Context, organization, lot uuid.UUID, moment Moment,
) (found Found[[]Ownership], err error) {
	if moment != (Moment{}) {
		return r.lotOwnershipsAt(ctx, organization, lot, moment)
	}
	var rows []projections.OwnershipRow
	var row projections.LotRow
	text, args := lotSource.byIDSQL(In(organization), lot)
	found.Stale, err = r.read(ctx, In(organization), lotModel, func(batch *pgx.Batch) {
		batch.Queue(text, args...).Query(one(&row, projections.LotTable.Scan))
		batch.Queue(ownershipsOfLotSQL, organization, lot).
			Query(many(&rows, projections.OwnershipTable.Scan))
	})
	if err != nil {
		return found, err
	}
	today, err := r.today(ctx, organization, row.BuildingID)
	if err != nil {
		return found, err
	}
	primary, _ := row.PrimaryOn(today)
	found.Position = found.Stale
	found.Item = shownOwnerships(rows, func(o *projections.OwnershipRow) (events.Day, bool) {
		return today, o.ID == primary.OwnershipID
	})
	return found, nil
}

func (r *Reader) lotOwnershipsAt(
	ctx context.Context, organization, lot uuid.UUID, moment Moment,
) (found Found[[]Ownership], err error) {
	building, err := r.LotBuilding(ctx, organization, lot)
	if err != nil {
		return found, err
	}
	look, err := r.look(ctx, organization, building, moment)
	if err != nil {
		return found, err
	}
	if _, stood := projections.LotTable.Of(look.copied, lot); !stood {
		return found, ErrNotFound
	}
	found.Item, found.Position = look.ownerships(lot), look.position
	return found, nil
}

// OwnerOwnerships lists every ownership of an owner there ever was, also of lots that were removed.
func (r *Reader) OwnerOwnerships(
	ctx context.Context, organization, owner uuid.UUID,
) (found Found[[]Ownership], err error) {
	var rows []projections.OwnershipRow
	var lots []projections.LotRow
	zones := map[uuid.UUID]string{}
	found.Stale, err = r.read(ctx, In(organization), lotModel, func(batch *pgx.Batch) {
		batch.Queue(ownershipsOfOwnerSQL, organization, owner).
			Query(many(&rows, projections.OwnershipTable.Scan))
		batch.Queue(lotsOfOwnerSQL, organization, owner).
			Query(many(&lots, projections.LotTable.Scan))
		batch.Queue(zonesOfOwnerSQL, organization, owner).Query(func(found pgx.Rows) error {
			var building uuid.UUID
			var zone string
			_, err := pgx.ForEachRow(found, []any{&building, &zone}, func() error {
				zones[building] = zone
				return nil
			})
			return err
		})
	})
	if err != nil {
		return found, err
	}
	now := r.store.Clock()
	byID := map[uuid.UUID]*projections.LotRow{}
	for i := range lots {
		byID[lots[i].ID] = &lots[i]
	}
	found.Position = found.Stale
	found.Item = shownOwnerships(rows, func(o *projections.OwnershipRow) (events.Day, bool) {
		day := dayIn(zones[o.BuildingID], now)
		lot := byID[o.LotID]
		if lot == nil {
			return day, false
		}
		primary, _ := lot.PrimaryOn(day)
		return day, primary.OwnershipID == o.ID
	})
	return found, nil
}

// OwnershipPlace tells of which lot and building an ownership is.
type OwnershipPlace struct{ Organization, Building, Lot uuid.UUID }

const (
	ownershipPlaceSQL = `select organization_id, building_id, lot_id from read.ownerships
 where organization_id = $1 and id = $2`
	ownershipAnywhereSQL = `select organization_id, building_id, lot_id from read.ownerships
 where id = $1 limit 1`
)

// OwnershipPlace finds an ownership; ErrNotFound when the span has none of this id.
func (r *Reader) OwnershipPlace(
	ctx context.Context, span Span, id uuid.UUID,
) (at OwnershipPlace, err error) {
	_, err = r.read(ctx, span, lotModel, func(batch *pgx.Batch) {
		text, args := ownershipPlaceSQL, []any{span.Organization, id}
		if span.Every {
			text, args = ownershipAnywhereSQL, args[1:]
		}
		batch.Queue(text, args...).
			Query(one(&at, func(row pgx.CollectableRow) (at OwnershipPlace, err error) {
				err = row.Scan(&at.Organization, &at.Building, &at.Lot)
				return at, err
			}))
	})
	return at, err
}

// BuildingOwners lists those who own a lot of a building, as it is or was at a moment, by name. It
// does not tell a building without owners from none. Only, where it is not nil, limits them.
func (r *Reader) BuildingOwners(
	ctx context.Context, organization, building uuid.UUID, moment Moment, only []uuid.UUID,
) (found Found[[]Owner], err error) {
	var ids []uuid.UUID
	if moment == (Moment{}) {
		ids, found.Stale, err = r.ownersNow(ctx, organization, building)
		found.Position = found.Stale
	} else {
		var at look
		if at, err = r.look(ctx, organization, building, moment); err == nil {
			ids, found.Position = holders(at.ownerships(uuid.Nil)), at.position
		}
	}
	if err != nil {
		return found, err
	}
	if only != nil {
		ids = slices.DeleteFunc(ids, func(id uuid.UUID) bool { return !slices.Contains(only, id) })
	}
	if moment == (Moment{}) {
		found.Item, err = r.owners(ctx, In(organization), ownersByIDSQL, organization, ids)
	} else {
		found.Item, err = r.ownersAt(ctx, organization, ids, found.Position)
	}
	slices.SortFunc(found.Item, func(a, b Owner) int {
		return cmp.Or(cmp.Compare(ownerName(&a), ownerName(&b)),
			cmp.Compare(a.FirstName, b.FirstName), slices.Compare(a.ID[:], b.ID[:]))
	})
	return found, err
}

// ownerName is what an owner is listed under.
func ownerName(o *Owner) string { return cmp.Or(o.LastName, o.CompanyName) }

func (r *Reader) ownersNow(
	ctx context.Context, organization, building uuid.UUID,
) (ids []uuid.UUID, stale int64, err error) {
	var rows []projections.OwnershipRow
	models := append(lotModel[:1:1], ownerModel...)
	stale, err = r.read(ctx, In(organization), models, func(batch *pgx.Batch) {
		batch.Queue(buildingOwnersSQL, organization, building).
			Query(many(&rows, projections.OwnershipTable.Scan))
	})
	if err != nil {
		return nil, 0, err
	}
	today, err := r.today(ctx, organization, building)
	shown := shownOwnerships(rows, func(*projections.OwnershipRow) (events.Day, bool) {
		return today, false
	})
	return holders(shown), stale, err
}

// holders are the owners of active ownerships, each once.
func holders(of []Ownership) []uuid.UUID {
	ids, seen := []uuid.UUID{}, map[uuid.UUID]bool{}
	for _, o := range of {
		if o.IsActive && !seen[o.Row.OwnerID] {
			ids = append(ids, o.Row.OwnerID)
			seen[o.Row.OwnerID] = true
		}
	}
	return ids
}

// ownersAt opens owners as they were at a position.
func (r *Reader) ownersAt(
	ctx context.Context, organization uuid.UUID, ids []uuid.UUID, position int64,
) ([]Owner, error) {
	if len(ids) == 0 {
		return []Owner{}, nil
	}
	var scope projections.Scope
	for _, id := range ids {
		scope.Streams = append(scope.Streams, ownerStream(id))
	}
	copied, err := r.travel.At(ctx, organization, scope, position)
	if err != nil {
		return nil, err
	}
	return r.openOwners(ctx, projections.OwnerTable.All(copied))
}

const ownerStandsSQL = `select count(*) from read.owners where organization_id = $1 and id = $2`

// OwnerStands tells whether an owner is in the books; an erased one is until he is removed.
func (r *Reader) OwnerStands(
	ctx context.Context, organization, id uuid.UUID,
) (stands bool, err error) {
	n := int64(0)
	_, err = r.read(ctx, In(organization), ownerModel, func(batch *pgx.Batch) {
		batch.Queue(ownerStandsSQL, organization, id).QueryRow(number(&n))
	})
	return n > 0, err
}

// Holdings is what an account's owner holds today.
type Holdings struct {
	Owners    []uuid.UUID
	Lots      []uuid.UUID
	Buildings []uuid.UUID
}

const holdingsSQL = `select w.id, o.lot_id, o.building_id from read.owners w
 left join read.ownerships o on o.organization_id = w.organization_id and o.owner_id = w.id
  and o.from_day <= $3 and (o.to_day is null or o.to_day >= $3)
 where w.organization_id = $1 and w.account_id = $2`

// HoldingsOf tells what the owner holds who signs in by an account. Lists are never nil.
func (r *Reader) HoldingsOf(
	ctx context.Context, organization, account uuid.UUID,
) (h Holdings, err error) {
	h = Holdings{Owners: []uuid.UUID{}, Lots: []uuid.UUID{}, Buildings: []uuid.UUID{}}
	models := append(lotModel[:1:1], ownerModel...)
	today := string(dayIn("", r.store.Clock()))
	_, err = r.read(ctx, In(organization), models, func(batch *pgx.Batch) {
		batch.Queue(holdingsSQL, organization, account, today).Query(func(rows pgx.Rows) error {
			var owner uuid.UUID
			var lot, building *uuid.UUID
			_, err := pgx.ForEachRow(rows, []any{&owner, &lot, &building}, func() error {
				h.Owners = add(h.Owners, &owner)
				h.Lots, h.Buildings = add(h.Lots, lot), add(h.Buildings, building)
				return nil
			})
			return err
		})
	})
	return h, err
}

func add(ids []uuid.UUID, id *uuid.UUID) []uuid.UUID {
	if id == nil || slices.Contains(ids, *id) {
		return ids
	}
	return append(ids, *id)
}

// TotalHeld sums the fractions of full and bare ownership that are active: the total shown.
func TotalHeld(of []Ownership) *big.Rat {
	var held []events.Fraction
	for _, o := range of {
		if o.IsActive && o.Row.Right != events.RightUsufruct {
			held = append(held, o.Fraction)
		}
	}
	return events.SumFractions(held...)
}
