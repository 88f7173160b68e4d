package queries

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/koprogo/koprogo/projections"
)

// Replay is a building as it was when its organization's log reached Position. What belongs to a
// building stands beside it, each noun with the issue that brings it.
type Replay struct {
	Position int64
	At       time.Time // when Position was recorded
	Building Building
	Lots     []ReplayedLot // in their order
	Charges  []Charge      // by day and id
	Balances []Balance     // of who bears a share of them, by owner
	PCN      PCN           // of all dates, by category, what was approved
}

// ReplayedLot is a lot with those who owned it then.
type ReplayedLot struct {
	Lot
	Owners []Ownership
}

// BuildingReplay shows a building at a moment; errors as BuildingAt.
func (r *Reader) BuildingReplay(
	ctx context.Context, organization, id uuid.UUID, moment Moment,
) (Replay, error) {
	look, err := r.look(ctx, organization, id, moment)
	if err != nil {
		return Replay{}, err
	}
	replay := Replay{Position: look.position, At: look.at, Lots: []ReplayedLot{}}
	replay.PCN, err = r.pcnOf(look, PCNAsked{
		Organization: organization, Building: id, Profile: PCNByCategory, Status: PCNApproved,
	})
	if err != nil {
		return Replay{}, err
	}
	replay.PCN.GeneratedAt = look.at // the same moment is the same replay
	replay.Building, _ = projections.BuildingTable.Of(look.copied, id)
	owners := map[uuid.UUID][]Ownership{}
	for _, o := range look.ownerships(uuid.Nil) {
		if o.IsActive {
			owners[o.Row.LotID] = append(owners[o.Row.LotID], o)
		}
	}
	for _, lot := range look.lots() {
		replay.Lots = append(replay.Lots, ReplayedLot{Lot: lot, Owners: owners[lot.ID]})
	}
	if replay.Charges, err = r.openCharges(ctx, look.charges(), nil); err != nil {
		return Replay{}, err
	}
	replay.Balances, err = look.balances()
	return replay, err
}
