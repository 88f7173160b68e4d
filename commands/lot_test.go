package commands

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/koprogo/koprogo/events"
)

var first = 1

// lotA2 is what registerA2 enters: 400 of the residence's 1000 shares.
var lotA2 = events.LotRegistered{
	LotID: id(2), Number: "A2", Type: "apartment", Floor: &first, Surface: 84_5000,
	Shares: events.WholeShares(400), SortKey: "a000002",
}

func registerA2(change ...func(*RegisterLot)) RegisterLot {
	c := RegisterLot{
		BuildingID: id(1), LotID: id(2), Number: " A2 ", Type: "apartment", Floor: To(1),
		Surface: 84_5000, Shares: events.WholeShares(400),
	}
	for _, f := range change {
		f(&c)
	}
	return c
}

// another is a lot of another id and number.
func another(n byte, number string, shares events.Shares) events.LotRegistered {
	e := lotA2
	e.LotID, e.Number, e.Shares, e.SortKey = id(n), number, shares, naturalKey(number)
	return e
}

func TestRegisterLot(t *testing.T) {
	t.Parallel()
	t.Run("a lot is entered with a sort key made of its number", func(t *testing.T) {
		given[Building](t, residence).when(registerA2()).then(lotA2)
	})
	t.Run("a sort key that is given is kept", func(t *testing.T) {
		own := lotA2
		own.SortKey, own.Floor = "02", nil
		given[Building](t, residence).when(registerA2(func(c *RegisterLot) {
			c.SortKey, c.Floor = "02", Change[int]{}
		})).then(own)
	})
	t.Run("the same again changes nothing, also after a change", func(t *testing.T) {
		given[Building](t, residence, lotA2,
			events.LotSharesAmended{LotID: id(2), Shares: 1, From: "2026-01-01"}).
			when(registerA2()).then()
	})
	t.Run("another lot under the id is refused", func(t *testing.T) {
		given[Building](t, residence, lotA2).
			when(registerA2(func(c *RegisterLot) { c.Surface++ })).thenRefused(CodeIDTaken)
	})
	t.Run("the id of a removed lot is refused, its number is free", func(t *testing.T) {
		removed := []events.Event{residence, lotA2, events.LotRemoved{LotID: id(2)}}
		given[Building](t, removed...).when(registerA2()).thenRefused(CodeIDTaken)
	})
	t.Run("the number of a removed lot is free", func(t *testing.T) {
		given[Building](t, residence, lotA2, events.LotRemoved{LotID: id(2)}).
			when(registerA2(func(c *RegisterLot) { c.LotID = id(3) })).
			then(another(3, "A2", events.WholeShares(400)))
	})
	t.Run("a number that another lot has is refused, however it is written", func(t *testing.T) {
		given[Building](t, residence, lotA2).when(registerA2(func(c *RegisterLot) {
			c.LotID, c.Number = id(3), "a2"
		})).thenRefused(CodeUnitNumberTaken)
	})
	t.Run("shares beyond the building's total are refused", func(t *testing.T) {
		given[Building](t, residence, lotA2).when(registerA2(func(c *RegisterLot) {
			c.LotID, c.Number, c.Shares = id(3), "A3", events.WholeShares(600)+1
		})).thenRefused(CodeSharesExceeded)
	})
	t.Run("all of the building's shares are not too many", func(t *testing.T) {
		given[Building](t, residence, lotA2).when(registerA2(func(c *RegisterLot) {
			c.LotID, c.Number, c.Shares = id(3), "A3", events.WholeShares(600)
		})).then(another(3, "A3", events.WholeShares(600)))
	})
	t.Run("a lot beyond those of the deed is refused", func(t *testing.T) {
		small := residence
		small.Lots = 1
		given[Building](t, small, lotA2).when(registerA2(func(c *RegisterLot) {
			c.LotID, c.Number = id(3), "A3"
		})).thenRefused(CodeUnitsExceeded)
	})
	t.Run("a building that is not in the books is not found", func(t *testing.T) {
		given[Building](t, residence, events.BuildingRemoved{}).when(registerA2()).
			thenRefused(CodeNotFound)
	})
}

