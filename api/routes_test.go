package api_test

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/koprogo/koprogo/api"
	"github.com/koprogo/koprogo/commands"
	"github.com/koprogo/koprogo/eventstore"
)

// premises is an organization with people in it and one of everything that a path names.
type premises struct {
	*office
	document     *document
	organization uuid.UUID
	syndic       *person
	ids          map[string]string // by noun: building, unit, owner, user, organization and so on
}

func openPremises(t testing.TB, o *office) *premises {
	t.Helper()
	p := &premises{office: o, document: readDocument(t, o), organization: o.organization(t)}
	p.syndic = o.signedIn(t, p.organization, "syndic")
	p.refill(t)
	return p
}

// refill makes one of everything anew: the last one may have been changed or removed. A route of a
// new noun fails until one of it is made here.
func (p *premises) refill(t testing.TB) {
	t.Helper()
	_, err := commands.Handle(t.Context(), p.app, commands.System(p.organization, "test"),
		commands.ReinstateOrganization{OrganizationID: p.organization})
	require.NoError(t, err)
	p.ids = map[string]string{"organization": p.organization.String()}
	p.ids["building"] = p.ask(t, p.syndic, "POST", "/buildings", newBuilding()).ok(201).get("id")
	p.ids["owner"] = p.owner(t, p.organization).String()
	p.ids["unit"] = p.ask(t, p.syndic, "POST", "/units", newUnit(p.ids["building"])).ok(201).get("id")
	p.ids["ownership"] = p.ask(t, p.syndic, "POST", "/units/"+p.ids["unit"]+"/owners", body{
		"owner_id": p.ids["owner"], "ownership_fraction": "1/3",
	}).ok(201).get("id")
	p.ids["expense"] = p.ask(t, p.syndic, "POST", "/expenses", newExpense(p.ids["building"])).
		ok(201).get("id")
	p.ids["invoice"] = p.ask(t, p.syndic, "POST", "/invoices/draft",
		newInvoice(p.ids["building"])).ok(201).get("id")
	p.ids["distribution_key"] = p.ask(t, p.syndic, "POST", "/distribution-keys",
		newKey(p.ids["building"], 1000, p.ids["unit"], 1000)).ok(201).get("id")
	user, role := newID(), newID()
	_, err = p.app.OpenAccount(t.Context(), commands.System(eventstore.Platform, "test"),
		commands.OpenAccount{
			AccountID: user, Email: user.String() + "@example.org", FirstName: "Ann",
			LastName: "Peeters", Roles: []commands.RoleOffer{
				{ID: role, Role: "auditor", Organization: p.organization},
			},
		})
	require.NoError(t, err)
	p.ids["user"], p.ids["role"] = user.String(), role.String()
	p.ids["mandate"] = p.mandate(t, user, p.ids["building"])
}

// mandate limits an auditor to a building.
func (p *premises) mandate(t testing.TB, auditor uuid.UUID, building string) string {
	t.Helper()
	return p.ask(t, p.syndic, "POST", "/users/"+auditor.String()+"/mandates", body{
		"building_ids": []string{building}, "from": "2020-01-01", "to": "2099-12-31",
	}).ok(201).get("id")
}

// apart are the nouns of collections that the platform or the log holds, whoever sees a building:
// by the first part of the path, where it is not what the routes call it.
var apart = map[string]string{
	"users": "user", "organizations": "organization", "auth": "session", "jobs": "job",
	"audit": "event",
}

// nounOf is what the {id} of a path names: the noun of the first route of its collection.
func nounOf(route api.Route) string {
	collection := collectionOf(route)
	if noun, known := apart[collection]; known {
		return noun
	}
	for _, other := range api.Routes {
		if collectionOf(other) == collection {
			return other.Noun
		}
	}
	return ""
}

func collectionOf(route api.Route) string {
	first, _, _ := strings.Cut(strings.TrimPrefix(route.Path, "/"), "/")
	return first
}

// isOfBuilding tells the routes on what a caller who does not see its building does not find.
func isOfBuilding(route api.Route) bool {
	_, isApart := apart[collectionOf(route)]
	return !isApart && hasID(route)
}

// ofNobody shows the caller as an owner, which none of the premises' people is.
const ofNobody = "/owners/me"

func isWrite(route api.Route) bool { return route.Method != http.MethodGet }

func hasID(route api.Route) bool { return strings.Contains(route.Path, "{id}") }

var placeholder = regexp.MustCompile(`\{\w+\}`)

