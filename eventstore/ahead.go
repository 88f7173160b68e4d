package eventstore

import (
	"slices"
	"time"
)

// aheadFrom is how many writers a lane has at least when it decides one batch while another is
// written. Fewer leave together: a commit costs them more than the wait.
const aheadFrom = 48

// aheadFor is how long batches follow each other without the lane giving its connection back.
const aheadFor = 100 * time.Millisecond

// mostBehind is the largest batch, in bytes, that is sent behind another: the connection has room
// for it, and nobody waits until the other was read.
const mostBehind = 96 << 10

// writing is a batch on its way to the database.
type writing struct {
	*batch
	began time.Time // when it was gathered for, or sent where it was decided ahead
	err   error     // why it was not sent
	done  chan outcome
}

// start sends the batch, nothing else being under way.
func (l *lane) start(p *pipe, b *batch, began time.Time) *writing {
	w := &writing{batch: b, began: began, done: make(chan outcome, 1)}
	if b.writes == nil {
		b.writes = b.queries(l)
	}
	ctx, cancel := workContext(b.accepted)
	defer cancel()
	if w.err = p.describe(ctx, b.writes); w.err == nil {
		w.err = p.send(b.writes, workDeadline(b.accepted))
	}
	l.listen(p, w)
	return w
}

// behind sends a batch that was decided ahead while the other is written; nil where it has to wait
// for the other's answer. Where the other fails, so does this one: it moves a head whose tree holds
// what the other appends.
func (l *lane) behind(p *pipe, next *batch) *writing {
	if next == nil || len(next.accepted) == 0 || next.writes.Len() > 1 ||
		next.bytes > mostBehind || !p.knows(next.writes) || !next.send() {
		return nil
	}
	w := &writing{batch: next, began: time.Now(), done: make(chan outcome, 1)}
	w.err = p.send(next.writes, workDeadline(next.accepted))
	return w
}

// listen waits for the batch's answer, which is the next; of a large crowd aside, so that the next
// batch is decided meanwhile. A lone writer is not made to wait for another goroutine.
func (l *lane) listen(p *pipe, w *writing) {
	receive := func() { w.done <- asOutcome(p.receive()) }
	switch {
	case w.err != nil:
		w.done <- asOutcome(w.err)
	case l.crowd.large(l.aheadFrom):
		go receive()
	default:
		receive()
	}
}

// wait is the outcome of what was started.
func (l *lane) wait(w *writing) outcome {
	o := <-w.done
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
