package projections

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/segmentio/encoding/json"

	"github.com/koprogo/koprogo/eventstore"
)

// Copy holds rows of one organization's read models in memory. It is for one goroutine while
// events are applied; a copy that nobody applies to any more may be read by many.
type Copy struct {
	organization uuid.UUID
	shelves      map[string]anyShelf
	tracks       bool // whether rows before their change are kept, for changes
}

// NewCopy makes an empty copy for an organization.
func NewCopy(organization uuid.UUID) *Copy {
	return &Copy{organization: organization, shelves: map[string]anyShelf{}}
}

// Fresh holds the rows that one append made: those of things that began with it. What it changed of
// older things is not in it.
func Fresh(recorded []eventstore.Recorded) (*Copy, error) {
	if len(recorded) == 0 {
		return nil, nil
	}
	made := NewCopy(recorded[0].Organization)
	for i := range recorded {
		r := recorded[i]
		if len(r.Subjects) > 0 { // the writer's event holds clear texts, a row sealed ones
			if err := r.Decode(); err != nil {
				return nil, err
			}
		}
		for j := range All {
			if err := All[j].apply(&Batch{copy: made}, &r); err != nil {
				return nil, err
			}
		}
	}
	return made, nil
}

// Organization is whose rows these are.
func (c *Copy) Organization() uuid.UUID { return c.organization }

// size counts the rows held.
func (c *Copy) size() int {
	n := 0
	for _, shelf := range c.shelves {
		n += shelf.size()
	}
	return n
}

// touched counts the rows that the tables do not hold yet.
func (c *Copy) touched() int {
	n := 0
	for _, shelf := range c.shelves {
		n += shelf.changed()
	}
	return n
}

// clone gives a copy to apply more to, while others read this one.
func (c *Copy) clone() *Copy {
	other := NewCopy(c.organization)
	for name, shelf := range c.shelves {
		other.shelves[name] = shelf.clone()
	}
	return other
}

// Change is what happened to one row. Before and After are the row by column, as JSON; nil where
// there was none.
type Change struct {
	Table  string
	ID     string
	Before map[string]json.RawMessage
	After  map[string]json.RawMessage
}

// trackChanges makes changes tell what is applied from here on.
func (c *Copy) trackChanges() {
	c.tracks = true
	for _, shelf := range c.shelves {
		shelf.track()
	}
}

func (c *Copy) forgetChanges() {
	for _, shelf := range c.shelves {
		shelf.forget()
	}
}

// changes returns what Apply did since the last call, by table and id; the copy must track.
func (c *Copy) changes() ([]Change, error) {
	var all []Change
	for _, name := range slices.Sorted(maps.Keys(c.shelves)) {
		changes, err := c.shelves[name].changes()
		if err != nil {
			return nil, err
		}
		all = append(all, changes...)
	}
	return all, nil
}

// anyShelf is the rows of one table in a copy.
type anyShelf interface {
	size() int
	changed() int
	table() AnyTable
	dirty(rows []byte) (dirty, error)
	settle()
	track()
	forget()
	compare(before anyShelf)
	changes() ([]Change, error)
	clone() anyShelf
	empty() anyShelf
}

// dirty is what a shelf holds and its table does not yet.
type dirty struct {
	rows    []byte   // rows to put: JSON objects, comma separated, behind an opening bracket
	put     int      // how many
	gone    any      // ids to delete, as an array parameter; nil when none
	changed []string // ids of both
}

// fetch is a select of rows by id and what becomes of them.
type fetch struct {
	from AnyTable
	keys any
	take func(pgx.Rows) error
}

type entry[R any] struct {
	row     R
	present bool
}

type shelf[K ID, R Row[K]] struct {
	of      *Table[K, R]
	rows    map[K]entry[R]
	touched map[K]struct{}
	was     map[K]entry[R] // before the changes; nil when nobody tracks them
}

func shelfOf[K ID, R Row[K]](c *Copy, t *Table[K, R]) *shelf[K, R] {
	if held, ok := c.shelves[t.name]; ok {
		return held.(*shelf[K, R])
	}
	made := &shelf[K, R]{of: t, rows: map[K]entry[R]{}, touched: map[K]struct{}{}}
	if c.tracks {
		made.was = map[K]entry[R]{}
	}
	c.shelves[t.name] = made
	return made
}

func (s *shelf[K, R]) size() int       { return len(s.rows) }
func (s *shelf[K, R]) changed() int    { return len(s.touched) }
func (s *shelf[K, R]) table() AnyTable { return s.of }

