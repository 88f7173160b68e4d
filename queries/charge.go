package queries

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

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

// ChargeSorts are the columns that a list of charges may be sorted by, the default first.
var ChargeSorts = []string{"date", "gross", "created_at", "payment_status"}

func (l *ChargeList) order() ordering {
	switch l.Page.Sort {
	case "gross":
		return ordering{"gross", "bigint"}
	case "created_at":
		return ordering{"created_at", "timestamptz"}
	case "payment_status":
		return ordering{"payment_status", "text"}
	}
	return ordering{"date", "date"}
}

func (l *ChargeList) sorted(row *projections.ChargeRow) any {
	switch l.Page.Sort {
	case "gross":
		return row.Gross
	case "created_at":
		return row.CreatedAt
	case "payment_status":
		return row.PaymentStatus
	}
	return row.Date
}

func (l *ChargeList) conditions() conditions {
	var c conditions
	if !l.Span.Every {
		c.add("organization_id = ?", l.Span.Organization)
	}
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
	return c
}

func (l *ChargeList) filtered() bool {
	bare := ChargeList{Span: l.Span}
	return len(l.conditions().texts) > len(bare.conditions().texts)
}

func (l *ChargeList) rows() (string, []any, error) {
	return l.order().pageOf("select "+projections.ChargeTable.Columns()+" from read.charges",
		l.conditions(), l.Span.Every, l.Page)
}

// total is the SQL of how many rows the whole list has.
func (l *ChargeList) total() (string, []any) {
	if l.filtered() {
		c := l.conditions()
		return "select count(*) from read.charges" + c.where(), c.args
	}
	var c conditions
	if !l.Span.Every {
		c.add("organization_id = ?", l.Span.Organization)
	}
	c.add("resource = ?", projections.ChargeTotal)
	return "select coalesce(sum(n), 0)::bigint from read.totals" + c.where(), c.args
}

// ErrOrganization is returned where an organization has to be named: names of suppliers are known
// in one at a time.
var ErrOrganization = errors.New("the organization is not named")

// Charges lists charges.
func (r *Reader) Charges(ctx context.Context, l ChargeList) (Listed[Charge], error) {
	var listed Listed[Charge]
	if l.Supplier != "" {
		if l.Span.Every {
			return listed, ErrOrganization
		}
		holder, err := r.store.HolderOf(ctx, l.Span.Organization, events.SupplierCategory,
			events.NormalSupplier(l.Supplier))
		if err != nil {
			return listed, err
		}
		l.supplier = holder.ID
	}
	rowsSQL, rowsArgs, err := l.rows()
	if err != nil {
		return listed, err
	}
	totalSQL, totalArgs := l.total()
	var rows []projections.ChargeRow
	listed.Stale, err = r.read(ctx, l.Span, chargeModel, func(batch *pgx.Batch) {
		batch.Queue(totalSQL, totalArgs...).QueryRow(number(&listed.Total))
		batch.Queue(rowsSQL, rowsArgs...).Query(many(&rows, projections.ChargeTable.Scan))
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
	listed.Items, err = r.openCharges(ctx, rows, l.Span.Fresh)
	return listed, err
}

// ChargeByID returns the charge; ErrNotFound when the span has none of this id.
func (r *Reader) ChargeByID(
	ctx context.Context, span Span, id uuid.UUID,
) (found Found[Charge], err error) {
	row, made := projections.ChargeTable.Of(span.Fresh, id)
	if !made {
		text, args := chargeSQL(span, id)
		found.Stale, err = r.read(ctx, span, chargeModel, func(batch *pgx.Batch) {
			batch.Queue(text, args...).Query(one(&row, projections.ChargeTable.Scan))
		})
		if err != nil {
			return found, err
		}
	}
	opened, err := r.openCharges(ctx, []projections.ChargeRow{row}, span.Fresh)
	if err != nil {
		return found, err
	}
	found.Item, found.Position = opened[0], found.Stale
	return found, nil
}

func chargeSQL(span Span, id uuid.UUID) (string, []any) {
	var c conditions
	if !span.Every {
		c.add("organization_id = ?", span.Organization)
	}
	c.add("id = ?", id)
	return "select " + projections.ChargeTable.Columns() + " from read.charges" + c.where() +
		" limit 1", c.args
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
	if found.Position, err = r.position(ctx, organization, building, moment); err != nil {
		return found, err
	}
	scope := projections.Scope{Streams: []events.Stream{{Category: events.ChargeCategory, ID: id}}}
	copied, err := r.travel.At(ctx, organization, scope, found.Position)
	if err != nil {
		return found, err
	}
	row, stood := projections.ChargeTable.Of(copied, id)
	if !stood {
		return found, ErrNotFound
	}
	opened, err := r.openCharges(ctx, []projections.ChargeRow{row}, nil)
	if err != nil {
		return found, err
	}
	found.Item = opened[0]
	return found, nil
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
	var rows []projections.ChargeRow
	found.Stale, err = r.read(ctx, In(organization), chargeModel, func(batch *pgx.Batch) {
		batch.Queue(buildingChargesSQL, organization, building).
			Query(many(&rows, projections.ChargeTable.Scan))
	})
	if err != nil {
		return found, err
	}
	found.Position = found.Stale
	found.Item, err = r.openCharges(ctx, rows, nil)
	return found, err
}

var buildingChargesSQL = "select " + projections.ChargeTable.Columns() + ` from read.charges
 where organization_id = $1 and building_id = $2 order by date, id`

// charges are the building's charges in the order of BuildingCharges.
func (l *look) charges() []projections.ChargeRow {
	rows := projections.ChargeTable.All(l.copied)
	slices.SortFunc(rows, func(a, b projections.ChargeRow) int {
		return cmp.Or(a.Date.Time.Compare(b.Date.Time), slices.Compare(a.ID[:], b.ID[:]))
	})
	return rows
}

const chargeAnywhereSQL = `select organization_id from read.charges where id = $1 limit 1`

// ChargeOrganization tells whose charge it is; ErrNotFound when there is none. For a superadmin who
// names a charge only.
func (r *Reader) ChargeOrganization(
	ctx context.Context, id uuid.UUID,
) (organization uuid.UUID, err error) {
	_, err = r.read(ctx, Everywhere(), chargeModel, func(batch *pgx.Batch) {
		batch.Queue(chargeAnywhereSQL, id).Query(one(&organization, pgx.RowTo[uuid.UUID]))
	})
	return organization, err
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

// Day is the day of a row's column; "" for none.
func Day(column pgtype.Date) events.Day {
	if !column.Valid {
		return ""
	}
	return events.Day(column.Time.Format(time.DateOnly))
}
