package api_test

import (
	"fmt"
	"strings"

	"github.com/cucumber/godog"
	"github.com/stretchr/testify/require"
)

// frenchInvoices are what the scenarios call an invoice's fields.
var frenchInvoices = map[string]string{
	"montant hors TVA": "amount_excl_vat", "taux de TVA": "vat_rate", "TVA imprimée": "vat_amount",
	"date": "invoice_date", "catégorie": "category", "compte": "account_code",
	"genre": "document_kind", "clé": "distribution_key_id", "lot privé": "private_unit_id",
}

var frenchCategories = map[string]string{
	"travaux": "Works", "entretien": "Maintenance", "assurance": "Insurance",
}

var frenchApproval = map[string]string{
	"à approuver": "pending_approval", "approuvée": "approved", "rejetée": "rejected",
}

func (s *scene) chargeSteps(steps *godog.ScenarioContext) {
	steps.Step(`^(\pL+) encode la facture "([^"]*)" de l'immeuble "([^"]*)" :$`, s.draft)
	steps.Step(`^(\pL+) corrige la facture "([^"]*)" :$`,
		func(name, charge string, table *godog.Table) {
			s.does(name, "PUT", s.charge(charge), s.invoiceOf(table))
		})
	for verb, path := range map[string]string{"soumet": "submit", "approuve": "approve"} {
		steps.Step(`^(\pL+) `+verb+` la facture "([^"]*)"$`, func(name, charge string) {
			s.does(name, "PUT", s.charge(charge)+"/"+path, nil)
		})
	}
	steps.Step(`^(\pL+) rejette la facture "([^"]*)" : "([^"]*)"$`,
		func(name, charge, reason string) {
			s.does(name, "PUT", s.charge(charge)+"/reject", body{"rejection_reason": reason})
		})
	steps.Step(`^(\pL+) a soumis et qu(?:e |')(\pL+) a approuvé la facture "([^"]*)" `+
		`de l'immeuble "([^"]*)" :$`,
		func(one, other, charge, building string, table *godog.Table) {
			s.draft(one, charge, building, table)
			s.does(one, "PUT", s.charge(charge)+"/submit", nil).ok(200)
			s.does(other, "PUT", s.charge(charge)+"/approve", nil).ok(200)
		})
	steps.Step(`^(\pL+) a créé la clé "([^"]*)" de l'immeuble "([^"]*)" dès le `+aDay+` :$`,
		func(name, key, building, day string, table *godog.Table) {
			wanted := s.keyOf(day, table)
			s.at(building)
			wanted["building_id"], wanted["name"] = s.buildings[building], key
			s.keys[key] = s.does(name, "POST", "/distribution-keys", wanted).ok(201).get("id")
		})
	steps.Step(`^(\pL+) a changé la clé "([^"]*)" dès le `+aDay+` :$`,
		func(name, key, day string, table *godog.Table) {
			s.does(name, "PUT", "/distribution-keys/"+s.keys[key], s.keyOf(day, table)).ok(200)
		})
	s.chargeReadSteps(steps)
}

func (s *scene) chargeReadSteps(steps *godog.ScenarioContext) {
	steps.Step(`^la facture "([^"]*)" est (à approuver|approuvée|rejetée) pour (\pL+)$`,
		func(charge, status, name string) {
			got := s.does(name, "GET", s.charge(charge), nil).ok(200)
			require.Equal(s.t, frenchApproval[status], got.get("approval_status"))
		})
	steps.Step(`^la facture "([^"]*)" s'élève à ([\d,]+) € pour (\pL+)$`,
		func(charge, amount, name string) {
			got := s.does(name, "GET", s.charge(charge), nil).ok(200)
			require.Equal(s.t, decimal(amount), got.get("amount_incl_vat"))
		})
	steps.Step(`^la facture "([^"]*)" se répartit ainsi pour (\pL+) :$`, s.isDivided)
	steps.Step(`^(\pL+) lit qu(?:e |')(\pL+) doit (-?[\d,]+) €$`, func(name, owner, due string) {
		got := s.does(name, "GET", s.ownerAt(owner)+"/total-due", nil).ok(200)
		require.Equal(s.t, decimal(due), got.get("total_due"))
	})
	steps.Step(`^(\pL+) ne trouve pas la facture "([^"]*)"$`, func(name, charge string) {
		s.does(name, "GET", s.charge(charge), nil).refused(404, "not_found")
	})
	steps.Step(`^(\pL+) demande le rapport de l'immeuble "([^"]*)"$`, func(name, building string) {
		s.at(building)
		s.does(name, "GET", "/pcn/"+s.buildings[building], nil)
	})
	const report = `le rapport de l'immeuble "([^"]*)" par (catégorie|compte)`
	steps.Step(`^`+report+` est, pour (\pL+) :$`,
		func(building, by, name string, table *godog.Table) {
			s.reports(name, building, by, "", table)
		})
	steps.Step(`^à la date "([^"]*)", `+report+` était, pour (\pL+) :$`,
		func(date, building, by, name string, table *godog.Table) {
			s.reports(name, building, by, s.asOf(date), table)
		})
}

