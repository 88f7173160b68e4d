package queries

import (
	"cmp"
	"context"
	"encoding/json"
	"maps"
	"slices"

	"github.com/google/uuid"

	"github.com/koprogo/koprogo/events"
	"github.com/koprogo/koprogo/projections"
)

// FieldChange is one column of one row that is another than before. From or To is null where the
// row was not there.
type FieldChange struct {
	Resource string // the read model's table: "buildings"
	ID       string
	Field    string // the column
	From     json.RawMessage
	To       json.RawMessage
}

// Diff is how a building and what belongs to it differ between two positions.
type Diff struct {
	From, To int64
	Changes  []FieldChange // by resource, id and field; never nil
}

// BuildingDiff compares two moments of a building, in the order given. It returns ErrNotFound when
// the building stands at neither.
func (r *Reader) BuildingDiff(
	ctx context.Context, organization, id uuid.UUID, from, to Moment,
) (d Diff, err error) {
	if d.From, err = r.position(ctx, organization, id, from); err != nil {
		return d, err
	}
	if d.To, err = r.position(ctx, organization, id, to); err != nil {
		return d, err
	}
	scope := projections.Scope{Building: id}
	before, err := r.travel.At(ctx, organization, scope, d.From)
	if err != nil {
		return d, err
	}
	after, err := r.travel.At(ctx, organization, scope, d.To)
	if err != nil {
		return d, err
	}
	_, stood := projections.BuildingTable.Of(before, id)
	if _, stands := projections.BuildingTable.Of(after, id); !stood && !stands {
		return d, ErrNotFound
	}
	changes, err := projections.Between(before, after)
	if err != nil {
		return d, err
	}
	d.Changes, err = r.fieldChanges(ctx, organization, changes)
	return d, err
}

// unshown are columns that say where a row stands and when it moved, not what it says, and those
// of lots and ownerships that other rows and columns tell too.
var unshown = []string{
	"organization_id", "id", "version", "position", "created_at", "updated_at", "granted_at",
	"given_at", "owners", "steps", "named", "priced",
}

// derived are tables that say nothing which other rows or the event itself do not say.
var derived = []string{
	projections.Totals.Name(), projections.DivisionTable.Name(), projections.EntryTable.Name(),
	projections.LotFigureTable.Name(), projections.DatedLotTable.Name(),
	projections.ChargeFigureTable.Name(), projections.OverdueOwnerTable.Name(),
}

// fieldChanges tells changed rows by their columns. Personal texts come out in clear, "" where the
// person was erased.
func (r *Reader) fieldChanges(
	ctx context.Context, organization uuid.UUID, changes []projections.Change,
) ([]FieldChange, error) {
	fields := []FieldChange{}
	var personal []int
	for _, change := range changes {
		if slices.Contains(derived, change.Table) {
			continue
		}
		for _, column := range columns(change) {
			from, to := orNull(change.Before[column]), orNull(change.After[column])
			if slices.Contains(unshown, column) || slices.Equal(from, to) {
				continue
			}
			if projections.IsPersonal(change.Table, column) {
				personal = append(personal, len(fields))
			}
			fields = append(fields, FieldChange{
				Resource: change.Table, ID: change.ID, Field: column, From: from, To: to,
			})
		}
	}
	return fields, r.openChanges(ctx, organization, fields, personal)
}

func columns(change projections.Change) []string {
	all := maps.Clone(change.Before)
	if all == nil {
		all = map[string]json.RawMessage{}
	}
	maps.Copy(all, change.After)
	return slices.SortedFunc(maps.Keys(all), cmp.Compare[string])
}

func orNull(value json.RawMessage) json.RawMessage {
	if value == nil {
		return json.RawMessage("null")
	}
	return value
}

// openChanges opens the sealed texts among the changes named; a value is one text or several.
func (r *Reader) openChanges(
	ctx context.Context, organization uuid.UUID, fields []FieldChange, personal []int,
) error {
	var values []*json.RawMessage
	var sealed []events.Personal
	var counts []int // how many texts a value has; -1 for one that stands alone
	for _, i := range personal {
		for _, value := range []*json.RawMessage{&fields[i].From, &fields[i].To} {
			var text string
			var texts []string
			switch {
			case json.Unmarshal(*value, &text) == nil && text != "":
				texts, counts = []string{text}, append(counts, -1)
			case json.Unmarshal(*value, &texts) == nil && len(texts) > 0:
				counts = append(counts, len(texts))
			default:
				continue
			}
			values = append(values, value)
			for _, text := range texts {
				sealed = append(sealed, events.SealedText(text))
			}
		}
	}
	if len(sealed) == 0 {
		return nil
	}
	clear, err := r.keyring.OpenAll(ctx, organization, sealed)
	if err != nil {
		return err
	}
	for i, value := range values {
		var shown any = clear[0]
		n := 1
		if counts[i] >= 0 {
			n = counts[i]
			shown = clear[:n]
		}
		if *value, err = marshal(shown); err != nil {
			return err
		}
		clear = clear[n:]
	}
	return nil
}
