package api

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"reflect"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/koprogo/koprogo/eventstore"
	"github.com/koprogo/koprogo/queries"
)

// entryBody is an event of an organization's log.
type entryBody struct {
	Position      int64           `json:"position"`
	Stream        string          `json:"stream"`
	Version       int64           `json:"version"`
	Type          string          `json:"type"`
	Schema        int             `json:"schema"`
	BuildingID    *uuid.UUID      `json:"building_id" nullable:"true"`
	At            Instant         `json:"at"`
	EffectiveAt   Instant         `json:"effective_at"`
	Actor         actorBody       `json:"actor"`
	CorrelationID string          `json:"correlation_id"`
	Data          json.RawMessage `json:"data"`
	LeafHash      string          `json:"leaf_hash"` // base64
}

func toEntry(e queries.Entry) entryBody {
	return entryBody{
		Position: e.Position, Stream: e.Stream.String(), Version: e.Version, Type: e.Type,
		Schema: e.Schema, BuildingID: optionalID(e.Building), At: Instant(e.RecordedAt),
		EffectiveAt: Instant(e.EffectiveAt), Actor: toActor(e.Actor),
		CorrelationID: e.CorrelationID, Data: e.Data,
		LeafHash: base64.StdEncoding.EncodeToString(e.LeafHash[:]),
	}
}

type logParams struct {
	Type       Field[string]    `query:"type"`
	Stream     Field[string]    `query:"stream"`
	Actor      Field[uuid.UUID] `query:"actor"`
	BuildingID Field[uuid.UUID] `query:"building_id"`
	From       Field[Date]      `query:"from"`
	To         Field[Date]      `query:"to"`
	After      Field[int]       `query:"after_position" minimum:"0"`
}

// auditLog lists an organization's log; the platform's for a superadmin who names none. An
// auditor with mandates reads what they cover.
func auditLog(
	ctx context.Context, c *Call, asked logParams, page Page,
) (Listed[entryBody], error) {
	within, err := c.within(ctx)
	if err != nil {
		return Listed[entryBody]{}, err
	}
	chosen, err := logFilter(asked.Type, asked.Stream, asked.Actor, asked.From, asked.To)
	if err != nil {
		return Listed[entryBody]{}, err
	}
	chosen.Organization, chosen.Within = c.Organization, within
	chosen.Building, chosen.After = asked.BuildingID.Value(), int64(asked.After.Value())
	listed, err := c.Queries.AuditLog(ctx, chosen, page.of())
	if err != nil {
		return Listed[entryBody]{}, err
	}
	return listedAs(listed, toEntry), c.noteEntries(ctx, listed.Items)
}

type atPosition struct {
	Position int `path:"position" minimum:"1"`
}

func auditEntry(ctx context.Context, c *Call, at atPosition) (Answer[entryBody], error) {
	within, err := c.within(ctx)
	if err != nil {
		return Answer[entryBody]{}, err
	}
	entry, err := c.Queries.AuditEntry(ctx, c.Organization, int64(at.Position), within)
	if err != nil {
		return Answer[entryBody]{}, err
	}
	return Answer[entryBody]{Body: toEntry(entry)}, c.noteAccess(ctx, "log", entry.People...)
}

// noteEntries records whose personal data the caller read in a list of events.
func (c *Call) noteEntries(ctx context.Context, entries []queries.Entry) error {
	return c.Accounts.Access.NoteListed(ctx, c.accessTo("log", peopleIn(entries)...)...)
}

// peopleIn are those whose personal data events hold, each once.
func peopleIn(entries []queries.Entry) []uuid.UUID {
	var people []uuid.UUID
	for _, entry := range entries {
		for _, person := range entry.People {
			if !slices.Contains(people, person) {
				people = append(people, person)
			}
		}
	}
	return people
}

// checkpointBody is the signed statement of a log's size and root.
type checkpointBody struct {
	Origin   string `json:"origin"`
	Size     int64  `json:"size"`
	RootHash string `json:"root_hash"` // base64
	Note     string `json:"note"`
}

// checkpoint signs the log as it is: JSON, or with Accept: text/plain the signed note alone.
func checkpoint(ctx context.Context, c *Call, w http.ResponseWriter, r *http.Request) error {
	if err := c.namedOrganization(r); err != nil {
		return err
	}
	head, err := c.Store.Head(ctx, c.Organization)
	if err != nil {
		return err
	}
	if head.Position == 0 {
		return notFound("organization")
	}
	signed, err := c.Store.Keyring().Notary().Sign(ctx, head)
	if err != nil {
		return err
	}
	c.fence.answered(c.Organization, signed.Size)
	w.Header().Set("Vary", "Accept, Accept-Language, Authorization")
	if !wantsText(r.Header.Get("Accept")) {
		return writeJSON(w, http.StatusOK, checkpointBody{
			Origin: eventstore.Origin(c.Organization), Size: signed.Size,
			RootHash: base64.StdEncoding.EncodeToString(signed.Root[:]), Note: signed.Note,
		})
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	_, _ = w.Write([]byte(signed.Note)) // the client is gone when it fails
	return nil
}

// wantsText tells whether text/plain is the first of what the client accepts.
func wantsText(accept string) bool {
	first, _, _ := strings.Cut(accept, ",")
	media, _, _ := strings.Cut(first, ";")
	return strings.EqualFold(strings.TrimSpace(media), "text/plain")
}

// namedOrganization reads the one parameter that a route without conventions takes.
func (c *Call) namedOrganization(r *http.Request) error {
	q, err := parseQuery(r.URL.RawQuery)
	if err != nil {
		return err
	}
	if err := q.unknown(shapeOf(reflect.TypeFor[None]()), nil); err != nil {
		return err
	}
	var named uuid.UUID
	if text := q[organizationField]; text != "" {
		if err := readID(text, &named); err != nil {
			return invalidParameter(organizationField, CodeMalformed, "form", "uuid")
		}
	}
	switch {
	case c.Caller.Role == Superadmin:
		c.Organization = named
	case named != uuid.Nil && named != c.Organization:
		return notFound("organization")
	}
	return nil
}
