package projections

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/google/uuid"
	"github.com/hashicorp/golang-lru/v2/simplelru"

	"github.com/koprogo/koprogo/events"
	"github.com/koprogo/koprogo/eventstore"
)

// Bounds of time travel in one server.
const (
	travelRows  = 200_000 // held in memory, over all moments
	travelAlike = 256     // moments held
	travelAtOne = 2       // moments made at once
)

// Scope is what is looked at: a building with all that belongs to it, or some streams.
type Scope struct {
	Building uuid.UUID
	Streams  []events.Stream
}

func (s Scope) key() string {
	names := make([]string, 0, len(s.Streams)+1)
	for _, stream := range s.Streams {
		names = append(names, stream.String())
	}
	slices.Sort(names)
	return strings.Join(append(names, s.Building.String()), " ")
}

// Travel shows read models as they were at an earlier position, by the same Apply on a private
// copy. Moments are kept, within bounds: what was recorded up to a position never changes.
type Travel struct {
	store       *eventstore.Store
	projections []Projection
	places      chan struct{}

	mu      sync.Mutex
	moments *simplelru.LRU[moment, *Copy]
	rows    int
}

type moment struct {
	organization uuid.UUID
	scope        string
	position     int64
}

// NewTravel makes a Travel over All.
func NewTravel(store *eventstore.Store) *Travel {
	t := &Travel{store: store, projections: All, places: make(chan struct{}, travelAtOne)}
	moments, err := simplelru.NewLRU(travelAlike, func(_ moment, c *Copy) { t.rows -= c.size() + 1 })
	if err != nil { // only for a size below one
		panic(err)
	}
	t.moments = moments
	return t
}

// At returns the rows of a scope as they were when the organization's log reached position. The
// copy is for reading. Rows that belong to no stream of the scope are not in it, and counters only
// count what is.
func (t *Travel) At(
	ctx context.Context, organization uuid.UUID, scope Scope, position int64,
) (*Copy, error) {
	at := moment{organization, scope.key(), position}
	if held, _ := t.held(at); held != nil {
		return held, nil
	}
	select {
	case t.places <- struct{}{}:
		defer func() { <-t.places }()
	case <-ctx.Done():
		return nil, fmt.Errorf("wait for time travel: %w", ctx.Err())
	}
	held, before := t.held(at)
	if held != nil {
		return held, nil
	}
	made, after := NewCopy(organization), int64(0)
	if before.copy != nil {
		made, after = before.copy.clone(), before.position
	}
	err := t.read(ctx, organization, scope, after, position, func(r *eventstore.Recorded) error {
		return t.apply(made, r)
	})
	if err != nil {
		return nil, fmt.Errorf("look at position %d: %w", position, err)
	}
	t.keep(at, made)
	return made, nil
}

// earlier is a kept moment to start from.
type earlier struct {
	copy     *Copy
	position int64
}

// held returns the kept moment, or the last one before it.
func (t *Travel) held(at moment) (*Copy, earlier) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if held, ok := t.moments.Get(at); ok {
		return held, earlier{}
	}
	var last earlier
	for _, other := range t.moments.Keys() {
		if other.organization == at.organization && other.scope == at.scope &&
			other.position < at.position && other.position >= last.position {
			last.position = other.position
			last.copy, _ = t.moments.Peek(other)
		}
	}
	return nil, last
}

func (t *Travel) keep(at moment, made *Copy) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if made.size() > travelRows/4 || t.moments.Contains(at) {
		return
	}
	t.rows += made.size() + 1
	t.moments.Add(at, made)
	for t.rows > travelRows {
		t.moments.RemoveOldest()
	}
}

func (t *Travel) apply(c *Copy, r *eventstore.Recorded) error {
	for i := range t.projections {
		if err := t.projections[i].apply(&Batch{copy: c}, r); err != nil {
			return err
		}
	}
	return nil
}

// errPast ends the reading of a stream.
var errPast = errors.New("past the moment")

// read calls fn with the scope's events after one position and up to another, in their order.
func (t *Travel) read(
	ctx context.Context, organization uuid.UUID, scope Scope, after, upTo int64,
	fn func(*eventstore.Recorded) error,
) error {
	if scope.Building != uuid.Nil {
		return t.store.ReplayBuilding(ctx, organization, scope.Building, after, upTo, fn)
	}
	var page []eventstore.Recorded
	for _, stream := range scope.Streams {
		err := t.store.Load(ctx, organization, stream, 0, func(r eventstore.Recorded) error {
			if r.Position > upTo {
				return errPast
			}
			if r.Position > after {
				page = append(page, r)
			}
			return nil
		})
		if err != nil && !errors.Is(err, errPast) {
			return err
		}
	}
	slices.SortFunc(page, func(a, b eventstore.Recorded) int { return int(a.Position - b.Position) })
	for i := range page {
		if err := fn(&page[i]); err != nil {
			return err
		}
	}
	return nil
}

// Changes tells what the events of a building at the positions given did to its rows, by position.
// It applies the events between the first and the last.
func (t *Travel) Changes(
	ctx context.Context, organization, building uuid.UUID, positions []int64,
) (map[int64][]Change, error) {
	if len(positions) == 0 {
		return nil, nil
	}
	scope := Scope{Building: building}
	first, last := slices.Min(positions), slices.Max(positions)
	before, err := t.At(ctx, organization, scope, first-1)
	if err != nil {
		return nil, err
	}
	tracked := before.clone()
	tracked.trackChanges()
	found := make(map[int64][]Change, len(positions))
	err = t.read(ctx, organization, scope, first-1, last, func(r *eventstore.Recorded) error {
		if err := t.apply(tracked, r); err != nil {
			return err
		}
		if !slices.Contains(positions, r.Position) {
			tracked.forgetChanges()
			return nil
		}
		changes, err := tracked.changes()
		found[r.Position] = changes
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("look at a building's changes: %w", err)
	}
	return found, nil
}

// Between tells how two copies of one scope differ, by table and id.
func Between(before, after *Copy) ([]Change, error) {
	tracked := after.clone()
	tracked.trackChanges()
	for name, shelf := range before.shelves {
		if _, has := tracked.shelves[name]; !has {
			tracked.shelves[name] = shelf.empty()
		}
	}
	for name, shelf := range tracked.shelves {
		shelf.compare(before.shelves[name])
	}
	return tracked.changes()
}
