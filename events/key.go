package events

import "github.com/google/uuid"

// KeyCategory is the category of a distribution key's stream (clé de répartition, verdeelsleutel).
const KeyCategory = "key"

// KeyWeight is what a lot weighs in a distribution key.
type KeyWeight struct {
	LotID  uuid.UUID `json:"lot_id"`
	Weight int64     `json:"weight"`
}

// KeyDeclared makes a distribution key of a building with its first version.
type KeyDeclared struct {
	Building  uuid.UUID   `json:"building_id"`
	Name      string      `json:"name"`
	Base      int64       `json:"base"` // what the weights sum to
	ValidFrom Day         `json:"valid_from"`
	Weights   []KeyWeight `json:"weights"`
}

// EventType names the fact.
func (KeyDeclared) EventType() string { return "key.declared" }

// BuildingID is the building that the key divides the charges of.
func (e KeyDeclared) BuildingID() uuid.UUID { return e.Building }

var _ = register[KeyDeclared]()

// KeyVersioned gives a key another name, base or weights from a day on; charges of earlier days
// keep the version of their day.
type KeyVersioned struct {
	Building  uuid.UUID   `json:"building_id"`
	Name      string      `json:"name"`
	Base      int64       `json:"base"`
	ValidFrom Day         `json:"valid_from"`
	Weights   []KeyWeight `json:"weights"`
}

// EventType names the fact.
func (KeyVersioned) EventType() string { return "key.versioned" }

// BuildingID is the building that the key divides the charges of.
func (e KeyVersioned) BuildingID() uuid.UUID { return e.Building }

var _ = register[KeyVersioned]()
