package queries

import (
	"context"
	"encoding/json"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// Job is a long work as its caller follows it.
type Job struct {
	ID         uuid.UUID
	Actor      uuid.UUID
	Kind       string
	Status     string // queued, running, done, failed
	Progress   int    // 0 to 100
	CreatedAt  time.Time
	FinishedAt *time.Time
	Result     json.RawMessage // nil before it is done
	Problem    string          // a code, when it failed
}

const jobSQL = `select id, actor, kind, status, progress, created_at, finished_at, result,
       coalesce(problem, '') from log.jobs where organization_id = $1 and id = $2`

// JobByID returns a job of the organization; ErrNotFound when there is none.
func (r *Reader) JobByID(ctx context.Context, organization, id uuid.UUID) (job Job, err error) {
	_, err = r.read(ctx, In(organization), nil, func(batch *pgx.Batch) {
		batch.Queue(jobSQL, organization, id).Query(one(&job, pgx.RowToStructByPos[Job]))
	})
	job.CreatedAt = job.CreatedAt.UTC()
	if job.FinishedAt != nil {
		finished := job.FinishedAt.UTC()
		job.FinishedAt = &finished
	}
	return job, err
}
