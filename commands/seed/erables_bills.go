package seed

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/koprogo/koprogo/events"
)

// VAT rates of Belgium (domain.md, 5.5): what is done to a dwelling of more than ten years, water
// and energy of dwellings have the low one.
const (
	noVAT  events.VATRate = 0
	lowVAT events.VATRate = 600
	vat    events.VATRate = 2100
)

// months is how far back the charges of a story go.
const months = 24

// bills are two years of charges up to the story's day.
func (e *erables) bills() {
	chance := dice(0, 0)
	first := time.Date(e.day.Year(), e.day.Month(), 1, 0, 0, 0, 0, time.UTC).AddDate(0, -months, 0)
	for n := range months {
		e.monthly(chance, first.AddDate(0, n, 0), n)
	}
	e.once(first)
	e.undecided()
}

// bill adds a charge that was paid, unless that lies ahead of the story's day.
func (e *erables) bill(b bill) {
	if b.fate == drafted {
		b.fate = paid
		if !b.on.AddDate(0, 0, payable).Before(e.day) {
			b.fate = approved
		}
	}
	e.charge(b)
}

// on is a day of a month.
func on(month time.Time, day int) time.Time { return month.AddDate(0, 0, day-1) }

// around is an amount in cents that moves by a tenth around another one.
func around(chance *rand.Rand, cents int64) int64 {
	return cents*9/10 + chance.Int64N(cents/5)
}

func (e *erables) monthly(chance *rand.Rand, month time.Time, n int) {
	when := frenchMonth(month)
	e.bill(bill{
		category: events.CategoryCleaning, account: "61050", supplier: "Brillant Net SRL",
		text: "Nettoyage des communs, " + when, number: number("BN", month, 100+n),
		on: on(month, 4), lines: lines(
			line("Passages hebdomadaires, entrées A et B", 8, 4_600, vat),
			line("Produits d'entretien", 1, 1_850, vat)),
	})
	e.bill(bill{
		category: events.CategoryUtilities, account: "61210", supplier: "Brabant Énergie SA",
		text:   "Électricité des communs, EAN " + ean(2_070_012_345) + ", " + when,
		number: number("EL", month, 88_210+n*37), on: on(month, 11),
		lines: lines(line("Consommation", 1, around(chance, 21_400), lowVAT),
			line("Distribution et redevances", 1, around(chance, 13_800), lowVAT)),
	})
	if winter := month.Month() >= time.October || month.Month() <= time.April; winter {
		e.bill(bill{
			category: events.CategoryUtilities, account: "61220", supplier: "Brabant Énergie SA",
			text:   "Gaz, chaufferie commune, EAN " + ean(4_110_067_890) + ", " + when,
			number: number("GA", month, 51_004+n*29), on: on(month, 12),
			lines: lines(line("Consommation", 1, around(chance, 184_000), lowVAT)),
		})
	} else {
		e.bill(bill{
			category: events.CategoryMaintenance, account: "61060", supplier: "Les Jardins de Zoé",
			text: "Entretien du jardin, " + when, number: number("JZ", month, 12+n),
			on: on(month, 18), lines: lines(line("Tonte et tailles", 1, 16_500, vat)),
		})
	}
	if month.Month()%3 == 1 {
		e.quarterly(chance, month, n)
	}
	if month.Month() == time.January || month.Month() == time.September {
		e.yearly(month, n)
	}
}

