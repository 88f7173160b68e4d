package api_test

import (
	"net/url"
	"strings"
	"time"

	"github.com/cucumber/godog"
	"github.com/stretchr/testify/require"
)

// frenchRights are what the scenarios call the rights in a lot.
var frenchRights = map[string]string{
	"pleine propriété": "full", "usufruit": "usufruct", "nue-propriété": "bare",
}

const (
	aDay      = `(\d{4}-\d{2}-\d{2})`
	aFraction = `(\d+/\d+)`
)

func (s *scene) lotSteps(steps *godog.ScenarioContext) {
	steps.Step(`^(\pL+) a enregistré les lots de l'immeuble "([^"]*)" :$`, s.registerLots)
	steps.Step(`^(\pL+) enregistre le lot "([^"]*)" de ([\d,]+) quotités dans l'immeuble "([^"]*)"$`,
		s.registerLot)
	steps.Step(`^(\pL+) donne ([\d,]+) quotités au lot "([^"]*)"$`,
		func(name, quota, lot string) {
			s.does(name, "PUT", s.lot(lot), body{"quota": decimal(quota)})
		})
	steps.Step(`^(\pL+) retire le lot "([^"]*)"$`, func(name, lot string) {
		s.does(name, "DELETE", s.lot(lot), nil)
	})
	steps.Step(`^(\pL+) note qu(?:e |')(\pL+) vend `+aFraction+
		` du lot "([^"]*)" à (\pL+) le `+aDay+`$`, s.sell)
	steps.Step(`^(\pL+) donne à (\pL+) `+aFraction+` du lot "([^"]*)" en `+
		`(pleine propriété|usufruit|nue-propriété) dès le `+aDay+`$`, s.give)
	steps.Step(`^(\pL+) a lié le compte (?:de |d')(\pL+) à sa fiche de propriétaire$`,
		func(name, owner string) {
			s.does(name, "PUT", s.ownerAt(owner)+"/link-user",
				body{"user_id": s.person(owner).id.String()}).ok(200)
		})
	s.lotReadSteps(steps)
}

func (s *scene) lotReadSteps(steps *godog.ScenarioContext) {
	steps.Step(`^le lot "([^"]*)" a ([\d,]+) quotités pour (\pL+)$`,
		func(lot, quota, name string) {
			got := s.does(name, "GET", s.lot(lot), nil).ok(200)
			require.Contains(s.t, got.text, `"quota":`+decimal(quota)+`,`)
		})
	steps.Step(`^le lot "([^"]*)" appartient, pour (\pL+), à :$`,
		func(lot, name string, table *godog.Table) { s.belongs(name, lot, "", table) })
	steps.Step(`^à la date "([^"]*)", le lot "([^"]*)" appartenait, pour (\pL+), à :$`,
		func(date, lot, name string, table *godog.Table) {
			s.belongs(name, lot, s.asOf(date), table)
		})
	steps.Step(`^l'histoire du lot "([^"]*)" est, pour (\pL+) :$`, s.wasOwned)
	steps.Step(`^l'historique de l'immeuble "([^"]*)" dit à (\pL+) : "([^"]*)"$`,
		func(building, name, label string) {
			got := s.does(name, "GET", s.at(building)+"/history?per_page=100", nil).ok(200)
			require.Contains(s.t, texts(s.t, got.at("data"), "label"), label)
		})
	for what, of := range map[string][2]string{
		"lots":          {"/units", "unit_number"},
		"propriétaires": {"/owners", "first_name"},
		"charges":       {"/expenses", "description"},
	} {
		steps.Step(`^(\pL+) voit les `+what+` :$`, func(name string, table *godog.Table) {
			got := s.does(name, "GET", of[0], nil).ok(200)
			require.ElementsMatch(s.t, s.column(table), texts(s.t, got.at("data"), of[1]))
		})
	}
	steps.Step(`^(\pL+) ne trouve pas le lot "([^"]*)"$`, func(name, lot string) {
		s.does(name, "GET", s.lot(lot), nil).refused(404, "not_found")
	})
	steps.Step(`^(\pL+) ne trouve pas la fiche de (\pL+)$`, func(name, owner string) {
		s.does(name, "GET", s.ownerAt(owner), nil).refused(404, "not_found")
	})
}

// decimal is a number as requests write it.
func decimal(french string) string { return strings.ReplaceAll(french, ",", ".") }

