package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/koprogo/koprogo/api"
	"github.com/koprogo/koprogo/commands"
	"github.com/koprogo/koprogo/commands/jobs"
	"github.com/koprogo/koprogo/eventstore"
	"github.com/koprogo/koprogo/projections"
	"github.com/koprogo/koprogo/queries"
)

// answersInMemory bounds the rendered answers that a server keeps.
const answersInMemory = 64 << 20

// product is everything that runs in a server's process.
type product struct {
	where    where
	dev      bool
	logger   *slog.Logger
	database *database
	broker   *broker
	store    *eventstore.Store
	follower *projections.Follower
	app      *commands.App
	secrets  *eventstore.Credentials
	reader   *queries.Reader
	jobs     *jobs.Jobs
	access   *eventstore.AccessLog
	post     *api.Post
	api      *api.Server

	working context.Context //nolint:containedctx // of what runs beside the server, until it closes
	cancel  context.CancelFunc
	running sync.WaitGroup
}

// start brings up database, broker, log, projections and jobs, in this order; close ends them in
// the reverse one.
func (c *serveCommand) start(
	ctx context.Context, found secrets, logger *slog.Logger,
) (*product, error) {
	p := &product{where: c.where, dev: c.Dev, logger: logger}
	working, cancel := context.WithCancel(context.WithoutCancel(ctx))
	p.working, p.cancel = working, cancel
	if err := p.open(ctx, working, c.serving, found); err != nil {
		p.close()
		return nil, err
	}
	if err := p.mountAPI(c.serving, found); err != nil {
		p.close()
		return nil, err
	}
	return p, nil
}

// open brings up what serve and work both need.
func (p *product) open(
	ctx, working context.Context, settings serving, found secrets,
) (err error) {
	if p.database, err = p.where.startDatabase(ctx, p.logger); err != nil {
		return err
	}
	if err = p.database.migrate(ctx, p.where.DatabaseURL != "" && !p.dev); err != nil {
		return err
	}
	p.store, err = p.database.openLog(ctx, eventstore.Config{
		MaxConns: p.where.DBMaxConns, MasterKey: found.master, Logger: p.logger,
		Restored: p.restored,
	})
	if err != nil {
		return err
	}
	if p.broker, err = settings.startBroker(p.where, p.logger); err != nil {
		return err
	}
	p.follower = projections.NewFollower(projections.Config{
		Store: p.store, Logger: p.logger, Announce: p.broker.announce,
	})
	if err = p.broker.hear(p.follower); err != nil {
		return err
	}
	p.app = commands.New(p.store)
	p.reader = queries.NewReader(p.store, p.follower)
	p.store.OnAppend(p.reader.Landed)
	if p.secrets, err = p.store.Credentials(); err != nil {
		return err
	}
	p.run("the relay", func() error {
		return p.store.Relay(working, eventstore.RelayConfig{
			Connection: p.broker.conn, Replicas: p.broker.replicas(),
		})
	})
	p.run("the projections", func() error { return p.follower.Run(working) })
	if p.jobs, err = p.newJobs(); err != nil {
		return err
	}
	return p.jobs.Start(working)
}

// restored forgets what is remembered of a database that is another one than before.
func (p *product) restored() {
	p.logger.Warn("the database was restored or failed over: everything remembered is forgotten")
	if p.app != nil {
		p.app.Forget()
	}
	if p.follower != nil {
		p.follower.Doubt()
		p.follower.Deaf()
	}
}

// run does work until the product closes.
func (p *product) run(what string, work func() error) {
	p.running.Go(func() {
		if err := work(); err != nil && !errors.Is(err, context.Canceled) {
			p.logger.Error("what runs beside the server ended", "what", what, "error", err)
		}
	})
}

