package projections_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/koprogo/koprogo/events"
	"github.com/koprogo/koprogo/projections"
)

func lot(id uuid.UUID, number string) events.LotRegistered {
	floor := 2
	return events.LotRegistered{
		LotID: id, Number: number, Type: "apartment", Floor: &floor, Surface: 84_5000,
		Shares: events.WholeShares(100), SortKey: number,
	}
}

func fraction(t require.TestingT, text string) events.Fraction {
	parsed, err := events.ParseFraction(text)
	require.NoError(t, err)
	return parsed
}

func TestLotRows(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	organization, building, id := newID(), newID(), newID()
	ann, bea := newID(), newID()
	owns := func(ownership, owner uuid.UUID, from events.Day, primary bool) events.Event {
		return events.OwnershipStarted{
			OwnershipID: ownership, LotID: id, OwnerID: owner, Fraction: fraction(t, "1/2"),
			Right: "full", From: from, PrimaryContact: primary,
		}
	}
	first, second := newID(), newID()
	w.Append(t, organization, buildingStream(building), registered("A"), lot(id, "A2"),
		events.LotSharesAmended{LotID: id, Shares: 7, From: "2026-01-01"},
		owns(first, ann, "2020-01-01", true), owns(second, bea, "2021-01-01", false),
		events.OwnershipContactNamed{OwnershipID: second, LotID: id, OwnerID: bea},
		events.OwnershipFractionAmended{
			OwnershipID: first, LotID: id, OwnerID: ann, Fraction: fraction(t, "1/4"),
			From: "2026-02-01", DeedReference: "D",
		},
		events.OwnershipEnded{OwnershipID: second, LotID: id, OwnerID: bea, To: "2026-02-28"})
	w.catchUp(t)
	row := loadRow(t, w, projections.LotTable.Columns(), "lots", id, projections.LotTable.Scan)
	require.EqualValues(t, 7, row.Version)
	require.EqualValues(t, 7, row.Shares)
	require.Equal(t, building, row.BuildingID)
	for day, want := range map[events.Day]uuid.UUID{
		"2019-12-31": uuid.Nil, "2020-06-01": ann, "2021-06-01": bea, "2026-02-28": bea,
		"2026-03-01": ann,
	} {
		primary, owned := row.PrimaryOn(day)
		require.Equal(t, want, primary.OwnerID, day)
		require.Equal(t, want != uuid.Nil, owned, day)
	}
	read := func(id uuid.UUID) projections.OwnershipRow {
		return loadRow(t, w, projections.OwnershipTable.Columns(), "ownerships", id,
			projections.OwnershipTable.Scan)
	}
	require.EqualValues(t, 3, read(first).Version, "started, no contact any more, amended")
	require.Equal(t, "1/4", read(first).Fraction)
	require.Equal(t, "D", read(first).DeedReference)
	require.Equal(t, []projections.OwnershipStep{
		{From: "2020-01-01", Fraction: fraction(t, "1/2")},
		{From: "2026-02-01", Fraction: fraction(t, "1/4")},
	}, read(first).Steps)
	require.EqualValues(t, 3, read(second).Version)
	require.Equal(t, 2, read(second).Named)
	require.Equal(t, "2026-02-28", read(second).To.Time.Format("2006-01-02"))
	house, _ := w.building(t, organization, building)
	require.EqualValues(t, 1, house.Version, "a building's lots do not move it")

	w.Append(t, organization, buildingStream(building), events.LotRemoved{LotID: id})
	w.catchUp(t)
	dump := w.lotRows(t, organization)
	require.Empty(t, dump["lots"])
	require.Contains(t, dump["removed_lots"], building.String())
	require.Contains(t, dump["ownerships"], first.String(), "what was owned stays told")
	require.Contains(t, dump["totals"], `"lots","n":0`)
}

// lotRows dumps the rows of an organization's lots.
func (w *world) lotRows(t require.TestingT, organization uuid.UUID) map[string]string {
	dump := map[string]string{}
	for _, table := range []string{"lots", "removed_lots", "ownerships", "totals"} {
		var text string
		require.NoError(t, w.admin.QueryRow(context.Background(), fmt.Sprintf(`
select coalesce(string_agg(to_json(x)::text, E'\n' order by to_json(x)::text), '')
  from read.%s x where organization_id = $1`, table), organization).Scan(&text))
		dump[table] = text
	}
	return dump
}

func TestRebuiltLotsEqualLiveOnes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	rapid.Check(t, func(t *rapid.T) {
		organization, building := newID(), newID()
		w.Append(t, organization, buildingStream(building), registered("A"))
		var lots, ownerships []uuid.UUID
		for i := range rapid.IntRange(1, 25).Draw(t, "n") {
			if len(lots) == 0 || rapid.IntRange(0, 4).Draw(t, "new") == 0 {
				lots = append(lots, newID())
				w.Append(t, organization, buildingStream(building),
					lot(lots[len(lots)-1], fmt.Sprint("A", i)))
			}
			in := rapid.SampledFrom(lots).Draw(t, "lot")
			ownerships = append(ownerships, newID())
			of := rapid.SampledFrom(ownerships).Draw(t, "ownership")
			day := rapid.SampledFrom([]events.Day{"2020-01-01", "2026-01-01", "2027-01-01"}).
				Draw(t, "day")
			w.Append(t, organization, buildingStream(building), rapid.SampledFrom([]events.Event{
				events.LotDescribed{LotID: in, Number: `é"\`, Type: "cellar", SortKey: "1"},
				events.LotSharesAmended{LotID: in, Shares: 5, From: day},
				events.LotRemoved{LotID: in},
				events.OwnershipStarted{
					OwnershipID: ownerships[len(ownerships)-1], LotID: in, OwnerID: newID(),
					Fraction: fraction(t, "1/3"), Right: "full", From: day, PrimaryContact: i%2 == 0,
					SoldBy: newID(),
				},
				events.OwnershipFractionAmended{
					OwnershipID: of, LotID: in, Fraction: fraction(t, "1/9"), From: day,
				},
				events.OwnershipEnded{OwnershipID: of, LotID: in, To: day},
				events.OwnershipContactNamed{OwnershipID: of, LotID: in},
			}).Draw(t, "what"))
			if rapid.Bool().Draw(t, "follow") {
				w.catchUp(t)
			}
		}
		w.catchUp(t)
		live := w.lotRows(t, organization)
		require.NoError(t,
			projections.Rebuild(context.Background(), w.Store, projections.Lots, nil))
		require.Equal(t, live, w.lotRows(t, organization))
	})
}
