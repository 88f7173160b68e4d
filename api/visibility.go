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

// maySee says that the noun is not found unless it is in the caller's sight.
func (c *Call) maySee(ctx context.Context, noun string, isIn func(sight) bool) error {
	seen, err := c.sight(ctx)
	if err == nil && !isIn(seen) {
		return notFound(noun)
	}
	return err
}

// maySeeUnit is not found for a lot of a building that the caller does not see.
func (c *Call) maySeeUnit(ctx context.Context, building, lot uuid.UUID) error {
	return c.maySee(ctx, "unit", func(seen sight) bool {
		return seen.building(building) && seen.lot(lot)
	})
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
	zone, err := events.Zone(mandateZone)
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
	return c.maySee(ctx, "building", func(seen sight) bool { return seen.building(id) })
}
