package commands

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/koprogo/koprogo/events"
	"github.com/koprogo/koprogo/eventstore"
)

// finishAll finishes whatever stands in the log, however young; a second run finds nothing to do.
func finishAll(t *testing.T, o office) {
	t.Helper()
	app := server(t, o.clone)
	require.NoError(t, app.finish(t.Context(), time.Now().Add(time.Hour)))
	heads, err := app.store.Heads(t.Context())
	require.NoError(t, err)
	require.NoError(t, server(t, o.clone).finish(t.Context(), time.Now().Add(time.Hour)))
	again, err := app.store.Heads(t.Context())
	require.NoError(t, err)
	require.Equal(t, heads, again)
}

func (o office) onPlatform(t *testing.T, command Command[Account]) {
	t.Helper()
	_, err := Handle(t.Context(), o.App, System(eventstore.Platform, ""), command)
	require.NoError(t, err)
}

func TestAFoundingThatACrashCutShortIsFinished(t *testing.T) {
	t.Parallel()
	o := newOffice(t, "free")
	asked := founding(uuid.New(), "cut-short", "starter")
	_, err := Handle(t.Context(), o.App, System(eventstore.Platform, ""),
		&listOrganization{FoundOrganization: asked})
	require.NoError(t, err)
	finishAll(t, o)
	organization, err := o.Organization(t.Context(), asked.OrganizationID)
	require.NoError(t, err)
	require.True(t, organization.Founded)
	require.Equal(t, "starter", organization.Plan)
	email, err := o.store.Keyring().Open(t.Context(), asked.OrganizationID,
		organization.ContactEmail)
	require.NoError(t, err)
	require.Equal(t, "info@immo.be", email)
}

func TestASlugThatACrashLeftInTheListIsTakenOver(t *testing.T) {
	t.Parallel()
	o := newOffice(t, "free")
	_, err := Handle(t.Context(), o.App, System(eventstore.Platform, ""),
		relistOrganization{o.organization, "listed"})
	require.NoError(t, err)
	finishAll(t, o)
	organization, err := o.Organization(t.Context(), o.organization)
	require.NoError(t, err)
	require.Equal(t, "listed", organization.Slug)
	require.Equal(t, "Immo", organization.Name)
}

func TestAnAccountThatACrashCutShortIsFinished(t *testing.T) {
	t.Parallel()
	o := newOffice(t, "free")
	asked := o.person("anna@immo.be", RoleSyndic)
	o.onPlatform(t, &asked)
	finishAll(t, o)
	member, err := o.Member(t.Context(), o.organization, asked.AccountID)
	require.NoError(t, err)
	require.True(t, member.Holds(RoleSyndic))
}

func TestAnAccountForWhichThereIsNoPlaceIsClosed(t *testing.T) {
	t.Parallel()
	o := newOffice(t, "free")
	for i := range Plans["free"].Users {
		o.open(t, fmt.Sprintf("a%d@immo.be", i), RoleOwner)
	}
	asked := o.person("late@immo.be", RoleOwner)
	o.onPlatform(t, &asked)
	finishAll(t, o)
	account, err := o.Account(t.Context(), asked.AccountID)
	require.NoError(t, err)
	require.Equal(t, "plan_limit", account.ClosedFor)
}

func TestAnOfferForWhichThereIsNoPlaceIsWithdrawn(t *testing.T) {
	t.Parallel()
	o := newOffice(t, "free")
	anna := o.open(t, "anna@immo.be", RoleSyndic)
	nowhere := RoleOffer{ID: uuid.New(), Role: RoleOwner, Organization: uuid.New()}
	o.onPlatform(t, offerRole{anna.AccountID, nowhere})
	finishAll(t, o)
	account, err := o.Account(t.Context(), anna.AccountID)
	require.NoError(t, err)
	require.True(t, account.Stands())
	_, has := account.Role(nowhere.ID)
	require.False(t, has)
}

func TestARevocationThatACrashCutShortIsFinished(t *testing.T) {
	t.Parallel()
	o := newOffice(t, "free")
	anna := o.open(t, "anna@immo.be", RoleSyndic)
	role := anna.Roles[0].ID
	_, err := Handle(t.Context(), o.App, o.caller(),
		dismiss{account: anna.AccountID, roles: []uuid.UUID{role}})
	require.NoError(t, err)
	finishAll(t, o)
	account, err := o.Account(t.Context(), anna.AccountID)
	require.NoError(t, err)
	_, has := account.Role(role)
	require.False(t, has, "the organization took it back")

	offer := RoleOffer{ID: uuid.New(), Role: RoleOwner, Organization: o.organization}
	_, err = o.GrantRole(t.Context(), o.caller(), anna.AccountID, offer)
	require.NoError(t, err)
	o.onPlatform(t, &withdrawRoles{id: anna.AccountID, roles: []uuid.UUID{offer.ID}})
	finishAll(t, o)
	member, err := o.Member(t.Context(), o.organization, anna.AccountID)
	require.NoError(t, err)
	require.Empty(t, member.Roles, "the platform withdrew it")
}

func TestAClosedAccountLeavesASuspendedOrganizationToo(t *testing.T) {
	t.Parallel()
	o := newOffice(t, "free")
	anna := o.open(t, "anna@immo.be", RoleSyndic)
	o.onPlatform(t, &closeAccount{id: anna.AccountID, reason: "deleted"})
	_, err := Handle(t.Context(), o.App, o.caller(), SuspendOrganization{o.organization})
	require.NoError(t, err)
	finishAll(t, o)
	member, err := o.Member(t.Context(), o.organization, anna.AccountID)
	require.NoError(t, err)
	require.Empty(t, member.Roles)
}

func TestARequestUnderWayIsLeftAlone(t *testing.T) {
	t.Parallel()
	o := newOffice(t, "free")
	asked := o.person("anna@immo.be", RoleSyndic)
	o.onPlatform(t, &asked)
	require.NoError(t, o.FinishPending(t.Context()))
	member, err := o.Member(t.Context(), o.organization, asked.AccountID)
	require.NoError(t, err)
	require.Empty(t, member.Roles)
	o.Forget()
	require.NoError(t, o.finish(t.Context(), time.Now().Add(time.Hour)))
	member, err = o.Member(t.Context(), o.organization, asked.AccountID)
	require.NoError(t, err)
	require.NotEmpty(t, member.Roles)
}

func TestOneThatFailsDoesNotHoldUpTheOthers(t *testing.T) {
	t.Parallel()
	o := newOffice(t, "free")
	broken := founding(uuid.New(), "broken", "free")
	_, err := Handle(t.Context(), o.App, System(eventstore.Platform, ""),
		&listOrganization{FoundOrganization: broken})
	require.NoError(t, err)
	_, err = o.store.Append(t.Context(), eventstore.Append{ // a founding under a plan we do not know
		Organization: broken.OrganizationID,
		Streams: []eventstore.StreamAppend{{
			Stream: OrganizationStream(broken.OrganizationID),
			Events: []events.Event{events.OrganizationFounded{Name: "X", Slug: "x", Plan: "gone"}},
		}},
	})
	require.NoError(t, err)
	asked := o.person("anna@immo.be", RoleSyndic)
	o.onPlatform(t, &asked)
	err = o.finish(t.Context(), time.Now().Add(time.Hour))
	require.ErrorContains(t, err, "finish organization-"+broken.OrganizationID.String())
	member, err := o.Member(t.Context(), o.organization, asked.AccountID)
	require.NoError(t, err)
	require.NotEmpty(t, member.Roles)
}
