package api

import (
	"context"
	"math/big"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/koprogo/koprogo/commands"
	"github.com/koprogo/koprogo/events"
	"github.com/koprogo/koprogo/queries"
)

// REST calls the ownership of a lot a relation of unit and owner. relationWords are the names of
// its fields where the domain has others.
var relationWords = []string{"fraction", "ownership_fraction"}

// relationBody is an ownership as REST shows it. Of one that is over the fraction is the last.
type relationBody struct {
	ID                  uuid.UUID    `json:"id"`
	OrganizationID      uuid.UUID    `json:"organization_id"`
	BuildingID          uuid.UUID    `json:"building_id"`
	UnitID              uuid.UUID    `json:"unit_id"`
	OwnerID             uuid.UUID    `json:"owner_id"`
	Right               string       `json:"right"`
	OwnershipPercentage Ratio        `json:"ownership_percentage"`
	OwnershipFraction   Fraction     `json:"ownership_fraction"`
	StartDate           Date         `json:"start_date"`
	EndDate             Date         `json:"end_date" doc:"The last day; null while none is known"`
	IsPrimaryContact    bool         `json:"is_primary_contact"`
	IsActive            bool         `json:"is_active"`
	DeedReference       string       `json:"deed_reference"`
	Fractions           []periodBody `json:"fractions" doc:"Every fraction with its days"`
	CreatedAt           Instant      `json:"created_at"`
	UpdatedAt           Instant      `json:"updated_at"`
}

// periodBody is a fraction with its first and last day.
type periodBody struct {
	OwnershipPercentage Ratio    `json:"ownership_percentage"`
	OwnershipFraction   Fraction `json:"ownership_fraction"`
	StartDate           Date     `json:"start_date"`
	EndDate             Date     `json:"end_date"`
}

func toRelation(o queries.Ownership) relationBody {
	body := relationBody{
		ID: o.Row.ID, OrganizationID: o.Row.OrganizationID, BuildingID: o.Row.BuildingID,
		UnitID: o.Row.LotID, OwnerID: o.Row.OwnerID, Right: o.Row.Right,
		OwnershipPercentage: Ratio(o.Fraction.Millionths()),
		OwnershipFraction:   Fraction(o.Fraction), StartDate: DayDate(o.From),
		EndDate: DayDate(o.To), IsPrimaryContact: o.IsPrimary, IsActive: o.IsActive,
		DeedReference: o.Row.DeedReference, Fractions: make([]periodBody, len(o.Periods)),
		CreatedAt: Instant(o.Row.CreatedAt), UpdatedAt: Instant(o.Row.UpdatedAt),
	}
	for i, period := range o.Periods {
		body.Fractions[i] = periodBody{
			OwnershipPercentage: Ratio(period.Fraction.Millionths()),
			OwnershipFraction:   Fraction(period.Fraction),
			StartDate:           DayDate(period.From), EndDate: DayDate(period.To),
		}
	}
	return body
}

func toRelations(of []queries.Ownership, shown func(*queries.Ownership) bool) []relationBody {
	relations := []relationBody{}
	for i := range of {
		if shown(&of[i]) {
			relations = append(relations, toRelation(of[i]))
		}
	}
	return relations
}

func isActive(o *queries.Ownership) bool { return o.IsActive }
func everyOne(_ *queries.Ownership) bool { return true }

// share is the fraction that a request gives, by either field. Both together say the same.
func share(
	percentage Field[Percentage], fraction Field[Fraction],
) (commands.Change[events.Fraction], error) {
	if !percentage.IsGiven() || fraction.IsGiven() {
		if percentage.IsGiven() && fraction.Value().exact().Millionths() !=
			Fraction(percentage.Value()).exact().Millionths() {
			return commands.Change[events.Fraction]{},
				refuseField("ownership_percentage", CodeGivenTwice)
		}
		if !fraction.IsGiven() && percentage.IsCleared() {
			return commands.Cleared[events.Fraction](), nil
		}
		return changeOf(fraction, exactFraction), nil
	}
	return commands.To(Fraction(percentage.Value()).exact()), nil
}

