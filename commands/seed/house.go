package seed

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/koprogo/koprogo/commands"
	"github.com/koprogo/koprogo/events"
)

// house is a building that is made up by chance: what has to be known of it beforehand.
type house struct {
	by       cast
	ids      ids
	building commands.RegisterBuilding // Lots and Shares say how many there are
	language string
	owners   int // of them, two share a lot where there are more than lots; none: nobody yet
	until    time.Time
	months   int // of charges, up to until
}

// story makes the building's story from the dice.
func (h house) story(chance *rand.Rand) *story {
	s := &story{by: h.by, ids: h.ids, building: h.building}
	lots := s.flats(chance, h.building.Lots, int64(h.building.Shares.Value))
	for n := range h.owners {
		s.owner(h.someone(chance, n))
	}
	h.settle(s, chance, lots)
	first := time.Date(h.until.Year(), h.until.Month(), 1, 0, 0, 0, 0, time.UTC)
	for n := range h.months {
		h.bills(s, chance, first.AddDate(0, n-h.months, 0), n)
	}
	return s
}

// flats adds the lots of a building: flats of four a floor, one in eight lots a parking. Their
// shares follow their surface and sum to the total exactly.
func (s *story) flats(chance *rand.Rand, count int, total int64) []uuid.UUID {
	surfaces := make([]int64, count) // hundredths of a square metre
	var sum int64
	for i := range surfaces {
		surfaces[i] = 5_500 + 25*chance.Int64N(260)
		if i%8 == 7 {
			surfaces[i] = 1_250
		}
		sum += surfaces[i]
	}
	lots := make([]uuid.UUID, count)
	var given, before int64
	for i, surface := range surfaces {
		before += surface
		until := before * total / sum // of all lots so far: the last one ends at the total
		lot := commands.RegisterLot{
			Number: strconv.Itoa(100*(i/4+1) + i%4 + 1), Type: "apartment",
			Floor: commands.To(i / 4), Surface: events.Area(surface * 100),
			Shares: events.WholeShares(until - given),
		}
		if i%8 == 7 {
			lot.Number, lot.Type, lot.Floor = "P"+strconv.Itoa(i/8+1), "parking", commands.To(-1)
		}
		given, lots[i] = until, s.lot(lot)
	}
	return lots
}

// someone is an owner who lives in the building.
func (h house) someone(chance *rand.Rand, n int) person {
	first, last := firstNames[h.language], lastNames[h.language]
	p := person{
		kind: "person", language: h.language, first: first[chance.IntN(len(first))],
		last: last[chance.IntN(len(last))], city: h.building.City,
		postalCode: h.building.PostalCode,
	}
	number := strings.LastIndexByte(h.building.Address, ' ')
	p.street = h.building.Address[:number]
	p.house = fmt.Sprintf("%s b%d", h.building.Address[number+1:], n+1)
	if chance.IntN(15) == 0 {
		p.kind, p.first, p.last = "company", "", "Immo "+p.last+" SRL"
		p.enterprise = enterpriseNumber(int64(h.ids.building)*100 + int64(n))
	}
	return p
}

// settle gives every lot an owner, and a second one as long as there are more owners than lots.
func (h house) settle(s *story, chance *rand.Rand, lots []uuid.UUID) {
	if len(s.owners) == 0 {
		return
	}
	couples := max(0, len(s.owners)-len(lots))
	next := 0
	owner := func() uuid.UUID {
		id := s.owners[next%len(s.owners)].OwnerID
		next++
		return id
	}
	for i, lot := range lots {
		year := max(2005+chance.IntN(15), h.building.ConstructionYear.Value)
		from := events.Day(fmt.Sprintf("%d-%02d-01", year, 1+chance.IntN(12)))
		if i < couples {
			s.holds(lot, owner(), "1/2", events.RightFull, from)
			s.holds(lot, owner(), "1/2", events.RightFull, from)
			continue
		}
		s.holds(lot, owner(), "1/1", events.RightFull, from)
	}
}

