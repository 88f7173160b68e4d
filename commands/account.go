package commands

import (
	"slices"

	"github.com/google/uuid"

	"github.com/koprogo/koprogo/events"
	"github.com/koprogo/koprogo/eventstore"
)

// The roles that an account may hold.
const (
	RoleSuperadmin = "superadmin" // of the platform; the others are held in an organization
	RoleSyndic     = "syndic"
	RoleAccountant = "accountant"
	RoleAuditor    = "auditor"
	RoleOwner      = "owner"
)

var organizationRoles = []string{RoleSyndic, RoleAccountant, RoleAuditor, RoleOwner}

// AccountRole is a role that the platform's log offers the account. It is held once the log of its
// organization says so (Member); one of the platform is held at once, by the same append.
type AccountRole struct {
	ID           uuid.UUID
	Role         string
	Organization uuid.UUID // nil: the platform
	Withdrawn    bool
}

// Account is what the rules of a user account ask. Personal texts are sealed.
type Account struct {
	ID          uuid.UUID // nil while it was never opened
	Email       events.Personal
	FirstName   events.Personal
	LastName    events.Personal
	First       events.AccountOpened // as it was opened
	Roles       []AccountRole        // withdrawn ones too, in the order they were offered
	Active      uuid.UUID            // the role that is active; nil for none
	Deactivated bool
	Closed      bool
	ClosedFor   string
	TwoFactor   bool
}

// Stands tells whether the account was opened and is not closed.
func (a Account) Stands() bool { return a.ID != uuid.Nil && !a.Closed }

// Role finds one of the account's roles that was not withdrawn.
func (a Account) Role(id uuid.UUID) (AccountRole, bool) {
	for _, role := range a.Roles {
		if role.ID == id && !role.Withdrawn {
			return role, true
		}
	}
	return AccountRole{}, false
}

// Superadmin tells whether the account administers the platform and may sign in.
func (a Account) Superadmin() bool { return a.Stands() && !a.Deactivated && a.administers() }

func (a Account) administers() bool {
	return slices.ContainsFunc(a.Roles, func(role AccountRole) bool {
		return role.Role == RoleSuperadmin && !role.Withdrawn
	})
}

// Evolve folds one fact.
func (a Account) Evolve(event events.Event) Account {
	switch e := event.(type) {
	case events.AccountOpened:
		a.ID, a.First = e.AccountID, e
		a.Email, a.FirstName, a.LastName = e.Email, e.FirstName, e.LastName
	case events.AccountProfileCorrected:
		a.Email, a.FirstName, a.LastName = e.Email, e.FirstName, e.LastName
	case events.AccountRoleOffered:
		a.Roles = append(slices.Clone(a.Roles), AccountRole{
			ID: e.RoleID, Role: e.Role, Organization: e.OrganizationID,
		})
	case events.AccountRoleWithdrawn:
		a.Roles = slices.Clone(a.Roles)
		for i := range a.Roles {
			if a.Roles[i].ID == e.RoleID {
				a.Roles[i].Withdrawn = true
			}
		}
		if a.Active == e.RoleID {
			a.Active = uuid.Nil
		}
	case events.AccountRoleChosen:
		a.Active = e.RoleID
	case events.AccountDeactivated:
		a.Deactivated = true
	case events.AccountActivated:
		a.Deactivated = false
	case events.AccountClosed:
		a.Closed, a.ClosedFor = true, e.Reason
	case events.AccountTwoFactorEnabled:
		a.TwoFactor = true
	case events.AccountTwoFactorDisabled:
		a.TwoFactor = false
	}
	return a
}

// Claims is the e-mail address, one account's over the whole platform.
func (a Account) Claims() []eventstore.Claim {
	if !a.Stands() {
		return nil
	}
	return []eventstore.Claim{{Kind: claimEmail, Personal: a.Email, Subject: a.ID}}
}

// CorrectProfile changes how a person is called and reached.
type CorrectProfile struct {
	AccountID uuid.UUID
	Email     Change[string]
	FirstName Change[string]
	LastName  Change[string]

	is [3]string // as the log has them
}

// Stream is the account's.
func (c *CorrectProfile) Stream() events.Stream { return AccountStream(c.AccountID) }

// Read opens what the log has; it returns eventstore.ErrErased for an erased person.
func (c *CorrectProfile) Read(r *Reader) error {
	account, err := Load[Account](r, c.Stream())
	if err != nil || !account.Stands() {
		return err
	}
	for i, value := range []events.Personal{account.Email, account.FirstName, account.LastName} {
		if c.is[i], err = r.Open(value); err != nil {
			return err
		}
	}
	return nil
}

