package api_test

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/koprogo/koprogo/commands"
	"github.com/koprogo/koprogo/eventstore"
)

func newOrganization(plan string, more ...any) body {
	id := newID().String()
	return withMore(body{
		"name": "Gérance " + id, "slug": "g-" + id, "contact_email": "hello@gerance.example",
		"contact_phone": "+32 2 123 45 67", "subscription_plan": plan,
	}, more)
}

func TestOrganizations(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	admin := o.signedIn(t, uuid.Nil, "superadmin")

	t.Run("a superadmin founds one and reads what he wrote", func(t *testing.T) {
		wanted := newOrganization("starter")
		got := o.ask(t, admin, "POST", "/organizations", wanted).ok(201)
		for _, field := range []string{
			"name", "slug", "contact_email", "contact_phone", "subscription_plan",
		} {
			require.Equal(t, wanted[field], got.at(field))
		}
		require.EqualValues(t, 5, got.at("max_buildings"))
		require.EqualValues(t, 10, got.at("max_users"))
		require.Equal(t, "1", got.header.Get("Koprogo-Position"))
		read := o.ask(t, admin, "GET", "/organizations/"+got.get("id"), nil).ok(200)
		require.Equal(t, got.json, read.json)
		require.Equal(t, got.header.Get("ETag"), read.header.Get("ETag"))
		listed := o.ask(t, admin, "GET", "/organizations?per_page=1000", nil).ok(200)
		require.Contains(t, listed.text, got.get("id"))
	})
	t.Run("a slug belongs to one", func(t *testing.T) {
		wanted := newOrganization("free")
		o.ask(t, admin, "POST", "/organizations", wanted).ok(201)
		o.ask(t, admin, "POST", "/organizations", newOrganization("free", "slug", wanted["slug"])).
			refused(409, "slug_taken")
	})
	t.Run("wrong fields are named as REST names them", func(t *testing.T) {
		for field, wrong := range map[string]any{
			"subscription_plan": "gold", "contact_email": "x", "slug": "No Slug", "name": "",
		} {
			got := o.ask(t, admin, "POST", "/organizations", newOrganization("free", field, wrong))
			got.refused(400, "invalid_field")
			require.Equal(t, field, got.get("errors.0.field"))
		}
	})
	t.Run("the same create again, and a repeated request, answer as it was then", func(t *testing.T) {
		wanted, key := newOrganization("free", "id", newID()), newID().String()
		first := o.ask(t, admin, "POST", "/organizations", wanted, "Idempotency-Key", key).ok(201)
		same := o.ask(t, admin, "POST", "/organizations", wanted).ok(201)
		require.Equal(t, first.json, same.json)
		path := "/organizations/" + first.get("id")
		o.ask(t, admin, "PUT", path, body{"name": "Later"}).ok(200)
		again := o.ask(t, admin, "POST", "/organizations", wanted, "Idempotency-Key", key).ok(201)
		require.Equal(t, first.json, again.json)
		require.Equal(t, "true", again.header.Get("Idempotency-Replayed"))
	})
	t.Run("a change takes the fields that it gives, and the plan must have room", func(t *testing.T) {
		got := o.ask(t, admin, "POST", "/organizations", newOrganization("starter")).ok(201)
		path := "/organizations/" + got.get("id")
		changed := o.ask(t, admin, "PUT", path, body{"name": "Neuf", "contact_phone": nil},
			"If-Match", got.header.Get("ETag")).ok(200)
		require.Equal(t, "Neuf", changed.get("name"))
		require.Empty(t, changed.get("contact_phone"))
		require.Equal(t, got.get("slug"), changed.get("slug"))
		o.ask(t, admin, "PUT", path, body{"name": "X"}, "If-Match", got.header.Get("ETag")).
			refused(412, "precondition_failed")
		for range 4 {
			o.ask(t, admin, "POST", "/users", newUser("owner", "organization_id", got.get("id"))).
				ok(201)
		}
		o.ask(t, admin, "PUT", path, body{"subscription_plan": "free"}).refused(409, "plan_limit")
	})
	t.Run("a suspension shows, and ends", func(t *testing.T) {
		id := o.organization(t).String()
		off := o.ask(t, admin, "PUT", "/organizations/"+id+"/suspend", nil).ok(200)
		require.Equal(t, false, off.at("is_active"))
		on := o.ask(t, admin, "PUT", "/organizations/"+id+"/activate", nil).ok(200)
		require.Equal(t, true, on.at("is_active"))
		o.ask(t, admin, "PUT", "/organizations/"+newID().String()+"/suspend", nil).
			refused(404, "not_found")
	})
	t.Run("nobody else may, and the settings are the syndic's too", func(t *testing.T) {
		id := o.organization(t)
		path := "/organizations/" + id.String()
		for _, role := range []string{"syndic", "accountant", "auditor", "owner"} {
			p := o.signedIn(t, id, role)
			o.ask(t, p, "GET", "/organizations", nil).refused(403, "forbidden")
			o.ask(t, p, "POST", "/organizations", newOrganization("free")).refused(403, "forbidden")
			o.ask(t, p, "GET", path, nil).refused(403, "forbidden")
			o.ask(t, p, "PUT", path, body{"subscription_plan": "enterprise"}).
				refused(403, "forbidden")
			o.ask(t, p, "PUT", path+"/suspend", nil).refused(403, "forbidden")
			if role != "syndic" {
				o.ask(t, p, "GET", path+"/settings", nil).refused(403, "forbidden")
				continue
			}
			got := o.ask(t, p, "PUT", path+"/settings", body{
				"four_eyes": "on", "language": "nl", "zone": "Europe/Paris",
				"rates": body{"late_interest": "8.5"},
			}).ok(200)
			require.Equal(t, "on", got.get("four_eyes"))
			require.InDelta(t, 8.5, got.at("rates.late_interest"), 0)
			read := o.ask(t, p, "GET", path+"/settings", nil).ok(200)
			require.Equal(t, got.json, read.json)
			for field, wrong := range map[string]any{
				"four_eyes": "maybe", "language": "tlh", "zone": "Mars", "rates": body{"x": "1.234"},
			} {
				bad := o.ask(t, p, "PUT", path+"/settings", body{field: wrong})
				bad.refused(400, "invalid_field")
				require.Equal(t, field, bad.get("errors.0.field"))
			}
		}
	})
}

