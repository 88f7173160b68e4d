package queries

import (
	"context"
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/tidwall/btree"
	"golang.org/x/text/collate"
	"golang.org/x/text/language"
)

// What is sorted and searched by personal texts is found in memory, where the texts are opened:
// the read models hold them sealed. An index is made of a span at its first use. Notices of the
// projection say which rows are others since; the next read fetches these, and no more. Since the
// follower gives a notice before anybody sees its rows as reached, a read that has waited for the
// read model finds all of them noted.

// maxIndexTexts is how many texts an index may hold of a row.
const maxIndexTexts = 5

// indexing says what is indexed: rows of a read model whose columns include organization_id, id,
// position (which moves with every change of the row) and created_at.
type indexing[T any] struct {
	table  string
	model  []string // the projection that writes it
	texts  []string // the sealed columns that are sorted by and searched
	orders map[string]func(texts []string) []string
	// items opens whole rows, those of them that there are, in any order.
	items func(ctx context.Context, r *Reader, span Span, at []indexPlace) ([]T, error)
	// at tells where an item stands and at which position it was changed last.
	at func(*T) (indexPlace, int64)
}

// indexPlace is the key of a row.
type indexPlace struct{ organization, id uuid.UUID }

func (p indexPlace) compare(other indexPlace) int {
	if p.id != other.id {
		return slices.Compare(p.id[:], other.id[:])
	}
	return slices.Compare(p.organization[:], other.organization[:])
}

// indexEntry is a row with its texts open. Only opened changes.
type indexEntry[T any] struct {
	indexPlace
	position int64
	created  int64 // microseconds since 1970
	text     string
	cuts     [maxIndexTexts - 1]uint16 // where text's parts end, each followed by a space
	opened   atomic.Pointer[T]         // the whole row, while it is kept
}

func newIndexEntry[T any](row indexRow, texts []string) *indexEntry[T] {
	e := &indexEntry[T]{
		indexPlace: row.indexPlace, position: row.position, created: row.created.UnixMicro(),
		text: strings.Join(texts, " "),
	}
	end := 0
	for i, text := range texts[:len(texts)-1] {
		end += len(text)
		e.cuts[i] = uint16(min(end, len(e.text)))
		end++
	}
	return e
}

func (e *indexEntry[T]) texts(n int) []string {
	parts := make([]string, 0, maxIndexTexts)
	begin := 0
	for _, end := range e.cuts[:n-1] {
		parts = append(parts, e.text[begin:end])
		begin = int(end) + 1
	}
	return append(parts, e.text[begin:])
}

// orderedEntry is an entry's place in an order: by key, then by id.
type orderedEntry[T any] struct {
	key string
	*indexEntry[T]
}

type order[T any] = btree.BTreeG[orderedEntry[T]]

func newOrder[T any]() *order[T] {
	return btree.NewBTreeGOptions(func(a, b orderedEntry[T]) bool {
		if a.key != b.key {
			return a.key < b.key
		}
		return a.compare(b.indexPlace) < 0
	}, btree.Options{NoLocks: true})
}

// index is the rows of a span in memory.
type index[T any] struct {
	of   *indexing[T]
	span Span
	turn chan struct{} // held by who brings it up to date

	mu      sync.RWMutex
	ready   bool
	newest  int64 // the position of the row that changed last, of all that were ever read
	entries map[indexPlace]*indexEntry[T]
	orders  map[string]*order[T] // those that were asked for
	collate *collate.Collator    // for who has the turn
	buffer  collate.Buffer

	noting sync.Mutex
	noted  map[indexPlace]struct{} // rows that are not as they were
	doubt  bool                    // any row may be another
}

func newIndex[T any](of *indexing[T], span Span) *index[T] {
	return &index[T]{
		of: of, span: span, turn: make(chan struct{}, 1),
		entries: map[indexPlace]*indexEntry[T]{}, orders: map[string]*order[T]{},
		collate: collate.New(language.Und), noted: map[indexPlace]struct{}{},
	}
}

// note says that rows changed; with everything, that any may have.
func (i *index[T]) note(organization uuid.UUID, ids []string, everything bool) {
	i.noting.Lock()
	defer i.noting.Unlock()
	i.doubt = i.doubt || everything
	for _, text := range ids {
		if id, err := uuid.Parse(text); err == nil {
			i.noted[indexPlace{organization, id}] = struct{}{}
		}
	}
}

// take empties what was noted; back notes it again.
func (i *index[T]) take() (noted map[indexPlace]struct{}, doubt bool) {
	i.noting.Lock()
	defer i.noting.Unlock()
	noted, doubt = i.noted, i.doubt
	if len(noted) > 0 {
		i.noted = map[indexPlace]struct{}{}
	}
	i.doubt = false
	return noted, doubt
}