// Decide refuses wrong fields and an account that does not stand.
func (c *CorrectProfile) Decide(a Account) ([]events.Event, error) {
	if !a.Stands() {
		return nil, notFound("account")
	}
	check := &check{}
	wanted := [3]string{
		check.email("email", c.Email.over(c.is[0])),
		check.name("first_name", c.FirstName.over(c.is[1])),
		check.name("last_name", c.LastName.over(c.is[2])),
	}
	if err := check.err(); err != nil {
		return nil, err
	}
	if wanted == c.is {
		return nil, nil
	}
	return []events.Event{events.AccountProfileCorrected{
		AccountID: a.ID, Email: events.PersonalText(wanted[0]),
		FirstName: events.PersonalText(wanted[1]), LastName: events.PersonalText(wanted[2]),
	}}, nil
}

// ActivateAccount ends a deactivation.
type ActivateAccount struct{ AccountID uuid.UUID }

// Stream is the account's.
func (c ActivateAccount) Stream() events.Stream { return AccountStream(c.AccountID) }

// Decide refuses an account that does not stand.
func (c ActivateAccount) Decide(a Account) ([]events.Event, error) {
	switch {
	case !a.Stands():
		return nil, notFound("account")
	case !a.Deactivated:
		return nil, nil
	}
	return []events.Event{events.AccountActivated{}}, nil
}

// DeactivateAccount stops an account's use until it is activated. It keeps its place in the plans.
type DeactivateAccount struct {
	AccountID uuid.UUID
	evidence
}

// Stream is the account's.
func (c *DeactivateAccount) Stream() events.Stream { return AccountStream(c.AccountID) }

// Read looks for another superadmin.
func (c *DeactivateAccount) Read(r *Reader) error { return c.gather(r, c.AccountID) }

// Decide refuses an account that does not stand and the last superadmin's.
func (c *DeactivateAccount) Decide(a Account) ([]events.Event, error) {
	switch {
	case !a.Stands():
		return nil, notFound("account")
	case a.Deactivated:
		return nil, nil
	case a.Superadmin() && !c.another:
		return nil, lastSuperadmin()
	}
	return []events.Event{events.AccountDeactivated{}}, nil
}

// onPlatform is a fact about a role that the platform itself grants: the platform's log holds it
// beside the account's facts, in the member's stream, as an organization's log would.
func onPlatform(account uuid.UUID, event events.Event) events.Event {
	return Elsewhere(MemberStream(account), event)
}

// evidence is whether the platform has another superadmin. The account that shows it is named
// among the streams read: when it goes at the same moment, one of the two has to decide again.
type evidence struct{ another bool }

// gather also loads the stream of onPlatform.
func (e *evidence) gather(r *Reader, but uuid.UUID) error {
	e.another = false
	account, err := Load[Account](r, AccountStream(but))
	if err != nil || !account.administers() {
		return err
	}
	if _, err := Load[Member](r, MemberStream(but)); err != nil || !account.Superadmin() {
		return err
	}
	candidates, err := r.Administrators()
	if err != nil {
		return err
	}
	for _, id := range candidates {
		if id == but {
			continue
		}
		other, err := Load[Account](r, AccountStream(id))
		if err != nil {
			return err
		}
		if other.Superadmin() {
			e.another = true
			return nil
		}
	}
	return nil
}

func lastSuperadmin() *Refused {
	return refuse(CodeLastSuperadmin, "the platform would have no superadmin left")
}

// closeAccount ends an account for good, as far as the platform's log goes.
type closeAccount struct {
	id     uuid.UUID
	reason string
	evidence
}

func (c *closeAccount) Stream() events.Stream { return AccountStream(c.id) }
func (c *closeAccount) Read(r *Reader) error  { return c.gather(r, c.id) }

func (c *closeAccount) Decide(a Account) ([]events.Event, error) {
	switch {
	case !a.Stands():
		return nil, notFound("account")
	case a.Superadmin() && !c.another:
		return nil, lastSuperadmin()
	}
	happened := []events.Event{events.AccountClosed{Reason: c.reason}}
	for _, role := range a.Roles {
		if role.Organization == uuid.Nil && !role.Withdrawn {
			happened = append(happened, onPlatform(a.ID, events.MemberRoleRevoked{RoleID: role.ID}))
		}
	}
	return happened, nil
}

// ChooseRole makes one of the account's roles the active one. Whether the role is held in its
// organization is App.ChooseRole's question.
type ChooseRole struct{ AccountID, RoleID uuid.UUID }

// Stream is the account's.
func (c ChooseRole) Stream() events.Stream { return AccountStream(c.AccountID) }

// Decide refuses an account that does not stand and a role that is not the account's.
func (c ChooseRole) Decide(a Account) ([]events.Event, error) {
	if !a.Stands() {
		return nil, notFound("account")
	}
	if _, has := a.Role(c.RoleID); !has {
		return nil, notFound("role")
	}
	if a.Active == c.RoleID {
		return nil, nil
	}
	return []events.Event{events.AccountRoleChosen{RoleID: c.RoleID}}, nil
}
