package migrations_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/koprogo/koprogo/eventstore"
	"github.com/koprogo/koprogo/migrations/migrationstest"
)

// A page costs the same wherever it lies: it is read in the order of an index, never sorted, with
// row-level security in the way and a plan made once for pages of any size.
func TestPagesOfBuildingsAreReadInOrder(t *testing.T) {
	t.Parallel()
	db := migrationstest.Database(t)
	organization := uuid.UUID{15: 7}
	projector := connect(t, db.URL, "koprogo_projector")
	exec(t, projector, `
		insert into read.buildings (organization_id, id, version, position, name, address, city,
			postal_code, country, lots, shares, construction_year, zone, created_at, updated_at)
		select overlay('00000000-0000-0000-0000-000000000000' placing to_char(i % 10, 'fm00')
			from 35)::uuid, gen_random_uuid(), 1, i, 'Résidence ' || i, 'rue Haute ' || i,
			'Ville ' || i % 50, '1000', 'BE', i % 40, 10000000, nullif(1900 + i % 99, 1900),
			'Europe/Brussels', now() + i * interval '1 second', now()
		from generate_series(1, 10000) as i`)
	exec(t, projector, "analyze read.buildings")

	reader := enter(t, db.URL, organization)
	for order, index := range map[string]string{
		"created_at":                     "buildings_created_idx",
		"name":                           "buildings_name_idx",
		"lots":                           "buildings_lots_idx",
		"city":                           "buildings_city_idx",
		"coalesce(construction_year, 0)": "buildings_year_idx",
	} {
		requireInOrder(t, reader, "read.buildings", organization, order, index)
	}
	exec(t, reader, "commit")
}

func TestPagesOfLotsAreReadInOrder(t *testing.T) {
	t.Parallel()
	db := migrationstest.Database(t)
	organization, building := uuid.UUID{15: 7}, uuid.UUID{14: 1, 15: 1}
	projector := connect(t, db.URL, "koprogo_projector")
	exec(t, projector, `
		insert into read.lots (organization_id, id, version, position, building_id, number, type,
			floor, surface, shares, sort_key, owners, created_at, updated_at)
		select overlay('00000000-0000-0000-0000-000000000000' placing to_char(i % 10, 'fm00')
			from 35)::uuid, gen_random_uuid(), 1, i,
			overlay('00000000-0000-0000-0000-000000000100' placing to_char(i / 10 % 2, 'fm00')
			from 35)::uuid, 'A' || i, 'cellar', nullif(i % 40, 0), i % 997, 1, 'a' || i, '[]',
			now() + i * interval '1 second', now()
		from generate_series(1, 20000) as i`)
	exec(t, projector, "analyze read.lots")

	reader := enter(t, db.URL, organization)
	for order, index := range map[string]string{
		"number": "lots_number_idx", "coalesce(floor, -1000)": "lots_floor_idx",
		"surface": "lots_surface_idx", "created_at": "lots_created_idx",
	} {
		requireInOrder(t, reader, "read.lots", organization, order, index)
	}
	sql := "select * from read.lots where organization_id = '" + organization.String() +
		"' and building_id = '" + building.String() + "' order by number, id limit 20"
	require.Contains(t, plan(t, reader, sql), "lots_building_idx")
	require.NotContains(t, plan(t, reader, sql), "Sort")
	exec(t, reader, "commit")
}

func TestLotsAreSortedAsPeopleCount(t *testing.T) {
	t.Parallel()
	conn := connect(t, migrationstest.Database(t).URL, "koprogo_projector")
	require.Equal(t, []string{"A1", "A2", "A10", "B1"}, column(t, conn, `
		select number from unnest(array['A10', 'B1', 'A2', 'A1']) as lots (number)
		order by number collate read.numbers`))
}

// enter is a reader in an organization.
func enter(t *testing.T, url string, organization uuid.UUID) *pgx.Conn {
	t.Helper()
	reader := connect(t, url, "koprogo_reader")
	exec(t, reader, "begin")
	exec(t, reader, "set plan_cache_mode = force_generic_plan") // as eventstore's pools have it
	exec(t, reader, "select log.enter_organization($1)", organization)
	return reader
}

