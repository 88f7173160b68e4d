package queries_test

import (
	"os"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/koprogo/koprogo/deploy/embedded/embeddedtest"
	"github.com/koprogo/koprogo/events"
	"github.com/koprogo/koprogo/eventstore"
	"github.com/koprogo/koprogo/eventstore/eventstoretest"
	"github.com/koprogo/koprogo/projections"
	"github.com/koprogo/koprogo/queries"
)

func TestMain(m *testing.M) { os.Exit(embeddedtest.Main(m)) }

// world is a server without HTTP: a log, followed, and its reader. A test that appended reads what
// it appended, because append notes the position as answered.
type world struct {
	*eventstoretest.Log

	reader *queries.Reader
}

var (
	newID          = eventstoretest.NewID
	stream         = eventstoretest.Stream
	buildingStream = eventstoretest.BuildingStream
	registered     = eventstoretest.Registered
)

func newWorld(t testing.TB) *world {
	t.Helper()
	w, follower := newWorldAtRest(t)
	eventstoretest.Run(t, follower.Run)
	return w
}

// newWorldAtRest is one whose read models move only when the follower is told to catch up.
func newWorldAtRest(t testing.TB) (*world, *projections.Follower) {
	t.Helper()
	w := &world{Log: eventstoretest.New(t)}
	follower := projections.NewFollower(projections.Config{Store: w.Store})
	w.reader = queries.NewReader(w.Store, follower)
	return w, follower
}

// by appends facts to a stream as an actor.
func (w *world) by(
	t require.TestingT, actor, organization uuid.UUID, stream events.Stream,
	added ...events.Event,
) eventstore.Receipt {
	receipt := w.AppendBy(t, actor, organization, stream, added...)
	w.reader.Landed(receipt)
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
	conn, err := pgx.Connect(t.Context(), w.Clone.SuperuserURL)
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
		eventstoretest.Opened(account, first),
		events.AccountRoleOffered{RoleID: roleID, Role: role, OrganizationID: organization},
		events.AccountRoleChosen{RoleID: roleID})
	w.append(t, organization, stream(events.MemberCategory, account),
		events.MemberRoleGranted{RoleID: roleID, Role: role})
	return account
}
