package projections

import (
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/koprogo/koprogo/events"
	"github.com/koprogo/koprogo/eventstore"
)

// ChargeFigureRow is what charges come to: those of a building, or all of the organization, whose
// id it then has. Amounts are signed: a credit note counts negatively.
type ChargeFigureRow struct {
	OrganizationID uuid.UUID     `json:"organization_id"`
	ID             uuid.UUID     `json:"id"`
	Pending        int64         `json:"pending"` // charges whose payment is pending
	PendingAmount  events.Money  `json:"pending_amount"`
	Paid           events.Money  `json:"paid"`
	Unpaid         events.Money  `json:"unpaid"`         // pending or overdue, rejected ones left out
	OverdueOwners  int64         `json:"overdue_owners"` // who bear a part of an overdue charge
	Months         []MonthFigure `json:"months"`         // oldest first, never nil
}

// MonthFigure is what the charges of a month's days come to: drafts, pending and approved ones.
type MonthFigure struct {
	Month  string       `json:"month"` // 2026-03
	Amount events.Money `json:"amount"`
}

// RowID is the building's id, or the organization's.
func (r ChargeFigureRow) RowID() uuid.UUID { return r.ID }

// InMonth is what the charges of a month's days come to.
func (r *ChargeFigureRow) InMonth(month string) events.Money {
	if i, found := r.month(month); found {
		return r.Months[i].Amount
	}
	return 0
}

func (r *ChargeFigureRow) month(month string) (int, bool) {
	return slices.BinarySearchFunc(r.Months, month, func(m MonthFigure, month string) int {
		return strings.Compare(m.Month, month)
	})
}

// OverdueOwnerRow says of how many overdue charges an owner bears a part: of a building's charges,
// or of all of the organization, whose id is then the scope.
type OverdueOwnerRow struct {
	OrganizationID uuid.UUID `json:"organization_id"`
	ID             uuid.UUID `json:"id"` // made of the scope's and the owner's
	ScopeID        uuid.UUID `json:"scope_id"`
	OwnerID        uuid.UUID `json:"owner_id"`
	Charges        int64     `json:"charges"` // above zero
}

// RowID is made of the scope's and the owner's.
func (r OverdueOwnerRow) RowID() uuid.UUID { return r.ID }

// ChargeFigureTable is read.charge_figures, OverdueOwnerTable read.overdue_owners.
var (
	ChargeFigureTable = NewTable[uuid.UUID, ChargeFigureRow]("charge_figures", "id")
	OverdueOwnerTable = NewTable[uuid.UUID, OverdueOwnerRow]("overdue_owners", "id")
)

// chargeFigure is what one charge counts for.
type chargeFigure struct {
	building              uuid.UUID
	pending               int64
	pendingAmount         events.Money
	paid, unpaid, inMonth events.Money
	month                 string
}

func (r *ChargeRow) figure() chargeFigure {
	amount := r.Sign() * r.Gross
	f := chargeFigure{building: r.BuildingID}
	if r.PaymentStatus == "pending" {
		f.pending, f.pendingAmount = 1, amount
	}
	if r.ApprovalStatus == "rejected" || r.PaymentStatus == "cancelled" {
		return f
	}
	f.inMonth, f.month = amount, r.Date.Time.Format("2006-01")
	if r.PaymentStatus == "paid" {
		f.paid = amount
	} else {
		f.unpaid = amount
	}
	return f
}

// countingCharges keeps the figures of charges beside what apply does.
func countingCharges(
	apply func(*Batch, eventstore.Recorded) error,
) func(*Batch, eventstore.Recorded) error {
	return func(b *Batch, r eventstore.Recorded) error {
		if r.Stream.Category != events.ChargeCategory {
			return apply(b, r)
		}
		before, owing, err := countedCharge(b, r.Stream.ID)
		if err != nil {
			return err
		}
		if err := apply(b, r); err != nil {
			return err
		}
		after, owe, err := countedCharge(b, r.Stream.ID)
		if err != nil {
			return err
		}
		if before != after {
			if err := moveFigure(b, before, after); err != nil {
				return err
			}
		}
		if before.building == after.building && slices.Equal(owing, owe) {
			return nil
		}
		if err := moveOwners(b, before.building, owing, -1); err != nil {
			return err
		}
		return moveOwners(b, after.building, owe, 1)
	}
}

