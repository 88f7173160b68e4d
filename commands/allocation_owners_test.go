package commands

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/koprogo/koprogo/events"
)

func heldBy(t require.TestingT, owner byte, fraction string, from events.Day) OwnerPart {
	parsed, err := events.ParseFraction(fraction)
	require.NoError(t, err)
	return OwnerPart{OwnerID: id(owner), Fraction: parsed, From: from}
}

func TestALotsAmountIsSharedOutOverItsOwners(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		amount events.Money
		owners []OwnerPart
		want   []events.Money
	}{
		"a sole owner has all": {
			412_01, []OwnerPart{heldBy(t, 1, "1/1", "2020-01-01")}, cents(412_01),
		},
		"a tie goes to the older ownership": {
			1,
			[]OwnerPart{heldBy(t, 1, "1/2", "2021-01-01"), heldBy(t, 2, "1/2", "2020-12-31")},
			cents(0, 1),
		},
		"then to the smaller owner id": {
			1,
			[]OwnerPart{heldBy(t, 2, "1/2", "2020-01-01"), heldBy(t, 1, "2/4", "2020-01-01")},
			cents(0, 1),
		},
		"thirds": {
			-100_00, []OwnerPart{
				heldBy(t, 3, "1/3", "2020-01-01"), heldBy(t, 2, "1/3", "2020-01-01"),
				heldBy(t, 1, "1/3", "2020-01-01"),
			}, cents(-33_33, -33_33, -33_34),
		},
		"fractions of several denominators": {
			1_000_00, []OwnerPart{
				heldBy(t, 1, "1/2", "2020-01-01"), heldBy(t, 2, "1/3", "2020-01-01"),
				heldBy(t, 3, "1/6", "2020-01-01"),
			}, cents(500_00, 333_33, 166_67),
		},
		"fractions below the whole bear all": {
			100_00,
			[]OwnerPart{heldBy(t, 1, "1/4", "2020-01-01"), heldBy(t, 2, "1/8", "2020-01-01")},
			cents(66_67, 33_33),
		},
		"fractions whose common denominator 64 bits do not hold": {
			1_000_00, []OwnerPart{
				heldBy(t, 1, "249995/999983", "2020-01-01"),
				heldBy(t, 2, "249994/999979", "2020-01-01"),
				heldBy(t, 3, "249990/999961", "2020-01-01"),
				heldBy(t, 4, "249989/999959", "2020-01-01"),
			}, cents(250_00, 250_00, 250_00, 250_00),
		},
	} {
		amounts, err := AllocateOwners(c.amount, c.owners)
		require.NoError(t, err, name)
		require.Equal(t, c.want, amounts, name)
	}
	for _, nobody := range [][]OwnerPart{nil, {{OwnerID: id(1)}}} {
		_, err := AllocateOwners(1, nobody)
		require.Equal(t, CodeSharesIncomplete, refusal(t, err).Code)
	}
}

func TestOwnersShareTheWholeAmountWhateverTheirFractions(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		total := anyTotal(t)
		most := rapid.SampledFrom([]int64{4, 1000, 1_000_000}).Draw(t, "most terms")
		owners := make([]OwnerPart, rapid.IntRange(1, 12).Draw(t, "owners"))
		for i := range owners {
			fraction, err := events.NewFraction(rapid.Int64Range(1, most).Draw(t, "numerator"),
				rapid.Int64Range(1, most).Draw(t, "denominator"))
			require.NoError(t, err)
			owners[i] = OwnerPart{OwnerID: id(byte(i)), Fraction: fraction, From: "2020-01-01"}
		}
		amounts, err := AllocateOwners(total, owners)
		require.NoError(t, err)
		sum, err := events.Sum(amounts...)
		require.NoError(t, err)
		require.Equal(t, total, sum)
		slices.Reverse(owners)
		mirrored, err := AllocateOwners(total, owners)
		require.NoError(t, err)
		slices.Reverse(mirrored)
		require.Equal(t, amounts, mirrored)
	})
}

