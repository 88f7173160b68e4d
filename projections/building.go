package projections

import (
	"time"

	"github.com/google/uuid"

	"github.com/koprogo/koprogo/events"
	"github.com/koprogo/koprogo/eventstore"
)

// BuildingRow is a building that the organization manages.
type BuildingRow struct {
	OrganizationID   uuid.UUID               `json:"organization_id"`
	ID               uuid.UUID               `json:"id"`
	Version          int64                   `json:"version"`  // its ETag: lots do not move it
	Position         int64                   `json:"position"` // of the event that changed it last
	Name             string                  `json:"name"`
	Address          string                  `json:"address"`
	City             string                  `json:"city"`
	PostalCode       string                  `json:"postal_code"`
	Country          string                  `json:"country"`
	Lots             int                     `json:"lots"`
	Shares           events.Shares           `json:"shares"`
	ConstructionYear *int                    `json:"construction_year"`
	Slug             string                  `json:"slug"`
	EnterpriseNumber events.EnterpriseNumber `json:"enterprise_number"`
	WorkingIBAN      events.IBAN             `json:"iban_working"`
	ReserveIBAN      events.IBAN             `json:"iban_reserve"`
	FiscalYearStart  string                  `json:"fiscal_year_start"`
	Entrances        []string                `json:"entrances"`
	Zone             string                  `json:"zone"`
	CreatedAt        time.Time               `json:"created_at"`
	UpdatedAt        time.Time               `json:"updated_at"`
}

// RowID is the building's id.
func (r BuildingRow) RowID() uuid.UUID { return r.ID }

// BuildingTable is read.buildings.
var BuildingTable = NewTable[uuid.UUID, BuildingRow]("buildings", "id")

// BuildingTotal counts the buildings of an organization.
const BuildingTotal Resource = "buildings"

// Buildings shows the buildings that were not removed.
var Buildings = Projection{
	Name:       "buildings",
	Tables:     []AnyTable{BuildingTable},
	ByStream:   []AnyTable{BuildingTable},
	Totals:     []Resource{BuildingTotal},
	Categories: []string{events.BuildingCategory},
	Apply:      applyBuilding,
}

func applyBuilding(b *Batch, r eventstore.Recorded) error {
	switch e := r.Event.(type) {
	case events.BuildingRegistered:
		BuildingTable.Put(b, registeredBuilding(r, e))
		return count(b, BuildingTotal, 1)
	case events.BuildingRemoved:
		_, found, err := BuildingTable.Get(b, r.Stream.ID)
		if err != nil || !found {
			return err
		}
		BuildingTable.Delete(b, r.Stream.ID)
		return count(b, BuildingTotal, -1)
	case events.BuildingRenamed, events.BuildingAddressCorrected, events.BuildingDeedAmended,
		events.BuildingIdentified, events.BuildingBankingChanged:
		return BuildingTable.Update(b, r.Stream.ID, func(row *BuildingRow) {
			row.Version, row.Position, row.UpdatedAt = row.Version+1, r.Position, r.RecordedAt
			changeBuilding(row, e)
		})
	}
	return nil
}

func registeredBuilding(r eventstore.Recorded, e events.BuildingRegistered) BuildingRow {
	return BuildingRow{
		OrganizationID: r.Organization, ID: r.Stream.ID, Version: 1, Position: r.Position,
		Name: e.Name, Address: e.Address, City: e.City, PostalCode: e.PostalCode,
		Country: e.Country, Lots: e.Lots, Shares: e.Shares,
		ConstructionYear: known(e.ConstructionYear), Slug: e.Slug,
		EnterpriseNumber: e.EnterpriseNumber, WorkingIBAN: e.WorkingIBAN,
		ReserveIBAN: e.ReserveIBAN, FiscalYearStart: e.FiscalYearStart,
		Entrances: texts(e.Entrances), Zone: e.Zone,
		CreatedAt: r.RecordedAt, UpdatedAt: r.RecordedAt,
	}
}

func changeBuilding(row *BuildingRow, event events.Event) {
	switch e := event.(type) {
	case events.BuildingRenamed:
		row.Name, row.Slug = e.Name, e.Slug
	case events.BuildingAddressCorrected:
		row.Address, row.City, row.PostalCode = e.Address, e.City, e.PostalCode
		row.Country, row.Entrances, row.Zone = e.Country, texts(e.Entrances), e.Zone
	case events.BuildingDeedAmended:
		row.Lots, row.Shares = e.Lots, e.Shares
	case events.BuildingIdentified:
		row.ConstructionYear = known(e.ConstructionYear)
		row.EnterpriseNumber = e.EnterpriseNumber
	case events.BuildingBankingChanged:
		row.WorkingIBAN, row.ReserveIBAN = e.WorkingIBAN, e.ReserveIBAN
		row.FiscalYearStart = e.FiscalYearStart
	}
}

// known is nil for a number that a fact does not state.
func known(n int) *int {
	if n == 0 {
		return nil
	}
	return &n
}

// texts is never nil: a column of texts without any is empty, not null.
func texts(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}
