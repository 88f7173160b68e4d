package projections

import (
	"time"

	"github.com/google/uuid"

	"github.com/koprogo/koprogo/events"
	"github.com/koprogo/koprogo/eventstore"
)

// OwnerRow is an owner in the organization's books.
type OwnerRow struct {
	OrganizationID   uuid.UUID  `json:"organization_id"`
	ID               uuid.UUID  `json:"id"`
	Version          int64      `json:"version"`  // its ETag: counts what changed the owner himself
	Position         int64      `json:"position"` // of the event that changed it last
	AccountID        *uuid.UUID `json:"account_id"`
	Kind             string     `json:"kind"`
	FirstName        string     `json:"first_name"        personal:"true"`
	LastName         string     `json:"last_name"         personal:"true"`
	CompanyName      string     `json:"company_name"      personal:"true"`
	EnterpriseNumber string     `json:"enterprise_number" personal:"true"`
	Language         string     `json:"language"          personal:"true"`
	Email            string     `json:"email"             personal:"true"`
	Phone            string     `json:"phone"             personal:"true"`
	Street           string     `json:"street"            personal:"true"`
	HouseNumber      string     `json:"house_number"      personal:"true"`
	Address          string     `json:"address"           personal:"true"`
	City             string     `json:"city"              personal:"true"`
	PostalCode       string     `json:"postal_code"       personal:"true"`
	Country          string     `json:"country"           personal:"true"`
	IBAN             string     `json:"iban"              personal:"true"`
	Mandatary        string     `json:"mandatary"         personal:"true"`
	CreatedAt        time.Time  `json:"created_at"`
	UpdatedAt        time.Time  `json:"updated_at"`
}

// RowID is the owner's id.
func (r OwnerRow) RowID() uuid.UUID { return r.ID }

// Texts are the sealed columns, in order.
func (r *OwnerRow) Texts() []*string {
	return []*string{
		&r.FirstName, &r.LastName, &r.CompanyName, &r.EnterpriseNumber, &r.Language, &r.Email,
		&r.Phone, &r.Street, &r.HouseNumber, &r.Address, &r.City, &r.PostalCode, &r.Country,
		&r.IBAN, &r.Mandatary,
	}
}

// OwnerTable is read.owners.
var OwnerTable = NewTable[uuid.UUID, OwnerRow]("owners", "id")

// OwnerTotal counts the owners of an organization.
const OwnerTotal Resource = "owners"

// Owners shows the owners who were not removed.
var Owners = Projection{
	Name:       "owners",
	Tables:     []AnyTable{OwnerTable},
	ByStream:   []AnyTable{OwnerTable},
	Totals:     []Resource{OwnerTotal},
	Categories: []string{events.OwnerCategory},
	Apply:      applyOwner,
}

func applyOwner(b *Batch, r eventstore.Recorded) error {
	switch e := r.Event.(type) {
	case events.OwnerRegistered:
		row := OwnerRow{
			OrganizationID: r.Organization, ID: r.Stream.ID, Version: 1, Position: r.Position,
			CreatedAt: r.RecordedAt, UpdatedAt: r.RecordedAt,
		}
		row.show(&e.Profile)
		OwnerTable.Put(b, row)
		return count(b, OwnerTotal, 1)
	case events.OwnerProfileCorrected:
		return changeOwner(b, r, func(row *OwnerRow) { row.show(&e.Profile) })
	case events.OwnerAccountLinked:
		return changeOwner(b, r, func(row *OwnerRow) {
			row.AccountID = nil
			if e.AccountID != uuid.Nil {
				row.AccountID = &e.AccountID
			}
		})
	case events.PersonErased: // the texts stay and open no more: whoever holds them open is told
		return OwnerTable.Update(b, r.Stream.ID, func(row *OwnerRow) { row.Position = r.Position })
	case events.OwnerRemoved:
		_, found, err := OwnerTable.Get(b, r.Stream.ID)
		if err != nil || !found {
			return err
		}
		OwnerTable.Delete(b, r.Stream.ID)
		return count(b, OwnerTotal, -1)
	}
	return nil
}

func changeOwner(b *Batch, r eventstore.Recorded, change func(*OwnerRow)) error {
	return OwnerTable.Update(b, r.Stream.ID, func(row *OwnerRow) {
		row.Version, row.Position, row.UpdatedAt = row.Version+1, r.Position, r.RecordedAt
		change(row)
	})
}

// show copies the sealed values of a profile.
func (r *OwnerRow) show(p *events.OwnerProfile) {
	r.Kind = p.Kind
	for i, text := range []events.Personal{
		p.FirstName, p.LastName, p.CompanyName, p.EnterpriseNumber, p.Language, p.Email, p.Phone,
		p.Street, p.HouseNumber, p.Address, p.City, p.PostalCode, p.Country, p.IBAN, p.Mandatary,
	} {
		*r.Texts()[i] = text.Sealed()
	}
}
