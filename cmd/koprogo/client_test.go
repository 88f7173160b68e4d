package main_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// client speaks to a server as one signed-in user.
type client struct {
	url   string
	token string
	http  *http.Client
}

// with speaks to the server with a token; "" is nobody's.
func (s *server) with(token string) *client {
	return &client{
		url: s.url, token: token,
		http: &http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{}},
	}
}

// signIn signs in with a password.
func (s *server) signIn(t testing.TB, email, password string) *client {
	t.Helper()
	c := s.with("")
	got := c.send(t, http.MethodPost, "/auth/login", map[string]string{
		"email": email, "password": password,
	})
	require.Equal(t, http.StatusOK, got.status, "%s", got.body)
	var signed struct{ Token string }
	got.decode(t, &signed)
	require.NotEmpty(t, signed.Token)
	return s.with(signed.Token)
}

// answer to a request.
type answer struct {
	status int
	header http.Header
	body   []byte
}

func (a answer) decode(t testing.TB, into any) {
	t.Helper()
	require.NoError(t, json.Unmarshal(a.body, into), "%s", a.body)
}

// isProblem wants a refusal of the contract's shape.
func (a answer) isProblem(t testing.TB, status int, code string) {
	t.Helper()
	require.Equal(t, status, a.status, "%s", a.body)
	require.Equal(t, "application/problem+json", a.header.Get("Content-Type"))
	var problem struct{ Code string }
	a.decode(t, &problem)
	require.Equal(t, code, problem.Code)
}

// try sends a request; headers are pairs of name and value.
func (c *client) try(
	ctx context.Context, method, path string, body any, headers ...string,
) (answer, error) {
	var content io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return answer{}, fmt.Errorf("encode the body: %w", err)
		}
		content = bytes.NewReader(text)
	}
	request, err := http.NewRequestWithContext(ctx, method, c.url+"/api/v1"+path, content)
	if err != nil {
		return answer{}, err
	}
	request.Header.Set("Content-Type", "application/json")
	if c.token != "" {
		request.Header.Set("Authorization", "Bearer "+c.token)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	response, err := c.http.Do(request)
	if err != nil {
		return answer{}, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	return answer{status: response.StatusCode, header: response.Header, body: text}, err
}

func (c *client) send(
	t testing.TB, method, path string, body any, headers ...string,
) answer {
	t.Helper()
	got, err := c.try(t.Context(), method, path, body, headers...)
	require.NoError(t, err)
	return got
}

func (c *client) get(t testing.TB, path string, headers ...string) answer {
	t.Helper()
	return c.send(t, http.MethodGet, path, nil, headers...)
}

// building is what tests ask of one.
type building struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	City string `json:"city"`
}

// buildingIn is a building to register.
func buildingIn(name string) map[string]any {
	return map[string]any{
		"name": name, "address": "Rue du Marché 1", "city": "Namur", "postal_code": "5000",
		"country": "Belgique", "total_units": 8,
	}
}

// register registers a building and returns it with its position.
func (c *client) register(t testing.TB, name string) (made building, position string) {
	t.Helper()
	got := c.send(t, http.MethodPost, "/buildings", buildingIn(name))
	require.Equal(t, http.StatusCreated, got.status, "%s", got.body)
	got.decode(t, &made)
	return made, got.header.Get("Koprogo-Position")
}

// page of a list.
type page struct {
	Data       []building `json:"data"`
	Pagination struct {
		Total int    `json:"total_items"`
		Next  string `json:"next_cursor"`
	} `json:"pagination"`
}

// buildings lists all that the user sees, and the total that the list states.
func (c *client) buildings(t testing.TB, headers ...string) ([]building, int) {
	t.Helper()
	var all []building
	for path := "/buildings?per_page=100"; ; {
		got := c.get(t, path, headers...)
		require.Equal(t, http.StatusOK, got.status, "%s", got.body)
		var p page
		got.decode(t, &p)
		all = append(all, p.Data...)
		if p.Pagination.Next == "" || len(p.Data) == 0 {
			return all, p.Pagination.Total
		}
		path = "/buildings?per_page=100&cursor=" + p.Pagination.Next
	}
}

// awaitReady waits until the server says that it can work.
func (s *server) awaitReady(t testing.TB) {
	t.Helper()
	c := s.with("")
	require.Eventually(t, func() bool {
		got, err := c.try(t.Context(), http.MethodGet, "/health/ready", nil)
		return err == nil && got.status == http.StatusOK
	}, startPatience, tick)
}
