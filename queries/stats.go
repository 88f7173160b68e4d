package queries

import (
	"context"
	"errors"
	"slices"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/koprogo/koprogo/events"
	"github.com/koprogo/koprogo/projections"
)

// Figures are what an organization, or some buildings of it, comes to. Amounts are signed: a credit
// note counts negatively.
type Figures struct {
	Buildings     int64
	Lots          int64
	Owners        int64 // who ever held a lot there; of an organization, all in its books
	Pending       int64 // charges whose payment is pending
	PendingAmount events.Money
	Paid          events.Money
	Unpaid        events.Money // pending or overdue; rejected and cancelled ones left out
	Month         events.Money // of the days of this month; rejected and cancelled ones left out
	OverdueOwners int64        // who bear a part of an overdue charge
}

// figureModels are what figures are shown from.
var figureModels = []string{
	projections.Buildings.Name, projections.Lots.Name, projections.Owners.Name,
	projections.Charges.Name,
}

const (
	totalsSQL = `select resource, n from read.totals where organization_id = $1`

	// Of some buildings, those that are still in the books count.
	someTotalsSQL = `
select 'buildings', count(*) from read.buildings where organization_id = $1 and id = any($2)
union all
select 'lots', coalesce(sum(lots), 0)::bigint from read.lot_figures
 where organization_id = $1 and id = any($2)
union all
select 'owners', count(distinct o.owner_id) from read.ownerships o
  join read.owners w on w.organization_id = o.organization_id and w.id = o.owner_id
 where o.organization_id = $1 and o.building_id = any($2)
union all
select 'overdue_owners', count(distinct owner_id) from read.overdue_owners
 where organization_id = $1 and scope_id = any($2)`
)

var chargeFiguresSQL = "select " + projections.ChargeFigureTable.Columns() + `
  from read.charge_figures where organization_id = $1 and id = any($2)`

// Figures tells what some buildings of an organization come to, or (nil) all of it. This month is
// Belgium's.
func (r *Reader) Figures(
	ctx context.Context, organization uuid.UUID, buildings []uuid.UUID,
) (found Found[Figures], err error) {
	totals := map[projections.Resource]int64{}
	var rows []projections.ChargeFigureRow
	found.Stale, err = r.read(ctx, In(organization), figureModels, func(batch *pgx.Batch) {
		if buildings == nil {
			batch.Queue(totalsSQL, organization).Query(addTotals(totals))
			buildings = []uuid.UUID{organization}
		} else {
			batch.Queue(someTotalsSQL, organization, buildings).Query(addTotals(totals))
		}
		batch.Queue(chargeFiguresSQL, organization, buildings).
			Query(many(&rows, projections.ChargeFigureTable.Scan))
	})
	found.Position = found.Stale
	f := &found.Item
	f.Buildings, f.Lots = totals[projections.BuildingTotal], totals[projections.LotTotal]
	f.Owners = totals[projections.OwnerTotal]
	month := string(dayIn("", r.store.Clock()))[:len("2026-03")]
	for i := range rows {
		row := &rows[i]
		f.Pending += row.Pending
		f.PendingAmount += row.PendingAmount
		f.Paid, f.Unpaid, f.Month = f.Paid+row.Paid, f.Unpaid+row.Unpaid, f.Month+row.InMonth(month)
		f.OverdueOwners = row.OverdueOwners
	}
	if some, counted := totals["overdue_owners"]; counted { // of several buildings once each
		f.OverdueOwners = some
	}
	return found, err
}

func addTotals(to map[projections.Resource]int64) func(pgx.Rows) error {
	return func(rows pgx.Rows) error {
		var resource string
		var n int64
		_, err := pgx.ForEachRow(rows, []any{&resource, &n}, func() error {
			to[projections.Resource(resource)] += n
			return nil
		})
		return err
	}
}

// PlatformFigures are counts over all organizations.
type PlatformFigures struct {
	Organizations, Active, Accounts, Buildings, Lots, Owners, Charges int64
}

const allTotalsSQL = `select resource, sum(n)::bigint from read.totals group by resource`

// PlatformFigures counts over all organizations.
func (r *Reader) PlatformFigures(
	ctx context.Context,
) (found Found[PlatformFigures], err error) {
	totals := map[projections.Resource]int64{}
	models := append(slices.Clone(figureModels),
		projections.Organizations.Name, projections.Accounts.Name)
	found.Stale, err = r.read(ctx, Everywhere(), models, func(batch *pgx.Batch) {
		batch.Queue(allTotalsSQL).Query(addTotals(totals))
	})
	found.Position = found.Stale
	found.Item = PlatformFigures{
		Organizations: totals[projections.OrganizationTotal],
		Active:        totals[projections.ActiveTotal],
		Accounts:      totals[projections.AccountTotal],
		Buildings:     totals[projections.BuildingTotal],
		Lots:          totals[projections.LotTotal],
		Owners:        totals[projections.OwnerTotal],
		Charges:       totals[projections.ChargeTotal],
	}
	return found, err
}

// ownerPendingSQL finds what owners bear of the few charges of their buildings that are not paid:
// counters for each owner would make an approval write a row for each of hundreds.
const ownerPendingSQL = `
select count(distinct c.id), coalesce(sum(s.amount), 0)::bigint
  from read.charges c
  join read.divisions d on d.organization_id = c.organization_id and d.id = c.id,
       unnest(d.owners, d.amounts) as s (owner_id, amount)
 where c.organization_id = $1 and c.approval_status = 'approved' and c.payment_status = 'pending'
   and c.building_id = any(array(select o.building_id from read.ownerships o
                                  where o.organization_id = $1 and o.owner_id = any($2)))
   and s.owner_id = any($2)`

// Pending are charges whose payment is pending and of which owners bear a part.
type Pending struct {
	Charges int64
	Amount  events.Money // of the owners' parts
}

// OwnersPending tells what of some owners' charges is not paid.
func (r *Reader) OwnersPending(
	ctx context.Context, organization uuid.UUID, owners []uuid.UUID,
) (found Found[Pending], err error) {
	found.Stale, err = r.read(ctx, In(organization), shareModel, func(batch *pgx.Batch) {
		batch.Queue(ownerPendingSQL, organization, owners).QueryRow(func(row pgx.Row) error {
			return row.Scan(&found.Item.Charges, &found.Item.Amount)
		})
	})
	found.Position = found.Stale
	return found, err
}

// ErrLimit is returned for a limit that no list has.
var ErrLimit = errors.New("the limit is below one")

var paidChargesSQL = "select " + projections.ChargeTable.Columns() + ` from read.charges
 where organization_id = $1 and payment_status = 'paid'
   and ($2::uuid[] is null or building_id = any($2))
 order by paid_on desc, id desc limit $3`

// PaidCharges lists the charges of some buildings, or (nil) of all, that were paid last, the last
// one first.
func (r *Reader) PaidCharges(
	ctx context.Context, organization uuid.UUID, buildings []uuid.UUID, limit int,
) (found Found[[]Charge], err error) {
	if limit < 1 {
		return found, ErrLimit
	}
	var rows []projections.ChargeRow
	found.Stale, err = r.read(ctx, In(organization), chargeModel, func(batch *pgx.Batch) {
		batch.Queue(paidChargesSQL, organization, buildings, limit).
			Query(many(&rows, projections.ChargeTable.Scan))
	})
	if err != nil {
		return found, err
	}
	found.Position = found.Stale
	found.Item, err = r.openCharges(ctx, rows, nil)
	return found, err
}
