package api

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/koprogo/koprogo/eventstore"
)

// completeFor is how long the end of a request that has appended is waited for.
const completeFor = 5 * time.Second

// several is a request of several appends in more than one log, under the call's idempotency key.
type several struct {
	// begin refuses what is wrong before anything is kept, and returns what a repetition has to
	// know beside the body: an id that was made, or that of what is to be replaced.
	begin func(ctx context.Context) (note uuid.UUID, err error)
	// do appends. Whatever it finds done already it leaves; resumed is set where some of it may be.
	do func(ctx context.Context, note uuid.UUID, resumed bool) ([]eventstore.Receipt, error)
	// resource is whose id the answer shows.
	resource func(note uuid.UUID) uuid.UUID
}

// run reserves the key before the first append and completes it after the last. The repetition of
// a request that was cut short goes on with it before it is answered; another body under its key is
// idempotency_key_reused; a refused request leaves no key. The first receipt of a request that was
// answered before is Replayed.
func (s several) run(ctx context.Context, c *Call) ([]eventstore.Receipt, error) {
	key := c.Asking(uuid.Nil).Idempotency
	if key == nil {
		note, err := s.begin(ctx)
		if err != nil {
			return nil, err
		}
		return s.do(ctx, note, false)
	}
	kept, err := c.Store.Reserved(ctx, eventstore.Platform, *key)
	if err != nil {
		return nil, err
	}
	if !kept.Begun && !kept.Done {
		note, err := s.begin(ctx)
		if err != nil {
			return nil, err
		}
		key.Resource = c.route.Noun + "/" + note.String()
		if kept, err = c.Store.Reserve(ctx, eventstore.Platform, *key); err != nil {
			return nil, err
		}
	}
	if kept.Done {
		return []eventstore.Receipt{kept.Receipt}, nil
	}
	note, err := resourceID(kept.Receipt.Resource)
	if err != nil {
		return nil, err
	}
	done, err := s.do(ctx, note, kept.Begun)
	key.Resource = c.route.Noun + "/" + s.resource(note).String()
	return done, c.end(ctx, *key, done, err)
}

// end completes the key, or releases that of a refused request. After any other failure the key
// stays reserved: the request may have appended, and only its repetition goes on.
func (c *Call) end(
	ctx context.Context, key eventstore.Idempotency, done []eventstore.Receipt, err error,
) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), completeFor)
	defer cancel()
	if err == nil {
		last := eventstore.Receipt{RecordedAt: c.Now}
		for _, receipt := range done {
			if receipt.Organization == eventstore.Platform {
				last.Position = max(last.Position, receipt.Position)
			}
		}
		latest := slices.MaxFunc(append(done, last), func(a, b eventstore.Receipt) int {
			return a.RecordedAt.Compare(b.RecordedAt)
		})
		last.RecordedAt = latest.RecordedAt
		return c.Store.Complete(ctx, eventstore.Platform, key, last)
	}
	if mapped(err, c.route).Status() < http.StatusInternalServerError {
		return errors.Join(err, c.Store.Release(ctx, eventstore.Platform, key))
	}
	return err
}
