package commands

import (
	"context"

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
// first request.
func (a *App) replay(ctx context.Context, caller Caller) (eventstore.Receipt, bool, error) {
	if caller.Idempotency == nil {
		return eventstore.Receipt{}, false, nil
	}
	return a.store.Repeated(ctx, caller.Organization, *caller.Idempotency)
}
