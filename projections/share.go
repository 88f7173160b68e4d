package projections

import (
	"encoding/binary"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/koprogo/koprogo/events"
	"github.com/koprogo/koprogo/eventstore"
)

// DivisionRow is how a charge was divided. One row holds all shares of a charge, in lists that
// stand side by side: a building of many owners has few rows, and an approval writes one.
type DivisionRow struct {
	OrganizationID uuid.UUID      `json:"organization_id"`
	ID             uuid.UUID      `json:"id"` // the charge's
	Position       int64          `json:"position"`
	BuildingID     uuid.UUID      `json:"building_id"`
	Date           pgtype.Date    `json:"date"`      // the charge's
	Cancelled      bool           `json:"cancelled"` // then nothing of it is due
	Lots           []uuid.UUID    `json:"lots"`
	Owners         []uuid.UUID    `json:"owners"` // nil for a lot without owner
	Parts          []int64        `json:"parts"`  // of the charge, in millionths
	Amounts        []events.Money `json:"amounts"`
	CreatedAt      time.Time      `json:"created_at"` // when it was approved
}

// RowID is the charge's id.
func (r DivisionRow) RowID() uuid.UUID { return r.ID }

// DivisionTable is read.divisions.
var DivisionTable = NewTable[uuid.UUID, DivisionRow]("divisions", "id")

// Share is what one owner of one lot bears of a charge.
type Share struct {
	ID        uuid.UUID // the same at every rebuild
	ChargeID  uuid.UUID
	LotID     uuid.UUID
	OwnerID   uuid.UUID    // nil for a lot without owner
	Part      int64        // of the charge, in millionths
	Amount    events.Money // negative for a credit note
	CreatedAt time.Time
}

// Shares are the shares of a division in their order: by the lots' sort keys, then owners.
func (r *DivisionRow) Shares() []Share {
	shares := make([]Share, len(r.Lots))
	for i := range r.Lots {
		shares[i] = Share{
			ID: ShareID(r.ID, i), ChargeID: r.ID, LotID: r.Lots[i], OwnerID: r.Owners[i],
			Part: r.Parts[i], Amount: r.Amounts[i], CreatedAt: r.CreatedAt,
		}
	}
	return shares
}

// ShareID is the id of the share that stands at a place, from 0, of a charge's division.
func ShareID(charge uuid.UUID, place int) uuid.UUID {
	return uuid.NewSHA1(charge, binary.BigEndian.AppendUint32(nil, uint32(place)))
}

func applyDivision(b *Batch, r eventstore.Recorded) error {
	switch e := r.Event.(type) {
	case events.ChargeApproved:
		return divide(b, r, e)
	case events.ChargeCancelled:
		return setCancelled(b, r, true)
	case events.ChargeReactivated:
		return setCancelled(b, r, false)
	}
	return nil
}

func divide(b *Batch, r eventstore.Recorded, e events.ChargeApproved) error {
	charge, found, err := ChargeTable.Get(b, r.Stream.ID)
	if err != nil || !found {
		return err
	}
	row := DivisionRow{
		OrganizationID: r.Organization, ID: r.Stream.ID, Position: r.Position,
		BuildingID: e.Building, Date: charge.Date, CreatedAt: r.RecordedAt,
		Lots: []uuid.UUID{}, Owners: []uuid.UUID{}, Parts: []int64{}, Amounts: []events.Money{},
	}
	for _, lot := range e.Lots {
		if len(lot.Owners) == 0 {
			row.add(lot.LotID, uuid.Nil, lot.Part, lot.Amount)
		}
		for _, owner := range lot.Owners {
			row.add(lot.LotID, owner.OwnerID, owner.Part, owner.Amount)
		}
	}
	DivisionTable.Put(b, row)
	return nil
}

func (r *DivisionRow) add(lot, owner uuid.UUID, part int64, amount events.Money) {
	r.Lots, r.Owners = append(r.Lots, lot), append(r.Owners, owner)
	r.Parts, r.Amounts = append(r.Parts, part), append(r.Amounts, amount)
}

func setCancelled(b *Batch, r eventstore.Recorded, cancelled bool) error {
	return DivisionTable.Update(b, r.Stream.ID, func(row *DivisionRow) {
		row.Position, row.Cancelled = r.Position, cancelled
	})
}
