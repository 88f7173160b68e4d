package api_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
)

func newBuilding(more ...any) body {
	return withMore(body{
		"name": "Résidence du Canal", "address": "Quai au Foin 7", "city": "Bruxelles",
		"postal_code": "1000", "country": "Belgique", "total_units": 8,
	}, more)
}

func TestBuildings(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	organization := o.organization(t)
	syndic := o.signedIn(t, organization, "syndic")

	t.Run("a syndic registers one and reads what he wrote", func(t *testing.T) {
		got := o.ask(t, syndic, "POST", "/buildings", newBuilding(
			"construction_year", 1911, "slug", "canal", "enterprise_number", "0202.239.951",
			"iban_working", "BE21 0012 3456 7803", "iban_reserve", "be88363000000141",
			"fiscal_year_start", "07-01", "entrances", []string{"A", "B"})).ok(201)
		require.Equal(t, `"1"`, got.header.Get("ETag"))
		got.golden("building")
		read := o.ask(t, syndic, "GET", "/buildings/"+got.get("id"), nil).ok(200)
		require.Equal(t, got.text, read.text)
	})
	t.Run("what is left out has the contract's defaults", func(t *testing.T) {
		got := o.ask(t, syndic, "POST", "/buildings", newBuilding("slug", "", "zone", nil)).ok(201)
		require.EqualValues(t, 1000, got.at("total_tantiemes"))
		require.Nil(t, got.at("construction_year"))
		require.Equal(t, "Europe/Brussels", got.at("zone"))
	})
	t.Run("a PUT changes what it names, clears what is null and leaves the rest", func(t *testing.T) {
		made := o.ask(t, syndic, "POST", "/buildings", newBuilding("construction_year", 1911)).
			ok(201)
		path := "/buildings/" + made.get("id")
		put := o.ask(t, syndic, "PUT", path, body{"total_units": 9, "construction_year": nil}).ok(200)
		require.EqualValues(t, 9, put.at("total_units"))
		require.Nil(t, put.at("construction_year"))
		require.Equal(t, made.at("name"), put.at("name"))
		same := o.ask(t, syndic, "PUT", path, body{"total_units": 9}).ok(200)
		require.Equal(t, put.text, same.text)
		require.Equal(t, put.header.Get("ETag"), same.header.Get("ETag"))
	})
	t.Run("wrong fields are named as REST names them", func(t *testing.T) {
		next := time.Now().Year() + 6
		for _, wrong := range []struct {
			field string
			value any
		}{
			{"name", nil},
			{"name", strings.Repeat("x", 256)},
			{"address", ""},
			{"city", 7},
			{"total_units", 0},
			{"total_units", "8"},
			{"total_units", 1.5},
			{"total_tantiemes", 0},
			{"total_tantiemes", 10_000_001},
			{"construction_year", 999},
			{"construction_year", next},
			{"zone", "Mars/Olympus"},
			{"iban_working", "BE21 0012 3456 7804"},
			{"enterprise_number", "0202239952"},
			{"fiscal_year_start", "02-30"},
			{"slug", "No Slug"},
			{"colour", "red"},
		} {
			got := o.ask(t, syndic, "POST", "/buildings", newBuilding(wrong.field, wrong.value))
			require.Equal(t, 400, got.status, "%s = %v: %s", wrong.field, wrong.value, got.text)
			require.Equal(t, wrong.field, got.get("errors.0.field"), got.text)
		}
	})
	t.Run("a removed building is gone, its place free, its past still there", func(t *testing.T) {
		made := o.ask(t, syndic, "POST", "/buildings", newBuilding("slug", "gone")).ok(201)
		path := "/buildings/" + made.get("id")
		gone := o.ask(t, syndic, "DELETE", path, nil).ok(204)
		require.NotEmpty(t, gone.header.Get("Koprogo-Position"))
		o.ask(t, syndic, "GET", path, nil).refused(404, "not_found")
		o.ask(t, syndic, "PUT", path, body{"name": "X"}).refused(404, "not_found")
		o.ask(t, syndic, "DELETE", path, nil).refused(404, "not_found")
		past := o.ask(t, syndic, "GET", path+"?as_of_position="+
			made.header.Get("Koprogo-Position"), nil).ok(200)
		require.Equal(t, made.text, past.text)
		o.ask(t, syndic, "GET", path+"/history", nil).ok(200)
		o.ask(t, syndic, "POST", "/buildings", newBuilding("slug", "gone")).ok(201)
		o.ask(t, syndic, "POST", "/buildings", newBuilding("id", made.get("id"))).
			refused(409, "id_taken")
	})
	t.Run("a client's own id makes a repetition harmless", func(t *testing.T) {
		id := newID().String()
		first := o.ask(t, syndic, "POST", "/buildings", newBuilding("id", id)).ok(201)
		again := o.ask(t, syndic, "POST", "/buildings", newBuilding("id", id))
		require.Equal(t, first.text, again.text)
		o.ask(t, syndic, "POST", "/buildings", newBuilding("id", id, "name", "Other")).
			refused(409, "id_taken")
	})
}

