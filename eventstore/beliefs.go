package eventstore

import (
	"time"

	"github.com/google/uuid"
	lru "github.com/hashicorp/golang-lru/v2"

	"github.com/koprogo/koprogo/events"
)

// How much the writer remembers; what falls out is read again.
const (
	maxHeads    = 10_000
	maxVersions = 4_000
)

// beliefs are what the writer holds to be true of heads, stream versions and numbered claims. A
// stale belief is harmless: heads move by compare-and-set. Only the lane's goroutine touches them.
type beliefs struct {
	heads    *lru.Cache[uuid.UUID, *headBelief]
	versions *lru.Cache[streamKey, versionBelief]
	nextAge  uint64
}

type headBelief struct {
	position int64
	recorded time.Time
	tree     *Tree
	epoch    int32
	age      uint64 // versions learnt under another age are not believed
	places   map[string]*places
}

type streamKey struct {
	organization uuid.UUID
	stream       events.Stream
}

type versionBelief struct {
	version int64
	age     uint64
}

// places are the numbers taken of one kind of numbered claim, and who has which. An unlimited plan
// may have a hundred thousand: nothing here points anywhere.
type places struct {
	taken  []bool            // by number, from 0, which nobody has
	of     map[uuid.UUID]int // the number that a holder has, by its stream's id, which is no other's
	count  int               // how many are taken
	lowest int               // no number below it is free
}

func newPlaces() *places { return &places{of: map[uuid.UUID]int{}, lowest: 1} }

// take gives the lowest free number up to limit; 0 when there is none.
func (p *places) take(holder events.Stream, limit int) int {
	if p.count >= limit {
		return 0
	}
	for n := p.lowest; n <= limit; n++ {
		if n >= len(p.taken) || !p.taken[n] {
			p.hold(n, holder)
			p.lowest = n + 1
			return n
		}
	}
	return 0
}

// hold notes that holder has n.
func (p *places) hold(n int, holder events.Stream) {
	for n >= len(p.taken) {
		p.taken = append(p.taken, false)
	}
	if !p.taken[n] {
		p.count++
	}
	p.taken[n], p.of[holder.ID] = true, n
}

// release returns the number that holder had; 0 for none.
func (p *places) release(holder events.Stream) int {
	n := p.of[holder.ID]
	if n != 0 {
		delete(p.of, holder.ID)
		p.taken[n] = false
		p.count--
		p.lowest = min(p.lowest, n)
	}
	return n
}

func newBeliefs() *beliefs {
	heads, _ := lru.New[uuid.UUID, *headBelief](maxHeads)
	versions, _ := lru.New[streamKey, versionBelief](maxVersions)
	return &beliefs{heads: heads, versions: versions}
}

func (b *beliefs) learn(h Head) error {
	tree, err := ParseTree(h.Position, h.Tree)
	if err != nil {
		return err
	}
	b.nextAge++
	b.heads.Add(h.Organization, &headBelief{
		position: h.Position, recorded: h.RecordedAt, tree: tree, epoch: h.Epoch,
		age: b.nextAge, places: map[string]*places{},
	})
	return nil
}

func (b *beliefs) head(organization uuid.UUID) *headBelief {
	head, _ := b.heads.Get(organization)
	return head
}

// version is what is believed of a stream; ok is false when nothing is.
func (b *beliefs) version(head *headBelief, key streamKey) (version int64, ok bool) {
	belief, ok := b.versions.Get(key)
	return belief.version, ok && belief.age == head.age
}

func (b *beliefs) setVersion(head *headBelief, key streamKey, version int64) {
	b.versions.Add(key, versionBelief{version: version, age: head.age})
}

// forget drops everything believed about the batch's heads, and with their age their streams.
func (b *beliefs) forget(batch []*pending) {
	for _, p := range batch {
		b.heads.Remove(p.append.Organization)
	}
}
