package jobs

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"
)

// Intervals of the periodic work. River's leader enqueues it, one server does it, and none is
// enqueued while the one before waits or runs.
type Intervals struct {
	FinishPending   time.Duration // 30 s
	SignCheckpoints time.Duration // 5 min
	LetFallOverdue  time.Duration // 1 h: a day ends at another hour in another zone
	Retention       time.Duration // 1 h
}

// What maintenance there is.
const (
	finishPending   = "finish_pending"
	signCheckpoints = "sign_checkpoints"
	letFallOverdue  = "let_fall_overdue"
	retention       = "retention"
)

// maintenanceArgs is what river keeps of periodic work.
type maintenanceArgs struct {
	Work string `json:"work"`
}

// Kind is river's name of all maintenance.
func (maintenanceArgs) Kind() string { return "maintenance" }

func periodic(every Intervals) []*river.PeriodicJob {
	var jobs []*river.PeriodicJob
	for _, work := range []struct {
		name  string
		every time.Duration
	}{
		{finishPending, cmp.Or(every.FinishPending, 30*time.Second)},
		{signCheckpoints, cmp.Or(every.SignCheckpoints, 5*time.Minute)},
		{letFallOverdue, cmp.Or(every.LetFallOverdue, time.Hour)},
		{retention, cmp.Or(every.Retention, time.Hour)},
	} {
		jobs = append(jobs, river.NewPeriodicJob(
			river.PeriodicInterval(work.every),
			func() (river.JobArgs, *river.InsertOpts) {
				return maintenanceArgs{work.name}, maintenanceOpts()
			},
			&river.PeriodicJobOpts{ID: work.name, RunOnStart: true},
		))
	}
	return jobs
}

// maintenanceOpts: one attempt, since the next one comes by itself.
func maintenanceOpts() *river.InsertOpts {
	return &river.InsertOpts{
		Queue: queueMaintenance, MaxAttempts: 1,
		UniqueOpts: river.UniqueOpts{ByArgs: true, ByState: []rivertype.JobState{
			rivertype.JobStateAvailable, rivertype.JobStatePending, rivertype.JobStateRunning,
			rivertype.JobStateRetryable, rivertype.JobStateScheduled,
		}},
	}
}

type maintenanceWorker struct {
	river.WorkerDefaults[maintenanceArgs]
	jobs *Jobs
}

// Work does one kind of maintenance.
func (w *maintenanceWorker) Work(ctx context.Context, job *river.Job[maintenanceArgs]) error {
	var err error
	switch work := w.jobs.config; job.Args.Work {
	case finishPending:
		err = run(ctx, work.FinishPending)
	case signCheckpoints:
		err = run(ctx, work.SignCheckpoints)
	case letFallOverdue:
		err = run(ctx, work.LetFallOverdue)
	case retention:
		err = w.jobs.retain(ctx)
	default:
		err = errors.New("this server does not know the work")
	}
	if err != nil {
		return fmt.Errorf("maintenance, %s: %w", job.Args.Work, err)
	}
	return nil
}

func run(ctx context.Context, work func(context.Context) error) error {
	if work == nil {
		return nil
	}
	return work(ctx)
}
