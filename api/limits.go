package api

import (
	"context"
	"crypto/sha256"
	"net/http"
	"sync"
	"time"

	"github.com/go-chi/httprate"
	lru "github.com/hashicorp/golang-lru/v2"
)

// limiter bounds the requests of one token (of one address without a token) per second.
type limiter struct{ rate *httprate.RateLimiter }

// newLimiter allows perSecond requests; 0 switches the limit off.
func newLimiter(perSecond int) *limiter {
	if perSecond <= 0 {
		return nil
	}
	return &limiter{rate: httprate.NewRateLimiter(perSecond, time.Second)}
}

// allow counts a request and sets X-RateLimit-*. It returns the problem rate_limited when there
// were too many.
func (l *limiter) allow(w http.ResponseWriter, r *http.Request, key string) error {
	if l != nil && l.rate.OnLimit(w, r, key) {
		return refuse(CodeRateLimited)
	}
	return nil
}

// gate bounds how many requests work at once. What waits for a client (reading a body, writing an
// answer) is outside of it, so that slow clients keep nobody out.
type gate chan struct{}

// gateWait is how long a request waits for its turn.
const gateWait = 2 * time.Second

// enter returns what ends the turn, or the problem unavailable.
func (g gate) enter(ctx context.Context) (leave func(), err error) {
	leave = func() { <-g }
	select {
	case g <- struct{}{}:
		return leave, nil
	default:
	}
	timer := time.NewTimer(gateWait)
	defer timer.Stop()
	select {
	case g <- struct{}{}:
		return leave, nil
	case <-timer.C:
	case <-ctx.Done():
	}
	return nil, &Problem{Code: CodeUnavailable, RetryAfter: time.Second}
}

// Attempts bounds failures: of signing in, by account and by address. Names are kept as digests,
// in bounded memory.
type Attempts struct {
	mu     sync.Mutex
	most   int
	within time.Duration
	failed *lru.Cache[[sha256.Size]byte, []time.Time]
}

// maxAttempted bounds how many names are remembered.
const maxAttempted = 100_000

// NewAttempts allows most failures within a time, for each name.
func NewAttempts(most int, within time.Duration) *Attempts {
	failed, _ := lru.New[[sha256.Size]byte, []time.Time](maxAttempted) // the size is not negative
	return &Attempts{most: most, within: within, failed: failed}
}

// Allow returns the problem too_many_attempts when one of the names has failed too often.
func (a *Attempts) Allow(now time.Time, names ...string) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, name := range names {
		recent := a.recent(now, name)
		if len(recent) >= a.most {
			wait := recent[len(recent)-a.most].Add(a.within).Sub(now)
			return &Problem{Code: CodeTooManyAttempts, RetryAfter: wait}
		}
	}
	return nil
}

// Fail counts a failure of each name.
func (a *Attempts) Fail(now time.Time, names ...string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, name := range names {
		recent := append(a.recent(now, name), now)
		a.failed.Add(sha256.Sum256([]byte(name)), recent[max(0, len(recent)-a.most):])
	}
}

// Clear forgets the failures of a name that has succeeded.
func (a *Attempts) Clear(name string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.failed.Remove(sha256.Sum256([]byte(name)))
}

// recent are the failures that still count, oldest first.
func (a *Attempts) recent(now time.Time, name string) []time.Time {
	times, _ := a.failed.Get(sha256.Sum256([]byte(name)))
	for len(times) > 0 && !times[0].Add(a.within).After(now) {
		times = times[1:]
	}
	return times[:len(times):len(times)]
}
