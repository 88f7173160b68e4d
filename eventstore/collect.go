package eventstore

import (
	"runtime"
	"time"
)

// crowd is who is about to append, judged by the last batch: those who were answered and those
// who waited behind them. Writers that append one event after the other come back together; a
// batch that leaves without the last of them makes them wait for two commits in the place of one.
type crowd struct {
	expected int  // who is about to come
	total    int  // with those whose appends are being written or were collected
	reads    bool // the last batch had to read before it was decided
	patience time.Duration
}

// Waiting for the crowd takes at most an eighth of the time that a commit takes. A writer that is
// alone is never waited for: he is all that is expected.
const (
	patiencePart = 8
	mostPatience = time.Millisecond
)

func (c *crowd) answered(answered, waiting, written int) {
	c.expected = answered + waiting
	c.total = c.expected + written
}

// large tells whether the crowd leaves in two halves, the one decided while the other is written.
// Those who have to be read for cannot be decided then, and leave together.
func (c *crowd) large(from int) bool { return c.total >= from && !c.reads }

// most is how many leave at once.
func (c *crowd) most(from int) int {
	if c.large(from) {
		return min((c.total+1)/2, maxAppendsPerBatch)
	}
	return maxAppendsPerBatch
}

func (c *crowd) committed(took time.Duration) {
	c.patience = min(took/patiencePart, mostPatience)
}

// collect adds what waits to a batch. Callers that were just answered come back within
// microseconds: giving way to them a few times mostly gathers them, and without a timer.
func (l *lane) collect(batch []*pending) []*pending {
	size, idle := 0, 0
	for _, p := range batch {
		size += p.size()
	}
	var enough <-chan time.Time
	most := l.crowd.most(l.aheadFrom)
	for len(batch) < most && size < maxBytesPerBatch {
		var next *pending
		select {
		case next = <-l.queue:
		default:
			if idle++; idle < 3 {
				runtime.Gosched()
				continue
			}
			if len(batch) >= l.crowd.expected {
				return batch
			}
			if enough == nil {
				enough = time.After(l.crowd.patience)
			}
			select {
			case next = <-l.queue:
			case <-enough:
				return batch
			case <-l.quit:
				return batch
			}
		}
		batch, size, idle = append(batch, next), size+next.size(), 0
	}
	return batch
}
