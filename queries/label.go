package queries

import (
	"encoding/json"
	"strconv"
)

// label is what an event type is called in a building's history, and the column whose change is
// told behind it.
type label struct{ fr, nl, en, tells string }

// labels of what may stand in a building's history, by the event's stored name.
var labels = map[string]label{
	"building.registered": {
		"Immeuble enregistré", "Gebouw geregistreerd", "Building registered", "name",
	},
	"building.renamed": {"Immeuble renommé", "Gebouw hernoemd", "Building renamed", "name"},
	"building.address_corrected": {
		"Adresse corrigée", "Adres verbeterd", "Address corrected", "address",
	},
	"building.deed_amended": {
		"Acte de base modifié", "Basisakte gewijzigd", "Base deed amended", "lots",
	},
	"building.identified": {
		"Identification complétée", "Identificatie aangevuld", "Identification stated", "",
	},
	"building.banking_changed": {
		"Comptes bancaires modifiés", "Bankrekeningen gewijzigd", "Bank accounts changed", "",
	},
	"building.removed": {"Immeuble retiré", "Gebouw verwijderd", "Building removed", ""},
	"key.declared":     {"Clé de répartition créée", "Verdeelsleutel gemaakt", "Key declared", "name"},
	"key.versioned": {
		"Clé de répartition modifiée", "Verdeelsleutel gewijzigd", "Key changed", "name",
	},
	"charge.drafted":   {"Charge encodée", "Kost ingevoerd", "Charge drafted", "description"},
	"charge.amended":   {"Charge modifiée", "Kost gewijzigd", "Charge amended", "description"},
	"charge.removed":   {"Charge supprimée", "Kost verwijderd", "Charge removed", ""},
	"charge.submitted": {"Charge soumise", "Kost voorgelegd", "Charge submitted", ""},
	"charge.approved":  {"Charge approuvée", "Kost goedgekeurd", "Charge approved", ""},
	"charge.rejected": {
		"Charge rejetée", "Kost afgewezen", "Charge rejected", "rejection_reason",
	},
	"charge.paid":         {"Charge payée", "Kost betaald", "Charge paid", "paid_on"},
	"charge.unpaid":       {"Paiement annulé", "Betaling ongedaan gemaakt", "Payment undone", ""},
	"charge.fell_overdue": {"Échéance dépassée", "Vervaldag voorbij", "Fell overdue", ""},
	"charge.cancelled":    {"Charge annulée", "Kost geannuleerd", "Charge cancelled", ""},
	"charge.reactivated":  {"Charge réactivée", "Kost opnieuw actief", "Charge reactivated", ""},
	"person.erased": {
		"Données personnelles effacées", "Persoonsgegevens gewist", "Personal data erased", "",
	},
}

// Label says what happened, in French, Dutch or (for any other language) English, such as
// "Immeuble renommé : A → B". An event type without words is called by its stored name.
func Label(language, eventType string, changes []FieldChange) string {
	known, ok := labels[eventType]
	if !ok {
		return eventType
	}
	text, colon := known.en, ": "
	switch language {
	case "fr":
		text, colon = known.fr, " : "
	case "nl":
		text = known.nl
	}
	for _, change := range changes {
		if known.tells == "" || change.Field != known.tells {
			continue
		}
		from, to := words(change.From), words(change.To)
		switch {
		case from != "" && to != "":
			return text + colon + from + " → " + to
		case to != "":
			return text + colon + to
		}
	}
	return text
}

// words is a JSON value as it is read: texts without quotes, nothing for null.
func words(value json.RawMessage) string {
	if unquoted := ""; json.Unmarshal(value, &unquoted) == nil {
		return unquoted
	}
	if n, err := strconv.ParseInt(string(value), 10, 64); err == nil {
		return strconv.FormatInt(n, 10)
	}
	return ""
}
