package queries

import (
	"context"
	"strconv"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/koprogo/koprogo/events"
	"github.com/koprogo/koprogo/eventstore"
)

// LogFilter chooses events of an organization's log. Zero values do not filter.
type LogFilter struct {
	Organization uuid.UUID
	Building     uuid.UUID
	Type         string
	Stream       events.Stream
	Actor        uuid.UUID
	From         time.Time // recorded then or later
	Before       time.Time // recorded before
	After        int64     // behind this position
	// Within limits an auditor to what his mandates name: one of them has to cover the event.
	// Nil is the whole organization.
	Within []Within
}

// Within is a mandate as a limit on events.
type Within struct {
	Buildings []uuid.UUID // any when empty
	From      time.Time   // recorded then or later; zero for any
	Before    time.Time   // recorded before; zero for any
}

func (f *LogFilter) conditions() conditions {
	var c conditions
	c.add("organization_id = ?", f.Organization)
	if f.Building != uuid.Nil {
		c.add(inBuildings, buildingsAnd(f.Building)...)
	}
	if f.Type != "" {
		c.add("type = ?", f.Type)
	}
	if !f.Stream.IsZero() {
		c.add("stream = ?", f.Stream.String())
	}
	if f.Actor != uuid.Nil {
		c.add("metadata ->> 'actor' = ?", f.Actor.String())
	}
	if !f.From.IsZero() {
		c.add("recorded_at >= ?", f.From)
	}
	if !f.Before.IsZero() {
		c.add("recorded_at < ?", f.Before)
	}
	if f.After > 0 {
		c.add("position > ?", f.After)
	}
	if f.Within != nil {
		c.within(f.Within)
	}
	return c
}

// inBuildings finds the events of buildings: those of their own streams and those of others, each
// by its index. buildingsAnd gives its arguments.
const inBuildings = "(stream = any(?) or building_id = any(?) and " +
	eventstore.OutsideBuildings + ")"

func buildingsAnd(buildings ...uuid.UUID) []any {
	streams := make([]string, len(buildings))
	for i, id := range buildings {
		streams[i] = events.Stream{Category: events.BuildingCategory, ID: id}.String()
	}
	return []any{streams, buildings}
}

// within adds that one of the mandates covers the event; no mandate covers nothing.
func (c *conditions) within(mandates []Within) {
	covered := "false"
	var args []any
	for _, m := range mandates {
		covered += " or (true"
		if len(m.Buildings) > 0 {
			covered += " and " + inBuildings
			args = append(args, buildingsAnd(m.Buildings...)...)
		}
		if !m.From.IsZero() {
			covered, args = covered+" and recorded_at >= ?", append(args, m.From)
		}
		if !m.Before.IsZero() {
			covered, args = covered+" and recorded_at < ?", append(args, m.Before)
		}
		covered += ")"
	}
	c.add("("+covered+")", args...)
}

// unfiltered tells that every event of the log is meant: then its head says how many there are.
func (f *LogFilter) unfiltered() bool {
	return f.Within == nil && f.Building == uuid.Nil && f.Type == "" && f.Stream.IsZero() &&
		f.Actor == uuid.Nil && f.From.IsZero() && f.Before.IsZero() && f.After == 0
}

// recorded reads one page of events that the filter chooses, and how many it chooses.
func (r *Reader) recorded(
	ctx context.Context, f LogFilter, p Page,
) (listed Listed[eventstore.Recorded], err error) {
	total := f.conditions()
	totalSQL := "select count(*) from log.events" + total.where()
	if f.unfiltered() {
		totalSQL = headSQL
	}
	rowsSQL, args, err := eventRows(f.conditions(), p)
	if err != nil {
		return listed, err
	}
	_, err = r.read(ctx, In(f.Organization), nil, func(batch *pgx.Batch) {
		batch.Queue(totalSQL, total.args...).QueryRow(number(&listed.Total))
		batch.Queue(rowsSQL, args...).Query(many(&listed.Items,
			func(row pgx.CollectableRow) (eventstore.Recorded, error) {
				return eventstore.ScanRecorded(row)
			}))
	})
	if err != nil {
		return listed, err
	}
	var more bool
	if listed.Items, more = cut(listed.Items, p.Size); more {
		last := listed.Items[len(listed.Items)-1].Position
		listed.Next = strconv.AppendInt(nil, last, 10)
	}
	return listed, nil
}

// eventRows is the SQL of a page of events, one row longer than asked for.
func eventRows(c conditions, p Page) (string, []any, error) {
	direction, beyond := " asc", ">"
	if p.Descending {
		direction, beyond = " desc", "<"
	}
	offset := (p.Number - 1) * p.Size
	if p.After != nil {
		after, err := strconv.ParseInt(string(p.After), 10, 64)
		if err != nil {
			return "", nil, ErrBadMark
		}
		offset = 0
		c.add("position "+beyond+" ?", after)
	}
	text := "select " + eventstore.Columns + " from log.events" + c.where() +
		" order by position" + direction
	page := conditions{args: c.args}
	page.add(" limit ? offset ?", p.Size+1, max(0, offset))
	return text + page.texts[0], page.args, nil
}

// AuditLog lists events of an organization's log, by position.
func (r *Reader) AuditLog(ctx context.Context, f LogFilter, p Page) (Listed[Entry], error) {
	listed, err := r.recorded(ctx, f, p)
	if err != nil {
		return Listed[Entry]{}, err
	}
	entries, err := r.entries(ctx, f.Organization, listed.Items)
	return Listed[Entry]{Items: entries, Total: listed.Total, Next: listed.Next}, err
}

// AuditEntry is the event at a position; ErrNotFound when there is none that within covers.
func (r *Reader) AuditEntry(
	ctx context.Context, organization uuid.UUID, position int64, within []Within,
) (Entry, error) {
	f := LogFilter{Organization: organization, Within: within}
	c := f.conditions()
	c.add("position = ?", position)
	text := "select " + eventstore.Columns + " from log.events" + c.where()
	var recorded eventstore.Recorded
	_, err := r.read(ctx, In(organization), nil, func(batch *pgx.Batch) {
		batch.Queue(text, c.args...).Query(one(&recorded,
			func(row pgx.CollectableRow) (eventstore.Recorded, error) {
				return eventstore.ScanRecorded(row)
			}))
	})
	if err != nil {
		return Entry{}, err
	}
	entries, err := r.entries(ctx, organization, []eventstore.Recorded{recorded})
	if err != nil {
		return Entry{}, err
	}
	return entries[0], nil
}
