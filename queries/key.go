package queries

import (
	"context"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/koprogo/koprogo/events"
	"github.com/koprogo/koprogo/projections"
)

// Key is a distribution key as the read model shows it.
type Key = projections.KeyRow

var keyModel = []string{projections.Keys.Name}

// keysSQL lists keys by name; of an organization, or of all.
func keysSQL(span Span, building uuid.UUID, only []uuid.UUID) (string, []any) {
	var c conditions
	if !span.Every {
		c.add("organization_id = ?", span.Organization)
	}
	if building != uuid.Nil {
		c.add("building_id = ?", building)
	}
	if only != nil {
		c.add("building_id = any(?)", only)
	}
	return "select " + projections.KeyTable.Columns() + " from read.keys" + c.where() +
		" order by name, id", c.args
}

// DistributionKeys lists keys by name: of one building, or (nil) of all; only limits the buildings,
// unless it is nil.
func (r *Reader) DistributionKeys(
	ctx context.Context, span Span, building uuid.UUID, only []uuid.UUID,
) (found Found[[]Key], err error) {
	text, args := keysSQL(span, building, only)
	found.Stale, err = r.read(ctx, span, keyModel, func(batch *pgx.Batch) {
		batch.Queue(text, args...).Query(many(&found.Item, projections.KeyTable.Scan))
	})
	found.Position = found.Stale
	return found, err
}

func keySQL(span Span, id uuid.UUID) (string, []any) {
	var c conditions
	if !span.Every {
		c.add("organization_id = ?", span.Organization)
	}
	c.add("id = ?", id)
	return "select " + projections.KeyTable.Columns() + " from read.keys" + c.where() + " limit 1",
		c.args
}

// KeyByID returns the key; ErrNotFound when the span has none of this id.
func (r *Reader) KeyByID(
	ctx context.Context, span Span, id uuid.UUID,
) (found Found[Key], err error) {
	if row, made := projections.KeyTable.Of(span.Fresh, id); made {
		return Found[Key]{Item: row}, nil
	}
	text, args := keySQL(span, id)
	found.Stale, err = r.read(ctx, span, keyModel, func(batch *pgx.Batch) {
		batch.Queue(text, args...).Query(one(&found.Item, projections.KeyTable.Scan))
	})
	found.Position = found.Stale
	return found, err
}

// KeyAt returns the key as it was at a position.
func (r *Reader) KeyAt(
	ctx context.Context, organization, id uuid.UUID, moment Moment,
) (found Found[Key], err error) {
	if found.Position, err = r.position(ctx, organization, uuid.Nil, moment); err != nil {
		return found, err
	}
	copied, err := r.travel.At(ctx, organization, keyScope(id), found.Position)
	if err != nil {
		return found, err
	}
	row, stood := projections.KeyTable.Of(copied, id)
	if !stood {
		return found, ErrNotFound
	}
	found.Item = row
	return found, nil
}

// KeyOrganization tells whose key it is; ErrNotFound when there is none. For a superadmin who names
// a key only.
func (r *Reader) KeyOrganization(ctx context.Context, id uuid.UUID) (uuid.UUID, error) {
	found, err := r.KeyByID(ctx, Everywhere(), id)
	return found.Item.OrganizationID, err
}

func keyScope(id uuid.UUID) projections.Scope {
	return projections.Scope{Streams: []events.Stream{{Category: events.KeyCategory, ID: id}}}
}
