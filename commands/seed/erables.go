package seed

import (
	"time"

	"github.com/google/uuid"

	"github.com/koprogo/koprogo/commands"
	"github.com/koprogo/koprogo/events"
)

// Days of the building's past. What happened lately is counted back from the story's day.
const (
	sinceDeed events.Day = "1974-06-14" // the base deed
	since1998 events.Day = "1998-03-02"
	since2011 events.Day = "2011-05-17"
	since2019 events.Day = "2019-09-30"
)

// erables is the demo's main building: 24 lots behind two entrances in Brussels, 1000 shares.
type erables struct {
	*story
	lots map[string]uuid.UUID
	keys map[string]uuid.UUID
	day  time.Time // the story's
}

// erablesLot is a lot and what it weighs in the key of its entrance's lift.
type erablesLot struct {
	number, kind string
	floor        int
	surface      int64 // hundredths of a square metre
	shares, lift int64
}

var erablesLots = []erablesLot{
	{"A01", "commercial", 0, 9500, 70, 0},
	{"A11", "apartment", 1, 8250, 58, 8},
	{"A12", "apartment", 1, 7400, 52, 8},
	{"A21", "apartment", 2, 8250, 58, 14},
	{"A22", "apartment", 2, 7400, 52, 14},
	{"A31", "apartment", 3, 8480, 60, 18},
	{"A32", "apartment", 3, 7620, 54, 18},
	{"A41", "apartment", 4, 11850, 84, 20},
	{"B01", "apartment", 0, 6100, 44, 0},
	{"B11", "apartment", 1, 7900, 56, 8},
	{"B12", "apartment", 1, 7050, 50, 8},
	{"B21", "apartment", 2, 7900, 56, 14},
	{"B22", "apartment", 2, 7050, 50, 14},
	{"B31", "apartment", 3, 8150, 58, 18},
	{"B32", "apartment", 3, 7280, 52, 18},
	{"B41", "apartment", 4, 11200, 80, 20},
	{"P1", "parking", -1, 1250, 10, 0},
	{"P2", "parking", -1, 1250, 10, 0},
	{"P3", "parking", -1, 1250, 10, 0},
	{"P4", "parking", -1, 1250, 10, 0},
	{"P5", "parking", -1, 1250, 10, 0},
	{"P6", "parking", -1, 1250, 10, 0},
	{"C1", "cellar", -1, 620, 3, 0},
	{"C2", "cellar", -1, 580, 3, 0},
}

// Those who own lots of the building, by the name that the story calls them by. Who has no street
// lives in the building.
var erablesOwners = []struct {
	called string
	person
}{
	{"pharmacy", person{
		kind: "company", last: "Pharmacie des Érables SRL", enterprise: enterpriseNumber(418_207),
		mandatary: "Hugo Thiry",
	}},
	{"lieven", person{first: "Lieven", last: "De Smet", language: "nl"}},
	{"marc", person{first: "Marc", last: "Dubois"}},
	{"pieter", person{first: "Pieter", last: "Claes", language: "nl"}},
	{"an", person{first: "An", last: "Vermeulen", language: "nl"}},
	{"georges", person{first: "Georges", last: "Lambrechts"}},
	{"philippe", person{
		first: "Philippe", last: "Lambrechts", street: "Rue de Fer", house: "88", city: "Namur",
		postalCode: "5000",
	}},
	{"sylvie", person{
		first: "Sylvie", last: "Lambrechts", street: "Avenue Rogier", house: "214",
		city: "Schaerbeek", postalCode: "1030",
	}},
	{"delvaux", person{kind: "group", last: "Indivision Delvaux", mandatary: "Claire Delvaux"}},
	{"nadia", person{first: "Nadia", last: "Benali"}},
	{"tervueren", person{
		kind: "company", last: "Immobilière de Tervueren SA", street: "Avenue de Tervueren",
		house: "267", city: "Woluwe-Saint-Pierre", postalCode: "1150",
		enterprise: enterpriseNumber(552_903), mandatary: "Brigitte Servais",
	}},
	{"wauters", person{first: "Jean-Pierre", last: "Wauters"}},
	{"yvette", person{first: "Yvette", last: "Maréchal"}},
	{"olivier", person{
		first: "Olivier", last: "Henrard", street: "Quai de Rome", house: "31", city: "Liège",
		postalCode: "4000",
	}},
	{"caroline", person{
		first: "Caroline", last: "Henrard", street: "Rue du Bailli", house: "12", city: "Ixelles",
		postalCode: "1050",
	}},
	{"sofie", person{first: "Sofie", last: "Maes", language: "nl"}},
	{"joao", person{first: "João", last: "Ferreira"}},
	{"camille", person{first: "Camille", last: "Renard"}},
	{"luc", person{
		first: "Luc", last: "Van den Broeck", language: "nl", street: "Bondgenotenlaan",
		house: "45", city: "Leuven", postalCode: "3000",
	}},
	{"greet", person{first: "Greet", last: "Van den Broeck", language: "nl"}},
	{"wim", person{
		first: "Wim", last: "Van den Broeck", language: "nl", street: "Coupure", house: "7",
		city: "Gent", postalCode: "9000",
	}},
	{"fatima", person{
		first: "Fatima", last: "El Amrani", street: "Rue Malibran", house: "59", city: "Ixelles",
		postalCode: "1050",
	}},
	{"thomas", person{first: "Thomas", last: "Peeters"}},
	{"emre", person{first: "Emre", last: "Yilmaz"}},
	{"helene", person{first: "Hélène", last: "Carlier"}},
}

