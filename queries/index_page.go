package queries

import (
	"context"
	"encoding/json"
	"math"
	"strings"
	"sync"

	"github.com/google/uuid"
	lru "github.com/hashicorp/golang-lru/v2"
	"github.com/hashicorp/golang-lru/v2/simplelru"

	"github.com/koprogo/koprogo/eventstore/packed"
	"github.com/koprogo/koprogo/projections"
)

// Bounds of what one kind of index holds in memory.
const (
	indexesKept = 64
	entriesKept = 250_000 // over all of them; about 200 bytes each
	itemsKept   = 4_096   // whole rows held open
)

// indexes keeps the indexes that were used last.
type indexes[T any] struct {
	indexing[T]

	mu      sync.Mutex
	held    *simplelru.LRU[Span, *index[T]]
	sizes   map[Span]int
	entries int

	opened *lru.Cache[indexPlace, *T] // whole rows; one of another position than its entry is old
	forgot uint64                     // counts forget, so that what was opened before is not kept
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
	if x.opened, err = lru.New[indexPlace, *T](itemsKept); err != nil { // likewise
		panic(err)
	}
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
	x.opened.Purge()
	x.forgot++
}

// forgets is how often all was forgotten.
func (x *indexes[T]) forgets() uint64 {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.forgot
}

// keep holds rows open that were fetched since all had been forgotten that many times.
func (x *indexes[T]) keep(fetched []T, forgot uint64) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.forgot != forgot {
		return
	}
	for n := range fetched {
		place, _ := x.at(&fetched[n])
		x.opened.Add(place, &fetched[n])
	}
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
	ctx context.Context, r *Reader, span Span, entries []ranked,
) ([]T, error) {
	var missing []indexPlace
	open := make(map[indexPlace]*T, len(entries))
	for _, entry := range entries {
		if kept := x.openedAt(entry); kept != nil {
			open[entry.indexPlace] = kept
		} else {
			missing = append(missing, entry.indexPlace)
		}
	}
	if len(missing) > 0 {
		forgot := x.forgets()
		fetched, err := x.items(ctx, r, span, missing)
		if err != nil {
			return nil, err
		}
		for n := range fetched {
			place, _ := x.at(&fetched[n])
			open[place] = &fetched[n]
		}
		x.keep(fetched, forgot)
	}
	items := make([]T, 0, len(entries))
	for _, entry := range entries {
		if item := open[entry.indexPlace]; item != nil {
			items = append(items, *item)
		}
	}
	return items, nil
}

// openedAt is the row that is kept open, if it is the one that the entry was read from.
func (x *indexes[T]) openedAt(entry ranked) *T {
	kept, held := x.opened.Get(entry.indexPlace)
	if !held {
		return nil
	}
	if _, position := x.at(kept); position != entry.position {
		return nil
	}
	return kept
}

// page finds the entries of a page, one more than asked for, and how many the list has in all.
func (i *index[T]) page(q *indexQuery) (found []ranked, total int, err error) {
	i.mu.RLock()
	defer i.mu.RUnlock()
	order, behind := i.orders[q.page.Sort], ""
	skip := (q.page.Number - 1) * q.page.Size
	if q.page.After != nil {
		if behind, err = readRank(q.page.After); err != nil {
			return nil, 0, err
		}
		skip = 0
	}
	if q.filters() {
		found, total = i.pick(order, q, behind, skip)
		return found, total, nil
	}
	total = order.Len()
	from := behind
	if from == "" {
		at := skip
		if q.page.Descending {
			at = total - 1 - skip
		}
		var stands bool
		if from, stands = order.At(at); !stands {
			return nil, total, nil
		}
	}
	walk := order.From(from)
	if q.page.Descending {
		walk = order.BackFrom(from)
	}
	for key, text := range walk {
		if key != behind {
			found = append(found, rankedOf(key, text))
		}
		if len(found) > q.page.Size {
			break
		}
	}
	return found, total, nil
}

// pick walks the whole order for what the filters let pass.
func (i *index[T]) pick(
	order *packed.Map, q *indexQuery, behind string, skip int,
) (found []ranked, total int) {
	walk := order.All()
	if q.page.Descending {
		walk = order.Back()
	}
	passes := i.filter(q)
	for key, text := range walk {
		entry := rankedOf(key, text)
		if !passes(entry.indexPlace) {
			continue
		}
		total++
		beyond := key > behind
		switch {
		case behind == "":
			beyond = total > skip
		case q.page.Descending:
			beyond = key < behind
		}
		if beyond && len(found) <= q.page.Size {
			found = append(found, entry)
		}
	}
	return found, total
}

// filter tells which rows the filters let pass.
func (i *index[T]) filter(q *indexQuery) func(indexPlace) bool {
	chosen := func(at indexPlace) bool {
		_, chosen := q.only[at.id]
		return chosen || q.only == nil
	}
	if q.q == "" {
		return chosen
	}
	lower, holding := strings.ToLower(q.q), map[indexPlace]struct{}{}
	for key, text := range i.entries.All() {
		at := placeOf(key)
		_, all := at.unpack(text, len(i.of.texts))
		if chosen(at) && contains(all, lower) {
			holding[at] = struct{}{}
		}
	}
	return func(at indexPlace) bool {
		_, holds := holding[at]
		return holds
	}
}

// readRank is the rank that a mark says.
func readRank(after []byte) (string, error) {
	m, err := readMark(after)
	if err != nil {
		return "", err
	}
	var key []byte
	if json.Unmarshal(m.Value, &key) != nil {
		return "", ErrBadMark
	}
	var at indexPlace
	if at.id, err = uuid.Parse(m.ID); err != nil {
		return "", ErrBadMark
	}
	if at.organization, err = uuid.Parse(m.Organization); err != nil {
		return "", ErrBadMark
	}
	return string(key) + at.key(), nil
}

// contains tells whether a text holds another in lower case.
func contains(text, lower string) bool {
	return lower == "" || strings.Contains(strings.ToLower(text), lower)
}
