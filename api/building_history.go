package api

import (
	"context"
	"encoding/base64"
	stdjson "encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/google/uuid"

	"github.com/koprogo/koprogo/events"
	"github.com/koprogo/koprogo/queries"
)

// actorBody is who asked for something; all null for the product itself.
type actorBody struct {
	ID   *uuid.UUID `json:"id" nullable:"true"`
	Role string     `json:"role"`
	Name string     `json:"name"` // empty where the person was erased
}

func toActor(a queries.Actor) actorBody {
	body := actorBody{Role: a.Role, Name: a.Name}
	if a.ID != uuid.Nil {
		body.ID = &a.ID
	}
	return body
}

// happeningBody is an event of a building's history.
type happeningBody struct {
	Position int64              `json:"position"`
	Stream   string             `json:"stream"`
	Version  int64              `json:"version"`
	Type     string             `json:"type"`
	Label    string             `json:"label"`
	At       Instant            `json:"at"`
	Actor    actorBody          `json:"actor"`
	Data     stdjson.RawMessage `json:"data"`
	Changes  []fieldChangeBody  `json:"changes"`
	LeafHash string             `json:"leaf_hash"` // base64
}

// fieldChangeBody is a field that an event changed, as REST names it.
type fieldChangeBody struct {
	Field string             `json:"field"`
	From  stdjson.RawMessage `json:"from"`
	To    stdjson.RawMessage `json:"to"`
}

func toHappening(h queries.Happening) happeningBody {
	body := happeningBody{
		Position: h.Position, Stream: h.Stream.String(), Version: h.Version, Type: h.Type,
		Label: h.Label, At: Instant(h.RecordedAt), Actor: toActor(h.Actor), Data: h.Data,
		Changes:  make([]fieldChangeBody, len(h.Changes)),
		LeafHash: base64.StdEncoding.EncodeToString(h.LeafHash[:]),
	}
	for i, change := range h.Changes {
		resource := toResourceChange(change)
		body.Changes[i] = fieldChangeBody{resource.Field, resource.From, resource.To}
	}
	return body
}

type historyFilter struct {
	ID     uuid.UUID        `path:"id"`
	Type   Field[string]    `query:"type"`
	Stream Field[string]    `query:"stream"`
	Actor  Field[uuid.UUID] `query:"actor"`
	From   Field[Date]      `query:"from"`
	To     Field[Date]      `query:"to"`
}

func buildingHistory(
	ctx context.Context, c *Call, filter historyFilter, page Page,
) (Listed[happeningBody], error) {
	if err := c.maySeeBuilding(ctx, filter.ID); err != nil {
		return Listed[happeningBody]{}, err
	}
	within, err := c.within(ctx)
	if err != nil {
		return Listed[happeningBody]{}, err
	}
	chosen, err := logFilter(filter.Type, filter.Stream, filter.Actor, filter.From, filter.To)
	if err != nil {
		return Listed[happeningBody]{}, err
	}
	chosen.Organization, chosen.Building, chosen.Within = c.Organization, filter.ID, within
	listed, err := c.Queries.BuildingHistory(ctx, chosen, page.of(),
		c.Language.String())
	if err != nil {
		return Listed[happeningBody]{}, err
	}
	entries := make([]queries.Entry, len(listed.Items))
	for i := range listed.Items {
		entries[i] = listed.Items[i].Entry
	}
	return listedAs(listed, toHappening), c.noteEntries(ctx, entries)
}

// logFilter reads what a list of events may be filtered by.
func logFilter(
	kind, stream Field[string], actor Field[uuid.UUID], from, to Field[Date],
) (queries.LogFilter, error) {
	chosen := queries.LogFilter{Type: kind.Value(), Actor: actor.Value()}
	if stream.IsGiven() {
		var err error
		if chosen.Stream, err = events.ParseStream(stream.Value()); err != nil {
			return chosen, invalidParameter("stream", CodeMalformed, "form", "category-uuid")
		}
	}
	zone, err := events.Zone(mandateZone)
	if err != nil {
		return chosen, err
	}
	if from.IsGiven() {
		chosen.From = startOf(from.Value(), zone)
	}
	if to.IsGiven() {
		chosen.Before = startOf(to.Value(), zone).AddDate(0, 0, 1)
	}
	return chosen, nil
}

// startOf is the first instant of a day.
func startOf(day Date, zone *time.Location) time.Time {
	start, _ := time.ParseInLocation(time.DateOnly, string(day.In(zone)), zone) // it was parsed
	return start
}

// replayBody is a building and all that belongs to it at a moment.
type replayBody struct {
	Position int64         `json:"position"`
	At       Instant       `json:"at"`
	Building buildingBody  `json:"building"`
	Units    []ownedUnit   `json:"units"`
	Expenses []ExpenseBody `json:"expenses"`
	Balances []dueBody     `json:"balances"`
	PCN      pcnBody       `json:"pcn"`
}

// ownedUnit is a lot with those who own it.
type ownedUnit struct {
	unitBody
	Owners []relationBody `json:"owners"`
}

type replayAt struct {
	ID       uuid.UUID     `path:"id"`
	At       Field[string] `query:"at"`
	Position Field[string] `query:"position"`
}

