package projections

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"
)

// Notice says that read models of an organization moved. It travels to the other servers as JSON.
type Notice struct {
	Organization uuid.UUID       `json:"organization"`
	Moves        map[string]Move `json:"moves"` // by projection
	// Changed names the rows that are not as they were, by table: ids. Where Everything is set,
	// any row may be another.
	Changed    map[string][]string `json:"changed,omitempty"`
	Everything bool                `json:"everything,omitempty"`
}

// Move is the way of a checkpoint.
type Move struct {
	From int64 `json:"from"`
	To   int64 `json:"to"`
}

// Stop is a projection that could not apply an event of an organization. It stands before the
// event until it can.
type Stop struct {
	Projection   string
	Organization uuid.UUID
	Position     int64 // applied so far
	Since        time.Time
	Err          error
	again        time.Time // when the next attempt is due
}

// StoppedError is returned to those who wait for a projection that has stopped: its rows are those
// of Position.
type StoppedError struct {
	Projection string
	Position   int64
}

func (e *StoppedError) Error() string {
	return fmt.Sprintf("the read model %s stands still at position %d", e.Projection, e.Position)
}

// ErrBehind is returned when a read model did not get there in time.
var ErrBehind = errors.New("a read model is behind")

// place is a projection of an organization.
type place struct {
	organization uuid.UUID
	projection   string
}

// progress is what this process knows of the checkpoints. What it does not know it asks.
type progress struct {
	mu      sync.RWMutex
	at      map[place]int64
	was     map[place]int64 // where those were that are not known any more
	stops   map[place]Stop
	waiting map[uuid.UUID]chan struct{} // closed when the organization moves
}

func newProgress() *progress {
	return &progress{
		at: map[place]int64{}, was: map[place]int64{}, stops: map[place]Stop{},
		waiting: map[uuid.UUID]chan struct{}{},
	}
}

// position is the checkpoint; false when it is not known.
func (p *progress) position(organization uuid.UUID, projection string) (int64, bool) {
	p.mu.RLock()
	defer p.mu.RUnlock()
	at, known := p.at[place{organization, projection}]
	return at, known
}

// last is the checkpoint as it was last known; false when it never was.
func (p *progress) last(organization uuid.UUID, projection string) (int64, bool) {
	p.mu.RLock()
	defer p.mu.RUnlock()
	key := place{organization, projection}
	if at, known := p.at[key]; known {
		return at, true
	}
	was, known := p.was[key]
	return was, known
}

// reached tells whether all projections are there, or whether all that are not have stopped;
// known is false when one's checkpoint is not known.
func (p *progress) reached(
	organization uuid.UUID, projections []string, position int64,
) (there bool, stopped *StoppedError, known bool) {
	p.mu.RLock()
	defer p.mu.RUnlock()
	there = true
	for _, name := range projections {
		key := place{organization, name}
		at, ok := p.at[key]
		if !ok {
			return false, nil, false
		}
		if at >= position {
			continue
		}
		if _, stands := p.stops[key]; !stands {
			there = false
		} else if stopped == nil || at < stopped.Position {
			stopped = &StoppedError{Projection: name, Position: at}
		}
	}
	return there, stopped, true
}

// move notes checkpoints, which never go back but by doubt, and wakes those who wait.
func (p *progress) move(organization uuid.UUID, to map[string]int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for projection, position := range to {
		key := place{organization, projection}
		if at, known := p.at[key]; known && at >= position {
			continue
		}
		p.at[key] = position
		delete(p.was, key)
		delete(p.stops, key)
	}
	p.wake(organization)
}

func (p *progress) wake(organization uuid.UUID) {
	if waiting, ok := p.waiting[organization]; ok {
		close(waiting)
		delete(p.waiting, organization)
	}
}

// moved is closed at the organization's next move.
func (p *progress) moved(organization uuid.UUID) <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	waiting, ok := p.waiting[organization]
	if !ok {
		waiting = make(chan struct{})
		p.waiting[organization] = waiting
	}
	return waiting
}

// stop notes that a projection cannot go on; first tells whether it went on until here.
func (p *progress) stop(s Stop) (first bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	key := place{s.Organization, s.Projection}
	before, stood := p.stops[key]
	if stood {
		s.Since = before.Since
	}
	p.stops[key], p.at[key] = s, s.Position
	p.wake(s.Organization)
	return !stood
}

// rests tells whether a projection has stopped and is not to be tried again yet.
func (p *progress) rests(organization uuid.UUID, projection string, now time.Time) bool {
	p.mu.RLock()
	defer p.mu.RUnlock()
	stop, stands := p.stops[place{organization, projection}]
	return stands && now.Before(stop.again)
}

func (p *progress) stopped() []Stop {
	p.mu.RLock()
	defer p.mu.RUnlock()
	return slices.SortedFunc(maps.Values(p.stops), func(a, b Stop) int {
		return a.Since.Compare(b.Since)
	})
}

// doubt makes every checkpoint unknown: PostgreSQL may have restarted, and with it checkpoints and
// rows may have gone back to the last ones written to disk.
func (p *progress) doubt() {
	p.mu.Lock()
	defer p.mu.Unlock()
	maps.Copy(p.was, p.at)
	clear(p.at)
	for organization := range p.waiting {
		p.wake(organization)
	}
}

// doubtOne makes one organization's checkpoints unknown: some do not exist.
func (p *progress) doubtOne(organization uuid.UUID, projections []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, name := range projections {
		delete(p.at, place{organization, name})
	}
}
