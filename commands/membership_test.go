package commands

import (
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/koprogo/koprogo/eventstore"
)

// person is somebody with a role in the office's organization; a superadmin of the platform.
func (o office) person(email, role string) OpenAccount {
	return OpenAccount{
		AccountID: uuid.New(), Email: email, FirstName: "Anna", LastName: "Peeters",
		Roles: []RoleOffer{{ID: uuid.New(), Role: role, Organization: o.organization}},
	}
}

func (o office) open(t *testing.T, email, role string) OpenAccount {
	t.Helper()
	c := o.person(email, role)
	_, err := o.OpenAccount(t.Context(), o.caller(), c)
	require.NoError(t, err)
	return c
}

func TestAnAccountIsOpenedInTwoLogs(t *testing.T) {
	t.Parallel()
	o := newOffice(t, "starter")
	asked := o.person("anna@immo.be", RoleSyndic)
	opened, err := o.OpenAccount(t.Context(), o.keyed("k"), asked)
	require.NoError(t, err)
	require.True(t, opened.Changed)
	require.Equal(t, asked.Roles[0].ID, opened.State.Active)
	require.Equal(t, eventstore.Platform, opened.Receipt.Organization)
	require.Equal(t, o.organization, opened.Also[0].Organization)
	_, clear := opened.State.Email.Clear()
	require.False(t, clear, "what stays warm is sealed")

	member, err := o.Member(t.Context(), o.organization, asked.AccountID)
	require.NoError(t, err)
	require.Equal(t, map[uuid.UUID]string{asked.Roles[0].ID: RoleSyndic}, member.Roles)

	again, err := o.OpenAccount(t.Context(), o.caller(), asked)
	require.NoError(t, err)
	require.False(t, again.Changed)
	replayed, err := o.OpenAccount(t.Context(), o.keyed("k"), o.person("anna@immo.be", RoleSyndic))
	require.NoError(t, err)
	require.True(t, replayed.Receipt.Replayed)
	_, err = o.OpenAccount(t.Context(), o.caller(), o.person("Anna@immo.BE", RoleOwner))
	require.Equal(t, CodeEmailTaken, refusal(t, err).Code, "however it is written")
}

func TestARefusedAccountIsClosedAndItsEMailFree(t *testing.T) {
	t.Parallel()
	o := newOffice(t, "free")
	for i := range Plans["free"].Users {
		o.open(t, fmt.Sprintf("a%d@immo.be", i), RoleOwner)
	}
	asked := o.person("late@immo.be", RoleOwner)
	_, err := o.OpenAccount(t.Context(), o.keyed("k"), asked)
	require.Equal(t, CodePlanLimit, refusal(t, err).Code)
	require.Equal(t, "user", refusal(t, err).Params["kind"])
	account, err := o.Account(t.Context(), asked.AccountID)
	require.NoError(t, err)
	require.True(t, account.Closed)
	require.Equal(t, "plan_limit", account.ClosedFor)

	_, err = o.ChangeOrganization(t.Context(), o.caller(), ChangeOrganization{
		OrganizationID: o.organization, Plan: To("starter"),
	})
	require.NoError(t, err)
	opened, err := o.OpenAccount(t.Context(), o.keyed("k"), o.person("late@immo.be", RoleOwner))
	require.NoError(t, err)
	require.False(t, opened.Receipt.Replayed, "a refusal keeps no key")
}

func TestUsersOfAPlanAreNotExceededInARace(t *testing.T) {
	t.Parallel()
	o := newOffice(t, "free")
	servers := []*App{o.App, server(t, o.clone)}
	opened, _ := race(t, 12, CodePlanLimit, func(i int) error {
		_, err := servers[i%2].OpenAccount(t.Context(), o.caller(),
			o.person(fmt.Sprintf("a%d@immo.be", i), RoleOwner))
		return err
	})
	require.Len(t, opened, Plans["free"].Users)
}

