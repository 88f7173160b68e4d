package queries_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/koprogo/koprogo/events"
	"github.com/koprogo/koprogo/eventstore"
	"github.com/koprogo/koprogo/queries"
)

func firstNames(users []queries.User) []string {
	names := []string{}
	for _, u := range users {
		names = append(names, u.FirstName)
	}
	return names
}

func TestUsers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	mine, theirs := newID(), newID()
	anne := w.user(t, mine, "Anne", "syndic")
	w.user(t, mine, "Élise", "owner")
	w.user(t, mine, "Zoé", "owner")
	bart := w.user(t, theirs, "Bart", "syndic")
	root := w.user(t, eventstore.Platform, "Root", "superadmin")
	list := func(t *testing.T, l queries.UserList) []string {
		t.Helper()
		if l.Page.Size == 0 {
			l.Page.Number, l.Page.Size = 1, 10
		}
		listed, err := w.reader.Users(t.Context(), l)
		require.NoError(t, err)
		return firstNames(listed.Items)
	}
	in := queries.In(mine)

	t.Run("an organization's users are those who hold a role there", func(t *testing.T) {
		require.Equal(t, []string{"Anne", "Élise", "Zoé"}, list(t, queries.UserList{Span: in}))
		require.Equal(t, []string{"Anne", "Élise", "Zoé", "Bart", "Root"},
			list(t, queries.UserList{Span: queries.Everywhere()}))
	})
	t.Run("filters and orders look at the opened names", func(t *testing.T) {
		require.Equal(t, []string{"Élise"}, list(t, queries.UserList{Span: in, Q: "ÉLISE p"}))
		require.Equal(t, []string{"Élise", "Zoé"}, list(t, queries.UserList{Span: in, Role: "owner"}))
		require.Equal(t, []string{"Zoé", "Élise", "Anne"}, list(t, queries.UserList{
			Span: in, Page: queries.Page{Number: 1, Size: 9, Sort: "first_name", Descending: true},
		}))
	})
	t.Run("a cursor walks the list", func(t *testing.T) {
		l := queries.UserList{Span: in, Page: queries.Page{Number: 1, Size: 2, Sort: "last_name"}}
		first, err := w.reader.Users(t.Context(), l)
		require.NoError(t, err)
		require.EqualValues(t, 3, first.Total)
		l.Page.After = first.Next
		second, err := w.reader.Users(t.Context(), l)
		require.NoError(t, err)
		require.Nil(t, second.Next)
		require.Equal(t, []string{"Anne", "Élise", "Zoé"},
			append(firstNames(first.Items), firstNames(second.Items)...))
	})
	t.Run("an account is nobody until its organization grants the role", func(t *testing.T) {
		account, role := newID(), newID()
		w.append(t, eventstore.Platform, stream(events.AccountCategory, account),
			events.AccountOpened{AccountID: account, FirstName: events.PersonalText("Odile")},
			events.AccountRoleOffered{RoleID: role, Role: "owner", OrganizationID: theirs},
			events.AccountRoleChosen{RoleID: role})
		for _, span := range []queries.Span{queries.In(theirs), queries.Everywhere()} {
			require.NotContains(t, list(t, queries.UserList{Span: span}), "Odile")
			_, err := w.reader.UserByID(t.Context(), span, account)
			require.ErrorIs(t, err, queries.ErrNotFound)
		}
		w.append(t, theirs, stream(events.MemberCategory, account),
			events.MemberRoleGranted{RoleID: role, Role: "owner"})
		for _, span := range []queries.Span{queries.In(theirs), queries.Everywhere()} {
			require.Contains(t, list(t, queries.UserList{Span: span}), "Odile")
			found, err := w.reader.UserByID(t.Context(), span, account)
			require.NoError(t, err)
			require.Equal(t, queries.Role{
				ID: role, Role: "owner", Organization: theirs, Primary: true,
			}, found.Item.Active())
		}
	})
	t.Run("an organization sees its own roles, the person all of them", func(t *testing.T) {
		role := newID()
		w.append(t, eventstore.Platform, stream(events.AccountCategory, anne),
			events.AccountRoleOffered{RoleID: role, Role: "auditor", OrganizationID: theirs})
		w.append(t, theirs, stream(events.MemberCategory, anne),
			events.MemberRoleGranted{RoleID: role, Role: "auditor"})
		found, err := w.reader.UserByID(t.Context(), in, anne)
		require.NoError(t, err)
		require.Len(t, found.Item.Roles, 1)
		require.Equal(t, "syndic", found.Item.Active().Role)
		found, err = w.reader.UserByID(t.Context(), queries.Everywhere(), anne)
		require.NoError(t, err)
		require.Len(t, found.Item.Roles, 2)
		_, err = w.reader.UserByID(t.Context(), in, bart)
		require.ErrorIs(t, err, queries.ErrNotFound)
	})
	t.Run("changes show at once in a list that is kept", func(t *testing.T) {
		for i := range 5 {
			name := fmt.Sprint("Bart", i)
			w.append(t, eventstore.Platform, stream(events.AccountCategory, bart),
				events.AccountProfileCorrected{
					AccountID: bart, FirstName: events.PersonalText(name),
				})
			require.Contains(t, list(t, queries.UserList{Span: queries.In(theirs)}), name)
		}
		w.append(t, eventstore.Platform, stream(events.AccountCategory, bart),
			events.AccountClosed{Reason: "deleted"})
		require.NotContains(t, list(t, queries.UserList{Span: queries.In(theirs)}), "Bart4")
	})
	t.Run("an erased person has no name, in lists and kept lists alike", func(t *testing.T) {
		w.exec(t, `delete from log.keys where subject = $1`, root)
		w.Store.Keyring().Forget(eventstore.Platform, root)
		erased := w.append(t, eventstore.Platform, stream(events.AccountCategory, root),
			events.PersonErased{Subject: root, Ground: "request"})
		require.NotContains(t, list(t, queries.UserList{Span: queries.Everywhere()}), "Root")
		found, err := w.reader.UserByID(t.Context(), queries.Everywhere(), root)
		require.NoError(t, err)
		require.Empty(t, found.Item.Name())
		require.Equal(t, erased.RecordedAt, found.Item.ErasedAt)
	})
}

