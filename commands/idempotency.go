package commands

import (
	"context"
	"errors"
	"math"

	"github.com/koprogo/koprogo/events"
	"github.com/koprogo/koprogo/eventstore"
)

// settle ends a request that appends nothing: the repetition of one that was answered gets that
// answer, whatever the rules say now (a building that was removed is not found a second time).
func settle[S State[S]](
	r *Reader, caller Caller, outcome Outcome[S], refusal error,
) (Outcome[S], error) {
	receipt, known, err := r.app.replay(r.ctx, caller)
	switch {
	case err != nil:
		return outcome, err
	case known:
		outcome.Receipt = receipt
		return outcome, nil
	case refusal != nil:
		return outcome, refusal
	}
	head, err := r.app.store.Head(r.ctx, r.organization)
	outcome.Receipt = eventstore.Receipt{
		Organization: r.organization, Position: head.Position, RecordedAt: head.RecordedAt,
	}
	return outcome, err
}

// replay asks whether the caller's idempotency key was used before: its receipt is that of the
// first request. The log looks at the key before anything else, so the question is an append that
// cannot stand, on a version that no stream reaches.
func (a *App) replay(ctx context.Context, caller Caller) (eventstore.Receipt, bool, error) {
	if caller.Idempotency == nil {
		return eventstore.Receipt{}, false, nil
	}
	receipt, err := a.store.Append(ctx, eventstore.Append{
		Organization: caller.Organization, Idempotency: caller.Idempotency,
		Streams: []eventstore.StreamAppend{{
			Stream:   OrganizationStream(caller.Organization),
			Expected: math.MaxInt64 - 1,
			Events:   []events.Event{events.OrganizationReinstated{}},
		}},
	})
	if errors.Is(err, eventstore.ErrConflict) {
		return eventstore.Receipt{}, false, nil
	}
	return receipt, err == nil && receipt.Replayed, err
}
