package commands

import (
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/koprogo/koprogo/events"
	"github.com/koprogo/koprogo/eventstore"
)

var (
	granted = events.MemberRoleGranted{RoleID: id(2), Role: RoleSyndic}
	auditor = events.MemberRoleGranted{RoleID: id(4), Role: RoleAuditor}
	mandate = events.MemberMandateGiven{
		MandateID: id(5), Buildings: []uuid.UUID{id(6)}, From: "2026-01-01", To: "2026-12-31",
	}
)

func TestEnlist(t *testing.T) {
	t.Parallel()
	roles := []AccountRole{{ID: id(2), Role: RoleSyndic}, {ID: id(4), Role: RoleAuditor}}
	t.Run("roles are granted", func(t *testing.T) {
		given[Member](t).when(enlist{id(1), roles}).then(granted, auditor)
	})
	t.Run("a role that is held is not granted again", func(t *testing.T) {
		given[Member](t, granted).when(enlist{id(1), roles}).then(auditor)
	})
	t.Run("nor one that was taken back", func(t *testing.T) {
		given[Member](t, granted, auditor, events.MemberRoleRevoked{RoleID: id(4)}).
			when(enlist{id(1), roles}).then()
	})
}

func TestDismiss(t *testing.T) {
	t.Parallel()
	t.Run("held roles are taken back", func(t *testing.T) {
		given[Member](t, granted).
			when(dismiss{account: id(1), roles: []uuid.UUID{id(2), id(4)}}).
			then(events.MemberRoleRevoked{RoleID: id(2)})
	})
}

func TestGiveMandate(t *testing.T) {
	t.Parallel()
	give := func(change ...func(*GiveMandate)) *GiveMandate {
		c := &GiveMandate{
			AccountID: id(1), MandateID: id(5), Buildings: []uuid.UUID{id(6)},
			From: "2026-01-01", To: "2026-12-31",
		}
		for _, f := range change {
			f(c)
		}
		return c
	}
	t.Run("an auditor gets a mandate", func(t *testing.T) {
		given[Member](t, auditor).when(give()).then(mandate)
	})
	t.Run("the same again changes nothing", func(t *testing.T) {
		given[Member](t, auditor, mandate).when(give()).then()
	})
	t.Run("another mandate under the id is refused", func(t *testing.T) {
		given[Member](t, auditor, mandate).
			when(give(func(c *GiveMandate) { c.To = "2027-01-01" })).thenRefused(CodeIDTaken)
	})
	t.Run("the id of one that ended is refused", func(t *testing.T) {
		given[Member](t, auditor, mandate, events.MemberMandateEnded{MandateID: id(5)}).
			when(give()).thenRefused(CodeIDTaken)
	})
	t.Run("a syndic has no mandate", func(t *testing.T) {
		given[Member](t, granted).when(give()).thenRefused(CodeNotAuditor)
	})
	t.Run("somebody who holds no role here is not found", func(t *testing.T) {
		given[Member](t).when(give()).thenRefused(CodeNotFound)
	})
	t.Run("a building that is not in the books is not found", func(t *testing.T) {
		given[Member](t, auditor).when(give(func(c *GiveMandate) { c.missing = true })).
			thenRefused(CodeNotFound)
	})
	for name, wrong := range map[string]struct {
		field  string
		code   Code
		change func(*GiveMandate)
	}{
		"no building": {"buildings", CodeRequired, func(c *GiveMandate) { c.Buildings = nil }},
		"101 buildings": {"buildings", CodeTooMany, func(c *GiveMandate) {
			c.Buildings = make([]uuid.UUID, 101)
		}},
		"no first day": {"from", CodeRequired, func(c *GiveMandate) { c.From = "" }},
		"no such day":  {"from", CodeMalformed, func(c *GiveMandate) { c.From = "2026-02-30" }},
		"no last day":  {"to", CodeRequired, func(c *GiveMandate) { c.To = "" }},
		"an end before the beginning": {"to", CodeOutOfRange, func(c *GiveMandate) {
			c.To = "2025-12-31"
		}},
	} {
		t.Run(name+" is refused", func(t *testing.T) {
			given[Member](t, auditor).when(give(wrong.change)).thenInvalid(wrong.field, wrong.code)
		})
	}
}

func TestEndMandate(t *testing.T) {
	t.Parallel()
	t.Run("a mandate ends", func(t *testing.T) {
		given[Member](t, auditor, mandate).when(EndMandate{MandateID: id(5)}).
			then(events.MemberMandateEnded{MandateID: id(5)})
	})
	t.Run("one that ended is not found", func(t *testing.T) {
		given[Member](t, auditor, mandate, events.MemberMandateEnded{MandateID: id(5)}).
			when(EndMandate{MandateID: id(5)}).thenRefused(CodeNotFound)
	})
}

func TestAMemberHoldsOnePlaceHoweverManyRoles(t *testing.T) {
	t.Parallel()
	m := Member{}.Evolve(granted).Evolve(auditor)
	require.Equal(t, []eventstore.Claim{
		{Kind: claimUser}, {Kind: claimApprover, Limit: eventstore.Unlimited},
	}, m.Claims())
	m = m.Evolve(events.MemberRoleRevoked{RoleID: id(2)})
	require.Equal(t, []eventstore.Claim{{Kind: claimUser}}, m.Claims())
	require.True(t, m.Holds(RoleAuditor))
	require.False(t, m.Holds(RoleSyndic))
	require.Empty(t, m.Evolve(events.MemberRoleRevoked{RoleID: id(4)}).Claims())
}

func TestEvolvingChangesNoOlderState(t *testing.T) {
	t.Parallel()
	before := Member{}.Evolve(granted)
	before.Evolve(auditor).Evolve(events.MemberRoleRevoked{RoleID: id(2)})
	require.Equal(t, Member{}.Evolve(granted), before)
	account := Account{}.Evolve(anna).Evolve(syndic)
	account.Evolve(events.AccountRoleWithdrawn{RoleID: id(2)}).Evolve(admin)
	require.Equal(t, Account{}.Evolve(anna).Evolve(syndic), account)
}
