package seed

import (
	"context"
	"errors"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/koprogo/koprogo/commands"
	"github.com/koprogo/koprogo/events"
	"github.com/koprogo/koprogo/migrations/migrationstest"
)

func TestTheDemoIsMadeOnce(t *testing.T) {
	t.Parallel()
	clone := migrationstest.Database(t)
	passwords := map[uuid.UUID]string{}
	begun := func() Seeder {
		s := seeder(t, clone)
		s.SetPassword = func(_ context.Context, account uuid.UUID, password string) error {
			passwords[account] = password
			return nil
		}
		return s
	}
	s := begun()
	requireDue(t, s, true)
	require.NoError(t, s.Demo(t.Context()))
	made := heads(t, s)
	require.Len(t, made, 3, "the platform and two organizations")
	require.Len(t, passwords, len(demoAccounts))
	again := begun()
	requireDue(t, again, false)
	require.NoError(t, again.Demo(t.Context()))
	require.Equal(t, made, heads(t, again))
	for _, account := range demoAccounts {
		member, err := again.App.Member(t.Context(), account.organization, account.id)
		require.NoError(t, err)
		require.True(t, member.Holds(account.role))
	}

	_, err := commands.Handle(t.Context(), again.App, commands.System(DemoOrganization, ""),
		&commands.RemoveBuilding{BuildingID: demoID(0x114), Now: now})
	require.NoError(t, err)
	made = heads(t, again)
	require.NoError(t, begun().Demo(t.Context()))
	require.Equal(t, made, heads(t, again), "what was removed is not made again")
}

func requireDue(t *testing.T, s Seeder, due bool) {
	t.Helper()
	is, err := s.DemoDue(t.Context())
	require.NoError(t, err)
	require.Equal(t, due, is)
}

func TestTheDemoIsNotDueWhereSomebodyElseCameFirst(t *testing.T) {
	t.Parallel()
	s := seeder(t, migrationstest.Database(t))
	_, err := s.Town(t.Context(), Town{Seed: 7, Buildings: 1, Until: now})
	require.NoError(t, err)
	requireDue(t, s, false)
}

func TestTwoDemosAreTheSameAlsoWhenOneWasCutShortOrToldTwiceAtOnce(t *testing.T) {
	t.Parallel()
	whole := seeder(t, migrationstest.Database(t))
	require.NoError(t, whole.Demo(t.Context()))

	clone := migrationstest.Database(t)
	parts := seeder(t, clone)
	require.NoError(t, parts.DemoBeginning(t.Context()))
	for _, until := range []int64{40, 200, 700} { // of about 1,800 events
		cut(t, seeder(t, clone), until)
		requireDue(t, parts, true)
	}
	told := make(chan error, 2)
	for range 2 {
		s := seeder(t, clone)
		go func() { told <- s.Demo(t.Context()) }()
	}
	require.NoError(t, errors.Join(<-told, <-told))
	requireDue(t, parts, false)
	for _, organization := range []uuid.UUID{DemoOrganization, DemoNeighbour} {
		require.Equal(t, facts(t, whole, organization), facts(t, parts, organization))
	}
}

// cut tells the demo until its log has so many events, at least.
func cut(t *testing.T, s Seeder, until int64) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	told := make(chan error, 1)
	go func() { told <- s.DemoStory(ctx) }()
	rung, stop := s.Store.Bell().Listen()
	defer stop()
	for s.Store.Bell().Positions()[DemoOrganization] < until {
		select {
		case <-rung:
		case err := <-told:
			require.NoError(t, err)
			require.Fail(t, "the demo was told before it could be cut short")
		}
	}
	cancel()
	require.ErrorIs(t, <-told, context.Canceled)
}

func TestADemoThatSomebodyChangedMeanwhileIsCompletedAroundIt(t *testing.T) {
	t.Parallel()
	clone := migrationstest.Database(t)
	s := seeder(t, clone)
	require.NoError(t, s.DemoBeginning(t.Context()))
	gone, changed := demoBuildings[1].id, demoBuildings[0]
	system := commands.System(DemoOrganization, "")
	_, err := commands.Handle(t.Context(), s.App, system,
		&commands.RemoveBuilding{BuildingID: gone, Now: now})
	require.NoError(t, err)
	_, err = commands.Handle(t.Context(), s.App, system, commands.ChangeBuilding{
		BuildingID: changed.id, Name: commands.To("Les Érables"), Now: now,
	})
	require.NoError(t, err)
	require.NoError(t, s.DemoStory(t.Context()))
	requireDue(t, s, false)
	for _, recorded := range logOf(t, s, DemoOrganization) {
		_, isLot := recorded.Event.(events.LotRegistered)
		require.False(t, isLot && recorded.Building == gone)
	}
	folded := fold(t, s, DemoOrganization)
	building := folded.buildings[changed.id]
	require.Equal(t, "Les Érables", building.Facts.Name)
	require.Len(t, building.Lots(), 24)
}
