package api

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Check is one thing that the server needs in order to work. It returns nil when it is there.
type Check struct {
	Name string // "database", "broker", "lag"
	Look func(context.Context) error
}

// checkFor bounds all checks together.
const checkFor = 2 * time.Second

type healthBody struct {
	Status  string `json:"status"`
	Service string `json:"service"`
}

type readyBody struct {
	Status string            `json:"status"`
	Checks map[string]string `json:"checks"`
}

// health tells that the process answers.
func health(_ context.Context, _ *Call, w http.ResponseWriter, _ *http.Request) error {
	return writeJSON(w, http.StatusOK, healthBody{Status: "ok", Service: "koprogo-api"})
}

// ready runs the checks: 200 when all pass, else 503 with the names of those that do not. What is
// wrong with them stands in the log.
func ready(ctx context.Context, c *Call, w http.ResponseWriter, _ *http.Request) error {
	ctx, cancel := context.WithTimeout(ctx, checkFor)
	defer cancel()
	body, status := readyBody{Status: "ready", Checks: map[string]string{}}, http.StatusOK
	for _, check := range c.Checks {
		body.Checks[check.Name] = "ok"
		if err := check.Look(ctx); err != nil {
			body.Checks[check.Name], body.Status = "failed", "not ready"
			status = http.StatusServiceUnavailable
			c.Logger.WarnContext(ctx, "not ready", "check", check.Name, "cause", err)
		}
	}
	if status != http.StatusOK {
		w.Header().Set("Retry-After", "1")
	}
	return writeJSON(w, status, body)
}

// writeJSON answers with value outside the conventions of resources.
func writeJSON(w http.ResponseWriter, status int, value any) error {
	body, err := json.Marshal(value, json.Deterministic(true))
	if err != nil {
		return err
	}
	header := w.Header()
	header.Set("Content-Type", "application/json")
	header.Set("Cache-Control", "no-store")
	header.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body) // the client is gone when it fails
	return nil
}

// metricsPage is /metrics.
func (s *Server) metricsPage() http.Handler {
	return promhttp.HandlerFor(s.backend.Metrics, promhttp.HandlerOpts{})
}