func (p *product) mountAPI(settings serving, found secrets) error {
	tokens, err := api.NewTokens(found.jwt, time.Now)
	if err != nil {
		return err
	}
	sessions, err := api.NewSessions(tokens, p.app, p.secrets, nil)
	if err != nil {
		return err
	}
	mailer, err := settings.mailer(p.where)
	if err != nil {
		return err
	}
	p.post = api.NewPost(mailer, p.logger)
	p.access = p.store.AccessLog()
	answers := api.NewAnswers(answersInMemory)
	p.follower.Subscribe(func(n projections.Notice) { forget(answers, n) })
	metrics := prometheus.NewRegistry()
	trusted, err := settings.proxies()
	if err != nil {
		return err
	}
	p.api, err = api.New(api.Config{
		Backend: api.Backend{
			Store: p.store, Commands: p.app, Queries: p.reader, Tokens: tokens,
			Enqueue: p.jobs.Enqueue, Seed: p.seed(), Checks: p.checks(), Logger: p.logger,
			Metrics: metrics,
			Accounts: &api.Accounts{
				Credentials: p.secrets, Sessions: sessions, Access: p.access, Post: p.post,
				Development: p.dev, PublicURL: settings.PublicURL,
			},
		},
		Authenticate: sessions.Authenticate,
		Fence: api.Fence{
			Answered: p.reader.Answered, Newest: p.reader.Newest, Reached: p.reader.Reached,
			Wait: p.reader.Wait,
		},
		Answers: answers, JWTSecret: found.jwt, RatePerToken: settings.RateLimitPerToken,
		Origins: settings.CORSAllowedOrigins, TrustedProxies: trusted,
		PublicURL: settings.PublicURL, Version: version,
	})
	return err
}

// version is set by the linker.
var version = "dev"

// forget drops the answers that a notice makes old.
func forget(answers *api.Answers, n projections.Notice) {
	if n.Everything {
		answers.ChangedAll(n.Organization)
		return
	}
	tables := make([]string, 0, len(n.Changed))
	for table := range n.Changed {
		tables = append(tables, table)
	}
	answers.Changed(n.Organization, tables...)
}

// mailer sends by SMTP_URL, or writes messages under DATA_DIR/outbox.
func (s serving) mailer(w where) (api.Mailer, error) {
	if s.SMTPURL != "" {
		return api.NewSMTPMailer(s.SMTPURL, s.MailFrom)
	}
	return api.NewOutbox(filepath.Join(w.DataDir, "outbox"), s.MailFrom)
}

// checks are what /health/ready and doctor ask.
func (p *product) checks() []api.Check {
	return []api.Check{
		{Name: "database", Look: func(ctx context.Context) error {
			return p.store.Pool(eventstore.RoleJobs).Ping(ctx)
		}},
		{Name: "broker", Look: func(context.Context) error { return p.broker.ready() }},
		{Name: "projections", Look: func(context.Context) error {
			if stopped := p.follower.Stopped(); len(stopped) > 0 {
				return fmt.Errorf("%s stopped at position %d", stopped[0].Projection,
					stopped[0].Position)
			}
			return nil
		}},
	}
}

// close ends everything, the last started first.
func (p *product) close() {
	if p.post != nil {
		p.post.Close()
	}
	if p.access != nil {
		p.access.Close()
	}
	if p.jobs != nil {
		ctx, cancel := context.WithTimeout(context.Background(), shutdownPatience)
		if err := p.jobs.Stop(ctx); err != nil {
			p.logger.Warn("the jobs did not stop in time", "error", err)
		}
		cancel()
	}
	p.cancel()
	p.running.Wait()
	if p.broker != nil {
		p.broker.close()
	}
	if p.store != nil {
		p.store.Close()
	}
	if p.database != nil {
		p.database.close()
	}
}

// resume takes every log's head for answered: nobody is shown less by this server than the one
// before it told him.
func (p *product) resume(ctx context.Context) error {
	heads, err := p.store.Heads(ctx)
	if err != nil {
		return fmt.Errorf("look where the logs stand: %w", err)
	}
	for _, head := range heads {
		p.reader.Answered(head.Organization, head.Position)
	}
	return nil
}
