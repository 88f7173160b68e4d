package api

import (
	"context"

	"github.com/google/uuid"

	"github.com/koprogo/koprogo/commands"
	"github.com/koprogo/koprogo/events"
	"github.com/koprogo/koprogo/queries"
)

// keyWords are the REST names of a key's fields where the domain has others.
var keyWords = []string{"lot_id", "unit_id"}

// weightBody is what a lot weighs in a key.
type weightBody struct {
	UnitID uuid.UUID `json:"unit_id" required:"true"`
	Weight int64     `json:"weight" required:"true" minimum:"0" example:"1000"`
}

// keyVersionBody is a key from a day on.
type keyVersionBody struct {
	Name      string       `json:"name"`
	Base      int64        `json:"base"`
	ValidFrom Date         `json:"valid_from"`
	Weights   []weightBody `json:"weights"`
}

// keyBody is a distribution key: its last version, and all of them by their first days.
type keyBody struct {
	ID             uuid.UUID        `json:"id"`
	OrganizationID uuid.UUID        `json:"organization_id"`
	BuildingID     uuid.UUID        `json:"building_id"`
	Name           string           `json:"name"`
	Base           int64            `json:"base"`
	ValidFrom      Date             `json:"valid_from"`
	Weights        []weightBody     `json:"weights"`
	Versions       []keyVersionBody `json:"versions"`
	CreatedAt      Instant          `json:"created_at"`
	UpdatedAt      Instant          `json:"updated_at"`
}

func toKey(k queries.Key) keyBody {
	body := keyBody{
		ID: k.ID, OrganizationID: k.OrganizationID, BuildingID: k.BuildingID,
		Versions: make([]keyVersionBody, len(k.Versions)), CreatedAt: Instant(k.CreatedAt),
		UpdatedAt: Instant(k.UpdatedAt),
	}
	for i, version := range k.Versions {
		shown := keyVersionBody{
			Name: version.Name, Base: version.Base, ValidFrom: DayDate(version.ValidFrom),
			Weights: make([]weightBody, len(version.Weights)),
		}
		for n, weight := range version.Weights {
			shown.Weights[n] = weightBody{UnitID: weight.LotID, Weight: weight.Weight}
		}
		body.Versions[i] = shown
		body.Name, body.Base, body.ValidFrom, body.Weights = shown.Name, shown.Base,
			shown.ValidFrom, shown.Weights
	}
	return body
}

// keyIn is what POST and PUT take. A PUT may repeat building_id, and repeats the same.
type keyIn struct {
	ID         Field[uuid.UUID]    `json:"id" on:"create"`
	BuildingID Field[uuid.UUID]    `json:"building_id" required:"true"`
	Name       Field[string]       `json:"name" required:"true" example:"Ascenseur"`
	Base       Field[int64]        `json:"base" required:"true" minimum:"1" example:"1000"`
	ValidFrom  Field[Date]         `json:"valid_from" example:"2026-01-01"`
	Weights    Field[[]weightBody] `json:"weights" required:"true" maxItems:"10000"`
}

func toWeights(weights []weightBody) []events.KeyWeight {
	given := make([]events.KeyWeight, len(weights))
	for i, weight := range weights {
		given[i] = events.KeyWeight{LotID: weight.UnitID, Weight: weight.Weight}
	}
	return given
}

func createKey(ctx context.Context, c *Call, _ None, in keyIn) (Answer[keyBody], error) {
	id := c.NewID(in.ID)
	return decide(ctx, c, id, &commands.DeclareKey{
		KeyID: id, BuildingID: in.BuildingID.Value(), Name: in.Name.Value(),
		Base: in.Base.Value(), ValidFrom: when(in.ValidFrom),
		Weights: toWeights(in.Weights.Value()), Now: c.Now,
	}, readKey)
}

func changeKey(ctx context.Context, c *Call, id ID, in keyIn) (Answer[keyBody], error) {
	return decide(ctx, c, id.ID, &commands.ChangeKey{
		KeyID: id.ID, Building: in.BuildingID.Change(), Name: in.Name.Change(),
		Base: in.Base.Change(), ValidFrom: when(in.ValidFrom),
		Weights: changeOf(in.Weights, toWeights), Now: c.Now,
	}, readKey)
}

func readKey(ctx context.Context, c *Call, id ID) (Answer[keyBody], error) {
	found, err := find(ctx, c, id.ID, c.Queries.KeyByID, c.Queries.KeyAt)
	if err == nil {
		err = c.maySee(ctx, c.route.Noun, func(seen sight) bool {
			return seen.building(found.Item.BuildingID)
		})
	}
	return answerOf(found, toKey(found.Item)).versioned(found.Item.Version), err
}

type keyFilter struct {
	BuildingID Field[uuid.UUID] `query:"building_id"`
}

func listKeys(ctx context.Context, c *Call, filter keyFilter) (Answer[[]keyBody], error) {
	seen, err := c.sight(ctx)
	if err != nil {
		return Answer[[]keyBody]{}, err
	}
	found, err := c.Queries.DistributionKeys(ctx, c.span(), filter.BuildingID.Value(),
		seen.buildings)
	return answerAll(found, toKey, all), err
}
