package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/google/uuid"

	"github.com/koprogo/koprogo/api"
	"github.com/koprogo/koprogo/commands"
	"github.com/koprogo/koprogo/commands/seed"
	"github.com/koprogo/koprogo/deploy/embedded"
	"github.com/koprogo/koprogo/eventstore"
	"github.com/koprogo/koprogo/projections"
)

// seedCommand fills in the demo organizations, or a large one. What stands already is left as it
// is.
type seedCommand struct {
	where
	Buildings    int    `help:"Make a large organization of so many buildings instead."`
	Organization string `help:"Where they are made; absent: an organization of their own."`
	Seed         uint64 `default:"1" help:"The same seed and day make the same facts."`
	Until        string `help:"Day that two years of charges go up to; absent: today."`
	JSON         bool   `name:"json" help:"The outcome as JSON."`
}

// Run seeds and says how to sign in.
func (c *seedCommand) Run(ctx context.Context, out io.Writer) error {
	town, err := c.town()
	if err != nil {
		return err
	}
	_, running := embedded.AttachPostgres(c.DataDir)
	beside := running || c.DatabaseURL != ""
	store, done, err := c.openStore(ctx, c.logger(os.Stderr))
	if err != nil {
		return err
	}
	defer done()
	credentials, err := store.Credentials()
	if err != nil {
		return err
	}
	seeder := newSeeder(commands.New(store), store, credentials)
	if town.Buildings > 0 {
		return c.makeTown(ctx, out, seeder, town, beside)
	}
	if err := seeder.Demo(ctx); err != nil {
		return err
	}
	if c.JSON {
		return json.NewEncoder(out).Encode(map[string]uuid.UUID{
			"organization_id": seed.DemoOrganization, "neighbour_id": seed.DemoNeighbour,
		})
	}
	_, err = fmt.Fprintln(out, "The demo organizations stand: syndic@grandplace.be / syndic123.")
	return err
}

// town reads what a large organization is to be like.
func (c *seedCommand) town() (seed.Town, error) {
	town := seed.Town{Seed: c.Seed, Buildings: c.Buildings, Until: time.Now()}
	if c.Buildings < 0 || c.Buildings > seed.MostBuildings {
		return town, fmt.Errorf("--buildings must be a number from 1 to %d", seed.MostBuildings)
	}
	if c.Buildings == 0 && (c.Organization != "" || c.Until != "") {
		return town, errors.New("--organization and --until go with --buildings")
	}
	var err error
	if c.Organization != "" {
		if town.Organization, err = uuid.Parse(c.Organization); err != nil {
			return town, errors.New("--organization must be an id")
		}
	}
	if c.Until != "" {
		if town.Until, err = time.Parse(time.DateOnly, c.Until); err != nil {
			return town, errors.New("--until must be a day such as 2026-01-31")
		}
	}
	return town, nil
}

// seeded is what making a large organization came to.
type seeded struct {
	Organization    uuid.UUID `json:"organization_id"`
	Email           string    `json:"syndic_email,omitempty"`
	Buildings       int       `json:"buildings"`
	Lots            int       `json:"lots"`
	Owners          int       `json:"owners"`
	Charges         int       `json:"charges"`
	Events          int64     `json:"events"` // that were missing
	Seconds         float64   `json:"seconds"`
	EventsPerSecond float64   `json:"events_per_second"`
	ReadModels      float64   `json:"read_models_seconds"`
}

