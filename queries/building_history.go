package queries

import (
	"context"
)

// Happening is an event of a building's history: the event, in words, and what it changed.
type Happening struct {
	Entry
	Label   string
	Changes []FieldChange // never nil
}

// BuildingHistory lists the events of a building and of what belongs to it, by position, with
// labels in language (fr, nl, else en). It returns ErrNotFound for a building that never was or
// that the filter's mandates do not cover at all; a removed one's history stays.
func (r *Reader) BuildingHistory(
	ctx context.Context, f LogFilter, p Page, language string,
) (listed Listed[Happening], err error) {
	recorded, err := r.recorded(ctx, f, p)
	if err != nil {
		return listed, err
	}
	if recorded.Total == 0 {
		if err := r.everStood(ctx, f); err != nil {
			return listed, err
		}
	}
	entries, err := r.entries(ctx, f.Organization, recorded.Items)
	if err != nil {
		return listed, err
	}
	positions := make([]int64, len(entries))
	for i := range entries {
		positions[i] = entries[i].Position
	}
	changes, err := r.travel.Changes(ctx, f.Organization, f.Building, positions)
	if err != nil {
		return listed, err
	}
	listed.Items, listed.Total, listed.Next = []Happening{}, recorded.Total, recorded.Next
	for _, entry := range entries {
		fields, err := r.fieldChanges(ctx, f.Organization, changes[entry.Position])
		if err != nil {
			return listed, err
		}
		listed.Items = append(listed.Items, Happening{
			Entry: entry, Changes: fields,
			Label: labelOf(language, &entry, changes[entry.Position], fields),
		})
	}
	return listed, nil
}

// everStood tells an empty answer from a building that nobody knows.
func (r *Reader) everStood(ctx context.Context, f LogFilter) error {
	whole := LogFilter{Organization: f.Organization, Building: f.Building, Within: f.Within}
	found, err := r.recorded(ctx, whole, Page{Number: 1, Size: 1})
	if err == nil && found.Total == 0 {
		return ErrNotFound
	}
	return err
}