func TestRegisterLotRefusesAWrongField(t *testing.T) {
	t.Parallel()
	for name, wrong := range map[string]struct {
		field  string
		code   Code
		change func(*RegisterLot)
	}{
		"no id":            {"id", CodeRequired, func(c *RegisterLot) { c.LotID = uuid.Nil }},
		"no number":        {"number", CodeRequired, func(c *RegisterLot) { c.Number = " " }},
		"a long number":    {"number", CodeTooLong, func(c *RegisterLot) { c.Number = long(256) }},
		"another kind":     {"type", CodeUnknownValue, func(c *RegisterLot) { c.Type = "loft" }},
		"a floor too high": {"floor", CodeOutOfRange, func(c *RegisterLot) { c.Floor = To(1000) }},
		"no surface":       {"surface", CodeOutOfRange, func(c *RegisterLot) { c.Surface = 0 }},
		"a negative one":   {"surface", CodeOutOfRange, func(c *RegisterLot) { c.Surface = -1 }},
		"too large": {"surface", CodeOutOfRange, func(c *RegisterLot) {
			c.Surface = maxSurface + 1
		}},
		"no shares": {"shares", CodeOutOfRange, func(c *RegisterLot) { c.Shares = 0 }},
		"too many shares": {"shares", CodeOutOfRange, func(c *RegisterLot) {
			c.Shares = events.WholeShares(maxShares) + 1
		}},
		"a long key": {"sort_key", CodeTooLong, func(c *RegisterLot) { c.SortKey = long(256) }},
	} {
		t.Run(name, func(t *testing.T) {
			given[Building](t, residence).when(registerA2(wrong.change)).
				thenInvalid(wrong.field, wrong.code)
		})
	}
}

func changeA2(change func(*ChangeLot)) ChangeLot {
	c := ChangeLot{BuildingID: id(1), LotID: id(2), Now: now}
	change(&c)
	return c
}

func TestChangeLot(t *testing.T) {
	t.Parallel()
	described := events.LotDescribed{
		LotID: id(2), Number: "A10", Type: "apartment", Floor: &first, Surface: 84_5000,
		SortKey: "a000010",
	}
	t.Run("another number takes its sort key along", func(t *testing.T) {
		given[Building](t, residence, lotA2).
			when(changeA2(func(c *ChangeLot) { c.Number = To("A10") })).then(described)
	})
	t.Run("a sort key that somebody chose stays", func(t *testing.T) {
		own, kept := lotA2, described
		own.SortKey, kept.SortKey = "02", "02"
		given[Building](t, residence, own).
			when(changeA2(func(c *ChangeLot) { c.Number = To("A10") })).then(kept)
	})
	t.Run("a cleared sort key follows the number again, a cleared floor is none", func(t *testing.T) {
		own, cleared := lotA2, described
		own.SortKey, cleared.Number, cleared.SortKey, cleared.Floor = "02", "A2", "a000002", nil
		given[Building](t, residence, own).when(changeA2(func(c *ChangeLot) {
			c.SortKey, c.Floor = Cleared[string](), Cleared[int]()
		})).then(cleared)
	})
	t.Run("other shares hold from today on, over the total of today", func(t *testing.T) {
		given[Building](t, residence, lotA2).when(changeA2(func(c *ChangeLot) {
			c.Shares = To(events.WholeShares(1000))
		})).then(events.LotSharesAmended{
			LotID: id(2), Shares: events.WholeShares(1000), Total: events.WholeShares(1000),
			From: "2026-03-15",
		})
	})
	t.Run("the same values, and the same building, record nothing", func(t *testing.T) {
		given[Building](t, residence, lotA2).when(changeA2(func(c *ChangeLot) {
			c.Building, c.Number, c.Floor, c.Shares = To(id(1)), To("A2"), To(1), To(lotA2.Shares)
		})).then()
	})
	t.Run("another building is refused", func(t *testing.T) {
		given[Building](t, residence, lotA2).
			when(changeA2(func(c *ChangeLot) { c.Building = To(id(9)) })).
			thenInvalid("building_id", CodeUnchangeable)
	})
	t.Run("a wrong field is refused", func(t *testing.T) {
		given[Building](t, residence, lotA2).
			when(changeA2(func(c *ChangeLot) { c.Number = Cleared[string]() })).
			thenInvalid("number", CodeRequired)
	})
	t.Run("the number of another lot is refused", func(t *testing.T) {
		given[Building](t, residence, lotA2, another(3, "A3", 1)).
			when(changeA2(func(c *ChangeLot) { c.Number = To("A3") })).
			thenRefused(CodeUnitNumberTaken)
	})
	t.Run("a number that was given up is free", func(t *testing.T) {
		given[Building](t, residence, lotA2, described).
			when(registerA2(func(c *RegisterLot) { c.LotID = id(3) })).
			then(another(3, "A2", events.WholeShares(400)))
	})
	t.Run("shares beyond the total are refused", func(t *testing.T) {
		given[Building](t, residence, lotA2, another(3, "A3", 1)).
			when(changeA2(func(c *ChangeLot) { c.Shares = To(events.WholeShares(1000)) })).
			thenRefused(CodeSharesExceeded)
	})
	t.Run("a lot that is not there is not found", func(t *testing.T) {
		given[Building](t, residence, lotA2, events.LotRemoved{LotID: id(2)}).
			when(changeA2(func(*ChangeLot) {})).thenRefused(CodeNotFound)
	})
}

