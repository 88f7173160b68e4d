package api

import (
	"context"
	"slices"

	"github.com/google/uuid"

	"github.com/koprogo/koprogo/commands"
	"github.com/koprogo/koprogo/events"
	"github.com/koprogo/koprogo/queries"
)

// mandateBody limits what an auditor reads; without any he reads the whole organization.
type mandateBody struct {
	ID          uuid.UUID   `json:"id"`
	UserID      uuid.UUID   `json:"user_id"`
	BuildingIDs []uuid.UUID `json:"building_ids"`
	From        Date        `json:"from"`
	To          Date        `json:"to"`
}

type mandateIn struct {
	ID          Field[uuid.UUID]   `json:"id" on:"create"`
	BuildingIDs Field[[]uuid.UUID] `json:"building_ids" required:"true" maxItems:"100"`
	From        Field[Date]        `json:"from" required:"true"`
	To          Field[Date]        `json:"to" required:"true"`
}

// mandateWords are the REST names of a mandate's fields where the domain has others.
var mandateWords = []string{"buildings", "building_ids"}

// auditing finds a user and the organization of his mandates: the caller's; for a superadmin the
// one that he names, or the only one in which the user is an auditor.
func (c *Call) auditing(ctx context.Context, user uuid.UUID) (uuid.UUID, error) {
	found, err := c.managed(ctx, user)
	if err != nil {
		return uuid.Nil, err
	}
	if c.Organization != uuid.Nil {
		if len(found.within(c.Organization).held) == 0 {
			return uuid.Nil, notFound("user")
		}
		return c.Organization, nil
	}
	var audited []uuid.UUID
	for _, role := range found.held {
		if role.Role == commands.RoleAuditor {
			audited = append(audited, role.Organization)
		}
	}
	if len(audited) != 1 {
		return uuid.Nil, refuse(CodeOrganizationRequired)
	}
	return audited[0], nil
}

func giveMandate(
	ctx context.Context, c *Call, user ID, in mandateIn,
) (Answer[mandateBody], error) {
	organization, err := c.auditing(ctx, user.ID)
	if err != nil {
		return Answer[mandateBody]{}, err
	}
	zone, err := events.Zone(mandateZone)
	if err != nil {
		return Answer[mandateBody]{}, err
	}
	id := c.NewID(in.ID)
	c.Organization = organization
	given := events.MemberMandateGiven{
		MandateID: id, Buildings: in.BuildingIDs.Value(), From: in.From.Value().In(zone),
		To: in.To.Value().In(zone),
	}
	outcome, err := commands.Handle(ctx, c.Commands, c.Asking(id), &commands.GiveMandate{
		AccountID: user.ID, MandateID: id, Buildings: given.Buildings, From: given.From,
		To: given.To,
	})
	if err != nil {
		return Answer[mandateBody]{}, err
	}
	receipt := outcome.Receipt
	c.answered(receipt)
	answer := Answer[mandateBody]{Position: receipt.Position, Replayed: receipt.Replayed}
	if receipt.Replayed {
		page, err := c.Store.Read(ctx, receipt.Organization, receipt.Position-1, 1)
		if err != nil {
			return answer, err
		}
		if first, ok := page[0].Event.(events.MemberMandateGiven); ok {
			given = first
		}
		answer.Status = receipt.Status
	}
	answer.Body = toMandate(queries.Mandate{
		ID: given.MandateID, Account: user.ID, Buildings: given.Buildings, From: given.From,
		To: given.To,
	})
	return answer, nil
}

func toMandate(m queries.Mandate) mandateBody {
	return mandateBody{
		ID: m.ID, UserID: m.Account, BuildingIDs: slices.Clone(m.Buildings),
		From: DayDate(m.From), To: DayDate(m.To),
	}
}

// listMandates lists an auditor's mandates, oldest first.
func listMandates(ctx context.Context, c *Call, user ID) (Answer[[]mandateBody], error) {
	organization, err := c.auditing(ctx, user.ID)
	if err != nil {
		return Answer[[]mandateBody]{}, err
	}
	c.Organization = organization
	mandates, err := c.Queries.Mandates(ctx, organization, user.ID)
	bodies := make([]mandateBody, len(mandates))
	for i, mandate := range mandates {
		bodies[i] = toMandate(mandate)
	}
	return Answer[[]mandateBody]{Body: bodies}, err
}

type userMandate struct {
	ID        uuid.UUID `path:"id"`
	MandateID uuid.UUID `path:"mandate_id"`
}

func endMandate(ctx context.Context, c *Call, at userMandate) (Answer[None], error) {
	organization, err := c.auditing(ctx, at.ID)
	if err != nil {
		return Answer[None]{}, err
	}
	c.Organization = organization
	return discard(ctx, c, at.MandateID,
		commands.EndMandate{AccountID: at.ID, MandateID: at.MandateID})
}
