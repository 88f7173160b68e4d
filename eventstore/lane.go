package eventstore

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
)

// What one batch holds at most; what waits beyond it goes into the next.
const (
	maxAppendsPerBatch = 512
	maxBytesPerBatch   = 8 << 20
	appendDeadline     = 5 * time.Second // for a caller that names none
	tryDeadline        = 5 * time.Second // for one try: a connection may have gone silent
)

// Append records a. It returns when COMMIT is confirmed, or with
//   - ConflictError: a stream is not at its expected version, or one only read has moved;
//   - ClaimError: somebody else holds a claim, or no numbered place is free;
//   - ErrKeyReused: the idempotency key belongs to another request;
//   - ErrErased: a subject's key was destroyed;
//   - ErrUnavailable: nothing was recorded, the database could not be reached in time;
//   - ErrOutcomeUnknown: the context ended, or the connection broke, while COMMIT was under way.
func (s *Store) Append(ctx context.Context, a Append) (Receipt, error) {
	p, err := s.prepare(ctx, a)
	if err != nil {
		return Receipt{}, err
	}
	receipt, err := s.wait(ctx, p)
	if err == nil && !receipt.Replayed {
		p.made.keep()
	}
	return receipt, err
}

// wait hands the append to its organization's lane and waits for the answer.
func (s *Store) wait(ctx context.Context, p *pending) (Receipt, error) {
	lane := s.laneOf(p.append.Organization)
	deadline, bounded := ctx.Deadline()
	if bounded {
		p.deadline = deadline
		return lane.append(p, nil)
	}
	p.deadline = time.Now().Add(appendDeadline)
	timer, _ := timers.Get().(*time.Timer)
	timer.Reset(appendDeadline)
	defer timers.Put(timer)
	defer timer.Stop()
	return lane.append(p, timer.C)
}

// timers are stopped. A context with a deadline for each append costs a tenth of it.
var timers = sync.Pool{New: func() any {
	timer := time.NewTimer(time.Hour)
	timer.Stop()
	return timer
}}

// laneOf is the organization's lane: always the same, so that one goroutine decides on its log.
func (s *Store) laneOf(organization uuid.UUID) *lane {
	return s.lanes[organization[len(organization)-1]%laneCount]
}

// laneCount is how many organizations' batches may be under way at once, one in each lane.
const laneCount = 2

// lane is the group commit: one goroutine collects the appends that wait and commits them as one
// transaction.
type lane struct {
	store   *Store
	queue   chan *pending
	quit    chan struct{}
	running sync.WaitGroup
	beliefs *beliefs
	crowd   crowd
	out     []byte // the pipe's

	aheadFrom int          // how many writers are a large crowd
	foreseen  atomic.Int64 // appends that were collected while a batch was written
	retrying  bool         // what is written now was refused or lost before

	early  []*pending // collected while a batch was written, but to be decided after it
	held   []*pending // whose organization's head somebody holds
	probed time.Time  // when the held heads were last looked at
}

func startLane(s *Store, aheadFrom int) *lane {
	l := &lane{
		store: s, queue: make(chan *pending, 4*maxAppendsPerBatch), quit: make(chan struct{}),
		beliefs: newBeliefs(), aheadFrom: aheadFrom,
	}
	l.running.Add(1)
	go l.run()
	return l
}

// stop lets the batch under way end and refuses what still waits.
func (l *lane) stop() {
	close(l.quit)
	l.running.Wait()
	for {
		select {
		case p := <-l.queue:
			p.answer(Receipt{}, ErrUnavailable)
		default:
			return
		}
	}
}

// append waits for the answer, until the caller's context ends or over delivers.
func (l *lane) append(p *pending, over <-chan time.Time) (Receipt, error) {
	select {
	case l.queue <- p:
	default:
		select {
		case l.queue <- p:
		case <-p.ctx.Done():
			return Receipt{}, p.unrecorded()
		case <-over:
			return Receipt{}, p.unrecorded()
		case <-l.quit:
			return Receipt{}, ErrUnavailable
		}
	}
	select {
	case r := <-p.done:
		return r.receipt, r.err
	case <-p.ctx.Done():
	case <-over:
	case <-l.quit:
		l.running.Wait()
	}
	if p.state.CompareAndSwap(waiting, abandoned) {
		return Receipt{}, p.unrecorded()
	}
	select {
	case r := <-p.done: // it was answered while the caller's time ended
		return r.receipt, r.err
	default:
		return Receipt{}, ErrOutcomeUnknown
	}
}

// unrecorded is the answer for a caller who left before anything was sent.
func (p *pending) unrecorded() error { return errors.Join(ErrUnavailable, p.ctx.Err()) }

func (p *pending) answer(receipt Receipt, err error) { p.done <- result{receipt, err} }

// late tells whether nobody waits for the append any more.
func (p *pending) late() bool { return p.ctx.Err() != nil || time.Now().After(p.deadline) }

func (l *lane) run() {
	defer l.running.Done()
	for {
		batch := l.early
		if l.early = nil; len(batch) == 0 {
			batch = l.await()
		}
		select {
		case <-l.quit:
			for _, p := range slices.Concat(batch, l.held) {
				p.answer(Receipt{}, p.gone())
			}
			return
		default:
		}
		if len(batch) > 0 {
			batch = l.collect(batch)
		}
		l.commit(l.released(batch))
	}
}

// await returns the next append; none when held heads are to be looked at, or the lane is to stop.
func (l *lane) await() []*pending {
	var look <-chan time.Time
	if len(l.held) > 0 {
		look = time.After(heldPause)
	}
	select {
	case p := <-l.queue:
		return []*pending{p}
	case <-look:
	case <-l.quit:
	}
	return nil
}

func (p *pending) size() int {
	n := 0
	for i := range p.rows {
		n += len(p.rows[i].Data) + len(p.rows[i].Metadata)
	}
	return n
}

// wanted are those of the batch that still have a caller. One whose time is up answers for himself.
func wanted(batch []*pending) []*pending {
	kept := batch[:0:0]
	for _, p := range batch {
		if !p.late() && p.state.Load() != abandoned {
			kept = append(kept, p)
		}
	}
	return kept
}

// send marks those that still have a caller as sent and returns them: from here on a caller who
// leaves cannot say that nothing was recorded.
func send(batch []*pending) []*pending {
	kept := batch[:0:0]
	for _, p := range wanted(batch) {
		if p.state.CompareAndSwap(waiting, sent) || p.state.Load() == sent {
			kept = append(kept, p)
		}
	}
	return kept
}

// until is the latest deadline of the batch: as long as one caller waits, trying is worth it.
func until(batch []*pending) time.Time {
	var latest time.Time
	for _, p := range batch {
		if p.deadline.After(latest) {
			latest = p.deadline
		}
	}
	return latest
}

// workDeadline is until when the database has to answer the batch. It ends before a very patient
// caller's, so that a connection gone silent does not hold everybody up.
func workDeadline(batch []*pending) time.Time {
	deadline := until(batch).Add(250 * time.Millisecond)
	if latest := time.Now().Add(tryDeadline); deadline.After(latest) {
		deadline = latest
	}
	return deadline
}

// workContext outlives the callers' contexts: a cancelled one would make pgx cut the connection
// under everybody else's appends.
func workContext(batch []*pending) (context.Context, context.CancelFunc) {
	return context.WithDeadline(context.Background(), workDeadline(batch))
}
