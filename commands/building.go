package commands

import (
	"reflect"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/koprogo/koprogo/events"
	"github.com/koprogo/koprogo/eventstore"
)

// Limits and defaults of a building (contract.md, section 4).
const (
	maxLots         = 10_000_000
	maxShares       = 10_000_000
	maxEntrances    = 100
	defaultShares   = 1000
	defaultZone     = "Europe/Brussels"
	firstYear       = 1000
	yearsToComplete = 5 // a building may be entered while it is being built
)

// Building is what the rules of a building ask.
type Building struct {
	Registered bool
	Removed    bool
	Revision   int64                     // counts what changed the building, not its lots
	First      events.BuildingRegistered // as it was registered
	Facts      events.BuildingRegistered // as it is
	lots
}

// Stands tells whether the building is in the organization's books.
func (b Building) Stands() bool { return b.Registered && !b.Removed }

// Evolve folds one fact.
func (b Building) Evolve(event events.Event) Building {
	b.Revision++
	switch e := event.(type) {
	case events.BuildingRegistered:
		b.Registered, b.First, b.Facts = true, e, e
	case events.BuildingRenamed:
		b.Facts.Name, b.Facts.Slug = e.Name, e.Slug
	case events.BuildingAddressCorrected:
		b.Facts.Address, b.Facts.City, b.Facts.PostalCode = e.Address, e.City, e.PostalCode
		b.Facts.Country, b.Facts.Entrances, b.Facts.Zone = e.Country, e.Entrances, e.Zone
	case events.BuildingDeedAmended:
		b.Facts.Lots, b.Facts.Shares = e.Lots, e.Shares
	case events.BuildingIdentified:
		b.Facts.ConstructionYear = e.ConstructionYear
		b.Facts.EnterpriseNumber = e.EnterpriseNumber
	case events.BuildingBankingChanged:
		b.Facts.WorkingIBAN, b.Facts.ReserveIBAN = e.WorkingIBAN, e.ReserveIBAN
		b.Facts.FiscalYearStart = e.FiscalYearStart
	case events.BuildingRemoved:
		b.Removed = true
	default: // of a lot or an ownership
		b.Revision--
		b.lots = b.lots.evolve(event)
	}
	return b
}

// Claims are a place in the organization's plan and the slug.
func (b Building) Claims() []eventstore.Claim {
	if !b.Stands() {
		return nil
	}
	claims := []eventstore.Claim{{Kind: claimBuilding}}
	if b.Facts.Slug != "" {
		claims = append(claims, eventstore.Claim{Kind: claimBuildingSlug, Value: b.Facts.Slug})
	}
	return claims
}

// RegisterBuilding enters a building. The same again under the same id changes nothing.
type RegisterBuilding struct {
	BuildingID       uuid.UUID
	Name             string
	Address          string
	City             string
	PostalCode       string
	Country          string
	Lots             int
	Shares           Change[int] // whole shares, 1000 unless given
	ConstructionYear Change[int]
	Slug             string
	EnterpriseNumber string
	WorkingIBAN      string
	ReserveIBAN      string
	FiscalYearStart  string // MM-DD
	Entrances        []string
	Zone             Change[string] // Europe/Brussels unless given
	Now              time.Time
}

// Stream is the building's.
func (c RegisterBuilding) Stream() events.Stream { return BuildingStream(c.BuildingID) }

// Begins says that the stream may be new.
func (RegisterBuilding) Begins() {}

// Decide refuses wrong fields and an id that belongs to another building or to a removed one.
func (c RegisterBuilding) Decide(b Building) ([]events.Event, error) {
	wanted, err := checkBuilding(c.BuildingID, buildingFields{
		Name: c.Name, Slug: c.Slug, Address: c.Address, City: c.City, PostalCode: c.PostalCode,
		Country: c.Country, Entrances: c.Entrances, Zone: c.Zone.or(defaultZone),
		Lots: c.Lots, Shares: c.Shares.or(defaultShares), Year: c.ConstructionYear,
		EnterpriseNumber: c.EnterpriseNumber, WorkingIBAN: c.WorkingIBAN,
		ReserveIBAN: c.ReserveIBAN, FiscalYearStart: c.FiscalYearStart,
	}, c.Now)
	switch {
	case err != nil:
		return nil, err
	case !b.Registered:
		return []events.Event{wanted}, nil
	case b.Removed || !reflect.DeepEqual(b.First, wanted):
		return nil, idTaken("building")
	}
	return nil, nil
}

// ChangeBuilding changes the fields that it gives; which facts happened follows from which fields
// differ.
type ChangeBuilding struct {
	BuildingID       uuid.UUID
	Name             Change[string]
	Address          Change[string]
	City             Change[string]
	PostalCode       Change[string]
	Country          Change[string]
	Lots             Change[int]
	Shares           Change[int] // whole shares
	ConstructionYear Change[int]
	Slug             Change[string]
	EnterpriseNumber Change[string]
	WorkingIBAN      Change[string]
	ReserveIBAN      Change[string]
	FiscalYearStart  Change[string]
	Entrances        Change[[]string]
	Zone             Change[string]
	Now              time.Time
}

// Stream is the building's.
func (c ChangeBuilding) Stream() events.Stream { return BuildingStream(c.BuildingID) }

// Revision is the building's own.
func (c ChangeBuilding) Revision(b Building) int64 { return b.Revision }