func (s *shelf[K, R]) set(id K, to entry[R]) {
	if s.was != nil {
		if _, noted := s.was[id]; !noted {
			s.was[id] = s.rows[id]
		}
	}
	s.rows[id] = to
	s.touched[id] = struct{}{}
}

// missing keeps the ids that the shelf knows nothing about.
func (s *shelf[K, R]) missing(ids []K) []K {
	var unknown []K
	for _, id := range ids {
		if _, known := s.rows[id]; !known {
			unknown = append(unknown, id)
		}
	}
	return unknown
}

// fetch keeps the rows it loads, and that the other ids have none.
func (s *shelf[K, R]) fetch(ids []K) fetch {
	return fetch{from: s.of, keys: ids, take: func(rows pgx.Rows) error {
		loaded, err := pgx.CollectRows(rows, s.of.Scan)
		if err != nil {
			return fmt.Errorf("load rows of %s: %w", s.of.name, err)
		}
		for _, id := range ids {
			s.rows[id] = entry[R]{}
		}
		for _, row := range loaded {
			s.rows[row.RowID()] = entry[R]{row: row, present: true}
		}
		return nil
	}}
}

// dirty appends the changed rows to a JSON array under construction and names the ids.
func (s *shelf[K, R]) dirty(rows []byte) (dirty, error) {
	d := dirty{rows: rows}
	var gone []K
	for id := range s.touched {
		d.changed = append(d.changed, id.String())
		held := s.rows[id]
		if !held.present {
			gone = append(gone, id)
			continue
		}
		if len(d.rows) > 1 { // more than the bracket that opens them
			d.rows = append(d.rows, ',')
		}
		var err error
		if d.rows, err = json.Append(d.rows, &held.row, 0); err != nil {
			return d, fmt.Errorf("write a row of %s: %w", s.of.name, err)
		}
		d.put++
	}
	if gone != nil {
		d.gone = gone
	}
	return d, nil
}

// settle says that the table holds what the shelf holds.
func (s *shelf[K, R]) settle() { clear(s.touched) }

func (s *shelf[K, R]) changes() ([]Change, error) {
	var changes []Change
	for _, id := range sorted(s.was) {
		change := Change{Table: s.of.name, ID: id.String()}
		var err error
		if change.Before, err = columnsOf(s.was[id]); err != nil {
			return nil, err
		}
		if change.After, err = columnsOf(s.rows[id]); err != nil {
			return nil, err
		}
		if !maps.EqualFunc(change.Before, change.After, sameJSON) {
			changes = append(changes, change)
		}
	}
	clear(s.was)
	return changes, nil
}

func (s *shelf[K, R]) clone() anyShelf {
	return &shelf[K, R]{of: s.of, rows: maps.Clone(s.rows), touched: map[K]struct{}{}}
}

// empty is a shelf of the same table with nothing in it, which tracks changes.
func (s *shelf[K, R]) empty() anyShelf {
	return &shelf[K, R]{
		of: s.of, rows: map[K]entry[R]{}, touched: map[K]struct{}{}, was: map[K]entry[R]{},
	}
}

func (s *shelf[K, R]) track()  { s.was = map[K]entry[R]{} }
func (s *shelf[K, R]) forget() { clear(s.was) }

// compare takes every row that either shelf holds as changed from what it was in before, which may
// be nil.
func (s *shelf[K, R]) compare(before anyShelf) {
	for id := range s.rows {
		s.was[id] = entry[R]{}
	}
	if earlier, ok := before.(*shelf[K, R]); ok {
		maps.Copy(s.was, earlier.rows)
	}
}

// columnsOf gives a row by column; nil for none.
func columnsOf[R any](e entry[R]) (map[string]json.RawMessage, error) {
	if !e.present {
		return nil, nil
	}
	text, err := json.Marshal(&e.row)
	if err != nil {
		return nil, fmt.Errorf("write a row: %w", err)
	}
	columns := map[string]json.RawMessage{}
	if err := json.Unmarshal(text, &columns); err != nil {
		return nil, fmt.Errorf("read a row: %w", err)
	}
	return columns, nil
}

func sameJSON(a, b json.RawMessage) bool { return bytes.Equal(a, b) }

func sorted[K ID, V any](of map[K]V) []K {
	return slices.SortedFunc(maps.Keys(of), func(a, b K) int {
		return strings.Compare(a.String(), b.String())
	})
}