// asOf asks for what was recorded at a date that was noted.
func (s *scene) asOf(date string) string {
	require.Contains(s.t, s.dates, date, "nobody noted this date")
	return "as_of=" + url.QueryEscape(s.dates[date].UTC().Format(time.RFC3339Nano))
}

// rows reads rows under a header: each by the header's words.
func (s *scene) rows(table *godog.Table) []map[string]string {
	read := []map[string]string{}
	for _, row := range table.Rows[1:] {
		named := map[string]string{}
		for i, cell := range row.Cells {
			named[table.Rows[0].Cells[i].Value] = cell.Value
		}
		read = append(read, named)
	}
	return read
}

// registerLots enters lots and, from 2020 on, their owners: "Alice 1/2, Denis 1/2".
func (s *scene) registerLots(name, building string, table *godog.Table) {
	for _, row := range s.rows(table) {
		s.registerLot(name, row["lot"], row["quotités"], building)
		s.last.ok(201)
		if row["propriétaires"] == "" {
			continue
		}
		for held := range strings.SplitSeq(row["propriétaires"], ", ") {
			owner, fraction, _ := strings.Cut(held, " ")
			s.give(name, owner, fraction, row["lot"], "pleine propriété", "2020-01-01")
			s.last.ok(201)
		}
	}
}

func (s *scene) registerLot(name, lot, quota, building string) {
	s.at(building)
	made := s.does(name, "POST", "/units", newUnit(s.buildings[building],
		"unit_number", lot, "quota", decimal(quota)))
	if made.status == 201 {
		s.lots[lot] = made.get("id")
	}
}

func (s *scene) give(name, owner, fraction, lot, right, from string) {
	if s.owners[owner] == "" {
		s.owners[owner] = s.does(name, "POST", "/owners", newOwner("first_name", owner)).ok(201).
			get("id")
	}
	s.does(name, "POST", s.lot(lot)+"/owners", body{
		"owner_id": s.owners[owner], "ownership_fraction": fraction, "right": frenchRights[right],
		"from": from,
	})
}

func (s *scene) sell(name, seller, fraction, lot, buyer, day string) {
	if s.owners[buyer] == "" {
		s.owners[buyer] = s.does(name, "POST", "/owners", newOwner("first_name", buyer)).ok(201).
			get("id")
	}
	s.does(name, "POST", s.lot(lot)+"/owners/transfer", body{
		"from_owner_id": s.owners[seller], "to_owner_id": s.owners[buyer], "fraction": fraction,
		"on": day,
	})
}

// lot is the path of a lot.
func (s *scene) lot(lot string) string {
	require.Contains(s.t, s.lots, lot, "nobody registered this lot")
	return "/units/" + s.lots[lot]
}

// ownerAt is the path of an owner.
func (s *scene) ownerAt(owner string) string {
	require.Contains(s.t, s.owners, owner, "nobody registered this owner")
	return "/owners/" + s.owners[owner]
}

// ownerCalled is the name by which the scenario knows an owner; nobody's is "".
func (s *scene) ownerCalled(id any) string {
	for name, known := range s.owners {
		if known == id {
			return name
		}
	}
	require.Nil(s.t, id, "an owner whom nobody registered")
	return ""
}

func (s *scene) belongs(name, lot, query string, table *godog.Table) {
	got := s.does(name, "GET", s.lot(lot)+"/owners?"+query, nil).ok(200)
	held := map[string]string{}
	for _, one := range got.json.([]any) {
		relation := one.(map[string]any)
		held[s.ownerCalled(relation["owner_id"])] = relation["ownership_fraction"].(string)
	}
	require.Equal(s.t, s.table(table), held)
}

// wasOwned compares all that was ever held of a lot, day by day.
func (s *scene) wasOwned(lot, name string, table *godog.Table) {
	got := s.does(name, "GET", s.lot(lot)+"/owners/history", nil).ok(200)
	held := []map[string]string{}
	for _, one := range got.json.([]any) {
		relation := one.(map[string]any)
		until, _ := relation["end_date"].(string)
		from, _, _ := strings.Cut(relation["start_date"].(string), "T")
		until, _, _ = strings.Cut(until, "T")
		held = append(held, map[string]string{
			"propriétaire": s.ownerCalled(relation["owner_id"]),
			"part":         relation["ownership_fraction"].(string), "du": from, "au": until,
		})
	}
	require.ElementsMatch(s.t, s.rows(table), held, got.text)
}
