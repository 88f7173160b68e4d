package queries

import (
	"context"

	"github.com/google/uuid"

	"github.com/koprogo/koprogo/projections"
)

// Building is a building as the read model shows it.
type Building = projections.BuildingRow

var buildingSource = source[Building]{
	table: projections.BuildingTable, model: []string{projections.Buildings.Name},
	total: projections.BuildingTotal,
	sorts: []sorting[Building]{
		{"created_at", "created_at", "timestamptz", func(b *Building) any { return b.CreatedAt }},
		{"name", "name", "text", func(b *Building) any { return b.Name }},
		{"lots", "lots", "integer", func(b *Building) any { return b.Lots }},
		{"city", "city", "text", func(b *Building) any { return b.City }},
		{
			"construction_year", "coalesce(construction_year, 0)", "integer",
			func(b *Building) any { return orElse(b.ConstructionYear, 0) },
		},
	},
	whose: func(b *Building) uuid.UUID { return b.OrganizationID },
	scope: func(id uuid.UUID) projections.Scope { return projections.Scope{Building: id} },
}

// BuildingSorts are the columns that a list of buildings may be sorted by, the default first.
var BuildingSorts = buildingSource.sortNames()

// BuildingList asks for buildings. Texts that are empty do not filter.
type BuildingList struct {
	Span    Span
	City    string // the whole name, upper and lower case alike, as is Country
	Country string
	Q       string      // a part of name, address or city
	Only    []uuid.UUID // nil: any; else these, which may be none
	Page    Page
}

func (l *BuildingList) filter(c *conditions) {
	if l.City != "" {
		c.add("lower(city) = lower(?::text)", l.City)
	}
	if l.Country != "" {
		c.add("lower(country) = lower(?::text)", l.Country)
	}
	if l.Q != "" {
		c.add("strpos(lower(name || ' ' || address || ' ' || city), lower(?::text)) > 0", l.Q)
	}
	if l.Only != nil {
		c.add("id = any(?)", l.Only)
	}
}

// Buildings lists buildings.
func (r *Reader) Buildings(ctx context.Context, l BuildingList) (Listed[Building], error) {
	asked := listing{l.Span, l.filter, l.Page}
	sorts := buildingSource.sortNames()
	return r.buildingPages.list(r, asked, sorts, func() (Listed[Building], error) {
		return buildingSource.list(ctx, r, asked)
	})
}

// BuildingByID returns the building; ErrNotFound when the span has none of this id.
func (r *Reader) BuildingByID(
	ctx context.Context, span Span, id uuid.UUID,
) (Found[Building], error) {
	return buildingSource.byID(ctx, r, span, id)
}

// BuildingAt returns the building as it was at a moment: ErrPositionUnknown for one past the head
// or in the future, ErrNotFound for one before it was registered or after it was removed.
func (r *Reader) BuildingAt(
	ctx context.Context, organization, id uuid.UUID, moment Moment,
) (Found[Building], error) {
	return buildingSource.at(ctx, r, organization, id, id, moment)
}

// BuildingOrganization tells whose building it is; ErrNotFound when there is none.
func (r *Reader) BuildingOrganization(ctx context.Context, id uuid.UUID) (uuid.UUID, error) {
	return buildingSource.organizationOf(ctx, r, id)
}
