package queries_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/koprogo/koprogo/events"
	"github.com/koprogo/koprogo/queries"
)

// firstPage is what a list's first page shows.
type firstPage struct {
	IDs   []uuid.UUID
	Total int64
	Next  string
}

func pageOf[T any](listed queries.Listed[T], err error, id func(T) uuid.UUID) (firstPage, error) {
	page := firstPage{Total: listed.Total, Next: string(listed.Next)}
	for _, item := range listed.Items {
		page.IDs = append(page.IDs, id(item))
	}
	return page, err
}

// firstPages read the first page of each list that is kept.
var firstPages = map[string]func(context.Context, *queries.Reader, queries.Span) (firstPage, error){
	"buildings": func(ctx context.Context, r *queries.Reader, in queries.Span) (firstPage, error) {
		listed, err := r.Buildings(ctx, queries.BuildingList{Span: in, Page: firstThree})
		return pageOf(listed, err, func(b queries.Building) uuid.UUID { return b.ID })
	},
	"lots": func(ctx context.Context, r *queries.Reader, in queries.Span) (firstPage, error) {
		listed, err := r.Lots(ctx, queries.LotList{Span: in, Page: firstThree})
		return pageOf(listed, err, func(l queries.Lot) uuid.UUID { return l.ID })
	},
	"owners": func(ctx context.Context, r *queries.Reader, in queries.Span) (firstPage, error) {
		listed, err := r.Owners(ctx, queries.OwnerList{Span: in, Page: firstThree})
		return pageOf(listed, err, func(o queries.Owner) uuid.UUID { return o.ID })
	},
	"charges": func(ctx context.Context, r *queries.Reader, in queries.Span) (firstPage, error) {
		listed, err := r.Charges(ctx, queries.ChargeList{Span: in, Page: firstThree})
		return pageOf(listed, err, func(c queries.Charge) uuid.UUID { return c.Row.ID })
	},
}

var firstThree = queries.Page{Number: 1, Size: 3}

// oddNames are sorted differently by bytes, by words and by numbers.
var oddNames = []string{
	"A2", "A10", "a2", "B-3", "B 3", "é", "e", "z", "9", "10", "Ö1", "1", "ß", "-1", "Zoë", "A02",
	"",
}

// anything appends a fact that a list may show.
func (w *world) anything(
	t *testing.T, random *rand.Rand, organization uuid.UUID, buildings []uuid.UUID,
) []uuid.UUID {
	t.Helper()
	name := oddNames[random.IntN(len(oddNames))] + oddNames[random.IntN(len(oddNames))] + "x"
	building := buildings[random.IntN(len(buildings))]
	switch random.IntN(9) {
	case 0, 1:
		made := newID()
		w.append(t, organization, buildingStream(made), registered(name))
		return append(buildings, made)
	case 2, 3:
		w.append(t, organization, buildingStream(building), events.LotRegistered{
			LotID: newID(), Number: name, Type: "cellar", Surface: 10_000,
			Shares: events.WholeShares(1),
		})
	case 4, 5:
		w.owner(t, organization, profile("Ann", name))
	case 6, 7:
		w.append(t, organization, stream(events.ChargeCategory, newID()), events.ChargeDrafted{
			Content: events.ChargeContent{
				Building: building, Kind: events.KindInvoice, Category: "Repairs",
				Date:        events.Day(fmt.Sprintf("2026-01-%02d", 1+random.IntN(28))),
				Description: events.PersonalText(name), Priced: events.PricedLines,
				Lines: []events.ChargeLine{{
					AccountCode: "61010", Net: 100, Gross: 100, Quantity: 10_000,
				}}, Net: 100, Gross: 100,
			},
		})
	default:
		w.append(t, organization, buildingStream(building), events.BuildingRenamed{Name: name})
	}
	return buildings
}

// What a list shows before the read models are there is what it shows once they are.
func TestAFirstPageRunsAheadOfItsReadModelAndIsRight(t *testing.T) {
	t.Parallel()
	w, follower := newWorldAtRest(t)
	organization := newID()
	in := queries.In(organization)
	buildings := []uuid.UUID{newID()}
	w.append(t, organization, buildingStream(buildings[0]), registered("First"))
	random := rand.New(rand.NewPCG(1, 2))
	ahead := map[string]int{}
	for range 250 {
		require.NoError(t, follower.CatchUp(t.Context()))
		for _, read := range firstPages { // now their positions are known
			_, err := read(t.Context(), w.reader, in)
			require.NoError(t, err)
		}
		for range 1 + random.IntN(4) {
			buildings = w.anything(t, random, organization, buildings)
		}
		early := map[string]firstPage{}
		for list, read := range firstPages {
			ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
			page, err := read(ctx, w.reader, in)
			cancel()
			if err == nil {
				early[list] = page
				ahead[list]++
			}
		}
		require.NoError(t, follower.CatchUp(t.Context()))
		for list, page := range early {
			late, err := firstPages[list](t.Context(), w.reader, in)
			require.NoError(t, err)
			require.Equal(t, late, page, list)
		}
	}
	for list := range firstPages {
		require.Greater(t, ahead[list], 20, list)
	}
}

func TestAFirstPageThatMayHaveChangedWaitsForItsReadModel(t *testing.T) {
	t.Parallel()
	w, follower := newWorldAtRest(t)
	organization, first := newID(), newID()
	in := queries.In(organization)
	w.append(t, organization, buildingStream(first), registered("First"))
	for n := range 5 {
		w.append(t, organization, buildingStream(newID()), registered(fmt.Sprint("House ", n)))
	}
	require.NoError(t, follower.CatchUp(t.Context()))
	list := func() (queries.Listed[queries.Building], error) {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		defer cancel()
		return w.reader.Buildings(ctx, queries.BuildingList{Span: in, Page: firstThree})
	}
	_, err := list()
	require.NoError(t, err)

	t.Run("a change of a row is not passed over", func(t *testing.T) {
		w.append(t, organization, buildingStream(first), events.BuildingRenamed{Name: "Other"})
		_, err := list()
		require.ErrorIs(t, err, queries.ErrBehind)
		require.NoError(t, follower.CatchUp(t.Context()))
		listed, err := list()
		require.NoError(t, err)
		require.Equal(t, "Other", listed.Items[0].Name)
	})

	t.Run("what another server appended is not passed over", func(t *testing.T) {
		elsewhere := queries.NewReader(w.Store, follower)
		here := w.reader
		w.reader = elsewhere // hears of the next append in place of this one
		w.append(t, organization, buildingStream(newID()), registered("Theirs"))
		w.reader = here
		w.append(t, organization, buildingStream(newID()), registered("Ours"))
		_, err := list()
		require.ErrorIs(t, err, queries.ErrBehind)
		require.NoError(t, follower.CatchUp(t.Context()))
		listed, err := list()
		require.NoError(t, err)
		require.EqualValues(t, 8, listed.Total)
	})
}
