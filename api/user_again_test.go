package api_test

import (
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/koprogo/koprogo/eventstore"
)

// failing makes each append of an event type to an organization fail in the database until the
// returned function is called, as a crash between two appends would leave the log.
func (o *office) failing(t *testing.T, organization uuid.UUID, eventType string) (mend func()) {
	t.Helper()
	run := func(sql string) {
		conn, err := pgx.Connect(t.Context(), o.clone.SuperuserURL)
		require.NoError(t, err)
		defer conn.Close(t.Context())
		_, err = conn.Exec(t.Context(), sql)
		require.NoError(t, err)
	}
	run(`alter table log.events add constraint cut
	     check (organization_id <> '` + organization.String() + `' or type <> '` + eventType + `')
	     not valid`)
	return func() { run(`alter table log.events drop constraint cut`) }
}

func rolesOf(got answer) map[string]bool {
	roles := map[string]bool{}
	for _, one := range got.at("roles").([]any) {
		role := one.(map[string]any)
		roles[role["role"].(string)] = role["is_primary"].(bool)
	}
	return roles
}

// A request of several appends that was cut short between them goes on when it is repeated.
func TestARequestThatWasCutShortIsFinishedByItsRepetition(t *testing.T) {
	t.Parallel()
	for _, cut := range []struct{ name, eventType string }{
		{"before the role is granted", "member.role_granted"},
		{"before the old role is taken back", "member.role_revoked"},
	} {
		t.Run("a change of roles, "+cut.name, func(t *testing.T) {
			t.Parallel()
			o := openOffice(t)
			organization := o.organization(t)
			syndic := o.signedIn(t, organization, "syndic")
			p := o.user(t, organization, "owner")
			path, key := "/users/"+p.id.String(), newID().String()
			seen := o.ask(t, syndic, "GET", path, nil).ok(200).header.Get("ETag")
			wanted := body{"role": "accountant", "first_name": "Zoë"}
			ask := func(content body) answer {
				return o.ask(t, syndic, "PUT", path, content,
					"Idempotency-Key", key, "If-Match", seen)
			}
			mend := o.failing(t, organization, cut.eventType)
			require.GreaterOrEqual(t, ask(wanted).status, 500)
			mend()
			ask(body{"role": "auditor"}).refused(422, "idempotency_key_reused")
			finished := ask(wanted).ok(200)
			require.Equal(t, map[string]bool{"accountant": true}, rolesOf(finished))
			require.Equal(t, "Zoë", finished.get("first_name"))
			require.Equal(t, finished.json, o.ask(t, syndic, "GET", path, nil).ok(200).json)

			o.ask(t, syndic, "PUT", path, body{"role": "auditor"}).ok(200)
			again := ask(wanted).ok(200)
			require.Equal(t, "true", again.header.Get("Idempotency-Replayed"))
			require.Equal(t, finished.json, again.json, "as it was then, and nothing is done again")
			now := o.ask(t, syndic, "GET", path, nil).ok(200)
			require.Equal(t, map[string]bool{"auditor": true}, rolesOf(now))
			ask(body{"role": "auditor"}).refused(422, "idempotency_key_reused")
		})
	}
	t.Run("a new user", func(t *testing.T) {
		t.Parallel()
		o := openOffice(t)
		organization := o.organization(t)
		syndic := o.signedIn(t, organization, "syndic")
		wanted, key := newUser("accountant"), newID().String()
		mend := o.failing(t, organization, "member.role_granted")
		got := o.ask(t, syndic, "POST", "/users", wanted, "Idempotency-Key", key)
		require.GreaterOrEqual(t, got.status, 500)
		mend()
		finished := o.ask(t, syndic, "POST", "/users", wanted, "Idempotency-Key", key).ok(201)
		require.Equal(t, wanted["email"], finished.get("email"))
		require.Contains(t, o.mail(t, finished.get("email")), "set-password")
	})
}

func TestARefusedChangeOfRolesLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	organization := o.organization(t)
	syndic := o.signedIn(t, organization, "syndic")
	p, other := o.user(t, organization, "owner"), o.user(t, organization, "owner")
	path, key := "/users/"+p.id.String(), newID().String()
	before := o.ask(t, syndic, "GET", path, nil).ok(200)
	o.ask(t, syndic, "PUT", path, body{"role": "accountant", "email": other.email},
		"Idempotency-Key", key).refused(409, "email_taken")
	require.Equal(t, before.json, o.ask(t, syndic, "GET", path, nil).ok(200).json)
	member, err := o.app.Member(t.Context(), organization, p.id)
	require.NoError(t, err)
	require.Len(t, member.Roles, 1)
	// A refusal keeps no key, whatever is asked under it next.
	got := o.ask(t, syndic, "PUT", path, body{"role": "accountant"}, "Idempotency-Key", key).ok(200)
	require.Equal(t, map[string]bool{"accountant": true}, rolesOf(got))
	var reserved int
	require.NoError(t, o.store.Pool(eventstore.RoleJobs).QueryRow(t.Context(),
		`select count(*) from log.idempotency where status = 0`).Scan(&reserved))
	require.Zero(t, reserved)
}
