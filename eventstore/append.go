package eventstore

import (
	"errors"
	"time"

	"github.com/google/uuid"

	"github.com/koprogo/koprogo/events"
)

// Platform is the organization of the platform log: accounts and the list of organizations.
var Platform = uuid.Nil

// Append is one atomic addition to an organization's log: all of it is recorded, or nothing.
type Append struct {
	Organization uuid.UUID
	Streams      []StreamAppend
	Reads        []StreamVersion // streams that the decision read and that must not have moved
	Take         []Claim
	Release      []Claim
	Subjects     []uuid.UUID // new subjects, whose keys are made with this append
	Metadata     Metadata
	Idempotency  *Idempotency // nil when the caller gave no key
}

// StreamAppend adds events to one stream.
type StreamAppend struct {
	Stream   events.Stream
	Expected int64     // the version that the decision was made on; 0 for a stream without events
	Building uuid.UUID // the building that the events belong to; nil when to none, or to its own
	Events   []events.Event
}

// building is the one that the events belong to. A building's own stream belongs to no other:
// replaying a building rests on it.
func (in *StreamAppend) building() uuid.UUID {
	if in.Stream.Category == events.BuildingCategory {
		return in.Stream.ID
	}
	return in.Building
}

// StreamVersion names a version of a stream.
type StreamVersion struct {
	Stream  events.Stream
	Version int64
}

// Claim is a name that one holder at a time has in an organization: an e-mail, a slug, a place in
// a plan. Exactly one of Value, Personal and Limit says which kind it is; a release needs only
// Kind and Holder.
type Claim struct {
	Kind     string          // "email", "slug", "building": the first part of the row's name
	Holder   events.Stream   // who takes or releases it
	Value    string          // the claimed name in clear, for what is no personal data
	Personal events.Personal // a name that is personal data: claimed as an HMAC of its clear text
	Subject  uuid.UUID       // whose personal data it is; the claim goes with the subject
	Limit    int             // a numbered claim: the lowest free place from 1 to Limit is taken
}

// Unlimited is the Limit of a numbered claim in a plan without one.
const Unlimited = 1 << 30

// Metadata says who asked, and in which conversation.
type Metadata struct {
	Actor       uuid.UUID // the account, nil for the product itself
	Role        string
	Correlation string // the request's id
	Causation   uuid.UUID
	Address     string // client address and agent are personal data of the actor and sealed
	Agent       string
}

// Idempotency is what makes the repetition of a request answerable.
type Idempotency struct {
	Actor    uuid.UUID
	Key      string
	Request  []byte // HMAC-SHA-256 of method, path and body
	Status   int
	Resource string // kind and id, such as "building/018f…"
}

// IdempotencyLife is how long a key is remembered.
const IdempotencyLife = 24 * time.Hour

// Receipt says where an append stands. Replayed is set when the idempotency key was known: then
// Status and Resource are those of the first request, Position where its append ended, and
// nothing was appended.
type Receipt struct {
	Organization uuid.UUID
	First        int64 // position of the first event
	Position     int64 // position of the last event
	RecordedAt   time.Time
	Versions     []StreamVersion // after the append, in the order of Append.Streams
	Recorded     []Recorded      // what was appended, in order; Event is set
	Replayed     bool
	Status       int
	Resource     string
}

// Errors of an append. ConflictError and ClaimError wrap the first two.
var (
	ErrConflict       = errors.New("a stream is at another version")
	ErrClaimed        = errors.New("a claim is taken")
	ErrKeyReused      = errors.New("the idempotency key belongs to another request")
	ErrOutcomeUnknown = errors.New("the append's outcome is unknown")
	ErrUnavailable    = errors.New("the log is unavailable")
	ErrErased         = errors.New("the person's key was destroyed")
)

// ConflictError names the stream that moved.
type ConflictError struct {
	Stream   events.Stream
	Expected int64
	Actual   int64
}

func (e *ConflictError) Error() string {
	return ErrConflict.Error() + ": " + e.Stream.String()
}
func (e *ConflictError) Unwrap() error { return ErrConflict }

// ClaimError names the kind of claim that is taken, or whose places are all taken.
type ClaimError struct{ Kind string }

func (e *ClaimError) Error() string { return ErrClaimed.Error() + ": " + e.Kind }
func (e *ClaimError) Unwrap() error { return ErrClaimed }

// Recorded is an event with where and when it was appended. Data and Metadata are the stored
// bytes; personal data in Event stays sealed.
type Recorded struct {
	Organization uuid.UUID
	Position     int64
	Building     uuid.UUID // nil when it belongs to none
	Subjects     []uuid.UUID
	Stream       events.Stream
	Version      int64
	ID           uuid.UUID
	Type         string
	Schema       int
	Data         []byte
	Metadata     []byte
	RecordedAt   time.Time
	EffectiveAt  time.Time // zero when the fact names none
	LeafHash     [32]byte
	Event        events.Event
}
