package api_test

import (
	"fmt"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/koprogo/koprogo/commands"
	"github.com/koprogo/koprogo/events"
	"github.com/koprogo/koprogo/eventstore"
)

func newOwner(more ...any) body {
	return withMore(body{
		"first_name": "Marie", "last_name": "Dubois", "email": newID().String() + "@example.be",
		"phone": "+32 2 123 45 67", "street": "Rue Haute", "house_number": "12 bte 3",
		"city": "Bruxelles", "postal_code": "1000", "country": "Belgique",
		"iban": "BE68 5390 0754 7034",
	}, more)
}

func TestOwners(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	organization := o.organization(t)
	syndic := o.signedIn(t, organization, "syndic")

	t.Run("a syndic enters an owner; all who read the organization find him", func(t *testing.T) {
		got := o.ask(t, syndic, "POST", "/owners", newOwner()).ok(201)
		require.Equal(t, `"1"`, got.header.Get("ETag"))
		require.Equal(t, "Rue Haute 12 bte 3", got.get("address"))
		require.Equal(t, "BE68539007547034", got.get("iban"))
		require.Equal(t, "person", got.get("kind"))
		require.Equal(t, "fr", got.get("language"))
		require.Nil(t, got.at("user_id"))
		got.golden("owner")
		for _, role := range []string{"syndic", "accountant", "auditor"} {
			reader := o.signedIn(t, organization, role)
			require.Equal(t, got.text,
				o.ask(t, reader, "GET", "/owners/"+got.get("id"), nil).ok(200).text)
		}
		stranger := o.signedIn(t, o.organization(t), "syndic")
		o.ask(t, stranger, "GET", "/owners/"+got.get("id"), nil).refused(404, "not_found")
		require.Equal(t, "Owner not found",
			o.ask(t, stranger, "DELETE", "/owners/"+got.get("id"), nil).get("detail"))
	})
	t.Run("the same create again is the same owner, another body is not", func(t *testing.T) {
		wanted := newOwner("id", newID())
		first := o.ask(t, syndic, "POST", "/owners", wanted).ok(201)
		require.Equal(t, first.text, o.ask(t, syndic, "POST", "/owners", wanted).ok(201).text)
		wanted["last_name"] = "Maes"
		o.ask(t, syndic, "POST", "/owners", wanted).refused(409, "id_taken")
	})
	t.Run("an address is one owner's, in any case, also in a race of 64", func(t *testing.T) {
		email := newID().String() + "@example.be"
		var entered, refused atomic.Int64
		var clients sync.WaitGroup
		for i := range 64 {
			clients.Go(func() {
				mine := email
				if i%2 == 0 {
					mine = strings.ToUpper(email)
				}
				got := o.ask(t, syndic, "POST", "/owners", newOwner("email", mine))
				if got.status == 201 {
					entered.Add(1)
				} else if got.status == 409 && got.get("code") == "email_taken" {
					refused.Add(1)
				}
			})
		}
		clients.Wait()
		require.EqualValues(t, 1, entered.Load())
		require.EqualValues(t, 63, refused.Load())
	})
	t.Run("a change gives, clears and leaves; the answer is the whole owner", func(t *testing.T) {
		made := o.ask(t, syndic, "POST", "/owners", newOwner()).ok(201)
		path := "/owners/" + made.get("id")
		got := o.ask(t, syndic, "PUT", path, body{
			"last_name": "Maes", "iban": nil, "phone": "", "house_number": "14",
		}, "If-Match", `"1"`).ok(200)
		require.Equal(t, `"2"`, got.header.Get("ETag"))
		require.Equal(t, "Maes", got.get("last_name"))
		require.Equal(t, "Rue Haute 14", got.get("address"))
		require.Equal(t, "Marie", got.get("first_name"))
		require.Empty(t, got.get("iban")+got.get("phone"))
		o.ask(t, syndic, "PUT", path, body{"city": "Gent"}, "If-Match", `"1"`).
			refused(412, "precondition_failed")
		then := o.ask(t, syndic, "GET",
			path+"?as_of_position="+made.header.Get("Koprogo-Position"), nil).ok(200)
		require.Equal(t, made.text, then.text)
		o.ask(t, syndic, "DELETE", path, nil).ok(204)
		o.ask(t, syndic, "GET", path, nil).refused(404, "not_found")
		require.Equal(t, made.text, o.ask(t, syndic, "GET",
			path+"?as_of_position="+made.header.Get("Koprogo-Position"), nil).ok(200).text)
	})
	t.Run("a repeated request is answered as it was then", func(t *testing.T) {
		key, wanted := newID().String(), newOwner()
		first := o.ask(t, syndic, "POST", "/owners", wanted, "Idempotency-Key", key).ok(201)
		o.ask(t, syndic, "PUT", "/owners/"+first.get("id"), body{"city": "Gent"}).ok(200)
		again := o.ask(t, syndic, "POST", "/owners", wanted, "Idempotency-Key", key).ok(201)
		require.Equal(t, first.text, again.text)
		require.Equal(t, "true", again.header.Get("Idempotency-Replayed"))
	})
	t.Run("an owner who holds a unit stays", func(t *testing.T) {
		made := o.ask(t, syndic, "POST", "/owners", newOwner()).ok(201)
		building := o.ask(t, syndic, "POST", "/buildings", newBuilding()).ok(201).get("id")
		unit := o.ask(t, syndic, "POST", "/units", newUnit(building)).ok(201).get("id")
		o.ask(t, syndic, "POST", "/units/"+unit+"/owners",
			body{"owner_id": made.get("id"), "ownership_percentage": 1}).ok(201)
		o.ask(t, syndic, "DELETE", "/owners/"+made.get("id"), nil).
			refused(409, "owner_holds_lots")
		require.Equal(t, made.text, // neither his version moved nor he
			o.ask(t, syndic, "GET", "/owners/"+made.get("id"), nil).ok(200).text)
	})
}