// TestASaleIsProratedByDays holds the domain's examples 10.6 and 10.7.
func TestASaleIsProratedByDays(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		deed          events.Day
		seller, buyer events.Money
	}{
		"within the quarter":        {"2026-09-15", 513_21, 108_04},
		"on the first day":          {"2026-07-01", 0, 621_25},
		"before the quarter":        {"2026-05-01", 0, 621_25},
		"on the last day":           {"2026-09-30", 614_50, 6_75},
		"the day after the quarter": {"2026-10-01", 621_25, 0},
		"long after":                {"9999-12-31", 621_25, 0},
		"long before":               {"0001-01-01", 0, 621_25},
	} {
		seller, buyer, err := ProrateSale(621_25, "2026-07-01", "2026-09-30", c.deed)
		require.NoError(t, err, name)
		require.Equal(t, cents(c.seller, c.buyer), cents(seller, buyer), name)
	}
	amounts, err := Prorate(1_460_00, 92, 273) // a year's insurance from October on
	require.NoError(t, err)
	require.Equal(t, cents(368_00, 1_092_00), amounts)
	amounts, err = Prorate(1, 10, 10)
	require.NoError(t, err)
	require.Equal(t, cents(1, 0), amounts, "a tie goes to the seller, who is listed first")
}

func TestAPeriodThatIsNoneIsRefused(t *testing.T) {
	t.Parallel()
	_, _, err := ProrateSale(1, "2026-07-02", "2026-07-01", "2026-07-01")
	require.Equal(t, CodeWeightsInvalid, refusal(t, err).Code)
	for _, days := range [][3]events.Day{
		{"x", "2026-07-01", "2026-07-01"},
		{"2026-07-01", "x", "2026-07-01"},
		{"2026-07-01", "2026-07-01", "x"},
	} {
		_, _, err := ProrateSale(1, days[0], days[1], days[2])
		require.ErrorContains(t, err, "count the days")
	}
	for _, c := range []struct {
		from, to events.Day
		days     int64
	}{
		{"2026-07-01", "2026-09-30", 92},
		{"2026-01-01", "2026-12-31", 365},
		{"2024-01-01", "2024-12-31", 366},
		{"2026-03-29", "2026-03-29", 1},
		{"2026-03-28", "2026-03-30", 3}, // the clock changes in between
		{"2026-03-02", "2026-03-01", 0},
		{"0001-01-01", "9999-12-31", 3_652_059},
	} {
		days, err := DaysThrough(c.from, c.to)
		require.NoError(t, err)
		require.Equal(t, c.days, days)
	}
}

// BenchmarkAllocateABuilding shares one charge out over 500 lots and 800 owners.
func BenchmarkAllocateABuilding(b *testing.B) {
	chance := rand.New(rand.NewPCG(1, 2))
	lots, owners := make([]Part, 500), make([][]OwnerPart, 500)
	for i := range lots {
		lots[i] = Part{
			Weight: 1 + chance.Int64N(40_000), SortKey: fmt.Sprintf("%04d", i),
			ID: uuid.UUID{14: byte(i >> 8), 15: byte(i)},
		}
		owners[i] = []OwnerPart{heldBy(b, 1, "1/1", "2020-01-01")}
		if i%5 < 3 {
			owners[i] = []OwnerPart{
				heldBy(b, 1, "2/3", "2020-01-01"), heldBy(b, 2, "1/3", "2020-01-01"),
			}
		}
	}
	b.Run("over 500 lots", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			allocated(b, 12_345_67, lots)
		}
	})
	b.Run("over 500 lots and their 800 owners", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			for i, amount := range allocated(b, 12_345_67, lots) {
				if _, err := AllocateOwners(amount, owners[i]); err != nil {
					b.Fatal(err)
				}
			}
		}
	})
}
