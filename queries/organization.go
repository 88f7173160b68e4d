package queries

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/koprogo/koprogo/events"
	"github.com/koprogo/koprogo/projections"
)

// Organization is an organization with its contact in clear: "" where the contact was erased.
type Organization struct {
	ID           uuid.UUID
	Version      int64 // ETag
	Position     int64
	Name         string
	Slug         string
	Plan         string
	ContactEmail string
	ContactPhone string
	ErasedAt     time.Time // when the contact was erased; zero when not
	IsActive     bool
	FourEyes     string
	Language     string
	Zone         string
	Rates        map[string]int // basis points by name
	CreatedAt    time.Time
	UpdatedAt    time.Time
}

var organizationSource = source[projections.OrganizationRow]{
	table: projections.OrganizationTable, model: []string{projections.Organizations.Name},
	sorts: []sorting[projections.OrganizationRow]{
		{
			"created_at", "created_at", "timestamptz",
			func(o *projections.OrganizationRow) any { return o.CreatedAt },
		},
		{"name", "name", "text", func(o *projections.OrganizationRow) any { return o.Name }},
		{"slug", "slug", "text", func(o *projections.OrganizationRow) any { return o.Slug }},
		{"plan", "plan", "text", func(o *projections.OrganizationRow) any { return o.Plan }},
	},
	whose: func(o *projections.OrganizationRow) uuid.UUID { return o.OrganizationID },
	scope: streamOf(events.OrganizationCategory),
}

// OrganizationList asks for organizations, of which only a superadmin sees more than his own.
type OrganizationList struct {
	Q        string // a part of name or slug
	Plan     string
	IsActive *bool
	Page     Page
}

func (l *OrganizationList) filter(c *conditions) {
	if l.Q != "" {
		c.add("strpos(lower(name || ' ' || slug), lower(?::text)) > 0", l.Q)
	}
	if l.Plan != "" {
		c.add("plan = ?", l.Plan)
	}
	if l.IsActive != nil {
		c.add("is_active = ?", *l.IsActive)
	}
}

// Organizations lists every organization, for a superadmin.
func (r *Reader) Organizations(
	ctx context.Context, l OrganizationList,
) (Listed[Organization], error) {
	listed, err := organizationSource.list(ctx, r, listing{Everywhere(), l.filter, l.Page})
	if err != nil {
		return Listed[Organization]{}, err
	}
	opened := make([]Organization, len(listed.Items))
	for i, row := range listed.Items {
		if opened[i], err = r.openOrganization(ctx, row); err != nil {
			return Listed[Organization]{}, err
		}
	}
	return withItems(listed, opened), nil
}

// OrganizationByID returns an organization; ErrNotFound when there is none of this id.
func (r *Reader) OrganizationByID(
	ctx context.Context, id uuid.UUID,
) (found Found[Organization], err error) {
	row, err := organizationSource.byID(ctx, r, In(id), id)
	if err != nil {
		return found, err
	}
	opened, err := r.openOrganization(ctx, row.Item)
	return withItem(row, opened), err
}

// OrganizationAt returns an organization as it was at a position of its log.
func (r *Reader) OrganizationAt(
	ctx context.Context, id uuid.UUID, position int64,
) (Organization, error) {
	row, err := organizationSource.at(ctx, r, id, id, uuid.Nil, Moment{Position: position})
	if err != nil {
		return Organization{}, err
	}
	return r.openOrganization(ctx, row.Item)
}

func (r *Reader) openOrganization(
	ctx context.Context, row projections.OrganizationRow,
) (Organization, error) {
	o := Organization{
		ID: row.OrganizationID, Version: row.Version, Position: row.Position, Name: row.Name,
		Slug: row.Slug, Plan: row.Plan, IsActive: row.IsActive, FourEyes: row.FourEyes,
		Language: row.Language, Zone: row.Zone, Rates: row.Rates, CreatedAt: row.CreatedAt,
		UpdatedAt: row.UpdatedAt,
	}
	clear, err := r.keyring.OpenAll(ctx, o.ID, []events.Personal{
		events.SealedText(row.ContactEmail), events.SealedText(row.ContactPhone),
	})
	if err != nil {
		return o, fmt.Errorf("open the contact of an organization: %w", err)
	}
	o.ContactEmail, o.ContactPhone = clear[0], clear[1]
	if row.ContactEmail != "" && clear[0] == "" && row.ContactID != nil {
		when, err := r.erasures(ctx, o.ID, []events.Stream{
			{Category: events.OrganizationCategory, ID: o.ID},
			{Category: "person", ID: *row.ContactID},
		})
		if err != nil {
			return o, err
		}
		o.ErasedAt = when[*row.ContactID]
	}
	return o, nil
}
