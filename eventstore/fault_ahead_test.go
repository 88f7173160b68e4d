package eventstore_test

import (
	"context"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/koprogo/koprogo/events"
	"github.com/koprogo/koprogo/eventstore"
	"github.com/koprogo/koprogo/eventstore/eventstoretest"
	"github.com/koprogo/koprogo/migrations/migrationstest"
)

// TestFaultAhead has one append decided while another is written, and everything that can become
// of the other.
func TestFaultAhead(t *testing.T) {
	t.Parallel()
	slug := func(a eventstore.Append) eventstore.Append {
		a.Take = []eventstore.Claim{{
			Kind: "slug", Value: "erables", Holder: a.Streams[0].Stream,
		}}
		return a
	}
	person := newID(t) // who has a key before he is said to be new
	known := func(a eventstore.Append) eventstore.Append {
		a.Subjects = append(a.Subjects, person)
		return a
	}
	keyed := func(a eventstore.Append) eventstore.Append {
		a.Idempotency = &eventstore.Idempotency{
			Key: "once", Request: []byte{1}, Status: 201, Resource: "building/1",
		}
		return a
	}
	type pair struct {
		first, ahead      func(organization uuid.UUID, at events.Stream) eventstore.Append
		reads             bool // the first has to read before it is decided
		lost, aheadLost   bool // the first one's answer, or that of the one ahead
		moved             bool // the head, by another server, before the first one arrives
		refused, conflict bool // the first by the server, the one ahead by a rule
		aheadRefused      bool // by the server
		replayed          bool // the one ahead
		names             []string
	}
	rename := func(version int64, name string) func(uuid.UUID, events.Stream) eventstore.Append {
		return func(organization uuid.UUID, at events.Stream) eventstore.Append {
			return appendTo(organization, at, version, renamed(name))
		}
	}
	with := func(
		change func(eventstore.Append) eventstore.Append,
		of func(uuid.UUID, events.Stream) eventstore.Append,
	) func(uuid.UUID, events.Stream) eventstore.Append {
		return func(organization uuid.UUID, at events.Stream) eventstore.Append {
			return change(of(organization, at))
		}
	}
	for name, c := range map[string]pair{
		"it stands behind the other": {
			first: rename(1, "B"), ahead: rename(2, "C"), names: []string{"B", "C"},
		},
		"its conflict with the other is told": {
			first: rename(1, "B"), ahead: rename(1, "C"), conflict: true, names: []string{"B"},
		},
		"a conflict with one that the server refuses is none": {
			first: with(known, rename(1, "B")), refused: true,
			ahead: rename(1, "C"), names: []string{"C"},
		},
		"the other's answer is lost": {
			first: rename(1, "B"), lost: true, ahead: rename(2, "C"), names: []string{"B", "C"},
		},
		"its own answer is lost": {
			first: rename(1, "B"), ahead: rename(2, "C"), aheadLost: true,
			names: []string{"B", "C"},
		},
		"the server refuses it": {
			first: rename(1, "B"), ahead: with(known, rename(2, "C")), aheadRefused: true,
			names: []string{"B"},
		},
		"another server moved the other's head": {
			first: rename(1, "B"), moved: true, ahead: rename(2, "C"), names: []string{"B", "C"},
		},
		"it claims what the other claims": {
			first: with(slug, rename(1, "B")), reads: true, ahead: with(slug, rename(2, "C")),
			names: []string{"B", "C"}, // one stream holds it once
		},
		"it has to read": {
			first: rename(1, "B"), ahead: with(slug, rename(2, "C")), names: []string{"B", "C"},
		},
		"it is the other's request again": {
			first: with(keyed, rename(1, "B")), reads: true, ahead: with(keyed, rename(1, "B")),
			replayed: true, names: []string{"B"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			store, proxy, database := linked(t, func(config *eventstore.Config) { config.Ahead = 1 })
			organization, stream := newID(t), buildingStream(newID(t))
			mustAppend(t, store, appendTo(organization, stream, 0, registered("A")))
			require.NoError(t, store.Keyring().AccountKey(t.Context(), organization, person))

			reached, proceed := proxy.hold(t, func(w *wire, batch sent) {
				if c.aheadLost {
					proxy.next(loseAnswer)
				}
				if c.lost {
					loseAnswer(w, batch)
				} else {
					passOn(w, batch)
				}
			})
			first := appendBeside(t.Context(), store, c.first(organization, stream))
			<-reached
			ahead := appendBeside(t.Context(), store, c.ahead(organization, stream))
			require.Eventually(t, func() bool { // one that reads is not followed by any
				return store.Ahead() == 1 || c.reads && store.Waiting() == 1
			}, patience, interval)
			if c.moved {
				mustAppend(t, openOn(t, database.URL),
					appendTo(organization, buildingStream(newID(t)), 0, registered("D")))
			}
			proceed()

			one, other := <-first, <-ahead
			require.Equal(t, c.refused, one.err != nil, "%v", one.err)
			switch {
			case c.conflict, c.aheadRefused:
				require.ErrorIs(t, other.err, eventstore.ErrConflict)
			default:
				require.NoError(t, other.err)
				require.Equal(t, c.replayed, other.receipt.Replayed)
			}
			all := requireSound(t, store, organization, one.receipt, other.receipt)
			require.Equal(t, c.names, names(all))
		})
	}
}

