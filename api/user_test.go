package api_test

import (
	"fmt"
	"regexp"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/koprogo/koprogo/api"
	"github.com/koprogo/koprogo/commands"
	"github.com/koprogo/koprogo/eventstore"
)

func newUser(role string, more ...any) body {
	return withMore(body{
		"email": newID().String() + "@example.org", "first_name": "Bea",
		"last_name": "Maes", "role": role,
	}, more)
}

func TestUsers(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	organization := o.organization(t)
	admin := o.signedIn(t, uuid.Nil, "superadmin")
	syndic := o.signedIn(t, organization, "syndic")

	t.Run("a syndic opens accounts in his organization; the person is invited", func(t *testing.T) {
		wanted := newUser("accountant")
		got := o.ask(t, syndic, "POST", "/users", wanted).ok(201)
		require.Equal(t, wanted["email"], got.get("email"))
		require.Equal(t, organization.String(), got.get("roles.0.organization_id"))
		require.Equal(t, `"3"`, got.header.Get("ETag"))
		require.NotEmpty(t, got.header.Get("Koprogo-Position"))
		again := o.ask(t, syndic, "GET", "/users/"+got.get("id"), nil).ok(200)
		require.Equal(t, got.json, again.json)
		require.Equal(t, `"3"`, again.header.Get("ETag"))
		token := linkToken(t, o.mail(t, got.get("email")))
		o.ask(t, nil, "POST", "/auth/password/reset",
			body{"token": token, "new_password": "bea's own words"}).ok(200)
		o.signIn(t, &person{email: got.get("email"), password: "bea's own words"})
	})
	t.Run("an invitation is answered to who registers somebody, and lives 72 hours", func(t *testing.T) {
		got := o.ask(t, syndic, "POST", "/auth/register", newUser("owner")).ok(201)
		require.Equal(t, "owner", got.get("user.role"))
		require.Regexp(t, `^https://office\.example\.org/set-password#token=`,
			got.get("invitation.url"))
		expires, err := time.Parse(time.RFC3339, got.get("invitation.expires_at"))
		require.NoError(t, err)
		require.InDelta(t, 72, expires.Sub(o.clock.now()).Hours(), 0.1)
		require.NotContains(t, got.text, "refresh_token")
		require.Contains(t, o.mail(t, got.get("user.email")), "set-password")
	})
	t.Run("a password beside a user is not taken outside development", func(t *testing.T) {
		wanted := newUser("owner", "password", "honoured nowhere")
		got := o.ask(t, syndic, "POST", "/auth/register", wanted).ok(201)
		require.NotContains(t, got.text, "refresh_token")
		o.ask(t, nil, "POST", "/auth/login",
			body{"email": wanted["email"], "password": "honoured nowhere"}).
			refused(401, "invalid_credentials")
	})
	t.Run("an address belongs to one account, whatever its case", func(t *testing.T) {
		wanted := newUser("owner")
		o.ask(t, syndic, "POST", "/users", wanted).ok(201)
		wanted["email"] = regexp.MustCompile(`example`).
			ReplaceAllString(wanted["email"].(string), "EXAMPLE")
		o.ask(t, admin, "POST", "/users", newUser("owner", "email", wanted["email"],
			"organization_id", organization)).refused(409, "email_taken")
	})
	t.Run("wrong fields are named", func(t *testing.T) {
		for field, wrong := range map[string]any{
			"email": "no address", "first_name": "", "role": "king", "roles": []body{{}},
			"surname": "X",
		} {
			got := o.ask(t, syndic, "POST", "/users", newUser("owner", field, wrong))
			require.Equal(t, 400, got.status, got.text)
			require.Contains(t, got.get("errors.0.field"), field)
		}
		got := o.ask(t, syndic, "POST", "/users",
			body{"email": "x@example.org", "first_name": "X", "last_name": "X"})
		require.Equal(t, "role", got.get("errors.0.field"))
		got = o.ask(t, admin, "POST", "/users", newUser("owner"))
		require.Equal(t, "organization_id", got.get("errors.0.field"))
	})
	t.Run("the same create again answers the same user", func(t *testing.T) {
		wanted := newUser("owner", "id", newID())
		first := o.ask(t, syndic, "POST", "/users", wanted).ok(201)
		second := o.ask(t, syndic, "POST", "/users", wanted).ok(201)
		require.Equal(t, first.json, second.json)
		wanted["first_name"] = "Other"
		o.ask(t, syndic, "POST", "/users", wanted).refused(409, "id_taken")
	})
	t.Run("a repeated request is answered as it was then", func(t *testing.T) {
		wanted, key := newUser("owner"), newID().String()
		first := o.ask(t, syndic, "POST", "/users", wanted, "Idempotency-Key", key).ok(201)
		o.ask(t, syndic, "PUT", "/users/"+first.get("id"), body{"first_name": "Later"}).ok(200)
		second := o.ask(t, syndic, "POST", "/users", wanted, "Idempotency-Key", key).ok(201)
		require.Equal(t, first.json, second.json)
		require.Equal(t, "true", second.header.Get("Idempotency-Replayed"))
		wanted["first_name"] = "X"
		o.ask(t, syndic, "POST", "/users", wanted, "Idempotency-Key", key).
			refused(422, "idempotency_key_reused")
		key = newID().String()
		o.ask(t, syndic, "DELETE", "/users/"+first.get("id"), nil, "Idempotency-Key", key).ok(204)
		gone := o.ask(t, syndic, "DELETE", "/users/"+first.get("id"), nil, "Idempotency-Key", key)
		require.Equal(t, "true", gone.ok(204).header.Get("Idempotency-Replayed"))
	})
	t.Run("a change takes the fields that it gives, on the state that it saw", func(t *testing.T) {
		p := o.user(t, organization, "owner")
		path := "/users/" + p.id.String()
		seen := o.ask(t, syndic, "GET", path, nil).ok(200).header.Get("ETag")
		got := o.ask(t, syndic, "PUT", path, body{"first_name": "Zoë"}, "If-Match", seen).ok(200)
		require.Equal(t, "Zoë", got.get("first_name"))
		require.Equal(t, p.email, got.get("email"))
		require.NotEqual(t, seen, got.header.Get("ETag"))
		o.ask(t, syndic, "PUT", path, body{"first_name": "Zed"}, "If-Match", seen).
			refused(412, "precondition_failed")
		o.ask(t, syndic, "PUT", path, body{"first_name": ""}).refused(400, "invalid_field")
	})
	t.Run("a role alone replaces the one that is shown, roles the whole set", func(t *testing.T) {
		p := o.user(t, organization, "owner")
		path := "/users/" + p.id.String()
		got := o.ask(t, syndic, "PUT", path, body{"role": "accountant"}).ok(200)
		require.Len(t, got.at("roles"), 1)
		require.Equal(t, "accountant", got.get("active_role.role"))
		got = o.ask(t, syndic, "PUT", path, body{"roles": []body{
			{"role": "accountant"}, {"role": "auditor", "is_primary": true},
		}}).ok(200)
		require.Len(t, got.at("roles"), 2)
		require.Equal(t, "auditor", got.get("role"))
		got = o.ask(t, syndic, "PUT", path, body{"roles": []body{
			{"role": "accountant", "is_primary": true},
		}}).ok(200)
		require.Len(t, got.at("roles"), 1)
		require.Equal(t, "accountant", got.get("active_role.role"))
		o.ask(t, syndic, "PUT", path, body{"roles": []body{}}).refused(400, "invalid_field")
		o.ask(t, syndic, "PUT", path, body{"roles": []body{
			{"role": "owner", "is_primary": true}, {"role": "auditor", "is_primary": true},
		}}).refused(400, "invalid_field")
	})
	t.Run("roles are given and taken back, but not the last one", func(t *testing.T) {
		p := o.user(t, organization, "owner")
		path := "/users/" + p.id.String() + "/roles"
		got := o.ask(t, syndic, "POST", path, body{"role": "auditor"}).ok(201)
		require.Len(t, got.at("roles"), 2)
		o.ask(t, syndic, "POST", path, body{"role": "auditor"}).refused(409, "role_held")
		o.ask(t, syndic, "DELETE", path+"/"+got.get("roles.1.id"), nil).ok(204)
		o.ask(t, syndic, "DELETE", path+"/"+got.get("roles.1.id"), nil).refused(404, "not_found")
		o.ask(t, syndic, "DELETE", path+"/"+p.role.String(), nil).refused(409, "last_role")
	})
	t.Run("a deletion frees the address", func(t *testing.T) {
		p := o.user(t, organization, "owner")
		path := "/users/" + p.id.String()
		o.ask(t, syndic, "DELETE", path, nil).ok(204)
		o.ask(t, syndic, "GET", path, nil).refused(404, "not_found")
		o.ask(t, syndic, "DELETE", path, nil).refused(404, "not_found")
		o.ask(t, syndic, "POST", "/users", newUser("owner", "email", p.email)).ok(201)
	})
	t.Run("nobody deactivates, deletes or demotes himself", func(t *testing.T) {
		me := "/users/" + syndic.id.String()
		o.ask(t, syndic, "PUT", me+"/deactivate", nil).refused(409, "own_account")
		o.ask(t, syndic, "DELETE", me, nil).refused(409, "own_account")
		o.ask(t, syndic, "PUT", me, body{"role": "owner"}).refused(409, "own_account")
		o.ask(t, syndic, "DELETE", me+"/roles/"+syndic.role.String(), nil).
			refused(409, "own_account")
	})
	t.Run("who else asks may not", func(t *testing.T) {
		for _, role := range []string{"accountant", "auditor", "owner"} {
			p := o.signedIn(t, organization, role)
			o.ask(t, p, "GET", "/users", nil).refused(403, "forbidden")
			o.ask(t, p, "POST", "/users", newUser("owner")).refused(403, "forbidden")
			o.ask(t, p, "POST", "/auth/register", newUser("owner")).refused(403, "forbidden")
			o.ask(t, p, "GET", "/users/"+p.id.String(), nil).refused(403, "forbidden")
		}
		o.ask(t, nil, "GET", "/users", nil).refused(401, "unauthenticated")
	})
	t.Run("a list is paged, sorted and filtered, and shows what was just written", func(t *testing.T) {
		place := o.organization(t)
		boss := o.signedIn(t, place, "syndic")
		for i := range 3 {
			o.ask(t, boss, "POST", "/users", newUser("owner", "last_name",
				fmt.Sprintf("Zorro %d", i))).ok(201)
		}
		got := o.ask(t, boss, "GET",
			"/users?sort_by=last_name&order=desc&per_page=2&role=owner", nil).ok(200)
		require.EqualValues(t, 3, got.at("pagination.total_items"))
		require.Equal(t, "Zorro 2", got.get("data.0.last_name"))
		next := o.ask(t, boss, "GET", "/users?sort_by=last_name&order=desc&per_page=2&role=owner"+
			"&cursor="+got.get("pagination.next_cursor"), nil).ok(200)
		require.Equal(t, "Zorro 0", next.get("data.0.last_name"))
		all := o.ask(t, admin, "GET", "/users?per_page=1000&q=zorro", nil).ok(200)
		require.EqualValues(t, 3, all.at("pagination.total_items"))
		here := o.ask(t, admin, "GET", "/users?organization_id="+place.String(), nil).ok(200)
		require.EqualValues(t, 4, here.at("pagination.total_items"))
		o.ask(t, admin, "GET", "/users?per_page=1001", nil).refused(400, "invalid_parameter")
		o.ask(t, boss, "GET", "/users?sort_by=password", nil).refused(400, "invalid_parameter")
	})
	t.Run("who reads a person's data is recorded", func(t *testing.T) {
		p := o.user(t, organization, "owner")
		o.ask(t, syndic, "GET", "/users/"+p.id.String(), nil, "X-Request-Id", "look-1").ok(200)
		require.Eventually(t, func() bool {
			var n int
			require.NoError(t, o.store.Pool(eventstore.RoleJobs).QueryRow(t.Context(),
				`select count(*) from log.access where organization_id = $1 and subject = $2
				    and actor = $3 and role = 'syndic' and request_id = 'look-1'`,
				organization, p.id, syndic.id).Scan(&n))
			return n == 1
		}, 5*time.Second, 20*time.Millisecond)
	})
}

