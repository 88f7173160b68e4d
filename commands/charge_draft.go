package commands

import (
	"reflect"

	"github.com/google/uuid"

	"github.com/koprogo/koprogo/events"
)

// DraftCharge makes a charge in draft. The same again under the same id changes nothing.
type DraftCharge struct {
	ChargeID   uuid.UUID
	BuildingID uuid.UUID
	SupplierID uuid.UUID // a fresh id, for a supplier whom nobody named before
	ChargeFields

	chargeReading
	first *events.ChargeContent // as it was drafted under this id before, its texts open
}

// Stream is the charge's.
func (c *DraftCharge) Stream() events.Stream { return ChargeStream(c.ChargeID) }

// Begins says that the stream may be new.
func (*DraftCharge) Begins() {}

// Read loads building, keys and supplier, and what was drafted under the id before.
func (c *DraftCharge) Read(r *Reader) error {
	c.first = nil
	if err := c.read(r, c.BuildingID, &c.ChargeFields, nil, c.SupplierID); err != nil {
		return err
	}
	charge, err := Load[Charge](r, c.Stream())
	if err == nil && charge.Drafted {
		c.first, err = r.openContent(charge.First)
	}
	return err
}

// Decide refuses wrong fields, amounts that do not add up, keys and lots of another building, and
// an id that belongs to another charge or to a removed one.
func (c *DraftCharge) Decide(charge Charge) ([]events.Event, error) {
	if !c.building.Stands() {
		return nil, notFound("building")
	}
	check := &check{}
	check.id(c.ChargeID)
	if err := check.err(); err != nil {
		return nil, err
	}
	wanted, err := c.content(c.BuildingID, &c.ChargeFields)
	switch {
	case err != nil:
		return nil, err
	case !charge.Drafted:
		return c.with(events.ChargeDrafted{Content: wanted}), nil
	case charge.Removed || c.first == nil || !reflect.DeepEqual(*c.first, wanted):
		return nil, idTaken("charge")
	}
	return nil, nil
}

// with is a fact, behind the one that enters its supplier where the name is new.
func (d *chargeReading) with(fact events.Event) []events.Event {
	if d.entered == nil {
		return []events.Event{fact}
	}
	return []events.Event{d.entered, fact}
}

// AmendCharge changes the fields that it names of a charge in draft, or of a rejected one.
type AmendCharge struct {
	ChargeID   uuid.UUID
	Building   Change[uuid.UUID] // where it is given it repeats the charge's building
	SupplierID uuid.UUID         // a fresh id, for a supplier whom nobody named before
	ChargeFields

	chargeReading
}

// Stream is the charge's.
func (c *AmendCharge) Stream() events.Stream { return ChargeStream(c.ChargeID) }

// Read opens the charge and loads what its content is decided on.
func (c *AmendCharge) Read(r *Reader) error {
	charge, err := Load[Charge](r, c.Stream())
	if err != nil || charge.changeable() != nil {
		return err
	}
	is := charge.Content
	return c.read(r, is.Building, &c.ChargeFields, is, c.SupplierID)
}

// Decide refuses what DraftCharge refuses, another building, and a charge that was submitted or
// approved.
func (c *AmendCharge) Decide(charge Charge) ([]events.Event, error) {
	if err := charge.changeable(); err != nil {
		return nil, err
	}
	if c.Building.Given && c.Building.Value != charge.Content.Building {
		return nil, &Refused{
			Code: CodeUnchangeable, Field: "building_id", Reason: "a charge stays in its building",
		}
	}
	wanted, err := c.content(charge.Content.Building, &c.ChargeFields)
	if err != nil || reflect.DeepEqual(*c.is, wanted) {
		return nil, err
	}
	return c.with(events.ChargeAmended{Content: wanted}), nil
}

// RemoveCharge takes a charge in draft, or a rejected one, out of the books. Its id is not used
// again.
type RemoveCharge struct{ ChargeID uuid.UUID }

// Stream is the charge's.
func (c RemoveCharge) Stream() events.Stream { return ChargeStream(c.ChargeID) }

// Decide refuses a charge that was submitted or approved.
func (c RemoveCharge) Decide(charge Charge) ([]events.Event, error) {
	if err := charge.changeable(); err != nil {
		return nil, err
	}
	return []events.Event{events.ChargeRemoved{Building: charge.Content.Building}}, nil
}
