package projections

import (
	"cmp"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/koprogo/koprogo/events"
	"github.com/koprogo/koprogo/eventstore"
)

// KeyRow is a distribution key of a building.
type KeyRow struct {
	OrganizationID uuid.UUID    `json:"organization_id"`
	ID             uuid.UUID    `json:"id"`
	Version        int64        `json:"version"`  // its ETag: its stream's version
	Position       int64        `json:"position"` // of the event that changed it last
	BuildingID     uuid.UUID    `json:"building_id"`
	Name           string       `json:"name"`     // of the last of Versions
	Versions       []KeyVersion `json:"versions"` // by first day, never empty
	CreatedAt      time.Time    `json:"created_at"`
	UpdatedAt      time.Time    `json:"updated_at"`
}

// KeyVersion is a key from a day on.
type KeyVersion struct {
	Name      string             `json:"name"`
	Base      int64              `json:"base"`
	ValidFrom events.Day         `json:"valid_from"`
	Weights   []events.KeyWeight `json:"weights"`
}

// RowID is the key's id.
func (r KeyRow) RowID() uuid.UUID { return r.ID }

// KeyTable is read.keys.
var KeyTable = NewTable[uuid.UUID, KeyRow]("keys", "id")

// Keys shows the distribution keys.
var Keys = Projection{
	Name:       "keys",
	Tables:     []AnyTable{KeyTable},
	ByStream:   []AnyTable{KeyTable},
	Categories: []string{events.KeyCategory},
	Apply:      applyKey,
}

func applyKey(b *Batch, r eventstore.Recorded) error {
	switch e := r.Event.(type) {
	case events.KeyDeclared:
		KeyTable.Put(b, KeyRow{
			OrganizationID: r.Organization, ID: r.Stream.ID, Version: r.Version,
			Position: r.Position, BuildingID: e.Building, Name: e.Name,
			Versions:  []KeyVersion{keyVersion(events.KeyVersioned(e))},
			CreatedAt: r.RecordedAt, UpdatedAt: r.RecordedAt,
		})
	case events.KeyVersioned:
		return KeyTable.Update(b, r.Stream.ID, func(row *KeyRow) {
			row.Version, row.Position, row.UpdatedAt = r.Version, r.Position, r.RecordedAt
			row.Versions = slices.DeleteFunc(slices.Clone(row.Versions), func(v KeyVersion) bool {
				return v.ValidFrom == e.ValidFrom
			})
			row.Versions = append(row.Versions, keyVersion(e))
			slices.SortFunc(row.Versions, func(a, b KeyVersion) int {
				return cmp.Compare(a.ValidFrom, b.ValidFrom)
			})
			row.Name = row.Versions[len(row.Versions)-1].Name
		})
	}
	return nil
}

func keyVersion(e events.KeyVersioned) KeyVersion {
	return KeyVersion{Name: e.Name, Base: e.Base, ValidFrom: e.ValidFrom, Weights: e.Weights}
}
