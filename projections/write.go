package projections

import (
	"github.com/jackc/pgx/v5"
)

// liveStatements are those of the tables that readers read.
func liveStatements(table AnyTable) statements { return table.live() }

// queueRows queues what copies hold and the tables do not: one statement a table for the rows to
// put, one a table and organization for those to delete. It tells which rows changed, by copy and
// table.
func queueRows(
	batch *pgx.Batch, copies []*Copy, sql func(AnyTable) statements,
) (map[*Copy]map[string][]string, error) {
	changed := make(map[*Copy]map[string][]string, len(copies))
	puts := map[string][]byte{}
	var order []AnyTable
	for _, c := range copies {
		changed[c] = map[string][]string{}
		for name, shelf := range c.shelves {
			d, err := shelf.dirty(puts[name])
			if err != nil {
				return nil, err
			}
			if len(puts[name]) == 0 && len(d.rows) > 0 {
				order = append(order, shelf.table())
			}
			puts[name] = d.rows
			if d.gone != nil {
				batch.Queue(sql(shelf.table()).drop, c.organization, d.gone)
			}
			if len(d.changed) > 0 {
				changed[c][name] = d.changed
			}
			shelf.settle()
		}
	}
	for _, table := range order {
		rows := puts[table.Name()]
		batch.Queue(sql(table).put, "["+string(rows)+"]")
	}
	return changed, nil
}
