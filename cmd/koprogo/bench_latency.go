package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"time"
)

// httpReport is what bench http prints: the rows of every benchmark, and times by route.
type httpReport struct {
	benchReport

	Latencies []latency `json:"latencies"`
}

// latency says how long answers of one kind took, in milliseconds, over all runs of a loop.
type latency struct {
	Loop     string  `json:"loop"`
	Requests string  `json:"requests"`
	Count    int     `json:"count"`
	P50      float64 `json:"p50_ms"`
	P90      float64 `json:"p90_ms"`
	P95      float64 `json:"p95_ms"`
	P99      float64 `json:"p99_ms"`
	P999     float64 `json:"p99_9_ms"`
	Max      float64 `json:"max_ms"`
}

func (r *httpReport) add(rows ...measurement) { r.Benchmarks = append(r.Benchmarks, rows...) }

func everyRoute(*mixRoute) bool   { return true }
func reads(route *mixRoute) bool  { return route.method == http.MethodGet }
func writes(route *mixRoute) bool { return !reads(route) }

// latencies adds the times of a loop: of all, of reads, of writes, of each route, and the lag of
// the read models where it was looked at.
func (r *httpReport) latencies(loop string, t *tally) {
	add := func(requests string, sorted []time.Duration) {
		r.Latencies = append(r.Latencies, latency{
			Loop: loop, Requests: requests, Count: len(sorted),
			P50: percentile(sorted, 50), P90: percentile(sorted, 90),
			P95: percentile(sorted, 95), P99: percentile(sorted, 99),
			P999: percentile(sorted, 99.9), Max: percentile(sorted, 100),
		})
	}
	add("all", t.of(everyRoute))
	add("GET", t.of(reads))
	add("POST", t.of(writes))
	for i := range mixRoutes {
		add(mixRoutes[i].name(), t.of(func(route *mixRoute) bool { return route == &mixRoutes[i] }))
	}
	if len(t.lag) > 0 {
		add("from a POST's answer until every read model shows it",
			slices.Sorted(slices.Values(t.lag)))
	}
}

func printHTTP(out io.Writer, report httpReport, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(out).Encode(report)
	}
	if err := printBenchmarks(out, report.benchReport, false); err != nil {
		return err
	}
	fmt.Fprintf(out, "\n%-8s %-54s %8s %8s %8s %8s %8s %8s %8s\n", "loop", "milliseconds",
		"count", "p50", "p90", "p95", "p99", "p99.9", "max")
	for _, l := range report.Latencies {
		_, err := fmt.Fprintf(out, "%-8s %-54s %8d %8.2f %8.2f %8.2f %8.2f %8.2f %8.2f\n", l.Loop,
			l.Requests, l.Count, l.P50, l.P90, l.P95, l.P99, l.P999, l.Max)
		if err != nil {
			return err
		}
	}
	return nil
}
