package api_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/koprogo/koprogo/api"
)

// FuzzRoutes sends any request that HTTP allows, as a syndic, and asks for what every answer keeps:
// no fault of ours, problems with documented codes, nothing of another organization, and nothing
// recorded by what was refused.
func FuzzRoutes(f *testing.F) {
	o := openOffice(f)
	own, other := openPremises(f, o), openPremises(f, o)
	for _, route := range api.Routes {
		sent, err := json.Marshal(own.document.sampleBody(route, own.ids))
		require.NoError(f, err)
		f.Add(route.Method, own.path(f, route, own.syndic), "", string(sent))
		f.Add(route.Method, other.path(f, route, nil), "Accept-Language: fr\r\nIf-Match: \"1\"\r\n",
			`{"name":"x"}`)
	}
	for _, headers := range []string{
		"Idempotency-Key: k\r\n", "If-None-Match: *\r\n", "Koprogo-Min-Position: 1\r\n",
		"Content-Type: text/plain\r\n", "X-Request-Id: x\r\nOrigin: null\r\n", "Range: bytes=0-\r\n",
	} {
		f.Add("PUT", "/buildings/"+own.ids["building"], headers, `{"total_units":1e3}`)
		f.Add("GET", "/buildings?q=%25&cursor=AA&as_of=2020-01-01", headers, "")
	}
	f.Fuzz(func(t *testing.T, method, path, headers, content string) {
		request := fuzzed(own, method, path, headers, content)
		if request == nil {
			return
		}
		before := o.positions(t)
		recorder := httptest.NewRecorder()
		o.Config.Handler.ServeHTTP(recorder, request)
		status, text := recorder.Code, recorder.Body.String()
		if status == http.StatusServiceUnavailable {
			require.Contains(t, text, "position_not_reached", "%s %q", method, path)
			return
		}
		require.Less(t, status, 500, "%s %q %q %q", method, path, headers, content)
		if status < 400 {
			return
		}
		require.Equal(t, before, o.positions(t), "%s %q was refused", method, path)
		_, query, _ := strings.Cut(path, "?")
		for _, id := range other.ids {
			if !strings.Contains(query+headers+content, id) { // names of fields are repeated
				require.NotContains(t, text, id)
			}
		}
		require.NotRegexp(t, leaks, text)
		require.Equal(t, "application/problem+json", recorder.Header().Get("Content-Type"))
		if method != http.MethodHead {
			var problem struct {
				Code string `json:"code"`
			}
			require.NoError(t, json.Unmarshal(recorder.Body.Bytes(), &problem), text)
			require.True(t, own.document.knows(status, problem.Code), problem.Code)
		}
	})
}

// fuzzed is the request as net/http reads it from a connection; nil for what is no HTTP. It is the
// syndic's, whatever the headers say.
func fuzzed(p *premises, method, path, headers, content string) *http.Request {
	if strings.ContainsAny(method+path, " \r\n") {
		return nil
	}
	raw := method + " /api/v1" + path + " HTTP/1.1\r\nHost: koprogo\r\n" + headers + "\r\n"
	request, err := http.ReadRequest(bufio.NewReader(bytes.NewReader([]byte(raw))))
	if err != nil {
		return nil
	}
	request.Header.Set("Authorization", "Bearer "+p.syndic.token)
	request.RemoteAddr = "192.0.2.1:1"
	request.Body = http.NoBody
	if content != "" {
		made := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(content))
		request.Body, request.ContentLength = made.Body, made.ContentLength
	}
	return request
}
