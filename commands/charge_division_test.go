package commands

import (
	"fmt"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/koprogo/koprogo/events"
)

func owns(
	n byte, lot events.LotRegistered, owner byte, fraction string, right string, from events.Day,
) events.OwnershipStarted {
	part, err := events.ParseFraction(fraction)
	if err != nil {
		panic(err)
	}
	return events.OwnershipStarted{
		OwnershipID: id(n), LotID: lot.LotID, OwnerID: id(owner), Fraction: part, Right: right,
		From: from,
	}
}

// approve is the approval of a charge in a building.
func approve(t *testing.T, content events.ChargeContent, building Building) events.ChargeApproved {
	t.Helper()
	charge := Charge{}.Evolve(events.ChargeDrafted{Content: content}).Evolve(submitted)
	c := &ApproveCharge{
		ChargeID: id(31), Actor: id(92), building: building, keys: reading().keys,
	}
	decided, err := c.Decide(charge)
	require.NoError(t, err)
	require.Len(t, decided, 1)
	approved := decided[0].(events.ChargeApproved)
	require.Equal(t, id(92), approved.ApprovedBy)
	requireWhole(t, approved)
	return approved
}

// requireWhole: the divisions, the lots and each lot's owners sum to what they divide.
func requireWhole(t require.TestingT, approved events.ChargeApproved) {
	lines, lots := events.Money(0), events.Money(0)
	for _, division := range approved.Divisions {
		sum := events.Money(0)
		for _, amount := range division.Amounts {
			sum += amount
		}
		require.Equal(t, division.Total, sum)
		require.Len(t, division.Weights, len(approved.Lots))
		lines += division.Total
	}
	for _, lot := range approved.Lots {
		lots += lot.Amount
		sum := events.Money(0)
		for _, owner := range lot.Owners {
			sum += owner.Amount
		}
		if len(lot.Owners) > 0 {
			require.Equal(t, lot.Amount, sum)
		}
	}
	require.Equal(t, approved.Total, lines)
	require.Equal(t, approved.Total, lots)
}

func amounts(approved events.ChargeApproved) string {
	text := ""
	for _, lot := range approved.Lots {
		text += lot.Amount.String() + " "
	}
	return text
}

func whole(gross events.Money, adjust ...func(*events.ChargeContent)) events.ChargeContent {
	return bill(append([]func(*events.ChargeContent){func(c *events.ChargeContent) {
		c.Gross, c.Net, c.VAT, c.KeyID = gross, gross, 0, uuid.Nil
		c.Lines[0].Gross, c.Lines[0].Net, c.Lines[0].VAT = gross, gross, 0
	}}, adjust...)...).Content
}

