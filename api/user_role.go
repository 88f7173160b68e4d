package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"

	"github.com/google/uuid"

	"github.com/koprogo/koprogo/commands"
	"github.com/koprogo/koprogo/eventstore"
)

// grantRole gives a user another role.
func grantRole(ctx context.Context, c *Call, id ID, in roleIn) (Answer[userBody], error) {
	if _, err := c.managedUser(ctx, id.ID, false); err != nil {
		return Answer[userBody]{}, err
	}
	offer, err := c.offer(in)
	if err != nil {
		return Answer[userBody]{}, err
	}
	outcome, err := c.Commands.GrantRole(ctx, c.Asking(id.ID), id.ID, offer)
	if err != nil {
		return Answer[userBody]{}, err
	}
	return c.shownUser(ctx, id.ID, receipts(outcome)...)
}

type userRole struct {
	ID     uuid.UUID `path:"id"`
	RoleID uuid.UUID `path:"role_id"`
}

// revokeRole takes a role back, not the last one: a user without roles would be seen by nobody.
func revokeRole(ctx context.Context, c *Call, at userRole) (Answer[None], error) {
	if at.RoleID == c.Caller.RoleID {
		return Answer[None]{}, refuse(CodeOwnAccount)
	}
	found, err := c.managedUser(ctx, at.ID, false)
	if err != nil {
		return Answer[None]{}, err
	}
	if len(found.held) == 1 && found.held[0].ID == at.RoleID {
		return Answer[None]{}, refuse(CodeLastRole)
	}
	outcome, err := c.Commands.RevokeRole(ctx, c.Asking(at.ID), at.ID, at.RoleID, c.scope())
	if err != nil {
		return Answer[None]{}, err
	}
	position, err := c.landed(ctx, receipts(outcome)...)
	return Answer[None]{Position: position, Replayed: outcome.Receipt.Replayed}, err
}

// rolePlan is what makes a user's roles what a PUT says.
type rolePlan struct {
	grant  []commands.RoleOffer
	choose uuid.UUID // a role that is held and becomes the active one
	revoke []uuid.UUID
}

// planRoles compares the roles of a body with those that are held. A role alone replaces the one
// that the user was shown in.
func (c *Call) planRoles(found profile, in userIn, shown uuid.UUID) (rolePlan, error) {
	var plan rolePlan
	if !in.Role.IsGiven() && !in.Roles.IsGiven() {
		if in.Roles.IsCleared() {
			return plan, refuseField("roles", CodeRequired)
		}
		return plan, nil
	}
	wanted, err := c.offers(in)
	if err != nil {
		return plan, err
	}
	if len(wanted) == 0 {
		return plan, refuseField("roles", CodeRequired)
	}
	held := found.within(c.scope()).held
	if !in.Roles.IsGiven() {
		if wanted[0].Organization == uuid.Nil { // a superadmin names none: where the user is
			wanted[0].Organization = found.placeOf(shown)
		}
		held = slices.DeleteFunc(slices.Clone(held), func(role commands.AccountRole) bool {
			return role.ID != shown
		})
	}
	kept := map[uuid.UUID]bool{}
	for _, offer := range wanted {
		at := slices.IndexFunc(found.held, func(role commands.AccountRole) bool {
			return isRole(role, offer)
		})
		if at < 0 {
			plan.grant = append(plan.grant, offer)
			continue
		}
		kept[found.held[at].ID] = true
		if offer.Primary && found.held[at].ID != found.state.Active {
			plan.choose = found.held[at].ID
		}
	}
	for _, role := range held {
		if !kept[role.ID] {
			plan.revoke = append(plan.revoke, role.ID)
		}
	}
	if slices.Contains(plan.revoke, c.Caller.RoleID) {
		return plan, refuse(CodeOwnAccount)
	}
	return plan, nil
}

// isRole tells whether a held role is the one that is offered; a superadmin's is the platform's.
func isRole(role commands.AccountRole, offer commands.RoleOffer) bool {
	return role.Role == offer.Role &&
		(role.Role == commands.RoleSuperadmin || role.Organization == offer.Organization)
}

// placeOf is the organization of a role that the account holds or has held.
func (p profile) placeOf(role uuid.UUID) uuid.UUID {
	for _, known := range p.state.Roles {
		if known.ID == role {
			return known.Organization
		}
	}
	return uuid.Nil
}

