package commands

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"

	"github.com/koprogo/koprogo/eventstore"
)

// An account stands in the platform's log and its roles in those of the organizations. A request
// that makes a role appends to the platform first, one that takes it back to the organization
// first: at no time does somebody hold a role that the platform does not know of.

// OpenAccount makes a user account and grants it its roles. The same again under the same id
// changes nothing and makes what a crash left out. Where an organization refuses (plan_limit,
// organization_suspended) the account is closed again, its e-mail is free, and the caller gets the
// refusal. Other refusals: wrong fields, id_taken, email_taken, not_found of an organization.
func (a *App) OpenAccount(
	ctx context.Context, caller Caller, c OpenAccount,
) (Outcome[Account], error) {
	home := homeOf(c.Roles)
	last := caller.in(home)
	last.Idempotency = caller.Idempotency
	if receipt, known, err := a.replay(ctx, last); err != nil || known {
		return Outcome[Account]{Receipt: receipt}, err
	}
	for _, offer := range c.Roles {
		if err := a.mayEnlist(ctx, offer.place()); err != nil {
			return Outcome[Account]{}, err
		}
	}
	platform := caller.in(eventstore.Platform)
	if home == eventstore.Platform {
		platform.Idempotency = caller.Idempotency
	}
	opened, err := Handle(ctx, a, platform, &c)
	if err != nil {
		return opened, err
	}
	granted, err := a.grant(ctx, last, c.AccountID, opened.State)
	opened.Also = append(opened.Also, granted...)
	if refusedBy(err) {
		return opened, errors.Join(err, a.abandon(ctx, platform.in(eventstore.Platform),
			c.AccountID, codeOf(err)))
	}
	return opened, err
}

// homeOf is the organization whose log keeps the request's idempotency key: its append is the
// last, so that a refused request leaves no key.
func homeOf(roles []RoleOffer) uuid.UUID {
	for _, offer := range roles {
		if offer.place() != eventstore.Platform {
			return offer.place()
		}
	}
	return eventstore.Platform
}

// mayEnlist refuses an organization that does not stand or is suspended, before anything is
// appended for it.
func (a *App) mayEnlist(ctx context.Context, organization uuid.UUID) error {
	r := a.reader(ctx, organization)
	r.fresh = true
	return r.mayWrite(nil, MemberStream(uuid.Nil))
}

// grant makes the roles that the account was offered and does not hold yet in their organizations;
// the caller's organization comes last and keeps his idempotency key.
func (a *App) grant(
	ctx context.Context, caller Caller, id uuid.UUID, account Account,
) ([]eventstore.Receipt, error) {
	offered := map[uuid.UUID][]AccountRole{}
	var order []uuid.UUID
	for _, role := range account.Roles {
		if role.Withdrawn || role.Organization == eventstore.Platform {
			continue
		}
		if offered[role.Organization] == nil && role.Organization != caller.Organization {
			order = append(order, role.Organization)
		}
		offered[role.Organization] = append(offered[role.Organization], role)
	}
	if offered[caller.Organization] != nil {
		order = append(order, caller.Organization)
	}
	var receipts []eventstore.Receipt
	for _, organization := range order {
		as := caller.in(organization)
		if organization == caller.Organization {
			as.Idempotency = caller.Idempotency
		}
		granted, err := Handle(ctx, a, as, enlist{account: id, roles: offered[organization]})
		if err != nil {
			return receipts, err
		}
		receipts = append(receipts, granted.Receipt)
	}
	return receipts, nil
}

// abandon closes an account whose first roles were refused, and takes back those that were not.
func (a *App) abandon(ctx context.Context, caller Caller, id uuid.UUID, code Code) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), appendFor)
	defer cancel()
	closed, err := Handle(ctx, a, caller, &closeAccount{id: id, reason: string(code)})
	if err == nil {
		_, err = a.dismissAll(ctx, caller, id, closed.State, uuid.Nil)
	}
	if err != nil {
		return fmt.Errorf("close the account again: %w", err)
	}
	return nil
}

