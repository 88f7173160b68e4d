package main_test

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/koprogo/koprogo/commands/seed"
)

// demoStands is what a development server says once the demo's story is told.
const demoStands = "the demo stands"

// untilDemo waits until it is.
func (s *server) untilDemo() error {
	deadline := time.NewTimer(startPatience)
	defer deadline.Stop()
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	for !strings.Contains(s.log.String(), demoStands) {
		select {
		case <-s.ended:
			return fmt.Errorf("koprogo serve ended with %d: %s", s.code, s.log.String())
		case <-deadline.C:
			return fmt.Errorf("the demo is not told: %s", s.log.String())
		case <-ticker.C:
		}
	}
	return nil
}

// demoFacts counts the facts of the demo's organizations by what they are.
func demoFacts(t *testing.T, dir string) map[string]int {
	t.Helper()
	rows, err := superuser(t, dir).Query(t.Context(), //nolint:rowserrcheck // ForEachRow does
		`select organization_id || ' ' || type, count(*) from log.events
		  where organization_id in ($1, $2) group by 1`, seed.DemoOrganization, seed.DemoNeighbour)
	require.NoError(t, err)
	found := map[string]int{}
	var what string
	var count int
	_, err = pgx.ForEachRow(rows, []any{&what, &count}, func() error {
		found[what] = count
		return nil
	})
	require.NoError(t, err)
	return found
}

func TestADemoThatWasKilledHalfWayIsToldToItsEnd(t *testing.T) {
	t.Parallel()
	whole, _ := devDir(t)
	dev(t, whole)
	want := demoFacts(t, whole)
	require.Greater(t, len(want), 20)

	dir := emptyDir(t)
	for range 3 {
		s := dev(t, dir)
		s.kill(t)
		require.NotContains(t, s.log.String(), demoStands, "it was killed half way")
	}
	s := dev(t, dir)
	require.NoError(t, s.untilDemo())
	require.Equal(t, want, demoFacts(t, dir))
	s.stop(t)
	again := dev(t, dir)
	again.awaitReady(t)
	require.NotContains(t, again.log.String(), demoStands, "it is not told again")
	require.Equal(t, want, demoFacts(t, dir))
	run(t, dir, "verify").done(t)
}

// listOf reads a list to its end.
func listOf[R any](t *testing.T, c *client, path string) (all []R) {
	t.Helper()
	for cursor := ""; ; {
		got := c.get(t, path+"&per_page=100"+cursor)
		require.Equal(t, http.StatusOK, got.status, "%s", got.body)
		var page struct {
			Data       []R `json:"data"`
			Pagination struct {
				Next *string `json:"next_cursor"`
			} `json:"pagination"`
		}
		got.decode(t, &page)
		all = append(all, page.Data...)
		if page.Pagination.Next == nil || *page.Pagination.Next == "" {
			return all
		}
		cursor = "&cursor=" + *page.Pagination.Next
	}
}

// euros is an amount as answers write it, in cents.
type euros int64

func (m *euros) UnmarshalJSON(text []byte) error {
	value, err := strconv.ParseInt(strings.NewReplacer(`"`, "", ".", "").Replace(string(text)), 10, 64)
	*m = euros(value)
	return err
}

type demoExpense struct {
	ID       string `json:"id"`
	Kind     string `json:"document_kind"`
	Approval string `json:"approval_status"`
	Payment  string `json:"payment_status"`
	Amount   euros  `json:"amount"`
}

func TestTheDemosFiguresAreExact(t *testing.T) {
	t.Parallel()
	dir, _ := devDir(t)
	s := dev(t, dir, unlimited)
	for email, buildings := range map[string]int{
		"syndic@grandplace.be": 4, "syndic@sablon.be": 1, // with charges
	} {
		c := s.signIn(t, email, "syndic123")
		all, _ := c.buildings(t)
		charged := 0
		for _, b := range all {
			if requireSums(t, c, b.ID) > 0 {
				charged++
			}
		}
		require.Equal(t, buildings, charged)
	}
	t.Run("owners see what is theirs", func(t *testing.T) {
		for email, units := range map[string]string{
			"proprietaire@grandplace.be": "A12 P1", "coproprietaire@grandplace.be": "A21",
		} {
			c := s.signIn(t, email, "proprietaire123")
			var numbers []string
			for _, unit := range listOf[struct {
				Number string `json:"unit_number"`
			}](t, c, "/units?sort_by=unit_number") {
				numbers = append(numbers, unit.Number)
			}
			require.Equal(t, units, strings.Join(numbers, " "))
			seen, _ := c.buildings(t)
			require.Len(t, seen, 1)
			var me struct{ ID string }
			c.get(t, "/owners/me").decode(t, &me)
			var due struct {
				Total euros `json:"total_due"`
			}
			c.get(t, "/owners/"+me.ID+"/total-due").decode(t, &due)
			require.Positive(t, due.Total)
		}
	})
	t.Run("the auditor sees what his mandate covers, the neighbour nothing of it", func(t *testing.T) {
		seen, _ := s.signIn(t, "auditeur@grandplace.be", "auditeur123").buildings(t)
		require.Len(t, seen, 1)
		other := s.signIn(t, "syndic@sablon.be", "syndic123")
		other.get(t, "/buildings/"+seen[0].ID).isProblem(t, http.StatusNotFound, "not_found")
	})
}