func TestDivisionByShares(t *testing.T) {
	t.Parallel()
	for _, example := range []struct { // domain.md, 10.1
		name   string
		total  events.Money
		shares []int64
		base   int64
		want   string
	}{
		{"A1", 10000, []int64{1, 1, 1}, 3, "33.34 33.33 33.33 "},
		{"A2", 123456, []int64{333, 333, 334}, 1000, "411.11 411.11 412.34 "},
		{"A3", 100001, []int64{412, 355, 233}, 1000, "412.01 355.00 233.00 "},
		{
			"A5", 987654,
			[]int64{1215, 1410, 985, 2230, 1760, 1190, 1210},
			10000,
			"1200.00 1392.59 972.84 2202.47 1738.27 1175.31 1195.06 ",
		},
		{"A6", 1, []int64{500, 500}, 1000, "0.01 0.00 "},
		{"A7", 5, []int64{250, 250, 250, 250}, 1000, "0.02 0.01 0.01 0.01 "},
	} {
		t.Run(example.name, func(t *testing.T) {
			t.Parallel()
			known := residence
			known.Shares = events.WholeShares(example.base)
			b := Building{}.Evolve(known)
			for i, shares := range example.shares {
				b = b.Evolve(lotOf(byte(11+i), fmt.Sprintf("%02d", i), shares))
			}
			require.Equal(t, example.want, amounts(approve(t, whole(example.total), b)))
		})
	}
	t.Run("A4: a credit note is the mirror", func(t *testing.T) {
		t.Parallel()
		approved := approve(t, whole(100001, func(c *events.ChargeContent) {
			c.Kind = events.KindCreditNote
		}), erables())
		require.Equal(t, events.Money(-100001), approved.Total)
		require.Equal(t, "-412.01 -355.00 -233.00 ", amounts(approved))
	})
	t.Run("10.3: by the lift's key; who weighs nothing bears nothing", func(t *testing.T) {
		t.Parallel()
		approved := approve(t, bill().Content, erables())
		require.Equal(t, "0.00 580.80 387.20 ", amounts(approved))
		require.Equal(t, []int64{0, 600_000, 400_000},
			[]int64{approved.Lots[0].Part, approved.Lots[1].Part, approved.Lots[2].Part})
		require.Equal(t, events.Day("2026-01-01"), approved.Divisions[0].ValidFrom)
	})
	t.Run("10.3: its credit note of 100.00", func(t *testing.T) {
		t.Parallel()
		credit := whole(10000, func(c *events.ChargeContent) {
			c.Kind, c.KeyID = events.KindCreditNote, liftID
		})
		require.Equal(t, "0.00 -60.00 -40.00 ", amounts(approve(t, credit, erables())))
	})
	t.Run("10.5: lines go by keys of their own", func(t *testing.T) {
		t.Parallel()
		invoice := whole(278300, func(c *events.ChargeContent) {
			c.Priced = events.PricedLines
			c.Lines = []events.ChargeLine{
				{Gross: 181500}, {Gross: 96800, KeyID: liftID},
			}
		})
		approved := approve(t, invoice, erables())
		require.Equal(t, []events.Money{74778, 64433, 42289}, approved.Divisions[0].Amounts)
		require.Equal(t, []events.Money{0, 58080, 38720}, approved.Divisions[1].Amounts)
		require.Equal(t, "747.78 1225.13 810.09 ", amounts(approved))
		require.EqualValues(t, 268_696, approved.Lots[0].Part, "412/1000 of 1815 in 2783")
	})
	t.Run("a private charge is all one lot's, whatever the key", func(t *testing.T) {
		t.Parallel()
		private := whole(3500, func(c *events.ChargeContent) {
			c.PrivateLotID, c.KeyID = lotC.LotID, liftID
		})
		approved := approve(t, private, erables(owns(51, lotC, 61, "1/1", "full", "2020-01-01")))
		require.Equal(t, "35.00 ", amounts(approved))
		require.Equal(t, id(61), approved.Lots[0].Owners[0].OwnerID)
	})
}

func TestDivisionIsRefused(t *testing.T) {
	t.Parallel()
	for _, wrong := range []struct {
		what     string
		content  events.ChargeContent
		building Building
		code     Code
	}{
		{
			"while lots are missing", whole(100),
			erables(events.LotRemoved{LotID: lotA.LotID}), CodeSharesIncomplete,
		},
		{
			"while a lot of its key is gone", bill().Content,
			erables(events.LotRemoved{LotID: lotB.LotID}), CodeSharesIncomplete,
		},
		{"when its private lot is gone", whole(100, func(c *events.ChargeContent) {
			c.PrivateLotID = lotA.LotID
		}), erables(events.LotRemoved{LotID: lotA.LotID}), CodeSharesIncomplete},
		{"on a day before its key", bill(func(c *events.ChargeContent) {
			c.Date = "2025-12-31"
		}).Content, erables(), CodeKeyNotValid},
	} {
		t.Run("a charge is not approved "+wrong.what, func(t *testing.T) {
			given[Charge](t, events.ChargeDrafted{Content: wrong.content}, submitted).
				when(&ApproveCharge{
					ChargeID: id(31), building: wrong.building, keys: reading().keys,
				}).thenRefused(wrong.code)
		})
	}
}

