package commands

import (
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/koprogo/koprogo/events"
	"github.com/koprogo/koprogo/eventstore"
)

var (
	anna = events.AccountOpened{
		AccountID: id(1), Email: events.PersonalText("anna@immo.be"),
		FirstName: events.PersonalText("Anna"), LastName: events.PersonalText("Peeters"),
	}
	syndic = events.AccountRoleOffered{RoleID: id(2), Role: RoleSyndic, OrganizationID: id(9)}
	admin  = events.AccountRoleOffered{RoleID: id(3), Role: RoleSuperadmin}
	closed = events.AccountClosed{Reason: "deleted"}
)

func TestOpenAccount(t *testing.T) {
	t.Parallel()
	open := func(change ...func(*OpenAccount)) *OpenAccount {
		c := &OpenAccount{
			AccountID: id(1), Email: "anna@IMMO.be", FirstName: "Anna ", LastName: "Peeters",
			Roles: []RoleOffer{{ID: id(2), Role: RoleSyndic, Organization: id(9)}},
			was:   [3]string{"anna@immo.be", "Anna", "Peeters"},
		}
		for _, f := range change {
			f(c)
		}
		return c
	}
	chosen := events.AccountRoleChosen{RoleID: id(2)}
	t.Run("an account is opened and offered its role", func(t *testing.T) {
		given[Account](t).when(open()).then(anna, syndic, chosen)
	})
	t.Run("an account may have no role yet", func(t *testing.T) {
		given[Account](t).when(open(func(c *OpenAccount) { c.Roles = nil })).then(anna)
	})
	t.Run("the platform grants its own role at once, wherever it is asked for", func(t *testing.T) {
		given[Account](t).when(open(func(c *OpenAccount) {
			c.Roles = []RoleOffer{{ID: id(3), Role: RoleSuperadmin, Organization: id(9)}}
		})).then(anna, admin,
			onPlatform(id(1), events.MemberRoleGranted{RoleID: id(3), Role: RoleSuperadmin}),
			events.AccountRoleChosen{RoleID: id(3)})
	})
	t.Run("the primary role is the active one, and a role named twice is one", func(t *testing.T) {
		given[Account](t).when(open(func(c *OpenAccount) {
			c.Roles = append(c.Roles,
				RoleOffer{ID: id(4), Role: RoleSyndic, Organization: id(9)},
				RoleOffer{ID: id(5), Role: RoleOwner, Organization: id(9), Primary: true})
		})).then(anna, syndic,
			events.AccountRoleOffered{RoleID: id(5), Role: RoleOwner, OrganizationID: id(9)},
			events.AccountRoleChosen{RoleID: id(5)})
	})
	t.Run("the same again changes nothing", func(t *testing.T) {
		given[Account](t, anna, syndic).when(open(func(c *OpenAccount) {
			c.Roles[0].ID = id(8)
		})).then()
	})
	t.Run("another person under the id is refused", func(t *testing.T) {
		given[Account](t, anna, syndic).when(open(func(c *OpenAccount) { c.FirstName = "Eva" })).
			thenRefused(CodeIDTaken)
	})
	t.Run("other roles under the id are refused", func(t *testing.T) {
		given[Account](t, anna).when(open()).thenRefused(CodeIDTaken)
	})
	t.Run("the id of a closed account is refused", func(t *testing.T) {
		given[Account](t, anna, syndic, closed).when(open()).thenRefused(CodeIDTaken)
	})
	for name, wrong := range map[string]struct {
		field  string
		code   Code
		change func(*OpenAccount)
	}{
		"no e-mail":      {"email", CodeRequired, func(c *OpenAccount) { c.Email = "" }},
		"half an e-mail": {"email", CodeMalformed, func(c *OpenAccount) { c.Email = "anna" }},
		"no first name":  {"first_name", CodeRequired, func(c *OpenAccount) { c.FirstName = "" }},
		"no last name":   {"last_name", CodeRequired, func(c *OpenAccount) { c.LastName = "" }},
		"no such role": {"role", CodeUnknownValue, func(c *OpenAccount) {
			c.Roles[0].Role = "king"
		}},
		"a syndic of nothing": {"organization_id", CodeRequired, func(c *OpenAccount) {
			c.Roles[0].Organization = uuid.Nil
		}},
		"101 roles": {"roles", CodeTooMany, func(c *OpenAccount) {
			for len(c.Roles) < 101 {
				c.Roles = append(c.Roles, c.Roles[0])
			}
		}},
	} {
		t.Run(name+" is refused", func(t *testing.T) {
			given[Account](t).when(open(wrong.change)).thenInvalid(wrong.field, wrong.code)
		})
	}
}

