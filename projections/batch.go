package projections

import (
	"fmt"

	"github.com/google/uuid"

	"github.com/koprogo/koprogo/eventstore"
)

// Batch is what Apply works on: rows of one organization, in memory. Rows that are not there yet
// are loaded when asked for; in time travel and in a rebuild, which begin at the log's first event,
// what is not there does not exist.
type Batch struct {
	copy *Copy
	load func(fetch) error // nil when the copy is all there is
}

// Projection turns events into the rows of its tables.
type Projection struct {
	Name   string
	Tables []AnyTable
	// ByStream are those of Tables whose rows have their stream's id: the rows that a page of
	// events needs are then fetched at once.
	ByStream []AnyTable
	// ByEvent are those whose rows an event names, fetched at once likewise.
	ByEvent []ByEvent
	// Totals are the counters that it keeps, in a table that projections share.
	Totals []Resource
	// Categories are the streams that it looks at.
	Categories []string
	// Apply is pure but for b. It is called in the log's order, once for each event of Categories;
	// an error stops the projection for the organization, before the event.
	Apply func(b *Batch, r eventstore.Recorded) error
}

// ByEvent says which rows of a table an event concerns.
type ByEvent struct {
	Table AnyTable
	IDs   func(*eventstore.Recorded) []uuid.UUID
}

func (p *Projection) wants(r *eventstore.Recorded) bool {
	for _, category := range p.Categories {
		if r.Stream.Category == category {
			return true
		}
	}
	return false
}

// tables are all that it writes, counters included.
func (p *Projection) tables() []AnyTable {
	if len(p.Totals) == 0 {
		return p.Tables
	}
	return append(p.Tables[:len(p.Tables):len(p.Tables)], Totals)
}

// apply brings b from one event to the next.
func (p *Projection) apply(b *Batch, r *eventstore.Recorded) error {
	if !p.wants(r) {
		return nil
	}
	if err := p.Apply(b, *r); err != nil {
		return fmt.Errorf("apply %s at position %d to %s: %w", r.Type, r.Position, p.Name, err)
	}
	return nil
}

// fetches asks for the rows that a page of events is known to need.
func (p *Projection) fetches(c *Copy, page []eventstore.Recorded) []fetch {
	ids := p.ids(page, streamID)
	if len(ids) == 0 {
		return nil
	}
	var fetches []fetch
	for _, table := range p.ByStream {
		if f, needed := table.fetchIDs(c, ids); needed {
			fetches = append(fetches, f)
		}
	}
	for _, by := range p.ByEvent {
		if f, needed := by.Table.fetchIDs(c, p.ids(page, by.IDs)); needed {
			fetches = append(fetches, f)
		}
	}
	shelf := shelfOf(c, Totals)
	if missing := shelf.missing(p.Totals); len(missing) > 0 {
		fetches = append(fetches, shelf.fetch(missing))
	}
	return fetches
}

func streamID(r *eventstore.Recorded) []uuid.UUID { return []uuid.UUID{r.Stream.ID} }

// ids lists what of gives for the events of a page that the projection looks at, each once.
func (p *Projection) ids(
	page []eventstore.Recorded, of func(*eventstore.Recorded) []uuid.UUID,
) []uuid.UUID {
	var ids []uuid.UUID
	seen := map[uuid.UUID]struct{}{}
	for i := range page {
		if !p.wants(&page[i]) {
			continue
		}
		for _, id := range of(&page[i]) {
			if _, twice := seen[id]; !twice {
				seen[id] = struct{}{}
				ids = append(ids, id)
			}
		}
	}
	return ids
}
