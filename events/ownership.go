package events

import (
	"time"

	"github.com/google/uuid"
)

// Ownership (propriété) is a dated relation of a lot and an owner. Its facts stand in the
// building's stream; the owner's own stream notes that he holds and no longer holds it.

// Rights that an ownership may be of.
const (
	RightFull     = "full"     // pleine propriété
	RightUsufruct = "usufruct" // usufruit
	RightBare     = "bare"     // nue-propriété
)

// OwnershipStarted gives an owner a fraction of a lot from a day on.
type OwnershipStarted struct {
	OwnershipID    uuid.UUID `json:"ownership_id"`
	LotID          uuid.UUID `json:"lot_id"`
	OwnerID        uuid.UUID `json:"owner_id"`
	Fraction       Fraction  `json:"fraction"`
	Right          string    `json:"right"`
	From           Day       `json:"from"`
	PrimaryContact bool      `json:"primary_contact"`
	DeedReference  string    `json:"deed_reference,omitempty"`
	SoldBy         uuid.UUID `json:"sold_by,omitzero"` // the owner that it was bought from
}

// EventType names the fact.
func (OwnershipStarted) EventType() string { return "ownership.started" }

// EffectiveAt is the first instant of the day in Belgium.
func (e OwnershipStarted) EffectiveAt() time.Time { return e.From.Start() }

var _ = register[OwnershipStarted]()

// OwnershipFractionAmended gives a running ownership another fraction from a day on, whatever it
// was to be on later days.
type OwnershipFractionAmended struct {
	OwnershipID   uuid.UUID `json:"ownership_id"`
	LotID         uuid.UUID `json:"lot_id"`
	OwnerID       uuid.UUID `json:"owner_id"`
	Fraction      Fraction  `json:"fraction"`
	From          Day       `json:"from"`
	DeedReference string    `json:"deed_reference,omitempty"`
}

// EventType names the fact.
func (OwnershipFractionAmended) EventType() string { return "ownership.fraction_amended" }

// EffectiveAt is the first instant of the day in Belgium.
func (e OwnershipFractionAmended) EffectiveAt() time.Time { return e.From.Start() }

var _ = register[OwnershipFractionAmended]()

// OwnershipEnded ends an ownership; To is its last day, the one before its first where it was
// never held.
type OwnershipEnded struct {
	OwnershipID uuid.UUID `json:"ownership_id"`
	LotID       uuid.UUID `json:"lot_id"`
	OwnerID     uuid.UUID `json:"owner_id"`
	To          Day       `json:"to"`
	SoldTo      uuid.UUID `json:"sold_to,omitzero"` // the owner that bought it
}

// EventType names the fact.
func (OwnershipEnded) EventType() string { return "ownership.ended" }

// EffectiveAt is the first instant of the day after the last one, in Belgium.
func (e OwnershipEnded) EffectiveAt() time.Time { return e.To.Start().AddDate(0, 0, 1) }

var _ = register[OwnershipEnded]()

// OwnershipContactNamed makes an ownership the lot's primary contact (mandataire of an undivided
// lot), in place of the one before.
type OwnershipContactNamed struct {
	OwnershipID uuid.UUID `json:"ownership_id"`
	LotID       uuid.UUID `json:"lot_id"`
	OwnerID     uuid.UUID `json:"owner_id"`
}

// EventType names the fact.
func (OwnershipContactNamed) EventType() string { return "ownership.contact_named" }

var _ = register[OwnershipContactNamed]()
