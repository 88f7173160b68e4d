package queries

import (
	"context"

	"github.com/google/uuid"

	"github.com/koprogo/koprogo/events"
	"github.com/koprogo/koprogo/projections"
)

// Key is a distribution key as the read model shows it.
type Key = projections.KeyRow

var keySource = source[Key]{
	table: projections.KeyTable, model: []string{projections.Keys.Name},
	whose: func(k *Key) uuid.UUID { return k.OrganizationID },
	scope: streamOf(events.KeyCategory),
}

// keysSQL lists keys by name; of an organization, or of all.
func keysSQL(span Span, building uuid.UUID, only []uuid.UUID) (string, []any) {
	c := span.conditions()
	if building != uuid.Nil {
		c.add("building_id = ?", building)
	}
	if only != nil {
		c.add("building_id = any(?)", only)
	}
	return keySource.selects() + c.where() + " order by name, id", c.args
}

// DistributionKeys lists keys by name: of one building, or (nil) of all; only limits the buildings,
// unless it is nil.
func (r *Reader) DistributionKeys(
	ctx context.Context, span Span, building uuid.UUID, only []uuid.UUID,
) (Found[[]Key], error) {
	text, args := keysSQL(span, building, only)
	return keySource.rows(ctx, r, span, text, args...)
}

// KeyByID returns the key; ErrNotFound when the span has none of this id.
func (r *Reader) KeyByID(ctx context.Context, span Span, id uuid.UUID) (Found[Key], error) {
	return keySource.byID(ctx, r, span, id)
}

// KeyAt returns the key as it was at a moment; errors as BuildingAt.
func (r *Reader) KeyAt(
	ctx context.Context, organization, id uuid.UUID, moment Moment,
) (Found[Key], error) {
	return keySource.at(ctx, r, organization, id, uuid.Nil, moment)
}

// KeyOrganization tells whose key it is; ErrNotFound when there is none.
func (r *Reader) KeyOrganization(ctx context.Context, id uuid.UUID) (uuid.UUID, error) {
	return keySource.organizationOf(ctx, r, id)
}
