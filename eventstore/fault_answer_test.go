package eventstore_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/koprogo/koprogo/eventstore"
	"github.com/koprogo/koprogo/migrations/migrationstest"
)

// loseAnswer lets the server have the batch and cuts the connection before its answer.
func loseAnswer(w *wire, s sent) {
	w.mute()
	w.pass(s.frames...)
}

// loseBatch cuts the connection before the server has the batch.
func loseBatch(w *wire, _ sent) { w.cut() }

// TestFaultLostAnswer loses the answer to COMMIT. However the lost transaction ended, the append
// is recorded once, under the ids of its first try.
func TestFaultLostAnswer(t *testing.T) {
	t.Parallel()
	outcomes := map[string]func(*wire, sent){
		"of a transaction that was committed":      loseAnswer,
		"of a transaction that never came to pass": loseBatch,
		"twice": nil,
	}
	for outcome, lose := range outcomes {
		for start, version := range map[string]int64{"new": 0, "that exists": 1} {
			t.Run("the answer "+outcome+" in a log "+start, func(t *testing.T) {
				t.Parallel()
				store, proxy, _ := linked(t)
				organization, stream := newID(t), buildingStream(newID(t))
				if version > 0 {
					mustAppend(t, store, appendTo(organization, stream, 0, registered("A")))
				}
				if lose == nil {
					proxy.next(func(w *wire, s sent) {
						proxy.next(loseAnswer)
						loseBatch(w, s)
					})
				} else {
					proxy.next(lose)
				}
				a := appendTo(organization, stream, version, renamed("B"), renamed("C"))
				a.Take = []eventstore.Claim{{Kind: "building", Holder: stream, Limit: 1}}
				a.Subjects = []uuid.UUID{newID(t)}
				a.Idempotency = &eventstore.Idempotency{
					Key: "k", Request: []byte{1}, Status: 201, Resource: "building/1",
				}
				receipt := mustAppend(t, store, a)
				require.Equal(t, version+1, receipt.First)
				require.False(t, receipt.Replayed)
				require.Equal(t, receipt.Position, store.Bell().Position(organization))
				again := mustAppend(t, store, a)
				require.True(t, again.Replayed)
				require.Equal(t, receipt.Position, again.Position)
				all := requireSound(t, store, organization, receipt)
				require.Equal(t, []string{"B", "C"}, names(all))
			})
		}
	}
}

// running lets the server have everything but the end of the next batch, and then waits: cut ends
// the client's connection, and finish the server's, after the end arrived or without it.
func running(t *testing.T, proxy *link) (begun <-chan struct{}, cut func(), finish func(bool)) {
	t.Helper()
	passed, decided, ended := make(chan *wire, 1), make(chan bool, 2), make(chan struct{})
	started := make(chan struct{})
	proxy.next(func(w *wire, s sent) {
		defer close(ended)
		last := s.binds[len(s.binds)-1]
		w.mute()
		w.pass(s.frames[:last]...)
		passed <- w
		close(started)
		if <-decided {
			w.pass(s.frames[last:]...)
		} else {
			w.cut()
		}
	})
	t.Cleanup(func() { decided <- false })
	return started, func() { (<-passed).cutClient() }, func(arrives bool) {
		decided <- arrives
		<-ended
	}
}

// awaitHeld waits until somebody holds the organization's head.
func awaitHeld(t *testing.T, database migrationstest.Clone, organization uuid.UUID) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), database.SuperuserURL)
	require.NoError(t, err)
	defer conn.Close(t.Context())
	require.Eventually(t, func() bool {
		var one int
		err := conn.QueryRow(t.Context(), `select 1 from log.logs
			where organization_id = $1 for update skip locked`, organization).Scan(&one)
		return errors.Is(err, pgx.ErrNoRows)
	}, patience, interval)
}

