package commands

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/koprogo/koprogo/events"
	"github.com/koprogo/koprogo/eventstore"
)

// RemoveBuilding takes a building out of the books, and its lots with it. Ids are not used again.
// App.RemoveBuilding also removes one of more lots than an append has room for.
type RemoveBuilding struct {
	BuildingID uuid.UUID
	Now        time.Time

	owing bool // somebody's balance is not nil
}

// mostRemoved is how many lots go in one append.
const mostRemoved = 9_000

// RemoveBuilding removes a building of any size: lots beyond what one append has room for go
// before it, and a repetition goes on where a crash came between. Refusals: not_found,
// building_has_owners, balance_open.
func (a *App) RemoveBuilding(
	ctx context.Context, caller Caller, c RemoveBuilding,
) (Outcome[Building], error) {
	before := caller
	before.Idempotency = nil
	for {
		removed, err := Handle(ctx, a, caller, &c)
		if codeOf(err) != CodeUnitsRemain {
			return removed, err
		}
		if _, err := Handle(ctx, a, before, &clearBuilding{c}); err != nil {
			return Outcome[Building]{}, err
		}
	}
}

// Stream is the building's.
func (c *RemoveBuilding) Stream() events.Stream { return BuildingStream(c.BuildingID) }

// Revision is the building's own.
func (c *RemoveBuilding) Revision(b Building) int64 { return b.Revision }

// Read adds up what owners owe of the building's charges.
func (c *RemoveBuilding) Read(r *Reader) error {
	building, err := Load[Building](r, c.Stream())
	if err != nil || !building.Stands() {
		return err
	}
	c.owing, err = r.owing(c.BuildingID)
	return err
}

// Decide refuses a building that is not in the books, whose lots have owners, whose owners owe
// something or are owed it, or that has too many lots to go at once.
func (c *RemoveBuilding) Decide(b Building) ([]events.Event, error) {
	if err := c.removable(b); err != nil {
		return nil, err
	}
	if b.Standing > mostRemoved {
		return nil, refuse(CodeUnitsRemain, "the building has too many lots to go with it",
			"units", strconv.Itoa(b.Standing), "max", strconv.Itoa(mostRemoved))
	}
	return append(lotsRemoved(b.Lots()), events.BuildingRemoved{}), nil
}

func (c *RemoveBuilding) removable(b Building) error {
	if !b.Stands() {
		return notFound("building")
	}
	today := b.today(c.Now)
	for _, lot := range b.Lots() {
		if lot.OwnedSince(today) {
			return refuse(CodeBuildingOwned, "lots of the building have owners")
		}
	}
	if c.owing {
		return refuse(CodeBalanceOpen, "a balance of the building is open")
	}
	return nil
}

func lotsRemoved(lots []*Lot) []events.Event {
	happened := make([]events.Event, 0, len(lots)+1)
	for _, lot := range lots {
		happened = append(happened, events.LotRemoved{LotID: lot.ID()})
	}
	return happened
}

// clearBuilding removes lots of a building that is removable, until the rest may go with it.
type clearBuilding struct{ RemoveBuilding }

func (c *clearBuilding) Decide(b Building) ([]events.Event, error) {
	if err := c.removable(b); err != nil {
		return nil, err
	}
	lots := b.Lots()
	return lotsRemoved(lots[:max(0, min(mostRemoved, len(lots)-mostRemoved))]), nil
}

// chargeDues is what a charge that stands comes to for owners.
type chargeDues struct {
	approval  string
	cancelled bool
	lots      []events.ChargeLot
}

// owing tells whether any owner's balance of the building's charges is not nil: what was
// allocated to him, cancelled charges left out. Charges that one request may add to it (pending,
// or cancelled after their approval) are named among the streams read: the append is refused when
// one of them moves.
func (r *Reader) owing(building uuid.UUID) (bool, error) {
	charges, err := r.dues(building)
	if err != nil {
		return false, err
	}
	balances := map[uuid.UUID]events.Money{}
	for id, charge := range charges {
		if charge.approval == ApprovalPending || charge.cancelled {
			if _, err := Load[Charge](r, ChargeStream(id)); err != nil {
				return false, err
			}
			continue
		}
		for _, lot := range charge.lots {
			for _, owner := range lot.Owners {
				sum, err := balances[owner.OwnerID].Plus(owner.Amount)
				if err != nil {
					return false, fmt.Errorf("add up a building's balances: %w", err)
				}
				balances[owner.OwnerID] = sum
			}
		}
	}
	for _, balance := range balances {
		if balance != 0 {
			return true, nil
		}
	}
	return false, nil
}

// dues folds the building's charges from the log.
func (r *Reader) dues(building uuid.UUID) (map[uuid.UUID]chargeDues, error) {
	head, err := r.app.store.Head(r.ctx, r.organization)
	if err != nil {
		return nil, fmt.Errorf("add up a building's balances: %w", err)
	}
	charges := map[uuid.UUID]chargeDues{}
	err = r.app.store.ReplayBuilding(r.ctx, r.organization, building, 0, head.Position,
		func(recorded *eventstore.Recorded) error {
			noteDues(charges, recorded)
			return nil
		})
	if err != nil {
		return nil, fmt.Errorf("add up a building's balances: %w", err)
	}
	return charges, nil
}

func noteDues(charges map[uuid.UUID]chargeDues, recorded *eventstore.Recorded) {
	if recorded.Stream.Category != events.ChargeCategory {
		return
	}
	charge := charges[recorded.Stream.ID]
	switch e := recorded.Event.(type) {
	case events.ChargeSubmitted:
		charge.approval = ApprovalPending
	case events.ChargeRejected:
		charge.approval = ApprovalRejected
	case events.ChargeApproved:
		charge.approval, charge.lots = ApprovalApproved, e.Lots
	case events.ChargeCancelled:
		charge.cancelled = true
	case events.ChargeReactivated:
		charge.cancelled = false
	default:
		return
	}
	charges[recorded.Stream.ID] = charge
}
