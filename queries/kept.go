package queries

import (
	"cmp"
	"context"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/hashicorp/golang-lru/v2/simplelru"
	"github.com/jackc/pgx/v5"
	"golang.org/x/text/collate"
	"golang.org/x/text/language"

	"github.com/koprogo/koprogo/events"
	"github.com/koprogo/koprogo/eventstore"
	"github.com/koprogo/koprogo/projections"
)

// A list's first page is asked for more than anything else, and most of what is appended leaves its
// rows alone: what is registered comes to stand on a later page, and only the total moves. Such a
// page is kept with the position that it shows. While the read models are behind what was answered,
// it is brought on by what this process appended itself, as long as that is all that was appended;
// else it goes, and the read waits for its read model as every other does.

// Bounds of what is kept.
const (
	keptPages     = 256   // of each list
	keptLandings  = 4_096 // of an organization
	keptLandingOf = 1_000 // organizations
)

// keptList is a list whose first page is kept, in its default order.
type keptList uint8

const (
	keptBuildings keptList = iota
	keptLots
	keptOwners
	keptCharges
	keptLists
)

// landing is what one append of this process means to the kept pages.
type landing struct {
	to     int64
	begun  []beginning
	spoils [keptLists]bool // lists that it may have changed otherwise
}

// beginning is a row that comes into a list, with what it is sorted by.
type beginning struct {
	list keptList
	text string // lots and owners: to be collated; charges: the day
	at   time.Time
	id   uuid.UUID
}

// landings are what was appended to one organization's log, by the first position.
type landings struct {
	by    map[int64]landing
	queue []int64
}

// kept holds pages and what brings them on.
type kept struct {
	mu      sync.Mutex
	landed  *simplelru.LRU[uuid.UUID, *landings]
	numbers *collate.Collator
	words   *collate.Collator
	buffer  collate.Buffer
}

func newKept() *kept {
	landed, err := simplelru.NewLRU[uuid.UUID, *landings](keptLandingOf, nil)
	if err != nil { // only for a size below one
		panic(err)
	}
	return &kept{
		landed: landed, words: collate.New(language.Und),
		numbers: collate.New(language.Und, collate.Numeric),
	}
}

// Landed notes what this process appended. It is told before anybody is answered, of all that is
// recorded together before any of it is.
func (r *Reader) Landed(receipt eventstore.Receipt) {
	if len(receipt.Recorded) == 0 {
		return
	}
	first, made := receipt.Recorded[0].Position, landing{}
	for i := range receipt.Recorded {
		recorded := &receipt.Recorded[i]
		if recorded.Position != first+int64(i) {
			return
		}
		made.to = recorded.Position
		made.note(recorded)
	}
	r.kept.land(receipt.Organization, first, made)
}

// note says what a fact does to the lists. What it does not know, it takes to change them.
func (l *landing) note(r *eventstore.Recorded) {
	switch e := r.Event.(type) {
	case events.BuildingRegistered:
		l.begun = append(l.begun, beginning{list: keptBuildings, at: r.RecordedAt, id: r.Stream.ID})
		return
	case events.LotRegistered:
		l.begun = append(l.begun, beginning{list: keptLots, text: e.Number, id: e.LotID})
		return
	case events.ChargeDrafted:
		l.begun = append(l.begun, beginning{
			list: keptCharges, text: string(e.Content.Date), id: r.Stream.ID,
		})
		return
	case events.OwnerRegistered:
		name, _ := e.Profile.LastName.Clear()
		if name == "" {
			name, _ = e.Profile.CompanyName.Clear()
		}
		l.begun = append(l.begun, beginning{list: keptOwners, text: name, id: r.Stream.ID})
		return
	}
	switch r.Stream.Category {
	case events.BuildingCategory:
		l.spoils[keptBuildings], l.spoils[keptLots] = true, true
	case events.OwnerCategory:
		l.spoils[keptOwners] = true
	case events.ChargeCategory, events.SupplierCategory:
		l.spoils[keptCharges] = true
	case events.KeyCategory, events.MemberCategory, events.OrganizationCategory:
	default:
		l.spoils = [keptLists]bool{true, true, true, true}
	}
}

