package api

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/google/uuid"

	"github.com/koprogo/koprogo/queries"
)

// Fence is how reads are kept from showing less than what was answered before. Where the process
// keeps no read models its zero value asks nothing.
type Fence struct {
	// Answered notes a position that a client of the organization was told.
	Answered func(organization uuid.UUID, position int64)
	// Newest is the newest position that was noted.
	Newest func(organization uuid.UUID) int64
	// Reached tells, without waiting, whether every read model shows the position.
	Reached func(organization uuid.UUID, position int64) bool
	// Wait returns when every read model shows the position, and an error when ctx ends first. A
	// read model that has stopped is not waited for.
	Wait func(ctx context.Context, organization uuid.UUID, position int64) error
}

// leastWait is how long a read waits for Koprogo-Min-Position.
const leastWait = 2 * time.Second

const (
	positionHeader = "Koprogo-Position"
	leastHeader    = "Koprogo-Min-Position"
	staleHeader    = "Koprogo-Stale"
	replayedHeader = "Idempotency-Replayed"
)

func (f Fence) answered(organization uuid.UUID, position int64) {
	if f.Answered != nil && position > 0 {
		f.Answered(organization, position)
	}
}

// shows tells whether an answer in memory is as new as what was answered before, and as least.
func (f Fence) shows(organization uuid.UUID, least int64) bool {
	if f.Newest == nil || f.Reached == nil {
		return least == 0
	}
	return f.Reached(organization, max(least, f.Newest(organization)))
}

// waitFor waits for the position that the client asks for.
func (f Fence) waitFor(ctx context.Context, organization uuid.UUID, least int64) error {
	if least == 0 || f.Wait == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, leastWait)
	defer cancel()
	err := f.Wait(ctx, organization, least)
	if err != nil && ctx.Err() != nil {
		return &Problem{Code: CodePositionNotReached, RetryAfter: leastWait}
	}
	return err
}

// leastPosition reads Koprogo-Min-Position; 0 when there is none.
func leastPosition(header http.Header) (int64, error) {
	text := header.Get(leastHeader)
	if text == "" || text == "0" {
		return 0, nil
	}
	return parsePosition(leastHeader, text)
}

// isBehind tells a read model that did not get there in time.
func isBehind(err error) bool { return errors.Is(err, queries.ErrBehind) }
