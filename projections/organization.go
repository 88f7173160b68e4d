package projections

import (
	"time"

	"github.com/google/uuid"

	"github.com/koprogo/koprogo/events"
	"github.com/koprogo/koprogo/eventstore"
)

// OrganizationRow is an organization, as its own log has it.
type OrganizationRow struct {
	OrganizationID uuid.UUID      `json:"organization_id"`
	Version        int64          `json:"version"`
	Position       int64          `json:"position"`
	Name           string         `json:"name"`
	Slug           string         `json:"slug"`
	Plan           string         `json:"plan"`
	ContactID      *uuid.UUID     `json:"contact_id"`
	ContactEmail   string         `json:"contact_email" personal:"true"`
	ContactPhone   string         `json:"contact_phone" personal:"true"`
	IsActive       bool           `json:"is_active"`
	FourEyes       string         `json:"four_eyes"`
	Language       string         `json:"language"`
	Zone           string         `json:"zone"`
	Rates          map[string]int `json:"rates"` // basis points
	CreatedAt      time.Time      `json:"created_at"`
	UpdatedAt      time.Time      `json:"updated_at"`
}

// RowID is the organization's id.
func (r OrganizationRow) RowID() uuid.UUID { return r.OrganizationID }

// OrganizationTable is read.organizations.
var OrganizationTable = NewTable[uuid.UUID, OrganizationRow]("organizations", "organization_id")

// OrganizationTotal is one for an organization; ActiveTotal is zero while it is suspended.
const (
	OrganizationTotal Resource = "organizations"
	ActiveTotal       Resource = "active_organizations"
)

// Organizations shows each organization, with its contact and settings.
var Organizations = Projection{
	Name:       "organizations",
	Tables:     []AnyTable{OrganizationTable},
	ByStream:   []AnyTable{OrganizationTable},
	Totals:     []Resource{OrganizationTotal, ActiveTotal},
	Categories: []string{events.OrganizationCategory},
	Apply:      applyOrganization,
}

func applyOrganization(b *Batch, r eventstore.Recorded) error {
	if r.Organization == eventstore.Platform {
		return nil // its place in the platform's list says nothing that its own log does not
	}
	if e, ok := r.Event.(events.OrganizationFounded); ok {
		OrganizationTable.Put(b, OrganizationRow{
			OrganizationID: r.Organization, Version: r.Version, Position: r.Position,
			Name: e.Name, Slug: e.Slug, Plan: e.Plan, ContactID: someone(e.ContactID),
			ContactEmail: e.ContactEmail.Sealed(), ContactPhone: e.ContactPhone.Sealed(),
			IsActive: true, FourEyes: "auto", Language: e.Language, Zone: e.Zone,
			CreatedAt: r.RecordedAt, UpdatedAt: r.RecordedAt,
		})
		if err := count(b, OrganizationTotal, 1); err != nil {
			return err
		}
		return count(b, ActiveTotal, 1)
	}
	row, found, err := OrganizationTable.Get(b, r.Organization)
	if err != nil || !found {
		return err
	}
	was := row.IsActive
	row.Version, row.Position, row.UpdatedAt = r.Version, r.Position, r.RecordedAt
	changeOrganization(&row, r.Event)
	OrganizationTable.Put(b, row)
	switch {
	case was && !row.IsActive:
		return count(b, ActiveTotal, -1)
	case !was && row.IsActive:
		return count(b, ActiveTotal, 1)
	}
	return nil
}

func changeOrganization(row *OrganizationRow, event events.Event) {
	switch e := event.(type) {
	case events.OrganizationRenamed:
		row.Name, row.Slug = e.Name, e.Slug
	case events.OrganizationContactChanged:
		row.ContactID = someone(e.ContactID)
		row.ContactEmail, row.ContactPhone = e.Email.Sealed(), e.Phone.Sealed()
	case events.OrganizationPlanChanged:
		row.Plan = e.Plan
	case events.OrganizationSuspended:
		row.IsActive = false
	case events.OrganizationReinstated:
		row.IsActive = true
	case events.OrganizationSettingsChanged:
		row.FourEyes, row.Language, row.Zone = e.FourEyes, e.Language, e.Zone
		row.Rates = e.Rates
	}
}

// someone is nil for nobody.
func someone(id uuid.UUID) *uuid.UUID {
	if id == uuid.Nil {
		return nil
	}
	return &id
}