// requireSums wants a building's charges, what its lots bear and its report to be the same, and
// returns how many charges were divided.
func requireSums(t *testing.T, c *client, building string) (divided int) {
	t.Helper()
	var charges, borne euros
	for _, e := range listOf[demoExpense](t, c, "/expenses?building_id="+building) {
		if e.Approval != "approved" || e.Payment == "cancelled" {
			continue
		}
		divided++
		if e.Kind == "credit_note" {
			e.Amount = -e.Amount
		}
		charges += e.Amount
		var parts []struct {
			Due euros `json:"amount_due"`
		}
		c.get(t, "/invoices/"+e.ID+"/distribution").decode(t, &parts)
		require.NotEmpty(t, parts)
		var sum euros
		for _, part := range parts {
			sum += part.Due
		}
		require.Equal(t, e.Amount, sum)
		borne += sum
	}
	require.Equal(t, charges, borne)
	for _, profile := range []string{"category", "chart"} {
		var report struct {
			Total euros `json:"total_amount"`
			Lines []struct {
				Total euros `json:"total_amount"`
			} `json:"lines"`
		}
		c.get(t, "/pcn/"+building+"?profile="+profile).decode(t, &report)
		var sum euros
		for _, line := range report.Lines {
			sum += line.Total
		}
		require.Equal(t, charges, sum)
		require.Equal(t, charges, report.Total)
	}
	return divided
}

func TestPostSeedMakesTheDemoWhereItIsMissing(t *testing.T) {
	t.Parallel()
	dir, _ := devDir(t)
	s := dev(t, dir)
	before := positions(t, dir)
	admin := s.signIn(t, "admin@koprogo.com", "admin123")
	for _, path := range []string{"/seed", "/seed/demo"} {
		got := admin.send(t, http.MethodPost, path, nil)
		require.Equal(t, http.StatusOK, got.status, "%s", got.body)
		require.JSONEq(t, `{"organizations":["`+seed.DemoOrganization.String()+`","`+
			seed.DemoNeighbour.String()+`"]}`, string(got.body))
	}
	require.Equal(t, before, positions(t, dir))
}

func TestSeedMakesALargeOrganizationBesideARunningServer(t *testing.T) {
	t.Parallel()
	dir, token := devDir(t)
	s := dev(t, dir)
	type outcome struct {
		Organization string `json:"organization_id"`
		Email        string `json:"syndic_email"`
		Buildings    int    `json:"buildings"`
		Lots         int    `json:"lots"`
		Owners       int    `json:"owners"`
		Charges      int    `json:"charges"`
		Events       int    `json:"events"`
	}
	args := []string{"seed", "--buildings=3", "--until=2026-06-01"}
	made := decoded[outcome](t, run(t, dir, append(args, "--json")...).done(t))
	require.Positive(t, made.Events)
	require.Equal(t, []int{3, 42, 56, 144},
		[]int{made.Buildings, made.Lots, made.Owners, made.Charges})
	c := s.signIn(t, made.Email, "syndic123")
	buildings, total := c.buildings(t)
	require.Equal(t, 3, total)
	require.Eventually(t, func() bool { // what the server remembers of them
		return len(listOf[struct{}](t, c, "/owners?sort_by=email")) == made.Owners
	}, startPatience, tick)
	require.Positive(t, requireSums(t, c, buildings[0].ID))
	require.Contains(t, run(t, dir, args...).done(t), "0 events in")

	t.Run("in the organization that is named", func(t *testing.T) {
		named := decoded[outcome](t, run(t, dir, append(args, "--json", "--seed=5",
			"--organization="+loadOrganization.String())...).done(t))
		require.Empty(t, named.Email)
		_, total := s.with(token).buildings(t)
		require.Equal(t, 3, total)
	})
	for says, args := range map[string][]string{
		"--buildings must be":      {"--buildings=-1"},
		"--organization must be":   {"--buildings=1", "--organization=mine"},
		"there is no organization": {"--buildings=1", "--organization=" + uuid.NewString()},
		"--until must be":          {"--buildings=1", "--until=tomorrow"},
		"go with --buildings":      {"--until=2026-06-01"},
		"64 bit uint":              {"--seed=many"},
	} {
		run(t, dir, append([]string{"seed"}, args...)...).failed(t, says)
	}
}
