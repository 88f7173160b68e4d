package api_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/koprogo/koprogo/api"
)

// attacker sends requests that nobody should send, and watches what comes of them: no fault of
// ours, problems with documented codes, nothing told, and nothing recorded by what was refused.
type attacker struct {
	t       *testing.T
	own     *premises
	other   *premises
	admin   *person
	heads   map[uuid.UUID]int64
	refused int
	taken   int
}

// leaks are what no answer holds: a stack, SQL, a place in our source, a rejected value.
var leaks = regexp.MustCompile(`goroutine |\.go:\d|(?i)SQLSTATE|pgconn|jackc|drop table|` +
	`insert into |select .* from |panic|nil pointer|runtime error|<script`)

// try sends a request; its path begins below /api/v1 and goes out as it is written.
func (a *attacker) try(
	route api.Route, path string, content []byte, headers ...string,
) answer {
	a.t.Helper()
	request := a.request(route, path, content, headers)
	response, err := a.own.Client().Do(request)
	require.NoError(a.t, err, "%s %.100s", route.Method, path)
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	require.NoError(a.t, err)
	got := answer{t: a.t, status: response.StatusCode, header: response.Header, text: string(text)}
	what := fmt.Sprintf("%s %.100s %.100s %.100q\n%s", route.Method, path, content, headers, text)
	require.Less(a.t, got.status, 500, what)
	require.NotRegexp(a.t, leaks, leakable(got.text), what)
	if route.May != api.Superadmin {
		a.other.hides(a.t, got)
	}
	if got.status >= 400 {
		a.refused++
		require.Equal(a.t, "application/problem+json", got.header.Get("Content-Type"), what)
		require.NoError(a.t, json.Unmarshal(text, &got.json), what)
		require.True(a.t, a.own.document.knows(got.status, got.get("code")), what)
	}
	a.settle(route, got, what)
	return got
}

// leakable is an answer without the data that a caller may have sent and had stored before.
func leakable(text string) string {
	if strings.HasPrefix(text, `{"type":"/docs/problems`) {
		return text
	}
	return ""
}

// settle compares the heads of the logs: what was refused has moved none.
func (a *attacker) settle(route api.Route, got answer, what string) {
	a.t.Helper()
	if !isWrite(route) {
		return
	}
	heads := a.own.positions(a.t)
	if got.status >= 400 {
		require.Equal(a.t, a.heads, heads, what)
		return
	}
	a.taken++
	if route.Method == http.MethodDelete || route.May == api.Superadmin ||
		strings.HasSuffix(route.Path, "activate") {
		a.own.refill(a.t)
		heads = a.own.positions(a.t)
	}
	require.Equal(a.t, a.heads[a.other.organization], heads[a.other.organization], what)
	a.heads = heads
}