func (i *index[T]) back(noted map[indexPlace]struct{}, doubt bool) {
	i.noting.Lock()
	defer i.noting.Unlock()
	maps.Copy(i.noted, noted)
	i.doubt = i.doubt || doubt
}

// refresh brings the index to where the read model is, with the order named. It returns how many
// rows the index holds.
func (i *index[T]) refresh(ctx context.Context, r *Reader, sort string) (int, error) {
	select {
	case i.turn <- struct{}{}:
		defer func() { <-i.turn }()
	case <-ctx.Done():
		return 0, fmt.Errorf("wait for an index: %w", ctx.Err())
	}
	noted, doubt := i.take()
	if err := i.catchUp(ctx, r, noted, doubt); err != nil {
		i.back(noted, doubt)
		return 0, fmt.Errorf("bring the index of %s up to date: %w", i.of.table, err)
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.orders[sort] == nil {
		made := newOrder[T]()
		for _, entry := range i.entries {
			made.Set(orderedEntry[T]{i.key(sort, entry), entry})
		}
		i.orders[sort] = made
	}
	return len(i.entries), nil
}

func (i *index[T]) catchUp(
	ctx context.Context, r *Reader, noted map[indexPlace]struct{}, doubt bool,
) error {
	if !i.ready {
		return i.build(ctx, r)
	}
	wanted := slices.Collect(maps.Keys(noted))
	if doubt {
		moved, err := i.compare(ctx, r)
		if err != nil {
			return err
		}
		wanted = append(wanted, moved...)
	}
	if len(wanted) > max(indexPage, len(i.entries)/4) {
		return i.build(ctx, r)
	}
	for some := range slices.Chunk(wanted, indexSome) {
		rows, err := i.readSome(ctx, r, some)
		if err != nil {
			return err
		}
		i.replace(some, rows)
	}
	return nil
}

// build reads the whole span.
func (i *index[T]) build(ctx context.Context, r *Reader) error {
	made := newIndex(i.of, i.span)
	for sort := range i.orders {
		made.orders[sort] = newOrder[T]()
	}
	if err := made.readAll(ctx, r, made.put); err != nil {
		return err
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	i.entries, i.orders, i.ready = made.entries, made.orders, true
	i.newest = max(i.newest, made.newest)
	return nil
}

// replace makes the entries of places those given, and lets others of these places go.
func (i *index[T]) replace(places []indexPlace, entries []*indexEntry[T]) {
	i.mu.Lock()
	defer i.mu.Unlock()
	for _, place := range places {
		i.drop(place)
	}
	i.put(entries)
}

func (i *index[T]) drop(place indexPlace) {
	entry, held := i.entries[place]
	if !held {
		return
	}
	delete(i.entries, place)
	for sort, order := range i.orders {
		order.Delete(orderedEntry[T]{i.key(sort, entry), entry})
	}
}

func (i *index[T]) put(entries []*indexEntry[T]) {
	for _, entry := range entries {
		i.entries[entry.indexPlace] = entry
		i.newest = max(i.newest, entry.position)
		for sort, order := range i.orders {
			order.Set(orderedEntry[T]{i.key(sort, entry), entry})
		}
	}
}

// key is what an entry is sorted by: the collation keys of the order's texts in Unicode's root
// order, as read.words sorts; in every other order the instant of its making.
func (i *index[T]) key(sort string, entry *indexEntry[T]) string {
	parts, byText := i.of.orders[sort]
	if !byText {
		at := uint64(entry.created)
		return string(binary.BigEndian.AppendUint64(nil, at))
	}
	var key []byte
	for n, part := range parts(entry.texts(len(i.of.texts))) {
		if n > 0 {
			key = append(key, 0, 0) // below every weight: a word goes before the longer one
		}
		key = append(key, i.collate.KeyFromString(&i.buffer, part)...)
	}
	i.buffer.Reset()
	return string(key)
}

// compare lists the places whose rows are not at the position that the index has.
func (i *index[T]) compare(ctx context.Context, r *Reader) ([]indexPlace, error) {
	there, err := i.readPositions(ctx, r)
	if err != nil {
		return nil, err
	}
	var moved []indexPlace
	for place, position := range there {
		if entry, held := i.entries[place]; !held || entry.position != position {
			moved = append(moved, place)
		}
	}
	for place := range i.entries {
		if _, stands := there[place]; !stands {
			moved = append(moved, place)
		}
	}
	return moved, nil
}

// indexRow is what an index reads of a row, its texts sealed.
type indexRow struct {
	indexPlace
	position int64
	created  time.Time
	sealed   []string
}
