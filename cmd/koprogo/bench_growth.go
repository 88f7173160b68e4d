package main

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"time"

	"github.com/google/uuid"

	"github.com/koprogo/koprogo/events"
	"github.com/koprogo/koprogo/eventstore"
	"github.com/koprogo/koprogo/projections"
	"github.com/koprogo/koprogo/queries"
)

// benchGrowthCommand measures how cost grows with an organization's log.
type benchGrowthCommand struct {
	JSON bool   `name:"json" help:"For machines."`
	Dir  string `help:"Where the cluster's directory is made; absent: the temporary one."`
	Most int64  `default:"1000000" help:"Events of the longest log."`
}

const (
	growthStreamEvents = 100 // events of each building's stream
	growthSamples      = 300 // of what takes less than a few milliseconds
	growthRuns         = 3   // of what reads the whole log
)

// growth is one log that grows from size to size.
type growth struct {
	cluster  *benchCluster
	log      *filling
	reader   *queries.Reader
	measured []measurement
}

// Run measures at 10^3, 10^4 … events and prints.
func (c *benchGrowthCommand) Run(ctx context.Context, out io.Writer) error {
	cluster, err := startBenchCluster(ctx, c.Dir)
	if err != nil {
		return err
	}
	defer cluster.close()
	g := &growth{
		cluster: cluster, log: newFilling(cluster.store),
		reader: queries.NewReader(cluster.store, nil),
	}
	g.log.perBuilding = growthStreamEvents
	for size := int64(1_000); size <= c.Most; size *= 10 {
		if err := g.at(ctx, size); err != nil {
			return err
		}
	}
	return cluster.reportTo(out, g.measured, c.JSON)
}

// at grows the log to size and measures; the appends come last, since they make it longer.
func (g *growth) at(ctx context.Context, size int64) error {
	if err := g.log.grow(ctx, size); err != nil {
		return err
	}
	err := projections.Rebuild(ctx, g.cluster.store, projections.Buildings, nil)
	if err != nil {
		return err
	}
	if err := g.cluster.settle(ctx); err != nil {
		return err
	}
	for _, part := range []struct {
		name, unit string
		samples    int
		work       func(context.Context) error
		per        float64 // units of one call
	}{
		{"load a cold stream of 100 events", "ms", growthSamples, g.load, 1e3},
		{"GET by id, from PostgreSQL", "ms", growthSamples, g.read, 1e3},
		{"replay", "µs/event", growthRuns, g.replay, 1e6 / float64(g.log.length())},
		{"verify", "µs/event", growthRuns, g.verify, 1e6 / float64(g.log.length())},
		{"append, 1 writer", "ms", growthSamples, g.append, 1e3},
	} {
		var took series
		for range part.samples {
			elapsed, err := timed(func() error { return part.work(ctx) })
			if err != nil {
				return fmt.Errorf("%s: %w", part.name, err)
			}
			took = append(took, elapsed.Seconds()*part.per)
		}
		g.measured = append(g.measured,
			took.alone(fmt.Sprintf("%s, log of %d events", part.name, size), part.unit, ""))
	}
	return nil
}

// any is one of the log's buildings.
func (g *growth) any() uuid.UUID {
	return g.log.buildings[rand.IntN(len(g.log.buildings))] //nolint:gosec // no secret
}

func (g *growth) load(ctx context.Context) error {
	count := int64(0)
	stream := events.Stream{Category: events.BuildingCategory, ID: g.any()}
	err := g.cluster.store.Load(ctx, g.log.organization, stream, 0,
		func(eventstore.Recorded) error {
			count++
			return nil
		})
	return counted(count, growthStreamEvents, err)
}

func (g *growth) read(ctx context.Context) error {
	_, err := g.reader.BuildingByID(ctx, queries.In(g.log.organization), g.any())
	return err
}

func (g *growth) replay(ctx context.Context) error {
	return replayWhole(ctx, g.cluster.store, g.log.organization, g.log.length())
}

func (g *growth) verify(ctx context.Context) error {
	return verifyWhole(ctx, g.cluster.store, g.log.organization)
}

// append registers one more building, as a command does.
func (g *growth) append(ctx context.Context) error {
	id, err := uuid.NewV7()
	if err != nil {
		return fmt.Errorf("make an id: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	g.log.extra++
	_, err = g.cluster.store.Append(ctx, eventstore.Append{
		Organization: g.log.organization,
		Streams: []eventstore.StreamAppend{{
			Stream:   events.Stream{Category: events.BuildingCategory, ID: id},
			Building: id, Events: []events.Event{history(0, 1)},
		}},
	})
	return err
}