func TestBuildingConditions(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	syndic := o.signedIn(t, o.organization(t), "syndic")
	made := o.ask(t, syndic, "POST", "/buildings", newBuilding()).ok(201)
	path := "/buildings/" + made.get("id")

	t.Run("a read that was seen is not sent again", func(t *testing.T) {
		read := o.ask(t, syndic, "GET", path, nil).ok(200)
		o.ask(t, syndic, "GET", path, nil, "If-None-Match", read.header.Get("ETag")).ok(304)
	})
	t.Run("a stale If-Match is refused", func(t *testing.T) {
		o.ask(t, syndic, "PUT", path, body{"name": "B"}, "If-Match", `"1"`).ok(200)
		o.ask(t, syndic, "PUT", path, body{"name": "C"}, "If-Match", `"1"`).
			refused(412, "precondition_failed")
		o.ask(t, syndic, "PUT", path, body{"name": "C"}, "If-Match", `"2"`).ok(200)
	})
	t.Run("a repeated request is answered as it was then", func(t *testing.T) {
		key := newID().String()
		first := o.ask(t, syndic, "PUT", path, body{"name": "First"}, "Idempotency-Key", key).ok(200)
		o.ask(t, syndic, "PUT", path, body{"name": "Later"}).ok(200)
		again := o.ask(t, syndic, "PUT", path, body{"name": "First"}, "Idempotency-Key", key).ok(200)
		require.Equal(t, "true", again.header.Get("Idempotency-Replayed"))
		require.Equal(t, first.text, again.text)
		require.Equal(t, first.header.Get("Koprogo-Position"),
			again.header.Get("Koprogo-Position"))
		o.ask(t, syndic, "PUT", path, body{"name": "Other"}, "Idempotency-Key", key).
			refused(422, "idempotency_key_reused")
	})
	t.Run("64 requests under one key record one building", func(t *testing.T) {
		key, wanted := newID().String(), newBuilding("name", "Once")
		ids, replayed := map[string]bool{}, 0
		var mu sync.Mutex
		var group sync.WaitGroup
		for range 64 {
			group.Go(func() {
				got := o.ask(t, syndic, "POST", "/buildings", wanted, "Idempotency-Key", key)
				mu.Lock()
				defer mu.Unlock()
				got.ok(201)
				ids[got.get("id")] = true
				if got.header.Get("Idempotency-Replayed") == "true" {
					replayed++
				}
			})
		}
		group.Wait()
		require.Len(t, ids, 1)
		require.Equal(t, 63, replayed)
	})
}

