package queries

import (
	"encoding/json"
	"strings"

	"github.com/koprogo/koprogo/events"
	"github.com/koprogo/koprogo/projections"
)

// lotLabel is how a fact of a lot or an ownership is told. In it {lot} is the lot's number, {from}
// and {to} what changed, {total} the building's shares and {day} the day of effect.
type lotLabel struct{ fr, nl, en string }

var lotLabels = map[string]lotLabel{
	"lot.registered": {
		"Lot {lot} enregistré : {to} quotités", "Kavel {lot} geregistreerd: {to} aandelen",
		"Lot {lot} registered: {to} shares",
	},
	"lot.described": {
		"Lot {lot} : description modifiée", "Kavel {lot}: beschrijving gewijzigd",
		"Lot {lot}: description changed",
	},
	"lot.shares_amended": {
		"Lot {lot} : {from}/{total} → {to}/{total}", "Kavel {lot}: {from}/{total} → {to}/{total}",
		"Lot {lot}: {from}/{total} → {to}/{total}",
	},
	"lot.removed": {"Lot {lot} retiré", "Kavel {lot} verwijderd", "Lot {lot} removed"},
	"ownership.started": {
		"Lot {lot} : {to} en {right} dès le {day}", "Kavel {lot}: {to} in {right} vanaf {day}",
		"Lot {lot}: {to} in {right} from {day}",
	},
	"ownership.fraction_amended": {
		"Lot {lot} : {from} → {to} dès le {day}", "Kavel {lot}: {from} → {to} vanaf {day}",
		"Lot {lot}: {from} → {to} from {day}",
	},
	"ownership.ended": {
		"Lot {lot} : propriété terminée le {day}", "Kavel {lot}: eigendom beëindigd op {day}",
		"Lot {lot}: ownership ended on {day}",
	},
	"ownership.contact_named": {
		"Lot {lot} : autre personne de contact", "Kavel {lot}: andere contactpersoon",
		"Lot {lot}: another primary contact",
	},
}

var rightNames = map[string]lotLabel{
	events.RightFull:     {"pleine propriété", "volle eigendom", "full ownership"},
	events.RightUsufruct: {"usufruit", "vruchtgebruik", "usufruct"},
	events.RightBare:     {"nue-propriété", "blote eigendom", "bare ownership"},
}

func (l lotLabel) in(language string) string {
	switch language {
	case "fr":
		return l.fr
	case "nl":
		return l.nl
	}
	return l.en
}

// lotFact is what a label may tell of an event's data.
type lotFact struct {
	Shares   *events.Shares `json:"shares"`
	Total    events.Shares  `json:"total"`
	Fraction string         `json:"fraction"`
	Right    string         `json:"right"`
	From     string         `json:"from"`
	To       string         `json:"to"`
}

// labelOf says what happened at an entry: Label, but for what happened to a lot, whose number
// stands in the rows that changed.
func labelOf(
	language string, entry *Entry, changes []projections.Change, fields []FieldChange,
) string {
	known, ok := lotLabels[entry.Type]
	if !ok {
		return Label(language, entry.Type, fields)
	}
	var fact lotFact
	if err := json.Unmarshal(entry.Data, &fact); err != nil {
		return entry.Type
	}
	tells := map[string]string{
		"{total}": fact.Total.String(), "{to}": fact.Fraction, "{day}": fact.From + fact.To,
		"{right}": rightNames[fact.Right].in(language),
	}
	if fact.Shares != nil {
		tells["{to}"] = fact.Shares.String()
	}
	for _, change := range changes {
		row := change.Before
		switch {
		case change.Table == projections.LotTable.Name():
			if row == nil {
				row = change.After
			}
			tells["{lot}"] = words(row["number"])
			var shares events.Shares
			if json.Unmarshal(row["shares"], &shares) == nil && fact.Shares != nil {
				tells["{from}"] = shares.String()
			}
		case change.Table == projections.OwnershipTable.Name() && fact.Fraction != "":
			tells["{from}"] = words(row["fraction"])
		}
	}
	text := known.in(language)
	for name, value := range tells {
		text = strings.ReplaceAll(text, name, value)
	}
	return text
}
