package seed

import (
	"time"

	"github.com/koprogo/koprogo/events"
)

// once are the bills of what happens in two years: repairs, works, private costs, credit notes.
func (e *erables) once(first time.Time) {
	at := func(month, day int) time.Time { return on(first.AddDate(0, month, 0), day) }
	e.repairs(at)
	e.works(at)
	for year := range 2 {
		e.bill(bill{
			category: events.CategoryAdministration, account: "61610",
			supplier: "Centre paroissial Saint-Roch", text: "Salle de l'assemblée générale",
			number: number("SR", at(12*year+5, 1), 18), on: at(12*year+5, 14),
			lines: lines(line("Location de la salle, une soirée", 1, 12_500, noVAT)),
		})
	}
	e.bill(bill{
		category: events.CategoryOther, account: "643", supplier: "Clés et Badges du Centre",
		text: "Deux badges d'entrée", number: number("CB", at(9, 1), 77), on: at(9, 6),
		lot: e.lots["B32"], lines: lines(line("Badge programmé", 2, 1_900, vat)),
	})
	e.bill(bill{
		category: events.CategoryOther, account: "643", supplier: "Serrurerie Moderne SRL",
		text: "Remplacement du cylindre de la cave C1", number: number("SM", at(16, 1), 240),
		on: at(16, 25), lot: e.lots["C1"], lines: lines(line("Cylindre et pose", 1, 8_400, lowVAT)),
	})
	e.bill(bill{
		kind: events.KindCreditNote, category: events.CategoryCleaning, account: "61050",
		supplier: "Brillant Net SRL", text: "Note de crédit : deux passages non effectués",
		number: number("BN-NC", at(13, 1), 4), on: at(13, 19),
		lines: lines(line("Passage hebdomadaire non effectué", 2, 4_600, vat)),
	})
	e.bill(bill{
		kind: events.KindCreditNote, category: events.CategoryUtilities, account: "61210",
		supplier: "Brabant Énergie SA", text: "Note de crédit : régularisation de l'électricité",
		number: number("EL-NC", at(20, 1), 12), on: at(20, 27),
		lines: lines(line("Régularisation annuelle", 1, 18_730, lowVAT)),
	})
	e.bill(bill{
		kind: events.KindExpenseNote, category: events.CategoryAdministration, account: "61319",
		supplier: "Conseil de copropriété", text: "Note de frais du conseil : affichage du hall",
		number: number("NF", at(18, 1), 1), on: at(18, 3),
		lines: lines(line("Cadre et impressions", 1, 6_340, noVAT)),
	})
}

func (e *erables) repairs(at func(month, day int) time.Time) {
	e.bill(bill{
		category: events.CategoryRepairs, account: "6107", supplier: "Toitures Peeters SRL",
		text: "Réparation d'une fuite en toiture, entrée B", number: number("TP", at(2, 1), 55),
		on: at(2, 9), lines: lines(line("Recherche de fuite", 3, 6_500, lowVAT),
			line("Étanchéité du solin", 1, 68_000, lowVAT)),
	})
	e.bill(bill{
		category: events.CategoryRepairs, account: "61012", supplier: "Ascenseurs de Bruxelles SA",
		text: "Remplacement du limiteur de vitesse, ascenseur B", on: at(7, 21),
		number: number("AB", at(7, 1), 1_145), key: e.keys["B"], lines: lines(
			line("Limiteur de vitesse", 1, 142_500, lowVAT),
			line("Main-d'œuvre, deux techniciens", 9, 7_200, lowVAT)),
	})
	e.bill(bill{
		category: events.CategoryRepairs, account: "61044", supplier: "Portes du Nord SA",
		text: "Ressort et cellule de la porte de garage", number: number("PN", at(11, 1), 310),
		on: at(11, 15), key: e.keys["P"], lines: lines(line("Ressort de torsion", 1, 31_800, vat),
			line("Cellule photoélectrique", 2, 6_450, vat), line("Déplacement", 1, 8_500, vat)),
	})
	e.bill(bill{
		category: events.CategoryRepairs, account: "61024", supplier: "Parlophonie Janssens",
		text: "Dépannage du parlophone, entrée A", number: number("PJ", at(14, 1), 96),
		on: at(14, 2), lines: lines(line("Main-d'œuvre", 2, 6_800, lowVAT),
			line("Bouton d'appel", 3, 2_240, lowVAT)),
	})
	e.bill(bill{
		category: events.CategoryRepairs, account: "61037", supplier: "Débouchage Express SRL",
		text: "Curage de la colonne d'évacuation, entrée A", number: number("DE", at(19, 1), 733),
		on: at(19, 10), lines: lines(line("Curage à haute pression", 1, 28_500, lowVAT)),
	})
}

