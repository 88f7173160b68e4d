package eventstore_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/koprogo/koprogo/events"
	"github.com/koprogo/koprogo/eventstore"
)

// list enters the organization in the platform's list, an hour ago.
func (l *tampered) list(t testing.TB) {
	t.Helper()
	store, err := eventstore.Open(t.Context(), eventstore.Config{
		URL: l.clone.URL, MasterKey: [32]byte{7},
		Clock: func() time.Time { return time.Now().Add(-time.Hour) },
	})
	require.NoError(t, err)
	t.Cleanup(store.Close)
	stream := events.Stream{Category: events.OrganizationCategory, ID: l.organization}
	mustAppend(t, store, appendTo(eventstore.Platform, stream, 0, events.OrganizationListed{
		Name: "Syndic du Sablon", Slug: "sablon", Plan: "starter", ContactID: newID(t),
	}))
}

func (l *tampered) verifyAll(t testing.TB) map[uuid.UUID]eventstore.OrganizationReport {
	t.Helper()
	report, err := eventstore.Verify(t.Context(), eventstore.VerifyOptions{
		Pool:        l.store.Pool(eventstore.RoleJobs),
		VerifierKey: l.store.Keyring().Notary().VerifierKey,
	})
	require.NoError(t, err)
	found := map[uuid.UUID]eventstore.OrganizationReport{}
	for _, one := range report.Organizations {
		found[one.ID] = one
	}
	return found
}

func TestALogThatWasTakenAwayIsMissedByThePlatforms(t *testing.T) {
	t.Parallel()
	l := newTampered(t)
	l.list(t)
	requireFound(t, l.verifyAll(t)[l.organization])
	for _, table := range []string{"events", "logs", "checkpoints", "keys"} {
		l.exec(t, `delete from log.`+table+` where organization_id = $1`)
	}
	const missing = "position 1: no log at all: the platform's log lists the organization"
	requireFound(t, l.verify(t), missing)
	found := l.verifyAll(t)
	require.Contains(t, found, l.organization)
	requireFound(t, found[l.organization], missing)
	requireFound(t, found[eventstore.Platform])
}

func TestAKeyThatDoesNotOpenIsAFindingOfItsLogAlone(t *testing.T) {
	t.Parallel()
	l := newTampered(t)
	whole := &tampered{store: l.store, super: l.super, organization: uuid.Max}
	whole.fill(t)
	l.exec(t, `update log.keys set wrapped = (select wrapped from log.keys
		where organization_id = $2 and purpose = 'checkpoint')
		where organization_id = $1 and purpose = 'checkpoint'`, whole.organization)
	l.store = openOn(t, l.clone.URL)
	found := l.verifyAll(t)
	requireFound(t, found[l.organization],
		"positions 10 to 32: the key that signed the checkpoints is missing")
	requireFound(t, found[whole.organization])

	stranger, err := eventstore.Open(t.Context(), eventstore.Config{
		URL: l.clone.URL, MasterKey: [32]byte{9},
	})
	require.NoError(t, err)
	t.Cleanup(stranger.Close)
	_, err = eventstore.Verify(t.Context(), eventstore.VerifyOptions{
		Pool:        stranger.Pool(eventstore.RoleJobs),
		VerifierKey: stranger.Keyring().Notary().VerifierKey,
	})
	require.ErrorContains(t, err, "the master key is another one", "nothing was found: it could "+
		"not be looked at")
}

func TestALogWhoseFirstCheckpointIsSignedMeanwhileIsWhole(t *testing.T) {
	t.Parallel()
	l := newTampered(t)
	asked := 0
	report, err := eventstore.Verify(t.Context(), eventstore.VerifyOptions{
		Pool:          l.store.Pool(eventstore.RoleJobs),
		Organizations: []uuid.UUID{l.organization},
		VerifierKey: func(ctx context.Context, organization uuid.UUID) (string, error) {
			if asked++; asked == 1 {
				return "", nil // the key is not made yet
			}
			return l.store.Keyring().Notary().VerifierKey(ctx, organization)
		},
	})
	require.NoError(t, err)
	require.Equal(t, 2, asked)
	require.True(t, report.Whole)
	require.NotEmpty(t, report.Organizations[0].VerifierKey)
}
