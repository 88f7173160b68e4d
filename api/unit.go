package api

import (
	"context"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"github.com/koprogo/koprogo/commands"
	"github.com/koprogo/koprogo/events"
	"github.com/koprogo/koprogo/queries"
)

// REST calls a lot a unit, its shares quota and its surface surface_area. unitWords are the names
// of its fields where the domain has others.
var unitWords = []string{
	"number", "unit_number", "type", "unit_type", "surface", "surface_area", "shares", "quota",
}

// unitBody is a lot as REST shows it.
type unitBody struct {
	ID             uuid.UUID  `json:"id"`
	OrganizationID uuid.UUID  `json:"organization_id"`
	BuildingID     uuid.UUID  `json:"building_id"`
	UnitNumber     string     `json:"unit_number"`
	UnitType       UnitType   `json:"unit_type"`
	Floor          *int       `json:"floor"`
	SurfaceArea    Surface    `json:"surface_area"`
	Quota          Quota      `json:"quota"`
	SortKey        string     `json:"sort_key"`
	OwnerID        *uuid.UUID `json:"owner_id" nullable:"true" doc:"Sole or primary owner of today"`
	CreatedAt      Instant    `json:"created_at"`
	UpdatedAt      Instant    `json:"updated_at"`
}

// Surface is an area in ten-thousandths of a square metre, a JSON number of square metres.
type Surface events.Area

// MarshalJSON writes the exact decimal without trailing zeros.
func (s Surface) MarshalJSON() ([]byte, error) { return []byte(events.Shares(s).String()), nil }

// UnmarshalJSON reads a number or a string of at most four places.
func (s *Surface) UnmarshalJSON(data []byte) error {
	const most = 1_000_000 * 10_000
	return unmarshalDecimal(data, 4, most, (*int64)(s))
}

// Schema describes the number.
func (Surface) Schema(huma.Registry) *huma.Schema {
	return numberSchema("Square metres, at most four places.", "84.5")
}

// UnitType is the kind of a lot, in requests and answers with a capital.
type UnitType string

var unitTypes = enumeration{"Apartment", "Parking", "Cellar", "Commercial", "Other"}

// MarshalText writes Apartment for apartment.
func (u UnitType) MarshalText() ([]byte, error) { return unitTypes.marshal(string(u)) }

// UnmarshalText reads one of the names as it is written.
func (u *UnitType) UnmarshalText(text []byte) error {
	name, err := unitTypes.unmarshal(text)
	if err == nil {
		*u = UnitType(name)
	}
	return err
}

// Schema names the kinds.
func (UnitType) Schema(huma.Registry) *huma.Schema { return unitTypes.schema() }

func toUnit(l queries.Lot) unitBody {
	return unitBody{
		ID: l.ID, OrganizationID: l.OrganizationID, BuildingID: l.BuildingID,
		UnitNumber: l.Number, UnitType: UnitType(l.Type), Floor: l.Floor,
		SurfaceArea: Surface(l.Surface), Quota: Quota(l.Shares), SortKey: l.SortKey,
		OwnerID: optionalID(l.OwnerID), CreatedAt: Instant(l.CreatedAt),
		UpdatedAt: Instant(l.UpdatedAt),
	}
}

// unitIn is what POST and PUT take. A PUT may repeat building_id, and repeats the same.
type unitIn struct {
	ID          Field[uuid.UUID] `json:"id" on:"create"`
	BuildingID  Field[uuid.UUID] `json:"building_id" required:"true"`
	UnitNumber  Field[string]    `json:"unit_number" required:"true"`
	UnitType    Field[UnitType]  `json:"unit_type" required:"true"`
	Floor       Field[int]       `json:"floor"`
	SurfaceArea Field[Surface]   `json:"surface_area" required:"true"`
	Quota       Field[Quota]     `json:"quota" required:"true"`
	SortKey     Field[string]    `json:"sort_key"`
}

func createUnit(ctx context.Context, c *Call, _ None, in unitIn) (Answer[unitBody], error) {
	id := c.NewID(in.ID)
	return decide(ctx, c, id, commands.RegisterLot{
		BuildingID: in.BuildingID.Value(), LotID: id, Number: in.UnitNumber.Value(),
		Type: string(in.UnitType.Value()), Floor: in.Floor.Change(),
		Surface: events.Area(in.SurfaceArea.Value()), Shares: events.Shares(in.Quota.Value()),
		SortKey: in.SortKey.Value(),
	}, readUnit)
}

func changeUnit(ctx context.Context, c *Call, id ID, in unitIn) (Answer[unitBody], error) {
	building, err := c.Queries.LotBuilding(ctx, c.Organization, id.ID)
	if err != nil {
		return Answer[unitBody]{}, err
	}
	return decide(ctx, c, id.ID, commands.ChangeLot{
		BuildingID: building, LotID: id.ID, Building: in.BuildingID.Change(),
		Number:  in.UnitNumber.Change(),
		Type:    changeOf(in.UnitType, func(u UnitType) string { return string(u) }),
		Floor:   in.Floor.Change(),
		Surface: changeOf(in.SurfaceArea, func(s Surface) events.Area { return events.Area(s) }),
		Shares:  changeOf(in.Quota, func(q Quota) events.Shares { return events.Shares(q) }),
		SortKey: in.SortKey.Change(), Now: c.Now,
	}, readUnit)
}

func removeUnit(ctx context.Context, c *Call, id ID) (Answer[None], error) {
	building, err := c.Queries.LotBuilding(ctx, c.Organization, id.ID)
	if err != nil {
		return Answer[None]{}, err
	}
	return discard(ctx, c, id.ID, commands.RemoveLot{
		BuildingID: building, LotID: id.ID, Now: c.Now,
	})
}

func readUnit(ctx context.Context, c *Call, id ID) (Answer[unitBody], error) {
	found, err := find(ctx, c, id.ID, c.Queries.LotByID, c.Queries.LotAt)
	if err == nil {
		err = c.maySeeUnit(ctx, found.Item.BuildingID, id.ID)
	}
	return answerOf(found, toUnit(found.Item)).versioned(found.Item.Version), err
}

type unitFilter struct {
	BuildingID Field[uuid.UUID] `query:"building_id"`
	UnitType   Field[UnitType]  `query:"unit_type"`
}

func listUnits(
	ctx context.Context, c *Call, filter unitFilter, page Page,
) (Listed[unitBody], error) {
	seen, err := c.sight(ctx)
	if err != nil {
		return Listed[unitBody]{}, err
	}
	listed, err := c.Queries.Lots(ctx, queries.LotList{
		Span: c.span(), Building: filter.BuildingID.Value(),
		Type: string(filter.UnitType.Value()), Buildings: seen.buildings,
		Only: seen.lots, Page: page.of("unit_number", "number", "surface_area", "surface"),
	})
	return listedAs(listed, toUnit), err
}

func buildingUnits(ctx context.Context, c *Call, id ID) (Answer[[]unitBody], error) {
	organization, seen, err := c.inBuilding(ctx, id)
	if err != nil {
		return Answer[[]unitBody]{}, err
	}
	found, err := c.Queries.BuildingLots(ctx, organization, id.ID, c.AsOf.moment())
	return answerAll(found, toUnit, func(l *queries.Lot) bool { return seen.lot(l.ID) }), err
}
