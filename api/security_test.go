package api

import (
	"bufio"
	"context"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
)

func TestWhoMayCall(t *testing.T) {
	t.Parallel()
	s := serve(t)
	s.yard.parcels[firstID] = parcel{ID: firstID}
	path := "/api/v1/parcels/" + firstID.String()

	t.Run("no token, and a bad one, are 401", func(t *testing.T) {
		for _, header := range []string{
			"", "Bearer", "Bearer ", "Bearer x", "Basic c3luZGlj", "syndic-token",
		} {
			answer := s.get(t, path, "Authorization", header)
			require.Equal(t, http.StatusUnauthorized, answer.status, header)
			require.NotEmpty(t, answer.header.Get("WWW-Authenticate"))
		}
	})
	t.Run("a role that may not is 403, before anything of the body is read", func(t *testing.T) {
		answer := s.post(t, `{"bad`, "Authorization", "Bearer accountant-token")
		require.Equal(t, http.StatusForbidden, answer.status)
		require.Equal(t, 403, s.get(t, path, "Authorization", "Bearer owner-token").status)
	})
	t.Run("another organization is not found, wherever it is named", func(t *testing.T) {
		for _, answer := range []got{
			s.get(t, path+"?organization_id="+stranger.String()),
			s.get(t, "/api/v1/parcels?organization_id="+stranger.String()),
			s.post(t, `{"name":"A","organization_id":"`+stranger.String()+`"}`),
			s.send(t, "PUT", path, `{"organization_id":"`+stranger.String()+`"}`),
			s.send(t, "POST", "/api/v1/parcels/owned", `{"organization_id":"`+stranger.String()+`"}`),
			s.send(t, "DELETE", path+"?organization_id="+stranger.String(), ""),
		} {
			require.Equal(t, http.StatusNotFound, answer.status)
			require.NotContains(t, string(answer.body), stranger.String())
		}
		require.Contains(t, s.yard.parcels, firstID)
		require.Nil(t, s.yard.last, "no handler was reached")
		own := `{"organization_id":"` + house.String() + `"}`
		require.Equal(t, 200, s.send(t, "POST", "/api/v1/parcels/owned", own).status)
		require.Equal(t, 201, s.post(t, `{"name":"A","organization_id":"`+house.String()+`"}`).status)
	})
	t.Run("a superadmin names the organization, and lists without it span all", func(t *testing.T) {
		admin := []string{"Authorization", "Bearer admin-token"}
		answer := s.post(t, `{"name":"A"}`, admin...)
		require.Equal(t, CodeOrganizationRequired, answer.problem(t).Code)
		named := `{"name":"A","organization_id":"` + stranger.String() + `"}`
		require.Equal(t, 201, s.post(t, named, admin...).status)
		require.Equal(t, stranger, s.yard.last.Organization)
		require.Equal(t, 200, s.get(t, "/api/v1/parcels", admin...).status)
		twice := "/api/v1/parcels?organization_id=" + house.String()
		answer = s.send(t, "POST", twice, named, admin...)
		require.Equal(t, 400, answer.status)
	})
	t.Run("a superadmin's resource finds its organization", func(t *testing.T) {
		t.Parallel()
		s := serve(t, func(config *Config) {
			config.OrganizationOf = func(_ context.Context, noun string, id uuid.UUID) (uuid.UUID, error) {
				if noun == "building" && id == firstID {
					return stranger, nil
				}
				return uuid.Nil, notFound(noun)
			}
		})
		admin := []string{"Authorization", "Bearer admin-token"}
		require.Equal(t, 200, s.send(t, "PUT", path, `{"name":"A"}`, admin...).status)
		require.Equal(t, stranger, s.yard.last.Organization)
		other := "/api/v1/parcels/" + house.String()
		require.Equal(t, 404, s.send(t, "PUT", other, `{"name":"A"}`, admin...).status)
	})
}

func TestRoutesThatStopTheStart(t *testing.T) {
	t.Parallel()
	y := &yard{}
	for name, route := range map[string]Route{
		"declares nobody":    {"GET", "/x", 0, "", read(boom), ""},
		"public and asks":    {"GET", "/x", Public | Syndic, "", read(boom), ""},
		"does nothing":       {"GET", "/x", Syndic, "", verb{}, ""},
		"sorts by":           {"GET", "/x", Syndic, "", list(y.list), ""},
		"another method":     {"GET", "/x", Syndic, "", create(y.create), ""},
		"does not take {id}": {"GET", "/x/{id}", Syndic, "", read(boom), ""},
		"takes {id}":         {"GET", "/x", Syndic, "", read(y.read), ""},
	} {
		_, err := newServer(Config{Authenticate: authenticateTest, JWTSecret: testSecret}, []Route{route})
		require.ErrorContains(t, err, name)
	}
	_, err := newServer(Config{Authenticate: authenticateTest, JWTSecret: []byte("short")}, Routes)
	require.ErrorContains(t, err, "JWT_SECRET")
	for _, origin := range []string{"*", "https://*.example.org", "example.org", "https://a.b/c"} {
		_, err = newServer(Config{
			Authenticate: authenticateTest, JWTSecret: testSecret, Origins: []string{origin},
		}, Routes)
		require.ErrorContains(t, err, "CORS_ALLOWED_ORIGINS")
	}
	for _, route := range Routes {
		require.NotZero(t, route.May, route.Path)
		require.NotEmpty(t, route.Summary, route.Path)
	}
}

