package eventstore_test

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/koprogo/koprogo/eventstore"
)

func TestSessions(t *testing.T) {
	t.Parallel()
	store, credentials, clock := secrets(t)
	start := func(t *testing.T) (eventstore.Session, string) {
		t.Helper()
		id := person(t, store, uuid.NewString()+"@example.be")
		session, token, err := credentials.StartSession(t.Context(), id, newID(t),
			"192.0.2.7", "Firefox on a tablet")
		require.NoError(t, err)
		return session, token
	}
	rotate := func(t *testing.T, token string) string {
		t.Helper()
		_, next, err := credentials.Rotate(t.Context(), token)
		require.NoError(t, err)
		require.NotEqual(t, token, next)
		return next
	}
	requireEnded := func(t *testing.T, tokens ...string) {
		t.Helper()
		for _, token := range tokens {
			_, _, err := credentials.Rotate(t.Context(), token)
			require.ErrorIs(t, err, eventstore.ErrSessionEnded)
		}
	}

	// The clock is shared: these run one after the other, and move it forward only.
	t.Run("a refresh token gives the next one of the same session", func(t *testing.T) {
		session, first := start(t)
		second := rotate(t, first)
		third := rotate(t, second)
		again, err := credentials.SessionOf(t.Context(), third)
		require.NoError(t, err)
		require.Equal(t, session.ID, again.ID)
		require.Equal(t, session.Account, again.Account)
		require.Equal(t, session.Role, again.Role)
	})
	t.Run("within 30 s a used token gives a fresh pair, which works", func(t *testing.T) {
		_, first := start(t)
		second := rotate(t, first)
		clock.forward(29 * time.Second)
		other := rotate(t, first)
		require.NotEqual(t, second, other)
		rotate(t, other)
		rotate(t, second)
	})
	t.Run("also when the session has moved on twice since", func(t *testing.T) {
		_, first := start(t)
		second := rotate(t, first)
		clock.forward(20 * time.Second)
		third := rotate(t, second)
		clock.forward(10 * time.Second)
		rotate(t, rotate(t, first))
		rotate(t, third)
	})
	t.Run("used again later it revokes the whole session", func(t *testing.T) {
		session, first := start(t)
		second := rotate(t, first)
		clock.forward(31 * time.Second)
		requireEnded(t, first, second)
		_, err := credentials.Session(t.Context(), session.ID)
		require.ErrorIs(t, err, eventstore.ErrSessionEnded)
	})
	t.Run("a use of the next token does not give an old one new time", func(t *testing.T) {
		_, first := start(t)
		second := rotate(t, first)
		clock.forward(20 * time.Second)
		third := rotate(t, second)
		clock.forward(11 * time.Second)
		requireEnded(t, first, third)
	})
	t.Run("what is made up revokes nothing", func(t *testing.T) {
		_, first := start(t)
		for _, at := range []int{0, 30, 60, 90} {
			made := []byte(first)
			made[at] = 'A' + (made[at]+1)%26
			requireEnded(t, string(made))
		}
		requireEnded(t, "", "x", first[1:], first+"A")
		rotate(t, first)
	})
	t.Run("a refresh token lives seven days, each one", func(t *testing.T) {
		_, first := start(t)
		clock.forward(7*24*time.Hour - time.Second)
		second := rotate(t, first)
		clock.forward(7*24*time.Hour - time.Second)
		third := rotate(t, second)
		clock.forward(7 * 24 * time.Hour)
		requireEnded(t, third)
	})
	t.Run("many at once with one token all get the same place of the chain", func(t *testing.T) {
		_, first := start(t)
		tokens := make([]string, 8)
		var all sync.WaitGroup
		for i := range tokens {
			all.Go(func() {
				if _, next, err := credentials.Rotate(t.Context(), first); err == nil {
					tokens[i] = next
				}
			})
		}
		all.Wait()
		for _, token := range tokens {
			require.NotEmpty(t, token)
			rotate(t, token)
		}
	})
	t.Run("sessions are listed with address and agent, sealed in the table", func(t *testing.T) {
		session, _ := start(t)
		list, err := credentials.Sessions(t.Context(), session.Account)
		require.NoError(t, err)
		require.Len(t, list, 1)
		require.Equal(t, "192.0.2.7", list[0].Address)
		require.Equal(t, "Firefox on a tablet", list[0].Agent)
		var clear int
		require.NoError(t, store.Pool(eventstore.RoleJobs).QueryRow(t.Context(),
			`select count(*) from log.sessions where organization_id = $1
			    and (address like '%192.0.2%' or agent like '%Firefox%')`,
			eventstore.Platform).Scan(&clear))
		require.Zero(t, clear)
	})
	t.Run("a session is ended by its own account only", func(t *testing.T) {
		session, token := start(t)
		ended, err := credentials.EndSession(t.Context(), newID(t), session.ID)
		require.NoError(t, err)
		require.False(t, ended)
		ended, err = credentials.EndSession(t.Context(), session.Account, session.ID)
		require.NoError(t, err)
		require.True(t, ended)
		requireEnded(t, token)
	})
}

