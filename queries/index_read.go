package queries

import (
	"context"
	"fmt"
	"strings"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/koprogo/koprogo/events"
)

// How many rows an index opens at once where it reads all of them, and fetches at once where it
// knows which.
const (
	indexPage = 4_000
	indexSome = 500
)

func (d *indexing[T]) columns() string {
	return "organization_id, id, position, created_at, " + strings.Join(d.texts, ", ")
}

// allSQL is all rows of a span, someSQL those of places, positionsSQL where all stand.
func (d *indexing[T]) allSQL(every bool) string {
	text := "select " + d.columns() + " from read." + d.table
	if every {
		return text + " order by organization_id" // each organization's keys are read at once
	}
	return text + " where organization_id = $1"
}

func (d *indexing[T]) someSQL(every bool) string {
	return "select " + d.columns() + " from read." + d.table + wherePlaces(every)
}

// wherePlaces finds rows by id in the organization, or in those, that are the first parameter. One
// organization is no array of one, for which PostgreSQL plans to read all of it.
func wherePlaces(every bool) string {
	if every {
		return " where organization_id = any($1) and id = any($2)"
	}
	return " where organization_id = $1 and id = any($2)"
}

// placesArgs are the parameters of wherePlaces.
func placesArgs(span Span, places []indexPlace) []any {
	organizations, ids := apart(places)
	if span.Every {
		return []any{organizations, ids}
	}
	return []any{span.Organization, ids}
}

func (d *indexing[T]) positionsSQL(every bool) string {
	text := "select organization_id, id, position from read." + d.table
	if every {
		return text
	}
	return text + " where organization_id = $1"
}

func (d *indexing[T]) statements() []string {
	return []string{
		d.allSQL(false), d.allSQL(true), d.someSQL(false), d.someSQL(true),
		d.positionsSQL(false), d.positionsSQL(true),
	}
}

func (d *indexing[T]) scan(row pgx.CollectableRow) (scanned indexRow, err error) {
	scanned.sealed = make([]string, len(d.texts))
	into := []any{
		&scanned.organization, &scanned.id, &scanned.position, &scanned.created,
	}
	for i := range scanned.sealed {
		into = append(into, &scanned.sealed[i])
	}
	return scanned, row.Scan(into...)
}

// readAll calls fn with the entries of the whole span, some at a time, while they are read: by one
// statement, since pages of it would each have to be found and sorted.
func (i *index[T]) readAll(
	ctx context.Context, r *Reader, fn func([]*indexEntry),
) error {
	text, args := i.of.allSQL(i.span.Every), []any{i.span.Organization}
	if i.span.Every {
		args = nil
	}
	some := make([]indexRow, 0, indexPage)
	flush := func() error {
		entries, err := i.open(ctx, r, some)
		if err == nil {
			fn(entries)
		}
		some = some[:0]
		return err
	}
	_, err := r.read(ctx, i.span, i.of.model, func(batch *pgx.Batch) {
		batch.Queue(text, args...).Query(func(rows pgx.Rows) error {
			for rows.Next() {
				row, err := i.of.scan(rows)
				if err != nil {
					return err
				}
				if some = append(some, row); len(some) < indexPage {
					continue
				}
				if err := flush(); err != nil {
					return err
				}
			}
			return rows.Err()
		})
	})
	if err != nil {
		return err
	}
	return flush()
}

// readSome returns the entries of those places that have a row.
func (i *index[T]) readSome(
	ctx context.Context, r *Reader, places []indexPlace,
) ([]*indexEntry, error) {
	var rows []indexRow
	_, err := r.read(ctx, i.span, i.of.model, func(batch *pgx.Batch) {
		batch.Queue(i.of.someSQL(i.span.Every), placesArgs(i.span, places)...).
			Query(many(&rows, i.of.scan))
	})
	if err != nil {
		return nil, err
	}
	wanted := make(map[indexPlace]bool, len(places))
	for _, place := range places {
		wanted[place] = true
	}
	kept := rows[:0]
	for _, row := range rows {
		if wanted[row.indexPlace] {
			kept = append(kept, row)
		}
	}
	return i.open(ctx, r, kept)
}

func (i *index[T]) readPositions(
	ctx context.Context, r *Reader,
) (map[indexPlace]int64, error) {
	text, args := i.of.positionsSQL(i.span.Every), []any{i.span.Organization}
	if i.span.Every {
		args = nil
	}
	there := make(map[indexPlace]int64, i.entries.Len())
	_, err := r.read(ctx, i.span, i.of.model, func(batch *pgx.Batch) {
		batch.Queue(text, args...).Query(func(rows pgx.Rows) error {
			var at indexPlace
			var position int64
			_, err := pgx.ForEachRow(rows, []any{&at.organization, &at.id, &position},
				func() error {
					there[at] = position
					return nil
				})
			return err
		})
	})
	return there, err
}

// open makes entries of rows; an erased person's texts are "".
func (i *index[T]) open(
	ctx context.Context, r *Reader, rows []indexRow,
) ([]*indexEntry, error) {
	texts, err := openByOrganization(ctx, r, rows, func(row *indexRow) (uuid.UUID, []string) {
		return row.organization, row.sealed
	})
	if err != nil {
		return nil, err
	}
	entries := make([]*indexEntry, len(rows))
	for n := range rows {
		row := &rows[n]
		entries[n] = &indexEntry{row.indexPlace, row.position, row.created.UnixMicro(), texts[n]}
	}
	return entries, nil
}

// openByOrganization opens the sealed texts of rows, each under its organization's keys; an erased
// person's are "".
func openByOrganization[R any](
	ctx context.Context, r *Reader, rows []R, of func(*R) (uuid.UUID, []string),
) ([][]string, error) {
	opened := make([][]string, len(rows))
	for begin := 0; begin < len(rows); {
		organization, _ := of(&rows[begin])
		var sealed []events.Personal
		end := begin
		for ; end < len(rows); end++ {
			at, texts := of(&rows[end])
			if at != organization {
				break
			}
			for _, text := range texts {
				sealed = append(sealed, events.SealedText(text))
			}
		}
		clear, err := r.keyring.OpenAll(ctx, organization, sealed)
		if err != nil {
			return nil, fmt.Errorf("open names: %w", err)
		}
		for ; begin < end; begin++ {
			_, texts := of(&rows[begin])
			opened[begin], clear = clear[:len(texts):len(texts)], clear[len(texts):]
		}
	}
	return opened, nil
}

// apart gives places as two arrays: organizations, each once, and ids.
func apart(places []indexPlace) (organizations, ids []uuid.UUID) {
	seen := map[uuid.UUID]bool{}
	for _, place := range places {
		if ids = append(ids, place.id); !seen[place.organization] {
			seen[place.organization] = true
			organizations = append(organizations, place.organization)
		}
	}
	return organizations, ids
}
