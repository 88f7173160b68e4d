package projections

import (
	"time"

	"github.com/google/uuid"

	"github.com/koprogo/koprogo/events"
	"github.com/koprogo/koprogo/eventstore"
)

// LotRow is a lot of a building.
type LotRow struct {
	OrganizationID uuid.UUID     `json:"organization_id"`
	ID             uuid.UUID     `json:"id"`
	Version        int64         `json:"version"`  // moves with its ownerships too; VersionOn is the ETag
	Position       int64         `json:"position"` // of the event that changed it last
	BuildingID     uuid.UUID     `json:"building_id"`
	Number         string        `json:"number"`
	Type           string        `json:"type"`
	Floor          *int          `json:"floor"`
	Surface        events.Area   `json:"surface"`
	Shares         events.Shares `json:"shares"`
	SortKey        string        `json:"sort_key"`
	Owners         []LotOwner    `json:"owners"` // all there ever were, never nil
	CreatedAt      time.Time     `json:"created_at"`
	UpdatedAt      time.Time     `json:"updated_at"`
}

// LotOwner is what a lot's row knows of an ownership: enough to tell the primary contact of a day.
type LotOwner struct {
	OwnershipID uuid.UUID  `json:"ownership_id"`
	OwnerID     uuid.UUID  `json:"owner_id"`
	From        events.Day `json:"from"`
	To          events.Day `json:"to,omitempty"`    // the last day; empty while none is known
	Named       int        `json:"named,omitempty"` // the primary contact that was named last wins
}

// RunsOn tells whether the ownership is held on a day.
func (o LotOwner) RunsOn(day events.Day) bool {
	return o.From <= day && (o.To == "" || day <= o.To)
}

// RowID is the lot's id.
func (r LotRow) RowID() uuid.UUID { return r.ID }

// PrimaryOn is the lot's primary contact on a day, by the rule of commands: of those who own it
// then the one named last, else the one who came first. False where nobody owns it.
func (r *LotRow) PrimaryOn(day events.Day) (primary LotOwner, owned bool) {
	for _, o := range r.Owners {
		if o.RunsOn(day) && (!owned || o.before(primary)) {
			primary, owned = o, true
		}
	}
	return primary, owned
}

// VersionOn is the lot's ETag on a day, by the rule of commands: the days up to it count on which
// an ownership began or was over, since they change whom PrimaryOn finds.
func (r *LotRow) VersionOn(day events.Day) int64 {
	version := r.Version
	for _, o := range r.Owners {
		if o.From <= day {
			version++
		}
		if o.To != "" && o.To < day {
			version++
		}
	}
	return version
}

// before tells whether o is the primary contact rather than other.
func (o LotOwner) before(other LotOwner) bool {
	switch {
	case o.Named != other.Named:
		return o.Named > other.Named
	case o.From != other.From:
		return o.From < other.From
	}
	return o.OwnerID.String() < other.OwnerID.String()
}

// RemovedLotRow says to which building a lot belonged that was removed.
type RemovedLotRow struct {
	OrganizationID uuid.UUID `json:"organization_id"`
	ID             uuid.UUID `json:"id"`
	BuildingID     uuid.UUID `json:"building_id"`
}

// RowID is the lot's id.
func (r RemovedLotRow) RowID() uuid.UUID { return r.ID }

// LotTable is read.lots, RemovedLotTable read.removed_lots.
var (
	LotTable        = NewTable[uuid.UUID, LotRow]("lots", "id")
	RemovedLotTable = NewTable[uuid.UUID, RemovedLotRow]("removed_lots", "id")
)

// LotTotal counts the lots of an organization.
const LotTotal Resource = "lots"

// Lots shows the lots that were not removed, every ownership of a lot, and what a building's
// lots come to.
var Lots = Projection{
	Name: "lots",
	Tables: []AnyTable{
		LotTable, RemovedLotTable, OwnershipTable, LotFigureTable, DatedLotTable,
	},
	ByStream:   []AnyTable{LotFigureTable},
	ByEvent:    []ByEvent{{LotTable, countedLots}},
	Totals:     []Resource{LotTotal},
	Categories: []string{events.BuildingCategory},
	Apply:      countingLots(applyLot),
}

func applyLot(b *Batch, r eventstore.Recorded) error {
	switch e := r.Event.(type) {
	case events.LotRegistered:
		LotTable.Put(b, LotRow{
			OrganizationID: r.Organization, ID: e.LotID, Version: 1, Position: r.Position,
			BuildingID: r.Stream.ID, Number: e.Number, Type: e.Type, Floor: e.Floor,
			Surface: e.Surface, Shares: e.Shares, SortKey: e.SortKey, Owners: []LotOwner{},
			CreatedAt: r.RecordedAt, UpdatedAt: r.RecordedAt,
		})
		return count(b, LotTotal, 1)
	case events.LotDescribed:
		return changeLot(b, r, e.LotID, func(row *LotRow) {
			row.Number, row.Type, row.Floor = e.Number, e.Type, e.Floor
			row.Surface, row.SortKey = e.Surface, e.SortKey
		})
	case events.LotSharesAmended:
		return changeLot(b, r, e.LotID, func(row *LotRow) { row.Shares = e.Shares })
	case events.LotRemoved:
		row, found, err := LotTable.Get(b, e.LotID)
		if err != nil || !found {
			return err
		}
		LotTable.Delete(b, e.LotID)
		RemovedLotTable.Put(b, RemovedLotRow{r.Organization, e.LotID, row.BuildingID})
		return count(b, LotTotal, -1)
	}
	return applyOwnership(b, r)
}

// changeLot changes a lot's row. One that is not there is left alone: the lot was removed.
func changeLot(
	b *Batch, r eventstore.Recorded, lot uuid.UUID, change func(*LotRow),
) error {
	return LotTable.Update(b, lot, func(row *LotRow) {
		row.Version, row.Position, row.UpdatedAt = row.Version+1, r.Position, r.RecordedAt
		change(row)
	})
}
