package queries

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

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

var organizationModel = []string{projections.Organizations.Name}

// OrganizationList asks for organizations, of which only a superadmin sees more than his own.
type OrganizationList struct {
	Q        string // a part of name or slug
	Plan     string
	IsActive *bool
	Page     Page
}

// OrganizationSorts are the columns that the list may be sorted by, the default first.
var OrganizationSorts = []string{"created_at", "name", "slug", "plan"}

func (l *OrganizationList) conditions() conditions {
	var c conditions
	if l.Q != "" {
		c.add("strpos(lower(name || ' ' || slug), lower(?::text)) > 0", l.Q)
	}
	if l.Plan != "" {
		c.add("plan = ?", l.Plan)
	}
	if l.IsActive != nil {
		c.add("is_active = ?", *l.IsActive)
	}
	return c
}

// order is the column that the list is sorted by, its type and its value in a row.
func (l *OrganizationList) order() (
	column, kind string, value func(*projections.OrganizationRow) any,
) {
	switch l.Page.Sort {
	case "name":
		return "name", "text", func(o *projections.OrganizationRow) any { return o.Name }
	case "slug":
		return "slug", "text", func(o *projections.OrganizationRow) any { return o.Slug }
	case "plan":
		return "plan", "text", func(o *projections.OrganizationRow) any { return o.Plan }
	}
	return "created_at", "timestamptz",
		func(o *projections.OrganizationRow) any { return o.CreatedAt }
}

func (l *OrganizationList) rows() (string, []any, error) {
	c := l.conditions()
	column, kind, _ := l.order()
	direction, beyond := " asc", ">"
	if l.Page.Descending {
		direction, beyond = " desc", "<"
	}
	keys := []string{column, "organization_id"}
	offset := (l.Page.Number - 1) * l.Page.Size
	if l.Page.After != nil {
		offset = 0
		m, err := readMark(l.Page.After)
		if err != nil {
			return "", nil, err
		}
		value, err := m.text()
		if err != nil {
			return "", nil, err
		}
		c.add("("+strings.Join(keys, ", ")+") "+beyond+" (?::text::"+kind+", ?::text::uuid)",
			value, m.ID)
	}
	text := "select " + projections.OrganizationTable.Columns() + " from read.organizations" +
		c.where() + " order by " + strings.Join(keys, direction+", ") + direction
	page := conditions{args: c.args}
	page.add(" limit ? offset ?", l.Page.Size+1, max(0, offset))
	return text + page.texts[0], page.args, nil
}

// Organizations lists every organization, for a superadmin.
func (r *Reader) Organizations(
	ctx context.Context, l OrganizationList,
) (listed Listed[Organization], err error) {
	text, args, err := l.rows()
	if err != nil {
		return listed, err
	}
	total := l.conditions()
	var rows []projections.OrganizationRow
	listed.Stale, err = r.read(ctx, Everywhere(), organizationModel, func(batch *pgx.Batch) {
		batch.Queue("select count(*) from read.organizations"+total.where(), total.args...).
			QueryRow(number(&listed.Total))
		batch.Queue(text, args...).Query(many(&rows, projections.OrganizationTable.Scan))
	})
	if err != nil {
		return listed, err
	}
	rows, more := cut(rows, l.Page.Size)
	listed.Items = make([]Organization, 0, len(rows))
	for _, row := range rows {
		organization, err := r.openOrganization(ctx, row)
		if err != nil {
			return listed, err
		}
		listed.Items = append(listed.Items, organization)
	}
	if more {
		_, _, value := l.order()
		last := &rows[len(rows)-1]
		listed.Next, err = writeMark(value(last), last.OrganizationID.String(), "")
	}
	return listed, err
}

var organizationSQL = `select ` + projections.OrganizationTable.Columns() +
	` from read.organizations where organization_id = $1`

// OrganizationByID returns an organization; ErrNotFound when there is none of this id.
func (r *Reader) OrganizationByID(
	ctx context.Context, id uuid.UUID,
) (found Found[Organization], err error) {
	var row projections.OrganizationRow
	found.Stale, err = r.read(ctx, In(id), organizationModel, func(batch *pgx.Batch) {
		batch.Queue(organizationSQL, id).Query(one(&row, projections.OrganizationTable.Scan))
	})
	if err != nil {
		return found, err
	}
	found.Position = found.Stale
	found.Item, err = r.openOrganization(ctx, row)
	return found, err
}

// OrganizationAt returns an organization as it was at a position of its log.
func (r *Reader) OrganizationAt(
	ctx context.Context, id uuid.UUID, position int64,
) (Organization, error) {
	scope := projections.Scope{Streams: []events.Stream{
		{Category: events.OrganizationCategory, ID: id},
	}}
	copied, err := r.travel.At(ctx, id, scope, position)
	if err != nil {
		return Organization{}, err
	}
	row, found := projections.OrganizationTable.Of(copied, id)
	if !found {
		return Organization{}, ErrNotFound
	}
	return r.openOrganization(ctx, row)
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
