package eventstore

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// commit records the batch, however long that takes its callers' patience: a head that another
// server moved, an offender to be found, a database that restarts, an answer that was lost.
func (l *lane) commit(waiting []*pending) {
	defer func() { l.retrying = false }()
	for pause := time.Millisecond; len(waiting) > 0; pause = min(2*pause, 100*time.Millisecond) {
		if waiting = wanted(waiting); len(waiting) == 0 {
			return
		}
		ctx, cancel := workContext(waiting)
		again, err := l.try(ctx, waiting)
		l.retrying = true
		cancel()
		if err == nil {
			waiting = again
			continue
		}
		l.store.logger.Warn("an append batch did not commit", "appends", len(waiting), "error", err)
		l.beliefs.forget(waiting)
		if waiting = again; len(waiting) > 0 && !l.rest(pause) {
			for _, p := range waiting {
				p.answer(Receipt{}, p.gone())
			}
			return
		}
	}
}

// rest waits before the next try; false when the lane is to stop.
func (l *lane) rest(pause time.Duration) bool {
	select {
	case <-time.After(pause):
		return true
	case <-l.quit:
		return false
	}
}

// gone is the answer for an append that the writer gives up.
func (p *pending) gone() error {
	if p.lost {
		return ErrOutcomeUnknown
	}
	return ErrUnavailable
}

// try makes one transaction of the batch. It answers whom it can and returns who has to be tried
// again, with an error when the cause may last.
func (l *lane) try(ctx context.Context, waiting []*pending) (again []*pending, err error) {
	lost, waiting := splitLost(waiting)
	if len(lost) > 0 {
		unsettled, err := l.tryLocked(ctx, lost)
		return append(unsettled, waiting...), err
	}
	began := time.Now()
	conn, err := l.store.pools[RoleWriter].Acquire(ctx)
	if err != nil {
		return l.known(waiting), fmt.Errorf("reach the database: %w", err)
	}
	defer conn.Release()
	read, err := l.gather(ctx, conn.Conn(), waiting)
	if o := asOutcome(err); o.offended() {
		l.beliefs.forget(waiting)
		conn.Release()
		return l.divide(ctx, l.known(waiting), o), nil
	}
	if err != nil {
		return l.known(waiting), err
	}
	b := l.decide(send(waiting), read, false)
	if len(b.accepted) == 0 {
		l.beliefs.forget(b.stale)
		return l.known(b.stale), nil
	}
	again, o := l.record(conn.Conn(), b, began, conn.Release)
	return again, o.lasting()
}

// record writes the batch, and those that are decided meanwhile, and answers whom it can. It
// returns who has to be tried again, and the outcome of the last batch that was sent. It calls free
// when it needs the connection no more: settling may need it.
func (l *lane) record(
	conn *pgx.Conn, b *batch, began time.Time, free func(),
) ([]*pending, outcome) {
	p := &pipe{conn: conn, out: l.out}
	defer func() { l.out = p.out }()
	for w := l.start(p, b, began); ; {
		var next *batch
		if time.Since(began) < aheadFor {
			next = l.ahead(w)
		}
		behind := l.behind(p, next)
		o := l.wait(w)
		if o.err == nil && behind != nil {
			l.listen(p, behind)
			l.confirm(w.batch, len(next.accepted))
			w = behind
			continue
		}
		if o.err == nil && next != nil && len(next.accepted) > 0 && next.send() {
			written := w.batch
			w = l.start(p, next, time.Now())
			l.confirm(written, len(next.accepted))
			continue
		}
		lost := o.lost()
		if behind != nil && l.unanswered(p, behind, lost) {
			lost = true
			next.lose()
		}
		p.close(lost)
		free()
		switch {
		case next == nil:
			return l.settled(w.batch, o), o
		case o.err == nil && len(next.accepted) == 0:
			l.confirm(w.batch, 0)
			return l.settled(next, o), o
		}
		again := l.void(next)
		again = append(l.settled(w.batch, o), again...)
		return l.setAside(again, organizationsOf(l.held)), o
	}
}

// unanswered tells whether nobody knows what became of a batch that was sent behind one that
// failed: the server refuses it, if the connection lasts.
func (l *lane) unanswered(p *pipe, behind *writing, lost bool) bool {
	if lost {
		return true
	}
	l.listen(p, behind)
	return (<-behind.done).refused == nil
}

