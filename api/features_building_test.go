package api_test

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cucumber/godog"
	"github.com/stretchr/testify/require"
)

// frenchFields are what the scenarios call a resource's fields.
var frenchFields = map[string]string{
	"nom": "name", "adresse": "address", "ville": "city", "code postal": "postal_code",
	"pays": "country", "nombre de lots": "total_units", "quotités": "total_tantiemes",
	"année de construction": "construction_year",
}

func fieldNamed(t testing.TB, name string) string {
	t.Helper()
	require.Contains(t, frenchFields, name, "the scenarios have no such field")
	return frenchFields[name]
}

// fieldsOf turns rows into a request's fields; what is written in digits is a number.
func (s *scene) fieldsOf(table *godog.Table) body {
	made := body{}
	for name, text := range s.table(table) {
		if number, err := strconv.Atoi(text); err == nil {
			made[fieldNamed(s.t, name)] = number
			continue
		}
		made[fieldNamed(s.t, name)] = text
	}
	return made
}

func (s *scene) buildingSteps(steps *godog.ScenarioContext) {
	none := &godog.Table{}
	steps.Step(`^(\pL+) enregistre l'immeuble "([^"]*)" :$`, s.register)
	steps.Step(`^(\pL+) enregistre l'immeuble "([^"]*)"$`, func(name, building string) {
		s.register(name, building, none)
	})
	steps.Step(`^(\pL+) a enregistré l'immeuble "([^"]*)"$`, func(name, building string) {
		s.register(name, building, none)
		s.last.ok(201)
	})
	steps.Step(`^(\pL+) a enregistré (\d+) immeubles$`, func(name string, count int) {
		for i := range count {
			s.register(name, fmt.Sprintf("Immeuble %d", i+1), none)
			s.last.ok(201)
		}
	})
	steps.Step(`^(\pL+) modifie l'immeuble "([^"]*)" :$`,
		func(name, building string, table *godog.Table) {
			s.does(name, "PUT", s.at(building), s.fieldsOf(table))
		})
	steps.Step(`^(\pL+) retire l'immeuble "([^"]*)"$`, func(name, building string) {
		s.does(name, "DELETE", s.at(building), nil)
	})
	steps.Step(`^(\pL+) retire l'un de ses immeubles$`, func(name string) {
		s.does(name, "DELETE", s.at(slices.Min(slices.Collect(maps.Keys(s.buildings)))), nil).ok(204)
	})
	steps.Step(`^(\pL+) et (\pL+) ont l'immeuble "([^"]*)" sous les yeux$`,
		func(one, other, building string) {
			s.seen[one] = s.does(one, "GET", s.at(building), nil).ok(200)
			s.seen[other] = s.does(other, "GET", s.at(building), nil).ok(200)
		})
	steps.Step(`^(\pL+) modifie ce qu'(?:elle|il) a sous les yeux :$`, s.changeSeen)
	s.buildingReadSteps(steps)
}

func (s *scene) buildingReadSteps(steps *godog.ScenarioContext) {
	steps.Step(`^l'immeuble "([^"]*)" est ainsi pour (\pL+) :$`,
		func(building, name string, table *godog.Table) {
			s.isLike(s.does(name, "GET", s.at(building), nil), table)
		})
	steps.Step(`^l'immeuble "([^"]*)" était ainsi pour (\pL+) à la date "([^"]*)" :$`,
		func(building, name, date string, table *godog.Table) {
			require.Contains(s.t, s.dates, date, "nobody noted this date")
			s.isLike(s.askAt(name, building, s.dates[date]), table)
		})
	steps.Step(`^(\pL+) revoit l'immeuble "([^"]*)" il y a (\d+) jours$`,
		func(name, building string, days int) {
			s.askAt(name, building, s.clock.now().AddDate(0, 0, -days))
		})
	steps.Step(`^(\pL+) revoit l'immeuble "([^"]*)" dans (\d+) jours$`,
		func(name, building string, days int) {
			s.askAt(name, building, s.clock.now().AddDate(0, 0, days))
		})
	steps.Step(`^(\pL+) consulte les immeubles$`, func(name string) {
		s.does(name, "GET", "/buildings", nil)
	})
	steps.Step(`^(\pL+) voit les immeubles :$`, func(name string, table *godog.Table) {
		require.ElementsMatch(s.t, s.column(table), s.sees(name))
	})
	steps.Step(`^(\pL+) ne voit aucun immeuble$`, func(name string) {
		require.Empty(s.t, s.sees(name))
	})
	steps.Step(`^(\pL+) ne trouve pas l'immeuble "([^"]*)"$`, func(name, building string) {
		s.does(name, "GET", s.at(building), nil).refused(404, "not_found")
	})
	steps.Step(`^l'historique de l'immeuble "([^"]*)" raconte à (\pL+) :$`, s.tells)
}

// register asks for a building with the given fields, and the usual ones for the rest. What is
// refused keeps an id that nothing has.
func (s *scene) register(name, building string, table *godog.Table) {
	wanted := newBuilding("name", building)
	maps.Copy(wanted, s.fieldsOf(table))
	s.buildings[building] = newID().String()
	wanted["id"] = s.buildings[building]
	s.does(name, "POST", "/buildings", wanted)
}

// at is the path of a building.
func (s *scene) at(building string) string {
	require.Contains(s.t, s.buildings, building, "nobody registered this building")
	return "/buildings/" + s.buildings[building]
}

func (s *scene) askAt(name, building string, moment time.Time) answer {
	return s.does(name, "GET", s.at(building)+"?as_of="+
		url.QueryEscape(moment.UTC().Format(time.RFC3339Nano)), nil)
}

func (s *scene) changeSeen(name string, table *godog.Table) {
	seen := s.seen[name]
	require.NotNil(s.t, seen.json, "this person looks at nothing")
	s.does(name, "PUT", "/buildings/"+seen.get("id"), s.fieldsOf(table),
		"If-Match", seen.header.Get("ETag"))
}

func (s *scene) isLike(got answer, table *godog.Table) {
	got.ok(200)
	for field, expected := range s.fieldsOf(table) {
		require.EqualValues(s.t, expected, got.at(field), field)
	}
}

// sees are the names of the buildings that somebody finds in the list.
func (s *scene) sees(name string) []string {
	names := []string{}
	for _, building := range s.does(name, "GET", "/buildings", nil).ok(200).at("data").([]any) {
		names = append(names, building.(map[string]any)["name"].(string))
	}
	return names
}

// tells compares a history with what happened and by whom, oldest first.
func (s *scene) tells(building, name string, table *godog.Table) {
	got := s.does(name, "GET", s.at(building)+"/history", nil).ok(200)
	told := got.at("data").([]any)
	require.Len(s.t, told, len(table.Rows)-1, got.text)
	for i, row := range table.Rows[1:] {
		happened := told[i].(map[string]any)
		label, _, _ := strings.Cut(happened["label"].(string), " : ")
		require.Equal(s.t, row.Cells[0].Value, label)
		by := happened["actor"].(map[string]any)["name"].(string)
		require.Equal(s.t, row.Cells[1].Value, strings.Fields(by)[0])
	}
}
