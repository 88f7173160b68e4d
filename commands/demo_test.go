package commands

import (
	"context"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/koprogo/koprogo/eventstore"
	"github.com/koprogo/koprogo/migrations/migrationstest"
)

func TestTheDemoIsMadeOnce(t *testing.T) {
	t.Parallel()
	clone := migrationstest.Database(t)
	passwords := map[uuid.UUID]string{}
	seed := func() []eventstore.Head {
		app := server(t, clone)
		err := app.SeedDemo(t.Context(), now,
			func(_ context.Context, account uuid.UUID, password string) error {
				passwords[account] = password
				return nil
			})
		require.NoError(t, err)
		heads, err := app.store.Heads(t.Context())
		require.NoError(t, err)
		return heads
	}
	made := seed()
	require.Len(t, made, 3, "the platform and two organizations")
	require.Len(t, passwords, len(demoAccounts))
	require.Equal(t, made, seed())

	app := server(t, clone)
	for _, account := range demoAccounts {
		member, err := app.Member(t.Context(), account.organization, account.id)
		require.NoError(t, err)
		require.True(t, member.Holds(account.role))
	}
	_, err := Handle(t.Context(), app, System(DemoOrganization, ""), RemoveBuilding{
		BuildingID: demoID(uint16(DemoOrganization[14])<<8 + 0x10),
	})
	require.NoError(t, err)
	heads, err := app.store.Heads(t.Context())
	require.NoError(t, err)
	require.Equal(t, heads, seed(), "what was removed is not made again")
}