func TestWrongFieldsOfOwners(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	syndic := o.signedIn(t, o.organization(t), "syndic")
	for _, wrong := range []struct {
		field, code string
		value       any
	}{
		{"first_name", "required", nil},
		{"last_name", "required", ""},
		{"email", "required", nil},
		{"email", "malformed", "marie"},
		{"city", "required", nil},
		{"postal_code", "required", ""},
		{"country", "required", nil},
		{"iban", "malformed", "BE68539007547035"},
		{"enterprise_number", "malformed", "0123456748"},
		{"language", "unknown_value", "es"},
		{"kind", "unknown_value", "animal"},
		{"house_number", "too_long", strings.Repeat("1", 21)},
		{"last_name", "too_long", strings.Repeat("é", 256)},
		{"mandatary", "control_characters", "a\x00b"},
		{"phone", "wrong_type", 32},
	} {
		t.Run(wrong.field+" "+wrong.code, func(t *testing.T) {
			got := o.ask(t, syndic, "POST", "/owners", newOwner(wrong.field, wrong.value))
			got.refused(400, "invalid_field")
			require.Equal(t, wrong.field, got.get("errors.0.field"))
			require.Equal(t, wrong.code, got.get("errors.0.code"))
		})
	}
	t.Run("a company's name, where neither person nor address is needed", func(t *testing.T) {
		wanted := newOwner("kind", "company", "first_name", nil, "last_name", nil)
		got := o.ask(t, syndic, "POST", "/owners", wanted)
		got.refused(400, "invalid_field")
		require.Equal(t, "company_name", got.get("errors.0.field"))
		wanted["company_name"] = "Immo NV"
		o.ask(t, syndic, "POST", "/owners", wanted).ok(201)
	})
	t.Run("an unknown field is named", func(t *testing.T) {
		o.ask(t, syndic, "POST", "/owners", newOwner("colour", "red")).refused(400, "unknown_field")
	})
}

func TestOwnerLists(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	organization := o.organization(t)
	syndic := o.signedIn(t, organization, "syndic")
	for _, name := range []string{"Zoé dubois", "Élise Dubois", "Bart Érard", "Jan Aerts"} {
		first, last, _ := strings.Cut(name, " ")
		o.ask(t, syndic, "POST", "/owners", newOwner("first_name", first, "last_name", last,
			"email", strings.ToLower(first)+"@example.be")).ok(201)
	}
	names := func(t *testing.T, got answer) (names []string) {
		t.Helper()
		for _, item := range got.ok(200).at("data").([]any) {
			owner := item.(map[string]any)
			names = append(names, fmt.Sprint(owner["first_name"], " ", owner["last_name"]))
		}
		return names
	}
	t.Run("by last name, then first", func(t *testing.T) {
		got := o.ask(t, syndic, "GET", "/owners", nil)
		require.Equal(t, []string{"Jan Aerts", "Zoé dubois", "Élise Dubois", "Bart Érard"},
			names(t, got))
		require.EqualValues(t, 4, got.at("pagination.total_items"))
		got.golden("owners")
	})
	t.Run("by other columns, in pages and by cursor", func(t *testing.T) {
		path := "/owners?sort_by=email&order=desc&per_page=3"
		first := o.ask(t, syndic, "GET", path, nil)
		require.Equal(t, []string{"Zoé dubois", "Jan Aerts", "Élise Dubois"}, names(t, first))
		for _, next := range []string{"&page=2", "&cursor=" + first.get("pagination.next_cursor")} {
			got := o.ask(t, syndic, "GET", path+next, nil)
			require.Equal(t, []string{"Bart Érard"}, names(t, got))
			require.Equal(t, false, got.at("pagination.has_next"))
		}
		o.ask(t, syndic, "GET", "/owners?sort_by=iban", nil).refused(400, "invalid_parameter")
	})
	t.Run("a part of a name or of the e-mail", func(t *testing.T) {
		require.Equal(t, []string{"Zoé dubois", "Élise Dubois"},
			names(t, o.ask(t, syndic, "GET", "/owners?q=DUBOIS", nil)))
		require.Equal(t, []string{"Jan Aerts"},
			names(t, o.ask(t, syndic, "GET", "/owners?q=jan%40example", nil)))
		require.Empty(t, names(t, o.ask(t, syndic, "GET", "/owners?q=nobody", nil)))
	})
	t.Run("a superadmin sees all organizations or the one he names", func(t *testing.T) {
		other := o.organization(t)
		o.ask(t, o.signedIn(t, other, "syndic"), "POST", "/owners", newOwner("last_name", "Aa")).ok(201)
		admin := o.signedIn(t, uuid.Nil, "superadmin")
		require.Len(t, names(t, o.ask(t, admin, "GET", "/owners", nil)), 5)
		require.Equal(t, []string{"Marie Aa"},
			names(t, o.ask(t, admin, "GET", "/owners?organization_id="+other.String(), nil)))
		require.NotContains(t, o.ask(t, syndic, "GET", "/owners", nil).text, `"Aa"`)
	})
}

