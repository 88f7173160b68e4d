package commands

import (
	"context"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/koprogo/koprogo/events"
	"github.com/koprogo/koprogo/eventstore"
)

func TestWithoutTheLogNobodyIsRefusedAndNothingClaimedDone(t *testing.T) {
	t.Parallel()
	o := newOffice(t, "starter")
	anna := o.open(t, "anna@immo.be", RoleAuditor)
	admin := o.open(t, "admin@koprogo.com", RoleSuperadmin)
	cold := New(o.store)
	o.store.Close()
	for name, ask := range map[string]func(context.Context, *App) error{
		"handle": func(ctx context.Context, a *App) error {
			_, err := Handle(ctx, a, o.caller(), register(uuid.New()))
			return err
		},
		"found": func(ctx context.Context, a *App) error {
			_, err := a.FoundOrganization(ctx, o.caller(), founding(uuid.New(), "x", "free"))
			return err
		},
		"change": func(ctx context.Context, a *App) error {
			_, err := a.ChangeOrganization(ctx, o.caller(), ChangeOrganization{
				OrganizationID: o.organization, Slug: To("x"),
			})
			return err
		},
		"open": func(ctx context.Context, a *App) error {
			_, err := a.OpenAccount(ctx, o.keyed("k"), o.person("x@immo.be", RoleOwner))
			return err
		},
		"grant": func(ctx context.Context, a *App) error {
			_, err := a.GrantRole(ctx, o.caller(), anna.AccountID, RoleOffer{
				ID: uuid.New(), Role: RoleOwner, Organization: o.organization,
			})
			return err
		},
		"revoke": func(ctx context.Context, a *App) error {
			_, err := a.RevokeRole(ctx, o.caller(), anna.AccountID, anna.Roles[0].ID, uuid.Nil)
			return err
		},
		"close": func(ctx context.Context, a *App) error {
			_, err := a.CloseAccount(ctx, o.caller(), anna.AccountID, uuid.Nil)
			return err
		},
		"choose": func(ctx context.Context, a *App) error {
			_, err := a.ChooseRole(ctx, o.caller(), ChooseRole{anna.AccountID, anna.Roles[0].ID})
			return err
		},
		"deactivate": func(ctx context.Context, a *App) error {
			_, err := Handle(ctx, a, o.caller().in(eventstore.Platform),
				&DeactivateAccount{AccountID: admin.AccountID})
			return err
		},
		"mandate": func(ctx context.Context, a *App) error {
			_, err := Handle(ctx, a, o.caller(), &GiveMandate{
				AccountID: anna.AccountID, MandateID: uuid.New(),
				Buildings: []uuid.UUID{uuid.New()}, From: "2026-01-01", To: "2026-12-31",
			})
			return err
		},
		"finish": func(ctx context.Context, a *App) error {
			return a.finish(ctx, time.Now().Add(time.Hour))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, app := range []*App{o.App, cold} {
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				err := ask(ctx, app)
				require.Error(t, err)
				require.False(t, refusedBy(err), "%v", err)
			}
		})
	}
}

func TestACopyOfALogThatWasRestoredIsWorthNothing(t *testing.T) {
	t.Parallel()
	o := newOffice(t, "starter")
	building := uuid.New()
	_, err := Handle(t.Context(), o.App, o.caller(), register(building))
	require.NoError(t, err)
	o.warm.keep(place{o.organization, BuildingStream(building)}, folded{
		state: Building{}.Evolve(residence).Evolve(events.BuildingRenamed{Name: "lost"}), version: 7,
	})
	changed, err := Handle(t.Context(), o.App, o.caller(), ChangeBuilding{
		BuildingID: building, City: To("Gent"), Now: now,
	})
	require.NoError(t, err)
	require.EqualValues(t, 2, changed.Version)
	require.Equal(t, residence.Name, changed.State.Facts.Name)
}

func TestCommandsStandInTheirStreams(t *testing.T) {
	t.Parallel()
	o := newOffice(t, "starter")
	anna := o.open(t, "anna@immo.be", RoleAuditor)
	platform := o.caller().in(eventstore.Platform)
	for _, command := range []Command[Account]{
		RecordPassword{anna.AccountID},
		EnableTwoFactor{anna.AccountID},
		RenewBackupCodes{anna.AccountID},
		DisableTwoFactor{anna.AccountID},
		&DeactivateAccount{AccountID: anna.AccountID},
		ActivateAccount{anna.AccountID},
	} {
		outcome, err := Handle(t.Context(), o.App, platform, command)
		require.NoError(t, err)
		require.Equal(t, AccountStream(anna.AccountID), outcome.Receipt.Recorded[0].Stream)
	}
	building, mandate := uuid.New(), uuid.New()
	_, err := Handle(t.Context(), o.App, o.caller(), register(building))
	require.NoError(t, err)
	for _, command := range []Command[Member]{
		&GiveMandate{
			AccountID: anna.AccountID, MandateID: mandate, Buildings: []uuid.UUID{building},
			From: "2026-01-01", To: "2026-12-31",
		},
		EndMandate{anna.AccountID, mandate},
	} {
		outcome, err := Handle(t.Context(), o.App, o.caller(), command)
		require.NoError(t, err)
		require.Equal(t, MemberStream(anna.AccountID), outcome.Receipt.Recorded[0].Stream)
	}
}