func (k *kept) land(organization uuid.UUID, first int64, made landing) {
	k.mu.Lock()
	defer k.mu.Unlock()
	of, found := k.landed.Get(organization)
	if !found {
		of = &landings{by: map[int64]landing{}}
		k.landed.Add(organization, of)
	}
	of.by[first] = made
	of.queue = append(of.queue, first)
	if len(of.queue) > keptLandings {
		delete(of.by, of.queue[0])
		of.queue = of.queue[1:]
	}
}

// keptKey names a first page of an organization's whole list.
type keptKey struct {
	organization uuid.UUID
	size         int
}

// keptPage is a page as it stands at a position. Only full pages are kept, those that others
// follow.
type keptPage[T any] struct {
	position int64
	quarter  int64 // of an hour: days begin at one in every zone, and change who owns what
	listed   Listed[T]
	at       time.Time // what its last row is sorted by, as beginning has it
	text     string
	id       uuid.UUID
}

// keptPagesOf are the pages of one list.
type keptPagesOf[T any] struct {
	*kept

	of    keptList
	model []string
	// last is what a row is sorted by.
	last  func(*T) beginning
	pages *simplelru.LRU[keptKey, *keptPage[T]]
}

func newKeptPages[T any](
	k *kept, list keptList, model []string, last func(*T) beginning,
) *keptPagesOf[T] {
	pages, err := simplelru.NewLRU[keptKey, *keptPage[T]](keptPages, nil)
	if err != nil { // only for a size below one
		panic(err)
	}
	return &keptPagesOf[T]{kept: k, of: list, model: model, last: last, pages: pages}
}

// find gives the page as it has to be shown, where the read model does not know of more than this
// process has answered.
func (k *keptPagesOf[T]) find(r *Reader, span Span, page Page) (listed Listed[T], found bool) {
	newest := r.Newest(span.Organization)
	if r.follower == nil || newest == 0 {
		return listed, false
	}
	if _, stopped := r.follower.Reached(span.Organization, k.model, newest); stopped != nil {
		return listed, false
	}
	for _, projection := range k.model {
		if r.follower.At(span.Organization, projection) > newest {
			return listed, false
		}
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	key := keptKey{span.Organization, page.Size}
	held, found := k.pages.Get(key)
	landed, landedAny := k.landed.Get(span.Organization)
	if !found || !landedAny || held.quarter != quarterOf(r.store.Clock()) {
		return listed, false
	}
	for held.position < newest {
		next, follows := landed.by[held.position+1]
		if !follows { // somebody else's, or about to be told of
			return listed, false
		}
		if !k.pass(held, &next) {
			k.pages.Remove(key)
			return listed, false
		}
		held.position = next.to
	}
	return held.listed, true
}

// pass brings a page past an append; false when that may have changed its rows.
func (k *keptPagesOf[T]) pass(page *keptPage[T], l *landing) bool {
	if l.spoils[k.of] {
		return false
	}
	for i := range l.begun {
		if l.begun[i].list != k.of {
			continue
		}
		if k.compare(&l.begun[i], page) <= 0 {
			return false
		}
		page.listed.Total++
	}
	return true
}

// compare orders a row that begins by the last of a page; zero where that is not certain.
func (k *keptPagesOf[T]) compare(b *beginning, page *keptPage[T]) int {
	switch k.of {
	case keptBuildings:
		return cmp.Or(b.at.Compare(page.at), strings.Compare(string(b.id[:]), string(page.id[:])))
	case keptLots:
		return k.collated(k.numbers, b.text, page.text)
	case keptOwners:
		return k.collated(k.words, b.text, page.text)
	}
	return cmp.Or(strings.Compare(b.text, page.text),
		strings.Compare(string(b.id[:]), string(page.id[:])))
}

func (k *kept) collated(by *collate.Collator, a, b string) int {
	defer k.buffer.Reset()
	return strings.Compare(string(by.KeyFromString(&k.buffer, a)),
		string(by.KeyFromString(&k.buffer, b)))
}

// keep holds a page whose position is known, read in a quarter of an hour.
func (k *keptPagesOf[T]) keep(span Span, page Page, listed Listed[T], quarter int64) {
	if listed.Next == nil || listed.Stale > 0 || listed.at == 0 {
		return
	}
	last := k.last(&listed.Items[len(listed.Items)-1])
	listed.Shown = new(Shown)
	k.mu.Lock()
	defer k.mu.Unlock()
	k.pages.Add(keptKey{span.Organization, page.Size}, &keptPage[T]{
		position: listed.at, quarter: quarter, listed: listed, at: last.at, text: last.text, id: last.id,
	})
}

// forget drops the pages of an organization; of the nil one, all.
func (k *keptPagesOf[T]) forget(organization uuid.UUID) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, key := range k.pages.Keys() {
		if organization == uuid.Nil || key.organization == organization {
			k.pages.Remove(key)
		}
	}
}

