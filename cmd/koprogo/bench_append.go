package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/koprogo/koprogo/events"
	"github.com/koprogo/koprogo/eventstore"
)

// benchAppendCommand compares the log's appends with single-row INSERTs of the same row.
type benchAppendCommand struct {
	JSON bool          `name:"json" help:"For machines."`
	Dir  string        `help:"Where the cluster's directory is made; absent: the temporary one."`
	Runs int           `default:"3" help:"Runs of each side, interleaved."`
	For  time.Duration `default:"900ms" help:"How long one run lasts."`
}

// load is what one run of one side came to.
type load struct {
	rate float64 // events per second
	p99  float64 // milliseconds
	cpu  float64 // microseconds per event, this process and PostgreSQL
}

// work makes one write; worker is 0 … workers-1.
type work func(ctx context.Context, worker int) error

// Run measures and prints.
func (c *benchAppendCommand) Run(ctx context.Context, out io.Writer) error {
	cluster, err := startBenchCluster(ctx, c.Dir)
	if err != nil {
		return err
	}
	defer cluster.close()
	plain, err := ofLength(plainBytes)
	if err != nil {
		return err
	}
	yard, err := newInserts(ctx, cluster, plain)
	if err != nil {
		return err
	}
	defer yard.pool.Close()
	b := &appendBench{benchAppendCommand: *c, cluster: cluster, inserts: yard, plain: plain}
	for _, part := range []func(context.Context) error{b.crowd, b.few, b.sealing} {
		if err := part(ctx); err != nil {
			return err
		}
	}
	return cluster.reportTo(out, b.measured, c.JSON)
}

type appendBench struct {
	benchAppendCommand
	cluster  *benchCluster
	inserts  *inserts
	plain    content
	measured []measurement
}

// drive runs workers for the given time and returns what they came to.
func (b *appendBench) drive(ctx context.Context, workers int, do work) (load, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var (
		group     sync.WaitGroup
		latencies = make([][]time.Duration, workers)
		failures  = make(chan error, workers)
		before    = b.cluster.cpuSeconds()
		begin     = time.Now()
	)
	for worker := range workers {
		group.Go(func() {
			for once := false; !once || time.Since(begin) < b.For; once = true {
				started := time.Now()
				if err := do(ctx, worker); err != nil {
					failures <- err
					cancel()
					return
				}
				latencies[worker] = append(latencies[worker], time.Since(started))
			}
		})
	}
	group.Wait()
	elapsed, used := time.Since(begin), b.cluster.cpuSeconds()-before
	select {
	case err := <-failures:
		return load{}, err
	default:
	}
	all := slices.Concat(latencies...)
	slices.Sort(all)
	n := float64(len(all))
	return load{
		rate: n / elapsed.Seconds(), cpu: used / n * 1e6,
		p99: float64(all[len(all)*99/100].Microseconds()) / 1e3,
	}, nil
}

// compare runs the sides in turn, Runs times, and returns each side's loads.
func (b *appendBench) compare(
	ctx context.Context, sides ...func(context.Context) (load, error),
) ([][]load, error) {
	loads := make([][]load, len(sides))
	for range b.Runs {
		for i, side := range sides {
			l, err := side(ctx)
			if err != nil {
				return nil, err
			}
			loads[i] = append(loads[i], l)
		}
	}
	return loads, nil
}

func (b *appendBench) add(m measurement) { b.measured = append(b.measured, m) }

func rates(loads []load) series { return pick(loads, func(l load) float64 { return l.rate }) }
func p99s(loads []load) series  { return pick(loads, func(l load) float64 { return l.p99 }) }
func cpus(loads []load) series  { return pick(loads, func(l load) float64 { return l.cpu }) }

func pick(loads []load, of func(load) float64) series {
	picked := make(series, len(loads))
	for i, l := range loads {
		picked[i] = of(l)
	}
	return picked
}