// dismissAll takes the account's roles back in the organization named, or in all.
func (a *App) dismissAll(
	ctx context.Context, caller Caller, id uuid.UUID, account Account, only uuid.UUID,
) ([]eventstore.Receipt, error) {
	held := map[uuid.UUID][]uuid.UUID{}
	var order []uuid.UUID
	for _, role := range account.Roles {
		if role.Organization == eventstore.Platform ||
			only != uuid.Nil && role.Organization != only {
			continue
		}
		if held[role.Organization] == nil {
			order = append(order, role.Organization)
		}
		held[role.Organization] = append(held[role.Organization], role.ID)
	}
	var receipts []eventstore.Receipt
	for _, organization := range order {
		dismissed, err := Handle(ctx, a, caller.in(organization),
			dismiss{account: id, roles: held[organization], decided: true})
		if err != nil {
			return receipts, err
		}
		receipts = append(receipts, dismissed.Receipt)
	}
	return receipts, nil
}

// GrantRole offers an account a role and makes it in its organization. Where that one refuses
// (plan_limit, organization_suspended) the offer is withdrawn and the caller gets the refusal.
// Other refusals: wrong fields, not_found, role_held.
func (a *App) GrantRole(
	ctx context.Context, caller Caller, account uuid.UUID, offer RoleOffer,
) (Outcome[Account], error) {
	last := caller.in(offer.place())
	last.Idempotency = caller.Idempotency
	if receipt, known, err := a.replay(ctx, last); err != nil || known {
		return Outcome[Account]{Receipt: receipt}, err
	}
	if err := a.mayEnlist(ctx, offer.place()); err != nil {
		return Outcome[Account]{}, err
	}
	platform := caller.in(eventstore.Platform)
	platform.IfMatch = caller.IfMatch
	if offer.place() == eventstore.Platform {
		platform.Idempotency = caller.Idempotency
	}
	offered, err := a.offer(ctx, platform, account, &offer)
	if err != nil {
		return offered, err
	}
	granted, err := a.grant(ctx, last, account, offered.State)
	offered.Also = append(offered.Also, granted...)
	if refusedBy(err) {
		undo := &withdrawRoles{id: account, roles: []uuid.UUID{offer.ID}}
		_, undone := Handle(ctx, a, caller.in(eventstore.Platform), undo)
		return offered, errors.Join(err, undone)
	}
	return offered, err
}

// offer is the half of a grant in the platform's log. A role that was offered, and that its
// organization has neither granted nor refused because a crash came between, is offered once: it
// is granted under the id that it has.
func (a *App) offer(
	ctx context.Context, platform Caller, account uuid.UUID, offer *RoleOffer,
) (Outcome[Account], error) {
	offered, err := Handle(ctx, a, platform, offerRole{account, *offer})
	if codeOf(err) != CodeRoleHeld {
		return offered, err
	}
	state, unread := a.account(ctx, account)
	if unread != nil {
		return offered, unread
	}
	for _, role := range state.Roles {
		if !offer.is(role) || role.Organization == eventstore.Platform {
			continue
		}
		member, unread := a.Member(ctx, role.Organization, account)
		if unread != nil {
			return offered, unread
		}
		if _, held := member.Roles[role.ID]; held || member.Ended[role.ID] {
			return offered, err
		}
		offer.ID = role.ID
		if offer.Primary {
			return Handle(ctx, a, platform, ChooseRole{account, role.ID})
		}
		return Outcome[Account]{State: state}, nil
	}
	return offered, err
}

// RevokeRole takes a role back. With an organization named, a role elsewhere is not_found. The
// last superadmin's is refused (last_superadmin).
func (a *App) RevokeRole(
	ctx context.Context, caller Caller, id, role, organization uuid.UUID,
) (Outcome[Account], error) {
	platform := caller.in(eventstore.Platform)
	platform.IfMatch, platform.Idempotency = caller.IfMatch, caller.Idempotency
	if receipt, known, err := a.replay(ctx, platform); err != nil || known {
		return Outcome[Account]{Receipt: receipt}, err
	}
	account, err := a.account(ctx, id)
	if err != nil {
		return Outcome[Account]{}, err
	}
	held, has := account.Role(role)
	if !has || organization != uuid.Nil && held.Organization != organization {
		return Outcome[Account]{}, notFound("role")
	}
	return a.leave(ctx, caller, platform, id, held.Organization, []uuid.UUID{role})
}

