package main_test

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// thirds is a building of three lots, one of them held by two owners, whose charges several clients
// enter, submit and approve.
type thirds struct {
	building string
	owners   [3]string
	lasting  atomic.Int64 // cents of the charges whose approval was acknowledged
}

// prepareThirds makes the building. A third of its shares does not divide into cents.
func prepareThirds(t testing.TB, c *client) *thirds {
	t.Helper()
	st := &thirds{}
	made := func(path string, body any) string {
		got := c.send(t, http.MethodPost, path, body)
		require.Less(t, got.status, 300, "%s: %s", path, got.body)
		var it struct{ ID string }
		got.decode(t, &it)
		return it.ID
	}
	building := buildingIn("Résidence des Tiers")
	building["total_tantiemes"] = 1000
	st.building = made("/buildings", building)
	for i := range st.owners {
		st.owners[i] = made("/owners", map[string]any{
			"kind": "person", "first_name": "Anne", "last_name": "Tiers", "country": "BE",
			"email":  fmt.Sprintf("tiers%d@example.be", i),
			"street": "Rue du Marché", "house_number": "1", "city": "Namur", "postal_code": "5000",
		})
	}
	for i, quota := range []int{333, 333, 334} {
		unit := made("/units", map[string]any{
			"building_id": st.building, "unit_number": fmt.Sprintf("A%d", i),
			"unit_type": "Apartment", "surface_area": 80, "quota": quota,
		})
		shares := []string{"1"}
		if i == 2 {
			shares = []string{"1/3", "2/3"}
		}
		for j, share := range shares {
			made("/units/"+unit+"/owners", map[string]any{
				"owner_id": st.owners[(i+j)%3], "ownership_fraction": share,
				"is_primary_contact": j == 0, "from": "2025-01-01",
			})
		}
	}
	return st
}

// turn enters a charge and submits it; of four, three are approved.
func (st *thirds) turn(ctx context.Context, l *load, name string, n int) {
	cents := int64(10_001 + 7*n)
	drafted := l.until(ctx, name, http.StatusCreated, http.MethodPost, "/expenses", map[string]any{
		"building_id": st.building, "category": "Cleaning", "description": name,
		"amount": money(cents), "expense_date": "2026-03-15",
	}, "Idempotency-Key", name)
	id := l.acknowledge(name, drafted)
	if id == "" {
		return
	}
	l.until(ctx, name, http.StatusOK, http.MethodPut, "/invoices/"+id+"/submit", nil,
		"Idempotency-Key", "submit "+name)
	if n%4 == 3 {
		return
	}
	approved := l.until(ctx, name, http.StatusOK, http.MethodPut, "/invoices/"+id+"/approve", nil,
		"Idempotency-Key", "approve "+name)
	if approved.status == http.StatusOK {
		st.lasting.Add(cents)
	}
}

func money(cents int64) string { return fmt.Sprintf("%d.%02d", cents/100, cents%100) }

func cents(t testing.TB, amount string) int64 {
	t.Helper()
	n, err := strconv.ParseInt(strings.Replace(amount, ".", "", 1), 10, 64)
	require.NoError(t, err, amount)
	return n
}

// requireExact wants every acknowledged charge once, the report's sum to be that of the approved
// ones, and what the owners owe to be the same sum to the cent.
func (st *thirds) requireExact(t *testing.T, s *server, token string, entered int) {
	t.Helper()
	c := s.with(token)
	var report struct {
		Total string `json:"total_amount"`
	}
	c.get(t, "/pcn/"+st.building).decode(t, &report)
	require.Positive(t, st.lasting.Load())
	require.Equal(t, st.lasting.Load(), cents(t, report.Total))
	due := int64(0)
	for _, owner := range st.owners {
		var owed struct {
			Total string `json:"total_due"`
		}
		c.get(t, "/owners/"+owner+"/total-due").decode(t, &owed)
		due += cents(t, owed.Total)
	}
	require.Equal(t, st.lasting.Load(), due)
	requireOnce(t, s, "charge.drafted", entered)
	requireRebuilt(t, s)
}

func TestFaultKillsDoNotMoveACentOfTheStory(t *testing.T) {
	t.Parallel()
	dir, token := devDir(t)
	s := dev(t, dir, unlimited)
	st := prepareThirds(t, s.with(token))
	l := drive(t, s, token, writers, st.turn)
	for n := range kills(t) {
		l.awaitMore(t, betweenKills/2)
		if n%2 == 0 {
			s.kill(t)
			s = dev(t, dir, unlimited)
			l.moveTo(s)
			continue
		}
		postmaster := postgresOf(t, dir).Postmaster
		require.NoError(t, syscall.Kill(postmaster, syscall.SIGKILL))
		require.Eventually(t, func() bool {
			return postgresOf(t, dir).Postmaster != postmaster
		}, startPatience, tick, "PostgreSQL is not started again")
	}
	l.awaitMore(t, betweenKills/2)
	st.requireExact(t, s, token, len(l.finish(t)))
	s.stop(t)
}
