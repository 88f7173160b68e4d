package api_test

import (
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/koprogo/koprogo/commands"
)

func newUnit(building string, more ...any) body {
	return withMore(body{
		"building_id": building, "unit_number": "A2", "unit_type": "Apartment",
		"surface_area": 84.5, "quota": 100,
	}, more)
}

// owner registers one.
func (o *office) owner(t testing.TB, organization uuid.UUID) uuid.UUID {
	t.Helper()
	id := newID()
	_, err := commands.Handle(t.Context(), o.app, commands.System(organization, "test"),
		&commands.RegisterOwner{OwnerID: id, OwnerFields: commands.OwnerFields{
			FirstName: commands.To("Marie"), LastName: commands.To("Dubois"),
			Email: commands.To(id.String() + "@example.be"), Address: commands.To("Rue Haute 1"),
			City: commands.To("Bruxelles"), PostalCode: commands.To("1000"),
			Country: commands.To("Belgique"),
		}})
	require.NoError(t, err)
	return id
}

// estate is a building with one unit, of a syndic.
type estate struct {
	*office
	organization   uuid.UUID
	syndic         *person
	building, unit string
}

func openEstate(t *testing.T) *estate {
	t.Helper()
	e := &estate{office: openOffice(t)}
	e.organization = e.office.organization(t)
	e.syndic = e.signedIn(t, e.organization, "syndic")
	e.building = e.post(t, "/buildings", newBuilding()).ok(201).get("id")
	e.unit = e.post(t, "/units", newUnit(e.building)).ok(201).get("id")
	return e
}

func (e *estate) post(t *testing.T, path string, content body) answer {
	t.Helper()
	return e.ask(t, e.syndic, "POST", path, content)
}

func (e *estate) put(t *testing.T, path string, content body) answer {
	t.Helper()
	return e.ask(t, e.syndic, "PUT", path, content)
}

func (e *estate) get(t *testing.T, path string) answer {
	t.Helper()
	return e.ask(t, e.syndic, "GET", path, nil)
}

func (e *estate) buyer(t *testing.T) string {
	t.Helper()
	return e.owner(t, e.organization).String()
}

// texts are the values of a field in each item of a list.
func texts(t testing.TB, items any, field string) []string {
	t.Helper()
	found := []string{}
	for _, item := range items.([]any) {
		found = append(found, item.(map[string]any)[field].(string))
	}
	return found
}