func TestDivisionOverOwners(t *testing.T) {
	t.Parallel()
	shared := func(t *testing.T, content events.ChargeContent, more ...events.Event) []string {
		t.Helper()
		var told []string
		for _, lot := range approve(t, content, erables(more...)).Lots {
			for _, owner := range lot.Owners {
				told = append(told, fmt.Sprintf("%d %s %d", owner.OwnerID[15], owner.Amount, owner.Part))
			}
		}
		return told
	}
	t.Run("in proportion to their fractions, also of less than the whole", func(t *testing.T) {
		t.Parallel()
		require.Equal(t, []string{"61 274.67 274667", "62 137.33 137333"}, shared(t, whole(100000),
			owns(51, lotA, 61, "1/2", "full", "2020-01-01"),
			owns(52, lotA, 62, "1/4", "full", "2020-01-01")))
	})
	t.Run("the usufructuary pays, the bare owner does not", func(t *testing.T) {
		t.Parallel()
		require.Equal(t, []string{"61 355.00 355000"}, shared(t, whole(100000),
			owns(51, lotB, 61, "1/1", "usufruct", "2020-01-01"),
			owns(52, lotB, 62, "1/1", "bare", "2020-01-01")))
	})
	t.Run("a cent left over goes to who came first, then by id", func(t *testing.T) {
		t.Parallel()
		require.Equal(t, []string{"62 116.50 116500", "61 116.50 116500"}, shared(t, whole(100000),
			owns(51, lotC, 61, "1/2", "full", "2021-01-01"),
			owns(52, lotC, 62, "1/2", "full", "2020-01-01")))
		require.Equal(t, []string{"62 0.01 116500", "61 0.00 116500"},
			shared(t, whole(4), owns(51, lotC, 61, "1/2", "full", "2021-01-01"),
				owns(52, lotC, 62, "1/2", "full", "2020-01-01")))
	})
	t.Run("owners and shares are those of the charge's day", func(t *testing.T) {
		t.Parallel()
		sold := []events.Event{
			owns(51, lotA, 61, "1/1", "full", "2020-01-01"),
			events.OwnershipEnded{
				OwnershipID: id(51), LotID: lotA.LotID, OwnerID: id(61), To: "2026-03-09",
			},
			owns(52, lotA, 62, "1/1", "full", "2026-03-10"),
			events.LotSharesAmended{
				LotID: lotA.LotID, Shares: events.WholeShares(400), From: "2026-04-01",
			},
			events.LotSharesAmended{
				LotID: lotB.LotID, Shares: events.WholeShares(367), From: "2026-04-01",
			},
		}
		on := func(day events.Day) events.ChargeContent {
			return whole(100000, func(c *events.ChargeContent) { c.Date = day })
		}
		require.Equal(t, []string{"62 412.00 412000"}, shared(t, on("2026-03-10"), sold...))
		require.Equal(t, []string{"61 412.00 412000"}, shared(t, on("2026-03-09"), sold...))
		require.Equal(t, []string{"62 400.00 400000"}, shared(t, on("2026-04-01"), sold...))
	})
	t.Run("a lot without owner keeps its amount", func(t *testing.T) {
		t.Parallel()
		approved := approve(t, whole(100000), erables())
		require.Empty(t, approved.Lots[0].Owners)
		require.Equal(t, events.Money(41200), approved.Lots[0].Amount)
	})
}

// Whatever the lots, keys, owners and lines: what is divided sums to the whole.
func TestADivisionSumsToTheTotal(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 12).Draw(t, "lots")
		var happened []events.Event
		base, keyBase := int64(0), int64(0)
		key := events.KeyDeclared{Building: buildingID, Name: "k", ValidFrom: "2020-01-01"}
		for i := range n {
			shares := rapid.Int64Range(1, 10_000).Draw(t, "shares")
			lot := lotOf(byte(11+i), fmt.Sprintf("%02d", i), shares)
			happened = append(happened, lot)
			base += shares
			weight := rapid.Int64Range(0, 1_000_000_000).Draw(t, "weight")
			keyBase += weight
			key.Weights = append(key.Weights, events.KeyWeight{LotID: lot.LotID, Weight: weight})
			for o := range rapid.IntRange(0, 3).Draw(t, "owners") {
				happened = append(happened, owns(byte(100+4*i+o), lot, byte(60+o),
					fmt.Sprintf("1/%d", rapid.IntRange(3, 999_983).Draw(t, "part")),
					rapid.SampledFrom([]string{"full", "usufruct", "bare"}).Draw(t, "right"),
					"2020-01-01"))
			}
		}
		key.Base = keyBase
		known := residence
		known.Lots, known.Shares = 100, events.WholeShares(base)
		b := Building{}.Evolve(known)
		for _, event := range happened {
			b = b.Evolve(event)
		}
		content := whole(0, func(c *events.ChargeContent) { c.Lines = nil })
		if rapid.Bool().Draw(t, "credit") {
			content.Kind = events.KindCreditNote
		}
		for range rapid.IntRange(1, 5).Draw(t, "lines") {
			line := events.ChargeLine{Gross: events.Money(
				rapid.Int64Range(1, int64(events.MostMoney)).Draw(t, "gross"))}
			if keyBase > 0 && rapid.Bool().Draw(t, "by key") {
				line.KeyID = liftID
			}
			content.Lines = append(content.Lines, line)
			content.Gross += line.Gross
		}
		approved, err := divide(&content, &b, map[uuid.UUID]Key{liftID: Key{}.Evolve(key)})
		require.NoError(t, err)
		requireWhole(t, approved)
		parts := int64(0)
		for _, lot := range approved.Lots {
			parts += lot.Part
		}
		require.LessOrEqual(t, max(parts-millionths, millionths-parts), int64(n))
	})
}