func TestCorrectProfile(t *testing.T) {
	t.Parallel()
	correct := func(c CorrectProfile) *CorrectProfile {
		c.is = [3]string{"anna@immo.be", "Anna", "Peeters"}
		return &c
	}
	t.Run("a field that is not named stays", func(t *testing.T) {
		given[Account](t, anna).when(correct(CorrectProfile{LastName: To("Maes")})).
			then(events.AccountProfileCorrected{
				AccountID: id(1), Email: anna.Email, FirstName: anna.FirstName,
				LastName: events.PersonalText("Maes"),
			})
	})
	t.Run("the same profile records nothing", func(t *testing.T) {
		given[Account](t, anna).when(correct(CorrectProfile{Email: To("anna@immo.be")})).then()
	})
	t.Run("a cleared name is refused", func(t *testing.T) {
		given[Account](t, anna).when(correct(CorrectProfile{FirstName: Cleared[string]()})).
			thenInvalid("first_name", CodeRequired)
	})
	t.Run("a closed account is not found", func(t *testing.T) {
		given[Account](t, anna, closed).when(correct(CorrectProfile{})).thenRefused(CodeNotFound)
	})
}

func TestActivation(t *testing.T) {
	t.Parallel()
	off := events.AccountDeactivated{}
	t.Run("an account is deactivated", func(t *testing.T) {
		given[Account](t, anna).when(&DeactivateAccount{}).then(off)
	})
	t.Run("once", func(t *testing.T) {
		given[Account](t, anna, off).when(&DeactivateAccount{}).then()
	})
	t.Run("the last superadmin stays", func(t *testing.T) {
		given[Account](t, anna, admin).when(&DeactivateAccount{}).thenRefused(CodeLastSuperadmin)
	})
	t.Run("one of two superadmins may go", func(t *testing.T) {
		given[Account](t, anna, admin).
			when(&DeactivateAccount{evidence: evidence{another: true}}).then(off)
	})
	t.Run("an account that was never opened is not found", func(t *testing.T) {
		given[Account](t).when(&DeactivateAccount{}).thenRefused(CodeNotFound)
	})
	t.Run("it is activated again", func(t *testing.T) {
		given[Account](t, anna, off).when(ActivateAccount{}).then(events.AccountActivated{})
	})
	t.Run("an active account stays as it is", func(t *testing.T) {
		given[Account](t, anna, off, events.AccountActivated{}).when(ActivateAccount{}).then()
	})
	t.Run("a closed account is not activated", func(t *testing.T) {
		given[Account](t, anna, closed).when(ActivateAccount{}).thenRefused(CodeNotFound)
	})
}

func TestCloseAccount(t *testing.T) {
	t.Parallel()
	t.Run("an account is closed", func(t *testing.T) {
		given[Account](t, anna, syndic).when(&closeAccount{reason: "deleted"}).then(closed)
	})
	t.Run("a superadmin's roles on the platform end with it", func(t *testing.T) {
		given[Account](t, anna, admin).
			when(&closeAccount{reason: "deleted", evidence: evidence{another: true}}).
			then(closed, onPlatform(id(1), events.MemberRoleRevoked{RoleID: id(3)}))
	})
	t.Run("the last superadmin stays", func(t *testing.T) {
		given[Account](t, anna, admin).when(&closeAccount{}).thenRefused(CodeLastSuperadmin)
	})
	t.Run("a closed account is not found", func(t *testing.T) {
		given[Account](t, anna, closed).when(&closeAccount{}).thenRefused(CodeNotFound)
	})
}