func TestAnAccountInAnOrganizationThatDoesNotTakeItIsNotOpened(t *testing.T) {
	t.Parallel()
	o := newOffice(t, "starter")
	head, err := o.store.Head(t.Context(), eventstore.Platform)
	require.NoError(t, err)
	nowhere := o.person("anna@immo.be", RoleSyndic)
	nowhere.Roles[0].Organization = uuid.New()
	_, err = o.OpenAccount(t.Context(), o.caller(), nowhere)
	require.Equal(t, CodeNotFound, refusal(t, err).Code)
	_, err = Handle(t.Context(), o.App, o.caller(), SuspendOrganization{o.organization})
	require.NoError(t, err)
	_, err = o.OpenAccount(t.Context(), o.caller(), o.person("anna@immo.be", RoleSyndic))
	require.Equal(t, CodeOrganizationSuspended, refusal(t, err).Code)
	_, err = o.GrantRole(t.Context(), o.caller(), uuid.New(), RoleOffer{
		ID: uuid.New(), Role: RoleOwner, Organization: o.organization,
	})
	require.Equal(t, CodeOrganizationSuspended, refusal(t, err).Code)
	after, err := o.store.Head(t.Context(), eventstore.Platform)
	require.NoError(t, err)
	require.Equal(t, head.Position, after.Position)
}

func TestAProfileIsCorrected(t *testing.T) {
	t.Parallel()
	o := newOffice(t, "starter")
	anna := o.open(t, "Anna@immo.be", RoleSyndic)
	eva := o.open(t, "eva@immo.be", RoleSyndic)
	platform := o.caller().in(eventstore.Platform)
	correct := func(account uuid.UUID, email string) (Outcome[Account], error) {
		return Handle(t.Context(), o.App, platform, &CorrectProfile{
			AccountID: account, Email: To(email),
		})
	}
	same, err := correct(anna.AccountID, "Anna@immo.be")
	require.NoError(t, err)
	require.False(t, same.Changed)
	_, err = correct(eva.AccountID, "ANNA@immo.be")
	require.Equal(t, CodeEmailTaken, refusal(t, err).Code)
	changed, err := correct(anna.AccountID, "anna@immo.be")
	require.NoError(t, err, "an account keeps its own address, written otherwise")
	require.True(t, changed.Changed)
	_, err = correct(anna.AccountID, "peeters@immo.be")
	require.NoError(t, err)
	_, err = correct(eva.AccountID, "anna@immo.be")
	require.NoError(t, err, "the old address is free")
	_, err = correct(uuid.New(), "x@immo.be")
	require.Equal(t, CodeNotFound, refusal(t, err).Code)
}

func TestRolesAreGrantedChosenAndRevoked(t *testing.T) {
	t.Parallel()
	o := newOffice(t, "free")
	anna := o.open(t, "anna@immo.be", RoleSyndic)
	offer := RoleOffer{ID: uuid.New(), Role: RoleAuditor, Organization: o.organization}
	granted, err := o.GrantRole(t.Context(), o.keyed("g"), anna.AccountID, offer)
	require.NoError(t, err)
	require.Equal(t, anna.Roles[0].ID, granted.State.Active)
	again, err := o.GrantRole(t.Context(), o.keyed("g"), anna.AccountID, offer)
	require.NoError(t, err)
	require.True(t, again.Receipt.Replayed)
	_, err = o.GrantRole(t.Context(), o.caller(), anna.AccountID, offer)
	require.Equal(t, CodeRoleHeld, refusal(t, err).Code)

	chosen, err := o.ChooseRole(t.Context(), o.caller(), ChooseRole{anna.AccountID, offer.ID})
	require.NoError(t, err)
	require.Equal(t, offer.ID, chosen.State.Active)

	_, err = o.RevokeRole(t.Context(), o.caller(), anna.AccountID, offer.ID, uuid.New())
	require.Equal(t, CodeNotFound, refusal(t, err).Code, "another organization's syndic sees none")
	revoked, err := o.RevokeRole(t.Context(), o.keyed("r"), anna.AccountID, offer.ID, o.organization)
	require.NoError(t, err)
	require.Equal(t, anna.Roles[0].ID, revoked.State.Active)
	replayed, err := o.RevokeRole(t.Context(), o.keyed("r"), anna.AccountID, offer.ID, o.organization)
	require.NoError(t, err)
	require.True(t, replayed.Receipt.Replayed)
	member, err := o.Member(t.Context(), o.organization, anna.AccountID)
	require.NoError(t, err)
	require.Equal(t, map[uuid.UUID]string{anna.Roles[0].ID: RoleSyndic}, member.Roles)
	_, err = o.ChooseRole(t.Context(), o.caller(), ChooseRole{anna.AccountID, offer.ID})
	require.Equal(t, CodeNotFound, refusal(t, err).Code)
	_, err = o.ChooseRole(t.Context(), o.caller(), ChooseRole{uuid.New(), offer.ID})
	require.Equal(t, CodeNotFound, refusal(t, err).Code)
}

