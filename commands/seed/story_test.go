package seed

import (
	"math/big"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/koprogo/koprogo/commands"
	"github.com/koprogo/koprogo/events"
	"github.com/koprogo/koprogo/migrations/migrationstest"
)

// books are an organization's buildings and charges, folded from its log.
type books struct {
	buildings map[uuid.UUID]commands.Building
	charges   map[uuid.UUID]commands.Charge
	divided   map[uuid.UUID]events.ChargeApproved
	owners    map[uuid.UUID]commands.Owner
}

func fold(t *testing.T, s Seeder, organization uuid.UUID) books {
	t.Helper()
	b := books{
		buildings: map[uuid.UUID]commands.Building{}, charges: map[uuid.UUID]commands.Charge{},
		divided: map[uuid.UUID]events.ChargeApproved{}, owners: map[uuid.UUID]commands.Owner{},
	}
	for _, recorded := range logOf(t, s, organization) {
		id := recorded.Stream.ID
		switch recorded.Stream.Category {
		case events.BuildingCategory:
			b.buildings[id] = b.buildings[id].Evolve(recorded.Event)
		case events.OwnerCategory:
			b.owners[id] = b.owners[id].Evolve(recorded.Event)
		case events.ChargeCategory:
			b.charges[id] = b.charges[id].Evolve(recorded.Event)
			if approved, is := recorded.Event.(events.ChargeApproved); is {
				b.divided[id] = approved
			}
		}
	}
	return b
}

// requireExact wants every sum of the books to come out: shares, fractions, cents.
func (b books) requireExact(t *testing.T, owned func(building uuid.UUID) bool) {
	t.Helper()
	whole := big.NewRat(1, 1)
	for id, building := range b.buildings {
		require.Equal(t, building.Facts.Shares, building.Taken, building.Facts.Name)
		require.Equal(t, building.Facts.Lots, building.Standing, building.Facts.Name)
		for _, lot := range building.Lots() {
			held := lot.HeldOn(dayOf(now))
			if !owned(id) {
				require.Empty(t, lot.Ownerships)
				continue
			}
			require.Zero(t, held.WithBare().Cmp(whole), "%s", lot.Facts.Number)
			require.Zero(t, held.WithUsufruct().Cmp(whole), "%s", lot.Facts.Number)
		}
	}
	for id, divided := range b.divided {
		content := b.charges[id].Content
		require.Equal(t, content.Sign()*content.Gross, divided.Total)
		var lots, owners events.Money
		for _, lot := range divided.Lots {
			lots += lot.Amount
			require.NotEmpty(t, lot.Owners)
			for _, owner := range lot.Owners {
				owners += owner.Amount
			}
		}
		require.Equal(t, divided.Total, lots)
		require.Equal(t, divided.Total, owners)
	}
}

func TestTheDemoIsARealLookingBuilding(t *testing.T) {
	t.Parallel()
	s := seeder(t, migrationstest.Database(t))
	require.NoError(t, s.Demo(t.Context()))
	demo := fold(t, s, DemoOrganization)
	require.Len(t, demo.buildings, 5)
	demo.requireExact(t, func(id uuid.UUID) bool { return id != demoID(0x114) })
	fold(t, s, DemoNeighbour).requireExact(t, func(uuid.UUID) bool { return true })

	building := demo.buildings[demoID(0x110)]
	require.Equal(t, []string{"A", "B"}, building.Facts.Entrances)
	require.Equal(t, 24, building.Standing)
	require.Equal(t, events.WholeShares(1000), building.Facts.Shares)
	t.Run("lots are shared, held in usufruct, inherited and sold", func(t *testing.T) {
		requireHeld(t, building)
	})
	t.Run("two years have charges of all kinds", func(t *testing.T) {
		requireCharges(t, demo, building)
	})
	t.Run("accounts are of owners, and the auditor has a mandate", func(t *testing.T) {
		linked := map[uuid.UUID]int{}
		for _, owner := range demo.owners {
			linked[owner.Account] = owner.Holdings
		}
		require.Equal(t, 2, linked[demoOwner], "a flat and a parking")
		require.Equal(t, 1, linked[demoHalfOwner])
		auditor, err := s.App.Member(t.Context(), DemoOrganization, demoAuditor)
		require.NoError(t, err)
		require.Equal(t, []uuid.UUID{demoID(0x110)}, auditor.Mandates[demoMandate].Buildings)
	})
}

