package main

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/google/uuid"
)

// The demo's administrator, and the syndic that a benchmark makes for an organization of its own.
const (
	adminEmail       = "admin@koprogo.com"
	adminSecret      = "admin123"
	benchSyndicEmail = "load@example.be"
	benchSecret      = "a quiet afternoon"
	mixBuildings     = 10 // those that units and charges go to
)

// foundTenant founds an organization with an unlimited plan, with a syndic, and signs him in.
func (s *benchServer) foundTenant(ctx context.Context) (token string, err error) {
	admin, err := s.signInAs(ctx, adminEmail, adminSecret)
	if err != nil {
		return "", err
	}
	var made struct {
		ID uuid.UUID `json:"id"`
	}
	err = s.post(ctx, admin, benchAPI+"/organizations", map[string]string{
		"name": "Syndic de mesure", "slug": "mesure", "contact_email": "mesure@example.be",
		"subscription_plan": "enterprise",
	}, &made)
	if err != nil {
		return "", err
	}
	err = s.post(ctx, admin, benchAPI+"/auth/register", map[string]any{
		"email": benchSyndicEmail, "password": benchSecret, "first_name": "Sam",
		"last_name": "Sneller", "role": "syndic", "organization_id": made.ID,
	}, new(any))
	if err != nil {
		return "", err
	}
	return s.signInAs(ctx, benchSyndicEmail, benchSecret)
}

func (s *benchServer) signInAs(ctx context.Context, email, password string) (string, error) {
	var answer struct {
		Token string `json:"token"`
	}
	err := s.post(ctx, "", benchAPI+"/auth/login",
		map[string]string{"email": email, "password": password}, &answer)
	return answer.Token, err
}

// largeBuilding is one with room for whatever comes.
func largeBuilding(n int) map[string]any {
	return map[string]any{
		"name": fmt.Sprintf("Grand Ensemble %d", n), "address": "Boulevard du Midi 1",
		"city": "Bruxelles", "postal_code": "1000", "country": "Belgique",
		"total_units": 1_000_000, "total_tantiemes": 10_000_000, "construction_year": 1967,
	}
}

// made is what a POST answers.
type made struct {
	ID uuid.UUID `json:"id"`
}

// newMix makes the ten buildings that a mix knows.
func newMix(w *wire) (*mix, error) {
	m := &mix{run: strings.ToLower(uuid.NewString()[:8])}
	for n := range mixBuildings {
		var building made
		err := w.tell(http.MethodPost, benchAPI+"/buildings", largeBuilding(n), &building)
		if err != nil {
			return nil, err
		}
		m.buildings = append(m.buildings, building.ID)
	}
	return m, nil
}