// path is the route's path to what stands in these premises, with the parameters it requires.
func (p *premises) path(t testing.TB, route api.Route, as *person) string {
	t.Helper()
	path := placeholder.ReplaceAllStringFunc(route.Path, func(place string) string {
		noun := strings.TrimSuffix(strings.Trim(place, "{}"), "_id")
		if noun == "id" {
			noun = nounOf(route)
		}
		switch id := p.ids[noun]; {
		case noun == "position":
			return "1"
		case noun == "job" && as != nil:
			return p.job(t, as)
		case id == "":
			require.Contains(t, []string{"session", "event", "job"}, noun, "refill makes none")
			return newID().String()
		default:
			return id
		}
	})
	query, head := url.Values{}, p.positions(t)[p.organization]
	for _, parameter := range p.document.operation(route).Parameters {
		if parameter.In == "query" && parameter.Required {
			query.Set(parameter.Name, strconv.FormatInt(head, 10))
		}
	}
	return path + "?" + query.Encode()
}

// job is long work that somebody asked for.
func (p *premises) job(t testing.TB, as *person) string {
	t.Helper()
	return p.ask(t, as, "POST", "/audit/verify?organization_id="+p.organization.String(), nil).
		ok(202).get("id")
}

// positions are the heads of all logs.
func (o *office) positions(t testing.TB) map[uuid.UUID]int64 {
	t.Helper()
	heads, err := o.store.Heads(t.Context())
	require.NoError(t, err)
	at := make(map[uuid.UUID]int64, len(heads))
	for _, head := range heads {
		at[head.Organization] = head.Position
	}
	return at
}

// caller is somebody who tries every route.
type caller struct {
	name      string
	person    *person // nil without a token
	role      api.Roles
	isOutside bool // does not see the premises' building
}

func (p *premises) callers(t testing.TB) []caller {
	t.Helper()
	elsewhere := p.ask(t, p.syndic, "POST", "/buildings", newBuilding()).ok(201).get("id")
	limited := p.signedIn(t, p.organization, "auditor")
	p.mandate(t, limited.id, elsewhere)
	return []caller{
		{"nobody", nil, 0, false},
		{"a superadmin", p.signedIn(t, uuid.Nil, "superadmin"), api.Superadmin, false},
		{"a syndic", p.syndic, api.Syndic, false},
		{"an accountant", p.signedIn(t, p.organization, "accountant"), api.Accountant, false},
		{"an auditor", p.signedIn(t, p.organization, "auditor"), api.Auditor, false},
		{"an auditor of another building", limited, api.Auditor, true},
		{"an owner", p.signedIn(t, p.organization, "owner"), api.Owner, true},
	}
}

// Every route answers whom it names about what he sees, and refuses everybody else.
func TestEveryRouteForEveryRole(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	own, other := openPremises(t, o), openPremises(t, o)
	callers := own.callers(t)
	for _, route := range api.Routes {
		for _, as := range callers {
			t.Run(route.Method+" "+route.Path+" as "+as.name, func(t *testing.T) {
				path := own.path(t, route, own.asker(route, as))
				if as.role == api.Superadmin {
					path += "&organization_id=" + own.organization.String()
				}
				sent := own.document.sampleBody(route, own.ids)
				got := o.ask(t, as.person, route.Method, path, sent)
				require.Less(t, got.status, 500, got.text)
				own.expect(t, route, as, got)
				if as.role != api.Superadmin {
					other.hides(t, got)
				}
				if as.isOutside && !isWrite(route) {
					require.NotContains(t, got.text, own.ids["building"])
				}
				if isWrite(route) && got.status < 300 {
					own.refill(t)
				}
			})
		}
	}
}

// asker is who asks for the long work that a route follows: the caller, where he may.
func (p *premises) asker(route api.Route, as caller) *person {
	if route.May&as.role == 0 {
		return p.syndic
	}
	return as.person
}

func (p *premises) expect(t *testing.T, route api.Route, as caller, got answer) {
	t.Helper()
	switch {
	case route.May == api.Public && !isWrite(route):
		got.ok(200)
	case route.May == api.Public:
		require.NotEqual(t, 403, got.status, got.text)
	case as.person == nil:
		got.refused(401, "unauthenticated")
	case route.May&as.role == 0:
		got.refused(403, "forbidden")
	case as.isOutside && isOfBuilding(route):
		got.refused(404, "not_found")
	case route.Path == ofNobody:
		got.refused(404, "not_found")
	case !isWrite(route):
		if as.isOutside && strings.Contains(route.Path, "{position}") {
			got.refused(404, "not_found") // that event is not of his buildings
			return
		}
		got.ok(200)
	default:
		require.NotContains(t, []int{401, 403}, got.status, got.text)
	}
}

// hides checks that an answer names nothing of these premises.
func (p *premises) hides(t testing.TB, got answer) {
	t.Helper()
	for noun, id := range p.ids {
		require.NotContains(t, got.text, id, noun)
	}
}

