package commands

import (
	"time"

	"github.com/google/uuid"

	"github.com/koprogo/koprogo/events"
	"github.com/koprogo/koprogo/eventstore"
)

// App is what commands run on: the log, the states kept warm, and what is known of the platform's
// log.
type App struct {
	store    *eventstore.Store
	warm     *warm
	platform *platform
}

// New makes an App over an open store.
func New(store *eventstore.Store) *App {
	return &App{store: store, warm: newWarm(), platform: newPlatform()}
}

// Forget drops every warm state: after a restore or failover the log may be another one.
func (a *App) Forget() {
	a.warm.forget()
	a.platform.forget()
}

// Caller says who asks, in which organization, and on what conditions.
type Caller struct {
	Organization uuid.UUID // whose log is appended to; nil for the platform's
	Actor        uuid.UUID // the account; nil for the product itself
	Role         string
	Correlation  string // the request's id
	Address      string // the client's, personal data of the actor
	Agent        string
	Made         uuid.UUID // an id that the request made: no stream has it yet
	IfMatch      *int64    // the revision that the caller saw; nil for any
	Idempotency  *eventstore.Idempotency
}

// in is the caller in another log, where neither his condition nor his key holds.
func (c Caller) in(organization uuid.UUID) Caller {
	c.Organization, c.IfMatch, c.Idempotency = organization, nil, nil
	return c
}

// Outcome is what a command came to. Where the idempotency key was known Receipt.Replayed is set,
// nothing was appended, and State is the present one.
type Outcome[S any] struct {
	Receipt eventstore.Receipt   // without events: the position of the log's head
	Also    []eventstore.Receipt // of the same request in other logs
	State   S
	Version int64 // of the command's stream
	Changed bool  // false when there was nothing to change
}

// System is the product itself as a caller.
func System(organization uuid.UUID, correlation string) Caller {
	return Caller{Organization: organization, Role: "system", Correlation: correlation}
}

// The streams that commands are decided on.

// BuildingStream holds a building's facts, in its organization's log.
func BuildingStream(id uuid.UUID) events.Stream {
	return events.Stream{Category: events.BuildingCategory, ID: id}
}

// OrganizationStream holds an organization's facts in its own log, and its place in the list in
// the platform's.
func OrganizationStream(id uuid.UUID) events.Stream {
	return events.Stream{Category: events.OrganizationCategory, ID: id}
}

// AccountStream holds a user account's facts, in the platform's log.
func AccountStream(id uuid.UUID) events.Stream {
	return events.Stream{Category: events.AccountCategory, ID: id}
}

// MemberStream holds an account's roles and mandates in an organization, in that one's log.
func MemberStream(account uuid.UUID) events.Stream {
	return events.Stream{Category: events.MemberCategory, ID: account}
}

// How long a command may take.
const (
	decideFor = 2 * time.Second // deciding again on newer states, then the conflict is answered
	appendFor = 5 * time.Second // an append under way does not hang on the client's patience
)
