package seed

import (
	"context"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/koprogo/koprogo/commands"
	"github.com/koprogo/koprogo/migrations/migrationstest"
)

func TestATownHasWhatItSaysAndIsMadeOnce(t *testing.T) {
	t.Parallel()
	clone := migrationstest.Database(t)
	s := seeder(t, clone)
	town := Town{Seed: 1, Buildings: 6, Until: now}
	var last int64
	town.Progress = func(done, total int64) {
		require.LessOrEqual(t, done, total)
		if done == total {
			last = done
		}
	}
	made, err := s.Town(t.Context(), town)
	require.NoError(t, err)
	require.EqualValues(t, 6, last)
	require.Equal(t, []int{6, 108, 144, 6 * 48},
		[]int{made.Buildings, made.Lots, made.Owners, made.Charges})
	head, err := s.Store.Head(t.Context(), made.Organization)
	require.NoError(t, err)
	require.Less(t, head.Position-made.Events, int64(5), "founding and accounts")

	told := fold(t, s, made.Organization)
	require.Len(t, told.buildings, 6)
	require.Len(t, told.owners, 144)
	require.Len(t, told.charges, 6*48)
	lots, syndics := 0, 0
	for _, building := range told.buildings {
		lots += building.Standing
	}
	require.Equal(t, 108, lots)
	told.requireExact(t, func(uuid.UUID) bool { return true })
	for _, divided := range told.divided {
		if divided.ApprovedBy == made.Syndic {
			syndics++
		}
	}
	require.Equal(t, len(told.divided), syndics)

	before := heads(t, s)
	town.Progress = nil
	again, err := seeder(t, clone).Town(t.Context(), town)
	require.NoError(t, err)
	require.Zero(t, again.Events)
	require.Equal(t, before, heads(t, s))
}

func TestATownOfTheSameSeedIsTheSameAlsoWhenItWasCutShort(t *testing.T) {
	t.Parallel()
	town := Town{Seed: 2, Buildings: 5, Until: now}
	whole := seeder(t, migrationstest.Database(t))
	made, err := whole.Town(t.Context(), town)
	require.NoError(t, err)

	clone := migrationstest.Database(t)
	parts := seeder(t, clone)
	small := town
	small.Buildings = 1
	_, err = parts.Town(t.Context(), small)
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	cutShort := town
	cutShort.AtOnce = 2
	cutShort.Progress = func(done, _ int64) {
		if done == 2 {
			cancel()
		}
	}
	_, err = seeder(t, clone).Town(ctx, cutShort)
	require.ErrorIs(t, err, context.Canceled)
	rest, err := seeder(t, clone).Town(t.Context(), town)
	require.NoError(t, err)
	require.Positive(t, rest.Events)
	require.Equal(t, facts(t, whole, made.Organization), facts(t, parts, made.Organization))
}

func TestATownStandsInTheOrganizationThatIsNamed(t *testing.T) {
	t.Parallel()
	s := seeder(t, migrationstest.Database(t))
	_, err := s.Town(t.Context(), Town{Organization: uuid.New(), Buildings: 1, Until: now})
	require.ErrorContains(t, err, "there is no organization")
	found := commands.FoundOrganization{
		OrganizationID: demoID(9), ContactID: demoID(8), Slug: "immo", Name: "Immo",
		Plan: "starter", ContactEmail: "info@immo.be",
	}
	_, err = s.App.FoundOrganization(t.Context(), commands.System(demoID(9), ""), found)
	require.NoError(t, err)
	made, err := s.Town(t.Context(), Town{Organization: demoID(9), Buildings: 2, Until: now})
	require.NoError(t, err)
	require.Equal(t, demoID(9), made.Organization)
	require.Equal(t, uuid.Nil, made.Syndic)
	told := fold(t, s, demoID(9))
	require.Len(t, told.buildings, 2)
	for _, divided := range told.divided {
		require.Equal(t, uuid.Nil, divided.ApprovedBy)
	}
	t.Run("its plan limits it", func(t *testing.T) {
		_, err := s.Town(t.Context(), Town{Organization: demoID(9), Buildings: 9, Until: now})
		var refused *commands.Refused
		require.ErrorAs(t, err, &refused)
		require.EqualValues(t, "plan_limit", refused.Code)
	})
}
