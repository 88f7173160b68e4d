package api_test

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/pquerna/otp/totp"
	"github.com/stretchr/testify/require"

	"github.com/koprogo/koprogo/api"
	"github.com/koprogo/koprogo/commands"
	"github.com/koprogo/koprogo/eventstore"
	"github.com/koprogo/koprogo/eventstore/eventstoretest"
	"github.com/koprogo/koprogo/migrations/migrationstest"
)

func TestLogin(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	organization := o.organization(t)

	t.Run("the right password gives a pair of tokens and the user", func(t *testing.T) {
		p := o.user(t, organization, "syndic")
		got := o.ask(t, nil, "POST", "/auth/login",
			body{"email": " " + strings.ToUpper(p.email), "password": p.password}).ok(200)
		require.Equal(t, p.id.String(), got.get("user.id"))
		require.Equal(t, p.email, got.get("user.email"))
		require.Equal(t, "syndic", got.get("user.role"))
		require.Equal(t, organization.String(), got.get("user.organization_id"))
		require.Equal(t, p.role.String(), got.get("user.active_role.id"))
		require.Equal(t, true, got.at("user.roles.0.is_primary"))
		require.Equal(t, true, got.at("user.is_active"))
		require.Equal(t, "no-store", got.header.Get("Cache-Control"))
		p.token = got.get("token")
		me := o.ask(t, p, "GET", "/auth/me", nil).ok(200)
		require.Equal(t, got.at("user"), me.json)
		require.NotEmpty(t, me.header.Get("ETag"))
	})
	t.Run("unknown, wrong, closed and never invited sound and cost the same", func(t *testing.T) {
		wrong, closed := o.user(t, organization, "owner"), o.user(t, organization, "owner")
		off := o.user(t, organization, "owner")
		_, err := o.app.CloseAccount(t.Context(), commands.System(eventstore.Platform, "test"),
			closed.id, uuid.Nil)
		require.NoError(t, err)
		_, err = commands.Handle(t.Context(), o.app, commands.System(eventstore.Platform, "test"),
			&commands.DeactivateAccount{AccountID: off.id})
		require.NoError(t, err)
		texts := map[string]bool{}
		for _, tried := range []body{
			{"email": "nobody@example.org", "password": "some password"},
			{"email": wrong.email, "password": "some password"},
			{"email": closed.email, "password": closed.password},
			{"email": off.email, "password": off.password},
		} {
			o.clock.forward(15 * time.Minute)
			before := o.credentials.Hashes()
			got := o.ask(t, nil, "POST", "/auth/login", tried)
			got.refused(401, "invalid_credentials")
			require.EqualValues(t, 1, o.credentials.Hashes()-before)
			texts[got.get("detail")] = true
		}
		require.Len(t, texts, 1)
	})
	t.Run("five failures lock the account, then the address, for fifteen minutes", func(t *testing.T) {
		o.clock.forward(15 * time.Minute)
		p := o.user(t, organization, "owner")
		for range 5 {
			o.ask(t, nil, "POST", "/auth/login",
				body{"email": p.email, "password": "no"}).refused(401, "invalid_credentials")
		}
		got := o.ask(t, nil, "POST", "/auth/login", body{"email": p.email, "password": p.password})
		got.refused(429, "too_many_attempts")
		require.Regexp(t, `^(900|89\d)$`, got.header.Get("Retry-After"))
		other := o.user(t, organization, "owner")
		o.ask(t, nil, "POST", "/auth/login", body{"email": other.email, "password": other.password}).
			refused(429, "too_many_attempts")
		o.clock.forward(15 * time.Minute)
		o.signIn(t, p)
	})
	t.Run("an account whose second append is missing is not there", func(t *testing.T) {
		id := newID()
		caller := commands.System(eventstore.Platform, "test")
		_, err := commands.Handle(t.Context(), o.app, caller, &commands.OpenAccount{
			AccountID: id, Email: "half@example.org", FirstName: "H", LastName: "H",
			Roles: []commands.RoleOffer{{ID: newID(), Role: "owner", Organization: organization}},
		})
		require.NoError(t, err)
		hash, err := o.credentials.Hash(t.Context(), "half a password")
		require.NoError(t, err)
		require.NoError(t, o.credentials.SetPassword(t.Context(), id, hash))
		o.ask(t, nil, "POST", "/auth/login",
			body{"email": "half@example.org", "password": "half a password"}).
			refused(401, "invalid_credentials")
		syndic := o.signedIn(t, organization, "syndic")
		o.ask(t, syndic, "GET", "/users/"+id.String(), nil).refused(404, "not_found")
	})
	t.Run("fields are required, and no idempotency key is taken", func(t *testing.T) {
		o.ask(t, nil, "POST", "/auth/login", body{"email": "a@b.be"}).refused(400, "invalid_field")
		o.ask(t, nil, "POST", "/auth/login", body{"email": "a@b.be", "password": "x"},
			"Idempotency-Key", "k").refused(400, "idempotency_key_forbidden")
	})
}