func TestRegisterInDevelopment(t *testing.T) {
	t.Parallel()
	o := openOffice(t, func(a *api.Accounts) { a.Development = true })
	syndic := o.signedIn(t, o.organization(t), "syndic")
	got := o.ask(t, syndic, "POST", "/auth/register",
		newUser("owner", "password", "a password of dev")).ok(201)
	p := &person{token: got.get("token"), refresh: got.get("refresh_token")}
	me := o.ask(t, p, "GET", "/auth/me", nil).ok(200)
	require.Equal(t, got.at("user"), me.json)
	o.ask(t, syndic, "POST", "/auth/register", newUser("owner", "password", "short")).
		refused(400, "invalid_field")
	user := o.ask(t, syndic, "POST", "/users", newUser("owner", "password", "of dev as well")).ok(201)
	o.signIn(t, &person{email: user.get("email"), password: "of dev as well"})
	path := "/users/" + user.get("id")
	o.ask(t, syndic, "PUT", path, body{"password": "another of dev"}).ok(200)
	o.signIn(t, &person{email: user.get("email"), password: "another of dev"})
}

// A syndic sees nothing of another organization, and touches nobody who holds more than he gives.
func TestTenancyOfUsers(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	a, b := o.organization(t), o.organization(t)
	admin := o.signedIn(t, uuid.Nil, "superadmin")
	theirs, auditor := o.user(t, a, "owner"), o.user(t, a, "auditor")
	building := newID()
	_, err := commands.Handle(t.Context(), o.app, commands.System(a, "test"),
		commands.RegisterBuilding{
			BuildingID: building, Name: "B", Address: "A", City: "C", PostalCode: "1", Lots: 1,
			Country: "Belgium", Now: time.Now(),
		})
	require.NoError(t, err)
	mandate := o.ask(t, admin, "POST", "/users/"+auditor.id.String()+"/mandates", body{
		"building_ids": []uuid.UUID{building}, "from": "2026-01-01", "to": "2026-12-31",
	}).ok(201).get("id")
	intruder := o.signedIn(t, b, "syndic")
	user := "/users/" + theirs.id.String()
	for _, asked := range []struct {
		method, path string
		body         any
	}{
		{"GET", user, nil},
		{"PUT", user, body{"first_name": "Mine"}},
		{"DELETE", user, nil},
		{"PUT", user + "/activate", nil},
		{"PUT", user + "/deactivate", nil},
		{"POST", user + "/roles", body{"role": "owner"}},
		{"POST", user + "/roles", body{"role": "owner", "organization_id": b}},
		{"DELETE", user + "/roles/" + theirs.role.String(), nil},
		{"GET", "/users/" + auditor.id.String() + "/mandates", nil},
		{"POST", "/users/" + auditor.id.String() + "/mandates", body{
			"building_ids": []uuid.UUID{building}, "from": "2026-01-01", "to": "2026-12-31",
		}},
		{"DELETE", "/users/" + auditor.id.String() + "/mandates/" + mandate, nil},
		{"GET", "/users?organization_id=" + a.String(), nil},
		{"POST", "/users", newUser("owner", "organization_id", a)},
		{"POST", "/users", newUser("owner", "roles",
			[]body{{"role": "owner", "organization_id": a}})},
		{"POST", "/auth/register", newUser("owner", "organization_id", a)},
		{"GET", "/organizations/" + a.String() + "/settings", nil},
		{"PUT", "/organizations/" + a.String() + "/settings", body{"language": "nl"}},
		{"GET", "/audit/log?organization_id=" + a.String(), nil},
		{"GET", "/audit/checkpoint?organization_id=" + a.String(), nil},
		{"GET", "/audit/log/5", nil},
		{"POST", "/audit/verify", body{"organization_id": a}},
	} {
		got := o.ask(t, intruder, asked.method, asked.path, asked.body)
		require.Equal(t, 404, got.status, "%s %s: %s", asked.method, asked.path, got.text)
		require.NotContains(t, got.text, a.String())
	}
	listed := o.ask(t, intruder, "GET", "/users", nil).ok(200)
	require.EqualValues(t, 1, listed.at("pagination.total_items"))
	untouched := o.ask(t, admin, "GET", user, nil).ok(200)
	require.Equal(t, "Ann", untouched.get("first_name"))
	require.Equal(t, true, untouched.at("is_active"))

	t.Run("no superadmin is made or touched by a syndic", func(t *testing.T) {
		o.ask(t, intruder, "POST", "/users", newUser("superadmin")).refused(403, "forbidden")
		o.ask(t, intruder, "POST", "/auth/register", newUser("superadmin")).refused(403, "forbidden")
		own := o.user(t, b, "owner")
		o.ask(t, intruder, "POST", "/users/"+own.id.String()+"/roles",
			body{"role": "superadmin"}).refused(403, "forbidden")
		o.ask(t, intruder, "PUT", "/users/"+own.id.String(), body{"role": "superadmin"}).
			refused(403, "forbidden")
		o.ask(t, intruder, "GET", "/users/"+admin.id.String(), nil).refused(404, "not_found")
		o.ask(t, admin, "POST", "/users/"+admin.id.String()+"/roles",
			body{"role": "owner", "organization_id": b}).ok(201)
		path := "/users/" + admin.id.String()
		seen := o.ask(t, intruder, "GET", path, nil).ok(200)
		require.Len(t, seen.at("roles"), 1)
		require.Equal(t, "owner", seen.get("role"))
		for _, refused := range []answer{
			o.ask(t, intruder, "PUT", path, body{"email": "taken@over.example"}),
			o.ask(t, intruder, "PUT", path+"/deactivate", nil),
			o.ask(t, intruder, "DELETE", path, nil),
			o.ask(t, intruder, "POST", path+"/roles", body{"role": "auditor"}),
		} {
			refused.refused(403, "forbidden")
		}
	})
	t.Run("an account that two organizations share is changed by neither", func(t *testing.T) {
		p := o.user(t, b, "owner")
		path := "/users/" + p.id.String()
		o.ask(t, admin, "POST", path+"/roles",
			body{"role": "syndic", "organization_id": a}).ok(201)
		seen := o.ask(t, intruder, "GET", path, nil).ok(200)
		require.NotContains(t, seen.text, a.String())
		require.Len(t, seen.at("roles"), 1)
		o.ask(t, intruder, "PUT", path, body{"email": "taken@over.example"}).
			refused(403, "forbidden")
		o.ask(t, intruder, "PUT", path+"/deactivate", nil).refused(403, "forbidden")
		o.ask(t, intruder, "DELETE", path, nil).ok(204)
		o.ask(t, intruder, "GET", path, nil).refused(404, "not_found")
		left := o.ask(t, admin, "GET", path, nil).ok(200)
		require.Len(t, left.at("roles"), 1)
		require.Equal(t, a.String(), left.get("organization_id"))
	})
	t.Run("two superadmins who deactivate each other do not both succeed", func(t *testing.T) {
		place := openOffice(t)
		pair := [2]*person{
			place.signedIn(t, uuid.Nil, "superadmin"), place.signedIn(t, uuid.Nil, "superadmin"),
		}
		var all sync.WaitGroup
		for i, p := range pair {
			all.Go(func() {
				place.ask(t, p, "PUT", "/users/"+pair[1-i].id.String()+"/deactivate", nil)
			})
		}
		all.Wait()
		left := 0
		for _, p := range pair {
			got := place.ask(t, nil, "POST", "/auth/login",
				body{"email": p.email, "password": p.password})
			if got.status == 200 {
				left++
			}
		}
		require.Equal(t, 1, left)
	})
}