func requireHeld(t *testing.T, building commands.Building) {
	t.Helper()
	found := map[string]int{}
	for _, lot := range building.Lots() {
		running := lot.OwnersOn(dayOf(now))
		found["owners "+strconv.Itoa(len(running))]++
		for _, o := range lot.Ownerships {
			found[o.Right]++
			switch {
			case o.First.SoldBy != uuid.Nil:
				found["sold"]++
				require.Contains(t, o.First.DeedReference, "notaire")
				require.Greater(t, o.From, dayOf(now.AddDate(-1, 0, 0)))
				require.Less(t, o.From, dayOf(now))
			case strings.Contains(o.First.DeedReference, "hérédité"):
				found["inherited"]++
			}
		}
	}
	require.Equal(t, 2, found["sold"])
	require.Equal(t, 2, found["inherited"])
	require.Equal(t, 1, found[events.RightUsufruct])
	require.Equal(t, 2, found[events.RightBare])
	require.Equal(t, 3, found["owners 2"])
	require.Equal(t, 2, found["owners 3"])
}

func requireCharges(t *testing.T, demo books, building commands.Building) {
	t.Helper()
	found := map[string]int{}
	since := dayOf(now.AddDate(-2, 0, 0))
	for id, charge := range demo.charges {
		if charge.Content.Building != demoID(0x110) {
			continue
		}
		c := charge.Content
		found[string(c.Category)]++
		found[c.Kind]++
		found[charge.Approval]++
		found[charge.Payment]++
		require.LessOrEqual(t, c.Date, dayOf(now))
		require.GreaterOrEqual(t, c.Date[:7], since[:7])
		require.LessOrEqual(t, charge.PaidOn, dayOf(now))
		found[string(c.Date[:7])]++
		for _, line := range c.Lines {
			require.True(t, line.VATRate.IsUsual())
			found["rate "+line.VATRate.String()]++
		}
		found["lines "+strconv.Itoa(min(2, len(c.Lines)))]++
		if c.PrivateLotID != uuid.Nil {
			found["private"]++
			require.Len(t, demo.divided[id].Lots, 1)
		}
		for _, division := range demo.divided[id].Divisions {
			if division.KeyID != uuid.Nil {
				found["by key"]++
			}
		}
	}
	for _, category := range events.CategoryProfile() {
		require.Positive(t, found[string(category.Category)], category.Category)
	}
	for at := now.AddDate(-2, 0, 0); at.Before(now.AddDate(0, -1, 0)); at = at.AddDate(0, 1, 0) {
		require.Positive(t, found[at.Format("2006-01")], "%s", at.Format("2006-01"))
	}
	for _, wanted := range []string{
		events.KindInvoice, events.KindCreditNote, events.KindExpenseNote, "private", "by key",
		commands.ApprovalDraft, commands.ApprovalPending, commands.ApprovalApproved,
		commands.ApprovalRejected, commands.PaymentPending, commands.PaymentPaid,
		commands.PaymentOverdue, commands.PaymentCancelled, "rate 0", "rate 6", "rate 21",
		"lines 1", "lines 2",
	} {
		require.Positive(t, found[wanted], wanted)
	}
	require.Len(t, building.Lots(), 24)
}

func TestNumbersHaveTheirCheckDigits(t *testing.T) {
	t.Parallel()
	for n := range int64(300) {
		text := iban(n * 7_919)
		parsed, err := events.ParseIBAN(text)
		require.NoError(t, err, text)
		require.Equal(t, text, string(parsed))
		require.Equal(t, national(text[4:14]), text[14:], "the national check digits")
		_, err = events.ParseEnterpriseNumber(enterpriseNumber(n * 7_919))
		require.NoError(t, err)
	}
	// Worked examples of the standards: structured communications, and the GSRN of 17 digits whose
	// check digit comes out by weights 3 and 1 from the left.
	require.Equal(t, "+++000/0000/00097+++", communication(0))
	require.Equal(t, "+++000/0009/70097+++", communication(9_700))
	require.Equal(t, "+++202/6000/12320+++", communication(2_026_000_123))
	require.Equal(t, "541448900000000007", ean(0))
	require.Equal(t, "541448900000000014", ean(1))
}

func national(base string) string {
	number, _ := strconv.Atoi(base)
	check := number % 97
	if check == 0 {
		check = 97
	}
	return string(rune('0'+check/10)) + string(rune('0'+check%10))
}

func TestAStoryHangsOnSeedAndDayOnly(t *testing.T) {
	t.Parallel()
	in := func(at time.Time, n int) house {
		return Town{Seed: 3, Buildings: 5, Until: at}.house(cast{organization: demoID(9)}, n)
	}
	late := now.Add(9 * time.Hour) // the same day in Belgium
	for n := range 5 {
		require.Equal(t, in(now, n), in(late, n))
		one, two := in(now, n).story(dice(3, n+1)), in(late, n).story(dice(3, n+1))
		require.Equal(t, one.lots, two.lots)
		require.Equal(t, one.owners, two.owners)
		require.Equal(t, one.charges, two.charges)
		other := in(now, n).story(dice(4, n+1))
		require.NotEqual(t, one.lots, other.lots)
	}
}