func TestRefresh(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	organization := o.organization(t)
	refresh := func(t *testing.T, token string) answer {
		t.Helper()
		return o.ask(t, nil, "POST", "/auth/refresh", body{"refresh_token": token})
	}

	t.Run("each use gives a new pair of the same session", func(t *testing.T) {
		p := o.signedIn(t, organization, "syndic")
		got := refresh(t, p.refresh).ok(200)
		require.NotEqual(t, p.refresh, got.get("refresh_token"))
		p.token = got.get("token")
		list := o.ask(t, p, "GET", "/auth/sessions", nil).ok(200)
		require.Len(t, list.json, 1)
		require.Equal(t, true, list.at("0.is_current"))
		require.Equal(t, "127.0.0.1", list.get("0.address"))
	})
	t.Run("used again within 30 s it gives a fresh pair, later it ends the session", func(t *testing.T) {
		p := o.signedIn(t, organization, "syndic")
		first := refresh(t, p.refresh).ok(200)
		o.clock.forward(20 * time.Second)
		second := refresh(t, p.refresh).ok(200)
		require.NotEqual(t, first.get("refresh_token"), second.get("refresh_token"))
		refresh(t, first.get("refresh_token")).ok(200)
		o.clock.forward(31 * time.Second)
		refresh(t, p.refresh).refused(401, "unauthenticated")
		refresh(t, second.get("refresh_token")).refused(401, "unauthenticated")
		p.token = second.get("token")
		o.ask(t, p, "GET", "/auth/me", nil).refused(401, "unauthenticated")
	})
	t.Run("what is no token of ours is 401", func(t *testing.T) {
		refresh(t, "nonsense").refused(401, "unauthenticated")
		require.Equal(t, 204, o.ask(t, nil, "POST", "/auth/logout",
			body{"refresh_token": "nonsense"}).status)
	})
	t.Run("signing out ends access and refresh at once", func(t *testing.T) {
		p := o.signedIn(t, organization, "syndic")
		o.ask(t, p, "GET", "/auth/me", nil).ok(200)
		o.ask(t, nil, "POST", "/auth/logout", body{"refresh_token": p.refresh}).ok(204)
		o.ask(t, p, "GET", "/auth/me", nil).refused(401, "unauthenticated")
		refresh(t, p.refresh).refused(401, "unauthenticated")
	})
	t.Run("a session is ended from another one, and by nobody else", func(t *testing.T) {
		p := o.signedIn(t, organization, "syndic")
		stolen := *p
		o.signIn(t, p)
		list := o.ask(t, p, "GET", "/auth/sessions", nil).ok(200)
		require.Len(t, list.json, 2)
		old := list.get("1.id")
		other := o.signedIn(t, organization, "syndic")
		o.ask(t, other, "DELETE", "/auth/sessions/"+old, nil).refused(404, "not_found")
		o.ask(t, p, "DELETE", "/auth/sessions/"+old, nil).ok(204)
		o.ask(t, &stolen, "GET", "/auth/me", nil).refused(401, "unauthenticated")
		o.ask(t, p, "GET", "/auth/me", nil).ok(200)
	})
	t.Run("tokens end with their time", func(t *testing.T) {
		p := o.signedIn(t, organization, "syndic")
		o.clock.forward(time.Hour)
		o.ask(t, p, "GET", "/auth/me", nil).refused(401, "unauthenticated")
		refresh(t, p.refresh).ok(200)
		late := o.signedIn(t, organization, "syndic")
		o.clock.forward(7 * 24 * time.Hour)
		refresh(t, late.refresh).refused(401, "unauthenticated")
	})
}

