package api

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/koprogo/koprogo/events"
	"github.com/koprogo/koprogo/queries"
)

// span is the organization of the call as a query takes it: all of them for a superadmin who
// named none.
func (c *Call) span() queries.Span {
	if c.Every() {
		return queries.Everywhere()
	}
	return queries.Span{Organization: c.Organization, Fresh: c.fresh}
}

// organizationOf finds whose resource it is that a superadmin names alone.
func (b *Backend) organizationOf(
	ctx context.Context, noun string, id uuid.UUID,
) (uuid.UUID, error) {
	switch noun {
	case "building":
		return b.Queries.BuildingOrganization(ctx, id)
	case "unit":
		return b.Queries.LotOrganization(ctx, id)
	case "owner":
		return b.Queries.OwnerOrganization(ctx, id)
	case "expense", "invoice":
		return b.Queries.ChargeOrganization(ctx, id)
	case "distribution_key":
		return b.Queries.KeyOrganization(ctx, id)
	case "ownership":
		at, err := b.Queries.OwnershipPlace(ctx, queries.Everywhere(), id)
		return at.Organization, err
	}
	return uuid.Nil, refuse(CodeOrganizationRequired)
}

// moment is the as-of of a read as a query takes it.
func (a AsOf) moment() queries.Moment {
	return queries.Moment{Position: a.Position, Instant: a.Instant, Day: a.Day}
}

// of is the page as a query takes it; columns gives the query's name of each REST one.
func (p Page) of(columns map[string]string) queries.Page {
	return queries.Page{
		Number: p.Number, Size: p.Size, Sort: columns[p.Sort], Descending: p.Descending,
		After: p.After,
	}
}

// listedAs turns a query's page into REST bodies.
func listedAs[Q, R any](listed queries.Listed[Q], body func(Q) R) Listed[R] {
	turned := Listed[R]{
		Items: make([]R, len(listed.Items)), Total: listed.Total, Next: listed.Next,
		Position: listed.Stale, Stale: listed.Stale,
	}
	for i, item := range listed.Items {
		turned.Items[i] = body(item)
	}
	return turned
}

// visibleBuildings are those that the caller sees; nil for all of the organization's. An owner
// sees those where he holds a lot, an auditor those of his mandates.
func (c *Call) visibleBuildings(ctx context.Context) ([]uuid.UUID, error) {
	seen, err := c.sight(ctx)
	return seen.buildings, err
}

// sight is what the caller sees of the organization; a nil list means all of it.
type sight struct{ buildings, lots, owners []uuid.UUID }

func (s sight) building(id uuid.UUID) bool {
	return s.buildings == nil || slices.Contains(s.buildings, id)
}
func (s sight) lot(id uuid.UUID) bool   { return s.lots == nil || slices.Contains(s.lots, id) }
func (s sight) owner(id uuid.UUID) bool { return s.owners == nil || slices.Contains(s.owners, id) }

// sight finds what the caller sees: an owner himself, the lots that he holds and their buildings,
// an auditor the buildings of his mandates, everybody else all.
func (c *Call) sight(ctx context.Context) (sight, error) {
	if c.Caller.Role == Owner {
		held, err := c.Queries.HoldingsOf(ctx, c.Organization, c.Caller.Account)
		return sight{held.Buildings, held.Lots, held.Owners}, err
	}
	mandates, err := c.mandates(ctx)
	if err != nil || len(mandates) == 0 {
		return sight{}, err
	}
	seen := sight{buildings: []uuid.UUID{}}
	for _, mandate := range mandates {
		seen.buildings = append(seen.buildings, mandate.Buildings...)
	}
	return seen, nil
}

// maySeeUnit is not found for a lot of a building that the caller does not see.
func (c *Call) maySeeUnit(ctx context.Context, building, lot uuid.UUID) error {
	seen, err := c.sight(ctx)
	if err == nil && (!seen.building(building) || !seen.lot(lot)) {
		return notFound("unit")
	}
	return err
}

// mandates are an auditor's; none means the whole organization, as for every other role.
func (c *Call) mandates(ctx context.Context) ([]events.MemberMandateGiven, error) {
	if c.Caller.Role != Auditor {
		return nil, nil
	}
	member, err := c.Commands.Member(ctx, c.Organization, c.Caller.Account)
	if err != nil {
		return nil, err
	}
	return slices.Collect(maps.Values(member.Mandates)), nil
}

// within limits the events that an auditor reads to his mandates' buildings, and to what was
// recorded on their days in Belgium.
func (c *Call) within(ctx context.Context) ([]queries.Within, error) {
	mandates, err := c.mandates(ctx)
	if err != nil || len(mandates) == 0 {
		return nil, err
	}
	zone, err := time.LoadLocation(mandateZone)
	if err != nil {
		return nil, err
	}
	limits := make([]queries.Within, 0, len(mandates))
	for _, mandate := range mandates {
		from, _ := time.ParseInLocation(time.DateOnly, string(mandate.From), zone)
		to, _ := time.ParseInLocation(time.DateOnly, string(mandate.To), zone)
		limits = append(limits, queries.Within{
			Buildings: mandate.Buildings, From: from, Before: to.AddDate(0, 0, 1),
		})
	}
	return limits, nil
}

// mandateZone is where a mandate's days begin and end.
const mandateZone = "Europe/Brussels"

// maySeeBuilding is not found for a building that the caller does not see.
func (c *Call) maySeeBuilding(ctx context.Context, id uuid.UUID) error {
	only, err := c.visibleBuildings(ctx)
	if err == nil && only != nil && !slices.Contains(only, id) {
		return notFound("building")
	}
	return err
}
