package projections_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/koprogo/koprogo/eventstore"
	"github.com/koprogo/koprogo/eventstore/eventstoretest"
	"github.com/koprogo/koprogo/projections"
)

func TestRebuildUnderReadersAndWriters(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	follower := projections.NewFollower(projections.Config{Store: w.Store})
	eventstoretest.Run(t, follower.Run)
	organization := newID()
	for i := range 30 {
		w.Append(t, organization, buildingStream(newID()), registered(fmt.Sprint(i)))
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	require.NoError(t, follower.Wait(ctx, organization, follower.Names(), 30))

	var reads atomic.Int64
	failed := make(chan error, 1)
	go func() { failed <- readAlong(ctx, w.Store, organization, 30, &reads) }()
	rebuilt := make(chan struct{})
	go func() {
		defer close(rebuilt)
		for range 8 {
			if projections.Rebuild(ctx, w.Store, projections.Buildings, nil) != nil {
				return
			}
		}
	}()
	for i := 0; ; i++ {
		receipt := w.Append(t, organization, buildingStream(newID()), registered(fmt.Sprint(i)))
		select {
		case <-rebuilt:
		default:
			continue
		}
		require.NoError(t, follower.Wait(ctx, organization, follower.Names(), receipt.Position))
		break
	}
	eventually(t, func() bool { return reads.Load() > 50 }, "reads went on")
	cancel()
	require.NoError(t, <-failed)
	require.Equal(t, w.Heads[organization], total(t, w, organization))
	var rows int64
	require.NoError(t, w.admin.QueryRow(t.Context(), `select count(*) from read.buildings
		where organization_id = $1`, organization).Scan(&rows))
	require.Equal(t, w.Heads[organization], rows)
	require.Empty(t, follower.Stopped())
}

func TestARebuildAppliesWhatIsAppendedMeanwhile(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	organization := newID()
	w.Append(t, organization, buildingStream(newID()), registered("A"))
	w.catchUp(t)
	// Each round finds an event more; the last one is left for the swap.
	err := projections.Rebuild(t.Context(), w.Store, projections.Buildings, func(int64, int64) {
		w.Append(t, organization, buildingStream(newID()), registered("B"))
		other := newID()
		w.Append(t, other, buildingStream(newID()), registered("C"))
		w.catchUp(t)
		require.Equal(t, w.Heads[organization], total(t, w, organization))
	})
	require.NoError(t, err)
	require.Greater(t, w.Heads[organization], int64(4))
	for organization, position := range w.Heads {
		require.Equal(t, position, total(t, w, organization))
	}
	w.Append(t, organization, buildingStream(newID()), registered("D"))
	w.catchUp(t)
	require.Equal(t, w.Heads[organization], total(t, w, organization))
}

// readAlong reads until ctx ends; it fails when a read does or shows fewer buildings than before.
func readAlong(
	ctx context.Context, store *eventstore.Store, organization uuid.UUID, atLeast int64,
	reads *atomic.Int64,
) error {
	for ctx.Err() == nil {
		var n int64
		batch := &pgx.Batch{}
		batch.Queue("begin")
		batch.Queue("select log.enter_organization($1)", organization)
		batch.Queue("select count(*) from read.buildings where organization_id = $1", organization).
			QueryRow(func(row pgx.Row) error { return row.Scan(&n) })
		batch.Queue("commit")
		pool := store.Pool(eventstore.RoleReader)
		if err := pool.SendBatch(context.Background(), batch).Close(); err != nil {
			return err
		}
		if n < atLeast {
			return fmt.Errorf("%d buildings are seen where there were %d", n, atLeast)
		}
		atLeast = n
		reads.Add(1)
	}
	return nil
}

const shapeSQL = `
select json_build_object(
  'security', (select c.relrowsecurity from pg_class c where c.oid = $1::text::regclass),
  'storage', (select c.reloptions from pg_class c where c.oid = $1::text::regclass),
  'owner', (select c.relowner::regrole::text from pg_class c where c.oid = $1::text::regclass),
  'policies', (select json_agg(json_build_object('name', policyname, 'roles', roles, 'cmd', cmd,
                 'using', qual, 'check', with_check) order by policyname)
                 from pg_policies where schemaname || '.' || tablename = $1::text),
  'rights', (select json_agg(grantee || ' ' || privilege_type order by 1)
               from information_schema.role_table_grants
              where table_schema || '.' || table_name = $1::text),
  'columns', (select json_agg(json_build_object('name', column_name, 'type', data_type,
                'null', is_nullable, 'default', column_default) order by ordinal_position)
                from information_schema.columns where table_schema || '.' || table_name = $1::text),
  'indexes', (select json_agg(indexdef order by indexname) from pg_indexes
               where schemaname || '.' || tablename = $1::text))::text`

func TestRebuiltTablesAreLikeThoseBefore(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	mine, theirs := newID(), newID()
	w.Append(t, mine, buildingStream(newID()), registered("A"))
	w.Append(t, theirs, buildingStream(newID()), registered("B"))
	w.catchUp(t)
	shape := func(table string) (text string) {
		require.NoError(t, w.admin.QueryRow(t.Context(), shapeSQL, "read."+table).Scan(&text))
		return text
	}
	for _, p := range projections.All {
		before := map[string]string{}
		tables := append(p.Tables, projections.Totals)
		for _, table := range tables {
			before[table.Name()] = shape(table.Name())
			require.Contains(t, before[table.Name()], `"security" : true`)
		}
		require.NoError(t, projections.Rebuild(t.Context(), w.Store, p, nil))
		for _, table := range tables {
			require.JSONEq(t, before[table.Name()], shape(table.Name()))
		}
	}

	t.Run("a reader sees the organization that it entered and no other", func(t *testing.T) {
		count := func(enter string) (n int) {
			batch := &pgx.Batch{}
			batch.Queue("begin")
			if enter != "" {
				batch.Queue("select log.enter_organization($1)", enter)
			}
			batch.Queue("select count(*) from read.buildings").
				QueryRow(func(row pgx.Row) error { return row.Scan(&n) })
			batch.Queue("commit")
			pool := w.Store.Pool(eventstore.RoleReader)
			require.NoError(t, pool.SendBatch(t.Context(), batch).Close())
			return n
		}
		require.Equal(t, 0, count(""))
		require.Equal(t, 1, count(mine.String()))
		require.Equal(t, 0, count(newID().String()))
	})
}

func TestARebuildThatFailsLeavesTheLiveTables(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	organization := newID()
	w.Append(t, organization, buildingStream(newID()), registered("A"))
	w.catchUp(t)
	before := w.rows(t, organization)
	broken := fragile(func(eventstore.Recorded) error { return fmt.Errorf("not this one") })
	require.ErrorContains(t, projections.Rebuild(t.Context(), w.Store, broken, nil), "not this one")
	require.Equal(t, before, w.rows(t, organization))
	var left int
	require.NoError(t, w.admin.QueryRow(t.Context(),
		`select count(*) from pg_tables where tablename like '%\_\_new'`).Scan(&left))
	require.Zero(t, left)
	require.NoError(t, projections.Rebuild(t.Context(), w.Store, projections.Buildings, nil))
	require.Equal(t, before, w.rows(t, organization))
}
