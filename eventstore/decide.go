package eventstore

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/koprogo/koprogo/events"
)

// batch is what one transaction is to write, decided append by append in the order they came.
type batch struct {
	accepted []*pending
	heads    []uuid.UUID // ascending
	believed map[uuid.UUID]headMove
	claims   map[claimKey]claimRow // as read, then as the appends leave them
	before   map[claimKey]claimRow
	keys     map[idempotencyKey]knownKey
	repeats  []repeat
	refused  []refused
	stale    []*pending          // refused on a belief that may be stale: decided again on fresh reads
	reached  map[uuid.UUID]int64 // where the heads stand after it
	read     *gathered
	ahead    bool       // decided while another batch is written, as if it stood
	writes   *pgx.Batch // its statements
	bytes    int        // what its events take on their way
}

// headMove is where a head stood before the batch.
type headMove struct {
	position int64
	epoch    int32
	tree     []byte
}

type claimKey struct {
	organization uuid.UUID
	name         string
}

type claimRow struct {
	kind    string
	holder  events.Stream
	subject uuid.UUID
}

type idempotencyKey struct {
	organization, actor uuid.UUID
	key                 string
}

// knownKey is a request that was answered before, or earlier in this batch (by then).
type knownKey struct {
	request  []byte
	status   int
	resource string
	position int64
	by       *pending
}

// repeat is an append whose key an earlier one of the same batch brought: it gets that answer.
type repeat struct {
	append *pending
	of     *pending
}

// refused is an append that may not stand because of an earlier one of the same batch: it hears so
// once that one is committed, and is decided again when it is not.
type refused struct {
	append *pending
	err    error
}

// decide gives positions to the appends that may stand and refuses the others. It changes the
// beliefs as if the batch were committed; the caller forgets them when it is not.
func (l *lane) decide(waiting []*pending, read *gathered, ahead bool) *batch {
	b := &batch{
		read: read, ahead: ahead, reached: map[uuid.UUID]int64{},
		believed: map[uuid.UUID]headMove{}, claims: read.claims,
		before: make(map[claimKey]claimRow, len(read.claims)), keys: read.keys,
	}
	for key, row := range read.claims {
		b.before[key] = row
	}
	now := micros(l.store.clock())
	for _, p := range waiting {
		if l.repeated(b, p) {
			continue
		}
		head := l.beliefs.head(p.append.Organization)
		certain, err := l.refusal(b, head, p)
		switch {
		case err == nil:
			l.accept(b, head, p, now)
		case certain || p.fresh:
			b.refuse(p, err)
		default:
			p.fresh, b.stale = true, append(b.stale, p)
		}
	}
	slices.SortFunc(b.heads, func(a, b uuid.UUID) int { return bytes.Compare(a[:], b[:]) })
	return b
}

// repeated answers an append whose idempotency key is known.
func (l *lane) repeated(b *batch, p *pending) bool {
	idem := p.append.Idempotency
	if idem == nil {
		return false
	}
	known, found := b.keys[idempotencyKey{p.append.Organization, idem.Actor, idem.Key}]
	switch {
	case !found:
		return false
	case !bytes.Equal(known.request, idem.Request):
		b.refuse(p, ErrKeyReused)
	case known.by != nil:
		b.repeats = append(b.repeats, repeat{append: p, of: known.by})
	default:
		p.answer(Receipt{
			Organization: p.append.Organization, Position: known.position, Replayed: true,
			Status: known.status, Resource: known.resource,
		}, nil)
	}
	return true
}

// refuse answers the append, at once unless what it was measured against is yet to be committed.
func (b *batch) refuse(p *pending, err error) {
	if _, touched := b.believed[p.append.Organization]; touched || b.ahead {
		b.refused = append(b.refused, refused{p, err})
		return
	}
	p.answer(Receipt{}, err)
}