func (a *attacker) request(
	route api.Route, path string, content []byte, headers []string,
) *http.Request {
	a.t.Helper()
	at, err := url.Parse(a.own.URL)
	require.NoError(a.t, err)
	at.Opaque = "/api/v1" + path
	var sent io.Reader
	if content != nil {
		sent = bytes.NewReader(content)
	}
	request, err := http.NewRequestWithContext(a.t.Context(), route.Method, a.own.URL, sent)
	require.NoError(a.t, err)
	request.URL = at
	if content != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	if as := a.as(route); as != nil {
		request.Header.Set("Authorization", "Bearer "+as.token)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	return request
}

// as is whom the route lets furthest in.
func (a *attacker) as(route api.Route) *person {
	switch {
	case route.May == api.Public:
		return nil
	case route.May&api.Syndic == 0:
		return a.admin
	}
	return a.own.syndic
}

func TestHostileRequestsOnEveryRoute(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	own, other := openPremises(t, o), openPremises(t, o)
	admin := o.signedIn(t, uuid.Nil, "superadmin")
	a := &attacker{own: own, other: other, admin: admin}
	for _, route := range api.Routes {
		t.Run(route.Method+" "+route.Path, func(t *testing.T) {
			a.t, a.heads = t, o.positions(t)
			a.paths(route)
			a.methods(route)
			a.queries(route)
			a.headers(route)
			if own.document.body(route) != nil {
				a.bodies(route)
				a.fields(route)
			}
		})
	}
	require.Greater(t, a.refused, 2_000, "what is hostile was refused")
	require.NotContains(t, o.logs.String(), `"level":"ERROR"`)
	for _, secret := range []string{"drop table", "etc/passwd", own.syndic.email, own.syndic.token} {
		require.NotContains(t, o.logs.String(), secret)
	}
	own.refill(t)
	own.ask(t, own.syndic, "GET", "/buildings/"+own.ids["building"], nil).ok(200)
}

// paths puts into each {place} of the path what is no id.
func (a *attacker) paths(route api.Route) {
	for _, id := range []string{
		"x", "%00", "%0a", "..%2f..", "..%2f..%2fetc%2fpasswd", "%2e%2e", ".", "..", "%ff", "%c3%28",
		"%25", "0", "-1", "1e9", "99999999999999999999", strings.Repeat("9", 300),
		strings.Repeat("a", 9_000), "%E2%80%AE", "'%20or%201=1;%20drop%20table%20log.events%20--",
		"00000000-0000-0000-0000-000000000000", "{" + newID().String() + "}", "%20", "%3Cscript%3E",
		"urn:uuid:" + newID().String(), "ffffffff-ffff-ffff-ffff-ffffffffffff",
	} {
		for _, place := range placeholder.FindAllString(route.Path, -1) {
			path := absent(strings.ReplaceAll(route.Path, place, id))
			require.GreaterOrEqual(a.t, a.try(route, path, nil).status, 300, path)
		}
	}
	for _, path := range []string{
		route.Path + "/", "/" + route.Path, route.Path + "/..", route.Path + "%00",
		"/../.." + route.Path, "/%2e%2e/v1" + route.Path, strings.ToUpper(route.Path),
		route.Path + ";x=1", route.Path + strings.Repeat("/a", 4_000),
	} {
		path = strings.NewReplacer("{", "", "}", "").Replace(path)
		require.GreaterOrEqual(a.t, a.try(route, path, nil).status, 300, path)
	}
}

// methods asks the path for what it does not do.
func (a *attacker) methods(route api.Route) {
	declared := a.own.document.Paths["/api/v1"+route.Path]
	path, _ := a.target(route)
	for _, method := range []string{
		"GET", "POST", "PUT", "DELETE", "PATCH", "TRACE", "OPTIONS", "PROPFIND", "get", "DROP-TABLE",
	} {
		if _, known := declared[strings.ToLower(method)]; known && method != "get" ||
			isTaken(method, route.Path) {
			continue
		}
		other := route
		other.Method = method
		a.try(other, path, nil).refused(405, "method_not_allowed")
	}
}

// isTaken tells whether a route with a {place} where the path says a word answers the method.
func isTaken(method, path string) bool {
	place := regexp.MustCompile(`\\{\w+\\}`)
	return slices.ContainsFunc(api.Routes, func(other api.Route) bool {
		pattern := place.ReplaceAllString(regexp.QuoteMeta(other.Path), "[^/]+")
		return other.Method == method && regexp.MustCompile("^"+pattern+"$").MatchString(path)
	})
}

// queries adds what the route does not know and wrong values for what it knows.
func (a *attacker) queries(route api.Route) {
	path, named := a.target(route)
	if named {
		path += "&"
	} else {
		path += "?"
	}
	for _, query := range []string{
		"x=1", "%00=1", "x=%ff", "%zz", "=", "&&&", strings.Repeat("a=1&", 500), "id=1&id=2",
		"organization_id=%27", "organization_id=" + newID().String() + "&organization_id=x",
		"q=" + strings.Repeat("x", 10_000), "__proto__=1", "page%5B%5D=1", ";drop table",
	} {
		if strings.HasPrefix(route.Path, "/health") {
			continue // takes no parameters and reads none
		}
		got := a.try(route, path+strings.ReplaceAll(query, " ", "+"), nil)
		if query != "=" && query != "&&&" && route.Method != http.MethodPost {
			require.GreaterOrEqual(a.t, got.status, 400, query)
		}
	}
	for _, parameter := range a.own.document.operation(route).Parameters {
		if parameter.In != "query" {
			continue
		}
		for _, value := range []string{
			"", "%00", "-1", "0", "1.5", "1e9", "99999999999999999999", "%ff", "NaN", "null", "%20",
			"'%20or%201=1;%20drop%20table%20log.events%20--", strings.Repeat("x", 3_000), "AAAA",
			"0000-00-00", "2026-13-45", "99999-01-01", "2999-01-01T00:00:00Z", "%E2%80%AE", "true",
			"2026-01-01T00:00:00+99:99", newID().String(), "building-", "%25", "_%25_",
		} {
			a.try(route, path+parameter.Name+"="+value, nil)
		}
	}
}

// target is a path that stands; for a DELETE one that does not, since most of what follows would
// be answered by deleting.
func (a *attacker) target(route api.Route) (path string, hasQuery bool) {
	a.t.Helper()
	if route.Method == http.MethodDelete {
		return absent(route.Path), false
	}
	path = strings.TrimSuffix(a.own.path(a.t, route, a.own.syndic), "?")
	return path, strings.Contains(path, "?")
}

// absent puts ids that nothing has into a path.
func absent(path string) string {
	return placeholder.ReplaceAllStringFunc(path, func(string) string { return newID().String() })
}

// headers sends conditions, keys and preferences that mean nothing.
func (a *attacker) headers(route api.Route) {
	path, _ := a.target(route)
	var content []byte
	if isWrite(route) && route.Method != http.MethodDelete {
		content = []byte(`{"no such field":1}`)
	}
	hostile := []string{
		"", "\x80\xff", "'; drop table log.events --", strings.Repeat("k", 5_000), "é",
		" ", `"`, `W/"1"`, `"-1"`, "*", "1, 2", "-1", "99999999999999999999", "0", "1.5",
		"q=0;;;,,,", "fr;q=x", strings.Repeat("fr,", 1_000),
	}
	read := []string{
		"If-Match", "If-None-Match", "Idempotency-Key", "Koprogo-Min-Position", "Accept-Language",
		"X-Request-Id",
	}
	for _, name := range append(read, "Accept", "Origin", "X-Forwarded-For", "Range", "Cookie",
		"X-HTTP-Method-Override", "Content-Encoding", "Traceparent") {
		values := hostile
		if !slices.Contains(read, name) {
			values = hostile[:4]
		}
		for _, value := range values {
			got := a.try(route, path, content, name, value)
			require.NotContains(a.t, got.header.Get("X-Request-Id"), "drop")
			if content != nil && a.own.document.body(route) != nil {
				require.GreaterOrEqual(a.t, got.status, 400, name)
			}
		}
	}
	if route.May == api.Public {
		return
	}
	for _, bearer := range []string{
		"", "Bearer", "Bearer ", "Basic YTpi", "Bearer x.y.z", "Bearer " + strings.Repeat("e", 9_000),
		"Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0.", "Bearer \x80\xff",
	} {
		a.try(route, path, content, "Authorization", bearer).refused(401, "unauthenticated")
	}
}

// bodies sends what is no body of the route, with wrong types of content too.
func (a *attacker) bodies(route api.Route) {
	path, _ := a.target(route)
	for _, name := range slices.Sorted(maps.Keys(api.HostileBodies)) {
		got := a.try(route, path, []byte(api.HostileBodies[name]))
		require.GreaterOrEqual(a.t, got.status, 400, name)
	}
	valid, err := json.Marshal(a.own.document.sampleBody(route, a.own.ids))
	require.NoError(a.t, err)
	for _, kind := range []string{
		"text/html", "text/plain", "application/xml", "multipart/form-data; boundary=x",
		"application/x-www-form-urlencoded", "application/json; charset=latin1", ";;;", "json",
		"application/json-patch+json", "\x80",
	} {
		a.try(route, path, valid, "Content-Type", kind).refused(415, "unsupported_media_type")
	}
}

// fields puts hostile values into each field of the body's schema, within objects and arrays too,
// and values of every wrong type, which must be refused by the field's name.
func (a *attacker) fields(route api.Route) {
	a.t.Helper()
	taken := a.own.document.resolve(a.own.document.body(route))
	for _, name := range slices.Sorted(maps.Keys(taken.Properties)) {
		a.field(route, name, taken.Properties[name], func(value any) any {
			whole, _ := a.own.document.sampleBody(route, a.own.ids).(map[string]any)
			whole[name] = value
			return whole
		})
	}
}

// field attacks one field; within builds the body around its value.
func (a *attacker) field(
	route api.Route, name string, s *schema, within func(value any) any,
) {
	a.t.Helper()
	document := a.own.document
	s = document.resolve(s)
	path, _ := a.target(route)
	send := func(value any) answer {
		a.t.Helper()
		content, err := json.Marshal(within(value))
		require.NoError(a.t, err)
		return a.try(route, path, content)
	}
	for _, value := range api.HostileValues {
		send(json.RawMessage(value))
	}
	for kind, value := range map[string]any{
		"string": "no such thing", "number": 7, "boolean": true,
		"object": body{"no such field": 1}, "array": []any{[]any{}, nil},
	} {
		if takes(s, kind) {
			continue
		}
		got := send(value)
		if got.status == 429 {
			continue
		}
		require.Equal(a.t, 400, got.status, "%s of type %s: %s", name, kind, got.text)
		require.Regexp(a.t, `"field":"`+regexp.QuoteMeta(name), got.text, "of type %s", kind)
	}
	if slices.Contains(s.types(), "array") {
		a.field(route, name, s.Items, func(value any) any { return within([]any{value}) })
	}
	for inner := range s.Properties {
		a.field(route, name, s.Properties[inner], func(value any) any {
			item, _ := document.sample(name, s, a.own.ids).(map[string]any)
			item[inner] = value
			return within(item)
		})
	}
}

// takes tells whether a schema allows values of a JSON type; amounts are texts or numbers.
func takes(s *schema, kind string) bool {
	kinds := s.types()
	switch {
	case len(kinds) == 0:
		return true
	case kind == "number":
		return slices.Contains(kinds, "number") || slices.Contains(kinds, "integer") ||
			s.Format == "decimal"
	case kind == "string" && (s.Format != "" || len(s.Enum) > 0):
		return s.Format == "decimal"
	case kind == "string" && slices.Contains(kinds, "number"):
		return true
	}
	return slices.Contains(kinds, kind)
}