// draft enters an invoice that is known by its description.
func (s *scene) draft(name, charge, building string, table *godog.Table) {
	s.at(building)
	wanted := newInvoice(s.buildings[building], "description", charge, "account_code", leftOut)
	for field, value := range s.invoiceOf(table) {
		wanted[field] = value
	}
	made := s.does(name, "POST", "/invoices/draft", wanted)
	if made.status == 201 {
		s.charges[charge] = made.get("id")
	}
}

// charge is the path of an invoice.
func (s *scene) charge(charge string) string {
	require.Contains(s.t, s.charges, charge, "nobody entered this invoice")
	return "/invoices/" + s.charges[charge]
}

func (s *scene) invoiceOf(table *godog.Table) body {
	made := body{}
	for name, text := range s.table(table) {
		require.Contains(s.t, frenchInvoices, name, "an invoice has no such field")
		switch name {
		case "catégorie":
			require.Contains(s.t, frenchCategories, text)
			text = frenchCategories[text]
		case "genre":
			require.Equal(s.t, "note de crédit", text)
			text = "credit_note"
		case "clé":
			require.Contains(s.t, s.keys, text, "nobody made this key")
			text = s.keys[text]
		case "lot privé":
			require.Contains(s.t, s.lots, text, "nobody registered this lot")
			text = s.lots[text]
		default:
			text = decimal(text)
		}
		made[frenchInvoices[name]] = text
	}
	return made
}

// keyOf reads weights, whose sum is the key's base.
func (s *scene) keyOf(day string, table *godog.Table) body {
	base, weights := 0, []body{}
	for lot, text := range s.table(table) {
		weight := 0
		_, err := fmt.Sscan(text, &weight)
		require.NoError(s.t, err)
		require.Contains(s.t, s.lots, lot, "nobody registered this lot")
		base += weight
		weights = append(weights, body{"unit_id": s.lots[lot], "weight": weight})
	}
	return body{"valid_from": day, "base": base, "weights": weights}
}

// isDivided compares lots, owners and amounts in the order in which they are shown.
func (s *scene) isDivided(charge, name string, table *godog.Table) {
	got := s.does(name, "GET", s.charge(charge)+"/distribution", nil).ok(200)
	told := []map[string]string{}
	for _, one := range got.json.([]any) {
		share := one.(map[string]any)
		told = append(told, map[string]string{
			"lot": s.lotCalled(share["unit_id"]), "propriétaire": s.ownerCalled(share["owner_id"]),
			"montant": strings.ReplaceAll(share["amount_due"].(string), ".", ","),
		})
	}
	require.Equal(s.t, s.rows(table), told)
}

func (s *scene) lotCalled(id any) string {
	for name, known := range s.lots {
		if known == id {
			return name
		}
	}
	require.Fail(s.t, "a lot that nobody registered")
	return ""
}

var frenchProfiles = map[string]string{"catégorie": "category", "compte": "chart"}

func (s *scene) reports(name, building, by, query string, table *godog.Table) {
	s.at(building)
	got := s.does(name, "GET", "/pcn/"+s.buildings[building]+"?profile="+frenchProfiles[by]+"&"+
		query, nil).ok(200)
	told := []map[string]string{}
	for _, one := range got.at("lines").([]any) {
		line := one.(map[string]any)
		told = append(told, map[string]string{
			"code": line["account_code"].(string), "libellé": line["account_label_fr"].(string),
			"montant":   strings.ReplaceAll(line["total_amount"].(string), ".", ","),
			"écritures": fmt.Sprint(line["entry_count"]),
		})
	}
	require.Equal(s.t, s.rows(table), told)
}