func TestFaultLostAnswerOfARunningTransaction(t *testing.T) {
	t.Parallel()
	for name, ends := range map[string]struct{ commits, late bool }{
		"soon, and is committed":                            {commits: true},
		"soon, and is rolled back":                          {},
		"later than a lock is waited for, and is committed": {commits: true, late: true},
		"later than a lock is waited for, and rolled back":  {late: true},
	} {
		t.Run("it ends "+name, func(t *testing.T) {
			t.Parallel()
			store, proxy, database := linked(t)
			organization, stream := newID(t), buildingStream(newID(t))
			mustAppend(t, store, appendTo(organization, stream, 0, registered("A")))
			mark := proxy.mark()
			begun, cut, finish := running(t, proxy)
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel() // a caller's usual five seconds may pass where the machine is slow
			appended := appendTo(organization, stream, 1, renamed("B"), renamed("C"))
			appended.Subjects = []uuid.UUID{newID(t)} // more than one statement
			got := appendBeside(ctx, store, appended)
			<-begun
			awaitHeld(t, database, organization)
			cut()
			proxy.awaitSent(t, mark, "for update")
			if ends.late {
				proxy.awaitSent(t, mark, "skip locked")
			}
			finish(ends.commits)
			answer := <-got
			require.NoError(t, answer.err)
			require.EqualValues(t, 3, answer.receipt.Position)
			require.Len(t, requireSound(t, store, organization, answer.receipt), 3)
		})
	}
	t.Run("one that arrives after the append was made again fails", func(t *testing.T) {
		t.Parallel()
		for _, version := range []int64{0, 1} {
			store, proxy, _ := linked(t)
			organization, stream := newID(t), buildingStream(newID(t))
			if version > 0 {
				mustAppend(t, store, appendTo(organization, stream, 0, registered("A")))
			}
			arrive, ended := make(chan struct{}), make(chan struct{})
			proxy.next(func(w *wire, s sent) {
				defer close(ended)
				w.mute()
				w.cutClient()
				<-arrive
				w.pass(s.frames...)
			})
			receipt := mustAppend(t, store, appendTo(organization, stream, version, renamed("B")))
			close(arrive)
			<-ended
			next := mustAppend(t, store,
				appendTo(organization, stream, version+1, renamed("C")))
			all := requireSound(t, store, organization, receipt, next)
			require.Equal(t, []string{"B", "C"}, names(all))
		}
	})
}

func TestFaultDeadlinePasses(t *testing.T) {
	t.Parallel()
	for name, lose := range map[string]func(*wire, sent){
		"although it was committed": loseAnswer, "and it never came to pass": loseBatch,
	} {
		t.Run("the outcome is unknown "+name, func(t *testing.T) {
			t.Parallel()
			store, proxy, database := linked(t)
			organization, stream := newID(t), buildingStream(newID(t))
			mustAppend(t, store, appendTo(organization, stream, 0, registered("A")))
			proxy.next(func(w *wire, s sent) {
				proxy.refusing(true)
				lose(w, s)
			})
			ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
			defer cancel()
			_, err := store.Append(ctx, appendTo(organization, stream, 1, renamed("unknown")))
			require.ErrorIs(t, err, eventstore.ErrOutcomeUnknown)
			proxy.refusing(false)
			// The truth shows in the log, and the writer believes it.
			beside := openOn(t, database.URL)
			there := int64(len(log(t, beside, organization)))
			receipt := mustAppend(t, store, appendTo(organization, stream, there, renamed("next")))
			require.Equal(t, there+1, receipt.Position)
			requireSound(t, beside, organization, receipt)
		})
	}
	t.Run("when the database was never reached nothing is recorded", func(t *testing.T) {
		t.Parallel()
		store, proxy, database := linked(t)
		organization, stream := newID(t), buildingStream(newID(t))
		beside := openOn(t, database.URL)
		mustAppend(t, beside, appendTo(organization, stream, 0, registered("A")))
		proxy.refusing(true)
		proxy.cutAll()
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		defer cancel()
		_, err := store.Append(ctx, appendTo(organization, stream, 1, renamed("lost")))
		require.ErrorIs(t, err, eventstore.ErrUnavailable)
		proxy.refusing(false)
		mustAppend(t, store, appendTo(organization, stream, 1, renamed("next")))
		require.Len(t, requireSound(t, beside, organization), 2)
	})
	t.Run("a connection gone silent holds up nobody for as long as a patient caller waits",
		func(t *testing.T) {
			t.Parallel()
			store, proxy, _ := linked(t)
			organization, stream := newID(t), buildingStream(newID(t))
			mustAppend(t, store, appendTo(organization, stream, 0, registered("A")))
			silent, end := make(chan struct{}), make(chan struct{})
			t.Cleanup(func() { close(end) })
			proxy.next(func(*wire, sent) {
				close(silent)
				<-end
			})
			ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
			defer cancel()
			patient := appendBeside(ctx, store, appendTo(organization, stream, 1, renamed("B")))
			<-silent
			select {
			case got := <-patient:
				require.NoError(t, got.err)
				requireSound(t, store, organization, got.receipt)
			case <-time.After(patience):
				require.Fail(t, "the writer waits on a connection that says nothing")
			}
		})
}
