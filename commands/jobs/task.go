package jobs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"
)

// KindVerify is the task of POST /audit/verify.
const KindVerify = "verify"

// Request is a task as it was asked for.
type Request struct {
	ID           uuid.UUID
	Organization uuid.UUID
	Actor        uuid.UUID
	Args         json.RawMessage
}

// Task does long work. It may be run again from the beginning after a crash or an error, three
// times in all. It calls progress with 0 to 100 as often as it likes, and returns what log.jobs
// shows as the result, to be written as JSON: no personal data.
type Task func(ctx context.Context, request Request, progress func(percent int)) (any, error)

// Problems of a task that failed for good.
const (
	problemFailed = "job_failed"
	problemLost   = "job_lost" // the server that did it ended, and nobody took it up
)

const (
	taskAttempts  = 3
	taskWithin    = time.Hour
	showProgress  = 500 * time.Millisecond // the least time between two writes of the progress
	progressWaits = 100 * time.Millisecond // for a connection
	taskKindRiver = "task"
)

// taskArgs is what river keeps of a task.
type taskArgs struct {
	Task         string          `json:"task"`
	ID           uuid.UUID       `json:"id"`
	Organization uuid.UUID       `json:"organization_id"`
	Actor        uuid.UUID       `json:"actor"`
	Args         json.RawMessage `json:"args"`
}

// Kind is river's name of all tasks.
func (taskArgs) Kind() string { return taskKindRiver }

func (a taskArgs) hasNoArguments() bool {
	return string(a.Args) == "{}" || string(a.Args) == "null"
}

// ErrUnknownTask is returned for a kind that Config.Tasks does not name.
var ErrUnknownTask = errors.New("no such task")

// A caller who asks again for what has no arguments, and has not begun, gets the one that waits:
// what nobody has begun yet sees all that is recorded now, and nobody fills the queue for others.
const waitingSQL = `select id from log.jobs
 where organization_id = $1 and actor = $2 and kind = $3 and status = 'queued'
 order by id limit 1`

const enqueueSQL = `insert into log.jobs (organization_id, id, actor, kind, status)
values ($1, $2, $3, $4, 'queued')`

// Enqueue asks for a task of the organization and returns the id under which it is followed: that
// of the actor's own one that waits, where neither has arguments. Row and river's job are one
// transaction, on disk when Enqueue returns.
func (j *Jobs) Enqueue(
	ctx context.Context, kind string, organization, actor uuid.UUID, args any,
) (uuid.UUID, error) {
	if j.config.Tasks[kind] == nil {
		return uuid.Nil, fmt.Errorf("enqueue %s: %w", kind, ErrUnknownTask)
	}
	id, err := uuid.NewV7()
	if err != nil {
		return uuid.Nil, fmt.Errorf("make a job's id: %w", err)
	}
	given, err := json.Marshal(args)
	if err != nil {
		return uuid.Nil, fmt.Errorf("write the arguments of %s: %w", kind, err)
	}
	asked := taskArgs{kind, id, organization, actor, given}
	if id, err = j.enqueue(ctx, asked); err != nil {
		return uuid.Nil, fmt.Errorf("enqueue %s: %w", kind, err)
	}
	return id, nil
}

func (j *Jobs) enqueue(ctx context.Context, asked taskArgs) (uuid.UUID, error) {
	tx, err := j.config.Pool.Begin(ctx)
	if err != nil {
		return uuid.Nil, err
	}
	defer tx.Rollback(context.WithoutCancel(ctx)) //nolint:errcheck // after a commit it does nothing
	if asked.hasNoArguments() {
		var waits uuid.UUID
		err := tx.QueryRow(ctx, waitingSQL, asked.Organization, asked.Actor, asked.Task).Scan(&waits)
		if !errors.Is(err, pgx.ErrNoRows) {
			return waits, err
		}
	}
	_, err = tx.Exec(ctx, enqueueSQL, asked.Organization, asked.ID, asked.Actor, asked.Task)
	if err != nil {
		return uuid.Nil, err
	}
	_, err = j.client.InsertTx(ctx, tx, asked, &river.InsertOpts{
		Queue: queueTasks, MaxAttempts: taskAttempts,
	})
	if err != nil {
		return uuid.Nil, err
	}
	return asked.ID, tx.Commit(ctx)
}

type taskWorker struct {
	river.WorkerDefaults[taskArgs]
	jobs *Jobs
}

// Timeout is river's.
func (w *taskWorker) Timeout(*river.Job[taskArgs]) time.Duration { return taskWithin }

// NextRetry is soon: a client waits.
func (w *taskWorker) NextRetry(job *river.Job[taskArgs]) time.Time {
	return time.Now().Add(time.Duration(job.Attempt) * time.Second)
}

