package eventstore_test

import (
	"context"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/pquerna/otp/totp"
	"github.com/stretchr/testify/require"

	"github.com/koprogo/koprogo/events"
	"github.com/koprogo/koprogo/eventstore"
	"github.com/koprogo/koprogo/eventstore/eventstoretest"
	"github.com/koprogo/koprogo/migrations/migrationstest"
)

// hands is a clock that a test moves.
type hands struct{ at atomic.Int64 }

func (h *hands) now() time.Time          { return time.UnixMicro(h.at.Load()).UTC() }
func (h *hands) forward(d time.Duration) { h.at.Add(d.Microseconds()) }

// secrets are the credentials of a store of the test's own, under a clock that stands still.
func secrets(t *testing.T) (*eventstore.Store, *eventstore.Credentials, *hands) {
	t.Helper()
	clock := &hands{}
	clock.at.Store(time.Date(2026, 3, 15, 12, 0, 10, 0, time.UTC).UnixMicro())
	store := eventstoretest.Open(t, migrationstest.Database(t).URL,
		func(c *eventstore.Config) { c.Clock = clock.now })
	credentials, err := store.Credentials()
	require.NoError(t, err)
	return store, credentials, clock
}

// person opens an account with an address.
func person(t *testing.T, store *eventstore.Store, email string) uuid.UUID {
	t.Helper()
	id := newID(t)
	stream := events.Stream{Category: events.AccountCategory, ID: id}
	mustAppend(t, store, eventstore.Append{
		Organization: eventstore.Platform, Subjects: []uuid.UUID{id},
		Streams: []eventstore.StreamAppend{{Stream: stream, Events: []events.Event{
			events.AccountOpened{
				AccountID: id, Email: events.PersonalText(email),
				FirstName: events.PersonalText("An"), LastName: events.PersonalText("Peeters"),
			},
		}}},
		Take: []eventstore.Claim{{
			Kind: "email", Holder: stream, Subject: id,
			Personal: events.PersonalText(events.NormalEmail(email)),
		}},
	})
	return id
}

func TestPasswords(t *testing.T) {
	t.Parallel()
	store, credentials, _ := secrets(t)

	t.Run("an account is found by its address, however it is written", func(t *testing.T) {
		t.Parallel()
		id := person(t, store, "An.Peeters@example.be")
		for _, written := range []string{"An.Peeters@example.be", " an.peeters@EXAMPLE.be"} {
			found, err := credentials.AccountByEmail(t.Context(), written)
			require.NoError(t, err)
			require.Equal(t, id, found)
		}
		found, err := credentials.AccountByEmail(t.Context(), "nobody@example.be")
		require.NoError(t, err)
		require.Equal(t, uuid.Nil, found)
	})
	t.Run("a password is kept as an Argon2id PHC string and checked against it", func(t *testing.T) {
		t.Parallel()
		id := person(t, store, "phc@example.be")
		hash, err := credentials.Hash(t.Context(), "sesame, ouvre-toi")
		require.NoError(t, err)
		require.Regexp(t, `^\$argon2id\$v=19\$m=19456,t=2,p=1\$[\w+/]{22}\$[\w+/]{43}$`, hash)
		require.NoError(t, credentials.SetPassword(t.Context(), id, hash))
		for password, want := range map[string]bool{
			"sesame, ouvre-toi": true, "sesame, ouvre-toi ": false, "": false,
		} {
			fits, err := credentials.CheckPassword(t.Context(), id, password)
			require.NoError(t, err)
			require.Equal(t, want, fits, password)
		}
	})
	t.Run("a hash that waits for its turn gives up with its caller", func(t *testing.T) {
		t.Parallel()
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		var refused atomic.Int64
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() {
				if _, err := credentials.Hash(ctx, "x"); err != nil {
					require.ErrorIs(t, err, context.Canceled)
					refused.Add(1)
				}
			})
		}
		all.Wait()
		require.Positive(t, refused.Load())
	})
	t.Run("a new password ends sessions and links", func(t *testing.T) {
		t.Parallel()
		id := person(t, store, "ends@example.be")
		session, token, err := credentials.StartSession(t.Context(), id, newID(t), "", "")
		require.NoError(t, err)
		link, _, err := credentials.NewLink(t.Context(), id, eventstore.LinkReset)
		require.NoError(t, err)
		hash, err := credentials.Hash(t.Context(), "another one")
		require.NoError(t, err)
		require.NoError(t, credentials.SetPassword(t.Context(), id, hash))
		_, err = credentials.Session(t.Context(), session.ID)
		require.ErrorIs(t, err, eventstore.ErrSessionEnded)
		_, _, err = credentials.Rotate(t.Context(), token)
		require.ErrorIs(t, err, eventstore.ErrSessionEnded)
		_, err = credentials.SpendLink(t.Context(), link, hash)
		require.ErrorIs(t, err, eventstore.ErrLinkSpent)
	})
}