// grantRoles gives the roles that are missing; the first append is made on the caller's condition.
// A role that somebody else gave meanwhile is there. It takes back what it gave when one is
// refused.
func (c *Call) grantRoles(
	ctx context.Context, asking *commands.Caller, id uuid.UUID, offers []commands.RoleOffer,
) (done []eventstore.Receipt, granted []uuid.UUID, err error) {
	for _, offer := range offers {
		outcome, err := c.Commands.GrantRole(ctx, *asking, id, offer)
		refused := new(commands.Refused)
		if errors.As(err, &refused) && refused.Code == commands.CodeRoleHeld {
			continue
		}
		if err != nil {
			return done, granted, err
		}
		asking.IfMatch = nil
		done = append(done, receipts(outcome)...)
		for _, role := range outcome.State.Roles {
			if !role.Withdrawn && isRole(role, offer) {
				granted = append(granted, role.ID)
			}
		}
	}
	return done, granted, nil
}

// takeBack revokes roles after a refusal, which it returns. After any other failure nothing is
// certain, and they stay for the repetition.
func (c *Call) takeBack(
	ctx context.Context, id uuid.UUID, granted []uuid.UUID, refusal error,
) error {
	if mapped(refusal, c.route).Status() >= http.StatusInternalServerError {
		return refusal
	}
	for _, role := range granted {
		if _, err := c.Commands.RevokeRole(ctx, c.onPlatform(), id, role, uuid.Nil); err != nil {
			return fmt.Errorf("take back a role after a refusal: %w", err)
		}
	}
	return refusal
}

// replaceRoles makes a held role the active one and takes back those that are not wanted.
func (c *Call) replaceRoles(
	ctx context.Context, id uuid.UUID, plan rolePlan,
) (done []eventstore.Receipt, err error) {
	asking := c.onPlatform()
	if plan.choose != uuid.Nil {
		outcome, err := c.Commands.ChooseRole(ctx, asking,
			commands.ChooseRole{AccountID: id, RoleID: plan.choose})
		if err != nil {
			return done, err
		}
		done = append(done, receipts(outcome)...)
	}
	for _, role := range plan.revoke {
		outcome, err := c.Commands.RevokeRole(ctx, asking, id, role, c.scope())
		if err != nil {
			return done, err
		}
		done = append(done, receipts(outcome)...)
	}
	return done, nil
}

// registered is the answer to POST /auth/register: the user with his invitation, or, where a
// password was given in development mode, signed in.
type registered struct {
	Token        string          `json:"token,omitempty"`
	RefreshToken string          `json:"refresh_token,omitempty"`
	User         userBody        `json:"user"`
	Invitation   *invitationBody `json:"invitation,omitempty"`
}

// registerUser makes a user as POST /users does. The invitation is mailed, and answered too: an
// office may hand it over.
func registerUser(ctx context.Context, c *Call, _ None, in userIn) (Answer[registered], error) {
	id := c.NewID(in.ID)
	outcome, err := c.openAccount(ctx, id, in)
	if err != nil {
		return Answer[registered]{}, err
	}
	has, err := c.Accounts.Credentials.HasPassword(ctx, id)
	if err != nil {
		return Answer[registered]{}, err
	}
	if c.takesPassword(in) && !has {
		if err := c.setPassword(ctx, id, in.Password.Value()); err != nil {
			return Answer[registered]{}, err
		}
	}
	found, err := c.profileOf(ctx, id, noMoment)
	if err != nil {
		return Answer[registered]{}, err
	}
	answer := Answer[registered]{}
	if answer.Body.User, err = c.show(ctx, found.within(c.scope())); err != nil {
		return answer, err
	}
	switch {
	case c.takesPassword(in) && !has:
		signed, err := c.signIn(ctx, found, found.held[0])
		if err != nil {
			return answer, err
		}
		answer.Body.Token, answer.Body.RefreshToken = signed.Body.Token, signed.Body.RefreshToken
	case !has:
		link, err := c.newLink(ctx, id, eventstore.LinkInvitation)
		if err != nil {
			return answer, err
		}
		answer.Body.Invitation = &link
		err = c.Accounts.Post.Take(func(ctx context.Context) (*Mail, error) {
			return c.mailOf(ctx, found, eventstore.LinkInvitation, link)
		})
		if err != nil {
			return answer, err
		}
	}
	answer.Position, err = c.landed(ctx, receipts(outcome)...)
	return answer, err
}
