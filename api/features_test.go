package api_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/cucumber/godog"
	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/koprogo/koprogo/commands"
)

// TestFeatures plays the scenarios of features/: what a syndic, an auditor or an owner would read,
// each in organizations of its own on one real server. The steps of a noun stand in
// features_<noun>_test.go.
func TestFeatures(t *testing.T) {
	t.Parallel()
	format := "progress"
	if testing.Verbose() {
		format = "pretty"
	}
	office := openOffice(t)
	suite := godog.TestSuite{
		Name: "KoproGo",
		ScenarioInitializer: func(steps *godog.ScenarioContext) {
			s := &scene{office: office}
			steps.Before(func(ctx context.Context, _ *godog.Scenario) (context.Context, error) {
				s.begin(ctx, t)
				return ctx, nil
			})
			s.peopleSteps(steps)
			s.buildingSteps(steps)
			s.lotSteps(steps)
			s.chargeSteps(steps)
			s.logSteps(steps)
		},
		Options: &godog.Options{
			Format: format, Paths: []string{"features"}, TestingT: t, Strict: true,
			NoColors: true,
		},
	}
	require.Zero(t, suite.Run(), "every scenario is played, and each step known")
}

// stepT lets the helpers of the tests fail the step that uses them.
type stepT struct {
	testing.TB
	step godog.TestingT
}

func (t stepT) Helper()                           {}
func (t stepT) Errorf(format string, args ...any) { t.step.Errorf(format, args...) }
func (t stepT) FailNow()                          { t.step.FailNow() }

// scene is what the steps of a scenario share. Things are known by the names they have in it.
type scene struct {
	*office
	t             testing.TB
	organizations map[string]uuid.UUID
	people        map[string]*person
	homes         map[string]uuid.UUID // the organization of each of them
	buildings     map[string]string    // ids, like the next
	lots          map[string]string
	owners        map[string]string
	charges       map[string]string
	keys          map[string]string
	seen          map[string]answer // what somebody has before his eyes
	dates         map[string]time.Time
	last          answer
	note          string // of a checkpoint that somebody keeps
	length        int64  // of a log
	position      int64  // that was tampered with
}

func (s *scene) begin(ctx context.Context, t *testing.T) {
	t.Helper()
	*s = scene{
		office: s.office, t: stepT{t, godog.T(ctx)},
		organizations: map[string]uuid.UUID{}, people: map[string]*person{},
		homes: map[string]uuid.UUID{}, buildings: map[string]string{},
		lots: map[string]string{}, owners: map[string]string{}, charges: map[string]string{},
		keys: map[string]string{}, seen: map[string]answer{}, dates: map[string]time.Time{},
	}
}

// does asks as somebody, in French, and keeps the answer for the steps that follow.
func (s *scene) does(name, method, path string, content any, headers ...string) answer {
	p := s.person(name)
	if p.token == "" {
		s.signIn(s.t, p)
	}
	s.last = s.ask(s.t, p, method, path, content, append(headers, "Accept-Language", "fr")...)
	return s.last
}

func (s *scene) person(name string) *person {
	require.Contains(s.t, s.people, name, "nobody introduced this person")
	return s.people[name]
}

func (s *scene) organizationNamed(name string) uuid.UUID {
	require.Contains(s.t, s.organizations, name, "nobody named this organization")
	return s.organizations[name]
}

// frenchRoles are what the scenarios call them.
var frenchRoles = map[string]string{
	"syndic": "syndic", "comptable": "accountant", "auditeur": "auditor", "propriétaire": "owner",
}

const aRole = `(syndic|comptable|auditeur|propriétaire)`