// TestPasswordWork has credentials of its own, whose hashes it counts.
func TestPasswordWork(t *testing.T) {
	t.Parallel()
	store, credentials, _ := secrets(t)
	known := person(t, store, "known@example.be")
	hash, err := credentials.Hash(t.Context(), "right password")
	require.NoError(t, err)
	require.NoError(t, credentials.SetPassword(t.Context(), known, hash))
	invited := person(t, store, "invited@example.be")
	for who, account := range map[string]uuid.UUID{
		"known": known, "without a password": invited, "nobody": uuid.Nil,
	} {
		before := credentials.Hashes()
		fits, err := credentials.CheckPassword(t.Context(), account, "wrong password")
		require.NoError(t, err)
		require.False(t, fits)
		require.EqualValues(t, 1, credentials.Hashes()-before, who)
	}
}

func TestSecondFactor(t *testing.T) {
	t.Parallel()
	store, credentials, clock := secrets(t)
	code := func(t *testing.T, factor eventstore.SecondFactor, at time.Time) string {
		t.Helper()
		text, err := totp.GenerateCode(factor.Secret, at)
		require.NoError(t, err)
		return text
	}

	t.Run("a code works once, also when many use it at once", func(t *testing.T) {
		t.Parallel()
		id := person(t, store, "once@example.be")
		factor, err := credentials.PrepareSecondFactor(t.Context(), id)
		require.NoError(t, err)
		var good atomic.Int64
		var all sync.WaitGroup
		text := code(t, factor, clock.now())
		for range 12 {
			all.Go(func() {
				if fits, err := credentials.UseCode(t.Context(), id, text); err == nil && fits {
					good.Add(1)
				}
			})
		}
		all.Wait()
		require.EqualValues(t, 1, good.Load())
		earlier, err := credentials.UseCode(t.Context(), id,
			code(t, factor, clock.now().Add(-30*time.Second)))
		require.NoError(t, err)
		require.False(t, earlier, "a code from before one that was used")
		later, err := credentials.UseCode(t.Context(), id,
			code(t, factor, clock.now().Add(30*time.Second)))
		require.NoError(t, err)
		require.True(t, later, "the code of a clock that is 30 s ahead")
		far, err := credentials.UseCode(t.Context(), id,
			code(t, factor, clock.now().Add(90*time.Second)))
		require.NoError(t, err)
		require.False(t, far)
	})
	t.Run("each of ten backup codes works once", func(t *testing.T) {
		t.Parallel()
		id := person(t, store, "backup@example.be")
		factor, err := credentials.PrepareSecondFactor(t.Context(), id)
		require.NoError(t, err)
		require.Len(t, factor.BackupCodes, 10)
		var good atomic.Int64
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() {
				fits, err := credentials.UseBackupCode(t.Context(), id,
					" "+strings.ToLower(factor.BackupCodes[3]))
				if err == nil && fits {
					good.Add(1)
				}
			})
		}
		all.Wait()
		require.EqualValues(t, 1, good.Load())
		state, err := credentials.SecondFactor(t.Context(), id)
		require.NoError(t, err)
		require.Equal(t, 9, state.BackupCodes)
		renewed, err := credentials.RenewBackupCodes(t.Context(), id)
		require.NoError(t, err)
		old, err := credentials.UseBackupCode(t.Context(), id, factor.BackupCodes[0])
		require.NoError(t, err)
		require.False(t, old)
		fresh, err := credentials.UseBackupCode(t.Context(), id, renewed[0])
		require.NoError(t, err)
		require.True(t, fresh)
	})
	t.Run("one person's backup code is nobody else's", func(t *testing.T) {
		t.Parallel()
		mine, theirs := person(t, store, "mine@example.be"), person(t, store, "theirs@example.be")
		factor, err := credentials.PrepareSecondFactor(t.Context(), mine)
		require.NoError(t, err)
		_, err = credentials.PrepareSecondFactor(t.Context(), theirs)
		require.NoError(t, err)
		fits, err := credentials.UseBackupCode(t.Context(), theirs, factor.BackupCodes[0])
		require.NoError(t, err)
		require.False(t, fits)
	})
	t.Run("without a secret there is no code to check", func(t *testing.T) {
		t.Parallel()
		id := person(t, store, "none@example.be")
		_, err := credentials.UseCode(t.Context(), id, "123456")
		require.ErrorIs(t, err, eventstore.ErrNoSecondFactor)
		_, err = credentials.RenewBackupCodes(t.Context(), id)
		require.ErrorIs(t, err, eventstore.ErrNoSecondFactor)
		_, err = credentials.PrepareSecondFactor(t.Context(), id)
		require.NoError(t, err)
		require.NoError(t, credentials.DropSecondFactor(t.Context(), id))
		_, err = credentials.UseCode(t.Context(), id, "123456")
		require.ErrorIs(t, err, eventstore.ErrNoSecondFactor)
	})
	t.Run("a secret goes with the person", func(t *testing.T) {
		t.Parallel()
		id := person(t, store, "erased@example.be")
		_, err := credentials.PrepareSecondFactor(t.Context(), id)
		require.NoError(t, err)
		pool := store.Pool(eventstore.RoleJobs)
		require.NoError(t, store.Keyring().Erase(t.Context(), pool, eventstore.Platform, id))
		_, err = credentials.UseCode(t.Context(), id, "123456")
		require.ErrorIs(t, err, eventstore.ErrErased)
	})
}