func TestLinks(t *testing.T) {
	t.Parallel()
	store, credentials, clock := secrets(t)
	hash, err := credentials.Hash(t.Context(), "a password")
	require.NoError(t, err)
	link := func(t *testing.T, purpose eventstore.LinkPurpose) (uuid.UUID, string) {
		t.Helper()
		id := person(t, store, uuid.NewString()+"@example.be")
		token, _, err := credentials.NewLink(t.Context(), id, purpose)
		require.NoError(t, err)
		return id, token
	}

	t.Run("a link sets a password once, also when many use it at once", func(t *testing.T) {
		id, token := link(t, eventstore.LinkInvitation)
		found, err := credentials.LinkAccount(t.Context(), token)
		require.NoError(t, err)
		require.Equal(t, id, found)
		var good atomic.Int64
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() {
				if _, err := credentials.SpendLink(t.Context(), token, hash); err == nil {
					good.Add(1)
				}
			})
		}
		all.Wait()
		require.EqualValues(t, 1, good.Load())
		fits, err := credentials.CheckPassword(t.Context(), id, "a password")
		require.NoError(t, err)
		require.True(t, fits)
	})
	t.Run("a newer link replaces the older one", func(t *testing.T) {
		id, older := link(t, eventstore.LinkReset)
		newer, _, err := credentials.NewLink(t.Context(), id, eventstore.LinkReset)
		require.NoError(t, err)
		_, err = credentials.SpendLink(t.Context(), older, hash)
		require.ErrorIs(t, err, eventstore.ErrLinkSpent)
		_, err = credentials.SpendLink(t.Context(), newer, hash)
		require.NoError(t, err)
	})
	t.Run("an invitation lives 72 hours and a reset one", func(t *testing.T) {
		_, invitation := link(t, eventstore.LinkInvitation)
		_, reset := link(t, eventstore.LinkReset)
		clock.forward(time.Hour - time.Second)
		_, err := credentials.LinkAccount(t.Context(), reset)
		require.NoError(t, err)
		clock.forward(time.Second)
		_, err = credentials.LinkAccount(t.Context(), reset)
		require.ErrorIs(t, err, eventstore.ErrLinkSpent)
		clock.forward(71*time.Hour - time.Second)
		_, err = credentials.LinkAccount(t.Context(), invitation)
		require.NoError(t, err)
		clock.forward(time.Second)
		_, err = credentials.SpendLink(t.Context(), invitation, hash)
		require.ErrorIs(t, err, eventstore.ErrLinkSpent)
	})
	t.Run("only hashes of links are stored", func(t *testing.T) {
		_, token := link(t, eventstore.LinkReset)
		var clear int
		require.NoError(t, store.Pool(eventstore.RoleJobs).QueryRow(t.Context(),
			`select count(*) from log.links where organization_id = $1 and token_hash = $2`,
			eventstore.Platform, []byte(token)).Scan(&clear))
		require.Zero(t, clear)
	})
}

