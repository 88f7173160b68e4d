package api_test

import (
	"strconv"

	"github.com/cucumber/godog"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/koprogo/koprogo/eventstore"
)

func (s *scene) logSteps(steps *godog.ScenarioContext) {
	steps.Step(`^(\pL+) donne à (\pL+) un mandat sur l'immeuble "([^"]*)"$`, s.giveMandate)
	steps.Step(`^le journal que lit (\pL+) ne parle que de l'immeuble "([^"]*)"$`, s.readsOnly)
	steps.Step(`^(\pL+) demande la vérification du journal$`, func(name string) {
		s.does(name, "POST", "/audit/verify", nil)
	})
	steps.Step(`^la demande est prise en charge$`, func() {
		s.last.ok(202)
		require.Contains(s.t, s.last.header.Get("Location"), "/jobs/"+s.last.get("id"))
		require.Equal(s.t, "queued", s.last.get("status"))
	})
	steps.Step(`^(\pL+) garde l'attestation signée du journal$`, func(name string) {
		s.note = s.does(name, "GET", "/audit/checkpoint", nil).ok(200).get("note")
	})
	steps.Step(`^la vérification du journal de "([^"]*)" ne trouve rien$`, func(name string) {
		report := s.verify(name)
		require.Empty(s.t, report.Findings)
		require.Positive(s.t, report.Size)
	})
	steps.Step(`^la vérification du journal de "([^"]*)" montre cet enregistrement$`,
		func(name string) {
			positions := []int64{}
			for _, finding := range s.verify(name).Findings {
				positions = append(positions, finding.Position)
			}
			require.Equal(s.t, []int64{s.position}, positions)
		})
	steps.Step(`^quelqu'un change en cachette l'enregistrement de l'immeuble "([^"]*)"$`, s.tamper)
	steps.Step(`^on note la longueur du journal de "([^"]*)"$`, func(name string) {
		s.length = s.lengthOf(name)
		require.Positive(s.t, s.length)
	})
	steps.Step(`^le journal de "([^"]*)" n'a pas grandi$`, func(name string) {
		require.Equal(s.t, s.length, s.lengthOf(name))
	})
}

func (s *scene) lengthOf(organization string) int64 {
	return s.positions(s.t)[s.organizationNamed(organization)]
}

func (s *scene) giveMandate(name, auditor, building string) {
	s.at(building)
	s.does(name, "POST", "/users/"+s.person(auditor).id.String()+"/mandates", body{
		"building_ids": []string{s.buildings[building]}, "from": "2020-01-01", "to": "2999-12-31",
	}).ok(201)
}

func (s *scene) readsOnly(name, building string) {
	entries := s.does(name, "GET", "/audit/log", nil).ok(200).at("data").([]any)
	require.NotEmpty(s.t, entries)
	for _, entry := range entries {
		require.Equal(s.t, s.buildings[building], entry.(map[string]any)["building_id"])
	}
}

// verify checks a log, and against the note that somebody kept.
func (s *scene) verify(organization string) eventstore.OrganizationReport {
	options := eventstore.VerifyOptions{
		Pool:          s.store.Pool(eventstore.RoleJobs),
		Organizations: []uuid.UUID{s.organizationNamed(organization)},
		VerifierKey:   s.store.Keyring().Notary().VerifierKey,
	}
	if s.note != "" {
		options.Against = []string{s.note}
	}
	report, err := eventstore.Verify(s.t.Context(), options)
	require.NoError(s.t, err)
	require.Len(s.t, report.Organizations, 1)
	return report.Organizations[0]
}

// tamper is a superuser of the database who lets no guard stop him.
func (s *scene) tamper(building string) {
	super, err := pgx.Connect(s.t.Context(), s.clone.SuperuserURL)
	require.NoError(s.t, err)
	defer super.Close(s.t.Context())
	_, err = super.Exec(s.t.Context(), `alter table log.events disable trigger all`)
	require.NoError(s.t, err)
	row := super.QueryRow(s.t.Context(), `
update log.events set data = replace(data::text, '"lots":8', '"lots":9')::json
where stream = $1 and version = 1 returning position`, "building-"+s.buildings[building])
	require.NoError(s.t, row.Scan(&s.position), "position "+strconv.FormatInt(s.position, 10))
}
