package api

import (
	"context"

	"github.com/google/uuid"

	"github.com/koprogo/koprogo/commands"
	"github.com/koprogo/koprogo/queries"
)

// buildingWords are the REST names of a building's fields where the domain has others.
var buildingWords = []string{"lots", "total_units", "shares", "total_tantiemes"}

// buildingBody is a building as REST shows it.
type buildingBody struct {
	ID               uuid.UUID `json:"id"`
	OrganizationID   uuid.UUID `json:"organization_id"`
	Name             string    `json:"name"`
	Address          string    `json:"address"`
	City             string    `json:"city"`
	PostalCode       string    `json:"postal_code"`
	Country          string    `json:"country"`
	TotalUnits       int       `json:"total_units"`
	TotalTantiemes   Quota     `json:"total_tantiemes"`
	ConstructionYear *int      `json:"construction_year"`
	Slug             string    `json:"slug"`
	EnterpriseNumber string    `json:"enterprise_number"`
	IBANWorking      string    `json:"iban_working"`
	IBANReserve      string    `json:"iban_reserve"`
	FiscalYearStart  string    `json:"fiscal_year_start"`
	Entrances        []string  `json:"entrances"`
	Zone             string    `json:"zone"`
	CreatedAt        Instant   `json:"created_at"`
	UpdatedAt        Instant   `json:"updated_at"`
}

func toBuilding(b queries.Building) buildingBody {
	return buildingBody{
		ID: b.ID, OrganizationID: b.OrganizationID, Name: b.Name, Address: b.Address,
		City: b.City, PostalCode: b.PostalCode, Country: b.Country, TotalUnits: b.Lots,
		TotalTantiemes: Quota(b.Shares), ConstructionYear: b.ConstructionYear, Slug: b.Slug,
		EnterpriseNumber: string(b.EnterpriseNumber), IBANWorking: string(b.WorkingIBAN),
		IBANReserve: string(b.ReserveIBAN), FiscalYearStart: b.FiscalYearStart,
		Entrances: b.Entrances, Zone: b.Zone, CreatedAt: Instant(b.CreatedAt),
		UpdatedAt: Instant(b.UpdatedAt),
	}
}

// buildingIn is what POST and PUT take.
type buildingIn struct {
	ID               Field[uuid.UUID] `json:"id" on:"create"`
	Name             Field[string]    `json:"name" required:"true" example:"Résidence du Canal"`
	Address          Field[string]    `json:"address" required:"true" example:"Quai au Foin 7"`
	City             Field[string]    `json:"city" required:"true" example:"Bruxelles"`
	PostalCode       Field[string]    `json:"postal_code" required:"true" example:"1000"`
	Country          Field[string]    `json:"country" required:"true" example:"Belgique"`
	TotalUnits       Field[int]       `json:"total_units" required:"true" minimum:"1" example:"8"`
	TotalTantiemes   Field[int]       `json:"total_tantiemes" minimum:"1" maximum:"10000000" example:"1000"`
	ConstructionYear Field[int]       `json:"construction_year" minimum:"1000" example:"1911"`
	Slug             Field[string]    `json:"slug" example:"canal"`
	EnterpriseNumber Field[string]    `json:"enterprise_number" example:"0202.239.951"`
	IBANWorking      Field[string]    `json:"iban_working" example:"BE21 0012 3456 7803"`
	IBANReserve      Field[string]    `json:"iban_reserve" example:"BE88 3630 0000 0141"`
	FiscalYearStart  Field[string]    `json:"fiscal_year_start" example:"07-01"`
	Entrances        Field[[]string]  `json:"entrances" maxItems:"100"`
	Zone             Field[string]    `json:"zone" example:"Europe/Brussels"`
}

