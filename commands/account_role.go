package commands

import (
	"slices"

	"github.com/google/uuid"

	"github.com/koprogo/koprogo/events"
)

// RoleOffer is a role that an account is to hold.
type RoleOffer struct {
	ID           uuid.UUID // a new one
	Role         string
	Organization uuid.UUID // not used for a superadmin's
	Primary      bool      // to be the active one
}

// place is the organization that the role is of: the platform for a superadmin's.
func (o RoleOffer) place() uuid.UUID {
	if o.Role == RoleSuperadmin {
		return uuid.Nil
	}
	return o.Organization
}

func (c *check) role(offer RoleOffer) {
	c.among("role", offer.Role, append([]string{RoleSuperadmin}, organizationRoles...)...)
	if offer.Role != RoleSuperadmin && offer.Organization == uuid.Nil {
		c.refuse("organization_id", CodeRequired, "the role is held in an organization")
	}
}

const maxRoles = 100 // of one account, withdrawn ones left out

// OpenAccount makes a user account and offers it its roles.
type OpenAccount struct {
	AccountID uuid.UUID
	Email     string
	FirstName string
	LastName  string
	Roles     []RoleOffer

	was [3]string // of the account that was opened under this id before
}

// Stream is the account's.
func (c *OpenAccount) Stream() events.Stream { return AccountStream(c.AccountID) }

// Read opens the profile of an account that has the id, to tell a repetition from another person.
func (c *OpenAccount) Read(r *Reader) error {
	if _, err := Load[Member](r, MemberStream(c.AccountID)); err != nil {
		return err
	}
	account, err := Load[Account](r, c.Stream())
	if err != nil || !account.Stands() {
		return err
	}
	first := account.First
	texts, err := r.OpenAll(first.Email, first.FirstName, first.LastName)
	if err != nil {
		return err
	}
	copy(c.was[:], texts)
	return nil
}

// Decide refuses wrong fields and an id that belongs to another account or to a closed one.
func (c *OpenAccount) Decide(a Account) ([]events.Event, error) {
	check := &check{}
	check.id(c.AccountID)
	wanted := [3]string{
		check.email("email", c.Email),
		check.name("first_name", c.FirstName),
		check.name("last_name", c.LastName),
	}
	if len(c.Roles) > maxRoles {
		check.refuse("roles", CodeTooMany, "there are too many roles", "max", "100")
	}
	for _, offer := range c.Roles {
		check.role(offer)
	}
	if err := check.err(); err != nil {
		return nil, err
	}
	if a.ID != uuid.Nil {
		if a.Closed || wanted != c.was || !c.offered(a) {
			return nil, idTaken("account")
		}
		return nil, nil
	}
	happened := []events.Event{events.AccountOpened{
		AccountID: c.AccountID, Email: events.PersonalText(wanted[0]),
		FirstName: events.PersonalText(wanted[1]), LastName: events.PersonalText(wanted[2]),
	}}
	return append(happened, offers(c.AccountID, Account{}, c.Roles)...), nil
}

// offered tells whether the account was offered the same roles at some time.
func (c *OpenAccount) offered(a Account) bool {
	return !slices.ContainsFunc(c.Roles, func(offer RoleOffer) bool {
		return !slices.ContainsFunc(a.Roles, func(role AccountRole) bool {
			return role.Role == offer.Role && role.Organization == offer.place()
		})
	})
}

// offers are the facts by which the account gets the roles that it has not, and the active one:
// the one that is to be primary, or the first that the account ever has.
func offers(account uuid.UUID, a Account, roles []RoleOffer) []events.Event {
	var happened []events.Event
	active, chosen := a.Active, a.Active
	for _, offer := range roles {
		if has(a, offer) {
			continue
		}
		fact := events.AccountRoleOffered{
			RoleID: offer.ID, Role: offer.Role, OrganizationID: offer.place(),
		}
		a = a.Evolve(fact)
		happened = append(happened, fact)
		if offer.place() == uuid.Nil {
			happened = append(happened, onPlatform(account, events.MemberRoleGranted{
				RoleID: offer.ID, Role: offer.Role,
			}))
		}
		if chosen == uuid.Nil || offer.Primary {
			chosen = offer.ID
		}
	}
	if chosen != active {
		happened = append(happened, events.AccountRoleChosen{RoleID: chosen})
	}
	return happened
}

func has(a Account, offer RoleOffer) bool { return slices.ContainsFunc(a.Roles, offer.is) }

// is tells whether a role of the account's list is the one that is offered.
func (o RoleOffer) is(role AccountRole) bool {
	return !role.Withdrawn && role.Role == o.Role && role.Organization == o.place()
}

// offerRole is the half of GrantRole in the platform's log.
type offerRole struct {
	id    uuid.UUID
	offer RoleOffer
}

func (c offerRole) Stream() events.Stream { return AccountStream(c.id) }

func (c offerRole) Read(r *Reader) error {
	_, err := Load[Member](r, MemberStream(c.id))
	return err
}

func (c offerRole) Decide(a Account) ([]events.Event, error) {
	if !a.Stands() {
		return nil, notFound("account")
	}
	check := &check{}
	check.role(c.offer)
	if err := check.err(); err != nil {
		return nil, err
	}
	if has(a, c.offer) {
		return nil, refuse(CodeRoleHeld, "the account holds this role already")
	}
	if len(a.Roles) >= maxRoles && countHeld(a) >= maxRoles {
		return nil, refuse(CodeTooMany, "the account has too many roles", "max", "100")
	}
	return offers(c.id, a, []RoleOffer{c.offer}), nil
}

func countHeld(a Account) (n int) {
	for _, role := range a.Roles {
		if !role.Withdrawn {
			n++
		}
	}
	return n
}

// withdrawRoles takes roles off the account's list. When the active one goes, the first of those
// left becomes active.
type withdrawRoles struct {
	id    uuid.UUID
	roles []uuid.UUID
	evidence
}

func (c *withdrawRoles) Stream() events.Stream { return AccountStream(c.id) }
func (c *withdrawRoles) Read(r *Reader) error  { return c.gather(r, c.id) }

func (c *withdrawRoles) Decide(a Account) ([]events.Event, error) {
	if !a.Stands() {
		return nil, notFound("account")
	}
	was := a.Superadmin()
	active := a.Active
	var happened []events.Event
	for _, id := range c.roles {
		role, has := a.Role(id)
		if !has {
			continue
		}
		if role.Organization == uuid.Nil {
			happened = append(happened, onPlatform(c.id, events.MemberRoleRevoked{RoleID: id}))
		}
		fact := events.AccountRoleWithdrawn{RoleID: id}
		a = a.Evolve(fact)
		happened = append(happened, fact)
	}
	if was && !a.Superadmin() && !c.another {
		return nil, lastSuperadmin()
	}
	if a.Active == active {
		return happened, nil
	}
	for _, role := range a.Roles {
		if !role.Withdrawn {
			return append(happened, events.AccountRoleChosen{RoleID: role.ID}), nil
		}
	}
	return happened, nil
}