// send marks a batch that was decided ahead as sent; false when a caller has left meanwhile.
func (b *batch) send() bool { return len(send(b.accepted)) == len(b.accepted) }

// settled settles the batch, and adds those to be decided again to who has to be tried again.
func (l *lane) settled(b *batch, o outcome) []*pending {
	ctx, cancel := workContext(b.accepted)
	defer cancel()
	again := l.settle(ctx, b, o)
	l.beliefs.forget(b.stale)
	return append(again, l.known(b.stale)...)
}

// void takes back what was decided about a batch that was not sent.
func (l *lane) void(b *batch) []*pending {
	all := append(b.everybody(), b.stale...)
	l.beliefs.forget(all)
	return l.known(all)
}

// known takes back the mark of appends that certainly left no trace, so that a caller whose time
// is up may say so.
func (l *lane) known(batch []*pending) []*pending {
	for _, p := range batch {
		if !p.lost {
			p.state.CompareAndSwap(sent, waiting)
		}
	}
	return batch
}

func splitLost(batch []*pending) (lost, others []*pending) {
	for _, p := range batch {
		if p.lost {
			lost = append(lost, p)
		} else {
			others = append(others, p)
		}
	}
	return lost, others
}

// outcome of a transaction: err is nil after a confirmed COMMIT. After a refusal by the server
// nothing was written; when the connection broke nobody knows.
type outcome struct {
	err     error
	refused *pgconn.PgError
}

// SQLSTATEs that the outcome of a batch turns on.
const (
	codeHeadMoved       = "KG001"
	codeLockTimeout     = "55P03"
	codeUniqueViolation = "23505"
)

// lasting is the error when its cause may last beyond the next try.
func (o outcome) lasting() error {
	switch {
	case o.err == nil, o.headMoved(), o.headHeld(), o.offended():
		return nil
	default:
		return o.err
	}
}

func (o outcome) headMoved() bool { return o.refused != nil && o.refused.Code == codeHeadMoved }

func (o outcome) headHeld() bool { return o.refused != nil && o.refused.Code == codeLockTimeout }

// offended tells whether one append's content made the server refuse all: a data exception, a
// constraint, or a statement it does not accept.
func (o outcome) offended() bool {
	if o.refused == nil {
		return false
	}
	class := o.refused.Code[:2]
	return class == "22" || class == "23" || class == "42" || class == "54"
}

func (o outcome) lost() bool { return o.err != nil && o.refused == nil }

// settle answers the batch's callers after a transaction and returns who has to be tried again.
func (l *lane) settle(ctx context.Context, b *batch, o outcome) []*pending {
	if o.err == nil {
		l.confirm(b, 0)
		return nil
	}
	all := b.everybody()
	l.beliefs.forget(all)
	switch {
	case o.lost():
		b.lose()
		return l.known(all)
	case o.headMoved():
		return l.contended(ctx, l.known(all), o.refused.Detail)
	case o.headHeld():
		return l.hold(ctx, l.known(all))
	case o.offended():
		return l.divide(ctx, l.known(all), o)
	default:
		return l.known(all)
	}
}

// lose notes that nobody knows what became of the batch.
func (b *batch) lose() {
	for _, p := range b.accepted {
		if !p.lost { // the first lost transaction believed the lowest head
			p.lost, p.base = true, b.believed[p.append.Organization].position
		}
	}
}

// everybody is who waits for the batch: its appends, the repetitions of their requests, and those
// refused because of them.
func (b *batch) everybody() []*pending {
	all := slices.Clone(b.accepted)
	for _, r := range b.repeats {
		all = append(all, r.append)
	}
	for _, r := range b.refused {
		all = append(all, r.append)
	}
	return all
}

// confirm tells of a committed batch, rings the bell and answers its callers, in this order: who
// was answered and reads next is not behind himself. So many appends are being written behind it.
func (l *lane) confirm(b *batch, behind int) {
	l.crowd.answered(len(b.accepted)+len(b.repeats)+len(b.refused), len(l.queue),
		behind+len(l.early))
	receipts := l.store.tell(b.accepted)
	for organization, position := range b.reached {
		l.store.bell.Ring(organization, position)
	}
	for i, p := range b.accepted {
		p.answer(receipts[i], nil)
	}
	for _, r := range b.repeats {
		receipt := r.of.receipt()
		idem := r.of.append.Idempotency
		r.append.answer(Receipt{
			Organization: receipt.Organization, Position: receipt.Position, Replayed: true,
			Status: idem.Status, Resource: idem.Resource,
		}, nil)
	}
	for _, r := range b.refused {
		r.append.answer(Receipt{}, r.err)
	}
}