func TestPasswordRoutes(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	organization := o.organization(t)

	t.Run("a change asks for the present one, ends every session and gives a fresh pair", func(t *testing.T) {
		p := o.signedIn(t, organization, "syndic")
		old := *p
		o.signIn(t, p)
		put := func(current, next string) answer {
			return o.ask(t, p, "PUT", "/auth/password",
				body{"current_password": current, "new_password": next})
		}
		wrong := put("wrong", "a quite new password")
		wrong.refused(400, "invalid_field")
		require.Equal(t, "wrong_password", wrong.get("errors.0.code"))
		require.Equal(t, "too_short", put(p.password, "short").get("errors.0.code"))
		require.Equal(t, "too_long",
			put(p.password, strings.Repeat("x y", 60)).get("errors.0.code"))
		require.Equal(t, "password_common", put(p.password, "Password1").get("errors.0.code"))
		before := *p
		got := put(p.password, "a quite new password").ok(200)
		require.NotEmpty(t, got.header.Get("Cache-Control"))
		for _, ended := range []person{old, before} {
			o.ask(t, &ended, "GET", "/auth/me", nil).refused(401, "unauthenticated")
			o.ask(t, nil, "POST", "/auth/refresh", body{"refresh_token": ended.refresh}).
				refused(401, "unauthenticated")
		}
		p.token = got.get("token")
		o.ask(t, p, "GET", "/auth/me", nil).ok(200)
		p.password = "a quite new password"
		o.signIn(t, p)
	})
	t.Run("five wrong guesses at the present one lock the change", func(t *testing.T) {
		p := o.signedIn(t, organization, "syndic")
		for range 5 {
			o.ask(t, p, "PUT", "/auth/password",
				body{"current_password": "wrong", "new_password": "a quite new password"}).
				refused(400, "invalid_field")
		}
		o.ask(t, p, "PUT", "/auth/password",
			body{"current_password": p.password, "new_password": "a quite new password"}).
			refused(429, "too_many_attempts")
	})
	t.Run("a forgotten one is set by a link that works once", func(t *testing.T) {
		p := o.signedIn(t, organization, "owner")
		o.ask(t, nil, "POST", "/auth/password/forgot", body{"email": p.email},
			"Accept-Language", "nl").ok(202)
		mail := o.mail(t, p.email)
		require.Contains(t, mail, "Uw KoproGo-wachtwoord")
		token := linkToken(t, mail)
		reset := func(password string) answer {
			return o.ask(t, nil, "POST", "/auth/password/reset",
				body{"token": token, "new_password": password})
		}
		reset("short").refused(400, "invalid_field")
		got := reset("a password by link").ok(200)
		require.Equal(t, p.id.String(), got.get("id"))
		reset("another by the same").refused(409, "link_spent")
		o.ask(t, p, "GET", "/auth/me", nil).refused(401, "unauthenticated")
		p.password = "a password by link"
		o.signIn(t, p)
	})
	t.Run("nobody learns who has an account", func(t *testing.T) {
		before := o.credentials.Hashes()
		got := o.ask(t, nil, "POST", "/auth/password/forgot", body{"email": "nobody@example.org"})
		require.Equal(t, 202, got.status)
		require.Equal(t, before, o.credentials.Hashes())
		o.ask(t, nil, "POST", "/auth/password/reset",
			body{"token": "made up", "new_password": "a password by link"}).
			refused(409, "link_spent")
	})
}