func TestARefusedRoleIsWithdrawn(t *testing.T) {
	t.Parallel()
	o := newOffice(t, "free")
	full := uuid.New()
	_, err := o.FoundOrganization(t.Context(), o.caller(), founding(full, "full", "free"))
	require.NoError(t, err)
	for i := range Plans["free"].Users {
		c := o.person(fmt.Sprintf("a%d@immo.be", i), RoleOwner)
		c.Roles[0].Organization = full
		_, err := o.OpenAccount(t.Context(), o.caller(), c)
		require.NoError(t, err)
	}
	anna := o.open(t, "anna@immo.be", RoleSyndic)
	offer := RoleOffer{ID: uuid.New(), Role: RoleOwner, Organization: full}
	_, err = o.GrantRole(t.Context(), o.keyed("g"), anna.AccountID, offer)
	require.Equal(t, CodePlanLimit, refusal(t, err).Code)
	account, err := o.Account(t.Context(), anna.AccountID)
	require.NoError(t, err)
	require.True(t, account.Stands())
	require.Equal(t, anna.Roles[0].ID, account.Active)
	_, has := account.Role(offer.ID)
	require.False(t, has)

	both := o.person("eva@immo.be", RoleOwner)
	both.Roles = append(both.Roles, offer)
	_, err = o.OpenAccount(t.Context(), o.caller(), both)
	require.Equal(t, CodePlanLimit, refusal(t, err).Code)
	member, err := o.Member(t.Context(), o.organization, both.AccountID)
	require.NoError(t, err)
	require.Empty(t, member.Roles, "what the other organization granted is taken back")
}

func TestACloseFreesEMailAndPlaces(t *testing.T) {
	t.Parallel()
	o := newOffice(t, "free")
	var people []OpenAccount
	for i := range Plans["free"].Users {
		people = append(people, o.open(t, fmt.Sprintf("a%d@immo.be", i), RoleOwner))
	}
	_, err := o.CloseAccount(t.Context(), o.keyed("c"), people[0].AccountID, uuid.New())
	require.Equal(t, CodeNotFound, refusal(t, err).Code, "not in that organization")
	closed, err := o.CloseAccount(t.Context(), o.keyed("c"), people[0].AccountID, o.organization)
	require.NoError(t, err)
	require.True(t, closed.State.Closed)
	again, err := o.CloseAccount(t.Context(), o.keyed("c"), people[0].AccountID, o.organization)
	require.NoError(t, err)
	require.True(t, again.Receipt.Replayed)
	_, err = o.CloseAccount(t.Context(), o.caller(), people[0].AccountID, o.organization)
	require.Equal(t, CodeNotFound, refusal(t, err).Code)
	o.open(t, "a0@immo.be", RoleOwner)
}

