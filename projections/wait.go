package projections

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/google/uuid"
)

// recheck is how often somebody who waits looks at the checkpoints where nothing moves: another
// server may be the one that moves them, and its notice may be lost.
const recheck = 50 * time.Millisecond

// Wait returns when the projections show the organization at position, at once when they do. It
// returns a StoppedError when the others do and one has stopped before, and ErrBehind when ctx
// ends first.
func (f *Follower) Wait(
	ctx context.Context, organization uuid.UUID, projections []string, position int64,
) error {
	for {
		there, stopped, known := f.progress.reached(organization, projections, position)
		if known && there {
			if stopped != nil {
				return stopped
			}
			return nil
		}
		if err := f.await(ctx, organization, projections, position, known); err != nil {
			return err
		}
	}
}

// Reached tells, without waiting, whether the projections show the organization at position. One
// that has stopped is not waited for: stale is then its position, else 0.
func (f *Follower) Reached(
	organization uuid.UUID, projections []string, position int64,
) (there bool, stale *StoppedError) {
	there, stale, known := f.progress.reached(organization, projections, position)
	return there && known, stale
}

// await lets some time pass, or a move, and looks at the checkpoints.
func (f *Follower) await(
	ctx context.Context, organization uuid.UUID, projections []string, position int64, rest bool,
) error {
	moved := f.progress.moved(organization)
	if there, _, known := f.progress.reached(organization, projections, position); known && there {
		return nil
	}
	f.Wake(organization, position)
	if rest {
		timer := time.NewTimer(recheck)
		defer timer.Stop()
		select {
		case <-moved:
			return nil
		case <-timer.C:
		case <-ctx.Done():
			return fmt.Errorf("%w: %w", ErrBehind, ctx.Err())
		}
	}
	if err := f.learnTogether(ctx, organization); err != nil {
		if ctx.Err() != nil {
			return fmt.Errorf("%w: %w", ErrBehind, ctx.Err())
		}
		return err
	}
	return nil
}

// learnTogether is learn for many who wait for one organization: one asks for all of them.
func (f *Follower) learnTogether(ctx context.Context, organization uuid.UUID) error {
	key := organization.String()
	asked := f.learning.DoChan(key, func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		return nil, f.learn(ctx, organization)
	})
	select {
	case answer := <-asked:
		return answer.Err
	case <-ctx.Done():
		return ctx.Err()
	}
}

const learnSQL = `select projection, position from read.checkpoints
 where organization_id = $1 and projection = any($2)`

// learn reads the organization's checkpoints. Where another server moved one, this server's
// subscribers are told that anything may be another; a transaction of this server's own has been
// told of before it looks.
func (f *Follower) learn(ctx context.Context, organization uuid.UUID) error {
	f.telling.Lock()
	defer f.telling.Unlock()
	rows, err := f.pool.Query(ctx, learnSQL, organization, f.names)
	if err != nil {
		return fmt.Errorf("read checkpoints: %w", err)
	}
	at, err := scanCheckpoints(rows)
	if err != nil {
		return err
	}
	for _, name := range f.names {
		if _, ok := at[name]; !ok {
			at[name] = 0
		}
	}
	f.foundAt(organization, at)
	return nil
}

// foundAt notes checkpoints as the database has them.
func (f *Follower) foundAt(organization uuid.UUID, at map[string]int64) {
	ahead := Notice{Organization: organization, Moves: map[string]Move{}, Everything: true}
	for name, position := range at {
		before, ever := f.progress.last(organization, name)
		if ever && before >= position {
			f.progress.move(organization, map[string]int64{name: position}) // known, if doubted
			continue
		}
		ahead.Moves[name] = Move{From: before, To: position}
	}
	if len(ahead.Moves) > 0 {
		f.tell(ahead)
	}
}

// tell hands a notice to this process's subscribers and then, when they have dropped what they
// remembered, lets those go on who wait.
func (f *Follower) tell(n Notice) {
	f.mu.Lock()
	subscribers := slices.Collect(maps.Values(f.subscribers))
	f.mu.Unlock()
	for _, subscriber := range subscribers {
		subscriber(n)
	}
	to := make(map[string]int64, len(n.Moves))
	for name, move := range n.Moves {
		to[name] = move.To
	}
	f.progress.move(n.Organization, to)
}

// Subscribe calls fn with each notice before anybody sees the rows it speaks of as reached. fn is
// quick and calls nothing of the follower. The returned function ends it.
func (f *Follower) Subscribe(fn func(Notice)) (cancel func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	id := f.nextSubscriber
	f.nextSubscriber++
	f.subscribers[id] = fn
	return func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		delete(f.subscribers, id)
	}
}

// Heard takes a notice that another server announced. Where one before it was lost, anything may
// have changed.
func (f *Follower) Heard(n Notice) {
	for name, move := range n.Moves {
		before, known := f.progress.position(n.Organization, name)
		if !known || before < move.From {
			n.Everything = true
		}
	}
	f.tell(n)
}

// Doubt makes the follower look at every checkpoint again: PostgreSQL may have restarted, and
// checkpoints and rows may have gone back. What was remembered of the rows stays right: the log
// did not go back, and applied again it gives the same.
func (f *Follower) Doubt() { f.progress.doubt() }

// Deaf tells subscribers to drop everything of every organization: other servers' notices may
// have been lost.
func (f *Follower) Deaf() { f.tell(Notice{Everything: true}) }