func TestStanding(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	organization, account, role := newID(), newID(), newID()
	w.append(t, organization, stream(events.OrganizationCategory, organization),
		events.OrganizationFounded{Name: "Gestion", ContactID: newID(), Zone: "Europe/Brussels"})
	w.append(t, eventstore.Platform, stream(events.AccountCategory, account),
		events.AccountOpened{AccountID: account, Email: events.PersonalText("a@b.be")})
	w.append(t, organization, stream(events.MemberCategory, account),
		events.MemberRoleGranted{RoleID: role, Role: "syndic"})
	standing := func() queries.Standing {
		s, err := w.reader.StandingOf(context.Background(), organization, account, role)
		require.NoError(t, err)
		return s
	}
	require.Equal(t, queries.Standing{
		AccountActive: true, Role: "syndic", OrganizationActive: true,
	}, standing())
	w.append(t, organization, stream(events.OrganizationCategory, organization),
		events.OrganizationSuspended{})
	require.False(t, standing().OrganizationActive)
	w.append(t, organization, stream(events.MemberCategory, account),
		events.MemberRoleRevoked{RoleID: role})
	require.Empty(t, standing().Role)
	w.append(t, eventstore.Platform, stream(events.AccountCategory, account),
		events.AccountDeactivated{})
	require.False(t, standing().AccountActive)
}

func TestMandates(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	organization, auditor, building := newID(), newID(), newID()
	none, err := w.reader.Mandates(t.Context(), organization, auditor)
	require.NoError(t, err)
	require.Empty(t, none)
	require.Nil(t, queries.WithinMandates(none, brussels(t)))
	mandate := newID()
	w.append(t, organization, stream(events.MemberCategory, auditor), events.MemberMandateGiven{
		MandateID: mandate, Buildings: []uuid.UUID{building}, From: "2026-01-01", To: "2026-03-31",
	})
	given, err := w.reader.Mandates(t.Context(), organization, auditor)
	require.NoError(t, err)
	require.Len(t, given, 1)
	require.Equal(t, events.Day("2026-03-31"), given[0].To)
	require.Equal(t, []uuid.UUID{building}, queries.MandatedBuildings(given))
	within := queries.WithinMandates(given, brussels(t))
	require.Equal(t, "2026-03-31T22:00:00Z", within[0].Before.UTC().Format("2006-01-02T15:04:05Z"))
	w.append(t, organization, stream(events.MemberCategory, auditor),
		events.MemberMandateEnded{MandateID: mandate})
	none, err = w.reader.Mandates(t.Context(), organization, auditor)
	require.NoError(t, err)
	require.Empty(t, none)
}

func TestOrganizations(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, name := range []string{"Delta", "Alpha", "Écho", "Bravo"} {
		id := newID()
		w.append(t, id, stream(events.OrganizationCategory, id), events.OrganizationFounded{
			Name: name, Slug: "x", Plan: "free", ContactID: newID(), Zone: "Europe/Brussels",
			ContactEmail: events.PersonalText(name + "@example.be"),
		})
	}
	l := queries.OrganizationList{Page: queries.Page{Number: 1, Size: 3, Sort: "name"}}
	var names, emails []string
	for {
		listed, err := w.reader.Organizations(t.Context(), l)
		require.NoError(t, err)
		require.EqualValues(t, 4, listed.Total)
		for _, o := range listed.Items {
			names, emails = append(names, o.Name), append(emails, o.ContactEmail)
		}
		if l.Page.After = listed.Next; l.Page.After == nil {
			break
		}
	}
	require.Equal(t, []string{"Alpha", "Bravo", "Delta", "Écho"}, names)
	require.Equal(t, "Bravo@example.be", emails[1])
	l = queries.OrganizationList{Q: "alph", Page: queries.Page{Number: 1, Size: 3}}
	listed, err := w.reader.Organizations(t.Context(), l)
	require.NoError(t, err)
	require.Len(t, listed.Items, 1)
	found, err := w.reader.OrganizationByID(t.Context(), listed.Items[0].ID)
	require.NoError(t, err)
	require.Equal(t, listed.Items[0], found.Item)
	then, err := w.reader.OrganizationAt(t.Context(), found.Item.ID, 1)
	require.NoError(t, err)
	require.Equal(t, found.Item, then)
	_, err = w.reader.OrganizationByID(t.Context(), newID())
	require.ErrorIs(t, err, queries.ErrNotFound)
}
