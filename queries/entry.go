package queries

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/koprogo/koprogo/events"
	"github.com/koprogo/koprogo/eventstore"
	"github.com/koprogo/koprogo/projections"
)

// Entry is an event of the log as an auditor reads it.
type Entry struct {
	Position      int64
	Stream        events.Stream
	Version       int64
	Type          string
	Schema        int
	Building      uuid.UUID // nil when it belongs to none
	RecordedAt    time.Time
	EffectiveAt   time.Time // zero when the fact names none
	Actor         Actor
	CorrelationID string
	Data          json.RawMessage // personal texts in clear, null where the person was erased
	LeafHash      [32]byte
	People        []uuid.UUID // whose personal texts the data hold, erased ones too
}

// Actor is who asked. Its zero value is the product itself.
type Actor struct {
	ID   uuid.UUID
	Role string
	Name string // empty for a person who was erased or whose account was closed
}

// entries makes entries of recorded events, with two queries at most beside those for keys.
func (r *Reader) entries(
	ctx context.Context, organization uuid.UUID, recorded []eventstore.Recorded,
) ([]Entry, error) {
	entries := make([]Entry, len(recorded))
	var actors []uuid.UUID
	for i := range recorded {
		e := &recorded[i]
		metadata, err := e.ReadMetadata()
		if err != nil {
			return nil, err
		}
		entries[i] = Entry{
			Position: e.Position, Stream: e.Stream, Version: e.Version, Type: e.Type,
			Schema: e.Schema, Building: e.Building, RecordedAt: e.RecordedAt,
			EffectiveAt: e.EffectiveAt, Actor: Actor{ID: metadata.Actor, Role: metadata.Role},
			CorrelationID: metadata.Correlation, Data: e.Data, LeafHash: e.LeafHash,
			People: persons(e),
		}
		if metadata.Actor != uuid.Nil && !slices.Contains(actors, metadata.Actor) {
			actors = append(actors, metadata.Actor)
		}
	}
	if err := r.openData(ctx, organization, recorded, entries); err != nil {
		return nil, err
	}
	names, err := r.names(ctx, actors)
	if err != nil {
		return nil, err
	}
	for i := range entries {
		entries[i].Actor.Name = names[entries[i].Actor.ID]
	}
	return entries, nil
}

// persons are the subjects of an event that are people: free text is sealed under the event's own
// id.
func persons(e *eventstore.Recorded) []uuid.UUID {
	return slices.DeleteFunc(slices.Clone(e.Subjects), func(id uuid.UUID) bool {
		return id == e.ID
	})
}

// openData puts clear texts in place of the sealed ones.
func (r *Reader) openData(
	ctx context.Context, organization uuid.UUID, recorded []eventstore.Recorded, entries []Entry,
) error {
	trees := make([]any, len(recorded))
	var sealed []events.Personal
	for i := range recorded {
		if len(recorded[i].Subjects) == 0 {
			continue
		}
		decoder := json.NewDecoder(bytes.NewReader(recorded[i].Data))
		decoder.UseNumber()
		if err := decoder.Decode(&trees[i]); err != nil {
			return fmt.Errorf("read the data of position %d: %w", recorded[i].Position, err)
		}
		trees[i] = eachSealed(trees[i], recorded[i].ID, func(value string) any {
			sealed = append(sealed, events.SealedText(value))
			return value
		})
	}
	if len(sealed) == 0 {
		return nil
	}
	clear, err := r.keyring.OpenAll(ctx, organization, sealed)
	if err != nil {
		return fmt.Errorf("open personal texts: %w", err)
	}
	opened := make(map[string]any, len(sealed))
	for i, value := range sealed {
		if clear[i] != "" {
			opened[value.Sealed()] = clear[i]
		}
	}
	for i, tree := range trees {
		if tree == nil {
			continue
		}
		tree = eachSealed(tree, recorded[i].ID, func(value string) any { return opened[value] })
		if entries[i].Data, err = marshal(tree); err != nil {
			return fmt.Errorf("write the data of position %d: %w", recorded[i].Position, err)
		}
	}
	return nil
}

// eachSealed replaces the values of a JSON tree that were sealed for the event. They are told by
// themselves and not by the event's type: data of an older schema has them elsewhere.
func eachSealed(tree any, event uuid.UUID, replace func(string) any) any {
	switch value := tree.(type) {
	case map[string]any:
		for key, child := range value {
			value[key] = eachSealed(child, event, replace)
		}
	case []any:
		for i, child := range value {
			value[i] = eachSealed(child, event, replace)
		}
	case string:
		if place, _, err := events.UnpackSealed(value); err == nil && place.EventID == event {
			return replace(value)
		}
	}
	return tree
}

// marshal writes JSON as texts were typed, without HTML escapes.
func marshal(value any) (json.RawMessage, error) {
	var text jsonText
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(value)
	return json.RawMessage(text), err
}

// jsonText collects what an encoder writes, without the line's end.
type jsonText []byte

func (t *jsonText) Write(p []byte) (int, error) {
	n := len(p)
	for len(p) > 0 && p[len(p)-1] == '\n' {
		p = p[:len(p)-1]
	}
	*t = append(*t, p...)
	return n, nil
}

var accountsByIDSQL = `select ` + projections.AccountTable.Columns() + ` from read.accounts
 where organization_id = $1 and id = any($2)`

var accountModel = []string{projections.Accounts.Name}

// accounts loads the rows of accounts that were not closed, by id.
func (r *Reader) accounts(
	ctx context.Context, ids []uuid.UUID,
) (map[uuid.UUID]projections.AccountRow, int64, error) {
	if len(ids) == 0 {
		return nil, 0, nil
	}
	var rows []projections.AccountRow
	stale, err := r.read(ctx, In(eventstore.Platform), accountModel, func(batch *pgx.Batch) {
		batch.Queue(accountsByIDSQL, eventstore.Platform, ids).
			Query(many(&rows, projections.AccountTable.Scan))
	})
	byID := make(map[uuid.UUID]projections.AccountRow, len(rows))
	for _, row := range rows {
		byID[row.ID] = row
	}
	return byID, stale, err
}

// names are what accounts are called, by id.
func (r *Reader) names(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID]string, error) {
	rows, _, err := r.accounts(ctx, ids)
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	people, err := r.open(ctx, rows)
	if err != nil {
		return nil, err
	}
	names := make(map[uuid.UUID]string, len(people))
	for id, person := range people {
		names[id] = person.Name()
	}
	return names, nil
}