// linkToken finds the token in a mail, whose long lines are folded.
func linkToken(t *testing.T, mail string) string {
	t.Helper()
	text := strings.NewReplacer("=\r\n", "", "=3D", "=").Replace(mail)
	found := regexp.MustCompile(`https://office\.example\.org/set-password#token=(\S+)`).
		FindStringSubmatch(text)
	require.NotNil(t, found, text)
	token, err := url.QueryUnescape(found[1])
	require.NoError(t, err)
	return token
}

func TestTwoFactorRoutes(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	organization := o.organization(t)
	p := o.signedIn(t, organization, "accountant")
	status := func() answer { return o.ask(t, p, "GET", "/2fa/status", nil).ok(200) }
	require.Equal(t, false, status().at("is_enabled"))
	o.ask(t, p, "POST", "/2fa/enable", body{"totp_code": "123456"}).
		refused(409, "two_factor_disabled")

	setup := o.ask(t, p, "POST", "/2fa/setup", nil).ok(200)
	require.Equal(t, p.email, setup.get("account_name"))
	require.Equal(t, "KoproGo", setup.get("issuer"))
	require.Regexp(t, `^data:image/png;base64,iVBOR`, setup.get("qr_code_data_url"))
	require.Len(t, setup.at("backup_codes"), 10)
	code := func() string {
		text, err := totp.GenerateCode(setup.get("secret"), o.clock.now())
		require.NoError(t, err)
		return text
	}
	require.Equal(t, false, status().at("is_enabled"), "a secret alone enables nothing")
	wrong := o.ask(t, p, "POST", "/2fa/enable", body{"totp_code": "000000"})
	wrong.refused(400, "invalid_field")
	require.Equal(t, "totp_invalid", wrong.get("errors.0.code"))
	used := code()
	enabled := o.ask(t, p, "POST", "/2fa/enable", body{"totp_code": used}).ok(200)
	require.Equal(t, true, enabled.at("is_enabled"))
	require.EqualValues(t, 10, enabled.at("backup_codes_remaining"))
	require.NotEmpty(t, enabled.header.Get("Koprogo-Position"))
	o.ask(t, p, "POST", "/2fa/setup", nil).refused(409, "two_factor_enabled")
	o.ask(t, p, "POST", "/2fa/enable", body{"totp_code": used}).
		refused(409, "two_factor_enabled")

	login := func(code string) answer {
		with := body{"email": p.email, "password": p.password}
		if code != "" {
			with["totp_code"] = code
		}
		return o.ask(t, nil, "POST", "/auth/login", with)
	}
	login("").refused(401, "totp_required")
	login(used).refused(401, "totp_invalid")
	o.clock.forward(30 * time.Second)
	fresh := code()
	login(fresh).ok(200)
	login(fresh).refused(401, "totp_invalid")
	backup := setup.get("backup_codes.0")
	login(backup).ok(200)
	login(backup).refused(401, "totp_invalid")
	require.EqualValues(t, 9, status().at("backup_codes_remaining"))

	o.clock.forward(30 * time.Second)
	o.ask(t, p, "POST", "/2fa/verify", body{"totp_code": code()}).ok(200)
	o.clock.forward(30 * time.Second)
	renewed := o.ask(t, p, "POST", "/2fa/regenerate-backup-codes", body{"totp_code": code()}).ok(200)
	require.Len(t, renewed.at("backup_codes"), 10)
	o.clock.forward(15 * time.Minute)
	login(setup.get("backup_codes.1")).refused(401, "totp_invalid")
	login(renewed.get("backup_codes.1")).ok(200)

	o.ask(t, p, "POST", "/2fa/disable", body{"current_password": "wrong"}).
		refused(400, "invalid_field")
	disabled := o.ask(t, p, "POST", "/2fa/disable", body{"current_password": p.password}).ok(200)
	require.Equal(t, false, disabled.at("is_enabled"))
	o.ask(t, p, "POST", "/2fa/disable", body{"current_password": p.password}).
		refused(409, "two_factor_disabled")
	login("").ok(200)
}

