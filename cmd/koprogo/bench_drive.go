package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// benchLoad drives a server with the mix.
type benchLoad struct {
	mix            *mix
	address, token string
	clients        int
	numbers        atomic.Int64 // of the things that POSTs make
}

// tally is what a load's answers took.
type tally struct {
	took   [][]time.Duration // by route of mixRoutes, in no order until sorted
	lag    []time.Duration   // from a POST's answer until every read model shows it
	failed int
	cause  error // the first failure's
	over   time.Duration
}

func newTally() *tally { return &tally{took: make([][]time.Duration, len(mixRoutes))} }

func (t *tally) add(other *tally) {
	for route := range t.took {
		t.took[route] = append(t.took[route], other.took[route]...)
	}
	t.lag = append(t.lag, other.lag...)
	t.failed += other.failed
	t.over += other.over
	if t.cause == nil {
		t.cause = other.cause
	}
}

func (t *tally) fail(err error) {
	t.failed++
	if t.cause == nil {
		t.cause = err
	}
}

// requests counts the answers, failures among them.
func (t *tally) requests() int {
	n := t.failed
	for _, took := range t.took {
		n += len(took)
	}
	return n
}

// of are the answers' times of the routes that pass, sorted.
func (t *tally) of(passes func(*mixRoute) bool) []time.Duration {
	var all []time.Duration
	for route, took := range t.took {
		if passes(&mixRoutes[route]) {
			all = append(all, took...)
		}
	}
	slices.Sort(all)
	return all
}

// percentile of times in order, the nearest rank, in milliseconds; 0 for none.
func percentile(sorted []time.Duration, percent float64) float64 {
	if len(sorted) == 0 {
		return 0
	}
	rank := int(percent/100*float64(len(sorted))+0.9999999) - 1
	return sorted[min(max(rank, 0), len(sorted)-1)].Seconds() * 1e3
}

// closed lets every client ask again as soon as it was answered, until the time is up.
func (l *benchLoad) closed(ctx context.Context, lasting time.Duration) (*tally, error) {
	tallies, failures := make([]*tally, l.clients), make([]error, l.clients)
	var group sync.WaitGroup
	began := time.Now()
	for client := range l.clients {
		group.Go(func() {
			tallies[client] = newTally()
			cards := newDeck(uint64(client))
			failures[client] = l.client(ctx, tallies[client], func() (arrival, bool) {
				now := time.Now()
				return arrival{now, cards.draw()}, now.Sub(began) < lasting
			}, nil)
		})
	}
	group.Wait()
	return l.sum(tallies, time.Since(began)), errors.Join(failures...)
}

func (l *benchLoad) sum(tallies []*tally, over time.Duration) *tally {
	sum := newTally()
	for _, t := range tallies {
		sum.add(t)
	}
	sum.over = over
	return sum
}

// arrival is a request that is due: its answer's time counts from the instant.
type arrival struct {
	at    time.Time
	route int // of mixRoutes
}

// client asks on one connection what next says, until that is false. wrote hears of positions that
// were answered; it may be nil.
func (l *benchLoad) client(
	ctx context.Context, t *tally, next func() (arrival, bool), wrote func(position int64),
) error {
	w, err := dial(ctx, l.address, l.token)
	if err != nil {
		return err
	}
	defer func() { w.close() }()
	for ctx.Err() == nil {
		due, goes := next()
		if !goes {
			return nil
		}
		kind := &mixRoutes[due.route]
		var body []byte
		if kind.body != nil {
			body = kind.body(l.mix, int(l.numbers.Add(1)))
		}
		got, err := w.ask(kind.method, benchAPI+kind.target, body)
		switch {
		case err != nil:
			t.fail(fmt.Errorf("%s: %w", kind.name(), err))
			w.close()
			if w, err = dial(ctx, l.address, l.token); err != nil {
				return err
			}
		case got.status != kind.want:
			t.fail(fmt.Errorf("%s: status %d", kind.name(), got.status))
		default:
			t.took[due.route] = append(t.took[due.route], time.Since(due.at))
			if body != nil && wrote != nil {
				wrote(got.position)
			}
		}
	}
	return ctx.Err()
}

// openConnections are how many requests of an open loop may be under way at once; beyond, they
// wait, and their waiting counts.
const openConnections = 64

// open asks at a steady rate, whether or not the server keeps up: an answer's time counts from the
// instant at which the request was due.
func (l *benchLoad) open(
	ctx context.Context, rate int, lasting time.Duration,
) (*tally, error) {
	due := make(chan arrival, openConnections)
	positions := make(chan int64, 1)
	tallies, failures := make([]*tally, openConnections+1), make([]error, openConnections+2)
	var group, prober sync.WaitGroup
	began := time.Now()
	group.Go(func() {
		defer close(due)
		failures[openConnections] = steady(ctx, began, rate, lasting, due)
	})
	for client := range openConnections {
		group.Go(func() {
			tallies[client] = newTally()
			failures[client] = l.client(ctx, tallies[client],
				func() (arrival, bool) {
					next, goes := <-due
					return next, goes
				}, func(position int64) {
					select {
					case positions <- position:
					default: // one is looked after at a time
					}
				})
		})
	}
	prober.Go(func() {
		tallies[openConnections] = newTally()
		failures[openConnections+1] = l.lag(ctx, tallies[openConnections], positions)
	})
	group.Wait()
	over := time.Since(began)
	close(positions)
	prober.Wait()
	return l.sum(tallies, over), errors.Join(failures...)
}

// steady gives the instants of a rate, each when it is there. One that nobody takes waits.
func steady(
	ctx context.Context, began time.Time, rate int, lasting time.Duration, due chan<- arrival,
) error {
	every, cards := time.Second/time.Duration(rate), newDeck(0)
	for after := every; after <= lasting; after += every {
		at := began.Add(after)
		sleepUntil(at)
		select {
		case due <- arrival{at, cards.draw()}:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// lag asks, for one written position after the other, for a read that shows it from every read
// model, and notes how long after the write's answer it came.
func (l *benchLoad) lag(ctx context.Context, t *tally, positions <-chan int64) error {
	w, err := dial(ctx, l.address, l.token)
	if err != nil {
		return err
	}
	defer w.close()
	for position := range positions {
		since := time.Now()
		w.least = position
		got, err := w.ask("GET", benchAPI+"/buildings/"+l.mix.buildings[0].String(), nil)
		if err != nil {
			return err
		}
		if got.status != 200 {
			t.fail(fmt.Errorf("a read at a position: status %d", got.status))
			continue
		}
		t.lag = append(t.lag, time.Since(since))
	}
	return nil
}