func (s *scene) peopleSteps(steps *godog.ScenarioContext) {
	steps.Step(`^l'organisation "([^"]*)"$`, func(name string) { s.found(name, "enterprise") })
	steps.Step(`^l'organisation "([^"]*)" au plan (\w+)$`, s.found)
	steps.Step(`^l'organisation "([^"]*)" est suspendue$`, s.suspend)
	steps.Step(`^(\pL+), `+aRole+` de "([^"]*)"$`, s.introduce)
	steps.Step(`^(\pL+) est connectée?$`, func(name string) { s.signIn(s.t, s.person(name)) })
	steps.Step(`^(\pL+) se connecte$`, func(name string) {
		p := s.person(name)
		s.login(p.email, p.password)
		p.token = s.last.ok(200).get("token")
	})
	steps.Step(`^(\pL+) se connecte avec un mot de passe faux$`, func(name string) {
		s.login(s.person(name).email, "faux "+newID().String())
	})
	steps.Step(`^un inconnu essaie de se connecter$`, func() {
		s.login(newID().String()+"@example.org", "au hasard")
	})
	steps.Step(`^(\pL+) est connectée? comme `+aRole+` de "([^"]*)"$`, s.isSignedIn)
	steps.Step(`^(\pL+) écarte (\pL+)$`, func(name, other string) {
		s.does(name, "PUT", "/users/"+s.person(other).id.String()+"/deactivate", nil).ok(200)
	})
	steps.Step(`^la demande est acceptée$`, func() {
		require.Less(s.t, s.last.status, 300, s.last.text)
	})
	steps.Step(`^la demande est refusée : "([^"]*)"$`, s.isRefused)
	steps.Step(`^la demande est refusée à cause du champ "([^"]*)"$`, func(field string) {
		s.last.ok(400)
		require.Equal(s.t, fieldNamed(s.t, field), s.last.get("errors.0.field"))
	})
	steps.Step(`^on note la date "([^"]*)"$`, func(name string) { s.dates[name] = s.clock.now() })
	steps.Step(`^(\d+) jours passent$`, s.pass)
}

func (s *scene) found(name, plan string) {
	id := newID()
	_, err := s.app.FoundOrganization(s.t.Context(), commands.System(id, "test"),
		commands.FoundOrganization{
			OrganizationID: id, Name: name, Slug: "s-" + id.String(), Plan: plan,
			ContactID: newID(), ContactEmail: "contact@example.org",
		})
	require.NoError(s.t, err)
	s.organizations[name] = id
}

func (s *scene) suspend(name string) {
	id := s.organizationNamed(name)
	_, err := commands.Handle(s.t.Context(), s.app, commands.System(id, "test"),
		commands.SuspendOrganization{OrganizationID: id})
	require.NoError(s.t, err)
}

// introduce opens somebody's account; he signs in when he first asks for something.
func (s *scene) introduce(name, role, organization string) {
	home := s.organizationNamed(organization)
	s.people[name], s.homes[name] = s.named(s.t, home, frenchRoles[role], name), home
}

func (s *scene) login(email, password string) {
	s.last = s.ask(s.t, nil, "POST", "/auth/login", body{"email": email, "password": password},
		"Accept-Language", "fr")
}

func (s *scene) isSignedIn(name, role, organization string) {
	me := s.does(name, "GET", "/auth/me", nil).ok(200)
	require.Equal(s.t, name, me.get("first_name"))
	require.Equal(s.t, frenchRoles[role], me.get("active_role.role"))
	require.Equal(s.t, s.organizationNamed(organization).String(),
		me.get("active_role.organization_id"))
}

func (s *scene) isRefused(sentence string) {
	require.GreaterOrEqual(s.t, s.last.status, 400, s.last.text)
	require.Equal(s.t, sentence, s.last.get("detail"))
}

// pass moves the clock; who was signed in signs in again when he next asks for something.
func (s *scene) pass(days int) {
	s.clock.forward(time.Duration(days) * 24 * time.Hour)
	for _, p := range s.people {
		p.token = ""
	}
}

// table reads rows of two cells: what, and how it is.
func (s *scene) table(table *godog.Table) map[string]string {
	read := map[string]string{}
	for _, row := range table.Rows {
		require.Len(s.t, row.Cells, 2)
		read[row.Cells[0].Value] = row.Cells[1].Value
	}
	return read
}

// column reads rows of one cell.
func (s *scene) column(table *godog.Table) []string {
	read := []string{}
	for _, row := range table.Rows {
		require.Len(s.t, row.Cells, 1, fmt.Sprint(row))
		read = append(read, row.Cells[0].Value)
	}
	return read
}
