package main

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/koprogo/koprogo/commands"
	"github.com/koprogo/koprogo/events"
	"github.com/koprogo/koprogo/eventstore"
	"github.com/koprogo/koprogo/projections"
)

// benchReplayCommand compares what reads a whole log with a raw scan of its rows.
type benchReplayCommand struct {
	JSON   bool   `name:"json" help:"For machines."`
	Dir    string `help:"Where the cluster's directory is made; absent: the temporary one."`
	Runs   int    `default:"3" help:"Runs of each side, interleaved."`
	Events int64  `default:"1000000" help:"Events of the organization, in thousands."`
}

// Run fills a log, measures and prints.
func (c *benchReplayCommand) Run(ctx context.Context, out io.Writer) error {
	if c.Events < eventsPerBuilding || c.Events%eventsPerBuilding != 0 {
		return fmt.Errorf("--events must be a multiple of %d", eventsPerBuilding)
	}
	cluster, err := startBenchCluster(ctx, c.Dir)
	if err != nil {
		return err
	}
	defer cluster.close()
	b := &replayBench{
		benchReplayCommand: *c, cluster: cluster, store: cluster.store,
		log: newFilling(cluster.store),
	}
	if err := b.fill(ctx); err != nil {
		return err
	}
	for _, part := range []func(context.Context) error{b.whole, b.building} {
		if err := part(ctx); err != nil {
			return err
		}
	}
	return cluster.reportTo(out, b.measured, c.JSON)
}

type replayBench struct {
	benchReplayCommand
	cluster  *benchCluster
	store    *eventstore.Store
	log      *filling
	town     town
	measured []measurement
}

// fill makes the logs and lets PostgreSQL settle, so that no side pays for it.
func (b *replayBench) fill(ctx context.Context) (err error) {
	if err := b.log.grow(ctx, b.Events); err != nil {
		return err
	}
	if b.town, err = fillTown(ctx, b.store); err != nil {
		return err
	}
	return b.cluster.settle(ctx)
}

// timed is how long work takes.
func timed(work func() error) (time.Duration, error) {
	begin := time.Now()
	err := work()
	return time.Since(begin), err
}

// inTurn runs the sides one after the other, runs times, and returns each side's seconds.
func inTurn(runs int, sides ...func() error) ([]series, error) {
	took := make([]series, len(sides))
	for range runs {
		for i, side := range sides {
			elapsed, err := timed(side)
			if err != nil {
				return nil, err
			}
			took[i] = append(took[i], elapsed.Seconds())
		}
	}
	return took, nil
}

// perSecond turns seconds for n events into events per second.
func perSecond(n int64, seconds series) series {
	rates := make(series, len(seconds))
	for i, s := range seconds {
		rates[i] = float64(n) / s
	}
	return rates
}

// milliseconds turns seconds into milliseconds.
func milliseconds(seconds series) series {
	ms := make(series, len(seconds))
	for i, s := range seconds {
		ms[i] = s * 1e3
	}
	return ms
}

// whole measures what reads an organization from its first event to its last.
func (b *replayBench) whole(ctx context.Context) error {
	organization, n := b.log.organization, b.log.size
	took, err := inTurn(b.Runs,
		func() error { return rawScan(ctx, b.store, wholeSQL, n, nil, organization) },
		func() error { return replayWhole(ctx, b.store, organization, n) },
		func() error { return rebuildAll(ctx, b.store) },
		func() error { return scanAndHash(ctx, b.store, organization, n) },
		func() error { return verifyWhole(ctx, b.store, organization) },
	)
	if err != nil {
		return err
	}
	raw, replay, rebuild := perSecond(n, took[0]), perSecond(n, took[1]), perSecond(n, took[2])
	hashed, verify := perSecond(n, took[3]), perSecond(n, took[4])
	of := fmt.Sprintf(" of %d events", n)
	b.measured = append(b.measured,
		replay.against("replay"+of+" / raw scan", "events/s", raw, ">= 0.5"),
		rebuild.against("rebuild of all read models"+of+" / replay", "events/s", replay, ">= 0.1"),
		verify.against("verify"+of+" / raw scan and SHA-256", "events/s", hashed, ">= 0.5"),
	)
	return nil
}

// building measures one building's history, with the names of its persons opened.
func (b *replayBench) building(ctx context.Context) error {
	t := b.town
	took, err := inTurn(max(b.Runs, 5),
		func() error {
			return rawScan(ctx, b.store, wholeSQL, t.size, nil, t.organization)
		},
		func() error { return replayBuilding(ctx, b.store, t) },
		func() error { return buildingAsOf(ctx, b.store, t) },
	)
	if err != nil {
		return err
	}
	raw := perSecond(t.size, took[0])
	of := fmt.Sprintf(" of a building, %d events, %d persons", t.size, personsPerTown)
	b.measured = append(b.measured,
		perSecond(t.size, took[1]).against("replay"+of+" / raw scan", "events/s", raw, ">= 0.3"),
		milliseconds(took[1]).alone("replay"+of, "ms", "< 500"),
		perSecond(t.size, took[2]).against("as_of"+of+" / raw scan", "events/s", raw, ">= 0.3"),
		milliseconds(took[2]).alone("as_of"+of, "ms", "< 500"),
	)
	return nil
}

