package eventstore

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

// How often a sign-in may fail before it is refused unseen.
const (
	maxFailures    = 5
	attemptsWindow = 15 * time.Minute
)

// TooManyFailuresError says when the next attempt is looked at.
type TooManyFailuresError struct{ RetryAfter time.Duration }

func (e *TooManyFailuresError) Error() string { return "too many failed attempts" }

// Attempt is a try at signing in that is under way. Failed or Passed ends it.
type Attempt struct {
	credentials *Credentials
	who         []string
	ended       bool
}

// Attempt begins a try at something that may fail five times in fifteen minutes for each of the
// names given, such as an account's and an address's. Tries under way count as failures until they
// end, so that a burst gets no more than its share; one that they keep out waits for them. It
// returns TooManyFailuresError. What is stored of a name is a keyed hash.
func (c *Credentials) Attempt(ctx context.Context, names ...string) (*Attempt, error) {
	who := make([]string, len(names))
	for i, name := range names {
		var err error
		if who[i], err = c.keyed(ctx, "attempt", name); err != nil {
			return nil, fmt.Errorf("begin an attempt: %w", err)
		}
	}
	slices.Sort(who)
	who = slices.Compact(who)
	for {
		ended := c.failures.anyEnded()
		failed, err := c.countFailures(ctx, who)
		if err != nil {
			return nil, fmt.Errorf("begin an attempt: %w", err)
		}
		if c.failures.begin(who, failed, ended) {
			return &Attempt{credentials: c, who: who}, nil
		}
		select {
		case <-ended:
		case <-ctx.Done():
			return nil, fmt.Errorf("begin an attempt: %w", ctx.Err())
		}
	}
}

const failuresSQL = `select who, at from log.attempts
 where organization_id = $1 and who = any($2) and at > $3 order by at`

// failure is a row of log.attempts.
type failure struct {
	Who []byte
	At  time.Time
}

// countFailures tells how often each failed lately, or TooManyFailuresError.
func (c *Credentials) countFailures(ctx context.Context, who []string) (map[string]int, error) {
	now := c.clock()
	keys := make([][]byte, len(who))
	for i := range who {
		keys[i] = []byte(who[i])
	}
	rows, err := c.pool.Query(ctx, failuresSQL, Platform, keys, now.Add(-attemptsWindow))
	if err != nil {
		return nil, unavailable(err)
	}
	failures, err := pgx.CollectRows(rows, pgx.RowToStructByPos[failure])
	if err != nil {
		return nil, unavailable(err)
	}
	times := map[string][]time.Time{}
	for _, f := range failures {
		times[string(f.Who)] = append(times[string(f.Who)], f.At)
	}
	failed := make(map[string]int, len(times))
	wait := time.Duration(0)
	for name, list := range times {
		failed[name] = len(list)
		if n := len(list); n >= maxFailures {
			// The window moves past the oldest of the last five.
			wait = max(wait, list[n-maxFailures].Add(attemptsWindow).Sub(now))
		}
	}
	if wait > 0 {
		return nil, &TooManyFailuresError{RetryAfter: wait}
	}
	return failed, nil
}

const failSQL = `insert into log.attempts (organization_id, who, at)
select $1, who, $3 from unnest($2::bytea[]) as who`

// Failed records the failure.
func (a *Attempt) Failed(ctx context.Context) error {
	if a.ended {
		return errors.New("record a failed attempt: it has ended")
	}
	defer a.Passed()
	keys := make([][]byte, len(a.who))
	for i := range a.who {
		keys[i] = []byte(a.who[i])
	}
	_, err := a.credentials.pool.Exec(context.WithoutCancel(ctx), failSQL,
		Platform, keys, a.credentials.clock())
	if err != nil {
		return fmt.Errorf("record a failed attempt: %w", unavailable(err))
	}
	return nil
}

// Passed ends the attempt without a trace; after Failed it does nothing.
func (a *Attempt) Passed() {
	if !a.ended {
		a.ended = true
		a.credentials.failures.end(a.who)
	}
}

// trying counts the attempts under way in this process.
type trying struct {
	mu    sync.Mutex
	count map[string]int
	ended chan struct{} // closed, and made anew, when an attempt ends
}

func newTrying() *trying {
	return &trying{count: map[string]int{}, ended: make(chan struct{})}
}

func (t *trying) anyEnded() chan struct{} {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.ended
}

// begin enters an attempt unless it has to wait: failed was counted when asOf was the channel of
// the next end, so after an end it says too little.
func (t *trying) begin(who []string, failed map[string]int, asOf chan struct{}) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.ended != asOf {
		return false
	}
	for _, name := range who {
		if failed[name]+t.count[name] >= maxFailures {
			return false
		}
	}
	for _, name := range who {
		t.count[name]++
	}
	return true
}

func (t *trying) end(who []string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, name := range who {
		if t.count[name]--; t.count[name] <= 0 {
			delete(t.count, name)
		}
	}
	close(t.ended)
	t.ended = make(chan struct{})
}
