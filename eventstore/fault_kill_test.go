package eventstore_test

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/koprogo/koprogo/eventstore"
	"github.com/koprogo/koprogo/migrations/migrationstest"
)

// requireAcknowledged checks that what the workers were told is recorded since it last looked
// stands where it was said; finish looks at everything once more.
func (c *crew) requireAcknowledged(t testing.TB, database migrationstest.Clone) {
	t.Helper()
	said := map[uuid.UUID]int64{}
	var ids []uuid.UUID
	for _, files := range c.histories {
		for _, file := range files {
			lines := linesAfter(file, c.checked[file])
			c.checked[file] += int64(len(lines))
			for line := range bytes.Lines(lines) {
				var o op
				require.NoError(t, json.Unmarshal(line, &o))
				if o.Outcome == outcomeOK && !o.Read {
					said[o.Event], ids = o.Position, append(ids, o.Event)
				}
			}
		}
	}
	require.NotEmpty(t, ids)
	conn, err := pgx.Connect(t.Context(), database.SuperuserURL)
	require.NoError(t, err)
	defer conn.Close(t.Context())
	rows, err := conn.Query(t.Context(), //nolint:rowserrcheck // ForEachRow does
		"select id, position from log.events where id = any($1)", ids)
	require.NoError(t, err)
	var id uuid.UUID
	var position int64
	_, err = pgx.ForEachRow(rows, []any{&id, &position}, func() error {
		require.Equal(t, said[id], position)
		delete(said, id)
		return nil
	})
	require.NoError(t, err)
	require.Empty(t, said, "acknowledged appends are lost")
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
	store, err := eventstore.Open(t.Context(), eventstore.Config{URL: database.URL})
	require.NoError(t, err)
	defer store.Close()
	_, outcomes := history(t, c.operations(t), c.recordedBy(t, store))
	t.Logf("operations: %v", outcomes)
}