// crowd is many writers against INSERTs at their best number of connections.
func (b *appendBench) crowd(ctx context.Context) error {
	best, bestRate := 8, 0.0
	for _, conns := range []int{8, 16, 32, 64} {
		l, err := b.drive(ctx, conns, b.inserts.into("bench.plain"))
		if err != nil {
			return err
		}
		if l.rate > bestRate {
			best, bestRate = conns, l.rate
		}
	}
	shared, err := b.inserts.sharing(ctx, b.cluster, best)
	if err != nil {
		return err
	}
	defer shared.pool.Close()
	one := []uuid.UUID{uuid.New()}
	many := make([]uuid.UUID, 64)
	for i := range many {
		many[i] = uuid.New()
	}
	loads, err := b.compare(ctx,
		func(ctx context.Context) (load, error) {
			return b.drive(ctx, best, b.inserts.into("bench.plain"))
		},
		func(ctx context.Context) (load, error) { return b.drive(ctx, 64, b.buildings(one)) },
		func(ctx context.Context) (load, error) { return b.drive(ctx, 256, b.buildings(one)) },
		func(ctx context.Context) (load, error) { return b.drive(ctx, 64, b.buildings(many)) },
		func(ctx context.Context) (load, error) {
			return b.drive(ctx, 64, shared.into("bench.plain"))
		},
	)
	if err != nil {
		return err
	}
	inserts, at := loads[0], fmt.Sprintf(" / INSERT on %d connections", best)
	b.add(rates(loads[1]).against("append, 64 writers"+at, "events/s", rates(inserts), ">= 2.5"))
	b.add(p99s(loads[1]).against(
		fmt.Sprintf("append, p99 of 64 writers / of 64 who share %d connections", best),
		"ms", p99s(loads[4]), "<= 0.35"))
	b.add(cpus(loads[1]).against("append, 64 writers, CPU per event", "µs", cpus(inserts),
		"<= 0.3"))
	b.add(rates(loads[2]).against("append, 256 writers"+at, "events/s", rates(inserts), ">= 3.5"))
	b.add(rates(loads[3]).against("append, 64 writers over 64 organizations"+at, "events/s",
		rates(inserts), ">= 2.0"))
	return nil
}

// few is a few writers against as many connections, on a table with the log's indexes.
func (b *appendBench) few(ctx context.Context) error {
	one := []uuid.UUID{uuid.New()}
	side := func(workers int, do work) func(context.Context) (load, error) {
		return func(ctx context.Context) (load, error) { return b.drive(ctx, workers, do) }
	}
	loads, err := b.compare(ctx,
		side(8, b.inserts.into("bench.indexed")), side(8, b.buildings(one)),
		side(1, b.inserts.into("bench.indexed")), side(1, b.buildings(one)))
	if err != nil {
		return err
	}
	b.add(rates(loads[1]).against("append, 8 writers / INSERT, 8 connections, same indexes",
		"events/s", rates(loads[0]), ">= 1.0"))
	b.add(rates(loads[3]).against("append, 1 writer / INSERT, 1 connection, same indexes",
		"events/s", rates(loads[2]), ">= 0.7"))
	return nil
}

// sealing is the cost of two personal fields, those of a person in his own stream.
func (b *appendBench) sealing(ctx context.Context) error {
	one := []uuid.UUID{uuid.New()}
	people, others := places(events.AccountCategory), places(events.AccountCategory)
	for _, person := range people {
		err := b.cluster.store.Keyring().AccountKey(ctx, one[0], person.stream.ID)
		if err != nil {
			return err
		}
	}
	sealed := func(person uuid.UUID) events.Event {
		return events.AccountProfileCorrected{
			AccountID: person, FirstName: events.PersonalText("Marie-Louise"),
			LastName: events.PersonalText("Vandenberghe-Dubois"),
		}
	}
	first, err := b.cluster.store.Append(ctx, eventstore.Append{
		Organization: one[0],
		Streams: []eventstore.StreamAppend{{
			Stream: people[0].stream, Events: []events.Event{sealed(people[0].stream.ID)},
		}},
	})
	if err != nil {
		return err
	}
	people[0].version = 1
	twin, err := ofLength(len(first.Recorded[0].Data))
	if err != nil {
		return err
	}
	loads, err := b.compare(ctx,
		func(ctx context.Context) (load, error) {
			return b.drive(ctx, 64, b.appends(one, others, twin))
		},
		func(ctx context.Context) (load, error) {
			return b.drive(ctx, 64, b.appends(one, people, sealed))
		})
	if err != nil {
		return err
	}
	b.add(rates(loads[1]).against("append, 64 writers, two sealed fields", "events/s",
		rates(loads[0]), ">= 0.9"))
	return nil
}