func TestWhoSeesWhichOwner(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	organization := o.organization(t)
	syndic := o.signedIn(t, organization, "syndic")
	person := o.signedIn(t, organization, "owner")
	mine := o.ask(t, syndic, "POST", "/owners", newOwner("last_name", "Mine")).ok(201).get("id")
	theirs := o.ask(t, syndic, "POST", "/owners", newOwner("last_name", "Theirs")).ok(201).get("id")
	link := func(owner string, user any) answer {
		return o.ask(t, syndic, "PUT", "/owners/"+owner+"/link-user", body{"user_id": user})
	}

	t.Run("an owner without link sees nobody", func(t *testing.T) {
		o.ask(t, person, "GET", "/owners/me", nil).refused(404, "not_found")
		require.Empty(t, o.ask(t, person, "GET", "/owners", nil).ok(200).at("data"))
		o.ask(t, person, "GET", "/owners/"+mine, nil).refused(404, "not_found")
	})
	t.Run("a linked one sees himself only", func(t *testing.T) {
		linked := link(mine, person.id).ok(200)
		require.Equal(t, person.id.String(), linked.get("user_id"))
		require.Equal(t, `"2"`, linked.header.Get("ETag"))
		require.Equal(t, linked.text, o.ask(t, person, "GET", "/owners/me", nil).ok(200).text)
		require.Equal(t, linked.text, o.ask(t, person, "GET", "/owners/"+mine, nil).ok(200).text)
		o.ask(t, person, "GET", "/owners/"+theirs, nil).refused(404, "not_found")
		require.Len(t, o.ask(t, person, "GET", "/owners", nil).ok(200).at("data"), 1)
		o.ask(t, person, "PUT", "/owners/"+mine, body{"city": "Gent"}).refused(403, "forbidden")
	})
	t.Run("a user is one owner's and holds a role here", func(t *testing.T) {
		link(theirs, person.id).refused(409, "user_linked")
		got := link(theirs, newID())
		got.refused(404, "not_found")
		require.Equal(t, "User not found", got.get("detail"))
		outside := o.signedIn(t, o.organization(t), "owner")
		link(theirs, outside.id).refused(404, "not_found")
		link(theirs, "me").refused(400, "invalid_field")
		require.Nil(t, o.ask(t, syndic, "PUT", "/owners/"+theirs+"/link-user", body{}).ok(200).
			at("user_id"), "what is not named stays")
	})
	t.Run("the link is taken away", func(t *testing.T) {
		require.Nil(t, link(mine, nil).ok(200).at("user_id"))
		o.ask(t, person, "GET", "/owners/me", nil).refused(404, "not_found")
		link(theirs, person.id).ok(200)
	})
	t.Run("an auditor sees the owners of his mandates' buildings", func(t *testing.T) {
		building := o.ask(t, syndic, "POST", "/buildings", newBuilding()).ok(201).get("id")
		unit := o.ask(t, syndic, "POST", "/units", newUnit(building)).ok(201).get("id")
		o.ask(t, syndic, "POST", "/units/"+unit+"/owners",
			body{"owner_id": mine, "ownership_percentage": 1}).ok(201)
		auditor := o.signedIn(t, organization, "auditor")
		o.ask(t, auditor, "GET", "/owners/"+theirs, nil).ok(200)
		o.ask(t, syndic, "POST", "/users/"+auditor.id.String()+"/mandates", body{
			"building_ids": []string{building}, "from": "2020-01-01", "to": "2099-12-31",
		}).ok(201)
		o.ask(t, auditor, "GET", "/owners/"+mine, nil).ok(200)
		o.ask(t, auditor, "GET", "/owners/"+theirs, nil).refused(404, "not_found")
		require.EqualValues(t, 1,
			o.ask(t, auditor, "GET", "/owners", nil).ok(200).at("pagination.total_items"))
	})
}

