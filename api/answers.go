package api

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
)

// answerKey names a rendered answer. Only callers who see the whole organization share answers,
// so who asks is not part of it.
type answerKey struct {
	organization uuid.UUID
	language     Language
	target       string // path and query as they were sent
	quarter      int64  // of an hour: days begin at one in every zone, and change who owns what
}

// quarterOf numbers the quarter of an hour that an instant lies in.
func quarterOf(at time.Time) int64 { return at.Unix() / 900 }

// answer is one rendered 200 with the headers that go with it. It is never changed.
type answer struct {
	key      answerKey
	route    *Route
	rows     []byte // of a list: the body up to its pagination, which answers share
	body     []byte // what follows
	tag      string
	tagLine  []string // header values, ready to be set
	length   []string
	position []string
	shows    []uuid.UUID // whose personal data it shows

	visited atomic.Bool
	newer   *answer
	older   *answer
}

// answerOverhead is what an answer weighs beside its texts.
const answerOverhead = 512

func (a *answer) weight() int {
	return len(a.rows) + len(a.body) + len(a.key.target) + len(a.shows)*len(uuid.Nil) + answerOverhead
}

// maxOrganizations bounds how many organizations' changes are remembered by table.
const maxOrganizations = 10_000

// Answers keeps rendered answers in memory, bounded in bytes, until one of the tables that they
// show changes. An answer that was rendered from older rows and comes after the change is not
// kept: each change has a number, and an answer carries that of the moment it was begun.
type Answers struct {
	mu      sync.RWMutex
	limit   int
	bytes   int
	entries map[answerKey]*answer
	owners  map[uuid.UUID]*remembered
	newest  *answer // SIEVE: a list by age, and a hand that passes over what was visited
	oldest  *answer
	hand    *answer
	changes uint64 // the number of the last change
	floor   uint64 // answers begun before it are not kept, whatever they show
}

// remembered is one organization's answers and the numbers of its last changes.
type remembered struct {
	answers map[*answer]struct{}
	changed map[string]uint64 // by table
}

// NewAnswers makes a memory of at most limit bytes.
func NewAnswers(limit int) *Answers {
	return &Answers{
		limit: limit, entries: map[answerKey]*answer{}, owners: map[uuid.UUID]*remembered{},
	}
}

// begin numbers the moment before an answer's rows are read.
func (a *Answers) begin() uint64 {
	a.mu.RLock()
	defer a.mu.RUnlock()
	return a.changes
}

// find returns the answer, or nil.
func (a *Answers) find(key answerKey) *answer {
	a.mu.RLock()
	found := a.entries[key]
	a.mu.RUnlock()
	if found != nil && !found.visited.Load() {
		found.visited.Store(true)
	}
	return found
}

// keep remembers an answer that was begun at a number, unless one of its tables changed since.
func (a *Answers) keep(made *answer, begun uint64) {
	if made.weight() > a.limit/8 {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if begun < a.floor {
		return
	}
	owner := a.owner(made.key.organization)
	for _, table := range made.route.Serve.tables {
		if owner.changed[table] > begun {
			return
		}
	}
	if before := a.entries[made.key]; before != nil {
		a.drop(before)
	}
	a.entries[made.key] = made
	a.owner(made.key.organization).answers[made] = struct{}{}
	a.bytes += made.weight()
	made.older = a.newest
	if a.newest != nil {
		a.newest.newer = made
	} else {
		a.oldest = made
	}
	a.newest = made
	for a.bytes > a.limit {
		a.evict()
	}
}

func (a *Answers) owner(organization uuid.UUID) *remembered {
	owner := a.owners[organization]
	if owner == nil {
		owner = &remembered{answers: map[*answer]struct{}{}, changed: map[string]uint64{}}
		a.owners[organization] = owner
	}
	return owner
}

// evict drops the oldest answer that was not asked for since the hand passed.
func (a *Answers) evict() {
	at := a.hand
	if at == nil {
		at = a.oldest
	}
	for at.visited.Swap(false) {
		if at = at.newer; at == nil {
			at = a.oldest
		}
	}
	a.hand = at.newer
	a.drop(at)
}

// drop takes an answer out of the memory.
func (a *Answers) drop(gone *answer) {
	if a.hand == gone {
		a.hand = gone.newer
	}
	if gone.newer != nil {
		gone.newer.older = gone.older
	} else {
		a.newest = gone.older
	}
	if gone.older != nil {
		gone.older.newer = gone.newer
	} else {
		a.oldest = gone.newer
	}
	delete(a.entries, gone.key)
	a.bytes -= gone.weight()
	if owner := a.owners[gone.key.organization]; owner != nil {
		delete(owner.answers, gone)
	}
}

// Changed drops the organization's answers that show one of the tables. It is called before
// anybody is told that the read models show the change.
func (a *Answers) Changed(organization uuid.UUID, tables ...string) {
	if len(tables) == 0 {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.changes++
	if len(a.owners) >= maxOrganizations {
		a.forgetChanges()
	}
	owner := a.owner(organization)
	for _, table := range tables {
		owner.changed[table] = a.changes
	}
	for kept := range owner.answers {
		if shares(kept.route.Serve.tables, tables) {
			a.drop(kept)
		}
	}
}

// ChangedAll drops all of an organization's answers; of the nil organization, everybody's.
func (a *Answers) ChangedAll(organization uuid.UUID) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.changes++
	a.floor = a.changes
	if organization == uuid.Nil {
		a.entries, a.owners = map[answerKey]*answer{}, map[uuid.UUID]*remembered{}
		a.newest, a.oldest, a.hand, a.bytes = nil, nil, nil, 0
		return
	}
	if owner := a.owners[organization]; owner != nil {
		for kept := range owner.answers {
			a.drop(kept)
		}
	}
}

// forgetChanges makes room by refusing every answer that is being rendered now.
func (a *Answers) forgetChanges() {
	a.floor = a.changes
	for organization, owner := range a.owners {
		clear(owner.changed)
		if len(owner.answers) == 0 {
			delete(a.owners, organization)
		}
	}
}

func shares(a, b []string) bool {
	for _, x := range a {
		for _, y := range b {
			if x == y {
				return true
			}
		}
	}
	return false
}