func TestRemoveLot(t *testing.T) {
	t.Parallel()
	remove := RemoveLot{BuildingID: id(1), LotID: id(2), Now: now}
	t.Run("a lot without owners is removed, and what it held is free", func(t *testing.T) {
		given[Building](t, residence, lotA2).when(remove).then(events.LotRemoved{LotID: id(2)})
	})
	t.Run("a lot that somebody owns is not", func(t *testing.T) {
		given[Building](t, residence, lotA2, holds(1, "1/2", "2020-01-01")).when(remove).
			thenRefused(CodeUnitOwned)
	})
	t.Run("nor one that somebody will own", func(t *testing.T) {
		given[Building](t, residence, lotA2, holds(1, "1/2", "2027-01-01")).when(remove).
			thenRefused(CodeUnitOwned)
	})
	t.Run("one whose owner is gone, or never was, is", func(t *testing.T) {
		given[Building](t, residence, lotA2, holds(1, "1/2", "2020-01-01"), ends(1, "2026-03-14"),
			holds(2, "1/2", "2027-01-01"), ends(2, "2026-12-31")).
			when(remove).then(events.LotRemoved{LotID: id(2)})
	})
	t.Run("a lot that is not there is not found", func(t *testing.T) {
		given[Building](t, residence).when(remove).thenRefused(CodeNotFound)
	})
}