const wholeSQL = `select ` + eventstore.Columns + ` from log.events
 where organization_id = $1 order by position`

// rawScan is the yardstick: every column of every row into Go values, and nothing else but each.
func rawScan(
	ctx context.Context, store *eventstore.Store, sql string, want int64, each func(pgx.Rows),
	args ...any,
) error {
	rows, err := store.Pool(eventstore.RoleProjector).Query(ctx, sql, args...)
	if err != nil {
		return fmt.Errorf("scan the log: %w", err)
	}
	defer rows.Close()
	var (
		organization, id         uuid.UUID
		building                 *uuid.UUID
		subjects                 []uuid.UUID
		position, version, count int64
		stream, kind             string
		schema                   int
		data, metadata, leaf     []byte
		recorded                 time.Time
		effective                *time.Time
	)
	for rows.Next() {
		err := rows.Scan(&organization, &position, &building, &subjects, &stream, &version, &id,
			&kind, &schema, &data, &metadata, &recorded, &effective, &leaf)
		if err != nil {
			return fmt.Errorf("scan the log: %w", err)
		}
		if each != nil {
			each(rows)
		}
		count++
	}
	return counted(count, want, rows.Err())
}

func counted(got, want int64, err error) error {
	if err == nil && got != want {
		err = fmt.Errorf("%d events where %d were appended", got, want)
	}
	return err
}

// scanAndHash is rawScan plus SHA-256 over the bytes of every column.
func scanAndHash(
	ctx context.Context, store *eventstore.Store, organization uuid.UUID, want int64,
) error {
	hash := sha256.New()
	return rawScan(ctx, store, wholeSQL, want, func(rows pgx.Rows) {
		for _, value := range rows.RawValues() {
			hash.Write(value)
		}
	}, organization)
}

// replayWhole decodes every event and folds it into the state of its building.
func replayWhole(
	ctx context.Context, store *eventstore.Store, organization uuid.UUID, want int64,
) error {
	states := map[events.Stream]*commands.Building{}
	count := int64(0)
	err := store.Replay(ctx, organization, 0, want, func(r *eventstore.Recorded) error {
		state := states[r.Stream]
		if state == nil {
			state = new(commands.Building)
			states[r.Stream] = state
		}
		*state = state.Evolve(r.Event)
		count++
		return nil
	})
	return counted(count, want, err)
}

func rebuildAll(ctx context.Context, store *eventstore.Store) error {
	for _, projection := range projections.All {
		if err := projections.Rebuild(ctx, store, projection, nil); err != nil {
			return err
		}
	}
	return nil
}

func verifyWhole(ctx context.Context, store *eventstore.Store, organization uuid.UUID) error {
	report, err := eventstore.Verify(ctx, eventstore.VerifyOptions{
		Pool: store.Pool(eventstore.RoleJobs), Organizations: []uuid.UUID{organization},
	})
	if err == nil && !report.Whole {
		err = fmt.Errorf("the log is not whole: %v", report.Organizations)
	}
	return err
}

// replayBuilding folds what belongs to a building and opens its persons' names.
func replayBuilding(ctx context.Context, store *eventstore.Store, t town) error {
	var state commands.Building
	var names []events.Personal
	count := int64(0)
	head, err := store.Head(ctx, t.organization)
	if err != nil {
		return err
	}
	err = store.ReplayBuilding(ctx, t.organization, t.building, 0, head.Position,
		func(r *eventstore.Recorded) error {
			count++
			if person, ok := r.Event.(events.AccountOpened); ok {
				names = append(names, person.FirstName, person.LastName)
				return nil
			}
			state = state.Evolve(r.Event)
			return nil
		})
	if err := counted(count, t.size, err); err != nil {
		return err
	}
	return openNames(ctx, store, t, names)
}

// buildingAsOf makes the building's read models of its last moment, as a first reader of that
// moment finds them, and opens its persons' names.
func buildingAsOf(ctx context.Context, store *eventstore.Store, t town) error {
	scope := projections.Scope{Building: t.building}
	copied, err := projections.NewTravel(store).At(ctx, t.organization, scope, t.size)
	if err != nil {
		return err
	}
	if _, found := projections.BuildingTable.Of(copied, t.building); !found {
		return fmt.Errorf("the building is not there")
	}
	var names []events.Personal
	for _, row := range projections.AccountTable.All(copied) {
		names = append(names, events.SealedText(row.FirstName), events.SealedText(row.LastName))
	}
	return openNames(ctx, store, t, names)
}

func openNames(
	ctx context.Context, store *eventstore.Store, t town, names []events.Personal,
) error {
	opened, err := store.Keyring().OpenAll(ctx, t.organization, names)
	if err != nil {
		return err
	}
	return counted(int64(len(opened)), 2*personsPerTown, nil)
}
