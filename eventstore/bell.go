package eventstore

import (
	"sync"

	"github.com/google/uuid"
)

// Bell wakes those who follow the log in this process. It carries no events: a listener reads
// the log from where it stands.
type Bell struct {
	mu        sync.Mutex
	positions map[uuid.UUID]int64
	listeners map[chan struct{}]struct{}
}

func newBell() *Bell {
	return &Bell{
		positions: map[uuid.UUID]int64{}, listeners: map[chan struct{}]struct{}{},
	}
}

// Ring says that the organization's log reaches position. A listener that has not answered yet is
// not rung twice.
func (b *Bell) Ring(organization uuid.UUID, position int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.positions[organization] < position {
		b.positions[organization] = position
	}
	for listener := range b.listeners {
		select {
		case listener <- struct{}{}:
		default:
		}
	}
}

// Listen returns a channel that receives after each ring, and a function that ends it.
func (b *Bell) Listen() (rung <-chan struct{}, cancel func()) {
	listener := make(chan struct{}, 1)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.listeners[listener] = struct{}{}
	return listener, func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		delete(b.listeners, listener)
	}
}

// Position is the newest position rung for the organization in this process; 0 for none.
func (b *Bell) Position(organization uuid.UUID) int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.positions[organization]
}

// Positions returns every organization rung in this process with its newest position.
func (b *Bell) Positions() map[uuid.UUID]int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	positions := make(map[uuid.UUID]int64, len(b.positions))
	for organization, position := range b.positions {
		positions[organization] = position
	}
	return positions
}
