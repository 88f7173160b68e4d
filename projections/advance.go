package projections

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgconn"
)

// unit is an organization and the projections that are to move.
type unit struct {
	organization uuid.UUID
	projections  []*Projection
}

// advance moves the units by at most limit events and tells which organizations moved. Rows that
// PostgreSQL refuses are laid at the door of one organization, one projection and one event by
// trying ever less at once; that projection stops.
func (f *Follower) advance(
	ctx context.Context, units []unit, limit int,
) (moved map[uuid.UUID]bool, err error) {
	if len(units) == 0 {
		return nil, nil
	}
	moved, err = f.transact(ctx, units, limit)
	if !refused(err) {
		return moved, err
	}
	if len(units) == 1 && len(units[0].projections) == 1 && limit == 1 {
		return nil, f.stopAt(ctx, units[0], err)
	}
	moved = map[uuid.UUID]bool{}
	for _, part := range split(units) {
		if len(units) == 1 && len(units[0].projections) == 1 {
			limit = max(1, limit/16)
		}
		there, err := f.advance(ctx, []unit{part}, limit)
		if err != nil {
			return moved, err
		}
		maps.Copy(moved, there)
	}
	return moved, nil
}

// split parts units by organization, or one organization's projections.
func split(units []unit) []unit {
	if len(units) > 1 || len(units[0].projections) == 1 {
		return units
	}
	var parts []unit
	for _, p := range units[0].projections {
		parts = append(parts, unit{units[0].organization, []*Projection{p}})
	}
	return parts
}

// refused tells whether PostgreSQL found fault with the rows themselves: a data exception, a
// violated constraint, a row or index entry that is too large.
func refused(err error) bool {
	var failure *pgconn.PgError
	if !errors.As(err, &failure) || len(failure.Code) < 2 {
		return false
	}
	switch failure.Code[:2] {
	case "22", "23", "54":
		return true
	}
	return false
}

// stopAt stops the unit's one projection where its checkpoint is.
func (f *Follower) stopAt(ctx context.Context, u unit, cause error) error {
	if err := f.learn(ctx, u.organization); err != nil {
		return err
	}
	at, _ := f.progress.position(u.organization, u.projections[0].Name)
	f.stop(ctx, u.organization, u.projections[0].Name, at, cause)
	return nil
}

func (f *Follower) stop(
	ctx context.Context, organization uuid.UUID, projection string, at int64, cause error,
) {
	now := time.Now()
	first := f.progress.stop(Stop{
		Projection: projection, Organization: organization, Position: at, Since: now,
		Err: cause, again: now.Add(retryAfter),
	})
	if first {
		f.logger.ErrorContext(ctx, "a projection has stopped", "projection", projection,
			"organization", organization, "position", at, "error", cause)
	}
}

// transact moves the units in one transaction: rows and checkpoints together or not at all.
func (f *Follower) transact(
	ctx context.Context, units []unit, limit int,
) (map[uuid.UUID]bool, error) {
	conn, err := f.pool.Acquire(ctx)
	if err != nil {
		return nil, fmt.Errorf("reach the read models: %w", err)
	}
	defer conn.Release()
	tx := &transaction{follower: f, conn: conn, limit: max(1, limit/len(units))}
	// A shutdown lets the transaction end: a cancelled context would close the connection.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
	defer cancel()
	err = tx.run(ctx, units)
	if err == nil {
		// Whoever finds the checkpoints moved has been told by whom.
		f.telling.Lock()
		defer f.telling.Unlock()
		err = tx.commit(ctx)
	}
	if err != nil {
		// A connection that cannot roll back is closed by its release.
		_, _ = conn.Exec(ctx, "rollback")
		return nil, err
	}
	return tx.done(ctx), nil
}
