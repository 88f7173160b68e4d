package queries

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/koprogo/koprogo/events"
	"github.com/koprogo/koprogo/projections"
)

// Charge is a charge with its texts in clear; those that were struck out, and an erased supplier's
// name, are "".
type Charge struct {
	Row             projections.ChargeRow
	Description     string
	LineTexts       []string // one a line; "" where the line has none of its own
	Supplier        string
	RejectionReason string
}

// ChargeLine is a line of a charge without its text.
type ChargeLine = projections.ChargeLine

// chargeModel is what a charge is shown from.
var chargeModel = []string{projections.Charges.Name}

var chargeSource = source[projections.ChargeRow]{
	table: projections.ChargeTable, model: chargeModel, total: projections.ChargeTotal,
	sorts: []sorting[projections.ChargeRow]{
		{"date", "date", "date", func(c *projections.ChargeRow) any { return c.Date }},
		{"gross", "gross", "bigint", func(c *projections.ChargeRow) any { return c.Gross }},
		{
			"created_at", "created_at", "timestamptz",
			func(c *projections.ChargeRow) any { return c.CreatedAt },
		},
		{
			"payment_status", "payment_status", "text",
			func(c *projections.ChargeRow) any { return c.PaymentStatus },
		},
	},
	whose: func(c *projections.ChargeRow) uuid.UUID { return c.OrganizationID },
	scope: streamOf(events.ChargeCategory),
}

// ChargeList asks for charges. What is empty does not filter.
type ChargeList struct {
	Span           Span
	Building       uuid.UUID
	Category       string
	PaymentStatus  string
	ApprovalStatus string
	From, To       events.Day // the charge's day, both included
	Least, Most    *events.Money
	Supplier       string      // his whole name, however it is written
	Account        string      // of one of the lines
	Buildings      []uuid.UUID // nil: any; else charges of these, which may be none
	Only           []uuid.UUID // nil: any; else these, which may be none
	Page           Page

	supplier uuid.UUID // whom Supplier names
}

func (l *ChargeList) filter(c *conditions) {
	if l.Building != uuid.Nil {
		c.add("building_id = ?", l.Building)
	}
	for _, equal := range []struct{ column, value string }{
		{"category", l.Category},
		{"payment_status", l.PaymentStatus},
		{"approval_status", l.ApprovalStatus},
	} {
		if equal.value != "" {
			c.add(equal.column+" = ?", equal.value)
		}
	}
	if l.From != "" {
		c.add("date >= ?::text::date", string(l.From))
	}
	if l.To != "" {
		c.add("date <= ?::text::date", string(l.To))
	}
	if l.Least != nil {
		c.add("gross >= ?", *l.Least)
	}
	if l.Most != nil {
		c.add("gross <= ?", *l.Most)
	}
	if l.Supplier != "" {
		c.add("supplier_id = ?", l.supplier)
	}
	if l.Account != "" {
		c.add(`exists (select from read.pcn_entries e
 where e.organization_id = charges.organization_id and e.charge_id = charges.id
   and e.account_code = ?)`, l.Account)
	}
	if l.Buildings != nil {
		c.add("building_id = any(?)", l.Buildings)
	}
	if l.Only != nil {
		c.add("id = any(?)", l.Only)
	}
}

// ErrOrganization is returned where an organization has to be named: names of suppliers are known
// in one at a time.
var ErrOrganization = errors.New("the organization is not named")

// Charges lists charges.
func (r *Reader) Charges(ctx context.Context, l ChargeList) (Listed[Charge], error) {
	if l.Supplier != "" {
		if l.Span.Every {
			return Listed[Charge]{}, ErrOrganization
		}
		holder, err := r.store.HolderOf(ctx, l.Span.Organization, events.SupplierCategory,
			events.NormalSupplier(l.Supplier))
		if err != nil {
			return Listed[Charge]{}, err
		}
		l.supplier = holder.ID
	}
	asked := listing{l.Span, l.filter, l.Page}
	return r.chargePages.list(r, asked, chargeSource.sortNames(), func() (Listed[Charge], error) {
		listed, err := chargeSource.list(ctx, r, asked)
		if err != nil {
			return Listed[Charge]{}, err
		}
		opened, err := r.openCharges(ctx, listed.Items, l.Span.Fresh)
		return withItems(listed, opened), err
	})
}