func TestAnErasedOwner(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	organization := o.organization(t)
	syndic := o.signedIn(t, organization, "syndic")
	made := o.ask(t, syndic, "POST", "/owners", newOwner()).ok(201)
	path := "/owners/" + made.get("id")
	o.ask(t, syndic, "GET", "/owners", nil).ok(200) // he stands in the index, open
	erased := o.erase(t, organization, uuid.MustParse(made.get("id")))

	listed := o.ask(t, syndic, "GET", "/owners", nil, "Koprogo-Min-Position", erased).ok(200)
	require.Empty(t, listed.get("data.0.last_name")+listed.get("data.0.iban"))
	require.NotEmpty(t, listed.get("data.0.erased_at"))
	require.Empty(t, o.ask(t, syndic, "GET", "/owners?q=dubois", nil).ok(200).at("data"))
	for _, moment := range []string{"", "?as_of_position=" + made.header.Get("Koprogo-Position")} {
		o.ask(t, syndic, "GET", path+moment, nil).refused(410, "erased")
	}
	o.ask(t, syndic, "PUT", path, body{"city": "Gent"}).refused(410, "erased")
	o.ask(t, syndic, "PUT", path+"/link-user", body{"user_id": nil}).refused(410, "erased")
}

// erase destroys an owner's key and records it, at the position returned.
func (o *office) erase(t *testing.T, organization, owner uuid.UUID) string {
	t.Helper()
	keyring := o.store.Keyring()
	require.NoError(t, keyring.Erase(t.Context(), o.store.Pool(eventstore.RoleJobs),
		organization, owner))
	version := int64(0)
	stream := commands.OwnerStream(owner)
	require.NoError(t, o.store.Load(t.Context(), organization, stream, 0,
		func(r eventstore.Recorded) error { version = r.Version; return nil }))
	receipt, err := o.store.Append(t.Context(), eventstore.Append{
		Organization: organization, Streams: []eventstore.StreamAppend{{
			Stream: stream, Expected: version,
			Events: []events.Event{events.PersonErased{Subject: owner, Ground: "request"}},
		}},
	})
	require.NoError(t, err)
	return strconv.FormatInt(receipt.Position, 10)
}

// Who reads an owner's data is noted, but not the owner himself, nor an answer to who wrote it.
func TestReadingOwnersIsNoted(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	organization := o.organization(t)
	syndic := o.signedIn(t, organization, "syndic")
	person := o.signedIn(t, organization, "owner")
	made := o.ask(t, syndic, "POST", "/owners", newOwner()).ok(201)
	o.ask(t, syndic, "PUT", "/owners/"+made.get("id")+"/link-user", body{"user_id": person.id}).
		ok(200)
	o.ask(t, person, "GET", "/owners/me", nil).ok(200)
	o.ask(t, person, "GET", "/owners", nil).ok(200)
	accountant := o.signedIn(t, organization, "accountant")
	o.ask(t, accountant, "GET", "/owners/"+made.get("id"), nil).ok(200)
	o.ask(t, accountant, "GET", "/owners", nil).ok(200)
	o.ask(t, accountant, "GET", "/owners", nil).ok(200) // again within ten minutes
	second := o.signedIn(t, organization, "syndic")
	o.ask(t, second, "GET", "/owners", nil).ok(200) // from memory
	noted := func() (readers []string) {
		pool := o.store.Pool(eventstore.RoleJobs)
		rows, err := pool.Query(t.Context(), //nolint:rowserrcheck // it is checked below
			`
select actor::text || ' ' || resource from log.access
 where organization_id = $1 and subject = $2 order by id`, organization, made.get("id"))
		require.NoError(t, err)
		defer rows.Close()
		for rows.Next() {
			var reader string
			require.NoError(t, rows.Scan(&reader))
			readers = append(readers, reader)
		}
		return readers
	}
	by := func(reader uuid.UUID) string { return reader.String() + " owner/" + made.get("id") }
	require.Eventually(t, func() bool { return len(noted()) >= 3 }, 10*time.Second,
		20*time.Millisecond)
	require.Equal(t, []string{by(accountant.id), by(accountant.id), by(second.id)}, noted())
}
