package events

import "encoding/json"

// BuildingCategory is the category of a building's stream.
const BuildingCategory = "building"

// BuildingRegistered enters a building (immeuble) that the organization manages.
type BuildingRegistered struct {
	Name             string           `json:"name"`
	Address          string           `json:"address"`
	City             string           `json:"city"`
	PostalCode       string           `json:"postal_code"`
	Country          string           `json:"country"`
	Lots             int              `json:"lots"`   // how many lots the base deed names
	Shares           Shares           `json:"shares"` // the total that the lots' shares are over
	ConstructionYear int              `json:"construction_year,omitempty"`
	Slug             string           `json:"slug,omitempty"`
	EnterpriseNumber EnterpriseNumber `json:"enterprise_number,omitempty"`
	WorkingIBAN      IBAN             `json:"iban_working,omitempty"`
	ReserveIBAN      IBAN             `json:"iban_reserve,omitempty"`
	FiscalYearStart  string           `json:"fiscal_year_start,omitempty"` // month and day, 01-01
	Entrances        []string         `json:"entrances,omitempty"`
	Zone             string           `json:"zone"` // IANA name; calendar dates are days there
}

// EventType names the fact.
func (BuildingRegistered) EventType() string { return "building.registered" }

var _ = register[BuildingRegistered](zoneOfBuilding)

// zoneOfBuilding brings schema 1, which had no zone, to schema 2: buildings were Belgian.
func zoneOfBuilding(data []byte) ([]byte, error) {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(data, &fields); err != nil {
		return nil, err
	}
	fields["zone"] = json.RawMessage(`"Europe/Brussels"`)
	return json.Marshal(fields)
}

// BuildingRenamed gives a building another name or short name (slug).
type BuildingRenamed struct {
	Name string `json:"name"`
	Slug string `json:"slug,omitempty"`
}

// EventType names the fact.
func (BuildingRenamed) EventType() string { return "building.renamed" }

var _ = register[BuildingRenamed]()

// BuildingAddressCorrected says where the building stands, and by which entrances.
type BuildingAddressCorrected struct {
	Address    string   `json:"address"`
	City       string   `json:"city"`
	PostalCode string   `json:"postal_code"`
	Country    string   `json:"country"`
	Entrances  []string `json:"entrances,omitempty"`
	Zone       string   `json:"zone"`
}

// EventType names the fact.
func (BuildingAddressCorrected) EventType() string { return "building.address_corrected" }

var _ = register[BuildingAddressCorrected]()

// BuildingDeedAmended changes what the base deed (acte de base) states: how many lots there are
// and the total that their shares are over.
type BuildingDeedAmended struct {
	Lots   int    `json:"lots"`
	Shares Shares `json:"shares"`
}

// EventType names the fact.
func (BuildingDeedAmended) EventType() string { return "building.deed_amended" }

var _ = register[BuildingDeedAmended]()

// BuildingIdentified states the building's year and the association's enterprise number.
type BuildingIdentified struct {
	ConstructionYear int              `json:"construction_year,omitempty"`
	EnterpriseNumber EnterpriseNumber `json:"enterprise_number,omitempty"`
}

// EventType names the fact.
func (BuildingIdentified) EventType() string { return "building.identified" }

var _ = register[BuildingIdentified]()

// BuildingBankingChanged states the association's accounts, one per fund (art. 3.86 §3 of the
// Belgian Civil Code wants them apart), and the day its fiscal year begins.
type BuildingBankingChanged struct {
	WorkingIBAN     IBAN   `json:"iban_working,omitempty"`
	ReserveIBAN     IBAN   `json:"iban_reserve,omitempty"`
	FiscalYearStart string `json:"fiscal_year_start,omitempty"`
}

// EventType names the fact.
func (BuildingBankingChanged) EventType() string { return "building.banking_changed" }

var _ = register[BuildingBankingChanged]()

// BuildingRemoved ends the building in the organization's books; its history stays.
type BuildingRemoved struct{}

// EventType names the fact.
func (BuildingRemoved) EventType() string { return "building.removed" }

var _ = register[BuildingRemoved]()
