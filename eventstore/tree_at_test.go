package eventstore_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/koprogo/koprogo/eventstore"
)

func TestTreesOfEarlierPositions(t *testing.T) {
	t.Parallel()
	store := open(t)
	organization := newID(t)
	var heads []eventstore.Head
	for range 9 {
		mustAppend(t, store, appendTo(organization, buildingStream(newID(t)), 0, registered("A")))
		head, err := store.Head(t.Context(), organization)
		require.NoError(t, err)
		heads = append(heads, head)
	}
	trees := eventstore.NewTrees(store)

	t.Run("the tree at a position is the one that its head had", func(t *testing.T) {
		for _, i := range []int{2, 6, 6, 7, 0, 8} { // forward, again, and back
			then, err := trees.HeadAt(t.Context(), organization, heads[i].Position)
			require.NoError(t, err)
			require.Equal(t, heads[i].Position, then.Position)
			require.Equal(t, heads[i].Tree, then.Tree, "position %d", then.Position)
		}
	})
	t.Run("before the first event it is the empty tree", func(t *testing.T) {
		then, err := trees.HeadAt(t.Context(), organization, 0)
		require.NoError(t, err)
		tree, err := eventstore.ParseTree(0, then.Tree)
		require.NoError(t, err)
		require.Equal(t, eventstore.NewTree().Root(), tree.Root())
	})
	t.Run("past the head there is none", func(t *testing.T) {
		for _, position := range []int64{-1, 10} {
			_, err := trees.HeadAt(t.Context(), organization, position)
			require.ErrorContains(t, err, "the log ends at 9")
		}
	})
	t.Run("an earlier head is signed, and always with the same root", func(t *testing.T) {
		then, err := trees.HeadAt(t.Context(), organization, 4)
		require.NoError(t, err)
		signed, err := store.Keyring().Notary().Sign(t.Context(), then)
		require.NoError(t, err)
		read, err := eventstore.VerifyNote(signed.Note, signed.VerifierKey)
		require.NoError(t, err)
		tree, err := eventstore.ParseTree(4, heads[3].Tree)
		require.NoError(t, err)
		require.Equal(t, tree.Root(), read.Root)
		require.EqualValues(t, 4, read.Size)
		then.Tree = heads[0].Tree
		_, err = store.Keyring().Notary().Sign(t.Context(), then)
		require.ErrorContains(t, err, "another root was signed at this size")
	})
}
