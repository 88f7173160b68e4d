package commands

import (
	"github.com/google/uuid"

	"github.com/koprogo/koprogo/events"
	"github.com/koprogo/koprogo/eventstore"
)

// claimSupplier lets one supplier at a time have a name, in its normal form.
const claimSupplier = "supplier"

// SupplierStream holds a supplier's facts, in its organization's log.
func SupplierStream(id uuid.UUID) events.Stream {
	return events.Stream{Category: events.SupplierCategory, ID: id}
}

// Supplier is what the rules ask of a supplier: one who was named in a charge.
type Supplier struct {
	ID   uuid.UUID // nil while nobody named him
	Name events.Personal
}

// Evolve folds one fact.
func (s Supplier) Evolve(event events.Event) Supplier {
	if e, ok := event.(events.SupplierNamed); ok {
		s.ID, s.Name = e.SupplierID, e.Name
	}
	return s
}

// Claims is the name: it goes with the supplier's erasure.
func (s Supplier) Claims() []eventstore.Claim {
	if s.ID == uuid.Nil {
		return nil
	}
	return []eventstore.Claim{{Kind: claimSupplier, Personal: s.Name, Subject: s.ID}}
}

// supplierNamed finds the supplier of a name, or enters one under a fresh id. The fact that enters
// him is nil where he was found. Of two requests that name a supplier for the first time at once
// the claim lets one enter him; the other one is decided again and finds him.
func (r *Reader) supplierNamed(name string, fresh uuid.UUID) (uuid.UUID, events.Event, error) {
	holder, err := r.app.store.HolderOf(r.ctx, r.organization, claimSupplier,
		events.NormalSupplier(name))
	if err != nil {
		return uuid.Nil, nil, err
	}
	if !holder.IsZero() {
		return holder.ID, nil, nil
	}
	r.begin(fresh)
	return fresh, Elsewhere(SupplierStream(fresh), events.SupplierNamed{
		SupplierID: fresh, Name: events.PersonalText(name),
	}), nil
}

// begin is Load for a fresh id: no stream has it yet.
func (r *Reader) begin(supplier uuid.UUID) {
	stream := SupplierStream(supplier)
	if r.find(stream) != nil {
		return
	}
	r.loaded = append(r.loaded, &loaded{
		stream: stream, folded: folded{state: Supplier{}},
		evolve: func(state any, event events.Event) any {
			return state.(Supplier).Evolve(event) //nolint:forcetypeassert // it began as one
		},
	})
}