func TestFaultAheadLeavesTheConnection(t *testing.T) {
	t.Parallel()
	store := eventstoretest.Open(t, migrationstest.Database(t).URL,
		func(config *eventstore.Config) { config.Ahead, config.MaxConns = 2, 5 })
	crowded, other := newID(t), newID(t)
	other[15] |= 1 // in the other lane, which shares the only connection
	stop := make(chan struct{})
	done := make(chan error)
	const writers = 16
	for range writers {
		go func() {
			stream, err := buildingStream(newID(t)), error(nil)
			for version := int64(0); err == nil; version++ {
				select {
				case <-stop:
					done <- nil
					return
				default:
				}
				_, err = store.Append(context.Background(),
					appendTo(crowded, stream, version, renamed("A")))
			}
			done <- err
		}()
	}
	require.Eventually(t, func() bool { return store.Ahead() > writers }, patience, interval)
	stream := buildingStream(newID(t))
	for version := range int64(5) {
		mustAppend(t, store, appendTo(other, stream, version, renamed("B")))
	}
	close(stop)
	for range writers {
		require.NoError(t, <-done)
	}
	requireSound(t, store, crowded)
	requireSound(t, store, other)
}

func TestFaultAheadCloses(t *testing.T) {
	t.Parallel()
	store, proxy, database := linked(t, func(config *eventstore.Config) { config.Ahead = 1 })
	organization, stream := newID(t), buildingStream(newID(t))
	mustAppend(t, store, appendTo(organization, stream, 0, registered("A")))
	reached, proceed := proxy.hold(t, passOn)
	first := appendBeside(t.Context(), store, appendTo(organization, stream, 1, renamed("B")))
	<-reached
	taking := appendTo(organization, stream, 2, renamed("C"))
	taking.Take = []eventstore.Claim{{Kind: "slug", Value: "erables", Holder: stream}}
	early := appendBeside(t.Context(), store, taking)
	require.Eventually(t, func() bool { return store.Ahead() == 1 }, patience, interval)
	closed := make(chan struct{})
	go func() {
		store.Close()
		close(closed)
	}()
	require.Eventually(t, store.Closing, patience, interval)
	proceed()
	<-closed
	one, other := <-first, <-early
	require.NoError(t, one.err)
	require.ErrorIs(t, other.err, eventstore.ErrUnavailable)
	require.Equal(t, []string{"B"}, names(requireSound(t, openOn(t, database.URL), organization,
		one.receipt)))
}
