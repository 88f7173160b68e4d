package queries

import (
	"bytes"
	"context"
	"slices"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/koprogo/koprogo/events"
	"github.com/koprogo/koprogo/projections"
)

// Until the ledger knows what owners paid, an owner's due is what was divided to him: the sum of
// his shares, which is exact by itself, is not kept a second time.

// OwnerDue is what an owner owes of the charges of some buildings, or (nil) of all.
func (r *Reader) OwnerDue(
	ctx context.Context, organization, owner uuid.UUID, buildings []uuid.UUID,
) (found Found[events.Money], err error) {
	var cents int64
	found.Stale, err = r.read(ctx, In(organization), shareModel, func(batch *pgx.Batch) {
		batch.Queue(ownerDueSQL, organization, []uuid.UUID{owner}, buildings).
			QueryRow(number(&cents))
	})
	found.Item, found.Position = events.Money(cents), found.Stale
	return found, err
}

// Balance is what an owner owes of a building's charges.
type Balance struct {
	OwnerID uuid.UUID
	Due     events.Money
}

// balances are those of all who bear a share of the building's charges, by owner.
func (l *look) balances() ([]Balance, error) {
	sums := map[uuid.UUID]events.Money{}
	for _, division := range projections.DivisionTable.All(l.copied) {
		if division.Cancelled {
			continue
		}
		for i, owner := range division.Owners {
			if owner == uuid.Nil {
				continue
			}
			sum, err := sums[owner].Plus(division.Amounts[i])
			if err != nil {
				return nil, err
			}
			sums[owner] = sum
		}
	}
	balances := make([]Balance, 0, len(sums))
	for owner, sum := range sums {
		balances = append(balances, Balance{OwnerID: owner, Due: sum})
	}
	slices.SortFunc(balances, func(a, b Balance) int {
		return bytes.Compare(a.OwnerID[:], b.OwnerID[:])
	})
	return balances, nil
}
