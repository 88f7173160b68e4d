package commands

import (
	"sync"

	"github.com/google/uuid"
	lru "github.com/hashicorp/golang-lru/v2"

	"github.com/koprogo/koprogo/events"
)

// warmStreams is how many folded streams stay in memory.
const warmStreams = 2_500

type place struct {
	organization uuid.UUID
	stream       events.Stream
}

// folded is a state and the version of the stream that it was folded up to.
type folded struct {
	state   any
	version int64
}

// warm keeps the folded states of recent streams. A copy may be stale: an append checks its
// version, and Handle refuses nobody on a copy that it has not looked at again.
type warm struct {
	mu     sync.Mutex
	states *lru.Cache[place, folded]
}

func newWarm() *warm {
	states, _ := lru.New[place, folded](warmStreams)
	return &warm{states: states}
}

func (w *warm) get(at place) (folded, bool) { return w.states.Get(at) }

// keep never puts an older state over a newer one.
func (w *warm) keep(at place, f folded) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if kept, found := w.states.Peek(at); !found || kept.version < f.version {
		w.states.Add(at, f)
	}
}

func (w *warm) drop(at place) { w.states.Remove(at) }

func (w *warm) forget() { w.states.Purge() }
