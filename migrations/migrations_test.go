package migrations_test

import (
	"context"
	"net/url"
	"path/filepath"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/koprogo/koprogo/deploy/embedded/embeddedtest"
	"github.com/koprogo/koprogo/migrations"
	"github.com/koprogo/koprogo/migrations/migrationstest"
)

func TestMigrate(t *testing.T) {
	t.Parallel()

	t.Run("a login that may only make roles and schemas migrates, and again", func(t *testing.T) {
		t.Parallel()
		db := migrationstest.Empty(t)
		conn := connect(t, db.URL, "")
		require.Equal(t, "off", one[string](t, conn, "show is_superuser"))
		require.NotEqual(t, migrationstest.Login, one[string](t, conn,
			"select datdba::regrole::text from pg_database where datname = current_database()"))

		require.Equal(t, append(numbered(t), "river's tables"), pending(t, db))
		migrate(t, db, 0)
		require.Empty(t, pending(t, db))
		before := one[string](t, conn, layout)
		migrate(t, db, 0)
		require.Empty(t, pending(t, db))
		require.Equal(t, before, one[string](t, conn, layout))
	})

	t.Run("several at once in one database are harmless", func(t *testing.T) {
		t.Parallel()
		db := migrationstest.Empty(t)
		var all errgroup.Group
		for range 4 {
			all.Go(func() error {
				return migrations.Migrate(t.Context(), migrations.Options{URL: db.URL})
			})
		}
		require.NoError(t, all.Wait())
		require.Empty(t, pending(t, db))
	})

	t.Run("up to a number, then the rest", func(t *testing.T) {
		t.Parallel()
		db := migrationstest.Empty(t)
		conn := connect(t, db.SuperuserURL, "")
		migrate(t, db, 1)
		require.Equal(t, numbered(t)[1:], pending(t, db))
		require.False(t, one[bool](t, conn, "select to_regclass('read.buildings') is not null"))
		migrate(t, db, 2)
		require.ElementsMatch(t, numbered(t)[2:], pending(t, db))
		require.True(t, one[bool](t, conn, "select to_regclass('read.buildings') is not null"))
	})

	t.Run("back to a number is refused and changes nothing", func(t *testing.T) {
		t.Parallel()
		db := migrationstest.Database(t)
		err := migrations.Migrate(t.Context(), migrations.Options{URL: db.URL, To: 1})
		require.ErrorIs(t, err, migrations.ErrBackwards)
		require.Empty(t, pending(t, db))
	})

	t.Run("to a number without a file is refused", func(t *testing.T) {
		t.Parallel()
		db := migrationstest.Database(t)
		err := migrations.Migrate(t.Context(),
			migrations.Options{URL: db.URL, To: migrations.Version() + 1})
		require.ErrorIs(t, err, migrations.ErrUnknown)
	})

	t.Run("a database of a newer program is refused", func(t *testing.T) {
		t.Parallel()
		db := migrationstest.Database(t)
		exec(t, connect(t, db.URL, "koprogo_owner"),
			"insert into log.migrations (version_id, is_applied) values (999, true)")
		err := migrations.Migrate(t.Context(), migrations.Options{URL: db.URL})
		require.ErrorIs(t, err, migrations.ErrNewer)
		_, err = migrations.Pending(t.Context(), db.URL)
		require.ErrorIs(t, err, migrations.ErrNewer)
	})

	t.Run("a schema of somebody else's is left alone", func(t *testing.T) {
		t.Parallel()
		db := migrationstest.Empty(t)
		exec(t, connect(t, db.SuperuserURL, ""), "create schema log")
		err := migrations.Migrate(t.Context(), migrations.Options{URL: db.URL})
		require.ErrorContains(t, err, "the schema log belongs to")
	})
}