func TestUnits(t *testing.T) {
	t.Parallel()
	e := openEstate(t)

	t.Run("a unit is answered whole, with its quota as an exact number", func(t *testing.T) {
		got := e.post(t, "/units", newUnit(e.building, "unit_number", "A10", "floor", -1,
			"quota", 12.3456, "unit_type", "Parking")).ok(201)
		require.Equal(t, `"1"`, got.header.Get("ETag"))
		require.Contains(t, got.text, `"quota":12.3456`)
		require.Contains(t, got.text, `"surface_area":84.5`)
		require.Equal(t, "Parking", got.get("unit_type"))
		require.Equal(t, "a000010", got.get("sort_key"))
		require.Nil(t, got.at("owner_id"))
		got.golden("unit")
		require.Equal(t, got.text, e.get(t, "/units/"+got.get("id")).ok(200).text)
	})
	t.Run("lists count as people do, page, filter and say how many there are", func(t *testing.T) {
		listed := e.get(t, "/units?building_id="+e.building).ok(200)
		require.Equal(t, []string{"A2", "A10"}, texts(t, listed.at("data"), "unit_number"))
		require.EqualValues(t, 2, e.get(t, "/units").ok(200).at("pagination.total_items"))
		listed = e.get(t, "/units?unit_type=Parking").ok(200)
		require.Equal(t, []string{"A10"}, texts(t, listed.at("data"), "unit_number"))
		require.EqualValues(t, 1, listed.at("pagination.total_items"))
		for _, sort := range []string{"unit_number", "floor", "surface_area", "created_at"} {
			first := e.get(t, "/units?per_page=1&sort_by="+sort+"&order=desc").ok(200)
			next := e.get(t, "/units?per_page=1&sort_by="+sort+"&order=desc&cursor="+
				first.get("pagination.next_cursor")).ok(200)
			require.NotEqual(t, first.get("data.0.id"), next.get("data.0.id"), sort)
			require.Equal(t, false, next.at("pagination.has_next"))
		}
		e.get(t, "/units?unit_type=Loft").refused(400, "invalid_parameter")
		require.Equal(t, []string{"A2", "A10"},
			texts(t, e.get(t, "/buildings/"+e.building+"/units").ok(200).json, "unit_number"))
	})
	t.Run("a PUT changes what it names, and repeats only its own building", func(t *testing.T) {
		path := "/units/" + e.unit
		other := e.post(t, "/buildings", newBuilding()).ok(201).get("id")
		e.put(t, path, body{"building_id": other}).refused(400, "invalid_field")
		changed := e.put(t, path, body{"building_id": e.building, "quota": "90", "floor": 3}).ok(200)
		require.Contains(t, changed.text, `"quota":90,`)
		require.Equal(t, "A2", changed.get("unit_number"))
		e.put(t, path, body{"unit_number": nil}).refused(400, "invalid_field")
		e.put(t, path, body{"unit_number": "a10"}).refused(409, "unit_number_taken")
		e.ask(t, e.syndic, "PUT", path, body{"floor": 4}, "If-Match", `"1"`).
			refused(412, "precondition_failed")
	})
	t.Run("shares and lots stay within the building's totals", func(t *testing.T) {
		e.post(t, "/units", newUnit(e.building, "unit_number", "B", "quota", 900)).
			refused(409, "shares_exceeded")
		e.put(t, "/buildings/"+e.building, body{"total_tantiemes": 100}).
			refused(409, "shares_exceeded")
		e.put(t, "/buildings/"+e.building, body{"total_units": 1}).refused(409, "units_exceeded")
		small := e.post(t, "/buildings", newBuilding("total_units", 1)).ok(201).get("id")
		e.post(t, "/units", newUnit(small)).ok(201)
		e.post(t, "/units", newUnit(small, "unit_number", "B")).refused(409, "units_exceeded")
	})
	t.Run("wrong fields are named as REST names them", func(t *testing.T) {
		for field, value := range map[string]any{
			"unit_number": "", "unit_type": "apartment", "floor": 1.5, "surface_area": 0,
			"quota": -1, "building_id": "x", "sort_key": 7, "colour": "red",
		} {
			got := e.post(t, "/units", newUnit(e.building, field, value))
			require.Equal(t, 400, got.status, got.text)
			require.Equal(t, field, got.get("errors.0.field"), got.text)
		}
		e.post(t, "/units", newUnit(newID().String())).refused(404, "not_found")
	})
	t.Run("a removed unit is gone, its number free, its past still there", func(t *testing.T) {
		made := e.post(t, "/units", newUnit(e.building, "unit_number", "C", "quota", 1)).ok(201)
		path := "/units/" + made.get("id")
		e.ask(t, e.syndic, "DELETE", path, nil).ok(204)
		for _, gone := range []string{path, path + "/owners", path + "/owners/history"} {
			e.get(t, gone).refused(404, "not_found")
		}
		past := e.get(t, path+"?as_of_position="+made.header.Get("Koprogo-Position")).ok(200)
		require.Equal(t, made.text, past.text)
		e.post(t, "/units", newUnit(e.building, "unit_number", "C", "quota", 1)).ok(201)
		e.post(t, "/units", newUnit(e.building, "unit_number", "D", "id", made.get("id"))).
			refused(409, "id_taken")
	})
	t.Run("history tells shares before and after, over the total", func(t *testing.T) {
		told := e.ask(t, e.syndic, "GET", "/buildings/"+e.building+"/history?type="+
			"lot.shares_amended", nil, "Accept-Language", "fr").ok(200)
		require.Equal(t, "Lot A2 : 100/1000 → 90/1000", told.get("data.0.label"))
		require.Equal(t, "quota", told.get("data.0.changes.0.field"))
	})
}