// chargedIn are the organization and the building of a charge that begins; what its later events
// concern, its row says.
func chargedIn(r *eventstore.Recorded) []uuid.UUID {
	if drafted, ok := r.Event.(events.ChargeDrafted); ok {
		return []uuid.UUID{r.Organization, drafted.Content.Building}
	}
	return nil
}

// countedCharge is what a charge counts for and who owes a part of it when it is overdue.
func countedCharge(b *Batch, id uuid.UUID) (chargeFigure, []uuid.UUID, error) {
	row, found, err := ChargeTable.Get(b, id)
	if err != nil || !found {
		return chargeFigure{}, nil, err
	}
	if row.PaymentStatus != "overdue" {
		return row.figure(), nil, nil
	}
	division, _, err := DivisionTable.Get(b, id)
	if err != nil {
		return chargeFigure{}, nil, err
	}
	var owing []uuid.UUID
	for i, owner := range division.Owners {
		if owner != uuid.Nil && division.Amounts[i] > 0 {
			owing = append(owing, owner)
		}
	}
	slices.SortFunc(owing, func(a, b uuid.UUID) int { return slices.Compare(a[:], b[:]) })
	return row.figure(), slices.Compact(owing), nil
}

// moveFigure takes what a charge counted for out of the figures and puts in what it counts for.
func moveFigure(b *Batch, before, after chargeFigure) error {
	whole := b.copy.organization
	if err := ChargeFigureTable.Need(b, whole, before.building, after.building); err != nil {
		return err
	}
	for _, move := range []struct {
		figure chargeFigure
		by     events.Money
	}{{before, -1}, {after, 1}} {
		if move.figure.building == uuid.Nil {
			continue
		}
		for _, scope := range []uuid.UUID{whole, move.figure.building} {
			err := changeFigure(b, scope, func(row *ChargeFigureRow) {
				row.add(move.figure, move.by)
			})
			if err != nil {
				return err
			}
		}
	}
	return nil
}

func changeFigure(b *Batch, scope uuid.UUID, change func(*ChargeFigureRow)) error {
	row, found, err := ChargeFigureTable.Get(b, scope)
	if err != nil {
		return err
	}
	if !found {
		row = ChargeFigureRow{
			OrganizationID: b.copy.organization, ID: scope, Months: []MonthFigure{},
		}
	}
	change(&row)
	ChargeFigureTable.Put(b, row)
	return nil
}

// add counts a charge in, or out where by is -1. A month that comes to nothing stays at 0.
func (r *ChargeFigureRow) add(f chargeFigure, by events.Money) {
	r.Pending += int64(by) * f.pending
	r.PendingAmount += by * f.pendingAmount
	r.Paid, r.Unpaid = r.Paid+by*f.paid, r.Unpaid+by*f.unpaid
	if f.month == "" {
		return
	}
	r.Months = slices.Clone(r.Months)
	i, found := r.month(f.month)
	if !found {
		r.Months = slices.Insert(r.Months, i, MonthFigure{Month: f.month})
	}
	r.Months[i].Amount += by * f.inMonth
}

// moveOwners counts an overdue charge of a building in for those who owe a part of it, or out where
// by is -1.
func moveOwners(b *Batch, building uuid.UUID, owners []uuid.UUID, by int64) error {
	for _, scope := range []uuid.UUID{b.copy.organization, building} {
		ids := make([]uuid.UUID, len(owners))
		for i, owner := range owners {
			ids[i] = uuid.NewSHA1(scope, owner[:])
		}
		if err := OverdueOwnerTable.Need(b, ids...); err != nil {
			return err
		}
		counted := int64(0)
		for i, owner := range owners {
			row, found, err := OverdueOwnerTable.Get(b, ids[i])
			if err != nil {
				return err
			}
			if !found {
				row = OverdueOwnerRow{
					OrganizationID: b.copy.organization, ID: ids[i], ScopeID: scope, OwnerID: owner,
				}
				counted++
			}
			if row.Charges += by; row.Charges > 0 {
				OverdueOwnerTable.Put(b, row)
				continue
			}
			OverdueOwnerTable.Delete(b, ids[i])
			counted--
		}
		if counted == 0 {
			continue
		}
		err := changeFigure(b, scope, func(row *ChargeFigureRow) { row.OverdueOwners += counted })
		if err != nil {
			return err
		}
	}
	return nil
}