func TestMandates(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	organization := o.organization(t)
	syndic := o.signedIn(t, organization, "syndic")
	auditor := o.signedIn(t, organization, "auditor")
	path := "/users/" + auditor.id.String() + "/mandates"
	register := func(name string) uuid.UUID {
		id := newID()
		_, err := commands.Handle(t.Context(), o.app, commands.System(organization, "test"),
			commands.RegisterBuilding{
				BuildingID: id, Name: name, Address: "A", City: "C", PostalCode: "1", Lots: 1,
				Country: "Belgium", Now: o.clock.now(),
			})
		require.NoError(t, err)
		return id
	}
	seen, hidden := register("Seen"), register("Hidden")
	today := o.clock.now().Format(time.DateOnly)

	require.Contains(t, o.ask(t, auditor, "GET", "/audit/log", nil).ok(200).text, hidden.String())
	for field, wrong := range map[string]any{
		"building_ids": []string{}, "from": "yesterday", "to": "2000-01-01",
	} {
		asked := body{"building_ids": []uuid.UUID{seen}, "from": today, "to": today}
		asked[field] = wrong
		got := o.ask(t, syndic, "POST", path, asked)
		got.refused(400, "invalid_field")
		require.Equal(t, field, got.get("errors.0.field"))
	}
	given := o.ask(t, syndic, "POST", path, body{
		"building_ids": []uuid.UUID{seen}, "from": today, "to": today,
	}, "Idempotency-Key", "one").ok(201)
	require.Equal(t, today+"T00:00:00Z", given.get("from"))
	again := o.ask(t, syndic, "POST", path, body{
		"building_ids": []uuid.UUID{seen}, "from": today, "to": today,
	}, "Idempotency-Key", "one").ok(201)
	require.Equal(t, given.json, again.json)
	listed := o.ask(t, syndic, "GET", path, nil).ok(200)
	require.Equal(t, []any{given.json}, listed.json)

	log := o.ask(t, auditor, "GET", "/audit/log", nil).ok(200)
	require.Contains(t, log.text, seen.String())
	require.NotContains(t, log.text, hidden.String())
	require.EqualValues(t, 1, log.at("pagination.total_items"))
	o.ask(t, auditor, "GET", "/audit/log/1", nil).refused(404, "not_found")
	o.ask(t, auditor, "GET", "/buildings/"+seen.String(), nil).ok(200)
	o.ask(t, auditor, "GET", "/buildings/"+hidden.String(), nil).refused(404, "not_found")

	o.ask(t, syndic, "POST", "/users/"+syndic.id.String()+"/mandates", body{
		"building_ids": []uuid.UUID{seen}, "from": today, "to": today,
	}).refused(409, "not_auditor")
	o.ask(t, syndic, "POST", path, body{
		"building_ids": []uuid.UUID{newID()}, "from": today, "to": today,
	}).refused(404, "not_found")
	o.ask(t, auditor, "DELETE", path+"/"+given.get("id"), nil).refused(403, "forbidden")
	o.ask(t, syndic, "DELETE", path+"/"+given.get("id"), nil).ok(204)
	o.ask(t, syndic, "DELETE", path+"/"+given.get("id"), nil).refused(404, "not_found")
	o.ask(t, auditor, "GET", "/audit/log/1", nil).ok(200)
}

