package eventstore

import (
	"context"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
)

// aheadFrom is how many writers a lane has at least when it decides one batch while another is
// written. Fewer leave together: a commit costs them more than the wait.
const aheadFrom = 96

// aheadFor is how long batches follow each other without the lane giving its connection back.
const aheadFor = 100 * time.Millisecond

// writing is a batch on its way to the database.
type writing struct {
	*batch
	began  time.Time // when it was gathered for, or sent where it was decided ahead
	ctx    context.Context
	cancel context.CancelFunc
	done   chan outcome
}

// start sends the batch. Until the outcome is known the lane must not use the connection. A lone
// writer is not made to wait for another goroutine.
func (l *lane) start(conn *pgx.Conn, b *batch, began time.Time) *writing {
	w := &writing{batch: b, began: began, done: make(chan outcome, 1)}
	w.ctx, w.cancel = workContext(b.accepted)
	queries := b.writes
	if queries == nil {
		queries = b.queries(l)
	}
	send := func() { w.done <- write(w.ctx, conn, queries) }
	if l.crowd.large(l.aheadFrom) {
		go send()
	} else {
		send()
	}
	return w
}

// wait is the outcome of what was started.
func (l *lane) wait(w *writing) outcome {
	o := <-w.done
	w.cancel()
	l.crowd.committed(time.Since(w.began))
	return o
}

// ahead decides the next batch on what stands when the one that is being written is committed;
// nil where too few wait, or where it has to read first: what is committed by now is not what it
// would have to read. Nobody hears of its refusals before the other is committed.
func (l *lane) ahead(w *writing) *batch {
	if !l.crowd.large(l.aheadFrom) || l.retrying || len(w.stale)+len(l.held)+len(l.early) > 0 ||
		slices.ContainsFunc(w.accepted, func(p *pending) bool { return p.fresh }) {
		return nil
	}
	var next []*pending
	select {
	case p := <-l.queue:
		next = l.collect([]*pending{p})
	case o := <-w.done:
		w.done <- o
		return nil
	case <-l.quit:
		return nil
	}
	defer l.foreseen.Add(int64(len(next)))
	if len(l.unknownHeads(next)) == 0 {
		if wants := l.wants(next); wants.queries.Len() == 0 {
			b := l.decide(wanted(next), wants.into, true)
			if len(b.accepted) > 0 {
				b.writes = b.queries(l)
			}
			return b
		}
	}
	l.early, l.crowd.reads = next, true
	return nil
}
