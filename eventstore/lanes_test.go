package eventstore_test

import (
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/koprogo/koprogo/eventstore"
)

// apart is an organization whose log another lane writes than those that newID makes.
func apart(t testing.TB) uuid.UUID {
	t.Helper()
	id := newID(t)
	id[len(id)-1] |= 1
	return id
}

func TestLanes(t *testing.T) {
	t.Parallel()

	t.Run("an organization of another lane does not wait for a batch under way",
		func(t *testing.T) {
			t.Parallel()
			store, proxy, _ := linked(t)
			waiting := appendTo(newID(t), buildingStream(newID(t)), 0, registered("waits"))
			passing := appendTo(apart(t), buildingStream(newID(t)), 0, registered("passes"))
			release := holdLane(t, store, proxy)
			behind := queue(t.Context(), t, store, waiting)
			receipt := mustAppend(t, store, passing)
			require.Equal(t, 1, store.Waiting(), "the first lane is still held")
			requireSound(t, store, passing.Organization, receipt)
			release()
			answer := <-behind
			require.NoError(t, answer.err)
			requireSound(t, store, waiting.Organization, answer.receipt)
		})
	t.Run("a closed store refuses in every lane", func(t *testing.T) {
		t.Parallel()
		store, _, _ := linked(t)
		mustAppend(t, store, appendTo(newID(t), buildingStream(newID(t)), 0, registered("before")))
		store.Close()
		for _, organization := range []uuid.UUID{newID(t), apart(t)} {
			_, err := store.Append(t.Context(),
				appendTo(organization, buildingStream(newID(t)), 0, registered("late")))
			require.ErrorIs(t, err, eventstore.ErrUnavailable)
		}
	})
}
