package eventstore

import (
	"bytes"
	"context"
	"fmt"
	"slices"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// A head that does not exist cannot be locked; it is made at position 0, which is also what a
// missing one means.
const ensureHeadSQL = `insert into log.logs (organization_id, position, recorded_at, tree, epoch)
values ($1, 0, 'epoch', '', 1) on conflict (organization_id) do nothing`

const lockHeadSQL = `select ` + headColumns + ` from log.logs
 where organization_id = $1 for update`

const foundSQL = `select id, position, version, recorded_at, leaf_hash from log.events
 where organization_id = $1 and position > $2 and id = any($3) order by position`

// tryLocked records the batch while it holds the locks of its heads, taken in ascending order: the
// head cannot move under it. After a lost answer it first looks whether the lost transaction's
// rows are there. Where they are not, writing them again under the lock makes the lost
// transaction fail, should it still be running.
func (l *lane) tryLocked(ctx context.Context, waiting []*pending) ([]*pending, error) {
	conn, err := l.store.pools[RoleWriter].Acquire(ctx)
	if err != nil {
		return l.known(waiting), fmt.Errorf("reach the database: %w", err)
	}
	defer conn.Release()
	l.beliefs.forget(waiting)
	defer l.beliefs.forget(waiting)
	tx, err := conn.Begin(ctx)
	if err != nil {
		return l.known(waiting), fmt.Errorf("begin under the heads' locks: %w", err)
	}
	b, open, err := l.prepareLocked(ctx, tx, waiting)
	if err != nil {
		_ = tx.Rollback(ctx)
		conn.Release() // looking at the heads may need it
		if asOutcome(err).headHeld() {
			return l.hold(ctx, l.known(open)), nil
		}
		return l.known(open), err
	}
	if len(b.accepted) == 0 {
		_ = tx.Rollback(ctx)
		l.confirm(b, 0)
		return l.known(b.stale), nil
	}
	queries := new(pgx.Batch)
	b.queue(l, queries)
	queries.Queue("commit")
	err = conn.SendBatch(ctx, queries).Close()
	if err != nil {
		_ = tx.Rollback(ctx)
	}
	conn.Release() // settling may need it
	o := asOutcome(err)
	return append(l.settle(ctx, b, o), l.known(b.stale)...), o.lasting()
}

// prepareLocked locks the heads, answers the appends that a lost transaction did record, and
// decides the others, which it returns, on what the locks hold still.
func (l *lane) prepareLocked(
	ctx context.Context, tx pgx.Tx, waiting []*pending,
) (b *batch, open []*pending, err error) {
	for _, organization := range organizationsOf(waiting) {
		if _, err := tx.Exec(ctx, ensureHeadSQL, organization); err != nil {
			return nil, waiting, fmt.Errorf("make a head: %w", err)
		}
		heads, err := readHeads(ctx, tx, lockHeadSQL, organization)
		if err != nil || len(heads) == 0 {
			return nil, waiting, fmt.Errorf("lock a head: %w", err)
		}
		l.store.epochs.see(heads)
		if err := l.beliefs.learn(heads[0]); err != nil {
			return nil, waiting, err
		}
	}
	for i, p := range waiting {
		there, err := p.recorded(ctx, tx)
		if err != nil {
			return nil, append(open, waiting[i:]...), err
		}
		if there {
			receipts := l.store.tell([]*pending{p})
			l.store.bell.Ring(p.append.Organization, p.rows[len(p.rows)-1].Position)
			p.answer(receipts[0], nil)
			continue
		}
		p.fresh = true
		open = append(open, p)
	}
	read, err := l.gather(ctx, tx.Conn(), open)
	if err != nil {
		return nil, open, err
	}
	return l.decide(send(open), read, false), open, nil
}

// recorded tells whether the append's events stand in the log although nobody said so, and then
// takes their places from there: of several tries, any may be the one that was committed.
func (p *pending) recorded(ctx context.Context, q Querier) (bool, error) {
	if !p.lost {
		return false, nil
	}
	ids := make([]uuid.UUID, len(p.rows))
	for i := range p.rows {
		ids[i] = p.rows[i].ID
	}
	rows, err := q.Query(ctx, foundSQL, p.append.Organization, p.base, ids)
	if err != nil {
		return false, fmt.Errorf("look for a lost append: %w", err)
	}
	defer rows.Close()
	found := 0
	for ; rows.Next(); found++ {
		var id uuid.UUID
		var leaf []byte
		r := &p.rows[min(found, len(p.rows)-1)]
		if err := rows.Scan(&id, &r.Position, &r.Version, &r.RecordedAt, &leaf); err != nil {
			return false, fmt.Errorf("look for a lost append: %w", err)
		}
		r.RecordedAt = r.RecordedAt.UTC()
		copy(r.LeafHash[:], leaf)
	}
	return found == len(ids), rows.Err()
}

// organizationsOf lists the batch's organizations, each once, ascending.
func organizationsOf(batch []*pending) []uuid.UUID {
	var organizations []uuid.UUID
	for _, p := range batch {
		organizations = append(organizations, p.append.Organization)
	}
	slices.SortFunc(organizations, func(a, b uuid.UUID) int { return bytes.Compare(a[:], b[:]) })
	return slices.Compact(organizations)
}