func TestSwitchRole(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	first, second := o.organization(t), o.organization(t)
	p := o.signedIn(t, first, "accountant")
	other := newID()
	_, err := o.app.GrantRole(t.Context(), commands.System(eventstore.Platform, "test"), p.id,
		commands.RoleOffer{ID: other, Role: "auditor", Organization: second})
	require.NoError(t, err)

	got := o.ask(t, p, "POST", "/auth/switch-role", body{"role_id": other}).ok(200)
	require.Equal(t, "auditor", got.get("user.role"))
	require.Equal(t, second.String(), got.get("user.organization_id"))
	require.Equal(t, other.String(), got.get("user.active_role.id"))
	primary := 0
	for i := range got.at("user.roles").([]any) {
		if got.at(fmt.Sprintf("user.roles.%d.is_primary", i)) == any(true) {
			primary++
		}
	}
	require.Equal(t, 1, primary)
	auditor := &person{token: got.get("token")}
	o.ask(t, auditor, "GET", "/audit/log", nil).ok(200)
	o.ask(t, auditor, "GET", "/users", nil).refused(403, "forbidden")
	o.ask(t, p, "POST", "/auth/switch-role", body{"role_id": newID()}).refused(404, "not_found")
	o.ask(t, p, "POST", "/auth/switch-role", body{"role_id": "x"}).refused(400, "invalid_field")
}

// What is taken away holds on the very next request, although the one before was answered.
func TestStandingHoldsAtOnce(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	organization := o.organization(t)
	admin := o.signedIn(t, uuid.Nil, "superadmin")
	me := func(p *person) answer { return o.ask(t, p, "GET", "/auth/me", nil) }

	t.Run("a deactivation", func(t *testing.T) {
		p := o.signedIn(t, organization, "accountant")
		me(p).ok(200)
		o.ask(t, admin, "PUT", "/users/"+p.id.String()+"/deactivate", nil).ok(200)
		me(p).refused(401, "unauthenticated")
		o.ask(t, nil, "POST", "/auth/refresh", body{"refresh_token": p.refresh}).
			refused(401, "unauthenticated")
		o.ask(t, admin, "PUT", "/users/"+p.id.String()+"/activate", nil).ok(200)
		me(p).refused(401, "unauthenticated")
		o.signIn(t, p)
	})
	t.Run("a deletion", func(t *testing.T) {
		p := o.signedIn(t, organization, "accountant")
		me(p).ok(200)
		o.ask(t, admin, "DELETE", "/users/"+p.id.String(), nil).ok(204)
		me(p).refused(401, "unauthenticated")
	})
	t.Run("the loss of a role", func(t *testing.T) {
		p := o.signedIn(t, organization, "accountant")
		me(p).ok(200)
		user := "/users/" + p.id.String()
		o.ask(t, admin, "POST", user+"/roles",
			body{"role": "owner", "organization_id": organization}).ok(201)
		o.ask(t, admin, "DELETE", user+"/roles/"+p.role.String(), nil).ok(204)
		me(p).refused(401, "unauthenticated")
		o.ask(t, nil, "POST", "/auth/refresh", body{"refresh_token": p.refresh}).
			refused(401, "unauthenticated")
	})
	t.Run("a suspension: reads yes, writes no", func(t *testing.T) {
		place := o.organization(t)
		p, victim := o.signedIn(t, place, "syndic"), o.user(t, place, "owner")
		o.ask(t, p, "GET", "/users", nil).ok(200)
		o.ask(t, admin, "PUT", "/organizations/"+place.String()+"/suspend", nil).ok(200)
		o.ask(t, p, "GET", "/users", nil).ok(200)
		o.ask(t, p, "GET", "/buildings", nil).ok(200)
		for _, write := range []struct {
			method, path string
			body         any
		}{
			{"POST", "/users", body{
				"email": "new@example.org", "first_name": "N", "last_name": "N", "role": "owner",
			}},
			{"PUT", "/users/" + victim.id.String(), body{"first_name": "Other"}},
			{"PUT", "/users/" + victim.id.String() + "/deactivate", nil},
			{"DELETE", "/users/" + victim.id.String(), nil},
			{"POST", "/users/" + victim.id.String() + "/roles", body{"role": "auditor"}},
			{"PUT", "/organizations/" + place.String() + "/settings", body{"language": "nl"}},
		} {
			o.ask(t, p, write.method, write.path, write.body).refused(403, "organization_suspended")
		}
		o.ask(t, admin, "PUT", "/organizations/"+place.String()+"/activate", nil).ok(200)
		o.ask(t, p, "PUT", "/users/"+victim.id.String(), body{"first_name": "Other"}).ok(200)
	})
}