func TestOwnershipOfUnits(t *testing.T) {
	t.Parallel()
	e := openEstate(t)
	path := "/units/" + e.unit + "/owners"
	ann, bea, cis := e.buyer(t), e.buyer(t), e.buyer(t)
	var first answer

	t.Run("a decimal is the fraction that it is; the first owner is the contact", func(t *testing.T) {
		first = e.post(t, path, body{
			"owner_id": ann, "ownership_percentage": 0.6, "from": "2020-01-01",
		}).ok(201)
		require.Equal(t, "3/5", first.get("ownership_fraction"))
		require.Contains(t, first.text, `"ownership_percentage":0.600000`)
		require.Equal(t, "2020-01-01T00:00:00Z", first.get("start_date"))
		require.Nil(t, first.at("end_date"))
		require.Equal(t, true, first.at("is_primary_contact"))
		first.golden("relation")
		total := e.get(t, path+"/total-percentage").ok(200)
		require.Equal(t, "60.00%", total.get("percentage_display"))
		require.Contains(t, total.text, `"total_ownership_percentage":0.600000`)
		total.golden("total_percentage")
		require.Equal(t, ann, e.get(t, "/units/"+e.unit).ok(200).get("owner_id"))
	})
	t.Run("too much, twice, nobody and nonsense are refused", func(t *testing.T) {
		over := e.post(t, path, body{"owner_id": bea, "ownership_fraction": "1/2"})
		over.refused(409, "ownership_exceeded")
		require.Contains(t, over.get("detail"), "60.00%")
		e.post(t, path, body{"owner_id": ann, "ownership_fraction": "1/5"}).
			refused(409, "already_owner")
		e.post(t, path, body{"owner_id": newID(), "ownership_fraction": "1/5"}).
			refused(404, "not_found")
		for field, value := range map[string]any{
			"ownership_fraction": "2/1", "ownership_percentage": 0, "right": "lease", "from": "x",
			"owner_id": nil,
		} {
			wanted := body{"owner_id": bea, "right": "full"}
			wanted[field] = value
			if field != "ownership_percentage" && field != "ownership_fraction" {
				wanted["ownership_fraction"] = "1/5"
			}
			got := e.post(t, path, wanted)
			require.Equal(t, 400, got.status, got.text)
			require.Equal(t, field, got.get("errors.0.field"), got.text)
		}
		e.post(t, path, body{"owner_id": bea}).refused(400, "invalid_field")
	})
	t.Run("another contact takes the place of the first", func(t *testing.T) {
		second := e.post(t, path, body{
			"owner_id": bea, "ownership_fraction": "2/5", "from": "2021-01-01",
		}).ok(201)
		require.Equal(t, false, second.at("is_primary_contact"))
		named := e.put(t, "/unit-owners/"+second.get("id"), body{"is_primary_contact": true}).ok(200)
		require.Equal(t, true, named.at("is_primary_contact"))
		require.Equal(t, bea, e.get(t, "/units/"+e.unit).get("owner_id"))
		active := e.get(t, path).ok(200)
		require.Equal(t, []string{ann, bea}, texts(t, active.json, "owner_id"))
		require.Equal(t, false, active.at("0.is_primary_contact"))
		owners := e.get(t, "/buildings/"+e.building+"/owners").ok(200)
		require.ElementsMatch(t, []string{ann, bea}, texts(t, owners.json, "id"))
		e.ask(t, e.syndic, "DELETE", "/units/"+e.unit, nil).refused(409, "unit_has_owners")
		e.ask(t, e.syndic, "DELETE", "/buildings/"+e.building, nil).
			refused(409, "building_has_owners")
		e.ask(t, e.syndic, "DELETE", "/owners/"+ann, nil).refused(409, "owner_holds_lots")
	})
	t.Run("a part is sold by deed, the seller keeps the rest", func(t *testing.T) {
		sale := e.post(t, path+"/transfer", body{
			"from_owner_id": ann, "to_owner_id": cis, "fraction": "1/5", "on": "2026-01-15",
			"deed_reference": "Rép. 2026/3",
		}).ok(200)
		require.Equal(t, "2/5", sale.get("ended_relationship.ownership_fraction"))
		require.Equal(t, true, sale.at("ended_relationship.is_active"))
		require.Equal(t, "1/5", sale.get("new_relationship.ownership_fraction"))
		require.Equal(t, "Rép. 2026/3", sale.get("new_relationship.deed_reference"))
		sale.golden("transfer")
	})
	t.Run("the rest too, and history keeps every fraction with its days", func(t *testing.T) {
		e.post(t, path+"/transfer", body{
			"from_owner_id": ann, "to_owner_id": cis, "on": "2026-02-01",
		}).ok(200)
		history := e.get(t, path+"/history").ok(200)
		require.Equal(t, []string{ann, bea, cis}, texts(t, history.json, "owner_id"))
		require.Equal(t, "2026-01-31T00:00:00Z", history.get("0.end_date"))
		require.Equal(t, "2026-01-14T00:00:00Z", history.get("0.fractions.0.end_date"))
		require.Equal(t, "3/5", history.get("0.fractions.0.ownership_fraction"))
		require.Equal(t, "2/5", history.get("0.fractions.1.ownership_fraction"))
		require.Equal(t, "3/5", history.get("2.ownership_fraction"))
		require.Empty(t, e.get(t, "/owners/"+ann+"/units").ok(200).json)
		require.Len(t, e.get(t, "/owners/"+ann+"/units/history").ok(200).json, 1)
		require.Equal(t, "100.00%",
			e.get(t, path+"/total-percentage").ok(200).get("percentage_display"))
		past := e.get(t, path+"?as_of_position="+first.header.Get("Koprogo-Position")).ok(200)
		require.Equal(t, []string{ann}, texts(t, past.json, "owner_id"))
	})
	t.Run("an owner who goes is told; the contact is who came first", func(t *testing.T) {
		ended := e.ask(t, e.syndic, "DELETE", path+"/"+bea, nil).ok(200)
		require.Equal(t, bea, ended.get("owner_id"))
		require.Equal(t, false, ended.at("is_active"))
		require.Equal(t, cis, e.get(t, "/units/"+e.unit).get("owner_id"))
		e.ask(t, e.syndic, "DELETE", path+"/"+bea, nil).refused(404, "not_found")
	})
	t.Run("a sole owner is assigned, twice without effect", func(t *testing.T) {
		assign := "/units/" + e.unit + "/assign-owner/" + ann
		unit := e.put(t, assign, body{}).ok(200)
		require.Equal(t, ann, unit.get("owner_id"))
		require.Equal(t, unit.text, e.put(t, assign, body{}).ok(200).text)
		require.Equal(t, []string{ann}, texts(t, e.get(t, path).json, "owner_id"))
		e.put(t, assign+"?from=x", body{}).refused(400, "invalid_parameter")
	})
	t.Run("a replay shows the units with those who owned them then", func(t *testing.T) {
		replay := e.get(t, "/buildings/"+e.building+"/replay?position="+
			first.header.Get("Koprogo-Position")).ok(200)
		require.Equal(t, "A2", replay.get("units.0.unit_number"))
		require.Equal(t, ann, replay.get("units.0.owner_id"))
		require.Equal(t, "3/5", replay.get("units.0.owners.0.ownership_fraction"))
		replay.golden("replay_units")
	})
	t.Run("a repeated request is answered as it was then", func(t *testing.T) {
		key := []string{"Idempotency-Key", "sale-1"}
		sale := body{"from_owner_id": ann, "to_owner_id": bea, "fraction": "1/2"}
		once := e.ask(t, e.syndic, "POST", path+"/transfer", sale, key...).ok(200)
		e.put(t, "/units/"+e.unit+"/assign-owner/"+cis, body{}).ok(200)
		again := e.ask(t, e.syndic, "POST", path+"/transfer", sale, key...).ok(200)
		require.Equal(t, "true", again.header.Get("Idempotency-Replayed"))
		require.Equal(t, once.text, again.text)
	})
}

