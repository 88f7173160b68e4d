package events

import (
	"time"

	"github.com/google/uuid"
)

// A lot (lot, kavel) belongs to its building's aggregate: its facts stand in the building's
// stream, so that the shares of all lots and the ownership of each are decided together.

// LotRegistered enters a private lot with its shares in the common parts.
type LotRegistered struct {
	LotID   uuid.UUID `json:"lot_id"`
	Number  string    `json:"number"`
	Type    string    `json:"type"` // apartment, parking, cellar, commercial, other
	Floor   *int      `json:"floor,omitempty"`
	Surface Area      `json:"surface"`
	Shares  Shares    `json:"shares"`   // of the building's total
	SortKey string    `json:"sort_key"` // orders lots where cents are left over; never empty
}

// EventType names the fact.
func (LotRegistered) EventType() string { return "lot.registered" }

var _ = register[LotRegistered]()

// LotDescribed says what a lot is: its number, its place in the order, its kind and size.
type LotDescribed struct {
	LotID   uuid.UUID `json:"lot_id"`
	Number  string    `json:"number"`
	Type    string    `json:"type"`
	Floor   *int      `json:"floor,omitempty"`
	Surface Area      `json:"surface"`
	SortKey string    `json:"sort_key"`
}

// EventType names the fact.
func (LotDescribed) EventType() string { return "lot.described" }

var _ = register[LotDescribed]()

// LotSharesAmended gives a lot other shares from a day on (art. 3.88: unanimity of the owners).
type LotSharesAmended struct {
	LotID  uuid.UUID `json:"lot_id"`
	Shares Shares    `json:"shares"`
	Total  Shares    `json:"total"` // of the building, as it was then
	From   Day       `json:"from"`
}

// EventType names the fact.
func (LotSharesAmended) EventType() string { return "lot.shares_amended" }

// EffectiveAt is the first instant of the day in Belgium.
func (e LotSharesAmended) EffectiveAt() time.Time { return e.From.Start() }

var _ = register[LotSharesAmended]()

// LotRemoved takes a lot without owners out of the books.
type LotRemoved struct {
	LotID uuid.UUID `json:"lot_id"`
}

// EventType names the fact.
func (LotRemoved) EventType() string { return "lot.removed" }

var _ = register[LotRemoved]()