// tellErables makes the story of the building.
func tellErables(by cast, building commands.RegisterBuilding, day time.Time) *story {
	e := erables{
		story: &story{
			by: by, ids: idsOf(by.organization, 0, 0), building: building,
			who: map[string]uuid.UUID{},
		},
		lots: map[string]uuid.UUID{}, keys: map[string]uuid.UUID{}, day: day,
	}
	for _, l := range erablesLots {
		e.lots[l.number] = e.lot(commands.RegisterLot{
			Number: l.number, Type: l.kind, Floor: commands.To(l.floor),
			Surface: events.Area(l.surface * 100), Shares: events.WholeShares(l.shares),
		})
	}
	for _, o := range erablesOwners {
		e.who[o.called] = e.owner(o.person.athome(building))
	}
	e.owned()
	e.handedOn()
	e.divided()
	e.bills()
	return e.story
}

// athome fills in what a story leaves out of a person.
func (p person) athome(building commands.RegisterBuilding) person {
	if p.kind == "" {
		p.kind = "person"
	}
	if p.language == "" {
		p.language = "fr"
	}
	if p.street == "" {
		p.street, p.house = "Avenue des Érables", "12"
		p.city, p.postalCode = building.City, building.PostalCode
	}
	return p
}

// gives makes an owner of a lot.
func (e *erables) gives(
	lot, who, fraction, right string, from events.Day, deed ...string,
) uuid.UUID {
	return e.holds(e.lots[lot], e.who[who], fraction, right, from, deed...)
}

// owned says who owns what. The first who holds a lot is its contact.
func (e *erables) owned() {
	for _, whole := range []struct {
		who  string
		from events.Day
		lots []string
	}{
		{"pharmacy", since1998, []string{"A01", "C1"}},
		{"lieven", since2019, []string{"A11", "P6"}},
		{"marc", since2011, []string{"A12", "P1"}},
		{"delvaux", since1998, []string{"A31"}},
		{"nadia", since2019, []string{"A32"}},
		{"tervueren", since2011, []string{"A41", "P3"}},
		{"wauters", sinceDeed, []string{"B01", "C2"}},
		{"sofie", since2019, []string{"B12"}},
		{"emre", since2011, []string{"B32"}},
		{"helene", since1998, []string{"B41", "P4"}},
		{"pieter", since2011, []string{"P2"}},
	} {
		for _, lot := range whole.lots {
			e.gives(lot, whole.who, "1/1", events.RightFull, whole.from)
		}
	}
	e.gives("A21", "pieter", "1/2", events.RightFull, since2011)
	e.gives("A21", "an", "1/2", events.RightFull, since2011)
	e.gives("B21", "joao", "3/5", events.RightFull, since2019)
	e.gives("B21", "camille", "2/5", events.RightFull, since2019)
	for _, who := range []string{"greet", "luc", "wim"} {
		e.gives("B22", who, "1/3", events.RightFull, since2011)
	}
	e.gives("B11", "yvette", "1/1", events.RightUsufruct, since2011)
	e.gives("B11", "olivier", "1/2", events.RightBare, since2011)
	e.gives("B11", "caroline", "1/2", events.RightBare, since2011)
}

// handedOn are a succession and a sale.
func (e *erables) handedOn() {
	death := e.day.AddDate(0, -15, -4)
	until := e.gives("A22", "georges", "1/1", events.RightFull, sinceDeed)
	e.ends(e.lots["A22"], e.who["georges"], until, dayOf(death))
	deed := "Acte d'hérédité du " + frenchDay(death.AddDate(0, 1, 20)) +
		", notaire Declercq, Ixelles"
	for _, heir := range []string{"philippe", "sylvie"} {
		e.gives("A22", heir, "1/2", events.RightFull, dayOf(death.AddDate(0, 0, 1)), deed)
	}
	sale := e.day.AddDate(0, -4, -9)
	deed = "Acte de vente du " + frenchDay(sale) + ", notaire Van Haelen, Bruxelles, rép. 2184"
	for _, lot := range []string{"B31", "P5"} {
		e.gives(lot, "fatima", "1/1", events.RightFull, since2011)
		e.sells(e.lots[lot], e.who["fatima"], e.who["thomas"], dayOf(sale), deed)
	}
}

func frenchDay(day time.Time) string { return day.Format("02/01/2006") }

// divided are the keys beside the shares of the base deed.
func (e *erables) divided() {
	lifts := map[string][]events.KeyWeight{}
	var parkings []events.KeyWeight
	for _, l := range erablesLots {
		weight := events.KeyWeight{LotID: e.lots[l.number], Weight: l.lift}
		switch {
		case l.lift > 0:
			lifts[l.number[:1]] = append(lifts[l.number[:1]], weight)
		case l.kind == "parking":
			weight.Weight = 1
			parkings = append(parkings, weight)
		}
	}
	e.keys["A"] = e.key("Ascenseur entrée A", sinceDeed, lifts["A"]...)
	e.keys["B"] = e.key("Ascenseur entrée B", sinceDeed, lifts["B"]...)
	e.keys["P"] = e.key("Porte de garage et parkings", sinceDeed, parkings...)
}
