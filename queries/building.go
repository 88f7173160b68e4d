package queries

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/koprogo/koprogo/projections"
)

// Building is a building as the read model shows it.
type Building = projections.BuildingRow

var buildingModel = []string{projections.Buildings.Name}

// BuildingList asks for buildings. Texts that are empty do not filter.
type BuildingList struct {
	Span    Span
	City    string // the whole name, upper and lower case alike, as is Country
	Country string
	Q       string      // a part of name, address or city
	Only    []uuid.UUID // nil: any; else these, which may be none
	Page    Page
}

// BuildingSorts are the columns that a list of buildings may be sorted by, the default first.
var BuildingSorts = []string{
	"created_at", "name", "lots", "city", "construction_year",
}

// order is the expression that a column is sorted by and the type of its value.
func (l *BuildingList) order() (expression, kind string) {
	switch l.Page.Sort {
	case "name", "city":
		return l.Page.Sort, "text"
	case "lots":
		return "lots", "integer"
	case "construction_year":
		return "coalesce(construction_year, 0)", "integer"
	}
	return "created_at", "timestamptz"
}

func (l *BuildingList) sorted(b *Building) any {
	switch l.Page.Sort {
	case "name":
		return b.Name
	case "city":
		return b.City
	case "lots":
		return b.Lots
	case "construction_year":
		if b.ConstructionYear == nil {
			return 0
		}
		return *b.ConstructionYear
	}
	return b.CreatedAt
}

func (l *BuildingList) filtered() bool {
	return l.City != "" || l.Country != "" || l.Q != "" || l.Only != nil
}

func (l *BuildingList) conditions() conditions {
	var c conditions
	if !l.Span.Every {
		c.add("organization_id = ?", l.Span.Organization)
	}
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
	return c
}

// total is the SQL of how many rows the whole list has.
func (l *BuildingList) total() (string, []any) {
	if l.filtered() {
		c := l.conditions()
		return "select count(*) from read.buildings" + c.where(), c.args
	}
	var c conditions
	if !l.Span.Every {
		c.add("organization_id = ?", l.Span.Organization)
	}
	c.add("resource = ?", projections.BuildingTotal)
	return "select coalesce(sum(n), 0)::bigint from read.totals" + c.where(), c.args
}

// rows is the SQL of the page.
func (l *BuildingList) rows() (string, []any, error) {
	expression, kind := l.order()
	return ordering{expression, kind}.pageOf(
		"select "+projections.BuildingTable.Columns()+" from read.buildings", l.conditions(),
		l.Span.Every, l.Page)
}

// text is the sorted value as PostgreSQL reads it.
func (m mark) text() (string, error) {
	var text string
	if json.Unmarshal(m.Value, &text) == nil {
		return text, nil
	}
	var n json.Number
	if err := json.Unmarshal(m.Value, &n); err != nil {
		return "", ErrBadMark
	}
	return n.String(), nil
}

// Buildings lists buildings.
func (r *Reader) Buildings(ctx context.Context, l BuildingList) (Listed[Building], error) {
	var listed Listed[Building]
	rowsSQL, rowsArgs, err := l.rows()
	if err != nil {
		return listed, err
	}
	totalSQL, totalArgs := l.total()
	listed.Stale, err = r.read(ctx, l.Span, buildingModel, func(batch *pgx.Batch) {
		batch.Queue(totalSQL, totalArgs...).QueryRow(number(&listed.Total))
		batch.Queue(rowsSQL, rowsArgs...).
			Query(many(&listed.Items, projections.BuildingTable.Scan))
	})
	if err != nil {
		return listed, err
	}
	var more bool
	if listed.Items, more = cut(listed.Items, l.Page.Size); more {
		last := &listed.Items[len(listed.Items)-1]
		listed.Next, err = writeMark(l.sorted(last), last.ID.String(), last.OrganizationID.String())
	}
	return listed, err
}

// BuildingByID returns the building; ErrNotFound when the span has none of this id.
func (r *Reader) BuildingByID(
	ctx context.Context, span Span, id uuid.UUID,
) (found Found[Building], err error) {
	if row, made := projections.BuildingTable.Of(span.Fresh, id); made {
		return Found[Building]{Item: row}, nil
	}
	text, args := buildingSQL(span, id)
	found.Stale, err = r.read(ctx, span, buildingModel, func(batch *pgx.Batch) {
		batch.Queue(text, args...).Query(one(&found.Item, projections.BuildingTable.Scan))
	})
	found.Position = found.Stale
	return found, err
}

func buildingSQL(span Span, id uuid.UUID) (string, []any) {
	var c conditions
	if !span.Every {
		c.add("organization_id = ?", span.Organization)
	}
	c.add("id = ?", id)
	return "select " + projections.BuildingTable.Columns() + " from read.buildings" +
		c.where() + " limit 1", c.args
}

// BuildingAt returns the building as it was at a moment: ErrPositionUnknown for one past the head
// or in the future, ErrNotFound for one before it was registered or after it was removed.
func (r *Reader) BuildingAt(
	ctx context.Context, organization, id uuid.UUID, moment Moment,
) (found Found[Building], err error) {
	found.Position, err = r.position(ctx, organization, id, moment)
	if err != nil {
		return found, err
	}
	found.Item, err = r.buildingAt(ctx, organization, id, found.Position)
	return found, err
}

func (r *Reader) buildingAt(
	ctx context.Context, organization, id uuid.UUID, position int64,
) (Building, error) {
	scope := projections.Scope{Building: id}
	copied, err := r.travel.At(ctx, organization, scope, position)
	if err != nil {
		return Building{}, err
	}
	building, found := projections.BuildingTable.Of(copied, id)
	if !found {
		return building, ErrNotFound
	}
	return building, nil
}

// BuildingOrganization tells whose building it is; ErrNotFound when there is none. For a
// superadmin who names a building only.
func (r *Reader) BuildingOrganization(ctx context.Context, id uuid.UUID) (uuid.UUID, error) {
	found, err := r.BuildingByID(ctx, Everywhere(), id)
	if errors.Is(err, ErrNotFound) {
		return uuid.Nil, ErrNotFound
	}
	return found.Item.OrganizationID, err
}
