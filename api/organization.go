package api

import (
	"context"
	"math"

	"github.com/google/uuid"

	"github.com/koprogo/koprogo/commands"
	"github.com/koprogo/koprogo/eventstore"
	"github.com/koprogo/koprogo/queries"
)

// organizationWords are the REST names of an organization's fields where the domain has others.
var organizationWords = []string{"plan", "subscription_plan"}

// organizationBody is an organization as REST shows it. A plan without limits shows the largest
// number that older clients read.
type organizationBody struct {
	ID               uuid.UUID `json:"id"`
	Name             string    `json:"name"`
	Slug             string    `json:"slug"`
	ContactEmail     string    `json:"contact_email"`
	ContactPhone     string    `json:"contact_phone"`
	SubscriptionPlan string    `json:"subscription_plan"`
	MaxBuildings     int       `json:"max_buildings"`
	MaxUsers         int       `json:"max_users"`
	IsActive         bool      `json:"is_active"`
	CreatedAt        Instant   `json:"created_at"`
	UpdatedAt        Instant   `json:"updated_at"`
}

func toOrganization(o queries.Organization) organizationBody {
	plan := commands.Plans[o.Plan]
	return organizationBody{
		ID: o.ID, Name: o.Name, Slug: o.Slug, ContactEmail: o.ContactEmail,
		ContactPhone: o.ContactPhone, SubscriptionPlan: o.Plan,
		MaxBuildings: shownLimit(plan.Buildings), MaxUsers: shownLimit(plan.Users),
		IsActive: o.IsActive, CreatedAt: Instant(o.CreatedAt), UpdatedAt: Instant(o.UpdatedAt),
	}
}

func shownLimit(places int) int {
	if places == eventstore.Unlimited {
		return math.MaxInt32
	}
	return places
}

type organizationIn struct {
	ID               Field[uuid.UUID] `json:"id" on:"create"`
	Name             Field[string]    `json:"name" required:"true" example:"Syndic du Canal"`
	Slug             Field[string]    `json:"slug" required:"true" example:"syndic-du-canal"`
	ContactEmail     Field[string]    `json:"contact_email" required:"true" example:"contact@example.org"`
	ContactPhone     Field[string]    `json:"contact_phone" example:"+32 2 123 45 67"`
	SubscriptionPlan Field[string]    `json:"subscription_plan" required:"true" enum:"free,starter,professional,enterprise" example:"starter"`
}

func createOrganization(
	ctx context.Context, c *Call, _ None, in organizationIn,
) (Answer[organizationBody], error) {
	id := c.NewID(in.ID)
	outcome, err := c.Commands.FoundOrganization(ctx, c.Asking(id), commands.FoundOrganization{
		OrganizationID: id, ContactID: uuid.Must(uuid.NewV7()), Name: in.Name.Value(),
		Slug: in.Slug.Value(), Plan: in.SubscriptionPlan.Value(),
		ContactEmail: in.ContactEmail.Value(), ContactPhone: in.ContactPhone.Value(),
	})
	if err != nil {
		return Answer[organizationBody]{}, err
	}
	receipt := outcome.Receipt
	if receipt.Replayed { // the key stands in the platform's log; the organization's own began then
		if id, err = resourceID(receipt.Resource); err != nil {
			return Answer[organizationBody]{}, err
		}
		receipt.Organization, receipt.Position = id, 1
	}
	for _, also := range outcome.Also {
		c.fence.answered(also.Organization, also.Position)
	}
	return c.shownOrganization(ctx, id, receipt)
}

// shownOrganization answers a write with the organization as it then is.
func (c *Call) shownOrganization(
	ctx context.Context, id uuid.UUID, receipt eventstore.Receipt,
) (Answer[organizationBody], error) {
	found, err := c.organizationAt(ctx, id, receipt)
	answer := Answer[organizationBody]{
		Body: toOrganization(found), Version: found.Version, Position: receipt.Position,
		Replayed: receipt.Replayed,
	}
	if receipt.Replayed {
		answer.Status = receipt.Status
	}
	return answer, err
}

// organizationAt makes the organization's the log of the call, whose position is answered.
func (c *Call) organizationAt(
	ctx context.Context, id uuid.UUID, receipt eventstore.Receipt,
) (queries.Organization, error) {
	c.Organization = id
	if !receipt.Replayed {
		c.fence.answered(id, receipt.Position)
	}
	return c.Queries.OrganizationAt(ctx, id, receipt.Position)
}

// ofOrganization is the caller as the rules of an organization see him.
func (c *Call) ofOrganization(id uuid.UUID) commands.Caller {
	asking := c.Asking(id)
	asking.Organization = id
	return asking
}

func changeOrganization(
	ctx context.Context, c *Call, id ID, in organizationIn,
) (Answer[organizationBody], error) {
	outcome, err := c.Commands.ChangeOrganization(ctx, c.ofOrganization(id.ID),
		commands.ChangeOrganization{
			OrganizationID: id.ID, Name: in.Name.Change(), Slug: in.Slug.Change(),
			Plan: in.SubscriptionPlan.Change(), ContactEmail: in.ContactEmail.Change(),
			ContactPhone: in.ContactPhone.Change(),
		})
	if err != nil {
		return Answer[organizationBody]{}, err
	}
	for _, also := range outcome.Also {
		c.fence.answered(also.Organization, also.Position)
	}
	return c.shownOrganization(ctx, id.ID, outcome.Receipt)
}

func activateOrganization(
	ctx context.Context, c *Call, id ID, _ None,
) (Answer[organizationBody], error) {
	return decideOrganization(ctx, c, id.ID,
		commands.ReinstateOrganization{OrganizationID: id.ID})
}

func suspendOrganization(
	ctx context.Context, c *Call, id ID, _ None,
) (Answer[organizationBody], error) {
	return decideOrganization(ctx, c, id.ID, commands.SuspendOrganization{OrganizationID: id.ID})
}

func decideOrganization(
	ctx context.Context, c *Call, id uuid.UUID, command commands.Command[commands.Organization],
) (Answer[organizationBody], error) {
	outcome, err := commands.Handle(ctx, c.Commands, c.ofOrganization(id), command)
	if err != nil {
		return Answer[organizationBody]{}, err
	}
	return c.shownOrganization(ctx, id, outcome.Receipt)
}

func readOrganization(ctx context.Context, c *Call, id ID) (Answer[organizationBody], error) {
	found, err := c.Queries.OrganizationByID(ctx, id.ID)
	c.Organization = id.ID
	return answerOf(found, toOrganization(found.Item)).versioned(found.Item.Version), err
}

type organizationFilter struct {
	Q                Field[string] `query:"q"`
	SubscriptionPlan Field[string] `query:"subscription_plan"`
	IsActive         Field[bool]   `query:"is_active"`
}

func listOrganizations(
	ctx context.Context, c *Call, filter organizationFilter, page Page,
) (Listed[organizationBody], error) {
	asked := queries.OrganizationList{
		Q: filter.Q.Value(), Plan: filter.SubscriptionPlan.Value(),
		Page: page.of("subscription_plan", "plan"),
	}
	if filter.IsActive.IsGiven() {
		active := filter.IsActive.Value()
		asked.IsActive = &active
	}
	listed, err := c.Queries.Organizations(ctx, asked)
	return listedAs(listed, toOrganization), err
}
