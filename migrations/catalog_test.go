package migrations_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/koprogo/koprogo/migrations/migrationstest"
)

// The rules that keep the tables distributable by organization, read from the catalogue. River's
// tables are not distributed, nor is the list of migrations.
func TestTablesAreDistributable(t *testing.T) {
	t.Parallel()
	db := migrationstest.Database(t)
	conn := connect(t, db.SuperuserURL, "")
	const ours = `(select c.* from pg_class c join pg_namespace n on n.oid = relnamespace
		where nspname in ('log', 'read') and c.oid <> 'log.migrations'::regclass) as ours`

	for rule, sql := range map[string]string{
		"a table has organization_id, never null": `
			select oid::regclass::text from ` + ours + ` where relkind = 'r' and not exists (
				select from pg_attribute where attrelid = ours.oid and attname = 'organization_id'
				and atttypid = 'uuid'::regtype and attnotnull)`,
		"every key begins with organization_id": `
			select indexrelid::regclass::text from pg_index join ` + ours + ` on ours.oid = indrelid
			where (indisprimary or indisunique) and not exists (
				select from pg_attribute where attrelid = indrelid and attnum = indkey[0]
				and attname = 'organization_id')`,
		"names have at most 50 characters": `
			select relname::text from ` + ours + ` where relkind in ('r', 'i') and length(relname) > 50`,
		"there are no identity columns": `
			select attrelid::regclass::text from pg_attribute join ` + ours + ` on ours.oid = attrelid
			where attidentity <> ''`,
		"there are no sequences": `
			select ours.oid::regclass::text from ` + ours + ` where relkind = 'S'
			and not exists (select from pg_depend where objid = ours.oid
				and refobjid = 'log.migrations'::regclass)`,
		"there are no foreign keys": `
			select conname::text from pg_constraint join ` + ours + ` on ours.oid = conrelid
			where contype = 'f'`,
		"events have no row-level trigger": `
			select tgname::text from pg_trigger where tgrelid = 'log.events'::regclass
			and tgtype & 1 = 1`,
		"every table is under row-level security, with three policies, not forced": `
			select ours.oid::regclass::text from ` + ours + ` where relkind = 'r' and (
				not relrowsecurity or relforcerowsecurity
				or (select array_agg(polname order by polname) from pg_policy where polrelid = ours.oid)
					<> array['projector', 'reader', 'writer']::name[])`,
	} {
		require.Empty(t, column(t, conn, sql), rule)
	}
}

func TestFilesOnlyGoForward(t *testing.T) {
	t.Parallel()
	names, err := filepath.Glob("0*.sql")
	require.NoError(t, err)
	require.NotEmpty(t, names)
	for _, name := range names {
		text, err := os.ReadFile(name)
		require.NoError(t, err)
		require.True(t, strings.HasPrefix(string(text), "-- +goose Up\n"), name)
		require.NotContains(t, string(text), "+goose Down", name)
		require.NotContains(t, string(text), "NO TRANSACTION", name)
	}
}

func TestWordsAreSortedAsPeopleDo(t *testing.T) {
	t.Parallel()
	conn := connect(t, migrationstest.Database(t).URL, "koprogo_projector")
	require.Equal(t, []string{"Ecole", "école", "Église", "Zèbre"}, column(t, conn, `
		select name from unnest(array['Zèbre', 'Église', 'école', 'Ecole']) as words (name)
		order by name collate read.words`))
	require.True(t, one[bool](t, conn, "select 'Église' collate read.words ilike '%éG%'"))
	require.False(t, one[bool](t, conn, "select 'Ecole' collate read.words = 'école'"))
}

func TestLongValuesAreCompressedFast(t *testing.T) {
	t.Parallel()
	conn := connect(t, migrationstest.Database(t).URL, "koprogo_projector")
	require.Equal(t, []string{
		"log.events.data", "log.events.metadata", "read.divisions.amounts", "read.divisions.lots",
		"read.divisions.owners", "read.divisions.parts",
	}, column(t, conn, `
		select attrelid::regclass || '.' || attname from pg_attribute
		 where attcompression = 'l' order by 1`))
}