// A cluster of its own: here the roles are not there yet. Several databases are migrated at once,
// while another one is about to have made a role.
func TestMigrateFreshCluster(t *testing.T) {
	t.Parallel()
	cluster := embeddedtest.Start(t)
	super := connect(t, cluster.SuperuserURL("postgres"), "")
	exec(t, super, "create role migrator login createrole")
	exec(t, super, "create role server login")
	other := connect(t, as(t, cluster.SuperuserURL("postgres"), "migrator"), "")
	exec(t, other, "begin")
	exec(t, other, "create role koprogo_owner nologin")

	var all errgroup.Group
	names := []string{"first", "second", "third"}
	for _, name := range names {
		exec(t, super, "create database "+name+" owner migrator")
		address := as(t, cluster.SuperuserURL(name), "migrator")
		all.Go(func() error {
			return migrations.Migrate(t.Context(),
				migrations.Options{URL: address, ServerLogin: "server"})
		})
	}
	require.Eventually(t, func() bool {
		return one[int](t, super, `select count(*)::int from pg_stat_activity
			where datname <> 'postgres' and wait_event_type = 'Lock'`) == len(names)
	}, time.Minute, 10*time.Millisecond, "the migrations wait for the other one's role")
	exec(t, other, "commit")
	require.NoError(t, all.Wait())

	memberships := `select array_agg(distinct roleid::regrole::text) from pg_auth_members
		where member = $1::regrole and roleid::regrole::text like 'koprogo%'`
	require.ElementsMatch(t, []string{
		"koprogo_owner", "koprogo_projector", "koprogo_reader", "koprogo_writer",
	}, one[[]string](t, super, memberships, "migrator"))
	require.ElementsMatch(t, []string{"koprogo_projector", "koprogo_reader", "koprogo_writer"},
		one[[]string](t, super, memberships, "server"))
	for _, role := range []string{"koprogo_writer", "koprogo_projector", "koprogo_reader"} {
		conn := connect(t, as(t, cluster.SuperuserURL("second"), "server"), role)
		require.Equal(t, role, one[string](t, conn, "select current_user::text"))
	}
	left, err := migrations.Pending(t.Context(), as(t, cluster.SuperuserURL("third"), "server"))
	require.NoError(t, err)
	require.Empty(t, left)
}

// layout lists every column of our schemas.
const layout = `select string_agg(format('%s.%s.%s %s', table_schema, table_name, column_name,
	data_type), E'\n' order by table_schema, table_name, ordinal_position)
	from information_schema.columns where table_schema in ('log', 'read', 'river')`

func migrate(t *testing.T, db migrationstest.Clone, to int64) {
	t.Helper()
	err := migrations.Migrate(t.Context(), migrations.Options{URL: db.URL, To: to})
	require.NoError(t, err)
}

func pending(t *testing.T, db migrationstest.Clone) []string {
	t.Helper()
	names, err := migrations.Pending(t.Context(), db.URL)
	require.NoError(t, err)
	return names
}

// numbered names the files, in order.
func numbered(t *testing.T) []string {
	t.Helper()
	names, err := filepath.Glob("0*.sql")
	require.NoError(t, err)
	require.Greater(t, len(names), 2)
	return names
}

// connect opens a connection that acts as a role from its start, as the server's pools do.
func connect(t *testing.T, address, role string) *pgx.Conn {
	t.Helper()
	config, err := pgx.ParseConfig(address)
	require.NoError(t, err)
	if role != "" {
		config.RuntimeParams["role"] = role
	}
	conn, err := pgx.ConnectConfig(t.Context(), config)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, conn.Close(context.Background())) })
	return conn
}

func as(t *testing.T, address, login string) string {
	t.Helper()
	parsed, err := url.Parse(address)
	require.NoError(t, err)
	parsed.User = url.User(login)
	return parsed.String()
}

func exec(t *testing.T, conn *pgx.Conn, sql string, args ...any) {
	t.Helper()
	_, err := conn.Exec(t.Context(), sql, args...)
	require.NoError(t, err)
}

// one is the only value of a query's only row.
func one[T any](t *testing.T, conn *pgx.Conn, sql string, args ...any) T {
	t.Helper()
	rows, err := conn.Query(t.Context(), sql, args...)
	require.NoError(t, err)
	value, err := pgx.CollectExactlyOneRow(rows, pgx.RowTo[T])
	require.NoError(t, err)
	return value
}
