package projections

import (
	"time"

	"github.com/google/uuid"

	"github.com/koprogo/koprogo/events"
	"github.com/koprogo/koprogo/eventstore"
)

// SupplierRow is somebody who was named in a charge.
type SupplierRow struct {
	OrganizationID uuid.UUID `json:"organization_id"`
	ID             uuid.UUID `json:"id"`
	Position       int64     `json:"position"` // of the event that changed it last
	Name           string    `json:"name" personal:"true"`
	CreatedAt      time.Time `json:"created_at"`
}

// RowID is the supplier's id.
func (r SupplierRow) RowID() uuid.UUID { return r.ID }

// SupplierTable is read.suppliers.
var SupplierTable = NewTable[uuid.UUID, SupplierRow]("suppliers", "id")

func applySupplier(b *Batch, r eventstore.Recorded) error {
	switch e := r.Event.(type) {
	case events.SupplierNamed:
		SupplierTable.Put(b, SupplierRow{
			OrganizationID: r.Organization, ID: e.SupplierID, Position: r.Position,
			Name: e.Name.Sealed(), CreatedAt: r.RecordedAt,
		})
	case events.PersonErased: // the name stays and opens no more: whoever holds it open is told
		return SupplierTable.Update(b, r.Stream.ID, func(row *SupplierRow) {
			row.Position = r.Position
		})
	}
	return nil
}