// requireInOrder checks that pages of a table, wherever they lie, are read along the index.
func requireInOrder(
	t *testing.T, reader *pgx.Conn, table string, organization uuid.UUID, order, index string,
) {
	t.Helper()
	rows := "from " + table + " where organization_id = '" + organization.String() + "'"
	bound := one[string](t, reader, fmt.Sprintf(
		"select format('(%%L, %%L)', %[1]s, id) %[2]s order by %[1]s, id offset 500 limit 1",
		order, rows))
	for _, page := range []string{
		fmt.Sprintf("order by %[1]s, id limit $1", order),
		fmt.Sprintf("order by %[1]s desc, id desc limit $1", order),
		fmt.Sprintf("and (%[1]s, id) > %[2]s order by %[1]s, id limit $1", order, bound),
	} {
		sql := "select * " + rows + " " + page
		exec(t, reader, "prepare page (bigint) as "+sql)
		require.Contains(t, plan(t, reader, "execute page (20)"), index, sql)
		require.NotContains(t, plan(t, reader, "execute page (20)"), "Sort", sql)
		exec(t, reader, "deallocate page")
	}
}

// The audit trail of buildings is found by two indexes: theirs and that of their other streams.
func TestEventsOfBuildingsAreFoundByIndexes(t *testing.T) {
	t.Parallel()
	db := migrationstest.Database(t)
	organization := uuid.UUID{15: 7}
	exec(t, connect(t, db.URL, "koprogo_writer"), `
		insert into log.events (organization_id, position, building_id, stream, version, id, type,
			schema, data, metadata, recorded_at, leaf_hash)
		select '`+organization.String()+`', i, b, case when i % 2 = 0 then 'charge-' || i
			else 'building-' || b end, i, gen_random_uuid(), 'x', 1, '{}', '{}', now(), sha256('')
		from (select i, overlay('00000000-0000-0000-0000-000000000000' placing
			to_char(i % 97, 'fm00') from 35)::uuid as b from generate_series(1, 20000) as i) as rows`)
	exec(t, connect(t, db.URL, ""), "analyze log.events")

	reader := enter(t, db.URL, organization)
	building := uuid.UUID{15: 7}.String()
	planned := plan(t, reader, `select * from log.events
		where organization_id = '`+organization.String()+`'
		and (stream = any('{building-`+building+`}') or building_id = any('{`+building+`}')
		     and `+eventstore.OutsideBuildings+`) order by position limit 20`)
	require.Contains(t, planned, "events_stream_key")
	require.Contains(t, planned, "events_building_idx")
	exec(t, reader, "commit")
}

// What is held about a person stands in his own streams, and elsewhere where the subjects' index
// has it.
func TestEventsAboutAPersonAreFoundByIndexes(t *testing.T) {
	t.Parallel()
	db := migrationstest.Database(t)
	organization, person := uuid.UUID{15: 7}, uuid.UUID{15: 9}
	writer := connect(t, db.URL, "koprogo_writer")
	exec(t, writer, `
		insert into log.events (organization_id, position, subjects, stream, version, id, type,
			schema, data, metadata, recorded_at, leaf_hash)
		select '`+organization.String()+`', i, array[s], case when i % 7 > 0 then 'owner-' || s
			else 'building-' || id end, i, case when i % 3 = 0 then s else id end, 'x', 1, '{}', '{}',
			now(), sha256('')
		from (select i, gen_random_uuid() as id, case when i > 19950 then '`+person.String()+`'::uuid
			else gen_random_uuid() end as s from generate_series(1, 20000) as i) as rows`)
	exec(t, connect(t, db.URL, ""), "analyze log.events")
	elsewhere := ` from log.events where organization_id = '` + organization.String() + `'
		and subjects @> array['` + person.String() + `'::uuid] and ` + eventstore.OutsideOwnStreams
	require.Contains(t, plan(t, writer, "select *"+elsewhere), "events_subjects_idx")
	all := one[int](t, writer, `select count(*)::int from log.events where subjects[1] = $1`, person)
	own := one[int](t, writer, `select count(*)::int from log.events where subjects[1] = $1
		and (stream = 'owner-' || $1 or id = $1)`, person)
	require.Equal(t, all, own+one[int](t, writer, "select count(*)::int"+elsewhere))
	require.Greater(t, all, own)
}

func plan(t *testing.T, conn *pgx.Conn, sql string) string {
	t.Helper()
	return strings.Join(column(t, conn, "explain "+sql), "\n")
}