// ChargeByID returns the charge; ErrNotFound when the span has none of this id.
func (r *Reader) ChargeByID(
	ctx context.Context, span Span, id uuid.UUID,
) (found Found[Charge], err error) {
	row, err := chargeSource.byID(ctx, r, span, id)
	if err != nil {
		return found, err
	}
	return r.openCharge(ctx, row, span.Fresh)
}

// openCharge opens the texts of one charge.
func (r *Reader) openCharge(
	ctx context.Context, row Found[projections.ChargeRow], fresh *Rows,
) (found Found[Charge], err error) {
	opened, err := r.openCharges(ctx, []projections.ChargeRow{row.Item}, fresh)
	if err != nil {
		return found, err
	}
	return withItem(row, opened[0]), nil
}

// ChargeAt returns the charge as it was at a moment; errors as BuildingAt. A charge that was
// removed since is found too.
func (r *Reader) ChargeAt(
	ctx context.Context, organization, id uuid.UUID, moment Moment,
) (found Found[Charge], err error) {
	building := uuid.Nil // whose zone a day is of; a removed charge's is not known
	is, err := r.ChargeByID(ctx, In(organization), id)
	switch {
	case err == nil:
		building = is.Item.Row.BuildingID
	case !errors.Is(err, ErrNotFound):
		return found, err
	}
	row, err := chargeSource.at(ctx, r, organization, id, building, moment)
	if err != nil {
		return found, err
	}
	return r.openCharge(ctx, row, nil)
}

// BuildingCharges lists a building's charges by day and id, as they are or were at a moment; it
// does not tell a building without charges from none.
func (r *Reader) BuildingCharges(
	ctx context.Context, organization, building uuid.UUID, moment Moment,
) (found Found[[]Charge], err error) {
	if moment != (Moment{}) {
		look, err := r.look(ctx, organization, building, moment)
		if err != nil {
			return found, err
		}
		found.Item, err = r.openCharges(ctx, look.charges(), nil)
		found.Position = look.position
		return found, err
	}
	rows, err := chargeSource.rows(ctx, r, In(organization), buildingChargesSQL,
		organization, building)
	if err != nil {
		return found, err
	}
	opened, err := r.openCharges(ctx, rows.Item, nil)
	return withItem(rows, opened), err
}

var buildingChargesSQL = chargeSource.selects() + `
 where organization_id = $1 and building_id = $2 order by date, id`

// charges are the building's charges in the order of BuildingCharges.
func (l *look) charges() []projections.ChargeRow {
	rows := projections.ChargeTable.All(l.copied)
	slices.SortFunc(rows, func(a, b projections.ChargeRow) int {
		return cmp.Or(a.Date.Time.Compare(b.Date.Time), slices.Compare(a.ID[:], b.ID[:]))
	})
	return rows
}

// ChargeOrganization tells whose charge it is; ErrNotFound when there is none.
func (r *Reader) ChargeOrganization(ctx context.Context, id uuid.UUID) (uuid.UUID, error) {
	return chargeSource.organizationOf(ctx, r, id)
}

// Due is an approved charge that nobody paid.
type Due struct{ Organization, Charge uuid.UUID }

const dueChargesSQL = `select organization_id, id from read.charges
 where approval_status = 'approved' and payment_status = 'pending' and due_date < $1::text::date
 order by due_date, organization_id, id limit $2`

// mostDue is how many charges DueCharges lists at once.
const mostDue = 10_000

// DueCharges lists approved charges of any organization that were not paid and whose due day has
// passed somewhere on earth, those due longest first: candidates for falling overdue.
func (r *Reader) DueCharges(ctx context.Context, now time.Time) (due []Due, err error) {
	const easternmost = 14 * time.Hour // where a day begins first
	today := dayOf(now.UTC().Add(easternmost))
	_, err = r.read(ctx, Everywhere(), nil, func(batch *pgx.Batch) {
		batch.Queue(dueChargesSQL, string(today), mostDue).
			Query(many(&due, pgx.RowToStructByPos[Due]))
	})
	return due, err
}