func TestAttempts(t *testing.T) {
	t.Parallel()
	_, credentials, clock := secrets(t)
	fail := func(t *testing.T, who ...string) {
		t.Helper()
		attempt, err := credentials.Attempt(t.Context(), who...)
		require.NoError(t, err)
		require.NoError(t, attempt.Failed(t.Context()))
	}
	var locked *eventstore.TooManyFailuresError

	t.Run("after five failures an account is locked from any address", func(t *testing.T) {
		for i := range 5 {
			fail(t, "account a", "address "+string(rune('0'+i)))
			clock.forward(time.Minute)
		}
		_, err := credentials.Attempt(t.Context(), "account a", "address 9")
		require.ErrorAs(t, err, &locked)
		require.Equal(t, 10*time.Minute, locked.RetryAfter)
		fail(t, "account b", "address 0")
	})
	t.Run("and an address for any account", func(t *testing.T) {
		for i := range 5 {
			fail(t, "account c"+string(rune('0'+i)), "address x")
		}
		_, err := credentials.Attempt(t.Context(), "account d", "address x")
		require.ErrorAs(t, err, &locked)
	})
	t.Run("until fifteen minutes after the first of the last five", func(t *testing.T) {
		clock.forward(10*time.Minute - time.Second)
		_, err := credentials.Attempt(t.Context(), "account a")
		require.ErrorAs(t, err, &locked)
		clock.forward(time.Second)
		fail(t, "account a")
		_, err = credentials.Attempt(t.Context(), "account a")
		require.ErrorAs(t, err, &locked)
	})
	t.Run("what succeeds leaves no trace", func(t *testing.T) {
		for range 8 {
			attempt, err := credentials.Attempt(t.Context(), "account e")
			require.NoError(t, err)
			attempt.Passed()
		}
	})
	t.Run("a burst gets five tries", func(t *testing.T) {
		var tried atomic.Int64
		var all sync.WaitGroup
		for range 40 {
			all.Go(func() {
				if attempt, err := credentials.Attempt(t.Context(), "account f"); err == nil {
					tried.Add(1)
					_ = attempt.Failed(t.Context())
				}
			})
		}
		all.Wait()
		require.EqualValues(t, 5, tried.Load())
	})
}

func TestAccessLog(t *testing.T) {
	t.Parallel()
	store := open(t)
	log := store.AccessLog()
	organization, subject, actor := newID(t), newID(t), newID(t)
	for range 3 {
		require.NoError(t, log.Note(t.Context(), eventstore.Access{
			Organization: organization, Actor: actor, Role: "syndic", Subject: subject,
			Resource: "user/" + subject.String(), RequestID: "r-1", At: store.Clock(),
		}))
	}
	log.Close()
	require.Error(t, log.Note(t.Context(), eventstore.Access{}), "noted after the end")
	var rows int
	require.NoError(t, store.Pool(eventstore.RoleJobs).QueryRow(t.Context(),
		`select count(*) from log.access where organization_id = $1 and subject = $2
		    and actor = $3 and role = 'syndic' and request_id = 'r-1'`,
		organization, subject, actor).Scan(&rows))
	require.Equal(t, 3, rows)
}

func TestListsAreNotedOnceInAWhile(t *testing.T) {
	t.Parallel()
	store := open(t)
	log := store.AccessLog()
	organization, subject, actor := newID(t), newID(t), newID(t)
	now := store.Clock()
	for _, after := range []time.Duration{0, time.Second, 9 * time.Minute, 10 * time.Minute} {
		require.NoError(t, log.NoteListed(t.Context(), eventstore.Access{
			Organization: organization, Actor: actor, Role: "syndic", Subject: subject,
			Resource: "owner/" + subject.String(), At: now.Add(after),
		}))
	}
	require.NoError(t, log.NoteListed(t.Context(), eventstore.Access{
		Organization: organization, Actor: newID(t), Role: "syndic", Subject: subject, At: now,
	}))
	log.Close()
	var own, all int
	require.NoError(t, store.Pool(eventstore.RoleJobs).QueryRow(t.Context(),
		`select count(*) filter (where actor = $2), count(*) from log.access
		  where organization_id = $1`, organization, actor).Scan(&own, &all))
	require.Equal(t, 2, own, "at once and ten minutes later")
	require.Equal(t, 3, all)
}
