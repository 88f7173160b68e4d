package queries

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/koprogo/koprogo/projections"
)

// fenceWait bounds how long a read waits for its read models.
const fenceWait = 2 * time.Second

// fence knows, for each organization, the newest position that a client was answered: no read
// shows less.
type fence struct {
	mu       sync.RWMutex
	answered map[uuid.UUID]int64
}

// Answered notes that a client of the organization was answered position.
func (r *Reader) Answered(organization uuid.UUID, position int64) {
	r.fence.mu.Lock()
	defer r.fence.mu.Unlock()
	if r.fence.answered[organization] < position {
		r.fence.answered[organization] = position
	}
}

// Newest is the newest position answered to a client of the organization; 0 for none.
func (r *Reader) Newest(organization uuid.UUID) int64 {
	r.fence.mu.RLock()
	defer r.fence.mu.RUnlock()
	return r.fence.answered[organization]
}

// Reached tells, without waiting, whether every read model shows the position or has stopped.
func (r *Reader) Reached(organization uuid.UUID, position int64) bool {
	if r.follower == nil || position == 0 {
		return true
	}
	there, _ := r.follower.Reached(organization, r.follower.Names(), position)
	return there
}

// Wait returns when every read model shows the position or has stopped, and ErrBehind when ctx
// ends first.
func (r *Reader) Wait(ctx context.Context, organization uuid.UUID, position int64) error {
	if r.follower == nil || position == 0 {
		return nil
	}
	_, err := r.wait(ctx, organization, r.follower.Names(), position)
	return err
}

func (r *Reader) wait(
	ctx context.Context, organization uuid.UUID, models []string, position int64,
) (stale int64, err error) {
	err = r.follower.Wait(ctx, organization, models, position)
	var stopped *projections.StoppedError
	if errors.As(err, &stopped) {
		return max(stopped.Position, 1), nil
	}
	if err != nil {
		return 0, fmt.Errorf("wait for the read models: %w", err)
	}
	return 0, nil
}

// await waits, fenceWait at most, until the models show what was answered when the read began.
// It returns the position of one that has stopped before, else 0.
func (r *Reader) await(ctx context.Context, span Span, models []string) (stale int64, err error) {
	if r.follower == nil || len(models) == 0 {
		return 0, nil
	}
	positions := map[uuid.UUID]int64{}
	if span.Every {
		r.fence.mu.RLock()
		positions = maps.Clone(r.fence.answered)
		r.fence.mu.RUnlock()
	} else if position := r.Newest(span.Organization); position > 0 {
		if there, stopped := r.follower.Reached(span.Organization, models, position); there {
			if stopped != nil {
				return max(stopped.Position, 1), nil
			}
			return 0, nil
		}
		positions[span.Organization] = position
	}
	ctx, cancel := context.WithTimeout(ctx, fenceWait)
	defer cancel()
	for organization, position := range positions {
		stood, err := r.wait(ctx, organization, models, position)
		if err != nil {
			return 0, err
		}
		if stood > 0 && (stale == 0 || stood < stale) {
			stale = stood
		}
	}
	return stale, nil
}
