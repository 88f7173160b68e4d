package eventstore_test

import (
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/koprogo/koprogo/eventstore"
	"github.com/koprogo/koprogo/migrations/migrationstest"
)

// requireAcknowledged checks that whatever a worker was told is recorded stands where it was said.
func (c *crew) requireAcknowledged(t testing.TB, database migrationstest.Clone) int {
	t.Helper()
	operations := c.operations(t) // before the rows: it grows all the time
	conn, err := pgx.Connect(t.Context(), database.SuperuserURL)
	require.NoError(t, err)
	defer conn.Close(t.Context())
	rows, err := conn.Query(t.Context(), //nolint:rowserrcheck // ForEachRow does
		"select id, position from log.events")
	require.NoError(t, err)
	positions := map[uuid.UUID]int64{}
	var id uuid.UUID
	var position int64
	_, err = pgx.ForEachRow(rows, []any{&id, &position}, func() error {
		positions[id] = position
		return nil
	})
	require.NoError(t, err)
	acknowledged := 0
	for _, o := range operations {
		if o.Outcome == outcomeOK && !o.Read {
			require.Equal(t, o.Position, positions[o.Event], "an acknowledged append is lost")
			acknowledged++
		}
	}
	return acknowledged
}

func TestFaultKills(t *testing.T) {
	t.Parallel()
	const progress = 50
	t.Run("a server is killed again and again and nothing acknowledged is lost",
		func(t *testing.T) {
			t.Parallel()
			_, database := durable(t)
			crew := startCrew(t, 16, database.URL)
			for range kills(t) {
				crew.await(t, progress)
				crew.kill(0)
				crew.requireAcknowledged(t, database)
				crew.start(t, 0)
			}
			crew.await(t, progress)
			crew.finish(t, database)
		})
	t.Run("PostgreSQL is killed again and again and nothing acknowledged is lost",
		func(t *testing.T) {
			t.Parallel()
			cluster, database := durable(t)
			crew := startCrew(t, 16, database.URL)
			for range kills(t) {
				crew.await(t, progress)
				killPostgres(t, cluster)
				crew.requireAcknowledged(t, database)
			}
			crew.await(t, progress)
			crew.finish(t, database)
		})
}

// finish ends the crew and checks everything that it did.
func (c *crew) finish(t testing.TB, database migrationstest.Clone) {
	t.Helper()
	c.end(t)
	require.Positive(t, c.requireAcknowledged(t, database))
	store, err := eventstore.Open(t.Context(), eventstore.Config{URL: database.URL})
	require.NoError(t, err)
	defer store.Close()
	_, outcomes := history(t, c.operations(t), c.recordedBy(t, store))
	t.Logf("operations: %v", outcomes)
}