// isNamedIn tells whether a body names something of these premises.
func (p *premises) isNamedIn(t *testing.T, sent any) bool {
	t.Helper()
	text, err := json.Marshal(sent)
	require.NoError(t, err)
	return slices.ContainsFunc(slices.Collect(maps.Values(p.ids)), func(id string) bool {
		return strings.Contains(string(text), id)
	})
}

// What belongs to another organization is not there: to read, to write, named in the path, in the
// query or in the body.
func TestAnotherOrganizationIsNotFoundOnAnyRoute(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	own, other := openPremises(t, o), openPremises(t, o)
	callers := own.callers(t)
	other.ids["job"] = other.job(t, other.syndic)
	before := o.positions(t)
	for _, route := range api.Routes {
		if route.May == api.Public || route.May == api.Superadmin {
			continue
		}
		theirs := other.path(t, route, nil)
		ours := own.path(t, route, own.syndic)
		named := "&organization_id=" + other.organization.String()
		for _, as := range callers {
			if as.role == api.Superadmin || route.May&as.role == 0 {
				continue
			}
			t.Run(route.Method+" "+route.Path+" as "+as.name, func(t *testing.T) {
				try := func(path string, sent any) {
					t.Helper()
					got := o.ask(t, as.person, route.Method, path, sent)
					got.refused(404, "not_found")
					other.hides(t, got)
				}
				mine := own.document.sampleBody(route, own.ids)
				if hasID(route) {
					try(theirs, mine)
				}
				try(ours+named, mine)
				if mine == nil {
					return
				}
				mixed := own.document.sampleBody(route, other.ids).(map[string]any)
				if route.Method == http.MethodPost && other.isNamedIn(t, mixed) {
					try(ours, mixed)
				}
				mixed["organization_id"] = other.organization.String()
				try(ours, mixed)
			})
		}
	}
	require.Equal(t, before[other.organization], o.positions(t)[other.organization])
}

// A suspended organization is read as ever and changed by nobody in it.
func TestSuspensionOnEveryRoute(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	p := openPremises(t, o)
	_, err := commands.Handle(t.Context(), o.app, commands.System(p.organization, "test"),
		commands.SuspendOrganization{OrganizationID: p.organization})
	require.NoError(t, err)
	before := o.positions(t)[p.organization]
	for _, route := range api.Routes {
		if route.May&api.Syndic == 0 {
			continue
		}
		t.Run(route.Method+" "+route.Path, func(t *testing.T) {
			got := o.ask(t, p.syndic, route.Method, p.path(t, route, p.syndic),
				p.document.sampleBody(route, p.ids))
			switch {
			case route.Path == ofNobody:
				got.refused(404, "not_found")
			case !isWrite(route):
				got.ok(200)
			case isOwn(route), strings.HasPrefix(route.Path, "/audit/"),
				strings.HasPrefix(route.Path, "/pcn/"): // asks, and writes nothing
				require.NotContains(t, []int{401, 403}, got.status, got.text)
				require.Less(t, got.status, 500, got.text)
			default:
				got.refused(403, "organization_suspended")
			}
		})
	}
	require.Equal(t, before, o.positions(t)[p.organization])
}

// isOwn tells the routes on which a person changes nothing but his own account.
func isOwn(route api.Route) bool {
	return route.Path != "/auth/register" &&
		(strings.HasPrefix(route.Path, "/auth/") || strings.HasPrefix(route.Path, "/2fa/"))
}

// The contract's table of roles (section 2), by the first part of the path: who reads, who writes,
// and the sub-resources that differ.
func TestRoutesDeclareTheContractsRoles(t *testing.T) {
	t.Parallel()
	table := map[string][2]api.Roles{
		"buildings":     {api.Everyone, api.Managers},
		"owners":        {api.Everyone, api.Managers},
		"users":         {api.Managers, api.Managers},
		"organizations": {api.Superadmin, api.Superadmin},
		"audit":         {api.Professionals, api.Professionals},
		"jobs":          {api.Professionals, 0},
		"pcn":           {api.Professionals, api.Professionals},
		"2fa":           {api.Everyone, api.Everyone},
	}
	special := map[string]api.Roles{
		"/buildings/{id}/history": api.Professionals, "/buildings/{id}/replay": api.Professionals,
		"/buildings/{id}/diff": api.Professionals, "/organizations/{id}/settings": api.Managers,
	}
	for _, route := range api.Routes {
		first, _, _ := strings.Cut(strings.TrimPrefix(route.Path, "/"), "/")
		row, known := table[first]
		if !known {
			continue
		}
		expected := row[0]
		if isWrite(route) {
			expected = row[1]
		}
		if roles, differs := special[route.Path]; differs {
			expected = roles
		}
		require.Equal(t, expected.String(), route.May.String(), route.Method+" "+route.Path)
	}
}