func (c *seedCommand) makeTown(
	ctx context.Context, out io.Writer, seeder seed.Seeder, town seed.Town, beside bool,
) error {
	began := time.Now()
	bar := newBar(c.JSON, "buildings")
	town.Progress = bar.set
	made, err := seeder.Town(ctx, town)
	bar.end()
	if err != nil {
		return err
	}
	took := time.Since(began)
	if err := readModels(ctx, seeder.Store, made.Organization, beside); err != nil {
		return fmt.Errorf("bring the read models up to date: %w", err)
	}
	said := seeded{
		Organization: made.Organization, Email: made.SyndicEmail, Buildings: made.Buildings,
		Lots: made.Lots, Owners: made.Owners, Charges: made.Charges, Events: made.Events,
		Seconds: took.Seconds(), EventsPerSecond: float64(made.Events) / took.Seconds(),
		ReadModels: (time.Since(began) - took).Seconds(),
	}
	if c.JSON {
		return json.NewEncoder(out).Encode(said)
	}
	fmt.Fprintf(out, "%d buildings, %d lots, %d owners and %d charges stand in organization %s.\n",
		said.Buildings, said.Lots, said.Owners, said.Charges, said.Organization)
	fmt.Fprintf(out, "%d events in %s (%.0f a second), read models in %.1f s.\n",
		said.Events, took.Round(time.Second), said.EventsPerSecond, said.ReadModels)
	if said.Email != "" {
		fmt.Fprintf(out, "Its syndic: %s / %s.\n", said.Email, seed.TownSyndicPassword)
	}
	return nil
}

// A server that runs beside is given idleFor to move the read models on.
const (
	idleFor   = 5 * time.Second
	lookEvery = 100 * time.Millisecond
)

const checkpointSQL = `
select count(*), coalesce(min(position), 0) from read.checkpoints
 where organization_id = $1 and projection = any($2)`

// readModels returns once the organization's read models show its log: who looks at it next finds
// them made. Those of a running server are left to it, since it remembers what they show; where
// none moves them on, this process does.
func readModels(
	ctx context.Context, store *eventstore.Store, organization uuid.UUID, beside bool,
) error {
	follower := projections.NewFollower(projections.Config{Store: store})
	head, err := store.Head(ctx, organization)
	if err != nil {
		return err
	}
	look := time.NewTicker(lookEvery)
	defer look.Stop()
	before, moved := int64(-1), time.Now()
	for beside && time.Since(moved) < idleFor {
		var there int
		var at int64
		err := store.Pool(eventstore.RoleProjector).QueryRow(ctx, checkpointSQL, organization,
			follower.Names()).Scan(&there, &at)
		switch {
		case err != nil:
			return fmt.Errorf("look at the read models: %w", err)
		case there == len(follower.Names()) && at >= head.Position:
			return nil
		case at != before:
			before, moved = at, time.Now()
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-look.C:
		}
	}
	return follower.CatchUp(ctx)
}

func newSeeder(
	app *commands.App, store *eventstore.Store, credentials *eventstore.Credentials,
) seed.Seeder {
	return seed.Seeder{App: app, Store: store, SetPassword: func(
		ctx context.Context, account uuid.UUID, password string,
	) error {
		if has, err := credentials.HasPassword(ctx, account); err != nil || has {
			return err
		}
		hash, err := credentials.Hash(ctx, password)
		if err != nil {
			return err
		}
		return credentials.SetPassword(ctx, account, hash)
	}}
}

// seed is what POST /seed does; nil outside development mode.
func (p *product) seed() api.Seed {
	if !p.dev {
		return nil
	}
	return func(ctx context.Context) ([]uuid.UUID, error) {
		err := newSeeder(p.app, p.store, p.secrets).Demo(ctx)
		return []uuid.UUID{seed.DemoOrganization, seed.DemoNeighbour}, err
	}
}

// seedDemo makes the demo where no organization was ever founded, or goes on where it was left.
// What happened in its buildings is told beside the server, which is ready meanwhile.
func (p *product) seedDemo(ctx context.Context) error {
	seeder := newSeeder(p.app, p.store, p.secrets)
	due, err := seeder.DemoDue(ctx)
	if err != nil || !due {
		return err
	}
	if err := seeder.DemoBeginning(ctx); err != nil {
		return err
	}
	p.run("the demo", func() error {
		began := time.Now()
		if err := seeder.DemoStory(p.working); err != nil {
			return err
		}
		p.logger.Info("the demo stands", "took", time.Since(began).Round(time.Millisecond))
		return nil
	})
	return nil
}
