package queries

import (
	"context"
	"encoding/json"
	"math"
	"strings"
	"sync"

	"github.com/google/uuid"
	"github.com/hashicorp/golang-lru/v2/simplelru"

	"github.com/koprogo/koprogo/projections"
)

// Bounds of what one kind of index holds in memory.
const (
	indexesKept = 64
	entriesKept = 250_000 // over all of them; about 300 bytes each
	itemsKept   = 4_096   // whole rows held open
)

// indexes keeps the indexes that were used last.
type indexes[T any] struct {
	indexing[T]

	mu      sync.Mutex
	held    *simplelru.LRU[Span, *index[T]]
	sizes   map[Span]int
	entries int

	opening sync.Mutex
	opened  [itemsKept]*indexEntry[T] // a ring: who holds its item open
	next    int
}

func newIndexes[T any](of indexing[T]) *indexes[T] {
	x := &indexes[T]{indexing: of, sizes: map[Span]int{}}
	held, err := simplelru.NewLRU(indexesKept, func(span Span, _ *index[T]) {
		x.entries -= x.sizes[span]
		delete(x.sizes, span)
	})
	if err != nil { // only for a size below one
		panic(err)
	}
	x.held = held
	return x
}

// heard notes what a notice says of the indexes' rows.
func (x *indexes[T]) heard(n projections.Notice) {
	changed := n.Changed[x.table]
	everything := n.Everything && len(n.Moves) == 0
	for _, name := range x.model {
		_, moved := n.Moves[name]
		everything = everything || n.Everything && moved
	}
	if len(changed) == 0 && !everything {
		return
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, span := range x.held.Keys() {
		if index, held := x.held.Peek(span); held &&
			(span.Every || span.Organization == n.Organization || len(n.Moves) == 0) {
			index.note(n.Organization, changed, everything)
		}
	}
}

// forget drops all indexes: after an erasure.
func (x *indexes[T]) forget() {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.held.Purge()
}

// index is the one of a span, which may have to be read yet. Where nobody follows the log it is
// made for one read.
func (x *indexes[T]) index(r *Reader, span Span) *index[T] {
	if span.Every {
		span.Organization = uuid.Nil
	}
	if r.follower == nil {
		return newIndex(&x.indexing, span)
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	held, found := x.held.Get(span)
	if !found {
		held = newIndex(&x.indexing, span)
		x.held.Add(span, held)
	}
	return held
}

// weigh notes how large an index has become, and drops those used longest ago beyond the bound.
func (x *indexes[T]) weigh(span Span, entries int) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if !x.held.Contains(span) {
		return
	}
	x.entries += entries - x.sizes[span]
	x.sizes[span] = entries
	for x.entries > entriesKept {
		x.held.RemoveOldest()
	}
}

// newest is the position of the row of a span that changed last, of all that were ever read.
func (x *indexes[T]) newest(span Span) int64 {
	x.mu.Lock()
	held, found := x.held.Peek(span)
	x.mu.Unlock()
	if !found {
		return math.MaxInt64
	}
	held.mu.RLock()
	defer held.mu.RUnlock()
	return held.newest
}

// indexQuery asks for a part of an index.
type indexQuery struct {
	span Span
	q    string                 // a part of the texts, upper and lower case alike
	only map[uuid.UUID]struct{} // nil: any; else these
	page Page
}

func (q *indexQuery) filters() bool { return q.q != "" || q.only != nil }

// list answers a page, its items open.
func (x *indexes[T]) list(
	ctx context.Context, r *Reader, q indexQuery,
) (listed Listed[T], err error) {
	if listed.Stale, err = r.await(ctx, q.span, x.model); err != nil {
		return listed, err
	}
	index := x.index(r, q.span)
	size, err := index.refresh(ctx, r, q.page.Sort)
	if err != nil {
		return listed, err
	}
	x.weigh(index.span, size)
	found, total, err := index.page(&q)
	if err != nil {
		return listed, err
	}
	listed.Total = int64(total)
	found, more := cut(found, q.page.Size)
	if more {
		last := found[len(found)-1]
		listed.Next, err = writeMark([]byte(last.key), last.id, last.organization)
		if err != nil {
			return listed, err
		}
	}
	listed.Items, err = x.itemsOf(ctx, r, q.span, found)
	return listed, err
}

// itemsOf opens the rows of entries, those that are not kept open with one query. A row that went
// meanwhile is left out.
func (x *indexes[T]) itemsOf(
	ctx context.Context, r *Reader, span Span, entries []orderedEntry[T],
) ([]T, error) {
	var missing []indexPlace
	open := make(map[indexPlace]*T, len(entries))
	for _, entry := range entries {
		if kept := entry.opened.Load(); kept != nil {
			open[entry.indexPlace] = kept
		} else {
			missing = append(missing, entry.indexPlace)
		}
	}
	positions := map[indexPlace]int64{}
	if len(missing) > 0 {
		fetched, err := x.items(ctx, r, span, missing)
		if err != nil {
			return nil, err
		}
		for n := range fetched {
			place, position := x.at(&fetched[n])
			open[place], positions[place] = &fetched[n], position
		}
	}
	items := make([]T, 0, len(entries))
	for _, entry := range entries {
		item := open[entry.indexPlace]
		if item == nil {
			continue
		}
		// One that is further than its entry stands to be fetched again: it is not kept.
		if position, fetched := positions[entry.indexPlace]; fetched && position == entry.position {
			x.keep(entry.indexEntry, item)
		}
		items = append(items, *item)
	}
	return items, nil
}

// keep holds an item open, and lets go of the one that was opened longest ago.
func (x *indexes[T]) keep(entry *indexEntry[T], item *T) {
	x.opening.Lock()
	defer x.opening.Unlock()
	if !entry.opened.CompareAndSwap(nil, item) {
		return
	}
	if oldest := x.opened[x.next]; oldest != nil {
		oldest.opened.Store(nil)
	}
	x.opened[x.next] = entry
	x.next = (x.next + 1) % itemsKept
}

// page finds the entries of a page, one more than asked for, and how many the list has in all.
func (i *index[T]) page(q *indexQuery) (found []orderedEntry[T], total int, err error) {
	i.mu.RLock()
	defer i.mu.RUnlock()
	order := i.orders[q.page.Sort]
	skip := (q.page.Number - 1) * q.page.Size
	var behind *orderedEntry[T]
	if q.page.After != nil {
		if behind, err = readIndexMark[T](q.page.After); err != nil {
			return nil, 0, err
		}
		skip = 0
	}
	if q.filters() {
		found, total = pick(order, q, behind, skip)
		return found, total, nil
	}
	take := func(entry orderedEntry[T]) bool {
		if behind == nil || entry.key != behind.key || entry.indexPlace != behind.indexPlace {
			found = append(found, entry)
		}
		return len(found) <= q.page.Size
	}
	total = order.Len()
	from := behind
	if from == nil {
		at := skip
		if q.page.Descending {
			at = total - 1 - skip
		}
		first, stands := order.GetAt(at)
		if !stands {
			return nil, total, nil
		}
		from = &first
	}
	if q.page.Descending {
		order.Descend(*from, take)
	} else {
		order.Ascend(*from, take)
	}
	return found, total, nil
}

// pick walks the whole order for what the filters let pass.
func pick[T any](
	order *order[T], q *indexQuery, behind *orderedEntry[T], skip int,
) (found []orderedEntry[T], total int) {
	lower := strings.ToLower(q.q)
	beyond := func(entry orderedEntry[T]) bool {
		if behind == nil {
			return total > skip
		}
		if q.page.Descending {
			return order.Less(entry, *behind)
		}
		return order.Less(*behind, entry)
	}
	take := func(entry orderedEntry[T]) bool {
		if _, chosen := q.only[entry.id]; q.only != nil && !chosen ||
			!contains(entry.text, lower) {
			return true
		}
		total++
		if len(found) <= q.page.Size && beyond(entry) {
			found = append(found, entry)
		}
		return true
	}
	if q.page.Descending {
		order.Reverse(take)
	} else {
		order.Scan(take)
	}
	return found, total
}

func readIndexMark[T any](after []byte) (*orderedEntry[T], error) {
	m, err := readMark(after)
	if err != nil {
		return nil, err
	}
	var key []byte
	if json.Unmarshal(m.Value, &key) != nil {
		return nil, ErrBadMark
	}
	at := &orderedEntry[T]{key: string(key), indexEntry: &indexEntry[T]{}}
	if at.id, err = uuid.Parse(m.ID); err != nil {
		return nil, ErrBadMark
	}
	if at.organization, err = uuid.Parse(m.Organization); err != nil {
		return nil, ErrBadMark
	}
	return at, nil
}

// contains tells whether a text holds another in lower case.
func contains(text, lower string) bool {
	return lower == "" || strings.Contains(strings.ToLower(text), lower)
}
