package api

import (
	"context"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/koprogo/koprogo/commands"
	"github.com/koprogo/koprogo/events"
	"github.com/koprogo/koprogo/eventstore"
)

// userBody is a user account as REST shows it.
type userBody struct {
	ID                   uuid.UUID  `json:"id"`
	Email                string     `json:"email"`
	FirstName            string     `json:"first_name"`
	LastName             string     `json:"last_name"`
	Role                 string     `json:"role"`
	OrganizationID       *uuid.UUID `json:"organization_id" nullable:"true"`
	IsActive             bool       `json:"is_active"`
	ProcessingRestricted bool       `json:"processing_restricted"`
	MarketingOptOut      bool       `json:"marketing_opt_out"`
	CreatedAt            Instant    `json:"created_at"`
	Roles                []roleBody `json:"roles"`
	ActiveRole           *roleBody  `json:"active_role"`
}

// roleBody is a role that the account holds.
type roleBody struct {
	ID             uuid.UUID  `json:"id"`
	Role           string     `json:"role"`
	OrganizationID *uuid.UUID `json:"organization_id" nullable:"true"`
	IsPrimary      bool       `json:"is_primary"`
}

// profile is an account as the logs have it, at present or at an earlier moment. The list of
// users comes from the read models; one user is folded from its streams, so that signing in and
// what follows a change of roles never waits for them.
type profile struct {
	id      uuid.UUID
	state   commands.Account
	held    []commands.AccountRole // what the organizations' own logs grant, the active one first
	created time.Time
	version int64
}

// profileOf folds the account's streams as they were recorded by a moment, the zero time being
// now. An account that does not stand, or holds no role, is not found.
func (c *Call) profileOf(ctx context.Context, id uuid.UUID, by time.Time) (profile, error) {
	found := profile{id: id}
	err := c.Store.Load(ctx, eventstore.Platform, commands.AccountStream(id), 0,
		func(recorded eventstore.Recorded) error {
			if !by.IsZero() && recorded.RecordedAt.After(by) {
				return nil
			}
			if found.version == 0 {
				found.created = recorded.RecordedAt
			}
			found.state, found.version = found.state.Evolve(recorded.Event), recorded.Version
			return nil
		})
	if err != nil {
		return found, err
	}
	if !found.state.Stands() {
		return found, notFound("user")
	}
	found.held, err = c.heldRoles(ctx, id, found.state, by)
	if err == nil && len(found.held) == 0 {
		err = notFound("user")
	}
	return found, err
}

// keptProfile is a profile as a look found it.
type keptProfile struct {
	look
	profile
}

// profilesKept is of how many accounts.
const profilesKept = 2_000

// ownProfile is profileOf the caller. It is taken from memory for as long as a look at his standing
// counts, but not for who asks to see what another server answered.
func (c *Call) ownProfile(ctx context.Context) (profile, error) {
	s, id := c.Accounts.Sessions, c.Caller.Account
	if kept, found := s.profiles.Get(id); found && c.least == 0 && s.current(&kept.look) {
		return kept.profile, nil
	}
	made := &keptProfile{look: look{
		looked: s.now(), seen: []seenStream{s.see(eventstore.Platform, commands.AccountStream(id))},
	}}
	account, err := c.Commands.Account(ctx, id)
	if err != nil {
		return profile{}, err
	}
	for _, role := range account.Roles {
		if !role.Withdrawn && role.Organization != eventstore.Platform {
			made.seen = append(made.seen, s.see(role.Organization, commands.MemberStream(id)))
		}
	}
	if made.profile, err = c.profileOf(ctx, id, noMoment); err == nil {
		s.profiles.Add(id, made)
	}
	return made.profile, err
}