func TestStandingOnAnotherServer(t *testing.T) {
	t.Parallel()
	clone := migrationstest.Database(t)
	here, there := openOfficeOn(t, clone), openOfficeOn(t, clone)
	organization := here.organization(t)
	admin := here.signedIn(t, uuid.Nil, "superadmin")
	p := here.signedIn(t, organization, "accountant")
	there.ask(t, p, "GET", "/auth/me", nil).ok(200)
	here.ask(t, admin, "PUT", "/users/"+p.id.String()+"/deactivate", nil).ok(200)
	there.clock.forward(2 * time.Second)
	there.ask(t, p, "GET", "/auth/me", nil).refused(401, "unauthenticated")
}

// A profile is shown from memory for as long as a look at the account counts: what this server
// changed is seen at once, what another one changed when the look is over or when it is asked for.
func TestOwnProfileOnAnotherServer(t *testing.T) {
	t.Parallel()
	clone := migrationstest.Database(t)
	here, there := openOfficeOn(t, clone), openOfficeOn(t, clone)
	here.clock.stop()
	there.clock.stop()
	organization, second := here.organization(t), here.organization(t)
	admin := here.signedIn(t, uuid.Nil, "superadmin")
	p := here.signedIn(t, organization, "accountant")
	me := func(on *office, headers ...string) answer {
		// A look does not count for a second request when it was the first to fold a stream.
		on.ask(t, p, "GET", "/auth/me", nil, headers...).ok(200)
		return on.ask(t, p, "GET", "/auth/me", nil, headers...).ok(200)
	}
	rename := func(name string) {
		here.ask(t, admin, "PUT", "/users/"+p.id.String(), body{"first_name": name}).ok(200)
	}
	require.Equal(t, "Ann", me(there).get("first_name"))
	require.Equal(t, "Ann", me(here).get("first_name"))
	rename("Bea")
	require.Equal(t, "Bea", me(here).get("first_name"))
	require.Equal(t, "Ann", me(there).get("first_name"))
	require.Equal(t, "Bea", me(there, "Koprogo-Min-Position", "1").get("first_name"))
	rename("Cleo")
	there.clock.forward(2 * time.Second)
	require.Equal(t, "Cleo", me(there).get("first_name"))
	here.ask(t, admin, "PUT", "/users/"+p.id.String(), body{"roles": []body{
		{"role": "accountant", "organization_id": organization, "is_primary": true},
		{"role": "auditor", "organization_id": second},
	}}).ok(200)
	require.Len(t, me(here).at("roles"), 2)
}

