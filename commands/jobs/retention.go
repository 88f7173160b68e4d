package jobs

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// How long what is no record of the past is kept.
const (
	keepKeys      = 24 * time.Hour      // idempotency keys
	keepAttempts  = time.Hour           // failed sign-ins; they count for 15 minutes
	keepJobs      = 90 * 24 * time.Hour // jobs that ended, with their results
	loseJobs      = 24 * time.Hour      // a job that has not ended by then was lost
	organizations = 500                 // of one statement
)

const organizationsSQL = `select organization_id from log.logs order by organization_id`

// Each statement names its organizations ($1) and an instant ($2).
const (
	oldKeysSQL = `delete from log.idempotency
 where organization_id = any($1) and recorded_at < $2`
	oldLinksSQL    = `delete from log.links where organization_id = any($1) and expires_at < $2`
	oldAttemptsSQL = `delete from log.attempts where organization_id = any($1) and at < $2`
	oldSessionsSQL = `delete from log.sessions where organization_id = any($1) and expires_at < $2`
	oldJobsSQL     = `delete from log.jobs
 where organization_id = any($1) and finished_at < $2 and status in ('done', 'failed')`
	lostJobsSQL = `update log.jobs
   set status = 'failed', finished_at = greatest(created_at, $2), problem = '` + problemLost + `'
 where organization_id = any($1) and created_at < $2 and status in ('queued', 'running')`
)

// retain deletes what has expired. The log itself is never touched.
func (j *Jobs) retain(ctx context.Context) error {
	rows, err := j.config.Pool.Query(ctx, organizationsSQL)
	if err != nil {
		return fmt.Errorf("list the organizations: %w", err)
	}
	all, err := pgx.CollectRows(rows, pgx.RowTo[uuid.UUID])
	if err != nil {
		return fmt.Errorf("list the organizations: %w", err)
	}
	now := j.config.Clock()
	platform := []uuid.UUID{uuid.Nil}
	for _, old := range []struct {
		what   string
		sql    string
		before time.Time
		of     []uuid.UUID
	}{
		{"idempotency keys", oldKeysSQL, now.Add(-keepKeys), all},
		{"jobs that were lost", lostJobsSQL, now.Add(-loseJobs), all},
		{"jobs", oldJobsSQL, now.Add(-keepJobs), all},
		{"links", oldLinksSQL, now, platform},
		{"attempts", oldAttemptsSQL, now.Add(-keepAttempts), platform},
		{"sessions", oldSessionsSQL, now, platform},
	} {
		for rest := old.of; len(rest) > 0; {
			some := rest[:min(len(rest), organizations)]
			rest = rest[len(some):]
			if _, err := j.config.Pool.Exec(ctx, old.sql, some, old.before); err != nil {
				return fmt.Errorf("delete old %s: %w", old.what, err)
			}
		}
	}
	return nil
}
