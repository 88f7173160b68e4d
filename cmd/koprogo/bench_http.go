package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/koprogo/koprogo/deploy/embedded"
)

// benchHTTPCommand drives a server with the mix of requests that the system we replace was
// measured with. Server and PostgreSQL share one core; the client has another.
type benchHTTPCommand struct {
	JSON    bool          `name:"json" help:"For machines."`
	Dir     string        `help:"Where the data directory is made; absent: the temporary one."`
	Runs    int           `default:"3" help:"Runs of the closed loop."`
	For     time.Duration `default:"1m" help:"How long one run lasts."`
	Clients int           `default:"20" help:"Connections of the closed loop."`
	Rate    int           `default:"500" help:"Requests per second of the open loop."`

	Lots      int `default:"500" help:"Of the building in which charges are approved."`
	Charges   int `default:"10000" help:"Of the building whose PCN is reported."`
	Buildings int `default:"1500" help:"Of the larger data set; 0: without it."`
}

// What the published run of the system that we replace gave.
const (
	publishedRate = 265.0 // requests per second
	publishedP99  = 752.0 // milliseconds
)

// Run measures and prints.
func (c *benchHTTPCommand) Run(ctx context.Context, out io.Writer) error {
	if min(c.Runs, c.Clients, c.Rate, c.Lots, c.Charges) < 1 || c.For <= 0 || c.Buildings < 0 {
		return errors.New("--runs, --clients, --rate, --for, --lots and --charges are above zero")
	}
	b, err := c.begin(ctx)
	if err != nil {
		return err
	}
	defer b.end()
	if err := b.measure(ctx); err != nil {
		return err
	}
	return printHTTP(out, b.report, c.JSON)
}

// httpBench is a benchmark under way.
type httpBench struct {
	*benchHTTPCommand
	dir    string
	cores  []int // all that there are
	on     []int // the server's and PostgreSQL's
	server *benchServer
	token  string
	report httpReport
}

// begin keeps both sides on their cores and makes the first data directory.
func (c *benchHTTPCommand) begin(ctx context.Context) (*httpBench, error) {
	may, err := cores()
	if err != nil {
		return nil, err
	}
	b := &httpBench{benchHTTPCommand: c, cores: may, on: may[:1]}
	b.report.Machine = machine("")
	b.report.Machine["server_core"], b.report.Machine["client_core"] = may[0], may[len(may)-1]
	if err = stayOnCore(may[len(may)-1]); err == nil {
		err = b.startOver(ctx)
	}
	if err != nil {
		b.end()
		return nil, err
	}
	return b, nil
}

// startOver starts a server on an empty data directory and founds an organization in it.
func (b *httpBench) startOver(ctx context.Context) (err error) {
	b.end()
	if b.dir, err = os.MkdirTemp(b.Dir, "koprogo-bench-"); err != nil {
		return fmt.Errorf("make a directory for the benchmark: %w", err)
	}
	if err = b.start(ctx); err == nil {
		b.token, err = b.server.foundTenant(ctx)
	}
	return err
}

// start starts the server on its cores; the limit of requests per token is off.
func (b *httpBench) start(ctx context.Context) error {
	return onCores(b.on, func() (err error) {
		b.server, err = startBenchServer(ctx, b.dir, "RATE_LIMIT_PER_TOKEN=0")
		return err
	})
}

func (b *httpBench) end() {
	if b.server != nil {
		b.server.stop()
		b.server = nil
	}
	if b.dir != "" {
		_ = embedded.RemoveDataDir(b.dir)
	}
}

// measure runs everything.
func (b *httpBench) measure(ctx context.Context) error {
	if err := b.mix(ctx, "", b.Runs); err != nil {
		return err
	}
	b.on = b.cores
	b.server.stop()
	if err := b.start(ctx); err != nil {
		return err
	}
	if err := b.approvals(ctx); err != nil {
		return err
	}
	if err := b.pcn(ctx); err != nil {
		return err
	}
	b.on = b.cores[:1]
	if b.Buildings == 0 {
		return nil
	}
	return b.seeded(ctx)
}