func TestNoSecretsAreToldOrStored(t *testing.T) {
	t.Parallel()
	o := openOffice(t, func(a *api.Accounts) { a.Development = true })
	organization := o.organization(t)
	admin := o.signedIn(t, uuid.Nil, "superadmin")
	given := "a very secret passphrase"
	o.ask(t, admin, "POST", "/users", body{
		"email": "clear.address@example.org", "first_name": "Clearfirst",
		"last_name": "Clearlast", "role": "syndic", "organization_id": organization,
		"password": given,
	}).ok(201)
	p := &person{email: "clear.address@example.org", password: given}
	o.signIn(t, p)
	answers := []answer{
		o.ask(t, nil, "POST", "/auth/login", body{"email": p.email, "password": "wrong " + given}),
		o.ask(t, p, "PUT", "/auth/password", body{"current_password": given, "new_password": "short"}),
		o.ask(t, p, "POST", "/users", body{
			"email": p.email, "first_name": "X", "last_name": "Y", "role": "owner",
		}),
		o.ask(t, p, "GET", "/nothing/"+p.email, nil),
	}
	answers[2].refused(409, "email_taken")
	for _, word := range []string{p.email, given, "Clearfirst", "Clearlast", p.token, p.refresh} {
		for _, got := range answers {
			require.NotContains(t, got.text, word)
		}
		require.NotContains(t, o.logs.String(), word)
	}
	conn, err := pgx.Connect(t.Context(), o.clone.SuperuserURL)
	require.NoError(t, err)
	defer conn.Close(t.Context())
	for _, table := range []string{
		"log.events", "log.claims", "log.credentials", "log.sessions", "log.links",
		"log.attempts", "read.accounts", "log.idempotency", "log.access",
	} {
		rows, err := conn.Query(t.Context(), "select to_json(t)::text from "+table+" t")
		require.NoError(t, err)
		texts, err := pgx.CollectRows(rows, pgx.RowTo[string])
		require.NoError(t, err)
		for _, text := range texts {
			for _, word := range []string{
				p.email, given, "Clearfirst", "Clearlast", "127.0.0.1", p.refresh,
			} {
				require.NotContains(t, text, word, table)
			}
		}
	}
}

func BenchmarkAuthenticate(b *testing.B) {
	store := eventstoretest.New(b).Store
	app := commands.New(store)
	credentials, err := store.Credentials()
	require.NoError(b, err)
	tokens, err := api.NewTokens(secret, time.Now)
	require.NoError(b, err)
	sessions, err := api.NewSessions(tokens, app, credentials, nil)
	require.NoError(b, err)
	organization, account, role := newID(), newID(), newID()
	system := commands.System(eventstore.Platform, "bench")
	_, err = app.FoundOrganization(b.Context(), system, commands.FoundOrganization{
		OrganizationID: organization, Name: "B", Slug: "b", Plan: "free", ContactID: newID(),
		ContactEmail: "b@example.org",
	})
	require.NoError(b, err)
	_, err = app.OpenAccount(b.Context(), system, commands.OpenAccount{
		AccountID: account, Email: "s@example.org", FirstName: "S", LastName: "S",
		Roles: []commands.RoleOffer{{ID: role, Role: "syndic", Organization: organization}},
	})
	require.NoError(b, err)
	session, _, err := credentials.StartSession(b.Context(), account, role, "", http.MethodGet)
	require.NoError(b, err)
	bearer, err := tokens.Issue(api.Token{
		Account: account, Organization: organization, Role: "syndic", RoleID: role,
		ID: session.ID, IssuedAt: time.Now(), ExpiresAt: time.Now().Add(time.Hour),
	})
	require.NoError(b, err)
	for b.Loop() {
		if _, err := sessions.Authenticate(b.Context(), bearer); err != nil {
			b.Fatal(err)
		}
	}
}