func TestWhoHoldsRolesElsewhereOnlyLeaves(t *testing.T) {
	t.Parallel()
	o := newOffice(t, "free")
	other := uuid.New()
	_, err := o.FoundOrganization(t.Context(), o.caller(), founding(other, "other", "free"))
	require.NoError(t, err)
	anna := o.open(t, "anna@immo.be", RoleSyndic)
	offer := RoleOffer{ID: uuid.New(), Role: RoleOwner, Organization: other}
	_, err = o.GrantRole(t.Context(), o.caller(), anna.AccountID, offer)
	require.NoError(t, err)
	left, err := o.CloseAccount(t.Context(), o.caller(), anna.AccountID, o.organization)
	require.NoError(t, err)
	require.True(t, left.State.Stands())
	require.Equal(t, offer.ID, left.State.Active)
	member, err := o.Member(t.Context(), o.organization, anna.AccountID)
	require.NoError(t, err)
	require.Empty(t, member.Roles)
}

func TestTheLastSuperadminStaysInARace(t *testing.T) {
	t.Parallel()
	o := newOffice(t, "free")
	servers := []*App{o.App, server(t, o.clone)}
	admins := []OpenAccount{
		o.open(t, "a@koprogo.com", RoleSuperadmin), o.open(t, "b@koprogo.com", RoleSuperadmin),
	}
	member, err := o.Member(t.Context(), eventstore.Platform, admins[0].AccountID)
	require.NoError(t, err)
	require.True(t, member.Holds(RoleSuperadmin), "the platform's log grants its own role")
	var all sync.WaitGroup
	failures := make([]error, len(admins))
	for i, admin := range admins {
		all.Go(func() {
			_, failures[i] = servers[i].CloseAccount(t.Context(), o.caller(), admin.AccountID,
				uuid.Nil)
		})
	}
	all.Wait()
	err = errors.Join(failures...)
	require.Equal(t, CodeLastSuperadmin, refusal(t, err).Code)
	last := 0
	if failures[0] == nil {
		last = 1
	}
	require.NoError(t, failures[1-last])
	require.Error(t, failures[last])
	_, err = o.RevokeRole(t.Context(), o.caller(), admins[last].AccountID,
		admins[last].Roles[0].ID, uuid.Nil)
	require.Equal(t, CodeLastSuperadmin, refusal(t, err).Code)
	_, err = Handle(t.Context(), o.App, o.caller().in(eventstore.Platform),
		&DeactivateAccount{AccountID: admins[last].AccountID})
	require.Equal(t, CodeLastSuperadmin, refusal(t, err).Code)
}

func TestAMandateNamesBuildingsThatStand(t *testing.T) {
	t.Parallel()
	o := newOffice(t, "starter")
	anna := o.open(t, "anna@immo.be", RoleAuditor)
	building := uuid.New()
	_, err := Handle(t.Context(), o.App, o.caller(), register(building))
	require.NoError(t, err)
	give := func() (Outcome[Member], error) {
		return Handle(t.Context(), o.App, o.caller(), &GiveMandate{
			AccountID: anna.AccountID, MandateID: uuid.New(),
			Buildings: []uuid.UUID{building}, From: "2026-01-01", To: "2026-12-31",
		})
	}
	given, err := give()
	require.NoError(t, err)
	require.Len(t, given.State.Mandates, 1)
	_, err = Handle(t.Context(), o.App, o.caller(), &RemoveBuilding{BuildingID: building})
	require.NoError(t, err)
	_, err = give()
	require.Equal(t, "building", refusal(t, err).Params["what"])
}

func TestAnErasedPersonIsNotCorrected(t *testing.T) {
	t.Parallel()
	o := newOffice(t, "starter")
	anna := o.open(t, "anna@immo.be", RoleSyndic)
	keyring := o.store.Keyring()
	err := keyring.Erase(t.Context(), o.store.Pool(eventstore.RoleJobs), eventstore.Platform,
		anna.AccountID)
	require.NoError(t, err)
	_, err = Handle(t.Context(), o.App, o.caller().in(eventstore.Platform), &CorrectProfile{
		AccountID: anna.AccountID, LastName: To("Maes"),
	})
	require.ErrorIs(t, err, eventstore.ErrErased)
	_, err = o.OpenAccount(t.Context(), o.caller(), anna)
	require.Equal(t, CodeIDTaken, refusal(t, err).Code)
}