// A plan's places hold in a race, and a refused account leaves no trace.
func TestPlanLimitOverREST(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	admin := o.signedIn(t, uuid.Nil, "superadmin")
	place := o.ask(t, admin, "POST", "/organizations", body{
		"name": "Petit", "slug": "petit", "contact_email": "p@example.org",
		"subscription_plan": "free",
	}).ok(201).get("id")
	emails := make([]string, 8)
	statuses := make([]int, len(emails))
	var made atomic.Int64
	var all sync.WaitGroup
	for i := range emails {
		emails[i] = fmt.Sprintf("racer-%d@example.org", i)
		all.Go(func() {
			got := o.ask(t, admin, "POST", "/users", newUser("owner", "email", emails[i],
				"organization_id", place))
			if statuses[i] = got.status; got.status == 201 {
				made.Add(1)
			}
		})
	}
	all.Wait()
	require.EqualValues(t, 3, made.Load())
	other := o.organization(t)
	for i, status := range statuses {
		if status == 201 {
			continue
		}
		require.Equal(t, 409, status)
		o.ask(t, admin, "POST", "/users", newUser("owner", "email", emails[i],
			"organization_id", other)).ok(201)
	}
	o.ask(t, admin, "POST", "/users", newUser("owner", "organization_id", place)).
		refused(409, "plan_limit")
}

