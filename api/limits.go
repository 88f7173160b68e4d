package api

import (
	"context"
	"net/http"
	"time"

	"github.com/go-chi/httprate"
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
