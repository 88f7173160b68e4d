// Package eventstoretest gives tests a log of their own: a store on a migrated database, appends
// that know where every stream stands, and the facts that many tests begin with. It imports events,
// eventstore and migrations/migrationstest. Start with New.
package eventstoretest

import (
	"context"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/koprogo/koprogo/events"
	"github.com/koprogo/koprogo/eventstore"
	"github.com/koprogo/koprogo/migrations/migrationstest"
)

// Log is an event log on a database of one test. It is not for several goroutines.
type Log struct {
	Store *eventstore.Store
	Clone migrationstest.Clone

	Heads map[uuid.UUID]int64 // the position of the last append, by organization

	versions map[streamOf]int64
}

type streamOf struct {
	organization uuid.UUID
	stream       events.Stream
}

// New makes a log for the duration of the test.
func New(t testing.TB) *Log {
	t.Helper()
	clone := migrationstest.Database(t)
	return &Log{
		Store: Open(t, clone.URL), Clone: clone, versions: map[streamOf]int64{},
		Heads: map[uuid.UUID]int64{},
	}
}

// Open opens a store on a database for the duration of the test. All stores that it opens have one
// master key.
func Open(t testing.TB, url string, adjust ...func(*eventstore.Config)) *eventstore.Store {
	t.Helper()
	config := eventstore.Config{URL: url, MasterKey: [32]byte{7}}
	for _, change := range adjust {
		change(&config)
	}
	store, err := eventstore.Open(t.Context(), config)
	require.NoError(t, err)
	t.Cleanup(store.Close)
	return store
}

// Run sets something to work beside the test, until its end: it must end without an error then.
func Run(t testing.TB, work func(context.Context) error) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- work(ctx) }()
	t.Cleanup(func() {
		cancel()
		require.NoError(t, <-done)
	})
}

// Append adds facts to a stream of an organization, as the product itself.
func (l *Log) Append(
	t require.TestingT, organization uuid.UUID, stream events.Stream, added ...events.Event,
) eventstore.Receipt {
	return l.AppendBy(t, uuid.Nil, organization, stream, added...)
}

// AppendBy adds facts to a stream of an organization, as a syndic who is the actor (nil: nobody).
func (l *Log) AppendBy(
	t require.TestingT, actor, organization uuid.UUID, stream events.Stream,
	added ...events.Event,
) eventstore.Receipt {
	of := streamOf{organization, stream}
	a := eventstore.Append{Organization: organization, Streams: []eventstore.StreamAppend{{
		Stream: stream, Expected: l.versions[of], Building: buildingOf(stream, added),
		Events: added,
	}}}
	if actor != uuid.Nil {
		a.Metadata = eventstore.Metadata{Actor: actor, Role: "syndic", Correlation: "request-1"}
	}
	for _, event := range added {
		if introduces, ok := event.(events.Introduces); ok {
			a.Subjects = append(a.Subjects, introduces.NewSubjects()...)
		}
	}
	receipt, err := l.Store.Append(context.Background(), a)
	require.NoError(t, err)
	l.versions[of] += int64(len(added))
	l.Heads[organization] = receipt.Position
	return receipt
}

func buildingOf(stream events.Stream, added []events.Event) uuid.UUID {
	if stream.Category == events.BuildingCategory {
		return stream.ID
	}
	if inside, ok := added[0].(events.InBuilding); ok {
		return inside.BuildingID()
	}
	return uuid.Nil
}

// Appended notes that somebody else added n facts to a stream.
func (l *Log) Appended(organization uuid.UUID, stream events.Stream, n int64) {
	l.versions[streamOf{organization, stream}] += n
}

// NewID is a fresh UUIDv7.
func NewID() uuid.UUID { return uuid.Must(uuid.NewV7()) }

// Stream is the stream of a thing.
func Stream(category string, id uuid.UUID) events.Stream {
	return events.Stream{Category: category, ID: id}
}

// BuildingStream is a building's.
func BuildingStream(id uuid.UUID) events.Stream { return Stream(events.BuildingCategory, id) }

// Registered is a building of ten lots in Brussels.
func Registered(name string) events.BuildingRegistered {
	return events.BuildingRegistered{
		Name: name, Address: "Grand-Place 1", City: "Bruxelles", PostalCode: "1000",
		Country: "Belgique", Lots: 10, Shares: events.WholeShares(1000), Zone: "Europe/Brussels",
	}
}

// Opened is an account of somebody.
func Opened(id uuid.UUID, first string) events.AccountOpened {
	return events.AccountOpened{
		AccountID: id, Email: events.PersonalText(first + "@example.be"),
		FirstName: events.PersonalText(first), LastName: events.PersonalText("Peeters"),
	}
}