func TestABuildingWithLots(t *testing.T) {
	t.Parallel()
	change := func(lots, shares int) ChangeBuilding {
		return ChangeBuilding{BuildingID: id(1), Lots: To(lots), Shares: To(shares), Now: now}
	}
	t.Run("its totals do not fall below what the lots hold", func(t *testing.T) {
		given[Building](t, residence, lotA2).when(change(12, 399)).thenRefused(CodeSharesExceeded)
	})
	t.Run("nor below how many they are", func(t *testing.T) {
		given[Building](t, residence, lotA2, another(3, "A3", 1)).when(change(1, 1000)).
			thenRefused(CodeUnitsExceeded)
	})
	t.Run("they fall to exactly that", func(t *testing.T) {
		given[Building](t, residence, lotA2).when(change(1, 400)).
			then(events.BuildingDeedAmended{Lots: 1, Shares: events.WholeShares(400)})
	})
	t.Run("it is not removed while a lot has an owner", func(t *testing.T) {
		given[Building](t, residence, lotA2, holds(1, "1/1", "2020-01-01")).
			when(&RemoveBuilding{Now: now}).thenRefused(CodeBuildingOwned)
	})
	t.Run("its lots go with it", func(t *testing.T) {
		given[Building](t, residence, lotA2).when(&RemoveBuilding{Now: now}).
			then(events.LotRemoved{LotID: id(2)}, events.BuildingRemoved{})
	})
	t.Run("too many lots do not", func(t *testing.T) {
		s := given[Building](t, residence, lotA2)
		s.state.Standing = mostRemoved + 1
		s.when(&RemoveBuilding{Now: now}).thenRefused(CodeUnitsRemain)
	})
	t.Run("lots do not move its revision, nor it theirs", func(t *testing.T) {
		t.Parallel()
		b := folded2(residence, lotA2, holds(1, "1/1", "2020-01-01"),
			events.BuildingRenamed{Name: "B"})
		require.EqualValues(t, 2, ChangeBuilding{}.Revision(b))
		require.EqualValues(t, 2, (&RemoveBuilding{}).Revision(b))
		require.EqualValues(t, 2, RemoveLot{LotID: id(2)}.Revision(b))
		require.EqualValues(t, 2, ChangeLot{LotID: id(2)}.Revision(b))
		require.Zero(t, ChangeLot{LotID: id(9)}.Revision(b))
	})
}

// Whoever saw a lot before a day on which its owners changed has seen another lot.
func TestALotsRevisionCountsTheDaysOnWhichItsOwnersChange(t *testing.T) {
	t.Parallel()
	at := func(b Building, day string) int64 {
		moment, err := time.Parse(time.DateOnly, day)
		require.NoError(t, err)
		return ChangeLot{LotID: id(2), Now: moment.Add(12 * time.Hour)}.Revision(b)
	}
	b := folded2(residence, lotA2, holds(1, "1/1", "2030-01-10"), ends(1, "2030-02-10"))
	require.EqualValues(t, 3, at(b, "2030-01-09"))
	require.EqualValues(t, 4, at(b, "2030-01-10"))
	require.EqualValues(t, 4, at(b, "2030-02-10"))
	require.EqualValues(t, 5, at(b, "2030-02-11"))
	longer := b.Evolve(ends(1, "2030-03-10"))
	require.Greater(t, at(longer, "2030-02-11"), at(b, "2030-02-11"),
		"an end that had come and is put off is counted by the fact that does so")
	require.Greater(t, at(longer, "2030-03-11"), at(longer, "2030-03-10"))
}

// folded2 is the building that facts lead to.
func folded2(happened ...events.Event) (b Building) {
	for _, event := range happened {
		b = b.Evolve(event)
	}
	return b
}

func TestSharesOfADay(t *testing.T) {
	t.Parallel()
	amended := func(shares events.Shares, from events.Day) events.Event {
		return events.LotSharesAmended{LotID: id(2), Shares: shares, From: from}
	}
	b := folded2(residence, lotA2, amended(2, "2026-02-01"), amended(3, "2026-03-01"),
		amended(4, "2026-02-15"))
	lot := b.Lot(id(2))
	for day, want := range map[events.Day]events.Shares{
		"2020-01-01": lotA2.Shares, "2026-01-31": lotA2.Shares, "2026-02-01": 2,
		"2026-02-14": 2, "2026-02-15": 4, "2026-03-01": 4,
	} {
		require.Equal(t, want, lot.SharesOn(day), day)
	}
	require.EqualValues(t, 4, b.Taken)
}

func TestNumbersSortAsPeopleCount(t *testing.T) {
	t.Parallel()
	numbers := []string{
		"1", "2", "10", "1000000", "9999999", "10000000", "A1", "A2", "a3", "A10", "A10b", "B1",
	}
	for i, number := range numbers[1:] {
		require.Less(t, naturalKey(numbers[i]), naturalKey(number), "%s, %s", numbers[i], number)
	}
	require.LessOrEqual(t, len([]rune(naturalKey(long(128)+fmt.Sprint(1)))), maxName)
	t.Run("any number has a key of its own kind", rapid.MakeCheck(func(t *rapid.T) {
		key := naturalKey(rapid.StringN(1, 255, -1).Draw(t, "number"))
		require.LessOrEqual(t, len([]rune(key)), maxName)
	}))
}