func createBuilding(
	ctx context.Context, c *Call, _ None, in buildingIn,
) (Answer[buildingBody], error) {
	id := c.NewID(in.ID)
	return decide(ctx, c, id, commands.RegisterBuilding{
		BuildingID: id, Name: in.Name.Value(), Address: in.Address.Value(),
		City: in.City.Value(), PostalCode: in.PostalCode.Value(), Country: in.Country.Value(),
		Lots: in.TotalUnits.Value(), Shares: in.TotalTantiemes.Change(),
		ConstructionYear: in.ConstructionYear.Change(), Slug: in.Slug.Value(),
		EnterpriseNumber: in.EnterpriseNumber.Value(), WorkingIBAN: in.IBANWorking.Value(),
		ReserveIBAN: in.IBANReserve.Value(), FiscalYearStart: in.FiscalYearStart.Value(),
		Entrances: in.Entrances.Value(), Zone: in.Zone.Change(), Now: c.Now,
	}, readBuilding)
}

func changeBuilding(
	ctx context.Context, c *Call, id ID, in buildingIn,
) (Answer[buildingBody], error) {
	return decide(ctx, c, id.ID, commands.ChangeBuilding{
		BuildingID: id.ID, Name: in.Name.Change(), Address: in.Address.Change(),
		City: in.City.Change(), PostalCode: in.PostalCode.Change(),
		Country: in.Country.Change(), Lots: in.TotalUnits.Change(),
		Shares: in.TotalTantiemes.Change(), ConstructionYear: in.ConstructionYear.Change(),
		Slug: in.Slug.Change(), EnterpriseNumber: in.EnterpriseNumber.Change(),
		WorkingIBAN: in.IBANWorking.Change(), ReserveIBAN: in.IBANReserve.Change(),
		FiscalYearStart: in.FiscalYearStart.Change(), Entrances: in.Entrances.Change(),
		Zone: in.Zone.Change(), Now: c.Now,
	}, readBuilding)
}

func removeBuilding(ctx context.Context, c *Call, id ID) (Answer[None], error) {
	outcome, err := c.Commands.RemoveBuilding(ctx, c.Asking(id.ID),
		commands.RemoveBuilding{BuildingID: id.ID, Now: c.Now})
	return discarded(c, outcome, err)
}

func readBuilding(ctx context.Context, c *Call, id ID) (Answer[buildingBody], error) {
	if err := c.maySeeBuilding(ctx, id.ID); err != nil {
		return Answer[buildingBody]{}, err
	}
	found, err := find(ctx, c, id.ID, c.Queries.BuildingByID, c.Queries.BuildingAt)
	return answerOf(found, toBuilding(found.Item)).versioned(found.Item.Version), err
}

type buildingFilter struct {
	City    Field[string] `query:"city"`
	Country Field[string] `query:"country"`
	Q       Field[string] `query:"q"`
}

func listBuildings(
	ctx context.Context, c *Call, filter buildingFilter, page Page,
) (Listed[buildingBody], error) {
	only, err := c.visibleBuildings(ctx)
	if err != nil {
		return Listed[buildingBody]{}, err
	}
	listed, err := c.Queries.Buildings(ctx, queries.BuildingList{
		Span: c.span(), City: filter.City.Value(), Country: filter.Country.Value(),
		Q: filter.Q.Value(), Only: only, Page: page.of("total_units", "lots"),
	})
	return listedAs(listed, toBuilding), err
}

// inBuilding finds a building that the caller sees: its organization, and what of that he sees.
func (c *Call) inBuilding(ctx context.Context, id ID) (uuid.UUID, sight, error) {
	building, err := readBuilding(ctx, c, id)
	if err != nil {
		return uuid.Nil, sight{}, err
	}
	seen, err := c.sight(ctx)
	return building.Body.OrganizationID, seen, err
}

// What belongs to a building and is not kept yet is an empty list: the noun comes with its issue.

func buildingNone(ctx context.Context, c *Call, id ID) (Answer[[]None], error) {
	found, err := readBuilding(ctx, c, id)
	return Answer[[]None]{Body: []None{}, Position: found.Position, Stale: found.Stale}, err
}
