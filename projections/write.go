package projections

import (
	"github.com/jackc/pgx/v5"
)

// liveStatements are those of the tables that readers read.
func liveStatements(table AnyTable) statements { return table.live() }

// rowBytes is what most rows are shorter than as JSON.
const rowBytes = 512

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
			rows, begun := puts[name]
			if !begun {
				rows = append(make([]byte, 0, rowBytes*shelf.changed()+1), '[')
			}
			d, err := shelf.dirty(rows)
			if err != nil {
				return nil, err
			}
			if d.put > 0 {
				puts[name] = d.rows
				if !begun {
					order = append(order, shelf.table())
				}
			}
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
		batch.Queue(sql(table).put, append(puts[table.Name()], ']'))
	}
	return changed, nil
}