// buildings has each worker correct the address of a building of his own, in plainBytes.
func (b *appendBench) buildings(organizations []uuid.UUID) work {
	return b.appends(organizations, places(events.BuildingCategory), b.plain)
}

const plainBytes = 400

// content is the event that a stream is to get.
type content func(stream uuid.UUID) events.Event

// ofLength is an event without personal data whose JSON has so many bytes.
func ofLength(n int) (content, error) {
	event := events.BuildingAddressCorrected{
		City: "Bruxelles", PostalCode: "1000", Country: "Belgique", Zone: "Europe/Brussels",
	}
	encoded, err := events.Encode(event, nil)
	if err != nil {
		return nil, fmt.Errorf("make an event of %d bytes: %w", n, err)
	}
	event.Address = strings.Repeat("x", n-len(encoded.Data))
	return func(uuid.UUID) events.Event { return event }, nil
}

// place is a stream that one worker appends to.
type place struct {
	stream  events.Stream
	version int64
}

// places are as many as the most workers that a run has.
func places(category string) []place {
	made := make([]place, 256)
	for i := range made {
		made[i].stream = events.Stream{Category: category, ID: uuid.New()}
	}
	return made
}

// appends gives each worker a place of its own, in one of the organizations.
func (b *appendBench) appends(organizations []uuid.UUID, places []place, event content) work {
	return func(ctx context.Context, worker int) error {
		at := &places[worker]
		_, err := b.cluster.store.Append(ctx, eventstore.Append{
			Organization: organizations[worker%len(organizations)],
			Streams: []eventstore.StreamAppend{{
				Stream: at.stream, Expected: at.version,
				Events: []events.Event{event(at.stream.ID)},
			}},
		})
		at.version++
		return err
	}
}

// inserts is the yardstick: single rows, autocommit, as wide as the log's.
type inserts struct {
	pool *pgxpool.Pool
	data string
}

const yardstickTables = `
create schema bench;
create table bench.plain (like log.events, primary key (id));
create table bench.indexed (like log.events including indexes)`

func newInserts(
	ctx context.Context, cluster *benchCluster, plain content,
) (*inserts, error) {
	pool, err := cluster.superuser(ctx, 64)
	if err != nil {
		return nil, err
	}
	if _, err := pool.Exec(ctx, yardstickTables); err != nil {
		pool.Close()
		return nil, fmt.Errorf("make the yardstick's tables: %w", err)
	}
	encoded, err := events.Encode(plain(uuid.Nil), nil)
	if err != nil {
		pool.Close()
		return nil, err
	}
	return &inserts{pool: pool, data: string(encoded.Data)}, nil
}

// sharing is the same yardstick for writers who wait for one of conns connections.
func (y *inserts) sharing(
	ctx context.Context, cluster *benchCluster, conns int,
) (*inserts, error) {
	pool, err := cluster.superuser(ctx, conns)
	if err != nil {
		return nil, err
	}
	return &inserts{pool: pool, data: y.data}, nil
}

// into inserts one row of the log's width; each worker fills an organization of its own.
func (y *inserts) into(table string) work {
	sql := `insert into ` + table + ` (` + eventstore.Columns + `)
	        values ($1, $2, $3, null, $4, $5, $6, $7, 1, $8, '{}', $9, null, $10)`
	type place struct {
		organization, building uuid.UUID
		position               int64
	}
	places := make([]place, 64)
	for i := range places {
		places[i] = place{organization: uuid.New(), building: uuid.New()}
	}
	leaf := make([]byte, 32)
	return func(ctx context.Context, worker int) error {
		at := &places[worker]
		at.position++
		id, err := uuid.NewV7()
		if err != nil {
			return err
		}
		_, err = y.pool.Exec(ctx, sql, at.organization, at.position, at.building,
			"building-"+at.building.String(), at.position, id, "building.address_corrected", y.data,
			time.Now(), leaf)
		return err
	}
}