func TestOfferRole(t *testing.T) {
	t.Parallel()
	offer := RoleOffer{ID: id(5), Role: RoleAuditor, Organization: id(8)}
	offered := events.AccountRoleOffered{RoleID: id(5), Role: RoleAuditor, OrganizationID: id(8)}
	t.Run("a second role is offered and the first stays active", func(t *testing.T) {
		given[Account](t, anna, syndic, events.AccountRoleChosen{RoleID: id(2)}).
			when(offerRole{id(1), offer}).then(offered)
	})
	t.Run("the first role becomes active", func(t *testing.T) {
		given[Account](t, anna).when(offerRole{id(1), offer}).
			then(offered, events.AccountRoleChosen{RoleID: id(5)})
	})
	t.Run("a role that is held is refused", func(t *testing.T) {
		given[Account](t, anna, offered).when(offerRole{id(1), offer}).thenRefused(CodeRoleHeld)
	})
	t.Run("a withdrawn role may be offered again", func(t *testing.T) {
		again := offer
		again.ID = id(6)
		given[Account](t, anna, offered, events.AccountRoleWithdrawn{RoleID: id(5)}).
			when(offerRole{id(1), again}).then(
			events.AccountRoleOffered{RoleID: id(6), Role: RoleAuditor, OrganizationID: id(8)},
			events.AccountRoleChosen{RoleID: id(6)})
	})
	t.Run("a closed account is not found", func(t *testing.T) {
		given[Account](t, anna, closed).when(offerRole{id(1), offer}).thenRefused(CodeNotFound)
	})
	t.Run("a role that does not exist is refused", func(t *testing.T) {
		given[Account](t, anna).when(offerRole{id(1), RoleOffer{Role: "king", Organization: id(8)}}).
			thenInvalid("role", CodeUnknownValue)
	})
	t.Run("the 101st role is refused", func(t *testing.T) {
		happened := []events.Event{anna}
		for i := range maxRoles {
			happened = append(happened, events.AccountRoleOffered{
				RoleID: uuid.New(), Role: RoleOwner, OrganizationID: id(byte(100 + i)),
			})
		}
		given[Account](t, happened...).when(offerRole{id(1), offer}).thenRefused(CodeTooMany)
	})
}

func TestWithdrawRoles(t *testing.T) {
	t.Parallel()
	chosen := events.AccountRoleChosen{RoleID: id(2)}
	gone := events.AccountRoleWithdrawn{RoleID: id(2)}
	withdraw := &withdrawRoles{id: id(1), roles: []uuid.UUID{id(2)}}
	t.Run("when the active role goes, one that is left becomes active", func(t *testing.T) {
		given[Account](t, anna, syndic, chosen, admin).when(withdraw).
			then(gone, events.AccountRoleChosen{RoleID: id(3)})
	})
	t.Run("an account may be left without a role", func(t *testing.T) {
		given[Account](t, anna, syndic, chosen).when(withdraw).then(gone)
	})
	t.Run("what was withdrawn is not withdrawn twice", func(t *testing.T) {
		given[Account](t, anna, syndic, gone).when(withdraw).then()
	})
	t.Run("the last superadmin stays", func(t *testing.T) {
		given[Account](t, anna, admin).
			when(&withdrawRoles{id: id(1), roles: []uuid.UUID{id(3)}}).
			thenRefused(CodeLastSuperadmin)
	})
	t.Run("one of two superadmins may go", func(t *testing.T) {
		given[Account](t, anna, admin).when(&withdrawRoles{
			id: id(1), roles: []uuid.UUID{id(3)}, evidence: evidence{another: true},
		}).then(onPlatform(id(1), events.MemberRoleRevoked{RoleID: id(3)}),
			events.AccountRoleWithdrawn{RoleID: id(3)})
	})
	t.Run("a closed account is not found", func(t *testing.T) {
		given[Account](t, anna, closed).when(withdraw).thenRefused(CodeNotFound)
	})
}

func TestChooseRole(t *testing.T) {
	t.Parallel()
	t.Run("a role becomes active", func(t *testing.T) {
		given[Account](t, anna, syndic, admin).when(ChooseRole{RoleID: id(3)}).
			then(events.AccountRoleChosen{RoleID: id(3)})
	})
	t.Run("the active role stays", func(t *testing.T) {
		given[Account](t, anna, syndic, events.AccountRoleChosen{RoleID: id(2)}).
			when(ChooseRole{RoleID: id(2)}).then()
	})
	t.Run("another's role is not found", func(t *testing.T) {
		given[Account](t, anna, syndic).when(ChooseRole{RoleID: id(4)}).thenRefused(CodeNotFound)
	})
	t.Run("a closed account is not found", func(t *testing.T) {
		given[Account](t, anna, closed).when(ChooseRole{}).thenRefused(CodeNotFound)
	})
}

func TestAnAccountHoldsItsEMail(t *testing.T) {
	t.Parallel()
	a := Account{}.Evolve(anna)
	require.Equal(t, []eventstore.Claim{
		{Kind: claimEmail, Personal: anna.Email, Subject: id(1)},
	}, a.Claims())
	require.Empty(t, a.Evolve(closed).Claims())
}
