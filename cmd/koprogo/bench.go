package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"
)

// benchCommand measures the product and a yardstick in the same run, interleaved, on a cluster of
// its own with default durability.
type benchCommand struct {
	Append benchAppendCommand `cmd:"" help:"Appends against single-row INSERTs."`
	Replay benchReplayCommand `cmd:"" help:"Replay, rebuild and verification against raw scans."`
	Read   benchReadCommand   `cmd:"" help:"Reads from memory against a bare HTTP handler."`
	HTTP   benchHTTPCommand   `cmd:"" name:"http" help:"The mix of a syndic's requests, on one core."`
	Growth benchGrowthCommand `cmd:"" help:"How cost grows from 10^3 to 10^6 events."`
	Bare   benchBareCommand   `cmd:"" hidden:"" help:"The yardstick's server of bench read."`
}

// measurement is one line of a benchmark: Value against Yardstick, medians of Runs.
type measurement struct {
	Name      string  `json:"name"`
	Value     float64 `json:"value"`
	Unit      string  `json:"unit"`
	Yardstick float64 `json:"yardstick,omitempty"`
	Ratio     float64 `json:"ratio,omitempty"`
	Aim       string  `json:"aim"`
	Runs      int     `json:"runs"`
}

// benchReport is what --json prints.
type benchReport struct {
	Benchmarks []measurement  `json:"benchmarks"`
	Machine    map[string]any `json:"machine"`
}

// machine says where a benchmark ran: figures of different machines do not compare.
func machine(postgres string) map[string]any {
	return map[string]any{
		"os": runtime.GOOS, "arch": runtime.GOARCH, "cores": runtime.NumCPU(),
		"cpu": cpuModel(), "go": runtime.Version(), "postgresql": postgres,
	}
}

func cpuModel() string {
	text, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return "unknown"
	}
	for line := range strings.Lines(string(text)) {
		if name, model, found := strings.Cut(line, ":"); found &&
			strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(model)
		}
	}
	return "unknown"
}

// series collects the runs of one figure.
type series []float64

// median of the runs; 0 for none.
func (s series) median() float64 {
	if len(s) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(s))
	if n := len(sorted); n%2 == 0 {
		return (sorted[n/2-1] + sorted[n/2]) / 2
	}
	return sorted[len(sorted)/2]
}

// against is the measurement of value by yardstick: medians, and the median of the runs' ratios,
// since both sides of one run met the same noise.
func (s series) against(name, unit string, yardstick series, aim string) measurement {
	ratios := make(series, len(s))
	for i := range s {
		ratios[i] = s[i] / yardstick[i]
	}
	return measurement{
		Name: name, Value: s.median(), Unit: unit, Yardstick: yardstick.median(),
		Ratio: ratios.median(), Aim: aim, Runs: len(s),
	}
}

// alone is a measurement without a yardstick.
func (s series) alone(name, unit, aim string) measurement {
	return measurement{Name: name, Value: s.median(), Unit: unit, Aim: aim, Runs: len(s)}
}

func printBenchmarks(out io.Writer, report benchReport, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(out).Encode(report)
	}
	fmt.Fprintf(out, "%-58s %14s %14s %8s  %s\n", "what", "value", "yardstick", "ratio", "aim")
	for _, m := range report.Benchmarks {
		ratio, yardstick := "", ""
		if m.Yardstick != 0 {
			ratio = fmt.Sprintf("%.2f", m.Ratio)
			yardstick = fmt.Sprintf("%.4g %s", m.Yardstick, m.Unit)
		}
		fmt.Fprintf(out, "%-58s %14s %14s %8s  %s\n", m.Name,
			fmt.Sprintf("%.4g %s", m.Value, m.Unit), yardstick, ratio, m.Aim)
	}
	_, err := fmt.Fprintf(out, "machine: %v\n", report.Machine)
	return err
}
