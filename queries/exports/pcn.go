package exports

import (
	"strings"

	"github.com/koprogo/koprogo/events"
	"github.com/koprogo/koprogo/queries"
)

// PCN is a PCN report as a file shows it.
type PCN struct {
	Stamp
	Report queries.PCN
}

// FileName is pcn, the building and the period: pcn-canal_2026-01-01_2026-12-31.pdf. A report of
// an earlier moment names its position too.
func (p PCN) FileName(extension string) string {
	building := p.Report.Building.Slug
	if building == "" {
		building = plainName(p.Report.Building.Name)
	}
	if building == "" {
		building = p.Report.Building.ID.String()
	}
	name := "pcn-" + building
	asked := p.Report.Asked
	switch {
	case asked.From != "" && asked.To != "":
		name += "_" + string(asked.From) + "_" + string(asked.To)
	case asked.From != "":
		name += "_from-" + string(asked.From)
	case asked.To != "":
		name += "_to-" + string(asked.To)
	}
	if asked.Moment != (queries.Moment{}) {
		name += "_at-" + itoa(p.position())
	}
	return name + "." + extension
}

// words are the report's own in a language.
type pcnWords struct {
	title, subtitle                        string
	building, period, counted, profile     string
	from, until, always                    string // of the period
	code, label, amount, charges, total    string
	none                                   string
	position, root, generated, page        string
	approved, paid, all, byCategory, chart string
}

var pcnLanguages = map[string]pcnWords{
	"fr": {
		"Rapport PCN", "Plan comptable normalisé",
		"Immeuble", "Période", "Charges", "Comptes",
		"à partir du %s", "jusqu'au %s", "toutes les dates",
		"Code", "Libellé", "Montant", "Nb", "TOTAL",
		"Aucune charge pour cette période.",
		"Position du journal", "Empreinte racine", "Généré le", "Page",
		"approuvées", "payées", "toutes (brouillons compris)",
		"par catégorie", "plan comptable belge",
	},
	"nl": {
		"PCN-rapport", "Genormaliseerd rekeningstelsel",
		"Gebouw", "Periode", "Kosten", "Rekeningen",
		"vanaf %s", "tot en met %s", "alle datums",
		"Code", "Omschrijving", "Bedrag", "Aantal", "TOTAAL",
		"Geen kosten in deze periode.",
		"Positie in het logboek", "Wortelhash", "Opgemaakt op", "Pagina",
		"goedgekeurd", "betaald", "alle (ook ontwerpen)",
		"per categorie", "Belgisch rekeningstelsel",
	},
	"de": {
		"PCN-Bericht", "Normalisierter Kontenplan",
		"Gebäude", "Zeitraum", "Kosten", "Konten",
		"ab %s", "bis %s", "alle Daten",
		"Code", "Bezeichnung", "Betrag", "Anzahl", "GESAMT",
		"Keine Kosten in diesem Zeitraum.",
		"Position im Protokoll", "Wurzel-Hash", "Erstellt am", "Seite",
		"genehmigt", "bezahlt", "alle (auch Entwürfe)",
		"nach Kategorie", "belgischer Kontenplan",
	},
	"en": {
		"PCN report", "Standard chart of accounts",
		"Building", "Period", "Charges", "Accounts",
		"from %s", "until %s", "all dates",
		"Code", "Label", "Amount", "No.", "TOTAL",
		"No charges in this period.",
		"Log position", "Root hash", "Generated", "Page",
		"approved", "paid", "all (drafts too)",
		"by category", "Belgian chart",
	},
}

func (p PCN) words() pcnWords {
	if words, known := pcnLanguages[p.Language]; known {
		return words
	}
	return pcnLanguages["fr"]
}

// heading is the title with its explanation.
func (p PCN) heading() string {
	words := p.words()
	return words.title + " – " + words.subtitle
}

// building is its name and address.
func (p PCN) building() string {
	b := p.Report.Building
	return b.Name + " – " + b.Address + ", " + b.PostalCode + " " + b.City
}

// period is the days that the charges are of.
func (p PCN) period() string {
	words, asked := p.words(), p.Report.Asked
	switch {
	case asked.From != "" && asked.To != "":
		return p.day(asked.From) + " – " + p.day(asked.To)
	case asked.From != "":
		return strings.Replace(words.from, "%s", p.day(asked.From), 1)
	case asked.To != "":
		return strings.Replace(words.until, "%s", p.day(asked.To), 1)
	}
	return words.always
}

// counted says which charges count.
func (p PCN) counted() string {
	words := p.words()
	switch p.Report.Asked.Status {
	case queries.PCNPaid:
		return words.paid
	case queries.PCNAll:
		return words.all
	}
	return words.approved
}

// profile says which accounts the lines have.
func (p PCN) profile() string {
	if p.Report.Asked.Profile == queries.PCNByChart {
		return p.words().chart
	}
	return p.words().byCategory
}

// label is a line's name in the file's language.
func (p PCN) label(labels events.Labels) string { return labels.In(p.Language) }