// usual are the bills of a building in the words of its language.
type usual struct {
	category events.Category
	account  string
	text     map[string]string
	supplier map[string]string
	rate     events.VATRate
	cents    int64 // each lot and bill, more or less
	every    int   // how many months there are between two
	from     int   // the first month
}

// usuals come to 24 bills a year.
var usuals = []usual{
	{
		events.CategoryCleaning, "61050",
		map[string]string{"fr": "Nettoyage des communs", "nl": "Schoonmaak van de gemene delen"},
		map[string]string{"fr": "Brillant Net SRL", "nl": "Schoon Huis BV"},
		vat, 1_650, 1, 0,
	},
	{
		events.CategoryUtilities, "61210",
		map[string]string{"fr": "Électricité des communs", "nl": "Elektriciteit gemene delen"},
		map[string]string{"fr": "Brabant Énergie SA", "nl": "Brabantse Energie NV"},
		lowVAT, 3_900,
		3, 2,
	},
	{
		events.CategoryAdministration, "61300",
		map[string]string{"fr": "Honoraires du syndic", "nl": "Ereloon van de syndicus"},
		map[string]string{"fr": "Bureau du syndic", "nl": "Kantoor van de syndicus"},
		vat, 5_700,
		3, 2,
	},
	{
		events.CategoryInsurance, "6140",
		map[string]string{"fr": "Assurance incendie", "nl": "Brandverzekering"},
		map[string]string{"fr": "La Mutuelle du Midi SA", "nl": "Onderlinge van het Zuiden NV"},
		noVAT, 19_800, 12, 1,
	},
	{
		events.CategoryMaintenance, "61011",
		map[string]string{"fr": "Entretien de l'ascenseur", "nl": "Onderhoud van de lift"},
		map[string]string{"fr": "Ascenseurs de Bruxelles SA", "nl": "Liften Brussel NV"},
		vat,
		4_100, 12, 4,
	},
	{
		events.CategoryRepairs, "6107",
		map[string]string{"fr": "Réparation en toiture", "nl": "Herstelling van het dak"},
		map[string]string{"fr": "Toitures Peeters SRL", "nl": "Dakwerken Peeters BV"},
		lowVAT,
		5_200, 12, 8,
	},
	{
		events.CategoryOther, "650",
		map[string]string{"fr": "Frais bancaires", "nl": "Bankkosten"},
		map[string]string{"fr": "Banque du Canal SA", "nl": "Kanaalbank NV"},
		noVAT, 180, 12, 10,
	},
}

// works come once in two years, instead of a repair.
var works = usual{
	events.CategoryWorks, "6111",
	map[string]string{"fr": "Rénovation de la façade", "nl": "Renovatie van de gevel"},
	map[string]string{"fr": "Façades Bruxelloises SA", "nl": "Brusselse Gevels NV"},
	lowVAT,
	64_000, 24, 0,
}

// bills adds the bills of a month. Those of the last month are not decided yet.
func (h house) bills(s *story, chance *rand.Rand, month time.Time, n int) {
	for i, u := range usuals {
		if n%u.every != u.from {
			continue
		}
		if u.category == events.CategoryRepairs && n >= 12 {
			u = works
		}
		day := on(month, 2+3*i)
		fate := paid
		switch {
		case n == h.months-1:
			fate = submitted
		case !day.AddDate(0, 0, payable).Before(h.until):
			fate = approved
		}
		s.charge(bill{
			category: u.category, account: u.account, supplier: u.supplier[h.language],
			text:   u.text[h.language] + ", " + month.Format("01/2006"),
			number: number("F", month, 1_000+chance.IntN(9_000)), on: day, fate: fate,
			lines: lines(line(u.text[h.language], 1, around(chance, u.cents*int64(h.building.Lots)),
				u.rate)),
		})
	}
}