const (
	beginSQL = `update log.jobs set status = 'running'
 where organization_id = $1 and id = $2 and status in ('queued', 'running')`
	progressSQL = `update log.jobs set progress = greatest(progress, $3)
 where organization_id = $1 and id = $2 and status = 'running'`
	doneSQL = `update log.jobs set status = 'done', progress = 100, finished_at = $3, result = $4
 where organization_id = $1 and id = $2`
	failedSQL = `update log.jobs set status = 'failed', finished_at = $3, problem = $4
 where organization_id = $1 and id = $2 and status in ('queued', 'running')`
)

// Work runs the task and shows in log.jobs how it goes.
func (w *taskWorker) Work(ctx context.Context, job *river.Job[taskArgs]) error {
	asked, pool := job.Args, w.jobs.config.Pool
	task := w.jobs.config.Tasks[asked.Task]
	if task == nil {
		return fmt.Errorf("run %s: %w", asked.Task, ErrUnknownTask)
	}
	if _, err := pool.Exec(ctx, beginSQL, asked.Organization, asked.ID); err != nil {
		return fmt.Errorf("show that %s runs: %w", asked.Task, err)
	}
	shown := &progress{jobs: w.jobs, asked: asked}
	result, err := task(ctx, Request{
		ID: asked.ID, Organization: asked.Organization, Actor: asked.Actor, Args: asked.Args,
	}, func(percent int) { shown.show(ctx, percent) })
	if err != nil {
		return fmt.Errorf("run %s: %w", asked.Task, err)
	}
	written, err := json.Marshal(result)
	if err != nil {
		return fmt.Errorf("write the result of %s: %w", asked.Task, err)
	}
	_, err = pool.Exec(ctx, doneSQL, asked.Organization, asked.ID, w.jobs.config.Clock(), written)
	if err != nil {
		return fmt.Errorf("show that %s is done: %w", asked.Task, err)
	}
	return nil
}

// progress writes the progress now and then.
type progress struct {
	jobs  *Jobs
	asked taskArgs
	mu    sync.Mutex
	last  time.Time
	most  int
}

// show keeps silent when the write fails: the next one or the end says more.
func (p *progress) show(ctx context.Context, percent int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	percent = min(max(percent, 0), 99)
	if percent <= p.most || time.Since(p.last) < showProgress {
		return
	}
	p.most, p.last = percent, time.Now()
	if err := p.write(ctx, percent); err != nil {
		p.jobs.config.Logger.WarnContext(ctx, "a job's progress was not written", "error", err)
	}
}

// write waits for a connection no longer than a moment: the task may hold one itself, and must
// not stand still until others let go of theirs.
func (p *progress) write(ctx context.Context, percent int) error {
	moment, cancel := context.WithTimeout(ctx, progressWaits)
	defer cancel()
	conn, err := p.jobs.config.Pool.Acquire(moment)
	if err != nil {
		return err
	}
	defer conn.Release()
	_, err = conn.Exec(ctx, progressSQL, p.asked.Organization, p.asked.ID, percent)
	return err
}

// failures logs what went wrong, and marks tasks that are not tried again.
type failures struct{ jobs *Jobs }

// HandleError is river's.
func (f *failures) HandleError(
	ctx context.Context, job *rivertype.JobRow, err error,
) *river.ErrorHandlerResult {
	f.jobs.config.Logger.ErrorContext(ctx, "a job failed",
		"kind", job.Kind, "attempt", job.Attempt, "error", err)
	unknown := errors.Is(err, ErrUnknownTask)
	if unknown || job.Attempt >= job.MaxAttempts {
		f.giveUp(ctx, job)
	}
	return &river.ErrorHandlerResult{SetCancelled: unknown}
}

// HandlePanic is river's.
func (f *failures) HandlePanic(
	ctx context.Context, job *rivertype.JobRow, _ any, trace string,
) *river.ErrorHandlerResult {
	f.jobs.config.Logger.ErrorContext(ctx, "a job panicked",
		"kind", job.Kind, "attempt", job.Attempt, "trace", trace)
	f.giveUp(ctx, job)
	return &river.ErrorHandlerResult{SetCancelled: true}
}

func (f *failures) giveUp(ctx context.Context, job *rivertype.JobRow) {
	var asked taskArgs
	if job.Kind != taskKindRiver || json.Unmarshal(job.EncodedArgs, &asked) != nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	_, err := f.jobs.config.Pool.Exec(ctx, failedSQL, asked.Organization, asked.ID,
		f.jobs.config.Clock(), problemFailed)
	if err != nil { // retention finds it again
		f.jobs.config.Logger.WarnContext(ctx, "a failed job was not marked", "error", err)
	}
}
