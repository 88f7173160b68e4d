package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/koprogo/koprogo/api"
	"github.com/koprogo/koprogo/deploy/embedded"
)

// benchReadCommand compares reads from memory, by a server as it is started for production, with a
// bare handler that writes the same bytes. Both are processes of their own; one client drives both.
type benchReadCommand struct {
	JSON    bool          `name:"json" help:"For machines."`
	Dir     string        `help:"Where the data directory is made; absent: the temporary one."`
	Runs    int           `default:"5" help:"Runs of each side, interleaved."`
	For     time.Duration `default:"1s" help:"How long one run lasts."`
	Clients int           `default:"8" help:"Connections that ask at once."`
}

const (
	benchPageSize = 20
	benchPage     = "/api/v1/buildings?per_page=20"
	syndicEmail   = "syndic@grandplace.be"
	syndicSecret  = "syndic123" // of the demo organization
)

// Run measures and prints.
func (c *benchReadCommand) Run(ctx context.Context, out io.Writer) error {
	dir, err := os.MkdirTemp(c.Dir, "koprogo-bench-")
	if err != nil {
		return fmt.Errorf("make a directory for the benchmark: %w", err)
	}
	defer embedded.RemoveDataDir(dir) //nolint:errcheck // what was measured stands
	ready, server, err := c.starts(ctx, dir)
	if err != nil {
		return err
	}
	defer server.stop()
	measured, err := c.reads(ctx, server)
	if err != nil {
		return err
	}
	measured = append(measured, ready.alone("ready on an existing data directory", "s", "< 2"))
	checks, err := tokenChecks(c.Runs)
	if err != nil {
		return err
	}
	return printBenchmarks(out, benchReport{
		Benchmarks: append(measured, checks...), Machine: machine(""),
	}, c.JSON)
}

// starts makes a data directory, then starts a server on it again and again; the last one runs on.
func (c *benchReadCommand) starts(
	ctx context.Context, dir string,
) (took series, server *benchServer, err error) {
	for run := range max(c.Runs, 3) + 1 {
		if server != nil {
			server.stop()
		}
		began := time.Now()
		if server, err = startBenchServer(ctx, dir); err != nil {
			return nil, nil, err
		}
		if run > 0 { // the first one makes the directory
			took = append(took, time.Since(began).Seconds())
		}
	}
	return took, server, nil
}

// reads drives both sides in turn.
func (c *benchReadCommand) reads(
	ctx context.Context, server *benchServer,
) ([]measurement, error) {
	token, err := server.signIn(ctx)
	if err != nil {
		return nil, err
	}
	id, err := server.fillPage(ctx, token)
	if err != nil {
		return nil, err
	}
	one := "/api/v1/buildings/" + id.String()
	bodies := map[string][]byte{}
	for _, target := range []string{one, benchPage} {
		if bodies[target], err = server.get(ctx, token, target); err != nil {
			return nil, err
		}
	}
	bare, err := startBareServer(ctx, bodies)
	if err != nil {
		return nil, err
	}
	defer bare.stop()
	var measured []measurement
	for _, row := range []struct{ target, name, aim string }{
		{one, "GET by id", ">= 0.5"},
		{benchPage, fmt.Sprintf("GET a page of %d", benchPageSize), ">= 0.45"},
	} {
		var yardstick, value series
		for range c.Runs {
			for _, side := range []struct {
				server *benchServer
				into   *series
			}{{bare, &yardstick}, {server, &value}} {
				rate, err := c.drive(ctx, side.server.address, row.target, token,
					len(bodies[row.target]))
				if err != nil {
					return nil, err
				}
				*side.into = append(*side.into, rate)
			}
		}
		measured = append(measured, value.against(row.name+" from memory / bare net/http handler",
			"requests/s", yardstick, row.aim))
	}
	return measured, server.answeredFromMemory(ctx)
}

// answeredFromMemory makes sure that the right thing was measured.
func (s *benchServer) answeredFromMemory(ctx context.Context) error {
	metrics, err := s.get(ctx, "", "/metrics")
	if err == nil && bytes.Contains(metrics, []byte("answers_from_memory_total 0\n")) {
		err = errors.New("the server answered nothing from memory")
	}
	return err
}

