package eventstore

import (
	"runtime"
	"time"
)

// crowd is who is about to append, judged by the last batch: those who were answered and those
// who waited behind them. Writers that append one event after the other come back together; a
// batch that leaves without the last of them makes them wait for two commits in the place of one.
type crowd struct {
	expected int
	patience time.Duration
}

// Waiting for the crowd takes at most an eighth of the time that a commit takes. A writer that is
// alone is never waited for: he is all that is expected.
const (
	patiencePart = 8
	mostPatience = time.Millisecond
)

func (c *crowd) answered(answered, waiting int) { c.expected = answered + waiting }

func (c *crowd) committed(took time.Duration) {
	c.patience = min(took/patiencePart, mostPatience)
}

// collect takes what waits. Callers that were just answered come back within microseconds: giving
// way to them a few times mostly gathers them, and without a timer.
func (l *lane) collect(first *pending) []*pending {
	batch, size, idle := []*pending{first}, first.size(), 0
	var enough <-chan time.Time
	for len(batch) < maxAppendsPerBatch && size < maxBytesPerBatch {
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