func (e *erables) works(at func(month, day int) time.Time) {
	e.bill(bill{
		category: events.CategoryWorks, account: "6110", supplier: "Atelier Horta, architectes",
		text: "Étude de la rénovation de la façade avant", number: number("AH", at(4, 1), 21),
		on: at(4, 12), lines: lines(line("Étude et cahier des charges", 1, 385_000, vat)),
	})
	for part, text := range []string{
		"Rénovation de la façade avant, 1er état d'avancement",
		"Rénovation de la façade avant, 2e état d'avancement",
		"Rénovation de la façade avant, solde",
	} {
		e.bill(bill{
			category: events.CategoryWorks, account: "6111", supplier: "Façades Bruxelloises SA",
			text: text, number: number("FB", at(8+2*part, 1), 140+part), on: at(8+2*part, 27),
			lines: lines(line("Échafaudage", 1, 240_000, lowVAT),
				line("Sablage et rejointoyage, m²", 118, 8_950, lowVAT)),
		})
	}
	e.bill(bill{
		category: events.CategoryWorks, account: "6111", supplier: "Isolation Verte SRL",
		text: "Isolation du plafond des caves", number: number("IV", at(17, 1), 62),
		on: at(17, 8), lines: lines(line("Panneaux posés, m²", 164, 4_250, lowVAT)),
	})
}

// undecided are bills of late that nobody paid, or that wait, or came to nothing.
func (e *erables) undecided() {
	ago := func(days int) time.Time { return e.day.AddDate(0, 0, -days) }
	e.charge(bill{
		category: events.CategoryRepairs, account: "61032", supplier: "Thermo Senne SRL",
		text: "Remplacement d'un circulateur", number: number("TS", ago(52), 511), on: ago(52),
		fate: overdue, lines: lines(line("Circulateur", 1, 74_500, lowVAT),
			line("Main-d'œuvre", 4, 6_800, lowVAT)),
	})
	e.charge(bill{
		category: events.CategoryRepairs, account: "61037", supplier: "Débouchage Express SRL",
		text: "Curage de la colonne d'évacuation, entrée A", number: number("DE", ago(40), 733),
		on: ago(40), fate: rejected, reason: "Doublon d'une facture qui est déjà payée.",
		lines: lines(line("Curage à haute pression", 1, 28_500, lowVAT)),
	})
	e.charge(bill{
		category: events.CategoryMaintenance, account: "61027", supplier: "Œil de Lynx SRL",
		text: "Contrat de vidéosurveillance", number: number("OL", ago(33), 5), on: ago(33),
		fate: cancelled, lines: lines(line("Abonnement annuel", 1, 42_000, vat)),
	})
	e.charge(bill{
		category: events.CategoryCleaning, account: "61051", supplier: "Brillant Net SRL",
		text: "Nettoyage des vitres du hall", number: number("BN", ago(9), 190), on: ago(9),
		fate: submitted, lines: lines(line("Vitres intérieures et extérieures", 1, 18_000, vat)),
	})
	liftA := line("Câble de traction, ascenseur A", 1, 96_400, lowVAT)
	liftA.KeyID = e.keys["A"]
	e.charge(bill{
		category: events.CategoryRepairs, account: "61012", supplier: "Ascenseurs de Bruxelles SA",
		text: "Remplacement d'un câble et contrôle", number: number("AB", ago(6), 1_302),
		on: ago(6), fate: submitted,
		lines: lines(liftA, line("Contrôle après travaux", 1, 12_500, vat)),
	})
	e.charge(bill{
		category: events.CategoryWorks, account: "6111", supplier: "Façades Bruxelloises SA",
		text: "Peinture de la cage d'escalier B, offre acceptée", on: ago(3),
		number: number("FB", ago(3), 171), fate: drafted,
		lines: lines(line("Peinture, m²", 86, 2_900, lowVAT)),
	})
}