// refusal tells why the append may not stand, and whether that is certain: a version that is
// already past the expected one never comes back, but one that lags may be an old belief.
func (l *lane) refusal(
	b *batch, head *headBelief, p *pending,
) (certain bool, err error) {
	a := p.append
	for _, in := range a.Streams {
		actual, known := l.version(b.read, head, streamKey{a.Organization, in.Stream})
		if known && actual != in.Expected {
			return actual > in.Expected, &ConflictError{in.Stream, in.Expected, actual}
		}
	}
	for _, seen := range a.Reads {
		actual, known := l.version(b.read, head, streamKey{a.Organization, seen.Stream})
		if known && actual != seen.Version {
			return actual > seen.Version, &ConflictError{seen.Stream, seen.Version, actual}
		}
	}
	released := b.released(head, p)
	for _, c := range p.take {
		if c.name == "" {
			places := head.places[c.kind]
			if places.of[c.holder.ID] == 0 && places.count-released[c.kind] >= c.limit {
				return false, &ClaimError{Kind: c.kind}
			}
			continue
		}
		row, taken := b.claims[claimKey{a.Organization, c.name}]
		if taken && row.holder != c.holder && released[c.name] == 0 {
			return true, &ClaimError{Kind: c.kind}
		}
	}
	return true, nil
}

// released counts what the append itself gives back, by name and, for numbered ones, by kind.
func (b *batch) released(head *headBelief, p *pending) map[string]int {
	released := map[string]int{}
	for _, c := range p.release {
		if c.name != "" {
			if b.claims[claimKey{p.append.Organization, c.name}].holder == c.holder {
				released[c.name]++
			}
		} else if head.places[c.kind].of[c.holder.ID] != 0 {
			released[c.kind]++
		}
	}
	return released
}

// accept gives the append its positions, versions, instants and leaf hashes.
func (l *lane) accept(b *batch, head *headBelief, p *pending, now time.Time) {
	organization := p.append.Organization
	if _, touched := b.believed[organization]; !touched {
		tree, _ := head.tree.MarshalBinary()
		b.believed[organization] = headMove{head.position, head.epoch, tree}
		b.heads = append(b.heads, organization)
	}
	if now.After(head.recorded) {
		head.recorded = now
	}
	i := 0
	for _, in := range p.append.Streams {
		version := in.Expected
		for range in.Events {
			row, digests := &p.rows[i], &p.digests[i]
			version, head.position, i = version+1, head.position+1, i+1
			row.Version, row.Position, row.RecordedAt = version, head.position, head.recorded
			row.LeafHash = LeafFromHashes(row, digests.data, digests.metadata)
			head.tree.Append(row.LeafHash)
		}
		l.beliefs.setVersion(head, streamKey{organization, in.Stream}, version)
		b.read.note(streamKey{organization, in.Stream}, version)
	}
	b.moveClaims(head, p)
	if idem := p.append.Idempotency; idem != nil {
		b.keys[idempotencyKey{organization, idem.Actor, idem.Key}] = knownKey{
			request: idem.Request, by: p,
		}
	}
	b.accepted, b.reached[organization] = append(b.accepted, p), head.position
}

// moveClaims applies the append's releases, then its takings. A taken number becomes a name.
func (b *batch) moveClaims(head *headBelief, p *pending) {
	organization := p.append.Organization
	for _, c := range p.release {
		if c.name == "" {
			n := head.places[c.kind].release(c.holder)
			if n == 0 {
				continue
			}
			c.name = placeName(c.kind, n)
			key := claimKey{organization, c.name}
			if _, mine := b.claims[key]; !mine { // not taken in this batch: its row exists
				b.before[key] = claimRow{c.kind, c.holder, c.subject}
			}
		} else if b.claims[claimKey{organization, c.name}].holder != c.holder {
			continue
		}
		delete(b.claims, claimKey{organization, c.name})
	}
	for _, c := range p.take {
		if c.name == "" {
			places := head.places[c.kind]
			if places.of[c.holder.ID] != 0 {
				continue
			}
			c.name = placeName(c.kind, places.take(c.holder, c.limit))
		}
		b.claims[claimKey{organization, c.name}] = claimRow{c.kind, c.holder, c.subject}
	}
}

// mostPlaces bounds a number that is read: places are kept by number.
const mostPlaces = 1 << 24

func placeName(kind string, n int) string { return kind + "/" + strconv.Itoa(n) }

func placeNumber(kind, name string) (int, error) {
	n, err := strconv.Atoi(strings.TrimPrefix(name, kind+"/"))
	if err != nil || n < 1 || n > mostPlaces {
		return 0, fmt.Errorf("claim %q has no number", name)
	}
	return n, nil
}

// micros cuts an instant to whole microseconds, which is what PostgreSQL keeps.
func micros(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }
