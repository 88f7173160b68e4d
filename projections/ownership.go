package projections

import (
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/koprogo/koprogo/events"
	"github.com/koprogo/koprogo/eventstore"
)

// OwnershipRow is a dated relation of a lot and an owner, also one that is over.
type OwnershipRow struct {
	OrganizationID uuid.UUID       `json:"organization_id"`
	ID             uuid.UUID       `json:"id"`
	Version        int64           `json:"version"`  // its ETag
	Position       int64           `json:"position"` // of the event that changed it last
	BuildingID     uuid.UUID       `json:"building_id"`
	LotID          uuid.UUID       `json:"lot_id"`
	OwnerID        uuid.UUID       `json:"owner_id"`
	Right          string          `json:"held_right"`
	Fraction       string          `json:"fraction"` // the last of Steps
	From           pgtype.Date     `json:"from_day"`
	To             pgtype.Date     `json:"to_day"` // null while no last day is known
	Named          int             `json:"named"`  // as in LotOwner
	Steps          []OwnershipStep `json:"steps"`  // by day, never empty
	DeedReference  string          `json:"deed_reference"`
	SoldBy         *uuid.UUID      `json:"sold_by"`
	SoldTo         *uuid.UUID      `json:"sold_to"`
	CreatedAt      time.Time       `json:"created_at"`
	UpdatedAt      time.Time       `json:"updated_at"`
}

// OwnershipStep is a fraction from a day on.
type OwnershipStep struct {
	From     events.Day      `json:"from"`
	Fraction events.Fraction `json:"fraction"`
}

// RowID is the ownership's id.
func (r OwnershipRow) RowID() uuid.UUID { return r.ID }

// OwnershipTable is read.ownerships.
var OwnershipTable = NewTable[uuid.UUID, OwnershipRow]("ownerships", "id")

func applyOwnership(b *Batch, r eventstore.Recorded) error {
	switch e := r.Event.(type) {
	case events.OwnershipStarted:
		return startOwnership(b, r, e)
	case events.OwnershipFractionAmended:
		if err := changeLot(b, r, e.LotID, func(*LotRow) {}); err != nil {
			return err
		}
		return changeOwnership(b, r, e.OwnershipID, func(row *OwnershipRow) {
			row.amend(e)
		})
	case events.OwnershipEnded:
		to, err := day(e.To)
		if err != nil {
			return err
		}
		err = changeLot(b, r, e.LotID, func(row *LotRow) {
			row.owner(e.OwnershipID, func(o *LotOwner) {
				if o.To != "" {
					row.Version++ // the end that is replaced may have counted in VersionOn
				}
				o.To = e.To
			})
		})
		if err != nil {
			return err
		}
		return changeOwnership(b, r, e.OwnershipID, func(row *OwnershipRow) {
			row.To, row.SoldTo = to, knownID(e.SoldTo)
		})
	case events.OwnershipContactNamed:
		return nameContact(b, r, e)
	}
	return nil
}

func startOwnership(b *Batch, r eventstore.Recorded, e events.OwnershipStarted) error {
	from, err := day(e.From)
	if err != nil {
		return err
	}
	row := OwnershipRow{
		OrganizationID: r.Organization, ID: e.OwnershipID, Version: 1, Position: r.Position,
		BuildingID: r.Stream.ID, LotID: e.LotID, OwnerID: e.OwnerID, Right: e.Right,
		Fraction: e.Fraction.String(), From: from, Steps: []OwnershipStep{{e.From, e.Fraction}},
		DeedReference: e.DeedReference, SoldBy: knownID(e.SoldBy), CreatedAt: r.RecordedAt,
		UpdatedAt: r.RecordedAt,
	}
	before := uuid.Nil
	err = changeLot(b, r, e.LotID, func(lot *LotRow) {
		if e.PrimaryContact {
			before, row.Named = lot.named()
		}
		lot.Owners = append(slices.Clone(lot.Owners), LotOwner{
			OwnershipID: e.OwnershipID, OwnerID: e.OwnerID, From: e.From, Named: row.Named,
		})
	})
	if err != nil {
		return err
	}
	OwnershipTable.Put(b, row)
	return unname(b, r, before)
}

func nameContact(b *Batch, r eventstore.Recorded, e events.OwnershipContactNamed) error {
	before, named := uuid.Nil, 0
	err := changeLot(b, r, e.LotID, func(lot *LotRow) {
		before, named = lot.named()
		lot.owner(e.OwnershipID, func(o *LotOwner) { o.Named = named })
	})
	if err != nil {
		return err
	}
	if before != e.OwnershipID {
		if err := unname(b, r, before); err != nil {
			return err
		}
	}
	return changeOwnership(b, r, e.OwnershipID, func(row *OwnershipRow) { row.Named = named })
}

// unname moves the version of the ownership that is the primary contact no more.
func unname(b *Batch, r eventstore.Recorded, ownership uuid.UUID) error {
	return changeOwnership(b, r, ownership, func(*OwnershipRow) {})
}

func changeOwnership(
	b *Batch, r eventstore.Recorded, id uuid.UUID, change func(*OwnershipRow),
) error {
	if id == uuid.Nil {
		return nil
	}
	return OwnershipTable.Update(b, id, func(row *OwnershipRow) {
		row.Version, row.Position, row.UpdatedAt = row.Version+1, r.Position, r.RecordedAt
		change(row)
	})
}

// named is the ownership that was named primary contact last, nil for none, and the number of the
// next one.
func (r *LotRow) named() (last uuid.UUID, next int) {
	for _, o := range r.Owners {
		if o.Named > next {
			last, next = o.OwnershipID, o.Named
		}
	}
	return last, next + 1
}

// owner changes a copy of what the row knows of an ownership.
func (r *LotRow) owner(ownership uuid.UUID, change func(*LotOwner)) {
	r.Owners = slices.Clone(r.Owners)
	for i := range r.Owners {
		if r.Owners[i].OwnershipID == ownership {
			change(&r.Owners[i])
		}
	}
}

// amend gives the row another fraction from a day on, whatever it was to be on later days.
func (r *OwnershipRow) amend(e events.OwnershipFractionAmended) {
	kept := slices.IndexFunc(r.Steps, func(s OwnershipStep) bool { return s.From >= e.From })
	if kept < 0 {
		kept = len(r.Steps)
	}
	r.Steps = append(r.Steps[:kept:kept], OwnershipStep{e.From, e.Fraction})
	r.Fraction = e.Fraction.String()
	if e.DeedReference != "" {
		r.DeedReference = e.DeedReference
	}
}

// knownID is nil for an id that a fact does not name.
func knownID(id uuid.UUID) *uuid.UUID {
	if id == uuid.Nil {
		return nil
	}
	return &id
}
