package api_test

import (
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/pquerna/otp/totp"
	"github.com/stretchr/testify/require"
)

// Whoever has the password guesses five codes in fifteen minutes, at once or one after the other,
// and the right one does not get him in during the lock.
func TestCodesOfTheSecondFactorAreNotGuessedInABurst(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	p := o.signedIn(t, o.organization(t), "accountant")
	setup := o.ask(t, p, "POST", "/2fa/setup", nil).ok(200)
	code := func() string {
		text, err := totp.GenerateCode(setup.get("secret"), o.clock.now())
		require.NoError(t, err)
		return text
	}
	o.ask(t, p, "POST", "/2fa/enable", body{"totp_code": code()}).ok(200)
	login := func(code string) answer {
		return o.ask(t, nil, "POST", "/auth/login",
			body{"email": p.email, "password": p.password, "totp_code": code})
	}
	verify := func(code string) answer {
		return o.ask(t, p, "POST", "/2fa/verify", body{"totp_code": code})
	}
	for name, guess := range map[string]func(string) answer{"login": login, "verify": verify} {
		var looked, locked atomic.Int64
		var all sync.WaitGroup
		for range 40 {
			all.Go(func() {
				switch got := guess("00000a"); got.status {
				case 400, 401:
					looked.Add(1)
				case 429:
					locked.Add(1)
				}
			})
		}
		all.Wait()
		require.EqualValues(t, 5, looked.Load(), name)
		require.EqualValues(t, 35, locked.Load(), name)
		o.clock.forward(30 * time.Second)
		guess(code()).refused(429, "too_many_attempts")
		guess(setup.get("backup_codes.0")).refused(429, "too_many_attempts")
		o.ask(t, p, "GET", "/auth/me", nil).ok(200)
	}
	o.clock.forward(15 * time.Minute)
	login(code()).ok(200)
}

func TestTwoAddressesThatLookTheSameAreOneAccounts(t *testing.T) {
	t.Parallel()
	e := openEstate(t)
	e.post(t, "/users", newUser("owner", "email", "rené@ex.be")).ok(201)
	for _, same := range []string{
		"rene\u0301@ex.be", "RENÉ@EX.be", "ｒené@ex.be", " rené@ex.be\u00a0",
	} {
		e.post(t, "/users", newUser("owner", "email", same)).refused(409, "email_taken")
	}
	for _, wrong := range []string{"re\u200bné@ex.be", "rené@ex.be.", "rené@ex\u3002be"} {
		e.post(t, "/users", newUser("owner", "email", wrong)).refused(400, "invalid_field")
	}
	owner := newOwner("email", "zoë@ex.be")
	e.post(t, "/owners", owner).ok(201)
	owner["email"] = "ZOE\u0308@ex.be"
	e.post(t, "/owners", owner).refused(409, "email_taken")
	e.post(t, "/units", newUnit(e.building, "unit_number", "Ａ\u200b２")).
		refused(409, "unit_number_taken")
	admin := e.signedIn(t, uuid.Nil, "superadmin")
	for _, slug := range []string{"Élan", "elan.", "ｅlan", "elan\u200b", "ELAN"} {
		e.ask(t, admin, "POST", "/organizations", body{
			"name": "X", "slug": slug, "contact_email": "p@ex.be", "subscription_plan": "free",
		}).refused(400, "invalid_field")
	}
}

// What a client calls itself stands in the log for ever: it is bounded, and text.
func TestAClientsNameForItselfIsBoundedAndText(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	p := o.user(t, o.organization(t), "syndic")
	for _, agent := range []string{strings.Repeat("x", 20_000), "a\xff\xfeb"} {
		got := o.ask(t, nil, "POST", "/auth/login",
			body{"email": p.email, "password": p.password}, "User-Agent", agent).ok(200)
		p.token = got.get("token")
		o.ask(t, p, "POST", "/buildings", newBuilding(), "User-Agent", agent).ok(201)
	}
	sessions := o.ask(t, p, "GET", "/auth/sessions", nil).ok(200)
	agents := texts(t, sessions.json, "agent")
	require.ElementsMatch(t, []string{strings.Repeat("x", 255), "ab"}, agents)
	for header, value := range map[string]string{
		"Idempotency-Key": strings.Repeat("k", 256), "If-Match": strings.Repeat("9", 9000),
	} {
		got := o.ask(t, p, "POST", "/buildings", newBuilding(), header, value)
		require.Equal(t, 400, got.status, "%s: %s", header, got.text)
		require.Less(t, len(got.text), 1000)
	}
}