// heldRoles are the roles of the account's list that their organizations' own logs grant, the
// active one first.
func (c *Call) heldRoles(
	ctx context.Context, id uuid.UUID, account commands.Account, by time.Time,
) ([]commands.AccountRole, error) {
	members := map[uuid.UUID]commands.Member{}
	var held []commands.AccountRole
	for _, role := range account.Roles {
		if role.Withdrawn {
			continue
		}
		member, known := members[role.Organization]
		if !known && role.Organization != eventstore.Platform {
			var err error
			if member, err = c.memberAt(ctx, role.Organization, id, by); err != nil {
				return nil, err
			}
			members[role.Organization] = member
		}
		if role.Organization == eventstore.Platform || member.Roles[role.ID] == role.Role {
			held = append(held, role)
		}
	}
	slices.SortStableFunc(held, func(a, b commands.AccountRole) int {
		switch account.Active {
		case a.ID:
			return -1
		case b.ID:
			return 1
		}
		return 0
	})
	return held, nil
}

func (c *Call) memberAt(
	ctx context.Context, organization, account uuid.UUID, by time.Time,
) (commands.Member, error) {
	if by.IsZero() {
		return c.Commands.Member(ctx, organization, account)
	}
	var member commands.Member
	err := c.Store.Load(ctx, organization, commands.MemberStream(account), 0,
		func(recorded eventstore.Recorded) error {
			if !recorded.RecordedAt.After(by) {
				member = member.Evolve(recorded.Event)
			}
			return nil
		})
	return member, err
}

// within leaves the roles that one organization grants; its managers see no other. Nil leaves all.
func (p profile) within(organization uuid.UUID) profile {
	if organization != uuid.Nil {
		p.held = slices.DeleteFunc(slices.Clone(p.held), func(role commands.AccountRole) bool {
			return role.Organization != organization
		})
	}
	return p
}

// shared tells whether the account holds roles outside the organization.
func (p profile) shared(organization uuid.UUID) bool {
	return slices.ContainsFunc(p.held, func(role commands.AccountRole) bool {
		return role.Organization != organization
	})
}

// show opens the person's texts. It returns eventstore.ErrErased where they are gone.
func (c *Call) show(ctx context.Context, p profile) (userBody, error) {
	texts := [3]string{}
	for i, value := range []events.Personal{p.state.Email, p.state.FirstName, p.state.LastName} {
		var err error
		if texts[i], err = c.Store.Keyring().Open(ctx, eventstore.Platform, value); err != nil {
			return userBody{}, err
		}
	}
	body := userBody{
		ID: p.id, Email: texts[0], FirstName: texts[1], LastName: texts[2],
		IsActive: !p.state.Deactivated, CreatedAt: Instant(p.created), Roles: []roleBody{},
	}
	for _, role := range p.held {
		body.addRole(role.ID, role.Role, role.Organization, role.ID == p.state.Active)
	}
	return body, nil
}

// addRole adds a role; the first one added is the one that the user is shown in.
func (u *userBody) addRole(id uuid.UUID, role string, organization uuid.UUID, active bool) {
	shown := roleBody{ID: id, Role: role, OrganizationID: optionalID(organization), IsPrimary: active}
	u.Roles = append(u.Roles, shown)
	if len(u.Roles) == 1 || active {
		u.Role, u.OrganizationID = role, shown.OrganizationID
	}
	if active {
		u.ActiveRole = &shown
	}
}

func optionalID(id uuid.UUID) *uuid.UUID {
	if id == uuid.Nil {
		return nil
	}
	return &id
}

// noteAccess records that the caller read a person's data, unless it is his own.
func (c *Call) noteAccess(ctx context.Context, resource string, people ...uuid.UUID) error {
	return c.Accounts.Access.Note(ctx, c.accessTo(resource, people...)...)
}

// accessTo is what is recorded of it.
func (c *Call) accessTo(resource string, people ...uuid.UUID) []eventstore.Access {
	var read []eventstore.Access
	for _, person := range people {
		if person == c.Caller.Account || person == uuid.Nil {
			continue
		}
		read = append(read, eventstore.Access{
			Organization: c.Organization, Actor: c.Caller.Account,
			Role: c.Caller.Role.String(), Subject: person, Resource: resource + "/" + person.String(),
			RequestID: c.RequestID, At: c.Now,
		})
	}
	return read
}
