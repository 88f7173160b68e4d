package events

import (
	"github.com/google/uuid"
)

// SupplierCategory is the category of a supplier's stream (fournisseur, leverancier).
const SupplierCategory = "supplier"

// SupplierNamed enters a supplier at his first use in a charge.
type SupplierNamed struct {
	SupplierID uuid.UUID `json:"supplier_id"` // the subject
	Name       Personal  `json:"name"`
}

// NormalSupplier is the form that a claim on a supplier's name is made of.
func NormalSupplier(name string) string { return NormalText(name) }

// EventType names the fact.
func (SupplierNamed) EventType() string { return "supplier.named" }

// PersonalFields names the name.
func (e *SupplierNamed) PersonalFields() []PersonalField {
	return []PersonalField{{"/name", e.SupplierID, &e.Name}}
}

// NewSubjects names the supplier.
func (e SupplierNamed) NewSubjects() []uuid.UUID { return []uuid.UUID{e.SupplierID} }

var _ = register[SupplierNamed]()