func replayBuilding(
	ctx context.Context, c *Call, asked replayAt,
) (Answer[replayBody], error) {
	if err := c.maySeeBuilding(ctx, asked.ID); err != nil {
		return Answer[replayBody]{}, err
	}
	moment, err := parseAsOf(asked.At.Value(), asked.Position.Value(), c.Now)
	if err != nil {
		return Answer[replayBody]{}, err
	}
	replay, err := c.Queries.BuildingReplay(ctx, c.Organization, asked.ID, moment.moment())
	if err != nil {
		return Answer[replayBody]{}, err
	}
	return Answer[replayBody]{Position: replay.Position, Body: toReplay(replay)}, nil
}

// ReplayJSON is a replay as GET /buildings/{id}/replay answers it.
func ReplayJSON(replay queries.Replay) ([]byte, error) {
	text, err := json.Marshal(toReplay(replay), json.Deterministic(true))
	if err != nil {
		return nil, fmt.Errorf("render a replay: %w", err)
	}
	return text, nil
}

func toReplay(replay queries.Replay) replayBody {
	units := make([]ownedUnit, len(replay.Lots))
	for i, lot := range replay.Lots {
		units[i] = ownedUnit{toUnit(lot.Lot), toRelations(lot.Owners, everyOne)}
	}
	expenses := make([]ExpenseBody, len(replay.Charges))
	for i, charge := range replay.Charges {
		expenses[i] = toExpense(charge)
	}
	balances := make([]dueBody, len(replay.Balances))
	for i, balance := range replay.Balances {
		balances[i] = dueBody{OwnerID: balance.OwnerID, TotalDue: Money(balance.Due)}
	}
	return replayBody{
		Position: replay.Position, At: Instant(replay.At), Building: toBuilding(replay.Building),
		Units: units, Expenses: expenses, Balances: balances, PCN: toPCN(replay.PCN),
	}
}

// diffBody is what differs between two moments.
type diffBody struct {
	FromPosition int64                `json:"from_position"`
	ToPosition   int64                `json:"to_position"`
	Changes      []resourceChangeBody `json:"changes"`
}

type resourceChangeBody struct {
	Resource string             `json:"resource"`
	ID       string             `json:"id"`
	Field    string             `json:"field"`
	From     stdjson.RawMessage `json:"from"`
	To       stdjson.RawMessage `json:"to"`
}

// restResources and restFields are the REST names of read models' tables and columns.
var (
	restResources = map[string]string{
		"buildings": "building", "lots": "unit", "ownerships": "unit_owner",
		"charges": "expense", "keys": "distribution_key",
	}
	restFields = map[string]map[string]string{
		"buildings": {"lots": "total_units", "shares": "total_tantiemes"},
		"lots": {
			"number": "unit_number", "type": "unit_type", "surface": "surface_area",
			"shares": "quota",
		},
		"charges": chargeFields,
		"ownerships": {
			"lot_id": "unit_id", "fraction": "ownership_fraction", "from_day": "start_date",
			"to_day": "end_date", "held_right": "right",
		},
	}
)

func toResourceChange(change queries.FieldChange) resourceChangeBody {
	body := resourceChangeBody{
		Resource: change.Resource, ID: change.ID, Field: change.Field,
		From: change.From, To: change.To,
	}
	if change.Field == "shares" || change.Field == "surface" {
		body.From, body.To = quotaJSON(change.From), quotaJSON(change.To)
	}
	if shown := chargeValues[change.Resource+"."+change.Field]; shown != nil {
		body.From, body.To = shown(change.From), shown(change.To)
	}
	if name, known := restResources[change.Resource]; known {
		body.Resource = name
	}
	if name, known := restFields[change.Resource][change.Field]; known {
		body.Field = name
	}
	return body
}

// quotaJSON writes shares or a surface in ten-thousandths as the exact decimal; null stays.
func quotaJSON(stored stdjson.RawMessage) stdjson.RawMessage {
	units, err := strconv.ParseInt(string(stored), 10, 64)
	if err != nil {
		return stored
	}
	return stdjson.RawMessage(events.Shares(units).String())
}

type diffBetween struct {
	ID   uuid.UUID `path:"id"`
	From string    `query:"from" required:"true"`
	To   string    `query:"to" required:"true"`
}

func diffBuilding(ctx context.Context, c *Call, asked diffBetween) (Answer[diffBody], error) {
	if err := c.maySeeBuilding(ctx, asked.ID); err != nil {
		return Answer[diffBody]{}, err
	}
	from, err := parseMoment("from", asked.From, c.Now)
	if err != nil {
		return Answer[diffBody]{}, err
	}
	to, err := parseMoment("to", asked.To, c.Now)
	if err != nil {
		return Answer[diffBody]{}, err
	}
	diff, err := c.Queries.BuildingDiff(ctx, c.Organization, asked.ID, from, to)
	if err != nil {
		return Answer[diffBody]{}, err
	}
	body := diffBody{
		FromPosition: diff.From, ToPosition: diff.To,
		Changes: make([]resourceChangeBody, len(diff.Changes)),
	}
	for i, change := range diff.Changes {
		body.Changes[i] = toResourceChange(change)
	}
	return Answer[diffBody]{Body: body, Position: diff.To}, nil
}

// parseMoment reads a parameter that is a position, an instant or a day.
func parseMoment(name, text string, now time.Time) (queries.Moment, error) {
	if !strings.ContainsAny(text, "-:") {
		position, err := parsePosition(name, text)
		return queries.Moment{Position: position}, err
	}
	moment, err := parseAsOf(text, "", now)
	return moment.moment(), err
}