func TestAudit(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	organization := o.organization(t)
	admin := o.signedIn(t, uuid.Nil, "superadmin")
	syndic := o.signedIn(t, organization, "syndic")
	o.ask(t, syndic, "PUT", "/organizations/"+organization.String()+"/settings",
		body{"language": "nl"}, "X-Request-Id", "settings-1").ok(200)

	t.Run("the log tells who did what, and is filtered", func(t *testing.T) {
		got := o.ask(t, syndic, "GET", "/audit/log?type=organization.settings_changed", nil).ok(200)
		require.EqualValues(t, 1, got.at("pagination.total_items"))
		require.Equal(t, syndic.id.String(), got.get("data.0.actor.id"))
		require.Contains(t, got.get("data.0.actor.name"), "Ann Peeters")
		require.Equal(t, "settings-1", got.get("data.0.correlation_id"))
		require.Equal(t, "nl", got.get("data.0.data.language"))
		one := o.ask(t, syndic, "GET", "/audit/log/3", nil).ok(200)
		require.EqualValues(t, 3, got.at("data.0.position"))
		require.Equal(t, got.at("data.0"), one.json)
		byActor := o.ask(t, syndic, "GET", "/audit/log?actor="+syndic.id.String(), nil).ok(200)
		require.EqualValues(t, 1, byActor.at("pagination.total_items"))
		after := o.ask(t, syndic, "GET", "/audit/log?after_position=3", nil).ok(200)
		require.EqualValues(t, 0, after.at("pagination.total_items"))
		past := o.ask(t, syndic, "GET", "/audit/log?to=2020-01-01", nil).ok(200)
		require.EqualValues(t, 0, past.at("pagination.total_items"))
		o.ask(t, syndic, "GET", "/audit/log/99", nil).refused(404, "not_found")
		o.ask(t, syndic, "GET", "/audit/log/0", nil).refused(400, "invalid_parameter")
		o.ask(t, syndic, "GET", "/audit/log?stream=x", nil).refused(400, "invalid_parameter")
	})
	t.Run("a superadmin reads the platform's log, or one that he names", func(t *testing.T) {
		platform := o.ask(t, admin, "GET", "/audit/log?type=account.opened", nil).ok(200)
		require.EqualValues(t, 2, platform.at("pagination.total_items"))
		named := o.ask(t, admin, "GET",
			"/audit/log?organization_id="+organization.String(), nil).ok(200)
		require.EqualValues(t, 3, named.at("pagination.total_items"))
	})
	t.Run("a checkpoint is signed, in JSON and as the note alone", func(t *testing.T) {
		got := o.ask(t, syndic, "GET", "/audit/checkpoint", nil).ok(200)
		require.EqualValues(t, 3, got.at("size"))
		key, err := o.store.Keyring().Notary().VerifierKey(t.Context(), organization)
		require.NoError(t, err)
		note := o.ask(t, syndic, "GET", "/audit/checkpoint", nil, "Accept", "text/plain")
		require.Equal(t, got.get("note"), note.text)
		require.Contains(t, note.header.Get("Content-Type"), "text/plain")
		signed, err := eventstore.VerifyNote(note.text, key)
		require.NoError(t, err)
		require.Equal(t, organization, signed.Organization)
		o.ask(t, syndic, "GET", "/audit/checkpoint?x=1", nil).refused(400, "unknown_parameter")
		o.ask(t, admin, "GET", "/audit/checkpoint?organization_id="+organization.String(), nil).
			ok(200)
	})
	t.Run("a verification is a job that its organization follows", func(t *testing.T) {
		got := o.ask(t, syndic, "POST", "/audit/verify", nil).ok(202)
		require.Equal(t, "/api/v1/jobs/"+got.get("id"), got.header.Get("Location"))
		require.Equal(t, "queued", got.get("status"))
		job := "/jobs/" + got.get("id")
		o.ask(t, syndic, "GET", job, nil).ok(200)
		o.ask(t, o.signedIn(t, organization, "accountant"), "GET", job, nil).
			refused(404, "not_found")
		o.ask(t, o.signedIn(t, o.organization(t), "syndic"), "GET", job, nil).
			refused(404, "not_found")
		o.ask(t, o.signedIn(t, organization, "owner"), "POST", "/audit/verify", nil).
			refused(403, "forbidden")
		_, err := o.store.Pool(eventstore.RoleJobs).Exec(t.Context(), `
update log.jobs set status = 'failed', problem = 'job_failed', finished_at = now()
 where organization_id = $1 and id = $2`, organization, got.get("id"))
		require.NoError(t, err)
		failed := o.ask(t, syndic, "GET", job, nil).ok(200)
		require.Equal(t, "job_failed", failed.get("problem.code"))
		require.NotNil(t, failed.at("finished_at"))
	})
}