// tell tells of appends that are recorded, and makes their receipts.
func (s *Store) tell(recorded []*pending) []Receipt {
	receipts := make([]Receipt, len(recorded))
	for i, p := range recorded {
		receipts[i] = p.receipt()
		if s.told != nil {
			s.told(receipts[i])
		}
	}
	return receipts
}

func (p *pending) receipt() Receipt {
	first, last := &p.rows[0], &p.rows[len(p.rows)-1]
	receipt := Receipt{
		Organization: p.append.Organization, First: first.Position, Position: last.Position,
		RecordedAt: last.RecordedAt, Recorded: p.rows,
	}
	for _, in := range p.append.Streams {
		receipt.Versions = append(receipt.Versions, StreamVersion{
			Stream: in.Stream, Version: in.Expected + int64(len(in.Events)),
		})
	}
	return receipt
}

// contended gives the appends of the organization whose head moved a transaction of their own,
// under its lock, so that this server does not starve; the others are tried again as they are.
func (l *lane) contended(ctx context.Context, all []*pending, moved string) []*pending {
	organization, err := uuid.Parse(moved)
	if err != nil {
		return all
	}
	var theirs, others []*pending
	for _, p := range all {
		if p.append.Organization == organization {
			theirs = append(theirs, p)
		} else {
			others = append(others, p)
		}
	}
	unsettled, err := l.tryLocked(ctx, theirs)
	if err != nil {
		l.store.logger.Warn("an append batch under the head's lock did not commit", "error", err)
	}
	return append(unsettled, others...)
}

// divide finds the offender of a refused batch by halves; alone, it gets the refusal.
func (l *lane) divide(ctx context.Context, all []*pending, o outcome) []*pending {
	if len(all) == 1 {
		all[0].answer(Receipt{}, all[0].offence(o.refused))
		return nil
	}
	var again []*pending
	for _, half := range [][]*pending{all[:len(all)/2], all[len(all)/2:]} {
		for _, p := range half {
			p.fresh = true
		}
		unsettled, err := l.try(ctx, half)
		if err != nil {
			l.beliefs.forget(half)
			l.store.logger.Warn("a half of a refused batch did not commit", "error", err)
		}
		again = append(again, unsettled...)
	}
	return again
}

// offence puts the server's refusal of one append into the store's words.
func (p *pending) offence(refused *pgconn.PgError) error {
	if refused.Code == codeUniqueViolation {
		switch {
		case strings.HasPrefix(refused.ConstraintName, "events_stream"):
			in := p.append.Streams[0]
			return &ConflictError{Stream: in.Stream, Expected: in.Expected, Actual: -1}
		case strings.HasPrefix(refused.ConstraintName, "claims"):
			return &ClaimError{Kind: p.take[0].kind}
		case strings.HasPrefix(refused.ConstraintName, "keys"):
			return fmt.Errorf("append: a new subject has a key already: %w", ErrConflict)
		}
	}
	return fmt.Errorf("append: the database refused it: SQLSTATE %s", refused.Code)
}

// serverSaid tells whether err is a statement's error that the server answered with, which rolls
// back for certain. A session that the server ends is not an answer.
func serverSaid(err error) bool {
	var refused *pgconn.PgError
	return errors.As(err, &refused) && refused.Severity == "ERROR" &&
		!strings.HasPrefix(refused.Code, "57P")
}

// asOutcome sorts the error of a transaction whose COMMIT may have been sent.
func asOutcome(err error) outcome {
	var refused *pgconn.PgError
	if err != nil && serverSaid(err) && errors.As(err, &refused) {
		return outcome{err: err, refused: refused}
	}
	return outcome{err: err}
}

// queries are the batch's transaction, begin and commit included: several statements that travel
// together are one transaction only where they say so. One alone is one by itself.
func (b *batch) queries(l *lane) *pgx.Batch {
	writes := new(pgx.Batch)
	if b.queue(l, writes); writes.Len() == 1 {
		return writes
	}
	whole := new(pgx.Batch)
	whole.Queue("begin")
	whole.QueuedQueries = append(whole.QueuedQueries, writes.QueuedQueries...)
	whole.Queue("commit")
	return whole
}
