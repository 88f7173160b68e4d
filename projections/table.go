package projections

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/koprogo/koprogo/eventstore"
)

// ID tells a row from the others of its table and organization.
type ID interface {
	comparable
	fmt.Stringer
}

// Row is a row of a read model. Each field carries its column's name as json tag; a column that
// holds personal data also `personal:"true"`, its values being the events' sealed ones, copied.
type Row[K ID] interface{ RowID() K }

// Table is a table of schema read with rows R, each with an id K in its organization.
type Table[K ID, R Row[K]] struct {
	name     string
	key      string // the id's column
	columns  []string
	personal []string
	instants []int // fields that hold a time, which is UTC
	sql      statements
}

// statements are the constant SQL texts of a table.
type statements struct{ load, all, put, drop string }

// NewTable describes read.<name>, whose rows are told apart by the column key; the columns are
// the json tags of R, in the order of its fields.
func NewTable[K ID, R Row[K]](name, key string) *Table[K, R] {
	t := &Table[K, R]{name: name, key: key}
	shape := reflect.TypeFor[R]()
	for i := range shape.NumField() {
		field := shape.Field(i)
		column, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		t.columns = append(t.columns, column)
		if field.Tag.Get("personal") == "true" {
			t.personal = append(t.personal, column)
		}
		if field.Type == reflect.TypeFor[time.Time]() {
			t.instants = append(t.instants, i)
		}
	}
	t.sql = t.statements(name)
	return t
}

// Name is the table's name in schema read.
func (t *Table[K, R]) Name() string { return t.name }

// Key is the column that tells rows of an organization apart.
func (t *Table[K, R]) Key() string { return t.key }

// Columns are the columns of a row, comma separated, as Scan reads them.
func (t *Table[K, R]) Columns() string { return strings.Join(t.columns, ", ") }

// Personal names the columns that hold sealed values.
func (t *Table[K, R]) Personal() []string { return t.personal }

// SQL lists the statements that the table sends, for a test to prepare.
func (t *Table[K, R]) SQL() []string {
	return []string{t.sql.load, t.sql.all, t.sql.put, t.sql.drop}
}

func (t *Table[K, R]) live() statements { return t.sql }

// Scan reads a row of Columns; instants come out in UTC.
func (t *Table[K, R]) Scan(row pgx.CollectableRow) (R, error) {
	scanned, err := pgx.RowToStructByPos[R](row)
	if err == nil && len(t.instants) > 0 {
		fields := reflect.ValueOf(&scanned).Elem()
		for _, i := range t.instants {
			at := fields.Field(i).Addr().Interface().(*time.Time)
			*at = at.UTC()
		}
	}
	return scanned, err
}

// Get returns the row; false when there is none.
func (t *Table[K, R]) Get(b *Batch, id K) (R, bool, error) {
	shelf := shelfOf(b.copy, t)
	held, known := shelf.rows[id]
	if !known && b.load != nil {
		if err := b.load(shelf.fetch([]K{id})); err != nil {
			return held.row, false, err
		}
		held = shelf.rows[id]
	}
	return held.row, held.present, nil
}

// Need loads the rows that are not there yet at once, for Get to find.
func (t *Table[K, R]) Need(b *Batch, ids ...K) error {
	shelf := shelfOf(b.copy, t)
	missing := shelf.missing(ids)
	if b.load == nil || len(missing) == 0 {
		return nil
	}
	return b.load(shelf.fetch(missing))
}

// Put writes the row, new or in place of the one with its id.
func (t *Table[K, R]) Put(b *Batch, row R) {
	shelfOf(b.copy, t).set(row.RowID(), entry[R]{row: row, present: true})
}

// Delete takes the row away, if there is one.
func (t *Table[K, R]) Delete(b *Batch, id K) {
	shelfOf(b.copy, t).set(id, entry[R]{})
}

// Update changes the row in place. A row that is not there is left alone: the thing has ended.
func (t *Table[K, R]) Update(b *Batch, id K, change func(*R)) error {
	row, found, err := t.Get(b, id)
	if err != nil || !found {
		return err
	}
	change(&row)
	t.Put(b, row)
	return nil
}

// Of returns the row as a copy holds it; false when it has none, and for no copy.
func (t *Table[K, R]) Of(c *Copy, id K) (R, bool) {
	if c == nil {
		var none R
		return none, false
	}
	shelf, held := c.shelves[t.name].(*shelf[K, R])
	if !held {
		var none R
		return none, false
	}
	found := shelf.rows[id]
	return found.row, found.present
}

// All returns the rows that a copy holds, by id.
func (t *Table[K, R]) All(c *Copy) []R {
	shelf, held := c.shelves[t.name].(*shelf[K, R])
	if !held {
		return nil
	}
	rows := make([]R, 0, len(shelf.rows))
	for _, id := range sorted(shelf.rows) {
		if found := shelf.rows[id]; found.present {
			rows = append(rows, found.row)
		}
	}
	return rows
}

// statements writes the SQL of a table of the given name: the live one, or the one that a rebuild
// fills. Rows travel as JSON, so that a table has one constant text however many rows are put;
// PostgreSQL turns the columns into their types by the table's own row type.
func (t *Table[K, R]) statements(name string) statements {
	columns := t.Columns()
	keys := []string{"organization_id"}
	if t.key != "organization_id" {
		keys = append(keys, t.key)
	}
	var sets []string
	for _, column := range t.columns {
		if !slices.Contains(keys, column) {
			sets = append(sets, column+" = excluded."+column)
		}
	}
	return statements{
		load: `select ` + columns + ` from ` + t.named(name),
		all:  `select ` + columns + ` from read.` + name + ` where organization_id = $1`,
		put: `insert into read.` + name + ` (` + columns + `) select ` + columns +
			` from json_populate_recordset(null::read.` + name + `, $1)` +
			` on conflict (` + strings.Join(keys, ", ") + `) do update set ` +
			strings.Join(sets, ", "),
		drop: `delete from read.` + name + ` where organization_id = $1 and ` + t.key +
			` = any($2)`,
	}
}

// named is a from clause: the rows of an organization, the first parameter, whose keys are in an
// array, the second. They are looked up one by one. Of a key in an array PostgreSQL thinks, while
// the table is small, that reading the organization's rows by any index costs less, and goes on so
// when it has grown.
func (t *Table[K, R]) named(name string) string {
	kind := "text"
	if reflect.TypeFor[K]() == reflect.TypeFor[uuid.UUID]() {
		kind = "uuid"
	}
	return `unnest($2::` + kind + `[]) as wanted (key), lateral (select * from read.` + name +
		` where organization_id = $1 and ` + t.key + ` = wanted.key limit 1) as found`
}

// AnyTable is a Table of some row type.
type AnyTable interface {
	Name() string
	Columns() string
	Personal() []string
	SQL() []string
	live() statements
	statements(name string) statements
	fetchIDs(c *Copy, ids []uuid.UUID) (fetch, bool)
	readAll(ctx context.Context, q eventstore.Querier, into *Copy) error
}

// fetchIDs asks for the rows of these ids; false when all are known.
func (t *Table[K, R]) fetchIDs(c *Copy, ids []uuid.UUID) (fetch, bool) {
	keys, ok := any(ids).([]K)
	if !ok {
		return fetch{}, false
	}
	shelf := shelfOf(c, t)
	missing := shelf.missing(keys)
	return shelf.fetch(missing), len(missing) > 0
}
