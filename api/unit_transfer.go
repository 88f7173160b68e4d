package api

import (
	"context"

	"github.com/google/uuid"

	"github.com/koprogo/koprogo/commands"
	"github.com/koprogo/koprogo/queries"
)

type unitOwnerPath struct {
	ID      uuid.UUID   `path:"id"`
	OwnerID uuid.UUID   `path:"owner_id"`
	From    Field[Date] `query:"from"`
}

func assignOwner(
	ctx context.Context, c *Call, path unitOwnerPath, _ None,
) (Answer[unitBody], error) {
	lot, err := c.onUnit(ctx, path.ID)
	if err != nil {
		return Answer[unitBody]{}, err
	}
	from, err := c.dayThere(ctx, lot.BuildingID, path.From)
	if err != nil {
		return Answer[unitBody]{}, err
	}
	return decide(ctx, c, path.ID, commands.AssignOwner{
		OnLot: lot, OwnershipID: uuid.Must(uuid.NewV7()), OwnerID: path.OwnerID, From: from,
	}, readUnit)
}

type unitOwnerEnd struct {
	ID      uuid.UUID     `path:"id"`
	OwnerID uuid.UUID     `path:"owner_id"`
	To      Field[Date]   `query:"to" doc:"Last day of the ownership; yesterday"`
	Right   Field[string] `query:"right" enum:"full,usufruct,bare"`
}

func endUnitOwner(
	ctx context.Context, c *Call, path unitOwnerEnd,
) (Answer[relationBody], error) {
	lot, err := c.onUnit(ctx, path.ID)
	if err != nil {
		return Answer[relationBody]{}, err
	}
	to, err := c.dayThere(ctx, lot.BuildingID, path.To)
	if err != nil {
		return Answer[relationBody]{}, err
	}
	return decide(ctx, c, path.ID, commands.EndOwnership{
		OnLot: lot, OwnerID: path.OwnerID, Right: path.Right.Value(), To: to,
	}, func(ctx context.Context, c *Call, unit ID) (Answer[relationBody], error) {
		found, err := c.Queries.LotOwnerships(ctx, c.Organization, unit.ID, c.AsOf.moment())
		if err != nil {
			return Answer[relationBody]{}, err
		}
		ended := movedLast(found.Item, path.OwnerID)
		if ended == nil {
			return Answer[relationBody]{}, queries.ErrNotFound
		}
		return answerOf(found, toRelation(*ended)).versioned(ended.Row.Version), nil
	})
}

// movedLast is the ownership of an owner that changed last; nil where he never had one.
func movedLast(of []queries.Ownership, owner uuid.UUID) *queries.Ownership {
	var last *queries.Ownership
	for i := range of {
		if of[i].Row.OwnerID == owner &&
			(last == nil || of[i].Row.Position > last.Row.Position) {
			last = &of[i]
		}
	}
	return last
}

type transferIn struct {
	FromOwnerID   Field[uuid.UUID] `json:"from_owner_id" required:"true"`
	ToOwnerID     Field[uuid.UUID] `json:"to_owner_id" required:"true"`
	Fraction      Field[Fraction]  `json:"fraction" doc:"Of the unit; all that the seller holds"`
	On            Field[Date]      `json:"on" doc:"The buyer's first day; today"`
	DeedReference Field[string]    `json:"deed_reference"`
	Right         Field[string]    `json:"right" enum:"full,usufruct,bare"`
}

// transferBody is what a transfer led to. The seller's relation goes on where he keeps a part.
type transferBody struct {
	EndedRelationship relationBody `json:"ended_relationship"`
	NewRelationship   relationBody `json:"new_relationship"`
}

func transferUnit(
	ctx context.Context, c *Call, unit ID, in transferIn,
) (Answer[transferBody], error) {
	lot, err := c.onUnit(ctx, unit.ID)
	if err != nil {
		return Answer[transferBody]{}, err
	}
	on, err := c.dayThere(ctx, lot.BuildingID, in.On)
	if err != nil {
		return Answer[transferBody]{}, err
	}
	return decide(ctx, c, unit.ID, commands.TransferOwnership{
		OnLot: lot, OwnershipID: uuid.Must(uuid.NewV7()), FromOwner: in.FromOwnerID.Value(),
		ToOwner: in.ToOwnerID.Value(), Right: in.Right.Value(),
		Fraction: changeOf(in.Fraction, exactFraction), On: on,
		DeedReference: in.DeedReference.Value(),
	}, func(ctx context.Context, c *Call, unit ID) (Answer[transferBody], error) {
		found, err := c.Queries.LotOwnerships(ctx, c.Organization, unit.ID, c.AsOf.moment())
		if err != nil {
			return Answer[transferBody]{}, err
		}
		ended := movedLast(found.Item, in.FromOwnerID.Value())
		begun := movedLast(found.Item, in.ToOwnerID.Value())
		if ended == nil || begun == nil {
			return Answer[transferBody]{}, queries.ErrNotFound
		}
		return answerOf(found, transferBody{toRelation(*ended), toRelation(*begun)}), nil
	})
}
