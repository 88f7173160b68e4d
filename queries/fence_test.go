package queries_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koprogo/koprogo/queries"
)

func TestFence(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	organization := newID()

	t.Run("what was answered is shown by every read model", func(t *testing.T) {
		receipt := w.append(t, organization, buildingStream(newID()), registered("A"))
		require.Equal(t, receipt.Position, w.reader.Newest(organization))
		require.NoError(t, w.reader.Wait(t.Context(), organization, receipt.Position))
		require.True(t, w.reader.Reached(organization, receipt.Position))
	})
	t.Run("what is not there yet is waited for no longer than the reader waits", func(t *testing.T) {
		require.False(t, w.reader.Reached(organization, 9))
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		defer cancel()
		require.ErrorIs(t, w.reader.Wait(ctx, organization, 9), queries.ErrBehind)
	})
	t.Run("where a read model has stopped, reads go on and say so", func(t *testing.T) {
		w.exec(t, `alter table read.buildings add check (name <> 'refused')`)
		stuck, id := newID(), newID()
		w.append(t, stuck, buildingStream(id), registered("A"))
		w.append(t, stuck, buildingStream(newID()), registered("refused"))
		w.append(t, stuck, buildingStream(newID()), registered("C"))
		found, err := w.reader.BuildingByID(t.Context(), queries.In(stuck), id)
		require.NoError(t, err)
		require.EqualValues(t, 1, found.Stale)
		listed, err := w.reader.Buildings(t.Context(), queries.BuildingList{
			Span: queries.In(stuck), Page: queries.Page{Number: 1, Size: 5},
		})
		require.NoError(t, err)
		require.EqualValues(t, 1, listed.Stale)
		require.Len(t, listed.Items, 1)
		require.True(t, w.reader.Reached(stuck, 3))
	})
}
