package queries

import (
	"context"
	"fmt"
	"strings"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/koprogo/koprogo/events"
	"github.com/koprogo/koprogo/projections"
)

// source is where the things of one kind are read: by id, in pages, or as they were. A noun's file
// says what its source is, what its lists filter by and what it makes of a row.
type source[R projections.Row[uuid.UUID]] struct {
	table *projections.Table[uuid.UUID, R]
	model []string             // the read models that its reads wait for
	total projections.Resource // the counter that tells how many there are in all; "" where none does
	sorts []sorting[R]         // what lists may be sorted by, the default first
	whose func(*R) uuid.UUID   // the organization
	scope func(id uuid.UUID) projections.Scope
}

// sorting is an order of a list: its name, the expression that the database sorts by with the SQL
// type of its values, and that value in a row.
type sorting[R any] struct {
	name, expression, kind string
	value                  func(*R) any
}

// streamOf is the scope of a thing that has a stream of its own.
func streamOf(category string) func(id uuid.UUID) projections.Scope {
	return func(id uuid.UUID) projections.Scope {
		return projections.Scope{Streams: []events.Stream{{Category: category, ID: id}}}
	}
}

// selects is the SQL of whole rows.
func (s *source[R]) selects() string {
	return "select " + s.table.Columns() + " from read." + s.table.Name()
}

// sorted is the order of that name, the default one for none.
func (s *source[R]) sorted(name string) (sorting[R], error) {
	for _, by := range s.sorts {
		if name == "" || by.name == name {
			return by, nil
		}
	}
	return sorting[R]{}, fmt.Errorf("sort read.%s: no order is called %q", s.table.Name(), name)
}

// sortNames are the names of its orders, the default first.
func (s *source[R]) sortNames() []string {
	names := make([]string, len(s.sorts))
	for i := range s.sorts {
		names[i] = s.sorts[i].name
	}
	return names
}

// conditions are those on what a span shows.
func (s Span) conditions() (c conditions) {
	if !s.Every {
		c.add("organization_id = ?", s.Organization)
	}
	return c
}

// listing asks for a page of a source: what of it is in the span and passes the filter, which adds
// its conditions.
type listing struct {
	span   Span
	filter func(*conditions)
	page   Page
}

func (l *listing) conditions() conditions {
	c := l.span.conditions()
	l.filter(&c)
	return c
}

// rowsSQL reads a page, one row longer than asked for. Rows are sorted by the expression and then,
// so that the order is total, by id and, over all organizations, by theirs.
func (s *source[R]) rowsSQL(l listing) (string, []any, error) {
	by, err := s.sorted(l.page.Sort)
	if err != nil {
		return "", nil, err
	}
	c := l.conditions()
	direction, beyond := " asc", ">"
	if l.page.Descending {
		direction, beyond = " desc", "<"
	}
	keys := []string{by.expression, s.table.Key()}
	if l.span.Every && s.table.Key() != "organization_id" {
		keys = append(keys, "organization_id")
	}
	offset := (l.page.Number - 1) * l.page.Size
	if l.page.After != nil {
		offset = 0
		values, args, err := afterMark(l.page.After, by.kind, len(keys))
		if err != nil {
			return "", nil, err
		}
		c.add("("+strings.Join(keys, ", ")+") "+beyond+" "+values, args...)
	}
	text := s.selects() + c.where() + " order by " + strings.Join(keys, direction+", ") + direction
	page := conditions{args: c.args}
	page.add(" limit ? offset ?", l.page.Size+1, max(0, offset))
	return text + page.texts[0], page.args, nil
}

// totalSQL tells how many rows the whole list has: the counter knows where nothing is filtered.
func (s *source[R]) totalSQL(l listing) (string, []any) {
	c, every := l.conditions(), l.span.conditions()
	if s.total == "" || len(c.texts) > len(every.texts) {
		return "select count(*) from read." + s.table.Name() + c.where(), c.args
	}
	every.add("resource = ?", s.total)
	return "select coalesce(sum(n), 0)::bigint from read.totals" + every.where(), every.args
}