// onUnit names the lot of a call to the commands about its ownership.
func (c *Call) onUnit(ctx context.Context, unit uuid.UUID) (commands.OnLot, error) {
	building, err := c.Queries.LotBuilding(ctx, c.Organization, unit)
	return commands.OnLot{BuildingID: building, LotID: unit, Now: c.Now}, err
}

// dayThere is a date of a request as a day where the building stands.
func (c *Call) dayThere(
	ctx context.Context, building uuid.UUID, date Field[Date],
) (commands.Change[events.Day], error) {
	zone := time.UTC // a day is the same everywhere; an instant needs to know
	if date.IsGiven() && !date.Value().instant.IsZero() {
		found, err := c.Queries.BuildingByID(ctx, queries.In(c.Organization), building)
		if err != nil {
			return commands.Change[events.Day]{}, err
		}
		if zone, err = events.Zone(found.Item.Zone); err != nil {
			return commands.Change[events.Day]{}, err
		}
	}
	return changeOf(date, func(d Date) events.Day { return d.In(zone) }), nil
}

// relations are the ownerships of a lot that the caller sees, at the moment of the call.
func (c *Call) relations(
	ctx context.Context, unit uuid.UUID,
) (queries.Found[[]queries.Ownership], error) {
	building, err := c.Queries.LotBuilding(ctx, c.Organization, unit)
	if err == nil {
		err = c.maySeeUnit(ctx, building, unit)
	}
	if err != nil {
		return queries.Found[[]queries.Ownership]{}, err
	}
	return c.Queries.LotOwnerships(ctx, c.Organization, unit, c.AsOf.moment())
}

func listRelations(
	ctx context.Context, c *Call, unit uuid.UUID, shown func(*queries.Ownership) bool,
) (Answer[[]relationBody], error) {
	found, err := c.relations(ctx, unit)
	return answerOf(found, toRelations(found.Item, shown)), err
}

func unitOwners(ctx context.Context, c *Call, id ID) (Answer[[]relationBody], error) {
	return listRelations(ctx, c, id.ID, isActive)
}

func unitOwnersHistory(ctx context.Context, c *Call, id ID) (Answer[[]relationBody], error) {
	return listRelations(ctx, c, id.ID, everyOne)
}

// ownedBy are the ownerships of an owner whom the caller sees; an auditor sees those in the
// buildings of his mandates.
func ownedBy(
	ctx context.Context, c *Call, owner ID, shown func(*queries.Ownership) bool,
) (Answer[[]relationBody], error) {
	if err := c.maySeeOwner(ctx, owner.ID); err != nil {
		return Answer[[]relationBody]{}, err
	}
	seen, err := c.sight(ctx)
	if err != nil {
		return Answer[[]relationBody]{}, err
	}
	found, err := c.Queries.OwnerOwnerships(ctx, c.Organization, owner.ID)
	relations := toRelations(found.Item, func(o *queries.Ownership) bool {
		return shown(o) && (seen.owners != nil || seen.building(o.Row.BuildingID))
	})
	return answerOf(found, relations), err
}

func ownerUnits(ctx context.Context, c *Call, id ID) (Answer[[]relationBody], error) {
	return ownedBy(ctx, c, id, isActive)
}

func ownerUnitsHistory(ctx context.Context, c *Call, id ID) (Answer[[]relationBody], error) {
	return ownedBy(ctx, c, id, everyOne)
}

// maySeeOwner is not found for an owner whom the caller does not see, or who is not in the books.
func (c *Call) maySeeOwner(ctx context.Context, id uuid.UUID) error {
	only, err := c.visibleOwners(ctx)
	if err != nil {
		return err
	}
	if _, seen := only[id]; only != nil && !seen {
		return notFound("owner")
	}
	stands, err := c.Queries.OwnerStands(ctx, c.Organization, id)
	if err == nil && !stands {
		err = notFound("owner")
	}
	return err
}

// totalBody is how much of a lot is owned, in full and bare ownership.
type totalBody struct {
	UnitID                   uuid.UUID `json:"unit_id"`
	TotalOwnershipPercentage Ratio     `json:"total_ownership_percentage"`
	PercentageDisplay        string    `json:"percentage_display"`
	TotalOwnershipFraction   string    `json:"total_ownership_fraction"`
}