func TestOwnersSeeWhatTheyHold(t *testing.T) {
	t.Parallel()
	e := openEstate(t)
	other := e.post(t, "/units", newUnit(e.building, "unit_number", "B")).ok(201).get("id")
	elsewhere := e.post(t, "/buildings", newBuilding()).ok(201).get("id")
	mine, theirs := e.buyer(t), e.buyer(t)
	for unit, owner := range map[string]string{e.unit: mine, other: theirs} {
		e.post(t, "/units/"+unit+"/owners", body{"owner_id": owner, "ownership_percentage": 1}).
			ok(201)
	}
	owner := e.signedIn(t, e.organization, "owner")
	see := func(path string) answer { return e.ask(t, owner, "GET", path, nil) }
	require.EqualValues(t, 0, see("/units").ok(200).at("pagination.total_items"))
	see("/units/"+e.unit).refused(404, "not_found")
	e.put(t, "/owners/"+mine+"/link-user", body{"user_id": owner.id}).ok(200)

	require.Equal(t, []string{e.unit}, texts(t, see("/units").ok(200).at("data"), "id"))
	require.Equal(t, []string{e.building}, texts(t, see("/buildings").ok(200).at("data"), "id"))
	require.Equal(t, []string{e.unit},
		texts(t, see("/buildings/"+e.building+"/units").ok(200).json, "id"))
	require.Equal(t, []string{mine},
		texts(t, see("/buildings/"+e.building+"/owners").ok(200).json, "id"))
	see("/units/" + e.unit).ok(200)
	see("/units/" + e.unit + "/owners/history").ok(200)
	require.Len(t, see("/owners/"+mine+"/units").ok(200).json, 1)
	for _, hidden := range []string{
		"/units/" + other, "/units/" + other + "/owners", "/units/" + other + "/owners/history",
		"/units/" + other + "/owners/total-percentage", "/buildings/" + elsewhere,
		"/buildings/" + elsewhere + "/units", "/owners/" + theirs + "/units",
		"/owners/" + theirs + "/units/history",
	} {
		see(hidden).refused(404, "not_found")
	}
	e.ask(t, e.syndic, "DELETE", "/units/"+e.unit+"/owners/"+mine, nil).ok(200)
	see("/units/"+e.unit).refused(404, "not_found")
	see("/buildings/"+e.building).refused(404, "not_found")
}

