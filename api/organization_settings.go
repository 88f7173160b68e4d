package api

import (
	"context"
	"maps"
	"slices"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/uuid"

	"github.com/koprogo/koprogo/commands"
	"github.com/koprogo/koprogo/queries"
)

// settingsBody is how an organization works.
type settingsBody struct {
	FourEyes string `json:"four_eyes"`
	Language string `json:"language"`
	Zone     string `json:"zone"`
	Rates    Rates  `json:"rates"`
}

type settingsIn struct {
	FourEyes Field[string] `json:"four_eyes" enum:"auto,on,off"`
	Language Field[string] `json:"language" enum:"en,fr,nl,de" example:"fr"`
	Zone     Field[string] `json:"zone" example:"Europe/Brussels"`
	Rates    Field[Rates]  `json:"rates"`
}

// Rates are percentages by name, held in basis points: {"late_interest": 1.75}.
type Rates map[string]int

const (
	maxRateName  = 64
	maxRateCount = 50
)

// UnmarshalJSON reads an object of numbers, or texts, with at most two decimal places.
func (r *Rates) UnmarshalJSON(text []byte) error {
	var read map[string]jsontext.Value
	if err := json.Unmarshal(text, &read); err != nil {
		return wrongType("object")
	}
	if len(read) > maxRateCount {
		return fieldError{Code: CodeTooMany, Params: params("max", "50")}
	}
	rates := make(Rates, len(read))
	for name, value := range read {
		if name == "" || len(name) > maxRateName || hasControl(name, false) {
			return fieldError{Code: CodeMalformed, Params: params("form", "name")}
		}
		var points int64
		if err := unmarshalDecimal(value, 2, maxBasisPoints, &points); err != nil {
			return err
		}
		rates[name] = int(points)
	}
	*r = rates
	return nil
}

const maxBasisPoints = 1_000_000

// MarshalJSON writes exact decimals, by name.
func (r Rates) MarshalJSON() ([]byte, error) {
	out := []byte{'{'}
	for i, name := range slices.Sorted(maps.Keys(r)) {
		if i > 0 {
			out = append(out, ',')
		}
		var err error
		if out, err = jsontext.AppendQuote(out, name); err != nil {
			return nil, err
		}
		out = append(append(out, ':'), shortPlaces(int64(r[name]), 2)...)
	}
	return append(out, '}'), nil
}

// Schema describes the object.
func (Rates) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{
		Type: huma.TypeObject, AdditionalProperties: &huma.Schema{Type: huma.TypeNumber},
		Description: "Percentages by name, at most two decimal places.",
	}
}

func toSettings(o queries.Organization) settingsBody {
	rates := Rates(o.Rates)
	if rates == nil {
		rates = Rates{}
	}
	return settingsBody{FourEyes: o.FourEyes, Language: o.Language, Zone: o.Zone, Rates: rates}
}

// mayManage is not found for another organization than that of a syndic.
func (c *Call) mayManage(organization uuid.UUID) error {
	if c.Caller.Role != Superadmin && organization != c.Caller.Organization {
		return notFound("organization")
	}
	return nil
}

func readSettings(ctx context.Context, c *Call, id ID) (Answer[settingsBody], error) {
	if err := c.mayManage(id.ID); err != nil {
		return Answer[settingsBody]{}, err
	}
	found, err := c.Queries.OrganizationByID(ctx, id.ID)
	c.Organization = id.ID
	return answerOf(found, toSettings(found.Item)).versioned(found.Item.Version), err
}

func changeSettings(
	ctx context.Context, c *Call, id ID, in settingsIn,
) (Answer[settingsBody], error) {
	if err := c.mayManage(id.ID); err != nil {
		return Answer[settingsBody]{}, err
	}
	outcome, err := commands.Handle(ctx, c.Commands, c.ofOrganization(id.ID),
		commands.ChangeSettings{
			OrganizationID: id.ID, FourEyes: in.FourEyes.Change(),
			Language: in.Language.Change(), Zone: in.Zone.Change(),
			Rates: commands.Change[map[string]int]{
				Value: in.Rates.Value(), Given: in.Rates.IsGiven(), Cleared: in.Rates.IsCleared(),
			},
		})
	if err != nil {
		return Answer[settingsBody]{}, err
	}
	found, err := c.organizationAt(ctx, id.ID, outcome.Receipt)
	return Answer[settingsBody]{
		Body: toSettings(found), Version: found.Version, Position: outcome.Receipt.Position,
		Replayed: outcome.Receipt.Replayed,
	}, err
}
