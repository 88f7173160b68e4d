package queries_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/koprogo/koprogo/events"
	"github.com/koprogo/koprogo/eventstore"
	"github.com/koprogo/koprogo/queries"
)

func TestEveryStatementIsUnderstood(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	texts, err := queries.Statements()
	require.NoError(t, err)
	require.Greater(t, len(texts), 100)
	conn, err := w.Store.Pool(eventstore.RoleReader).Acquire(t.Context())
	require.NoError(t, err)
	defer conn.Release()
	for _, text := range texts {
		_, err := conn.Conn().Prepare(t.Context(), "", text)
		require.NoError(t, err, text)
	}
}

func TestACursorWalksTheWholeList(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	rapid.Check(t, func(t *rapid.T) {
		organization := newID()
		n := rapid.IntRange(0, 12).Draw(t, "n")
		all := map[uuid.UUID]bool{}
		for range n {
			id := newID()
			all[id] = true
			e := registered(rapid.SampledFrom([]string{"A", "a", "É", "e", "B"}).Draw(t, "name"))
			e.City = rapid.SampledFrom([]string{"Gent", "Liège"}).Draw(t, "city")
			e.Lots = rapid.IntRange(1, 3).Draw(t, "lots")
			e.ConstructionYear = rapid.SampledFrom([]int{0, 1968}).Draw(t, "year")
			w.append(t, organization, buildingStream(id), e)
		}
		list := queries.BuildingList{
			Span: queries.In(organization),
			Page: queries.Page{
				Number: 1, Size: rapid.IntRange(1, 5).Draw(t, "size"),
				Sort:       rapid.SampledFrom(queries.BuildingSorts).Draw(t, "sort"),
				Descending: rapid.Bool().Draw(t, "descending"),
			},
		}
		var walked, numbered []uuid.UUID
		for {
			page, err := w.reader.Buildings(context.Background(), list)
			require.NoError(t, err)
			require.EqualValues(t, n, page.Total)
			for _, b := range page.Items {
				walked = append(walked, b.ID)
			}
			if page.Next == nil {
				break
			}
			list.Page.After = page.Next
		}
		list.Page.After = nil
		for ; len(numbered) < len(walked); list.Page.Number++ {
			page, err := w.reader.Buildings(context.Background(), list)
			require.NoError(t, err)
			for _, b := range page.Items {
				numbered = append(numbered, b.ID)
			}
		}
		require.Equal(t, numbered, walked)
		for _, id := range walked {
			require.True(t, all[id], "no building twice")
			delete(all, id)
		}
		require.Empty(t, all, "no building left out")
	})
}

func TestBuildings(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	mine, theirs, gent, lost := newID(), newID(), newID(), newID()
	w.append(t, mine, buildingStream(newID()), registered("Érables"))
	e := registered("Tilleuls")
	e.City, e.Country = "Gent", "België"
	w.append(t, mine, buildingStream(gent), e)
	w.append(t, mine, buildingStream(lost), registered("Parti"), events.BuildingRemoved{})
	w.append(t, theirs, buildingStream(newID()), registered("Ailleurs"))
	names := func(l queries.BuildingList) []string {
		l.Page.Number, l.Page.Size = 1, 10
		page, err := w.reader.Buildings(t.Context(), l)
		require.NoError(t, err)
		require.EqualValues(t, len(page.Items), page.Total)
		found := []string{}
		for _, b := range page.Items {
			found = append(found, b.Name)
		}
		return found
	}
	in := queries.In(mine)

	t.Run("a list shows the organization's buildings, the oldest first", func(t *testing.T) {
		require.Equal(t, []string{"Érables", "Tilleuls"}, names(queries.BuildingList{Span: in}))
		require.Empty(t, names(queries.BuildingList{Span: queries.In(newID())}))
	})
	t.Run("a superadmin's list spans organizations", func(t *testing.T) {
		require.Equal(t, []string{"Érables", "Tilleuls", "Ailleurs"},
			names(queries.BuildingList{Span: queries.Everywhere()}))
	})
	t.Run("filters choose", func(t *testing.T) {
		for _, l := range []queries.BuildingList{
			{City: "gent"},
			{Country: "BELGIË"},
			{Q: "tille"},
			{Q: "GENT"},
			{Only: []uuid.UUID{gent, lost}},
		} {
			l.Span = in
			require.Equal(t, []string{"Tilleuls"}, names(l), "%+v", l)
		}
		require.Empty(t, names(queries.BuildingList{Span: in, Q: "%"}))
		require.Empty(t, names(queries.BuildingList{Span: in, Only: []uuid.UUID{}}))
	})
	t.Run("é stands beside e", func(t *testing.T) {
		require.Equal(t, []string{"Tilleuls", "Érables"}, names(queries.BuildingList{
			Span: in, Page: queries.Page{Sort: "name", Descending: true},
		}))
	})
	t.Run("a building of another organization is not found, nor a removed one", func(t *testing.T) {
		found, err := w.reader.BuildingByID(t.Context(), in, gent)
		require.NoError(t, err)
		require.Equal(t, "Tilleuls", found.Item.Name)
		_, err = w.reader.BuildingByID(t.Context(), queries.In(theirs), gent)
		require.ErrorIs(t, err, queries.ErrNotFound)
		_, err = w.reader.BuildingByID(t.Context(), in, lost)
		require.ErrorIs(t, err, queries.ErrNotFound)
	})
	t.Run("a mark of nowhere is refused", func(t *testing.T) {
		_, err := w.reader.Buildings(t.Context(), queries.BuildingList{
			Span: in, Page: queries.Page{Number: 1, Size: 1, After: []byte("x")},
		})
		require.ErrorIs(t, err, queries.ErrBadMark)
	})
}

