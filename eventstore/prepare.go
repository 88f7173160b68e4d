package eventstore

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"github.com/koprogo/koprogo/events"
)

// What one append may hold at most: a batch of them has to fit in one round trip.
const (
	maxEventsPerAppend = 10_000
	maxDataPerEvent    = 1 << 20
)

// pending is an append on its way through the writer, encoded and sealed by its caller.
type pending struct {
	ctx      context.Context
	append   Append
	deadline time.Time
	rows     []Recorded // without position, version, recorded_at and leaf_hash
	digests  []digests  // of rows, one for one
	take     []namedClaim
	release  []namedClaim
	made     *FreshKeys
	keys     []NewKey
	state    atomic.Int32 // waiting, then sent or abandoned
	done     chan result
	fresh    bool  // decide only on what was read for this very append
	base     int64 // after a lost answer: the head that the lost transaction believed
	lost     bool
}

// digests are what a leaf holds of an event's data and metadata, made outside the writer.
type digests struct{ data, metadata [32]byte }

const (
	waiting   int32 = iota // certainly nothing of it is in the database
	sent                   // its rows may be in the database
	abandoned              // its caller left before it was sent
)

type result struct {
	receipt Receipt
	err     error
}

// namedClaim is a claim as its row has it.
type namedClaim struct {
	kind, name string
	holder     events.Stream
	subject    uuid.UUID
	limit      int // a numbered claim that has no name yet
}

// prepare encodes and seals the append's events, outside the writer: it is the costly part.
func (s *Store) prepare(ctx context.Context, a Append) (*pending, error) {
	p := &pending{ctx: ctx, append: a, done: make(chan result, 1)}
	if err := checkShape(a); err != nil {
		return nil, err
	}
	if m := a.Metadata; m.Actor != uuid.Nil && m.Address+m.Agent != "" &&
		!slices.Contains(a.Subjects, m.Actor) {
		if err := s.keyring.AccountKey(ctx, a.Organization, m.Actor); err != nil {
			return nil, err
		}
	}
	fresh, err := s.keyring.NewKeys(a.Organization, a.Subjects)
	if err != nil {
		return nil, fmt.Errorf("make the new subjects' keys: %w", err)
	}
	n := a.size()
	p.rows, p.digests = make([]Recorded, 0, n), make([]digests, 0, n)
	for _, in := range a.Streams {
		for _, event := range in.Events {
			row, err := encode(ctx, a, in, event, fresh, len(p.rows) == 0)
			if err != nil {
				return nil, err
			}
			p.rows = append(p.rows, row)
			p.digests = append(p.digests,
				digests{sha256.Sum256(row.Data), sha256.Sum256(row.Metadata)})
		}
	}
	p.made, p.keys = fresh, fresh.Keys()
	if p.take, err = s.nameClaims(ctx, a.Organization, a.Take); err != nil {
		return nil, err
	}
	p.release, err = s.nameClaims(ctx, a.Organization, a.Release)
	return p, err
}

// size is how many events the append has.
func (a *Append) size() int {
	n := 0
	for _, in := range a.Streams {
		n += len(in.Events)
	}
	return n
}

func checkShape(a Append) error {
	var seen []events.Stream
	for _, in := range a.Streams {
		if len(in.Events) == 0 || in.Stream.IsZero() || in.Expected < 0 {
			return errors.New("append: each stream needs a name, an expected version and events")
		}
		if slices.Contains(seen, in.Stream) {
			return fmt.Errorf("append: %s is named twice", in.Stream)
		}
		if b := in.building(); in.Building != uuid.Nil && in.Building != b {
			return fmt.Errorf("append: %s belongs to its own building, not to %s", in.Stream,
				in.Building)
		}
		seen = append(seen, in.Stream)
	}
	if n := a.size(); n == 0 || n > maxEventsPerAppend {
		return fmt.Errorf("append: %d events where 1 to %d may stand", n, maxEventsPerAppend)
	}
	return nil
}

func encode(
	ctx context.Context, a Append, in StreamAppend, event events.Event, fresh *FreshKeys,
	first bool,
) (Recorded, error) {
	id, err := uuid.NewV7()
	if err != nil {
		return Recorded{}, fmt.Errorf("make an event's id: %w", err)
	}
	encoded, err := events.Encode(event, fresh.Sealer(ctx, id, in.Stream))
	if err != nil {
		return Recorded{}, err
	}
	if len(encoded.Data) > maxDataPerEvent {
		return Recorded{}, fmt.Errorf("append: %s is larger than %d bytes", encoded.Type,
			maxDataPerEvent)
	}
	if by := encoded.Subjects; len(by) == 1 && ofPerson(in.Stream) &&
		by[0] != in.Stream.ID && by[0] != id {
		return Recorded{}, fmt.Errorf("append: %s holds no other person's texts alone", in.Stream)
	}
	metadata := a.Metadata
	if !first {
		metadata.Address, metadata.Agent = "", ""
	}
	meta, err := fresh.SealMetadata(ctx, id, metadata)
	if err != nil {
		return Recorded{}, err
	}
	row := Recorded{
		Organization: a.Organization, Building: in.building(), Subjects: encoded.Subjects,
		Stream: in.Stream, ID: id, Type: encoded.Type, Schema: encoded.Schema,
		Data: encoded.Data, Metadata: meta, Event: event,
	}
	if effective, ok := event.(events.Effective); ok {
		row.EffectiveAt = micros(effective.EffectiveAt())
	}
	return row, nil
}

// ofPerson tells whether the stream is a person's own: OutsideOwnStreams leaves these out.
func ofPerson(stream events.Stream) bool {
	switch stream.Category {
	case events.AccountCategory, events.OwnerCategory, events.SupplierCategory:
		return true
	}
	return false
}

// nameClaims gives each claim the name of its row; one over personal data is an HMAC.
func (s *Store) nameClaims(
	ctx context.Context, organization uuid.UUID, claims []Claim,
) ([]namedClaim, error) {
	named := make([]namedClaim, 0, len(claims))
	for _, c := range claims {
		n := namedClaim{
			kind: c.Kind, holder: c.Holder, subject: c.Subject, limit: c.Limit,
		}
		switch {
		case c.Value != "":
			n.name = c.Kind + ":" + c.Value
		case !c.Personal.IsEmpty():
			clear, err := s.keyring.Open(ctx, organization, c.Personal)
			if err != nil {
				return nil, fmt.Errorf("open the claim on %s: %w", c.Kind, err)
			}
			mac, err := s.keyring.ClaimHMAC(ctx, organization, c.Kind, clear)
			if err != nil {
				return nil, fmt.Errorf("name the claim on %s: %w", c.Kind, err)
			}
			n.name = c.Kind + ":" + mac
		}
		named = append(named, n)
	}
	return named, nil
}
