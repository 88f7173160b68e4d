package queries

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
	"golang.org/x/text/collate"
	"golang.org/x/text/language"

	"github.com/koprogo/koprogo/eventstore/packed"
)

// What is sorted and searched by personal texts is found in memory, where the texts are opened:
// the read models hold them sealed. An index is made of a span at its first use. Notices of the
// projection say which rows are others since; the next read fetches these, and no more. Since the
// follower gives a notice before anybody sees its rows as reached, a read that has waited for the
// read model finds all of them noted.

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

// key sorts by id, then by organization.
func (p indexPlace) key() string { return string(append(p.id[:], p.organization[:]...)) }

const placeBytes = 2 * len(uuid.UUID{})

func placeOf(key string) (p indexPlace) {
	copy(p.id[:], key)
	copy(p.organization[:], key[len(p.id):])
	return p
}

// indexEntry is a row with its texts open.
type indexEntry struct {
	indexPlace
	position int64
	created  int64    // microseconds since 1970
	texts    []string // of the columns
}

// pack writes an entry but for its place: position, instant and lengths of the texts as varints,
// then the texts with spaces between them.
func (e *indexEntry) pack() string {
	room := binary.AppendVarint(make([]byte, 0, 128), e.position)
	room = binary.AppendVarint(room, e.created)
	for _, text := range e.texts {
		room = binary.AppendUvarint(room, uint64(len(text)))
	}
	return string(room) + strings.Join(e.texts, " ")
}

// unpackPosition is the position that a packed text begins with.
func unpackPosition(packed string) int64 {
	position, _ := binary.ReadVarint(strings.NewReader(packed)) // what was packed is whole
	return position
}

// unpack is the entry of a place, of that many texts; all is these with the spaces.
func (p indexPlace) unpack(packed string, texts int) (entry *indexEntry, all string) {
	rest := strings.NewReader(packed)
	entry = &indexEntry{indexPlace: p, texts: make([]string, texts)}
	entry.position, _ = binary.ReadVarint(rest)
	entry.created, _ = binary.ReadVarint(rest)
	lengths := make([]uint64, texts)
	for n := range lengths {
		lengths[n], _ = binary.ReadUvarint(rest)
	}
	all = packed[len(packed)-rest.Len():]
	begin := uint64(0)
	for n, long := range lengths {
		entry.texts[n] = all[begin : begin+long]
		begin += long + 1
	}
	return entry, all
}

// ranked is a row's place in an order, and the position that the row was read at.
type ranked struct {
	key string // all before the place
	indexPlace
	position int64
}

// rank is where a key of an order stands: before those that it is the beginning of, and those of
// one key by place.
func rank(key []byte, at indexPlace) string {
	escaped := bytes.ReplaceAll(key, []byte{0}, []byte{0, 0xff})
	return string(append(escaped, 0, 0)) + at.key()
}

func rankedOf(key, text string) ranked {
	end := len(key) - placeBytes
	return ranked{key[:end], placeOf(key[end:]), unpackPosition(text)}
}

// index is the rows of a span in memory.
type index[T any] struct {
	of   *indexing[T]
	span Span
	turn chan struct{} // held by who brings it up to date

	mu      sync.RWMutex
	ready   bool
	newest  int64                  // the position of the newest row of all that were ever read
	entries packed.Map             // by place
	orders  map[string]*packed.Map // those that were asked for: the positions of rows by rank
	collate *collate.Collator      // for who has the turn
	buffer  collate.Buffer

	noting sync.Mutex
	noted  map[indexPlace]struct{} // rows that are not as they were
	doubt  bool                    // any row may be another
}

func newIndex[T any](of *indexing[T], span Span) *index[T] {
	return &index[T]{
		of: of, span: span, turn: make(chan struct{}, 1),
		orders:  map[string]*packed.Map{},
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
	if len(i.noted) > 0 { // else nil: the empty map stays with those who note
		noted, i.noted = i.noted, map[indexPlace]struct{}{}
	}
	doubt, i.doubt = i.doubt, false
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
		i.orders[sort] = &packed.Map{}
		for key, text := range i.entries.All() {
			entry, _ := placeOf(key).unpack(text, len(i.of.texts))
			i.put(sort, entry)
		}
	}
	return i.entries.Len(), nil
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
	if len(wanted) > max(indexPage, i.entries.Len()/4) {
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
		made.orders[sort] = &packed.Map{}
	}
	if err := made.readAll(ctx, r, made.add); err != nil {
		return err
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	i.entries, i.orders, i.ready = made.entries, made.orders, true
	i.newest = max(i.newest, made.newest)
	return nil
}

// replace makes the entries of places those given, and lets others of these places go.
func (i *index[T]) replace(places []indexPlace, entries []*indexEntry) {
	i.mu.Lock()
	defer i.mu.Unlock()
	for _, place := range places {
		i.drop(place)
	}
	i.add(entries)
}

func (i *index[T]) drop(place indexPlace) {
	text, held := i.entries.Get(place.key())
	if !held {
		return
	}
	entry, _ := place.unpack(text, len(i.of.texts))
	i.entries.Delete(place.key())
	for sort, order := range i.orders {
		order.Delete(rank(i.key(sort, entry), place))
	}
}

func (i *index[T]) add(entries []*indexEntry) {
	for _, entry := range entries {
		i.entries.Set(entry.indexPlace.key(), entry.pack())
		i.newest = max(i.newest, entry.position)
		for sort := range i.orders {
			i.put(sort, entry)
		}
	}
}

// put gives an entry its place in an order.
func (i *index[T]) put(sort string, entry *indexEntry) {
	position := string(binary.AppendVarint(nil, entry.position))
	i.orders[sort].Set(rank(i.key(sort, entry), entry.indexPlace), position)
}

// key is what an entry is sorted by: the collation keys of the order's texts in Unicode's root
// order, as read.words sorts; in every other order the instant of its making.
func (i *index[T]) key(sort string, entry *indexEntry) []byte {
	parts, byText := i.of.orders[sort]
	if !byText {
		return binary.BigEndian.AppendUint64(nil, uint64(entry.created))
	}
	var key []byte
	for n, part := range parts(entry.texts) {
		if n > 0 {
			key = append(key, 0, 0) // below every weight: a word goes before the longer one
		}
		key = append(key, i.collate.KeyFromString(&i.buffer, part)...)
	}
	i.buffer.Reset()
	return key
}

// compare lists the places whose rows are not at the position that the index has.
func (i *index[T]) compare(ctx context.Context, r *Reader) ([]indexPlace, error) {
	there, err := i.readPositions(ctx, r)
	if err != nil {
		return nil, err
	}
	var moved []indexPlace
	for place, position := range there {
		text, held := i.entries.Get(place.key())
		if !held || unpackPosition(text) != position {
			moved = append(moved, place)
		}
	}
	for key := range i.entries.All() {
		place := placeOf(key)
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
