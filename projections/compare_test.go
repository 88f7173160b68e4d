package projections_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/koprogo/koprogo/events"
	"github.com/koprogo/koprogo/projections"
)

func TestAReadModelThatSomebodyTouchedIsFoundOut(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	organization, stream := newID(), buildingStream(newID())
	w.Append(t, organization, stream, registered("A"), events.BuildingRenamed{Name: "B"})
	w.Append(t, organization, buildingStream(newID()), registered("C"))
	w.catchUp(t)
	compare := func() projections.Comparison {
		found, err := projections.Compare(t.Context(), w.Store, projections.Buildings,
			organization, nil)
		require.NoError(t, err)
		require.EqualValues(t, 3, found.Position)
		return found
	}
	require.Empty(t, compare().Differences)

	for _, touch := range []string{
		"update read.buildings set name = 'X' where name = 'B'",
		"delete from read.buildings where name = 'C'",
		"update read.totals set n = 7 where resource = 'buildings'",
	} {
		_, err := w.admin.Exec(t.Context(), touch)
		require.NoError(t, err)
	}
	tables := map[string]int{}
	for _, difference := range compare().Differences {
		tables[difference.Table]++
		if difference.ID == stream.ID.String() {
			require.JSONEq(t, `"B"`, string(difference.Before["name"]))
			require.JSONEq(t, `"X"`, string(difference.After["name"]))
		}
	}
	require.Equal(t, map[string]int{"buildings": 2, "totals": 1}, tables)
}
