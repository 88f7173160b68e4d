package queries_test

import (
	"context"
	"os"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/koprogo/koprogo/deploy/embedded/embeddedtest"
	"github.com/koprogo/koprogo/events"
	"github.com/koprogo/koprogo/eventstore"
	"github.com/koprogo/koprogo/migrations/migrationstest"
	"github.com/koprogo/koprogo/projections"
	"github.com/koprogo/koprogo/queries"
)

func TestMain(m *testing.M) { os.Exit(embeddedtest.Main(m)) }

// world is a server without HTTP: a log, followed, and its reader. A test that appended reads what
// it appended, because append notes the position as answered.
type world struct {
	store    *eventstore.Store
	clone    migrationstest.Clone
	reader   *queries.Reader
	versions map[uuid.UUID]map[events.Stream]int64
}

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{
		clone: migrationstest.Database(t), versions: map[uuid.UUID]map[events.Stream]int64{},
	}
	store, err := eventstore.Open(t.Context(), eventstore.Config{
		URL: w.clone.URL, MasterKey: [32]byte{7},
	})
	require.NoError(t, err)
	t.Cleanup(store.Close)
	w.store = store
	follower := projections.NewFollower(projections.Config{Store: store})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- follower.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		require.NoError(t, <-done)
	})
	w.reader = queries.NewReader(store, follower)
	return w
}

// by appends facts to a stream as an actor.
func (w *world) by(
	t require.TestingT, actor, organization uuid.UUID, stream events.Stream,
	added ...events.Event,
) eventstore.Receipt {
	versions := w.versions[organization]
	if versions == nil {
		versions = map[events.Stream]int64{}
		w.versions[organization] = versions
	}
	a := eventstore.Append{
		Organization: organization,
		Streams: []eventstore.StreamAppend{{
			Stream: stream, Expected: versions[stream], Events: added,
		}},
	}
	if actor != uuid.Nil {
		a.Metadata = eventstore.Metadata{Actor: actor, Role: "syndic", Correlation: "request-1"}
	}
	if inside, ok := added[0].(events.InBuilding); ok {
		a.Streams[0].Building = inside.BuildingID()
	}
	if stream.Category == events.BuildingCategory {
		a.Streams[0].Building = stream.ID
	}
	for _, event := range added {
		if introduces, ok := event.(events.Introduces); ok {
			a.Subjects = append(a.Subjects, introduces.NewSubjects()...)
		}
	}
	receipt, err := w.store.Append(context.Background(), a)
	require.NoError(t, err)
	versions[stream] += int64(len(added))
	w.reader.Answered(organization, receipt.Position)
	return receipt
}

func (w *world) append(
	t require.TestingT, organization uuid.UUID, stream events.Stream, added ...events.Event,
) eventstore.Receipt {
	return w.by(t, uuid.Nil, organization, stream, added...)
}

// exec runs a statement as the superuser.
func (w *world) exec(t testing.TB, text string, args ...any) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), w.clone.SuperuserURL)
	require.NoError(t, err)
	_, err = conn.Exec(t.Context(), text, args...)
	require.NoError(t, err)
	require.NoError(t, conn.Close(t.Context()))
}

// user opens an account with a role in an organization (nil: on the platform).
func (w *world) user(t *testing.T, organization uuid.UUID, first, role string) uuid.UUID {
	t.Helper()
	account, roleID := newID(), newID()
	w.append(t, eventstore.Platform, stream(events.AccountCategory, account),
		events.AccountOpened{
			AccountID: account, Email: events.PersonalText(first + "@example.be"),
			FirstName: events.PersonalText(first), LastName: events.PersonalText("Peeters"),
		},
		events.AccountRoleOffered{RoleID: roleID, Role: role, OrganizationID: organization},
		events.AccountRoleChosen{RoleID: roleID})
	w.append(t, organization, stream(events.MemberCategory, account),
		events.MemberRoleGranted{RoleID: roleID, Role: role})
	return account
}

func newID() uuid.UUID { return uuid.Must(uuid.NewV7()) }

func stream(category string, id uuid.UUID) events.Stream {
	return events.Stream{Category: category, ID: id}
}

func buildingStream(id uuid.UUID) events.Stream { return stream(events.BuildingCategory, id) }

func registered(name string) events.BuildingRegistered {
	return events.BuildingRegistered{
		Name: name, Address: "Grand-Place 1", City: "Bruxelles", PostalCode: "1000",
		Country: "Belgique", Lots: 10, Shares: events.WholeShares(1000), Zone: "Europe/Brussels",
	}
}
