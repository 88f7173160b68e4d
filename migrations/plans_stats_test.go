package migrations_test

import (
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/koprogo/koprogo/migrations/migrationstest"
)

// What a landing page lists of charges is found by an index made for it: its cost does not grow
// with what is neither urgent nor paid last.
func TestWhatLandingPagesListIsFoundByIndex(t *testing.T) {
	t.Parallel()
	db := migrationstest.Database(t)
	organization, building := uuid.UUID{15: 7}, uuid.UUID{14: 1, 15: 1}
	projector := connect(t, db.URL, "koprogo_projector")
	exec(t, projector, `
		insert into read.charges (organization_id, id, version, position, building_id, kind,
			category, date, due_date, paid_on, approval_status, payment_status, priced, net, vat,
			gross, lines, line_texts, submitted_at, created_at, updated_at)
		select overlay('00000000-0000-0000-0000-000000000000' placing to_char(i % 10, 'fm00')
			from 35)::uuid, gen_random_uuid(), 1, i,
			overlay('00000000-0000-0000-0000-000000000100' placing to_char(i / 10 % 50, 'fm00')
			from 35)::uuid, 'invoice', 'works', '2026-01-01', date '2026-01-01' + i % 900,
			case when i % 97 > 2 then date '2026-01-01' + i % 900 end,
			case when i % 97 = 0 then 'pending_approval' else 'approved' end,
			case when i % 97 = 1 then 'overdue' when i % 97 = 2 or i % 97 = 0 then 'pending'
				else 'paid' end,
			'gross', 1, 0, 1, '[]', '{}', now() - i * interval '1 minute', now(), now()
		from generate_series(1, 40000) as i`)
	exec(t, projector, `
		insert into read.lot_figures
		select overlay('00000000-0000-0000-0000-000000000000' placing to_char(i % 10, 'fm00')
			from 35)::uuid, gen_random_uuid(), 5, 1000 - (i / 10 % 50 = 0)::int, 1000,
			(i / 10 % 50 = 1)::int
		from generate_series(1, 20000) as i`)
	exec(t, projector, `
		insert into read.overdue_owners
		select overlay('00000000-0000-0000-0000-000000000000' placing to_char(i % 10, 'fm00')
			from 35)::uuid, gen_random_uuid(),
			overlay('00000000-0000-0000-0000-000000000100' placing to_char(i / 10 % 50, 'fm00')
			from 35)::uuid, gen_random_uuid(), 1
		from generate_series(1, 20000) as i`)
	exec(t, projector, "analyze read.charges, read.lot_figures, read.overdue_owners")

	reader := connect(t, db.URL, "koprogo_reader")
	exec(t, reader, "begin")
	exec(t, reader, "select log.enter_organization($1)", organization)
	of := " where organization_id = '" + organization.String() + "' and "
	for sql, index := range map[string]string{
		"select * from read.charges" + of + "payment_status = 'overdue'" +
			" order by due_date, id limit 50": "charges_overdue_idx",
		"select * from read.charges" + of + "approval_status = 'approved'" +
			" and payment_status = 'pending' and due_date <= date '2026-02-01'" +
			" order by due_date, id limit 50": "charges_due_idx",
		"select * from read.charges" + of + "approval_status = 'pending_approval'" +
			" and submitted_at <= now() order by submitted_at, id limit 50": "charges_pending_idx",
		"select * from read.charges" + of + "payment_status = 'paid'" +
			" order by paid_on desc, id desc limit 50": "charges_paid_idx",
		"select * from read.charges" + of + "approval_status = 'approved'" +
			" and payment_status = 'pending' and building_id = any(array['" +
			building.String() + "']::uuid[])": "charges_unpaid_idx",
		"select * from read.lot_figures" + of + "lots > 0 and shares <> total_shares" +
			" order by id limit 50": "lot_figures_uneven_idx",
		"select * from read.lot_figures" + of + "vacant > 0": "lot_figures_vacant_idx",
		"select count(distinct owner_id) from read.overdue_owners" + of +
			"scope_id = any(array['" + building.String() + "']::uuid[])": "overdue_owners_scope_idx",
	} {
		found := plan(t, reader, sql)
		require.Contains(t, found, index, sql)
		require.NotContains(t, found, "Seq Scan", sql)
	}
	exec(t, reader, "commit")
}