func TestLotsAreListedInTheirOrder(t *testing.T) {
	t.Parallel()
	b := folded2(residence, another(3, "A10", 1), lotA2, another(4, "A2b", 1),
		another(5, "Z", 1), events.LotRemoved{LotID: id(5)})
	var numbers []string
	for _, lot := range b.Lots() {
		numbers = append(numbers, lot.Facts.Number)
	}
	require.Equal(t, []string{"A2", "A2b", "A10"}, numbers)
	require.Nil(t, b.Lot(id(5)))
}

// A state is folded by many at once from one that they share.
func TestEvolvingLeavesTheStateBeforeAsItWas(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		big := residence
		big.Lots, big.Shares = 1_000_000, events.WholeShares(maxShares)
		before := folded2(big)
		n := rapid.IntRange(0, 200).Draw(t, "lots")
		for i := range n {
			before = before.Evolve(numbered(i))
		}
		seen := fmt.Sprint(before.Standing, before.Taken, len(before.Lots()))
		var group sync.WaitGroup
		for branch := range 4 {
			group.Go(func() {
				after := before
				for i := range 50 {
					after = after.Evolve(numbered(1000*branch + n + i))
				}
				_ = after.Evolve(events.LotRemoved{LotID: numbered(0).LotID})
			})
		}
		group.Wait()
		require.Equal(t, seen, fmt.Sprint(before.Standing, before.Taken, len(before.Lots())))
		require.Equal(t, n, before.Standing)
	})
}

// numbered is the nth of many lots.
func numbered(n int) events.LotRegistered {
	e := lotA2
	e.LotID = uuid.UUID{0: byte(n >> 16), 1: byte(n >> 8), 2: byte(n), 6: 0x70, 8: 0x80}
	e.Number, e.Shares = fmt.Sprint("L", n), 1
	e.SortKey = naturalKey(e.Number)
	return e
}

// A building of ten thousand lots takes another one in microseconds.
func BenchmarkRegisterLotTenThousandth(b *testing.B) {
	big := residence
	big.Lots, big.Shares = 1_000_000, events.WholeShares(maxShares)
	state := folded2(big)
	for i := range 9_999 {
		state = state.Evolve(numbered(i))
	}
	last := numbered(9_999)
	command := RegisterLot{
		LotID: last.LotID, Number: last.Number, Type: last.Type, Surface: last.Surface, Shares: 1,
	}
	b.ReportAllocs()
	for b.Loop() {
		decided, err := command.Decide(state)
		if err != nil {
			b.Fatal(err)
		}
		_ = state.Evolve(decided[0])
	}
}

func TestManyWriteLotsOfOneBuildingAtOnce(t *testing.T) {
	t.Parallel()
	o := newOffice(t, "starter")
	building := id(1)
	_, err := Handle(t.Context(), o.App, o.caller(), registerResidence())
	require.NoError(t, err)
	entered, _ := race(t, 64, CodeUnitsExceeded, func(n int) error {
		lot := numbered(n)
		_, err := Handle(t.Context(), o.App, o.caller(), RegisterLot{
			BuildingID: building, LotID: lot.LotID, Number: lot.Number, Type: lot.Type,
			Surface: 1, Shares: 1,
		})
		return err
	})
	require.Len(t, entered, 12)
	t.Run("the id of a lot is taken in every building of the organization", func(t *testing.T) {
		other := registerResidence(func(c *RegisterBuilding) { c.BuildingID = id(7) })
		_, err := Handle(t.Context(), o.App, o.caller(), other)
		require.NoError(t, err)
		_, err = Handle(t.Context(), o.App, o.caller(), RegisterLot{
			BuildingID: id(7), LotID: numbered(entered[0]).LotID, Number: "X",
			Type: "cellar", Surface: 1, Shares: 1,
		})
		require.Equal(t, CodeIDTaken, refusal(t, err).Code)
	})
}
