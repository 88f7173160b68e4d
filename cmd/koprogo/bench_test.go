package main_test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTheMixOverHTTPIsMeasuredInEveryRowAndWithoutErrors(t *testing.T) {
	t.Parallel()
	dir := emptyDir(t)
	text := run(t, dir, "bench", "http", "--json", "--runs=1", "--for=1s", "--rate=200",
		"--lots=5", "--charges=20", "--buildings=2", "--dir="+dir).done(t)
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.DisallowUnknownFields()
	var report struct {
		Benchmarks []struct {
			Name      string  `json:"name"`
			Value     float64 `json:"value"`
			Unit      string  `json:"unit"`
			Yardstick float64 `json:"yardstick"`
			Ratio     float64 `json:"ratio"`
			Aim       string  `json:"aim"`
			Runs      int     `json:"runs"`
		} `json:"benchmarks"`
		Machine   map[string]any `json:"machine"`
		Latencies []struct {
			Loop     string  `json:"loop"`
			Requests string  `json:"requests"`
			Count    int     `json:"count"`
			P50      float64 `json:"p50_ms"`
			P90      float64 `json:"p90_ms"`
			P95      float64 `json:"p95_ms"`
			P99      float64 `json:"p99_ms"`
			P999     float64 `json:"p99_9_ms"`
			Max      float64 `json:"max_ms"`
		} `json:"latencies"`
	}
	require.NoError(t, decoder.Decode(&report))
	require.NotContains(t, report.Machine, "first_error")
	mix := []string{
		"closed loop, 20 connections", "closed loop, p99", "closed loop, errors",
		"CPU of the server per request", "CPU of PostgreSQL per request",
		"share of their core that both had", "memory of the server (PSS)",
		"memory of server and PostgreSQL (PSS)", "PostgreSQL connections",
		"open loop at 200/s, GET p99", "open loop at 200/s, POST p99", "open loop at 200/s, errors",
	}
	want := append([]string{}, mix...)
	want = append(want, "approval, 5 lots, 8 owners, all cores, p99", "approval, median",
		"PCN of 20 charges, the server's first request", "PCN of 20 charges, again",
		"start, 2 buildings")
	for _, row := range mix {
		want = append(want, "2 buildings: "+row)
	}
	var rows []string
	for _, row := range report.Benchmarks {
		rows = append(rows, row.Name)
		require.NotEmpty(t, row.Aim, row.Name)
		if strings.HasSuffix(row.Name, "errors") {
			require.Zero(t, row.Value, row.Name)
		} else {
			require.Positive(t, row.Value, row.Name)
		}
	}
	require.Equal(t, want, rows)
	seen := map[string]int{}
	for _, l := range report.Latencies {
		seen[l.Loop]++
		require.Positive(t, l.Count, l.Requests)
		require.LessOrEqual(t, l.P50, l.P99)
		require.LessOrEqual(t, l.P999, l.Max)
	}
	require.Equal(t, map[string]int{
		"closed": 12, "open": 13, "2 buildings: closed": 12, "2 buildings: open": 13,
	}, seen, "every route, all, GET, POST, and the read models' lag")
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Empty(t, entries, "its data is gone")
}
