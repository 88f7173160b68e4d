package api

import (
	"context"

	"github.com/google/uuid"

	"github.com/koprogo/koprogo/commands"
	"github.com/koprogo/koprogo/queries"
)

// distributionBody is what one owner of one lot bears of a charge.
type distributionBody struct {
	ID              uuid.UUID  `json:"id"`
	ExpenseID       uuid.UUID  `json:"expense_id"`
	UnitID          uuid.UUID  `json:"unit_id"`
	OwnerID         *uuid.UUID `json:"owner_id" nullable:"true"`
	QuotaPercentage Ratio      `json:"quota_percentage"`
	AmountDue       Money      `json:"amount_due"`
	CreatedAt       Instant    `json:"created_at"`
}

func toDistribution(s queries.Share) distributionBody {
	return distributionBody{
		ID: s.ID, ExpenseID: s.ChargeID, UnitID: s.LotID, OwnerID: optionalID(s.OwnerID),
		QuotaPercentage: Ratio(s.Part), AmountDue: Money(s.Amount),
		CreatedAt: Instant(s.CreatedAt),
	}
}

// toDistributions are the shares that the caller sees: an owner his own.
func toDistributions(shares []queries.Share, seen sight) []distributionBody {
	bodies := []distributionBody{}
	for _, share := range shares {
		if seen.owners == nil || share.OwnerID != uuid.Nil && seen.owner(share.OwnerID) {
			bodies = append(bodies, toDistribution(share))
		}
	}
	return bodies
}

func invoiceDistribution(
	ctx context.Context, c *Call, id ID,
) (Answer[[]distributionBody], error) {
	charge, err := c.charge(ctx, id.ID)
	if err != nil {
		return Answer[[]distributionBody]{}, err
	}
	seen, err := c.sight(ctx)
	if err != nil {
		return Answer[[]distributionBody]{}, err
	}
	found, err := c.Queries.ChargeShares(ctx, charge.Item.Row.OrganizationID, id.ID)
	return answerOf(found, toDistributions(found.Item, seen)), err
}

// calculateDistribution shows the distribution that was made at approval: it is never made anew.
func calculateDistribution(
	ctx context.Context, c *Call, id ID, _ None,
) (Answer[[]distributionBody], error) {
	if err := c.writable(ctx); err != nil {
		return Answer[[]distributionBody]{}, err
	}
	charge, err := c.charge(ctx, id.ID)
	if err != nil {
		return Answer[[]distributionBody]{}, err
	}
	if charge.Item.Row.ApprovalStatus != commands.ApprovalApproved {
		return Answer[[]distributionBody]{}, refuse(Code(commands.CodeNotApproved))
	}
	answer, err := invoiceDistribution(ctx, c, id)
	answer.Position = max(answer.Position, charge.Item.Row.Position)
	return answer, err
}

// dueBody is what an owner owes.
type dueBody struct {
	OwnerID  uuid.UUID `json:"owner_id"`
	TotalDue Money     `json:"total_due"`
}

// ownerInSight finds an owner whom the caller sees, and which of his shares: an auditor those in
// the buildings of his mandates.
func (c *Call) ownerInSight(ctx context.Context, id uuid.UUID) (sight, error) {
	_, err := readOwner(ctx, c, ID{ID: id})
	if err != nil {
		return sight{}, err
	}
	return c.chargeSight(ctx)
}

func ownerDistributions(
	ctx context.Context, c *Call, id ID,
) (Answer[[]distributionBody], error) {
	seen, err := c.ownerInSight(ctx, id.ID)
	if err != nil {
		return Answer[[]distributionBody]{}, err
	}
	found, err := c.Queries.OwnerShares(ctx, c.Organization, id.ID, seen.buildings)
	return answerOf(found, toDistributions(found.Item, sight{})), err
}

func ownerTotalDue(ctx context.Context, c *Call, id ID) (Answer[dueBody], error) {
	seen, err := c.ownerInSight(ctx, id.ID)
	if err != nil {
		return Answer[dueBody]{}, err
	}
	found, err := c.Queries.OwnerDue(ctx, c.Organization, id.ID, seen.buildings)
	return answerOf(found, dueBody{OwnerID: id.ID, TotalDue: Money(found.Item)}), err
}