// drive asks for the target on every connection for a while; requests per second.
func (c *benchReadCommand) drive(
	ctx context.Context, address, target, token string, size int,
) (float64, error) {
	request := []byte("GET " + target + " HTTP/1.1\r\nHost: " + address +
		"\r\nAuthorization: Bearer " + token + "\r\nAccept: application/json\r\n\r\n")
	var group sync.WaitGroup
	counts, failures := make([]int, c.Clients), make([]error, c.Clients)
	began := time.Now()
	for client := range c.Clients {
		group.Go(func() {
			counts[client], failures[client] = askFor(ctx, address, request, size, c.For)
		})
	}
	group.Wait()
	elapsed, total := time.Since(began).Seconds(), 0
	for _, n := range counts {
		total += n
	}
	return float64(total) / elapsed, errors.Join(failures...)
}

// signIn takes an access token of the demo organization's syndic.
func (s *benchServer) signIn(ctx context.Context) (string, error) {
	return s.signInAs(ctx, syndicEmail, syndicSecret)
}

// fillPage registers buildings until the organization has as many as a page shows, which its plan
// just allows, and returns one of them.
func (s *benchServer) fillPage(ctx context.Context, token string) (uuid.UUID, error) {
	var answer struct {
		ID uuid.UUID `json:"id"`
	}
	var page struct {
		Data []struct{} `json:"data"`
	}
	text, err := s.get(ctx, token, benchPage)
	if err == nil {
		err = json.Unmarshal(text, &page)
	}
	for n := len(page.Data); n < benchPageSize && err == nil; n++ {
		err = s.post(ctx, token, "/api/v1/buildings", map[string]any{
			"name": fmt.Sprintf("Résidence %d", n), "address": "Rue de la Loi 16",
			"city": "Bruxelles", "postal_code": "1000", "country": "Belgique",
			"total_units": 24, "construction_year": 1974,
		}, &answer)
	}
	return answer.ID, err
}

func (s *benchServer) post(ctx context.Context, token, target string, body, into any) error {
	text, err := json.Marshal(body)
	if err != nil {
		return err
	}
	answer, err := s.do(ctx, http.MethodPost, token, target, bytes.NewReader(text))
	if err != nil {
		return err
	}
	return json.Unmarshal(answer, into)
}

func (s *benchServer) get(ctx context.Context, token, target string) ([]byte, error) {
	return s.do(ctx, http.MethodGet, token, target, http.NoBody)
}

func (s *benchServer) do(
	ctx context.Context, method, token, target string, body io.Reader,
) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, method, "http://"+s.address+target, body)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/json")
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", method, target, err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode >= http.StatusBadRequest {
		err = fmt.Errorf("%s %s: %s: %s", method, target, response.Status, answer)
	}
	return answer, err
}

// tokenChecks times the check of a token that is seen for the first time, and of one seen before.
func tokenChecks(runs int) ([]measurement, error) {
	const tokens = 2_000
	var fresh, again series
	for range runs {
		checker, err := api.NewTokens([]byte(strings.Repeat("k", 32)), time.Now)
		if err != nil {
			return nil, err
		}
		issued := make([]string, tokens)
		for i := range issued {
			issued[i], err = checker.Issue(api.Token{
				Account: uuid.New(), Organization: uuid.New(), Role: "syndic", RoleID: uuid.New(),
				ID: uuid.New(), IssuedAt: time.Now(), ExpiresAt: time.Now().Add(time.Hour),
			})
			if err != nil {
				return nil, err
			}
		}
		for _, into := range []*series{&fresh, &again} {
			took, err := timed(func() error {
				for _, token := range issued {
					if _, err := checker.Verify(token); err != nil {
						return err
					}
				}
				return nil
			})
			if err != nil {
				return nil, err
			}
			*into = append(*into, took.Seconds()*1e3/tokens)
		}
	}
	return []measurement{
		fresh.alone("token check, first time", "ms", "< 0.01"),
		again.alone("token check, seen before", "ms", "< 0.01"),
	}, nil
}