func TestHeaders(t *testing.T) {
	t.Parallel()
	s := serve(t, func(config *Config) {
		config.Origins = []string{"https://app.example.org"}
		config.PublicURL = "https://api.example.org"
	})
	t.Run("every answer has its id and the security headers", func(t *testing.T) {
		for _, answer := range []got{
			s.get(t, "/api/v1/parcels"), s.get(t, "/nothing"), s.get(t, "/docs"), s.get(t, "/api/v1/boom"),
		} {
			for name, value := range map[string]string{
				"X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY",
				"Referrer-Policy": "no-referrer", "Strict-Transport-Security": "max-age=31536000",
			} {
				require.Equal(t, value, answer.header.Get(name), name)
			}
			require.Contains(t, answer.header.Get("Content-Security-Policy"), "default-src 'none'")
			require.True(t, isRequestID(answer.header.Get("X-Request-Id")))
		}
	})
	t.Run("the client's request id is kept where it has the form", func(t *testing.T) {
		for given, kept := range map[string]bool{
			"abc.DEF_1-2": true, strings.Repeat("a", 64): true, strings.Repeat("a", 65): false,
			"a b": false, "a/b": false, "é": false,
		} {
			answer := s.get(t, "/health", "X-Request-Id", given)
			require.Equal(t, kept, answer.header.Get("X-Request-Id") == given, given)
		}
	})
	t.Run("exactly the named origins read answers", func(t *testing.T) {
		answer := s.get(t, "/api/v1/parcels", "Origin", "https://app.example.org")
		require.Equal(t, "https://app.example.org", answer.header.Get("Access-Control-Allow-Origin"))
		require.Equal(t, "Etag, Location, Koprogo-Position, Idempotency-Replayed, Retry-After",
			answer.header.Get("Access-Control-Expose-Headers"))
		require.ElementsMatch(t, []string{"Origin", "Accept-Language, Authorization"},
			answer.header.Values("Vary"))
		for _, origin := range []string{"https://evil.example.org", "http://app.example.org", "null"} {
			answer := s.get(t, "/api/v1/parcels", "Origin", origin)
			require.Empty(t, answer.header.Get("Access-Control-Allow-Origin"))
		}
		answer = s.send(t, "OPTIONS", "/api/v1/parcels", "", "Origin", "https://app.example.org",
			"Access-Control-Request-Method", "PUT", "Authorization", "",
			"Access-Control-Request-Headers", "if-match,idempotency-key,koprogo-min-position")
		require.Equal(t, 200, answer.status)
		require.Equal(t, "PUT", answer.header.Get("Access-Control-Allow-Methods"))
		require.NotEmpty(t, answer.header.Get("Access-Control-Allow-Headers"))
	})
	t.Run("a method that the path does not know is 405", func(t *testing.T) {
		answer := s.send(t, "PATCH", "/api/v1/parcels", "")
		require.Equal(t, http.StatusMethodNotAllowed, answer.status)
		require.Equal(t, CodeMethodNotAllowed, answer.problem(t).Code)
	})
	t.Run("HEAD answers as GET without a body", func(t *testing.T) {
		answer := s.send(t, "HEAD", "/api/v1/parcels", "")
		require.Equal(t, 200, answer.status)
		require.NotEmpty(t, answer.header.Get("Etag"))
	})
}

func TestPanicsAndLogs(t *testing.T) {
	t.Parallel()
	s := serve(t)
	answer := s.get(t, "/api/v1/boom?organization_id="+house.String(), "X-Request-Id", "panicking")
	require.Equal(t, http.StatusInternalServerError, answer.status)
	require.Equal(t, CodeInternal, answer.problem(t).Code)
	require.NotContains(t, string(answer.body), "secret")
	require.NotContains(t, string(answer.body), "goroutine")
	require.Equal(t, 201, s.post(t, `{"name":"Jeanne Peeters"}`).status)
	s.Close()
	logs := s.logs.String()
	require.Contains(t, logs, `"request_id":"panicking"`)
	require.Contains(t, logs, `"route":"/parcels"`)
	for _, hidden := range []string{
		"a secret in a panic", "organization_id", "Peeters", "syndic-token", "127.0.0.1",
	} {
		require.NotContains(t, logs, hidden)
	}
}

