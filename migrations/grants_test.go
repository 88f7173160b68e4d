package migrations_test

import (
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/koprogo/koprogo/migrations/migrationstest"
)

// What each role may do with each table. The first letters of select, insert, update, delete;
// "all" is the owner's.
var may = map[string]struct{ writer, projector, reader string }{
	"log.access":      {"si", "", "s"},
	"log.attempts":    {"sidu", "", ""},
	"log.checkpoints": {"si", "", "s"},
	"log.claims":      {"sidu", "", ""},
	"log.credentials": {"sidu", "", ""},
	"log.events":      {"si", "s", "s"},
	"log.idempotency": {"sidu", "", ""},
	"log.jobs":        {"sidu", "", "s"},
	"log.keys":        {"sidu", "", ""},
	"log.links":       {"sidu", "", ""},
	"log.logs":        {"siu", "s", "s"},
	"log.migrations":  {"", "", "s"},
	"log.sessions":    {"sidu", "", ""},

	"read.accounts":       {"", "all", "s"},
	"read.buildings":      {"", "all", "s"},
	"read.charge_figures": {"", "all", "s"},
	"read.charges":        {"", "all", "s"},
	"read.checkpoints":    {"", "all", "s"},
	"read.dated_lots":     {"", "all", "s"},
	"read.divisions":      {"", "all", "s"},
	"read.keys":           {"", "all", "s"},
	"read.lot_figures":    {"", "all", "s"},
	"read.lots":           {"", "all", "s"},
	"read.mandates":       {"", "all", "s"},
	"read.organizations":  {"", "all", "s"},
	"read.overdue_owners": {"", "all", "s"},
	"read.owners":         {"", "all", "s"},
	"read.ownerships":     {"", "all", "s"},
	"read.pcn_entries":    {"", "all", "s"},
	"read.removed_lots":   {"", "all", "s"},
	"read.roles":          {"", "all", "s"},
	"read.suppliers":      {"", "all", "s"},
	"read.totals":         {"", "all", "s"},

	"river.river_job":          {"all", "", ""},
	"river.river_leader":       {"all", "", ""},
	"river.river_migration":    {"all", "", ""},
	"river.river_notification": {"all", "", ""},
	"river.river_queue":        {"all", "", ""},
}

func TestGrants(t *testing.T) {
	t.Parallel()
	db := migrationstest.Database(t)
	conn := connect(t, db.SuperuserURL, "")

	t.Run("each role does with each table what it should, and nothing else", func(t *testing.T) {
		granted := map[string]struct{ writer, projector, reader string }{}
		for _, table := range column(t, conn, `select format('%s.%s', schemaname, tablename)
			from pg_tables where schemaname in ('log', 'read', 'river')`) {
			granted[table] = struct{ writer, projector, reader string }{
				verbs(t, conn, "koprogo_writer", table),
				verbs(t, conn, "koprogo_projector", table),
				verbs(t, conn, "koprogo_reader", table),
			}
		}
		require.Equal(t, may, granted)
	})

	t.Run("a role calls the functions that are its own", func(t *testing.T) {
		for role, functions := range map[string][]string{
			"koprogo_writer":    {"log.move_heads", "log.require_moved_head"},
			"koprogo_projector": {"log.compress", "log.distribute", "log.guard", "read.guard"},
			"koprogo_reader": {
				"log.enter_every_organization", "log.enter_organization", "log.may_read",
			},
			"public": nil,
		} {
			require.Equal(t, functions, column(t, conn, `
				select p.oid::regproc::text from pg_proc p
				where pronamespace::regnamespace::text in ('log', 'read')
				and has_function_privilege($1, p.oid, 'execute') order by 1`, role), role)
		}
	})

	t.Run("everybody else stays outside the schemas", func(t *testing.T) {
		require.Empty(t, column(t, conn, `select nspname from pg_namespace
			where nspname in ('log', 'read', 'river') and has_schema_privilege('public', oid, 'usage')`))
		for role, schemas := range map[string][]string{
			"koprogo_owner":     {"log"},
			"koprogo_writer":    {"log", "river"},
			"koprogo_projector": {"log", "read"},
			"koprogo_reader":    {"log", "read"},
		} {
			require.Equal(t, schemas, column(t, conn, `select nspname from pg_namespace
				where nspname in ('log', 'read', 'river')
				and has_schema_privilege($1, oid, 'usage') order by 1`, role), role)
		}
	})

	t.Run("no role signs in, passes row-level security or makes roles", func(t *testing.T) {
		require.Empty(t, column(t, conn, `select rolname from pg_roles
			where rolname like 'koprogo\_%' and rolname <> $1
			and (rolcanlogin or rolsuper or rolbypassrls or rolcreaterole or rolcreatedb)`,
			migrationstest.Login))
	})

	t.Run("tables belong to whom they should", func(t *testing.T) {
		require.Equal(t, []string{
			"log koprogo_owner", "read koprogo_projector", "river koprogo_writer",
		}, column(t, conn, `select distinct schemaname || ' ' || tableowner from pg_tables
			where schemaname in ('log', 'read', 'river') order by 1`))
	})
}

// verbs are the first letters of what a role may do with a table.
func verbs(t *testing.T, conn *pgx.Conn, role, table string) string {
	t.Helper()
	return one[string](t, conn, `
		select case when string_agg(verb, ' ' order by n) filter (where held)
			= 'select insert delete update truncate references trigger' then 'all'
		else coalesce(string_agg(case when n <= 4 then left(verb, 1) else '!' || verb end, ''
			order by n) filter (where held), '') end
		from unnest(array['select', 'insert', 'delete', 'update', 'truncate', 'references',
			'trigger']) with ordinality as verbs (verb, n),
		lateral (select has_table_privilege($1, $2::text, verb) as held) as privileges`, role, table)
}

func column(t *testing.T, conn *pgx.Conn, sql string, args ...any) []string {
	t.Helper()
	rows, err := conn.Query(t.Context(), sql, args...)
	require.NoError(t, err)
	values, err := pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(t, err)
	if len(values) == 0 {
		return nil
	}
	return values
}