// list reads a page.
func (s *source[R]) list(
	ctx context.Context, r *Reader, l listing,
) (listed Listed[R], err error) {
	rowsSQL, rowsArgs, err := s.rowsSQL(l)
	if err != nil {
		return listed, err
	}
	totalSQL, totalArgs := s.totalSQL(l)
	queue := func(batch *pgx.Batch) {
		batch.Queue(totalSQL, totalArgs...).QueryRow(number(&listed.Total))
		batch.Queue(rowsSQL, rowsArgs...).Query(many(&listed.Items, s.table.Scan))
	}
	if l.isFirst(s.sortNames()) {
		listed.at, listed.Stale, err = r.snapshot(ctx, l.span, s.model, queue)
	} else {
		listed.Stale, err = r.read(ctx, l.span, s.model, queue)
	}
	if err != nil {
		return listed, err
	}
	var more bool
	if listed.Items, more = cut(listed.Items, l.page.Size); more {
		last := &listed.Items[len(listed.Items)-1]
		by, err := s.sorted(l.page.Sort)
		if err != nil {
			return listed, err
		}
		listed.Next, err = writeMark(by.value(last), (*last).RowID(), s.whose(last))
		return listed, err
	}
	return listed, err
}

func (s *source[R]) byIDSQL(span Span, id uuid.UUID) (string, []any) {
	c := span.conditions()
	c.add(s.table.Key()+" = ?", id)
	return s.selects() + c.where() + " limit 1", c.args
}

// byID reads one row; ErrNotFound when the span has none of this id.
func (s *source[R]) byID(
	ctx context.Context, r *Reader, span Span, id uuid.UUID,
) (found Found[R], err error) {
	if row, made := s.table.Of(span.Fresh, id); made {
		return Found[R]{Item: row}, nil
	}
	text, args := s.byIDSQL(span, id)
	found.Stale, err = r.read(ctx, span, s.model, func(batch *pgx.Batch) {
		batch.Queue(text, args...).Query(one(&found.Item, s.table.Scan))
	})
	found.Position = found.Stale
	return found, err
}

// organizationOf tells whose the thing is; ErrNotFound when there is none. For a superadmin who
// names it only.
func (s *source[R]) organizationOf(
	ctx context.Context, r *Reader, id uuid.UUID,
) (uuid.UUID, error) {
	found, err := s.byID(ctx, r, Everywhere(), id)
	return s.whose(&found.Item), err
}

// rows reads all rows that a statement finds; the list is never nil.
func (s *source[R]) rows(
	ctx context.Context, r *Reader, span Span, text string, args ...any,
) (found Found[[]R], err error) {
	found.Stale, err = r.read(ctx, span, s.model, func(batch *pgx.Batch) {
		batch.Queue(text, args...).Query(many(&found.Item, s.table.Scan))
	})
	found.Position = found.Stale
	return found, err
}

// at is the row as it was at a moment: ErrPositionUnknown for one past the head or in the future,
// ErrNotFound for one before the thing was made or after it was removed. A day ends where the
// building stands; one that is not known stands in the default zone.
func (s *source[R]) at(
	ctx context.Context, r *Reader, organization, id, building uuid.UUID, moment Moment,
) (found Found[R], err error) {
	found.Position, err = r.position(ctx, organization, building, moment)
	if err != nil {
		return found, err
	}
	copied, err := r.travel.At(ctx, organization, s.scope(id), found.Position)
	if err != nil {
		return found, err
	}
	row, stood := s.table.Of(copied, id)
	if !stood {
		return found, ErrNotFound
	}
	found.Item = row
	return found, nil
}

// orElse is the number, or another one where there is none.
func orElse(n *int, other int) int {
	if n == nil {
		return other
	}
	return *n
}

// statements are its SQL texts in every shape that they take; filters are those of its lists, with
// nothing and with everything asked for.
func (s *source[R]) statements(filters ...func(*conditions)) ([]string, error) {
	var texts []string
	for _, span := range []Span{In(uuid.Nil), Everywhere()} {
		text, _ := s.byIDSQL(span, uuid.Nil)
		texts = append(texts, text)
		for _, filter := range filters {
			for _, page := range pagesOf(s.sortNames()) {
				l := listing{span, filter, page}
				rows, _, err := s.rowsSQL(l)
				if err != nil {
					return nil, err
				}
				total, _ := s.totalSQL(l)
				texts = append(texts, rows, total)
			}
		}
	}
	return texts, nil
}