func TestLimits(t *testing.T) {
	t.Parallel()
	t.Run("a token has its rate", func(t *testing.T) {
		t.Parallel()
		s := serve(t, func(config *Config) { config.RatePerToken = 3 })
		answer := s.get(t, "/api/v1/parcels")
		require.Equal(t, "3", answer.header.Get("X-RateLimit-Limit"))
		require.Equal(t, "2", answer.header.Get("X-RateLimit-Remaining"))
		require.Eventually(t, func() bool {
			answer = s.get(t, "/api/v1/parcels")
			return answer.status == http.StatusTooManyRequests
		}, 5*time.Second, time.Millisecond)
		require.Equal(t, CodeRateLimited, answer.problem(t).Code)
		require.Equal(t, "1", answer.header.Get("Retry-After"))
		require.Equal(t, 200, s.get(t, "/api/v1/parcels", "Authorization", "Bearer auditor-token").status)
	})
	t.Run("tokens cannot be guessed at speed", func(t *testing.T) {
		t.Parallel()
		s := serve(t, func(config *Config) { config.RatePerToken = 3 })
		require.Eventually(t, func() bool {
			return s.get(t, "/api/v1/parcels", "Authorization", "Bearer "+uuid.NewString()).status == 429
		}, 5*time.Second, time.Millisecond)
	})
	t.Run("when the gate is full a request waits its turn, then is 503", func(t *testing.T) {
		t.Parallel()
		full := make(gate, 1)
		leave, err := full.enter(t.Context())
		require.NoError(t, err)
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		_, err = full.enter(ended)
		require.Equal(t, CodeUnavailable, mapped(err, &Route{}).Code)
		leave()
		_, err = full.enter(ended)
		require.NoError(t, err)
	})
	t.Run("a client that sends its body slowly keeps nobody out", func(t *testing.T) {
		t.Parallel()
		s := serve(t, func(config *Config) { config.MaxWorking = 1 })
		slow, err := net.Dial("tcp", strings.TrimPrefix(s.URL, "http://"))
		require.NoError(t, err)
		defer slow.Close()
		_, err = slow.Write([]byte("POST /api/v1/parcels HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n" +
			"Content-Type: application/json\r\nAuthorization: Bearer syndic-token\r\n\r\n{\"name\":"))
		require.NoError(t, err)
		require.Equal(t, 201, s.post(t, `{"name":"A"}`).status)
	})
	t.Run("headers are bounded", func(t *testing.T) {
		t.Parallel()
		s := serve(t)
		conn, err := net.Dial("tcp", strings.TrimPrefix(s.URL, "http://"))
		require.NoError(t, err)
		defer conn.Close()
		_, _ = conn.Write([]byte("GET /health HTTP/1.1\r\nHost: x\r\nX-Big: " +
			strings.Repeat("x", 64<<10) + "\r\n\r\n"))
		line, err := bufio.NewReader(conn).ReadString('\n')
		require.NoError(t, err)
		require.Contains(t, line, "431")
	})
}

func TestAttempts(t *testing.T) {
	t.Parallel()
	now := time.Now()
	attempts := NewAttempts(5, 15*time.Minute)
	for i := range 5 {
		require.NoError(t, attempts.Allow(now, "account", "address"))
		attempts.Fail(now.Add(time.Duration(i)*time.Minute), "account", "address")
	}
	at := now.Add(5 * time.Minute)
	problem := new(Problem)
	require.ErrorAs(t, attempts.Allow(at, "account"), &problem)
	require.Equal(t, CodeTooManyAttempts, problem.Code)
	require.Equal(t, 10*time.Minute, problem.RetryAfter)
	require.Error(t, attempts.Allow(at, "another account", "address"))
	require.NoError(t, attempts.Allow(at, "another account"))
	require.NoError(t, attempts.Allow(now.Add(15*time.Minute), "account"), "the oldest counts no more")
	attempts.Clear("account")
	require.NoError(t, attempts.Allow(at, "account"))
}

func TestHealth(t *testing.T) {
	t.Parallel()
	broken := false
	s := serve(t, func(config *Config) {
		config.Backend.Checks = []Check{{"database", func(context.Context) error {
			if broken {
				return context.DeadlineExceeded
			}
			return nil
		}}}
	})
	for _, base := range []string{"", "/api/v1"} {
		answer := s.get(t, base+"/health", "Authorization", "")
		require.JSONEq(t, `{"status":"ok","service":"koprogo-api"}`, string(answer.body))
		answer = s.get(t, base+"/health/ready", "Authorization", "")
		require.Equal(t, 200, answer.status)
		require.JSONEq(t, `{"status":"ready","checks":{"database":"ok"}}`, string(answer.body))
	}
	broken = true
	answer := s.get(t, "/health/ready", "Authorization", "")
	require.Equal(t, http.StatusServiceUnavailable, answer.status)
	require.NotContains(t, string(answer.body), "deadline")
	require.Equal(t, "1", answer.header.Get("Retry-After"))
	answer = s.get(t, "/metrics", "Authorization", "")
	require.Contains(t, string(answer.body),
		`koprogo_http_requests_total{method="GET",route="/health",status="200"}`)
}