func TestBuildingMoments(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	syndic := o.signedIn(t, o.organization(t), "syndic")
	made := o.ask(t, syndic, "POST", "/buildings", newBuilding()).ok(201)
	path, born := "/buildings/"+made.get("id"), made.header.Get("Koprogo-Position")
	put := o.ask(t, syndic, "PUT", path, body{"name": "Canal 2", "total_units": 9}).ok(200)
	grown := put.header.Get("Koprogo-Position")

	t.Run("as it was at a position, an instant and a day", func(t *testing.T) {
		at := o.ask(t, syndic, "GET", path+"?as_of_position="+born, nil).ok(200)
		require.Equal(t, made.text, at.text)
		require.Equal(t, born, at.header.Get("Koprogo-Position"))
		at = o.ask(t, syndic, "GET", path+"?as_of="+made.get("created_at"), nil).ok(200)
		require.Equal(t, made.text, at.text)
		at = o.ask(t, syndic, "GET", path+"?as_of="+time.Now().Format(time.DateOnly), nil).ok(200)
		require.Equal(t, put.text, at.text)
	})
	t.Run("a moment that nobody knows", func(t *testing.T) {
		o.ask(t, syndic, "GET", path+"?as_of_position=1", nil).refused(404, "not_found")
		o.ask(t, syndic, "GET", path+"?as_of=2001-01-01", nil).refused(404, "not_found")
		o.ask(t, syndic, "GET", path+"?as_of_position=999", nil).refused(400, "position_unknown")
		o.ask(t, syndic, "GET", path+"?as_of=2999-01-01", nil).refused(400, "position_unknown")
		o.ask(t, syndic, "GET", path+"?as_of=soon", nil).refused(400, "invalid_parameter")
	})
	t.Run("history in three languages", func(t *testing.T) {
		for language, label := range map[string]string{
			"fr": "Immeuble enregistré", "nl": "Gebouw", "en": "Building registered",
		} {
			got := o.ask(t, syndic, "GET", path+"/history", nil, "Accept-Language", language).ok(200)
			require.Contains(t, got.get("data.0.label"), label)
			require.EqualValues(t, 3, got.at("pagination.total_items"))
		}
		o.ask(t, syndic, "GET", path+"/history?order=desc&type=building.renamed", nil).ok(200).
			golden("building_history")
	})
	t.Run("replay and difference", func(t *testing.T) {
		replay := o.ask(t, syndic, "GET", path+"/replay?position="+born, nil).ok(200)
		require.EqualValues(t, 8, replay.at("building.total_units"))
		replay.golden("building_replay")
		o.ask(t, syndic, "GET", path+"/diff?from="+born+"&to="+grown, nil).ok(200).
			golden("building_diff")
	})
}

func TestBuildingLists(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	organization := o.organization(t)
	syndic := o.signedIn(t, organization, "syndic")
	for i := range 25 {
		o.ask(t, syndic, "POST", "/buildings", newBuilding(
			"name", fmt.Sprintf("Résidence %02d", 24-i), "total_units", 1+i%3,
			"city", []string{"Bruxelles", "Gent"}[i%2])).ok(201)
	}
	names := func(list answer) []string {
		var names []string
		for _, item := range list.at("data").([]any) {
			names = append(names, item.(map[string]any)["name"].(string))
		}
		return names
	}

	t.Run("pages, sorted", func(t *testing.T) {
		got := o.ask(t, syndic, "GET", "/buildings?sort_by=name&per_page=10&page=3", nil).ok(200)
		require.Equal(t, []string{
			"Résidence 20", "Résidence 21", "Résidence 22", "Résidence 23", "Résidence 24",
		}, names(got))
		require.EqualValues(t, 25, got.at("pagination.total_items"))
		require.EqualValues(t, 3, got.at("pagination.total_pages"))
		require.Equal(t, false, got.at("pagination.has_next"))
		first := o.ask(t, syndic, "GET", "/buildings?per_page=1", nil).ok(200)
		require.Equal(t, []string{"Résidence 24"}, names(first))
	})
	t.Run("a cursor walks the whole list, ties included", func(t *testing.T) {
		seen, path := map[string]bool{}, "/buildings?sort_by=total_units&order=desc&per_page=7"
		for next := ""; ; {
			got := o.ask(t, syndic, "GET", path+next, nil).ok(200)
			for _, name := range names(got) {
				require.False(t, seen[name], name)
				seen[name] = true
			}
			cursor, more := got.at("pagination.next_cursor").(string)
			if !more {
				break
			}
			next = "&cursor=" + cursor
		}
		require.Len(t, seen, 25)
	})
	t.Run("filters, and a cursor that belongs to another list", func(t *testing.T) {
		got := o.ask(t, syndic, "GET", "/buildings?city=gent&q=DENCE%201", nil).ok(200)
		require.EqualValues(t, 5, got.at("pagination.total_items"))
		cursor := o.ask(t, syndic, "GET", "/buildings?per_page=2", nil).
			get("pagination.next_cursor")
		o.ask(t, syndic, "GET", "/buildings?per_page=2&city=gent&cursor="+cursor, nil).
			refused(400, "invalid_cursor")
		for _, wrong := range []string{"page=0", "per_page=101", "sort_by=iban", "colour=red"} {
			require.Equal(t, 400, o.ask(t, syndic, "GET", "/buildings?"+wrong, nil).status)
		}
	})
	t.Run("what belongs to a building is empty until its noun comes", func(t *testing.T) {
		id := o.ask(t, syndic, "GET", "/buildings", nil).get("data.0.id")
		for _, list := range []string{"meetings", "documents"} {
			got := o.ask(t, syndic, "GET", "/buildings/"+id+"/"+list, nil).ok(200)
			require.Equal(t, "[]", got.text)
			o.ask(t, syndic, "GET", "/buildings/"+newID().String()+"/"+list, nil).
				refused(404, "not_found")
		}
	})
	t.Run("an owner who holds nothing sees no building", func(t *testing.T) {
		owner := o.signedIn(t, organization, "owner")
		got := o.ask(t, owner, "GET", "/buildings", nil).ok(200)
		require.Empty(t, got.at("data"))
		id := o.ask(t, syndic, "GET", "/buildings", nil).get("data.0.id")
		o.ask(t, owner, "GET", "/buildings/"+id, nil).refused(404, "not_found")
	})
}