func (e *erables) quarterly(chance *rand.Rand, month time.Time, n int) {
	quarter := frenchQuarter(month)
	liftA := line("Contrat d'entretien, ascenseur A", 1, 21_200, vat)
	liftB := line("Contrat d'entretien, ascenseur B", 1, 21_200, vat)
	liftA.KeyID, liftB.KeyID = e.keys["A"], e.keys["B"]
	e.bill(bill{
		category: events.CategoryMaintenance, account: "61011",
		supplier: "Ascenseurs de Bruxelles SA", text: "Entretien des ascenseurs, " + quarter,
		number: number("AB", month, 700+n), on: on(month, 2), lines: lines(liftA, liftB),
	})
	e.bill(bill{
		category: events.CategoryAdministration, account: "61300",
		supplier: "Résidences de la Grand-Place", text: "Honoraires du syndic, " + quarter,
		number: number("RGP", month, 31+n), on: on(month, 5),
		lines: lines(line("Gestion courante, 24 lots sur 3 mois", 72, 1_950, vat)),
	})
	e.bill(bill{
		category: events.CategoryUtilities, account: "61200", supplier: "Eaux de la Senne",
		text: "Eau, " + quarter, number: number("ES", month, 9_310+n*11), on: on(month, 20),
		lines: lines(line("Consommation", 1, around(chance, 96_000), lowVAT),
			line("Redevance fixe", 24, 985, lowVAT)),
	})
	e.bill(bill{
		category: events.CategoryOther, account: "650", supplier: "Banque du Canal SA",
		text: "Frais de tenue de compte, " + quarter, number: number("BC", month, n),
		on: on(month, 28), lines: lines(line("Compte courant et compte de réserve", 1, 2_175, noVAT)),
	})
}

// yearly are the bills of January and of September.
func (e *erables) yearly(month time.Time, n int) {
	year := month.Year()
	if month.Month() == time.September {
		e.bill(bill{
			category: events.CategoryMaintenance, account: "61031", supplier: "Thermo Senne SRL",
			text:   fmt.Sprintf("Entretien annuel de la chaufferie %d", year),
			number: number("TS", month, 64+n), on: on(month, 16), lines: lines(
				line("Entretien des deux chaudières", 2, 24_800, lowVAT),
				line("Attestation PEB", 1, 6_500, lowVAT)),
		})
		e.bill(bill{
			category: events.CategoryMaintenance, account: "61010",
			supplier: "Contrôle Technique du Brabant ASBL",
			text:     "Contrôle périodique des ascenseurs", number: number("CT", month, 402+n),
			on: on(month, 23), lines: lines(line("Visite par ascenseur", 2, 11_250, vat)),
		})
		return
	}
	e.bill(bill{
		category: events.CategoryInsurance, account: "6140", supplier: "La Mutuelle du Midi SA",
		text: fmt.Sprintf("Assurance incendie %d", year), number: number("MM", month, 7_700+n),
		on: on(month, 8), lines: lines(line("Prime annuelle, taxes comprises", 1, 486_240, noVAT)),
	})
	e.bill(bill{
		category: events.CategoryInsurance, account: "6146", supplier: "La Mutuelle du Midi SA",
		text: fmt.Sprintf("Protection juridique %d", year), number: number("MM", month, 7_720+n),
		on: on(month, 8), lines: lines(line("Prime annuelle, taxes comprises", 1, 39_860, noVAT)),
	})
	e.bill(bill{
		category: events.CategoryMaintenance, account: "61001", supplier: "Sécurifeu SRL",
		text: fmt.Sprintf("Contrôle des extincteurs %d", year), number: number("SF", month, 215+n),
		on: on(month, 22), lines: lines(line("Extincteur contrôlé", 10, 1_450, vat)),
	})
}

func lines[L any](all ...L) []L { return all }

func number(prefix string, month time.Time, n int) string {
	return fmt.Sprintf("%s-%d-%04d", prefix, month.Year(), n)
}

var frenchMonths = [...]string{
	"janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre",
	"octobre", "novembre", "décembre",
}

func frenchMonth(month time.Time) string {
	return fmt.Sprintf("%s %d", frenchMonths[month.Month()-1], month.Year())
}

func frenchQuarter(month time.Time) string {
	names := [...]string{"1er", "2e", "3e", "4e"}
	return fmt.Sprintf("%s trimestre %d", names[(month.Month()-1)/3], month.Year())
}
