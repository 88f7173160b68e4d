package projections

import (
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/koprogo/koprogo/events"
	"github.com/koprogo/koprogo/eventstore"
)

// LotFigureRow is what the lots of a building come to, beside what its deed says.
type LotFigureRow struct {
	OrganizationID uuid.UUID     `json:"organization_id"`
	ID             uuid.UUID     `json:"id"`           // the building's
	Lots           int64         `json:"lots"`         // that are registered
	Shares         events.Shares `json:"shares"`       // of these together
	TotalShares    events.Shares `json:"total_shares"` // that the deed names
	Vacant         int64         `json:"vacant"`       // lots that nobody owns, nor will as known
}

// RowID is the building's id.
func (r LotFigureRow) RowID() uuid.UUID { return r.ID }

// DatedLotRow is a lot that is owned on some days to come and on others not: whether it is vacant
// depends on the day that is asked for.
type DatedLotRow struct {
	OrganizationID uuid.UUID `json:"organization_id"`
	ID             uuid.UUID `json:"id"` // the lot's
	BuildingID     uuid.UUID `json:"building_id"`
	Held           string    `json:"held"` // on which days, as PostgreSQL writes a datemultirange
}

// RowID is the lot's id.
func (r DatedLotRow) RowID() uuid.UUID { return r.ID }

// LotFigureTable is read.lot_figures, DatedLotTable read.dated_lots.
var (
	LotFigureTable = NewTable[uuid.UUID, LotFigureRow]("lot_figures", "id")
	DatedLotTable  = NewTable[uuid.UUID, DatedLotRow]("dated_lots", "id")
)

// lotFigure is what one lot counts for.
type lotFigure struct {
	lots, vacant int64
	shares       events.Shares
	held         string // days, where they make a DatedLotRow
}

// countingLots keeps the figures of lots beside what apply does.
func countingLots(
	apply func(*Batch, eventstore.Recorded) error,
) func(*Batch, eventstore.Recorded) error {
	return func(b *Batch, r eventstore.Recorded) error {
		switch e := r.Event.(type) {
		case events.BuildingRegistered:
			LotFigureTable.Put(b, LotFigureRow{
				OrganizationID: r.Organization, ID: r.Stream.ID, TotalShares: e.Shares,
			})
		case events.BuildingDeedAmended:
			err := LotFigureTable.Update(b, r.Stream.ID, func(row *LotFigureRow) {
				row.TotalShares = e.Shares
			})
			if err != nil {
				return err
			}
		case events.BuildingRemoved:
			LotFigureTable.Delete(b, r.Stream.ID)
		}
		lot := countedLotOf(r.Event)
		if lot == uuid.Nil {
			return apply(b, r)
		}
		before, err := countedLot(b, lot)
		if err != nil {
			return err
		}
		if err := apply(b, r); err != nil {
			return err
		}
		after, err := countedLot(b, lot)
		if err != nil || before == after {
			return err
		}
		return moveLot(b, r, lot, before, after)
	}
}

// countedLotOf is the lot whose row an event may change; nil for none.
func countedLotOf(event events.Event) uuid.UUID {
	switch e := event.(type) {
	case events.LotRegistered:
		return e.LotID
	case events.LotDescribed:
		return e.LotID
	case events.LotSharesAmended:
		return e.LotID
	case events.LotRemoved:
		return e.LotID
	case events.OwnershipStarted:
		return e.LotID
	case events.OwnershipFractionAmended:
		return e.LotID
	case events.OwnershipEnded:
		return e.LotID
	case events.OwnershipContactNamed:
		return e.LotID
	}
	return uuid.Nil
}

func countedLots(r *eventstore.Recorded) []uuid.UUID {
	if lot := countedLotOf(r.Event); lot != uuid.Nil {
		return []uuid.UUID{lot}
	}
	return nil
}

// countedLot is what a lot was counted for when its row changed last: what it would count for on a
// later day is another thing.
func countedLot(b *Batch, id uuid.UUID) (lotFigure, error) {
	row, found, err := LotTable.Get(b, id)
	if err != nil || !found {
		return lotFigure{}, err
	}
	return row.figure(row.UpdatedAt), nil
}

// figure is what the lot counts for from an instant on. Which day it is then differs by zone: what
// is said holds for every day from the first of them.
func (r *LotRow) figure(at time.Time) lotFigure {
	const westernmost = -12 * time.Hour
	today := events.Day(at.UTC().Add(westernmost).Format(time.DateOnly))
	f := lotFigure{lots: 1, shares: r.Shares}
	var days []string
	for _, o := range r.Owners {
		switch {
		case o.To == "" && o.From <= today:
			return f // owned from here on
		case o.To == "":
			days = append(days, "["+string(o.From)+",)")
		case o.To >= today && o.From <= o.To:
			days = append(days, "["+string(o.From)+","+string(o.To)+"]")
		}
	}
	if days == nil {
		f.vacant = 1
		return f
	}
	slices.Sort(days)
	f.held = "{" + strings.Join(days, ",") + "}"
	return f
}

func moveLot(
	b *Batch, r eventstore.Recorded, lot uuid.UUID, before, after lotFigure,
) error {
	switch {
	case after.held != "":
		DatedLotTable.Put(b, DatedLotRow{
			OrganizationID: r.Organization, ID: lot, BuildingID: r.Stream.ID, Held: after.held,
		})
	case before.held != "":
		DatedLotTable.Delete(b, lot)
	}
	return LotFigureTable.Update(b, r.Stream.ID, func(row *LotFigureRow) {
		row.Lots += after.lots - before.lots
		row.Shares += after.shares - before.shares
		row.Vacant += after.vacant - before.vacant
	})
}
