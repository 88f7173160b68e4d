package api

import (
	"net/http"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
)

// hostileBodies are what no route may answer with a 5xx, nor with a success.
var hostileBodies = map[string]string{
	"cut short":        `{"name":`,
	"no JSON":          `<xml/>`,
	"a lone quote":     `"`,
	"an array":         `[1,2,3]`,
	"a number":         `1e400`,
	"nothing but null": `null`,
	"deep":             strings.Repeat(`{"name":`, 100_000),
	"deep arrays": `{"name":` + strings.Repeat("[", 100_000) +
		strings.Repeat("]", 100_000) + `}`,
	"2 MiB":              `{"name":"` + strings.Repeat("x", 2<<20) + `"}`,
	"a field twice":      `{"name":"a","name":"b"}`,
	"an unknown field":   `{"__proto__":{"role":"superadmin"}}`,
	"broken UTF-8":       "{\"name\":\"\xc3\x28\"}",
	"NUL in a name":      "{\"na\\u0000me\":1}",
	"half a surrogate":   `{"name":"\udfff"}`,
	"an endless number":  `{"name":` + strings.Repeat("9", 100_000) + `}`,
	"a byte order mark":  "\ufeff{}x",
	"many unknown names": manyNames(5_000),
}

func manyNames(n int) string {
	var all strings.Builder
	all.WriteString(`{`)
	for i := range n {
		if i > 0 {
			all.WriteString(",")
		}
		all.WriteString(`"n` + uuid.NewString() + `":1`)
	}
	all.WriteString(`}`)
	return all.String()
}

// hostileValues are put into every field of every body, and into every parameter.
var hostileValues = []string{
	`"\u0000"`, `"\u001b[2J"`, `"' or 1=1; drop table log.events --"`,
	`"` + strings.Repeat("x", 300) + `"`,
	`{}`, `[]`, `[[]]`, `true`, `-1`, `1e308`, `1e-400`, `0.1`, `99999999999999999999`, `"NaN"`,
	`"2026-13-45"`, `"00000000-0000-0000-0000-000000000000"`, `"../../etc/passwd"`, `"\u202e"`,
}

// attack sends hostile requests to every route as a caller and returns how many it sent. No answer
// is a 5xx, and each refusal is a problem with a known code that repeats no value.
func attack(t *testing.T, s *testServer, routes []Route, bearer string) int {
	t.Helper()
	sent := 0
	try := func(method, path, body string, headers ...string) {
		sent++
		answer := s.send(t, method, path, body, append(headers, "Authorization", "Bearer "+bearer)...)
		require.Less(t, answer.status, 500, "%s %s %.80s: %s", method, path, body, answer.body)
		if answer.status >= 400 && method != http.MethodHead {
			problem := answer.problem(t)
			require.Contains(t, codes, problem.Code)
			require.NotContains(t, string(answer.body), "drop table")
			require.NotContains(t, string(answer.body), "goroutine")
		}
	}
	for _, route := range routes {
		if route.Path == "/boom" {
			continue
		}
		path := basePath + pathParameter.ReplaceAllString(route.Path, firstID.String())
		for _, id := range []string{"x", "%00", "..%2f..", strings.Repeat("9", 300), "%ff"} {
			if strings.Contains(route.Path, "{") {
				try(route.Method, basePath+pathParameter.ReplaceAllString(route.Path, id), "")
			}
		}
		for _, query := range []string{
			"?x=1", "?page=1e9", "?%00=1", "?organization_id=%27", "?cursor=AAAA",
			"?" + strings.Repeat("a=1&", 500),
			"?as_of=0000-00-00", "?as_of_position=-1", "?sort_by=id;select+1", "?from=99999-01-01",
		} {
			try(route.Method, path+query, "")
		}
		if !route.Serve.writes() || route.Serve.body == nil {
			continue
		}
		for name, body := range hostileBodies {
			if route.Method == http.MethodDelete && name == "2 MiB" {
				continue
			}
			try(route.Method, path, body)
		}
		try(route.Method, path, `{}`, "Content-Type", "text/html")
		try(route.Method, path, `{}`, idempotencyHeader, strings.Repeat("k", 300))
		try(route.Method, path, `{}`, "If-Match", "nonsense")
		for _, field := range shapeOf(route.Serve.body).fields {
			for _, value := range hostileValues {
				name, err := json.Marshal(field.name)
				require.NoError(t, err)
				try(route.Method, path, `{`+string(name)+`:`+value+`}`)
			}
		}
	}
	return sent
}

func TestHostileRequests(t *testing.T) {
	t.Parallel()
	s := serve(t)
	require.Greater(t, attack(t, s, s.yard.routes(), "syndic-token"), 300)
	for name, body := range hostileBodies {
		answer := s.post(t, body)
		require.GreaterOrEqual(t, answer.status, 400, name)
	}
}

func FuzzBody(f *testing.F) {
	for _, body := range hostileBodies {
		if len(body) < 1_000 {
			f.Add([]byte(body))
		}
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		var in parcelIn
		_, err := decodeBody(body, &in, onCreate)
		if err == nil {
			require.True(t, in.Name.IsGiven())
			return
		}
		require.NotEmpty(t, problemJSON(mapped(err, &Route{}), French, "r"))
	})
}