// TestGoldenAnswers fixes the shapes that clients rely on: later versions only add fields.
func TestGoldenAnswers(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	organization := o.organization(t)
	admin := o.signedIn(t, uuid.Nil, "superadmin")
	syndic := o.signedIn(t, organization, "syndic")
	at := "/organizations/" + organization.String()
	o.ask(t, syndic, "PUT", at+"/settings", body{"rates": body{"late_interest": 1.75}}).ok(200)
	auditor := o.user(t, organization, "auditor")
	for name, got := range map[string]answer{
		"login": o.ask(t, nil, "POST", "/auth/login",
			body{"email": auditor.email, "password": auditor.password}),
		"register":     o.ask(t, syndic, "POST", "/auth/register", newUser("owner")),
		"user":         o.ask(t, syndic, "GET", "/users/"+auditor.id.String(), nil),
		"users":        o.ask(t, syndic, "GET", "/users?per_page=1", nil),
		"sessions":     o.ask(t, syndic, "GET", "/auth/sessions", nil),
		"two_factor":   o.ask(t, syndic, "GET", "/2fa/status", nil),
		"organization": o.ask(t, admin, "GET", at, nil),
		"settings":     o.ask(t, syndic, "GET", at+"/settings", nil),
		"audit_log":    o.ask(t, syndic, "GET", "/audit/log?per_page=1", nil),
		"checkpoint":   o.ask(t, syndic, "GET", "/audit/checkpoint", nil),
		"job":          o.ask(t, syndic, "POST", "/audit/verify", nil),
	} {
		got.golden(name)
	}
}