func unitOwnersTotal(ctx context.Context, c *Call, id ID) (Answer[totalBody], error) {
	found, err := c.relations(ctx, id.ID)
	total := queries.TotalHeld(found.Item)
	millionths := roundHalfUp(new(big.Rat).Mul(total, big.NewRat(1_000_000, 1)))
	return Answer[totalBody]{
		Body: totalBody{
			UnitID: id.ID, TotalOwnershipPercentage: Ratio(millionths.Int64()),
			PercentageDisplay:      commands.ShownPercentage(total),
			TotalOwnershipFraction: total.RatString(),
		},
		Position: found.Position, Stale: found.Stale,
	}, err
}

type relationIn struct {
	ID                  Field[uuid.UUID]  `json:"id" on:"create"`
	OwnerID             Field[uuid.UUID]  `json:"owner_id" required:"true"`
	OwnershipPercentage Field[Percentage] `json:"ownership_percentage"`
	OwnershipFraction   Field[Fraction]   `json:"ownership_fraction"`
	IsPrimaryContact    Field[bool]       `json:"is_primary_contact"`
	From                Field[Date]       `json:"from"`
	Right               Field[string]     `json:"right" enum:"full,usufruct,bare"`
	DeedReference       Field[string]     `json:"deed_reference"`
}

func addUnitOwner(
	ctx context.Context, c *Call, unit ID, in relationIn,
) (Answer[relationBody], error) {
	lot, err := c.onUnit(ctx, unit.ID)
	if err != nil {
		return Answer[relationBody]{}, err
	}
	fraction, err := share(in.OwnershipPercentage, in.OwnershipFraction)
	if err != nil {
		return Answer[relationBody]{}, err
	}
	from, err := c.dayThere(ctx, lot.BuildingID, in.From)
	if err != nil {
		return Answer[relationBody]{}, err
	}
	id := c.NewID(in.ID)
	return decide(ctx, c, id, commands.StartOwnership{
		OnLot: lot, OwnershipID: id, OwnerID: in.OwnerID.Value(), Fraction: fraction.Value,
		Right: in.Right.Change(), From: from, PrimaryContact: in.IsPrimaryContact.Value(),
		DeedReference: in.DeedReference.Value(),
	}, readRelation)
}

type relationChange struct {
	OwnershipPercentage Field[Percentage] `json:"ownership_percentage"`
	OwnershipFraction   Field[Fraction]   `json:"ownership_fraction"`
	IsPrimaryContact    Field[bool]       `json:"is_primary_contact"`
	From                Field[Date]       `json:"from" doc:"First day of the fraction; today"`
}

func changeUnitOwner(
	ctx context.Context, c *Call, id ID, in relationChange,
) (Answer[relationBody], error) {
	at, err := c.Queries.OwnershipPlace(ctx, queries.In(c.Organization), id.ID)
	if err != nil {
		return Answer[relationBody]{}, err
	}
	fraction, err := share(in.OwnershipPercentage, in.OwnershipFraction)
	if err != nil {
		return Answer[relationBody]{}, err
	}
	from, err := c.dayThere(ctx, at.Building, in.From)
	if err != nil {
		return Answer[relationBody]{}, err
	}
	return decide(ctx, c, id.ID, commands.ChangeOwnership{
		OnLot:       commands.OnLot{BuildingID: at.Building, LotID: at.Lot, Now: c.Now},
		OwnershipID: id.ID, Fraction: fraction, From: from,
		PrimaryContact: in.IsPrimaryContact.Change(),
	}, readRelation)
}

// readRelation shows an ownership after a write.
func readRelation(ctx context.Context, c *Call, id ID) (Answer[relationBody], error) {
	at, err := c.Queries.OwnershipPlace(ctx, queries.In(c.Organization), id.ID)
	if err != nil {
		return Answer[relationBody]{}, err
	}
	found, err := c.Queries.LotOwnerships(ctx, c.Organization, at.Lot, c.AsOf.moment())
	if err != nil {
		return Answer[relationBody]{}, err
	}
	i := slices.IndexFunc(found.Item, func(o queries.Ownership) bool { return o.Row.ID == id.ID })
	if i < 0 {
		return Answer[relationBody]{}, queries.ErrNotFound
	}
	return answerOf(found, toRelation(found.Item[i])).versioned(found.Item[i].Row.Version), nil
}