// Decide refuses wrong fields, a building that is not in the books, and totals below what its lots
// hold.
func (c ChangeBuilding) Decide(b Building) ([]events.Event, error) {
	if !b.Stands() {
		return nil, notFound("building")
	}
	is := b.Facts
	year := c.ConstructionYear
	if !year.Given && !year.Cleared && is.ConstructionYear != 0 {
		year = To(is.ConstructionYear)
	}
	zone := c.Zone.over(is.Zone)
	if c.Zone.Cleared {
		zone = defaultZone
	}
	wanted, err := checkBuilding(c.BuildingID, buildingFields{
		Name: c.Name.over(is.Name), Slug: c.Slug.over(is.Slug),
		Address: c.Address.over(is.Address), City: c.City.over(is.City),
		PostalCode: c.PostalCode.over(is.PostalCode), Country: c.Country.over(is.Country),
		Entrances: c.Entrances.over(is.Entrances), Zone: zone, Lots: c.Lots.over(is.Lots),
		Shares: c.Shares.over(int(is.Shares / events.SharesUnit)), Year: year,
		EnterpriseNumber: c.EnterpriseNumber.over(string(is.EnterpriseNumber)),
		WorkingIBAN:      c.WorkingIBAN.over(string(is.WorkingIBAN)),
		ReserveIBAN:      c.ReserveIBAN.over(string(is.ReserveIBAN)),
		FiscalYearStart:  c.FiscalYearStart.over(is.FiscalYearStart),
	}, c.Now)
	if err != nil {
		return nil, err
	}
	if err := b.fit(wanted.Lots, wanted.Shares); err != nil {
		return nil, err
	}
	return buildingChanges(is, wanted), nil
}

// buildingChanges are the facts that lead from is to wanted.
func buildingChanges(is, wanted events.BuildingRegistered) []events.Event {
	var happened []events.Event
	if is.Name != wanted.Name || is.Slug != wanted.Slug {
		happened = append(happened, events.BuildingRenamed{Name: wanted.Name, Slug: wanted.Slug})
	}
	if is.Address != wanted.Address || is.City != wanted.City ||
		is.PostalCode != wanted.PostalCode || is.Country != wanted.Country ||
		is.Zone != wanted.Zone || !slices.Equal(is.Entrances, wanted.Entrances) {
		happened = append(happened, events.BuildingAddressCorrected{
			Address: wanted.Address, City: wanted.City, PostalCode: wanted.PostalCode,
			Country: wanted.Country, Entrances: wanted.Entrances, Zone: wanted.Zone,
		})
	}
	if is.Lots != wanted.Lots || is.Shares != wanted.Shares {
		happened = append(happened, events.BuildingDeedAmended{
			Lots: wanted.Lots, Shares: wanted.Shares,
		})
	}
	if is.ConstructionYear != wanted.ConstructionYear ||
		is.EnterpriseNumber != wanted.EnterpriseNumber {
		happened = append(happened, events.BuildingIdentified{
			ConstructionYear: wanted.ConstructionYear, EnterpriseNumber: wanted.EnterpriseNumber,
		})
	}
	if is.WorkingIBAN != wanted.WorkingIBAN || is.ReserveIBAN != wanted.ReserveIBAN ||
		is.FiscalYearStart != wanted.FiscalYearStart {
		happened = append(happened, events.BuildingBankingChanged{
			WorkingIBAN: wanted.WorkingIBAN, ReserveIBAN: wanted.ReserveIBAN,
			FiscalYearStart: wanted.FiscalYearStart,
		})
	}
	return happened
}

// buildingFields are a building's fields as they arrive.
type buildingFields struct {
	Name, Slug, Address, City, PostalCode, Country, Zone string
	Entrances                                            []string
	Lots, Shares                                         int
	Year                                                 Change[int]
	EnterpriseNumber, WorkingIBAN, ReserveIBAN           string
	FiscalYearStart                                      string
}

// checkBuilding brings the fields into their stored form, or refuses those that are wrong.
func checkBuilding(
	id uuid.UUID, f buildingFields, now time.Time,
) (events.BuildingRegistered, error) {
	c := &check{}
	c.id(id)
	wanted := events.BuildingRegistered{
		Name:             c.name("name", f.Name),
		Address:          c.name("address", f.Address),
		City:             c.name("city", f.City),
		PostalCode:       c.name("postal_code", f.PostalCode),
		Country:          c.country("country", f.Country),
		Lots:             f.Lots,
		Shares:           events.WholeShares(int64(f.Shares)),
		ConstructionYear: f.Year.or(0),
		Slug:             c.slug("slug", f.Slug),
		EnterpriseNumber: c.enterpriseNumber("enterprise_number", f.EnterpriseNumber),
		WorkingIBAN:      c.iban("iban_working", f.WorkingIBAN),
		ReserveIBAN:      c.iban("iban_reserve", f.ReserveIBAN),
		FiscalYearStart:  c.dayOfYear("fiscal_year_start", f.FiscalYearStart),
		Zone:             c.zone("zone", f.Zone),
	}
	c.between("lots", f.Lots, 1, maxLots)
	c.between("shares", f.Shares, 1, maxShares)
	if f.Year.Given {
		c.between("construction_year", f.Year.Value, firstYear, now.Year()+yearsToComplete)
	}
	if len(f.Entrances) > maxEntrances {
		c.refuse("entrances", CodeTooMany, "there are too many entrances", "max", "100")
		return wanted, c.err()
	}
	for _, entrance := range f.Entrances {
		wanted.Entrances = append(wanted.Entrances, c.name("entrances", entrance))
	}
	return wanted, c.err()
}
