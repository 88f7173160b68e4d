package commands

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"github.com/koprogo/koprogo/events"
	"github.com/koprogo/koprogo/eventstore"
)

// State is folded from a stream. Evolve is pure, checks nothing and changes no copy of the state;
// the zero value stands for a stream without events.
type State[S any] interface{ Evolve(events.Event) S }

// Reader loads the states that a decision is made on, and notes at which version: the append
// names them, and is refused when one of them moved meanwhile.
type Reader struct {
	ctx          context.Context //nolint:containedctx // it lives as long as one decision
	app          *App
	organization uuid.UUID
	least        map[events.Stream]int64 // versions known to be passed; older copies are stale
	made         uuid.UUID               // the id of a stream that cannot exist yet
	fresh        bool                    // look at the log even where a copy is warm
	loaded       []*loaded
}

// loaded is a stream's state as the decision sees it.
type loaded struct {
	folded
	stream events.Stream
	evolve func(state any, event events.Event) any
	warm   bool // taken from memory without a look at the log
}

// Load folds a stream of the decision's organization.
func Load[S State[S]](r *Reader, stream events.Stream) (S, error) {
	in, err := load[S](r, stream)
	if err != nil {
		var none S
		return none, err
	}
	return in.state.(S), nil //nolint:forcetypeassert // load made it
}

func load[S State[S]](r *Reader, stream events.Stream) (*loaded, error) {
	if in := r.find(stream); in != nil {
		return in, nil
	}
	at := place{r.organization, stream}
	in := &loaded{stream: stream, evolve: func(state any, event events.Event) any {
		return state.(S).Evolve(event) //nolint:forcetypeassert // state began as an S
	}}
	if r.made != uuid.Nil && stream.ID == r.made && r.least[stream] == 0 {
		var none S
		in.state = none
		r.loaded = append(r.loaded, in)
		return in, nil
	}
	kept, found := r.app.warm.get(at)
	state, isS := kept.state.(S)
	switch {
	case found && isS && !r.fresh && kept.version >= r.least[stream]:
		in.folded, in.warm = kept, true
		r.loaded = append(r.loaded, in)
		return in, nil
	case found && isS:
		in.version = kept.version
	}
	err := r.app.store.Load(r.ctx, r.organization, stream, in.version,
		func(recorded eventstore.Recorded) error {
			state, in.version = state.Evolve(recorded.Event), recorded.Version
			return nil
		})
	if err != nil {
		return nil, fmt.Errorf("load %s: %w", stream, err)
	}
	in.state = state
	if in.version > 0 {
		r.app.warm.keep(at, in.folded)
	}
	r.loaded = append(r.loaded, in)
	return in, nil
}

func (r *Reader) find(stream events.Stream) *loaded {
	for _, in := range r.loaded {
		if in.stream == stream {
			return in
		}
	}
	return nil
}

// guessed tells whether the decision rests on a copy that may be stale.
func (r *Reader) guessed() bool {
	for _, in := range r.loaded {
		if in.warm {
			return true
		}
	}
	return false
}

// behind notes a conflict: the next decision looks at the log unless the copy in memory has caught
// up. A log that is behind the copy was restored, and the copy is worth nothing.
func (r *Reader) behind(conflict *eventstore.ConflictError) {
	if conflict.Actual < conflict.Expected {
		r.app.warm.drop(place{r.organization, conflict.Stream})
	}
	r.least[conflict.Stream] = conflict.Actual
}

// again empties the reader for another decision.
func (r *Reader) again() { r.loaded = nil }

// Open gives the clear text of a person's value; eventstore.ErrErased when it is gone.
func (r *Reader) Open(value events.Personal) (string, error) {
	clear, err := r.app.store.Keyring().Open(r.ctx, r.organization, value)
	if err != nil {
		return "", fmt.Errorf("open a personal text: %w", err)
	}
	return clear, nil
}

// OpenAll opens several values; an erased one gives "".
func (r *Reader) OpenAll(values ...events.Personal) ([]string, error) {
	texts, err := r.app.store.Keyring().OpenAll(r.ctx, r.organization, values)
	if err != nil {
		return nil, fmt.Errorf("open personal texts: %w", err)
	}
	return texts, nil
}

// Administrators names the accounts that were offered the platform's superadmin role at some
// time: candidates, to be loaded and looked at.
func (r *Reader) Administrators() ([]uuid.UUID, error) {
	return r.app.platform.administrators(r.ctx, r.app.store)
}