func quarterOf(at time.Time) int64 { return at.Unix() / 900 }

// keepPages makes the keepers of the lists' first pages.
func (r *Reader) keepPages() {
	r.kept = newKept()
	r.buildingPages = newKeptPages(r.kept, keptBuildings, buildingSource.model,
		func(b *Building) beginning { return beginning{at: b.CreatedAt, id: b.ID} })
	r.lotPages = newKeptPages(r.kept, keptLots, lotSource.model, func(l *Lot) beginning {
		return beginning{text: l.Number, id: l.ID}
	})
	r.ownerPages = newKeptPages(r.kept, keptOwners, ownerSource.model, func(o *Owner) beginning {
		return beginning{text: cmp.Or(o.LastName, o.CompanyName), id: o.ID}
	})
	r.chargePages = newKeptPages(r.kept, keptCharges, chargeSource.model, func(c *Charge) beginning {
		return beginning{text: string(Day(c.Row.Date)), id: c.Row.ID}
	})
}

// keptHeard drops pages where anything may be another.
func (r *Reader) keptHeard(n projections.Notice) {
	if !n.Everything {
		return
	}
	r.buildingPages.forget(n.Organization)
	r.lotPages.forget(n.Organization)
	r.ownerPages.forget(n.Organization)
	r.chargePages.forget(n.Organization)
}

// list gives a list's first page from memory where that is possible, and any other as read reads
// it.
func (k *keptPagesOf[T]) list(
	r *Reader, l listing, sorts []string, read func() (Listed[T], error),
) (Listed[T], error) {
	if !l.isFirst(sorts) {
		return read()
	}
	if held, found := k.find(r, l.span, l.page); found {
		return held, nil
	}
	quarter := quarterOf(r.store.Clock())
	listed, err := read()
	if err == nil {
		k.keep(l.span, l.page, listed, quarter)
	}
	return listed, err
}

// isFirst tells whether the page is one that is kept: the first of one organization's whole list,
// in the default order.
func (l *listing) isFirst(sorts []string) bool {
	p := &l.page
	return !l.span.Every && p.Number <= 1 && p.After == nil && !p.Descending &&
		(p.Sort == "" || p.Sort == sorts[0]) && len(l.conditions().texts) == 1
}

// Where a read model stands, and whether numbers are sorted as people count: where PostgreSQL was
// built without ICU they are not.
const modelPositionSQL = `select
       case when 'a2' < 'a10' collate read.numbers then position else 0 end
  from read.checkpoints where organization_id = $1 and projection = $2`

// snapshot is read for one list, at the position that its read model has there.
func (r *Reader) snapshot(
	ctx context.Context, span Span, model []string, queue func(*pgx.Batch),
) (position, stale int64, err error) {
	stale, err = r.readIn(ctx, "begin isolation level repeatable read", span, model,
		func(batch *pgx.Batch) {
			batch.Queue(modelPositionSQL, span.Organization, model[0]).
				Query(func(rows pgx.Rows) error {
					found, err := pgx.CollectRows(rows, pgx.RowTo[int64])
					if len(found) == 1 {
						position = found[0]
					}
					return err
				})
			queue(batch)
		})
	return position, stale, err
}