func TestMoments(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	organization, id := newID(), newID()
	beside := w.append(t, organization, buildingStream(newID()), registered("Autre"))
	first := w.append(t, organization, buildingStream(id), registered("A"))
	second := w.append(t, organization, buildingStream(id), events.BuildingRenamed{Name: "B"})
	gone := newID()
	w.append(t, organization, buildingStream(gone), registered("C"), events.BuildingRemoved{})
	ctx := t.Context()

	t.Run("as of now is now", func(t *testing.T) {
		now, err := w.reader.BuildingByID(ctx, queries.In(organization), id)
		require.NoError(t, err)
		for _, moment := range []queries.Moment{
			{},
			{Position: second.Position},
			{Instant: second.RecordedAt},
			{Day: events.Day(time.Now().In(brussels(t)).Format(time.DateOnly))},
		} {
			then, err := w.reader.BuildingAt(ctx, organization, id, moment)
			require.NoError(t, err)
			require.Equal(t, now.Item, then.Item)
		}
	})
	t.Run("an earlier moment shows what was recorded then, and names its position",
		func(t *testing.T) {
			then, err := w.reader.BuildingAt(ctx, organization, id,
				queries.Moment{Instant: first.RecordedAt})
			require.NoError(t, err)
			require.Equal(t, "A", then.Item.Name)
			require.Equal(t, first.Position, then.Position)
			replay, err := w.reader.BuildingReplay(ctx, organization, id,
				queries.Moment{Position: first.Position})
			require.NoError(t, err)
			require.Equal(t, first.RecordedAt, replay.At)
			require.Equal(t, then.Item, replay.Building)
		})
	t.Run("before it was registered and after it was removed it is not found", func(t *testing.T) {
		for _, moment := range []queries.Moment{
			{Position: beside.Position}, {Instant: time.Unix(0, 0)}, {Day: "2001-01-01"},
		} {
			_, err := w.reader.BuildingAt(ctx, organization, id, moment)
			require.ErrorIs(t, err, queries.ErrNotFound)
		}
		_, err := w.reader.BuildingAt(ctx, organization, gone, queries.Moment{})
		require.ErrorIs(t, err, queries.ErrNotFound)
		was, err := w.reader.BuildingAt(ctx, organization, gone, queries.Moment{Position: 4})
		require.NoError(t, err)
		require.Equal(t, "C", was.Item.Name)
	})
	t.Run("past the head and in the future nothing is known", func(t *testing.T) {
		for _, moment := range []queries.Moment{
			{Position: 6}, {Instant: time.Now().Add(time.Hour)}, {Day: "2999-01-01"},
		} {
			_, err := w.reader.BuildingAt(ctx, organization, id, moment)
			require.ErrorIs(t, err, queries.ErrPositionUnknown)
		}
	})
	t.Run("a diff tells fields, either way round", func(t *testing.T) {
		at := func(position int64) queries.Moment { return queries.Moment{Position: position} }
		diff, err := w.reader.BuildingDiff(ctx, organization, id, at(2), at(3))
		require.NoError(t, err)
		require.Equal(t, []queries.FieldChange{{
			Resource: "buildings", ID: id.String(), Field: "name",
			From: []byte(`"A"`), To: []byte(`"B"`),
		}}, diff.Changes)
		diff, err = w.reader.BuildingDiff(ctx, organization, id, at(3), at(2))
		require.NoError(t, err)
		require.Equal(t, `"A"`, string(diff.Changes[0].To))
		diff, err = w.reader.BuildingDiff(ctx, organization, id, at(3), at(5))
		require.NoError(t, err)
		require.Empty(t, diff.Changes)
		_, err = w.reader.BuildingDiff(ctx, newID(), id, queries.Moment{}, queries.Moment{})
		require.ErrorIs(t, err, queries.ErrNotFound)
	})
}

func brussels(t *testing.T) *time.Location {
	t.Helper()
	zone, err := time.LoadLocation("Europe/Brussels")
	require.NoError(t, err)
	return zone
}

func TestPositionByFindsTheLastRecordedByThen(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	organization := newID()
	var recorded []time.Time
	for range 20 {
		receipt := w.append(t, organization, buildingStream(newID()), registered("A"))
		recorded = append(recorded, receipt.RecordedAt)
	}
	for i, at := range recorded {
		want := int64(i + 1)
		for want < 20 && recorded[want].Equal(at) {
			want++
		}
		position, err := w.reader.PositionBy(t.Context(), organization, at)
		require.NoError(t, err)
		require.Equal(t, want, position)
	}
	position, err := w.reader.PositionBy(t.Context(), organization,
		recorded[0].Add(-time.Microsecond))
	require.NoError(t, err)
	require.Zero(t, position)
}