func TestBuildingsOfAnotherOrganization(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	mine, theirs := o.organization(t), o.organization(t)
	syndic, stranger := o.signedIn(t, mine, "syndic"), o.signedIn(t, theirs, "syndic")
	admin := o.signedIn(t, uuid.Nil, "superadmin")
	made := o.ask(t, syndic, "POST", "/buildings", newBuilding()).ok(201)
	path, born := "/buildings/"+made.get("id"), made.header.Get("Koprogo-Position")

	for _, sub := range []string{
		"", "/history", "/replay", "/diff?from=1&to=%s", "/units", "/owners", "/expenses",
		"/meetings", "/documents", "?as_of_position=%s",
	} {
		o.ask(t, stranger, "GET", path+strings.ReplaceAll(sub, "%s", "1"), nil).
			refused(404, "not_found")
		o.ask(t, admin, "GET", path+strings.ReplaceAll(sub, "%s", born), nil).ok(200)
	}
	o.ask(t, stranger, "PUT", path, body{"name": "X"}).refused(404, "not_found")
	o.ask(t, stranger, "DELETE", path, nil).refused(404, "not_found")
	o.ask(t, stranger, "POST", "/buildings", newBuilding("organization_id", mine)).
		refused(404, "not_found")
	require.NotContains(t, o.ask(t, stranger, "GET", "/buildings", nil).text, made.get("id"))
	require.Contains(t, o.ask(t, admin, "GET", "/buildings", nil).text, made.get("id"))
	inTheirs := o.ask(t, admin, "POST", "/buildings", newBuilding("organization_id", theirs)).
		ok(201)
	require.Equal(t, theirs.String(), inTheirs.at("organization_id"))
	require.Equal(t, 200, o.ask(t, stranger, "GET", "/buildings/"+inTheirs.get("id"), nil).status)
}

func TestAPlanIsFullInARaceToo(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	admin := o.signedIn(t, uuid.Nil, "superadmin")
	organization := uuid.MustParse(o.ask(t, admin, "POST", "/organizations",
		newOrganization("starter")).ok(201).get("id"))
	syndic := o.signedIn(t, organization, "syndic")
	statuses := make(chan int)
	for range 64 {
		go func() {
			statuses <- o.ask(t, syndic, "POST", "/buildings", newBuilding()).status
		}()
	}
	count := map[int]int{}
	for range 64 {
		count[<-statuses]++
	}
	require.Equal(t, map[int]int{201: 5, 409: 59}, count)
}
