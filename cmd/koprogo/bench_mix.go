package main

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/google/uuid"
)

// mixRoute is a kind of request of the mix and how many of mixDeck it is. A POST's body is made by
// body, of a number that is never given twice.
type mixRoute struct {
	method, target string
	share          int
	want           int
	body           func(m *mix, n int) []byte
}

func (r *mixRoute) name() string { return r.method + " " + r.target }

// mixDeck is how many requests have the exact shares of the mix: 70 % GET, 30 % POST.
const mixDeck = 200

var mixRoutes = []mixRoute{
	{http.MethodGet, "/buildings", 42, http.StatusOK, nil},
	{http.MethodGet, "/units", 35, http.StatusOK, nil},
	{http.MethodGet, "/owners", 28, http.StatusOK, nil},
	{http.MethodGet, "/expenses", 28, http.StatusOK, nil},
	{http.MethodGet, "/auth/me", 7, http.StatusOK, nil},
	{http.MethodPost, "/buildings", 18, http.StatusCreated, (*mix).building},
	{http.MethodPost, "/units", 18, http.StatusCreated, (*mix).unit},
	{http.MethodPost, "/owners", 12, http.StatusCreated, (*mix).owner},
	{http.MethodPost, "/expenses", 12, http.StatusCreated, (*mix).expense},
}

const benchAPI = "/api/v1"

// mix is what the requests are about: an organization without limits, ten of its buildings.
type mix struct {
	buildings []uuid.UUID
	run       string // tells the names of one load from those of another on the same data
}

// deck is the order in which one client asks: the mix's shares, shuffled from a fixed seed, again
// and again.
type deck struct {
	cards []int // of mixRoutes
	next  int
}

func newDeck(seed uint64) *deck {
	d := new(deck)
	for route := range mixRoutes {
		for range mixRoutes[route].share {
			d.cards = append(d.cards, route)
		}
	}
	random := rand.New(rand.NewPCG(seed, 0)) //nolint:gosec // a load, no secret
	random.Shuffle(len(d.cards), func(i, j int) { d.cards[i], d.cards[j] = d.cards[j], d.cards[i] })
	return d
}

func (d *deck) draw() int {
	route := d.cards[d.next]
	d.next = (d.next + 1) % len(d.cards)
	return route
}

func (m *mix) one(n int) uuid.UUID { return m.buildings[n%len(m.buildings)] }

func (m *mix) building(n int) []byte {
	return fmt.Appendf(nil, `{"name":"Résidence %s %d","address":"Rue de la Loi %d",`+
		`"city":"Bruxelles","postal_code":"1000","country":"Belgique","total_units":%d,`+
		`"total_tantiemes":1000,"construction_year":%d}`, m.run, n, n, 5+n%50, 1900+n%120)
}

func (m *mix) unit(n int) []byte {
	return fmt.Appendf(nil, `{"building_id":"%s","unit_number":"%s-%d","unit_type":"Apartment",`+
		`"floor":%d,"surface_area":%d.5,"quota":1}`, m.one(n), m.run, n, n%12, 40+n%90)
}

func (m *mix) owner(n int) []byte {
	return fmt.Appendf(nil, `{"kind":"person","first_name":"Marie","last_name":"Dubois %[2]d",`+
		`"email":"owner-%[1]s-%[2]d@example.be","phone":"+32 2 555 01 23","street":"Rue Haute",`+
		`"house_number":"%[2]d","city":"Bruxelles","postal_code":"1000","country":"Belgique"}`,
		m.run, n)
}

var mixCategories = []string{"Maintenance", "Repairs", "Insurance", "Utilities", "Cleaning"}

func (m *mix) expense(n int) []byte {
	day := time.Date(2026, 1, 1+n%180, 0, 0, 0, 0, time.UTC)
	return fmt.Appendf(nil, `{"building_id":"%s","category":"%s","description":"Facture %s %d",`+
		`"amount":"%d.%02d","expense_date":"%s"}`, m.one(n), mixCategories[n%len(mixCategories)],
		m.run, n, 50+n%2000, n%100, day.Format(time.DateOnly))
}
