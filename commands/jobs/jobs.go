// Package jobs runs what no request waits for, on river: long work that a client follows at
// /jobs/{id}, and periodic work (finishing what a crash left out, signing checkpoints, retention).
// It imports nothing else of ours: what the work does is handed in by cmd. Start reading at New,
// then task.go (long work) and periodic.go.
//
// Rows of log.jobs are read by queries: status is queued, running, done or failed, progress 0 to
// 100, result the JSON that the task returned, problem a code once it failed for good. River has
// tables of its own; its row holds the task's arguments and goes an hour after it ended.
package jobs

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
)

// schema is where river's tables stand.
const schema = "river"

// Queues: a long task holds up no maintenance.
const (
	queueTasks       = "tasks"
	queueMaintenance = "maintenance"
)

// A long task may hold one of the pool's two connections to its end. Signing in and every look at
// a stream need the other one.
const tasksAtOnce = 1

// River polls: it keeps no listening connection, and works behind a pooler of transactions.
const (
	fetchCooldown     = 50 * time.Millisecond
	pollTasks         = 500 * time.Millisecond // what a client waits at most for its job to begin
	pollMaintenance   = 2 * time.Second
	keepEndedJobs     = time.Hour
	rescueAfter       = 2 * time.Hour // longer than the longest timeout
	maintenanceWithin = 5 * time.Minute
)

// Config says what is run and where.
type Config struct {
	Pool   *pgxpool.Pool    // the store's, eventstore.RoleJobs
	Logger *slog.Logger     // nil for nobody
	Clock  func() time.Time // time.Now when nil; retention goes by it

	Tasks map[string]Task // long work by kind, such as "verify"

	FinishPending   func(context.Context) error // commands.App.FinishPending
	SignCheckpoints func(context.Context) error // of each organization whose head moved
	LetFallOverdue  func(context.Context) error // charges whose due day has passed

	// Every says how often periodic work is done; zero fields take their defaults.
	Every Intervals
}

// Jobs enqueues work and, once started, does it.
type Jobs struct {
	config Config
	client *river.Client[pgx.Tx]
}

// New makes the client. Nothing is worked on before Start; Enqueue works without it.
func New(config Config) (*Jobs, error) {
	if config.Logger == nil {
		config.Logger = slog.New(slog.DiscardHandler)
	}
	if config.Clock == nil {
		config.Clock = time.Now
	}
	j := &Jobs{config: config}
	workers := river.NewWorkers()
	err := errors.Join(
		river.AddWorkerSafely(workers, &taskWorker{jobs: j}),
		river.AddWorkerSafely(workers, &maintenanceWorker{jobs: j}),
	)
	if err != nil {
		return nil, fmt.Errorf("enter the jobs' workers: %w", err)
	}
	j.client, err = river.NewClient(riverpgxv5.New(config.Pool), &river.Config{
		Schema: schema, PollOnly: true, Logger: config.Logger, Workers: workers,
		Queues: map[string]river.QueueConfig{
			queueTasks:       {MaxWorkers: tasksAtOnce, FetchPollInterval: pollTasks},
			queueMaintenance: {MaxWorkers: 1, FetchPollInterval: pollMaintenance},
		},
		FetchCooldown: fetchCooldown, FetchPollInterval: pollMaintenance,
		JobTimeout: maintenanceWithin, RescueStuckJobsAfter: rescueAfter,
		CompletedJobRetentionPeriod: keepEndedJobs, CancelledJobRetentionPeriod: keepEndedJobs,
		PeriodicJobs: periodic(config.Every), ErrorHandler: &failures{jobs: j},
	})
	if err != nil {
		return nil, fmt.Errorf("make the jobs' client: %w", err)
	}
	return j, nil
}

// Start begins to work. It returns at once; the context's end stops it hard.
func (j *Jobs) Start(ctx context.Context) error {
	if err := j.client.Start(ctx); err != nil {
		return fmt.Errorf("start the jobs: %w", err)
	}
	return nil
}

// Stop lets work under way end within the context, and cancels what does not.
func (j *Jobs) Stop(ctx context.Context) error {
	err := j.client.Stop(ctx)
	if err != nil && ctx.Err() != nil {
		hard, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		err = j.client.StopAndCancel(hard)
	}
	if err != nil {
		return fmt.Errorf("stop the jobs: %w", err)
	}
	return nil
}