// loadOf connects the mix's ten buildings with a driver.
func (b *httpBench) loadOf(ctx context.Context) (*benchLoad, error) {
	w, err := dial(ctx, b.server.address, b.token)
	if err != nil {
		return nil, err
	}
	defer w.close()
	m, err := newMix(w)
	if err != nil {
		return nil, fmt.Errorf("make the mix's buildings: %w", err)
	}
	return &benchLoad{
		mix: m, address: b.server.address, token: b.token, clients: b.Clients,
	}, nil
}

// sample is what one run of the closed loop gave, a series each.
type sample struct{ rate, p99, failed, server, postgres, share series }

// closed runs the closed loop once.
func (b *httpBench) closed(ctx context.Context, l *benchLoad, into *sample) (*tally, error) {
	ownBefore, othersBefore := treeOf(b.server.pid()).cpuSeconds()
	t, err := l.closed(ctx, b.For)
	if err != nil {
		return nil, err
	}
	own, others := treeOf(b.server.pid()).cpuSeconds()
	own, others = own-ownBefore, others-othersBefore
	n, over := float64(t.requests()), t.over.Seconds()
	into.rate = append(into.rate, n/over)
	into.failed = append(into.failed, float64(t.failed))
	into.p99 = append(into.p99, percentile(t.of(everyRoute), 99))
	into.server = append(into.server, own/n*1e3)
	into.postgres = append(into.postgres, others/n*1e3)
	into.share = append(into.share, (own+others)/over*100)
	return t, nil
}

// mix runs the closed loop, looks at the server's memory, and runs the open loop.
func (b *httpBench) mix(ctx context.Context, on string, runs int) error {
	l, err := b.loadOf(ctx)
	if err != nil {
		return err
	}
	var s sample
	all := newTally()
	for range runs {
		t, err := b.closed(ctx, l, &s)
		if err != nil {
			return err
		}
		all.add(t)
	}
	after := treeOf(b.server.pid())
	memory, everything := after.megabytes()
	b.report.add(
		s.rate.against(fmt.Sprintf("%sclosed loop, %d connections", on, b.Clients), "requests/s",
			constant(publishedRate, runs), ">= 20"),
		s.p99.against(on+"closed loop, p99", "ms", constant(publishedP99, runs), "< 25 ms"),
		s.failed.alone(on+"closed loop, errors", "errors", "0"),
		s.server.alone(on+"CPU of the server per request", "ms", "-"),
		s.postgres.alone(on+"CPU of PostgreSQL per request", "ms", "-"),
		s.share.alone(on+"share of their core that both had", "%", "-"),
		series{memory}.alone(on+"memory of the server (PSS)", "MiB", "< 128"),
		series{everything}.alone(on+"memory of server and PostgreSQL (PSS)", "MiB", "< 2048"),
		series{float64(after.connections())}.alone(on+"PostgreSQL connections",
			"connections", "<= 10"),
	)
	b.report.latencies(on+"closed", all)
	return b.openLoop(ctx, on, l, all.cause)
}

// openLoop asks at a steady rate. cause is why requests of the closed loop failed, if any did.
func (b *httpBench) openLoop(ctx context.Context, on string, l *benchLoad, cause error) error {
	t, err := l.open(ctx, b.Rate, b.For)
	if err != nil {
		return err
	}
	loop := fmt.Sprintf("%sopen loop at %d/s, ", on, b.Rate)
	b.report.add(
		series{percentile(t.of(reads), 99)}.alone(loop+"GET p99", "ms", "< 5"),
		series{percentile(t.of(writes), 99)}.alone(loop+"POST p99", "ms", "-"),
		series{float64(t.failed)}.alone(loop+"errors", "errors", "0"),
	)
	b.report.latencies(on+"open", t)
	if cause = cmp.Or(cause, t.cause); cause != nil {
		b.report.Machine["first_error"] = cause.Error()
	}
	return nil
}

// constant is a yardstick that every run meets alike.
func constant(value float64, runs int) series {
	made := make(series, runs)
	for i := range made {
		made[i] = value
	}
	return made
}
