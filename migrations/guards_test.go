package migrations_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"

	"github.com/koprogo/koprogo/migrations/migrationstest"
)

func TestRecordedEventsAreNeverChanged(t *testing.T) {
	t.Parallel()
	db := migrationstest.Database(t)
	organization := uuid.New()
	record(t, connect(t, db.URL, "koprogo_writer"), organization)

	const refusedByTrigger, refusedByGrant = "KG002", "42501"
	superuser := connect(t, db.SuperuserURL, "")
	replica := connect(t, db.SuperuserURL, "")
	exec(t, replica, "set session_replication_role = replica")
	for _, who := range []struct {
		name string
		conn *pgx.Conn
		code string
	}{
		{"a superuser", superuser, refusedByTrigger},
		{"a superuser who switches triggers off", replica, refusedByTrigger},
		{"the owner", connect(t, db.URL, "koprogo_owner"), refusedByTrigger},
		{"the writer", connect(t, db.URL, "koprogo_writer"), refusedByGrant},
		{"the projector", connect(t, db.URL, "koprogo_projector"), refusedByGrant},
		{"the reader", connect(t, db.URL, "koprogo_reader"), refusedByGrant},
	} {
		for _, sql := range []string{
			"update log.events set type = 'lot.sold'",
			"update log.events set type = 'lot.sold' where false",
			"delete from log.events",
			"truncate log.events",
			`insert into log.events select * from log.events
				on conflict (organization_id, position) do update set type = 'lot.sold'`,
		} {
			require.Equal(t, who.code, failure(t, who.conn, sql), "%s: %s", who.name, sql)
		}
	}
	require.Equal(t, "building.registered",
		one[string](t, superuser, "select type from log.events"))
}

func TestRowLevelSecurity(t *testing.T) {
	t.Parallel()
	db := migrationstest.Database(t)
	ours, theirs := uuid.New(), uuid.New()
	writer := connect(t, db.URL, "koprogo_writer")
	record(t, writer, ours)
	record(t, writer, theirs)
	projector := connect(t, db.URL, "koprogo_projector")
	for _, organization := range []uuid.UUID{ours, theirs} {
		exec(t, projector, "insert into read.totals values ($1, 'buildings', 1)", organization)
	}
	reader := connect(t, db.URL, "koprogo_reader")
	tables := []string{"log.events", "log.logs", "read.totals"}

	// seen are the organizations whose rows the reader sees, in a transaction that began with sql.
	seen := func(t *testing.T, table, sql string, args ...any) []string {
		t.Helper()
		tx, err := reader.Begin(t.Context())
		require.NoError(t, err)
		_, err = tx.Exec(t.Context(), sql, args...)
		require.NoError(t, err)
		rows := column(t, tx.Conn(), "select organization_id::text from "+table+" order by 1")
		require.NoError(t, tx.Commit(t.Context()))
		return rows
	}

	t.Run("a reader who entered no organization sees nothing", func(t *testing.T) {
		for _, table := range tables {
			require.Empty(t, seen(t, table, "select"), table)
		}
	})
	t.Run("a reader sees the organization that he entered", func(t *testing.T) {
		for _, table := range tables {
			require.Equal(t, []string{ours.String()},
				seen(t, table, "select log.enter_organization($1)", ours), table)
		}
	})
	t.Run("what he entered ends with the transaction", func(t *testing.T) {
		for _, table := range tables {
			seen(t, table, "select log.enter_every_organization()")
			require.Empty(t, seen(t, table, "select"), table)
		}
	})
	t.Run("a superadmin's list sees every organization", func(t *testing.T) {
		for _, table := range tables {
			require.Len(t, seen(t, table, "select log.enter_every_organization()"), 2, table)
		}
	})
	t.Run("writer and projector see every row", func(t *testing.T) {
		for _, conn := range []*pgx.Conn{writer, projector} {
			require.Equal(t, 2, one[int](t, conn, "select count(*)::int from log.events"))
		}
	})
}