// On the day of a sale that was entered before, the unit shows its buyer, also where an answer is
// kept in memory.
func TestAUnitChangesHandsOnItsDay(t *testing.T) {
	t.Parallel()
	e := openEstate(t)
	seller, buyer := e.buyer(t), e.buyer(t)
	path := "/units/" + e.unit
	e.put(t, path+"/assign-owner/"+seller, body{}).ok(200)
	day := time.Now().AddDate(0, 0, 2).Format(time.DateOnly)
	e.post(t, path+"/owners/transfer", body{
		"from_owner_id": seller, "to_owner_id": buyer, "on": day,
	}).ok(200)
	require.Equal(t, seller, e.get(t, path).ok(200).get("owner_id"))
	require.Equal(t, []string{seller}, texts(t, e.get(t, path+"/owners").json, "owner_id"))
	e.clock.forward(3 * 24 * time.Hour)
	e.signIn(t, e.syndic)
	require.Equal(t, buyer, e.get(t, path).ok(200).get("owner_id"))
	require.Equal(t, []string{buyer}, texts(t, e.get(t, path+"/owners").json, "owner_id"))
}

// The ETag of a unit moves on the days on which its owners change, though nothing is recorded then.
func TestTheETagOfAUnitMovesOnTheDayOfASale(t *testing.T) {
	t.Parallel()
	e := openEstate(t)
	seller, buyer, heir := e.buyer(t), e.buyer(t), e.buyer(t)
	path := "/units/" + e.unit
	on := func(days int) string { return time.Now().AddDate(0, 0, days).Format(time.DateOnly) }
	seen := func() string {
		t.Helper()
		tag := e.get(t, path).ok(200).header.Get("ETag")
		e.ask(t, e.syndic, "GET", path, nil, "If-None-Match", tag).ok(304)
		return tag
	}
	tags := map[string]bool{}
	moved := func() string {
		t.Helper()
		tag := seen()
		require.NotContains(t, tags, tag)
		tags[tag] = true
		return tag
	}
	moved()
	e.put(t, path+"/assign-owner/"+seller, body{}).ok(200)
	moved()
	e.post(t, path+"/owners/transfer", body{
		"from_owner_id": seller, "to_owner_id": buyer, "on": on(9),
	}).ok(200)
	before := moved()
	e.ask(t, e.syndic, "PUT", path, body{"floor": 1}, "If-Match", before).ok(200)
	moved()
	e.put(t, path+"/assign-owner/"+heir+"?from="+on(3), body{}).ok(200)
	before = moved()
	e.ask(t, e.syndic, "PUT", path, body{"floor": 2}, "If-Match", before).ok(200)
	before = moved()

	e.clock.forward(5 * 24 * time.Hour)
	e.signIn(t, e.syndic)
	shown := e.ask(t, e.syndic, "GET", path, nil, "If-None-Match", before).ok(200)
	require.Equal(t, heir, shown.get("owner_id"))
	e.ask(t, e.syndic, "PUT", path, body{"floor": 3}, "If-Match", before).
		refused(412, "precondition_failed")
	after := moved()
	changed := e.ask(t, e.syndic, "PUT", path, body{"floor": 3}, "If-Match", after).ok(200)
	require.Equal(t, seen(), changed.header.Get("ETag"))
}

func TestSixtyFourClientsOnOneUnit(t *testing.T) {
	t.Parallel()
	e := openEstate(t)
	owners := make([]string, 64)
	for i := range owners {
		owners[i] = e.buyer(t)
	}
	var statuses [64]int
	var group sync.WaitGroup
	for i, owner := range owners {
		group.Go(func() {
			got := e.ask(t, e.syndic, "POST", "/units/"+e.unit+"/owners", body{
				"owner_id": owner, "ownership_fraction": "1/5",
			})
			statuses[i] = got.status
		})
	}
	group.Wait()
	counted := map[int]int{}
	for _, status := range statuses {
		counted[status]++
	}
	require.Equal(t, map[int]int{201: 5, 409: 59}, counted)
	active := e.get(t, "/units/"+e.unit+"/owners").ok(200)
	require.Len(t, active.json, 5)
	primaries := 0
	for _, relation := range active.json.([]any) {
		if primary, _ := relation.(map[string]any)["is_primary_contact"].(bool); primary {
			primaries++
		}
	}
	require.Equal(t, 1, primaries)
}