// CloseAccount ends an account: it signs in no more, its e-mail and its places in the plans are
// free. With an organization named, only what it holds there ends, and the account with it when
// nothing else is left. The last superadmin's is refused (last_superadmin).
func (a *App) CloseAccount(
	ctx context.Context, caller Caller, id, organization uuid.UUID,
) (Outcome[Account], error) {
	platform := caller.in(eventstore.Platform)
	platform.IfMatch, platform.Idempotency = caller.IfMatch, caller.Idempotency
	if receipt, known, err := a.replay(ctx, platform); err != nil || known {
		return Outcome[Account]{Receipt: receipt}, err
	}
	account, err := a.account(ctx, id)
	if err != nil {
		return Outcome[Account]{}, err
	}
	here, elsewhere := account.rolesIn(organization)
	if organization != uuid.Nil && len(here) == 0 {
		return Outcome[Account]{}, notFound("account")
	}
	if organization != uuid.Nil && elsewhere {
		return a.leave(ctx, caller, platform, id, organization, here)
	}
	closed, err := Handle(ctx, a, platform, &closeAccount{id: id, reason: "deleted"})
	if err != nil {
		return closed, err
	}
	closed.Also, err = a.dismissAll(ctx, caller, id, closed.State, uuid.Nil)
	return closed, err
}

// leave takes back the roles that an account holds in one place: there first, then on the platform,
// which is where it may be refused.
func (a *App) leave(
	ctx context.Context, caller, platform Caller, id, organization uuid.UUID, roles []uuid.UUID,
) (Outcome[Account], error) {
	withdraw := &withdrawRoles{id: id, roles: roles}
	if err := Preview(ctx, a, platform, withdraw); err != nil {
		return Outcome[Account]{}, err
	}
	var also []eventstore.Receipt
	if organization != eventstore.Platform {
		dismissed, err := Handle(ctx, a, caller.in(organization),
			dismiss{account: id, roles: roles})
		if err != nil {
			return Outcome[Account]{}, err
		}
		also = append(also, dismissed.Receipt)
	}
	withdrawn, err := Handle(ctx, a, platform, withdraw)
	withdrawn.Also = append(withdrawn.Also, also...)
	return withdrawn, err
}

// rolesIn are the account's roles in the organization, and whether there are others.
func (a Account) rolesIn(organization uuid.UUID) (here []uuid.UUID, elsewhere bool) {
	for _, role := range a.Roles {
		switch {
		case role.Withdrawn:
		case role.Organization == organization:
			here = append(here, role.ID)
		default:
			elsewhere = true
		}
	}
	return here, elsewhere
}

// ChooseRole makes a role the active one. A role that its organization has not granted, or has
// taken back, is role_not_held.
func (a *App) ChooseRole(
	ctx context.Context, caller Caller, c ChooseRole,
) (Outcome[Account], error) {
	account, err := a.account(ctx, c.AccountID)
	if err != nil {
		return Outcome[Account]{}, err
	}
	role, has := account.Role(c.RoleID)
	if has && role.Organization != eventstore.Platform {
		member, err := a.Member(ctx, role.Organization, c.AccountID)
		if err != nil {
			return Outcome[Account]{}, err
		}
		if _, held := member.Roles[c.RoleID]; !held {
			return Outcome[Account]{}, refuse(CodeRoleNotHeld, "the role is not held")
		}
	}
	platform := caller.in(eventstore.Platform)
	platform.IfMatch, platform.Idempotency = caller.IfMatch, caller.Idempotency
	return Handle(ctx, a, platform, c)
}

// Account is the account's present state, from the platform's log; the zero value for none.
func (a *App) Account(ctx context.Context, id uuid.UUID) (Account, error) {
	r := a.reader(ctx, eventstore.Platform)
	r.fresh = true
	return Load[Account](r, AccountStream(id))
}

// account is one that stands.
func (a *App) account(ctx context.Context, id uuid.UUID) (Account, error) {
	account, err := a.Account(ctx, id)
	if err == nil && !account.Stands() {
		err = notFound("account")
	}
	return account, err
}

// Member is what the organization's log knows of the account at present.
func (a *App) Member(ctx context.Context, organization, account uuid.UUID) (Member, error) {
	r := a.reader(ctx, organization)
	r.fresh = true
	return Load[Member](r, MemberStream(account))
}

// Organization is the organization's present state, from its own log.
func (a *App) Organization(ctx context.Context, id uuid.UUID) (Organization, error) {
	r := a.reader(ctx, id)
	r.fresh = true
	return Load[Organization](r, OrganizationStream(id))
}

func codeOf(err error) Code {
	var refused *Refused
	if errors.As(err, &refused) {
		return refused.Code
	}
	return ""
}