func TestReadGuard(t *testing.T) {
	t.Parallel()
	db := migrationstest.Database(t)
	projector := connect(t, db.URL, "koprogo_projector")
	ours := uuid.New()
	exec(t, projector, "create table read.totals_2 (like read.totals including all)")
	exec(t, projector, "insert into read.totals_2 values ($1, 'buildings', 1)", ours)
	reader := connect(t, db.URL, "koprogo_reader")
	require.Equal(t, "42501", failure(t, reader, "select from read.totals_2"))

	exec(t, projector, "select read.guard('read.totals_2')")
	exec(t, projector, `begin; alter table read.totals rename to totals_1;
		alter table read.totals_2 rename to totals; commit`)
	count := "select count(*)::int from read.totals"
	require.Equal(t, 0, one[int](t, reader, count))
	exec(t, reader, "begin")
	exec(t, reader, "select log.enter_organization($1)", ours)
	require.Equal(t, 1, one[int](t, reader, count))
	exec(t, reader, "commit")
}

func TestMoveHeads(t *testing.T) {
	t.Parallel()
	db := migrationstest.Database(t)
	writer := connect(t, db.URL, "koprogo_writer")
	first, second := uuid.UUID{1}, uuid.UUID{2}

	// move moves one head by n events.
	move := func(organization uuid.UUID, believed, n int64, epoch int) error {
		return moveHeads(t.Context(), writer, []uuid.UUID{organization},
			[]int64{believed}, []int{epoch}, []int64{believed + n})
	}
	position := func(organization uuid.UUID) int64 {
		return one[int64](t, writer, `select coalesce(max(position), 0) from log.logs
			where organization_id = $1`, organization)
	}

	require.NoError(t, move(first, 0, 3, 0))
	require.NoError(t, move(first, 3, 2, 1))
	require.EqualValues(t, 5, position(first))
	for name, err := range map[string]error{
		"a head that stands elsewhere": move(first, 3, 1, 1),
		"a head of another epoch":      move(first, 5, 1, 2),
		"a head that is there already": move(first, 0, 1, 0),
		"a head that is not there":     move(second, 0, 1, 1),
		"a second head that stands elsewhere": moveHeads(t.Context(), writer,
			[]uuid.UUID{first, second}, []int64{5, 7}, []int{1, 1}, []int64{6, 8}),
	} {
		var failure *pgconn.PgError
		require.ErrorAs(t, err, &failure, name)
		require.Equal(t, "KG001", failure.Code, name)
		require.Contains(t, []string{first.String(), second.String()}, failure.Detail, name)
	}
	require.EqualValues(t, 5, position(first), "a refused batch moves none of its heads")

	require.NoError(t, moveHeads(t.Context(), writer,
		[]uuid.UUID{first, second}, []int64{5, 0}, []int{1, 0}, []int64{6, 4}))
	require.EqualValues(t, 6, position(first))
	require.EqualValues(t, 4, position(second))
}

func moveHeads(
	ctx context.Context, conn *pgx.Conn,
	organizations []uuid.UUID, believed []int64, epochs []int, positions []int64,
) error {
	recorded := make([]time.Time, len(organizations))
	trees := make([][]byte, len(organizations))
	for i := range organizations {
		recorded[i], trees[i] = time.Unix(positions[i], 0), []byte{}
	}
	_, err := conn.Exec(ctx, "select log.move_heads($1, $2, $3, $4, $5, $6)",
		organizations, believed, epochs, positions, recorded, trees)
	return err
}

// record appends one event to an empty log, in plain SQL.
func record(t *testing.T, writer *pgx.Conn, organization uuid.UUID) {
	t.Helper()
	exec(t, writer, `insert into log.events (organization_id, position, stream, version, id, type,
		schema, data, metadata, recorded_at, leaf_hash)
		values ($1, 1, 'building-x', 1, $2, 'building.registered', 1, '{}', '{}', now(), $3)`,
		organization, uuid.New(), make([]byte, 32))
	require.NoError(t, moveHeads(t.Context(), writer, []uuid.UUID{organization},
		[]int64{0}, []int{0}, []int64{1}))
}

// failure is the SQLSTATE that a statement fails with.
func failure(t *testing.T, conn *pgx.Conn, sql string) string {
	t.Helper()
	_, err := conn.Exec(t.Context(), sql)
	var refused *pgconn.PgError
	require.ErrorAs(t, err, &refused, sql)
	return refused.Code
}
