package queries

import (
	"context"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/koprogo/koprogo/projections"
)

// Share is what one owner of one lot bears of a charge.
type Share = projections.Share

// shareModel is what an owner's shares are found from: the buildings where he ever held a lot, and
// the divisions of their charges.
var shareModel = []string{projections.Charges.Name, projections.Lots.Name}

var divisionSQL = "select " + projections.DivisionTable.Columns() + ` from read.divisions
 where organization_id = $1 and id = $2`

// ChargeShares lists how a charge was divided, by the lots' sort keys and then owners; none while
// it is not approved.
func (r *Reader) ChargeShares(
	ctx context.Context, organization, charge uuid.UUID,
) (found Found[[]Share], err error) {
	var rows []projections.DivisionRow
	found.Stale, err = r.read(ctx, In(organization), chargeModel, func(batch *pgx.Batch) {
		batch.Queue(divisionSQL, organization, charge).
			Query(many(&rows, projections.DivisionTable.Scan))
	})
	found.Item, found.Position = []Share{}, found.Stale
	if len(rows) > 0 {
		found.Item = rows[0].Shares()
	}
	return found, err
}

// ownerSharesFrom are the shares of owners in the charges of an organization, cancelled ones left
// out. An owner's lots lead to the few buildings whose divisions are looked through.
const ownerSharesFrom = ` from read.divisions d,
       unnest(d.lots, d.owners, d.parts, d.amounts) with ordinality
         as s (lot_id, owner_id, part, amount, place)
 where d.organization_id = $1 and not d.cancelled
   and d.building_id = any(array(select o.building_id from read.ownerships o
                                  where o.organization_id = $1 and o.owner_id = any($2)))
   and s.owner_id = any($2) and ($3::uuid[] is null or d.building_id = any($3))`

const (
	ownerSharesSQL = `select d.id, s.place::integer, s.lot_id, s.owner_id, s.part, s.amount,
       d.created_at` + ownerSharesFrom + ` order by d.date, d.id, s.place`
	ownerChargesSQL = `select distinct d.id` + ownerSharesFrom
	ownerDueSQL     = `select coalesce(sum(s.amount), 0)::bigint` + ownerSharesFrom
)

// OwnerShares lists what an owner bears of charges that were not cancelled, by the charges' days:
// of some buildings, or (nil) of all.
func (r *Reader) OwnerShares(
	ctx context.Context, organization, owner uuid.UUID, buildings []uuid.UUID,
) (found Found[[]Share], err error) {
	found.Stale, err = r.read(ctx, In(organization), shareModel, func(batch *pgx.Batch) {
		batch.Queue(ownerSharesSQL, organization, []uuid.UUID{owner}, buildings).
			Query(many(&found.Item, scanShare))
	})
	found.Position = found.Stale
	return found, err
}

func scanShare(row pgx.CollectableRow) (Share, error) {
	var s Share
	var place int
	err := row.Scan(&s.ChargeID, &place, &s.LotID, &s.OwnerID, &s.Part, &s.Amount, &s.CreatedAt)
	s.ID, s.CreatedAt = projections.ShareID(s.ChargeID, place-1), s.CreatedAt.UTC()
	return s, err
}

// OwnerCharges lists the charges that some owners bear a share of.
func (r *Reader) OwnerCharges(
	ctx context.Context, organization uuid.UUID, owners []uuid.UUID,
) (charges []uuid.UUID, err error) {
	_, err = r.read(ctx, In(organization), shareModel, func(batch *pgx.Batch) {
		batch.Queue(ownerChargesSQL, organization, owners, []uuid.UUID(nil)).
			Query(many(&charges, pgx.RowTo[uuid.UUID]))
	})
	return charges, err
}
