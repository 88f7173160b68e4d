package eventstore

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// heldPause is how often the writer looks whether held heads are free again.
const heldPause = 20 * time.Millisecond

// A head that does not exist is not held.
const heldSQL = `with free as (
  select organization_id from log.logs where organization_id = $1 for update skip locked
)
select exists (select from log.logs where organization_id = $1)
   and not exists (select from free)`

// hold puts aside the appends whose head somebody has held for longer than a lock is waited for,
// so that no other organization waits with them, and returns the others.
func (l *lane) hold(ctx context.Context, waiting []*pending) []*pending {
	held, err := l.heldHeads(ctx, organizationsOf(waiting))
	if err != nil {
		l.store.logger.Warn("held heads cannot be told", "error", err)
		return waiting
	}
	if len(held) > 0 {
		l.store.logger.Warn("heads are held by somebody else", "organizations", len(held))
	}
	others := l.setAside(waiting, held)
	l.probed = time.Now()
	return others
}

// setAside moves the appends of the organizations to those held and returns the others.
func (l *lane) setAside(waiting []*pending, held []uuid.UUID) (others []*pending) {
	for _, p := range waiting {
		if slices.Contains(held, p.append.Organization) {
			l.held = append(l.held, p)
		} else {
			others = append(others, p)
		}
	}
	return others
}

// released returns the batch without the appends that must wait for a held head, and with as many
// of those held before whose head is free as make a batch.
func (l *lane) released(batch []*pending) []*pending {
	if l.held = wanted(l.held); len(l.held) == 0 {
		return batch
	}
	organizations := organizationsOf(l.held)
	batch = l.setAside(batch, organizations)
	if time.Since(l.probed) < heldPause {
		return batch
	}
	l.probed = time.Now()
	ctx, cancel := workContext(l.held)
	defer cancel()
	held, err := l.heldHeads(ctx, organizations)
	if err != nil {
		l.store.logger.Warn("held heads cannot be told", "error", err)
		return batch
	}
	waiting, size := l.held, 0
	l.held = nil
	for i, p := range l.setAside(waiting, held) {
		if size += p.size(); i >= maxAppendsPerBatch || size >= maxBytesPerBatch {
			l.held = append(l.held, p)
		} else {
			batch = append(batch, p)
		}
	}
	return batch
}

// heldHeads tells which of the heads somebody holds locked, without waiting for any.
func (l *lane) heldHeads(ctx context.Context, heads []uuid.UUID) (held []uuid.UUID, err error) {
	var queries pgx.Batch
	for _, organization := range heads {
		queries.Queue(heldSQL, organization).QueryRow(func(row pgx.Row) error {
			var locked bool
			if err := row.Scan(&locked); err != nil {
				return err
			}
			if locked {
				held = append(held, organization)
			}
			return nil
		})
	}
	if err := l.store.pools[RoleWriter].SendBatch(ctx, &queries).Close(); err != nil {
		return nil, fmt.Errorf("look at heads: %w", err)
	}
	return held, nil
}
