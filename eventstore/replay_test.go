package eventstore_test

import (
	"errors"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/koprogo/koprogo/events"
	"github.com/koprogo/koprogo/eventstore"
	"github.com/koprogo/koprogo/migrations/migrationstest"
)

// replayed is what Replay gives.
func replayed(
	t *testing.T, s *eventstore.Store, organization uuid.UUID, after, upTo int64,
) []eventstore.Recorded {
	t.Helper()
	var all []eventstore.Recorded
	require.NoError(t, s.Replay(t.Context(), organization, after, upTo,
		func(r *eventstore.Recorded) error {
			all = append(all, *r)
			return nil
		}))
	return all
}

func TestReplay(t *testing.T) {
	t.Parallel()
	database := migrationstest.Database(t)
	store := openOn(t, database.URL)
	organization, stream, person := newID(t), buildingStream(newID(t)), newID(t)
	many := []events.Event{registered("Érables")}
	for len(many) < 9_999 {
		many = append(many, events.BuildingRenamed{Name: "Tilleuls"})
	}
	mustAppend(t, store, appendTo(organization, stream, 0, many...))
	mustAppend(t, store, eventstore.Append{
		Organization: organization, Subjects: []uuid.UUID{person},
		Streams: []eventstore.StreamAppend{{
			Stream: events.Stream{Category: events.AccountCategory, ID: person},
			Events: []events.Event{events.AccountOpened{
				AccountID: person, Email: events.PersonalText("marie@example.be"),
			}},
		}},
	})

	t.Run("gives every event once and in order, over many pages", func(t *testing.T) {
		t.Parallel()
		all := replayed(t, store, organization, 0, 1<<40)
		require.Len(t, all, 10_000)
		requireWhole(t, all)
		require.Equal(t, log(t, store, organization), all)
	})
	t.Run("begins after one position and ends at another", func(t *testing.T) {
		t.Parallel()
		all := replayed(t, store, organization, 4_000, 9_001)
		require.Len(t, all, 5_001)
		require.EqualValues(t, 4_001, all[0].Position)
		require.EqualValues(t, 9_001, all[5_000].Position)
		require.Empty(t, replayed(t, store, organization, 10_000, 1<<40))
	})
	t.Run("of a building leaves out what belongs to none", func(t *testing.T) {
		t.Parallel()
		count := 0
		require.NoError(t, store.ReplayBuilding(t.Context(), organization, stream.ID, 0, 1<<40,
			func(r *eventstore.Recorded) error {
				count++
				require.EqualValues(t, count, r.Position)
				return nil
			}))
		require.Equal(t, 9_999, count)
	})
	t.Run("ends where the fold says so", func(t *testing.T) {
		t.Parallel()
		enough, count := errors.New("enough"), 0
		err := store.Replay(t.Context(), organization, 0, 1<<40,
			func(r *eventstore.Recorded) error {
				if count++; r.Position == 300 {
					return enough
				}
				return nil
			})
		require.ErrorIs(t, err, enough)
		require.Equal(t, 300, count)
	})
	t.Run("rows are the same whether they come in binary or as text", func(t *testing.T) {
		t.Parallel()
		pool, err := pgxpool.New(t.Context(), database.URL+
			"&role=koprogo_projector&timezone=UTC&default_query_exec_mode=simple_protocol")
		require.NoError(t, err)
		t.Cleanup(pool.Close)
		asText, err := eventstore.ReadPage(t.Context(), pool, organization, 9_990, 100)
		require.NoError(t, err)
		require.Len(t, asText, 10)
		require.Equal(t, replayed(t, store, organization, 9_990, 1<<40), asText)
	})
}
