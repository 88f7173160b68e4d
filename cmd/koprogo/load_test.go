package main_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// load is several clients at once, who write under idempotency keys that they repeat until the
// server has said yes.
type load struct {
	token   string
	url     atomic.Pointer[string] // of the server that runs now
	ending  chan struct{}
	clients sync.WaitGroup

	mu           sync.Mutex
	acknowledged map[string]string // ids by name
	unavailable  int               // answers 503
	wrong        []string          // what must not be answered
}

// unlimited is the setting of a server under load.
const unlimited = "RATE_LIMIT_PER_TOKEN=0"

// startLoad registers buildings until finish, and reads each one's history.
func startLoad(t testing.TB, s *server, token string, clients int) *load {
	t.Helper()
	return drive(t, s, token, clients, func(ctx context.Context, l *load, name string, _ int) {
		made := l.until(ctx, name, http.StatusCreated, http.MethodPost, "/buildings",
			buildingIn(name), "Idempotency-Key", name)
		if id := l.acknowledge(name, made); id != "" {
			l.until(ctx, name, http.StatusOK, http.MethodGet, "/buildings/"+id+"/history",
				nil, "Koprogo-Min-Position", made.header.Get("Koprogo-Position"))
		}
	})
}

// drive lets each client do its n-th turn after the other until finish.
func drive(
	t testing.TB, s *server, token string, clients int,
	turn func(ctx context.Context, l *load, name string, n int),
) *load {
	t.Helper()
	l := &load{token: token, ending: make(chan struct{}), acknowledged: map[string]string{}}
	l.moveTo(s)
	ctx := t.Context()
	for i := range clients {
		l.clients.Go(func() {
			for n := 0; l.goesOn() && ctx.Err() == nil; n++ {
				turn(ctx, l, fmt.Sprintf("Charge %d-%d", i, n), n)
			}
		})
	}
	return l
}

// moveTo sends requests to another server from now on.
func (l *load) moveTo(s *server) { l.url.Store(&s.url) }

func (l *load) goesOn() bool {
	select {
	case <-l.ending:
		return false
	default:
		return true
	}
}

// until asks until the answer has the status. Nothing else but 503 and a broken connection may
// come; the answer is empty when something did.
func (l *load) until(
	ctx context.Context, name string, status int, method, path string, body any,
	headers ...string,
) answer {
	c := &client{token: l.token, http: &http.Client{Timeout: 20 * time.Second}}
	for ctx.Err() == nil {
		c.url = *l.url.Load()
		got, err := c.try(ctx, method, path, body, headers...)
		switch {
		case err != nil:
		case got.status == status:
			return got
		case got.status == http.StatusServiceUnavailable && l.isWellRefused(got):
		default:
			l.note(fmt.Sprintf("%s: %s: %d %s %s", method, name, got.status, got.header, got.body))
			return answer{}
		}
		select {
		case <-time.After(tick):
		case <-ctx.Done():
		}
	}
	return answer{}
}

// isWellRefused tells whether a 503 has the contract's shape.
func (l *load) isWellRefused(got answer) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.unavailable++
	return got.header.Get("Content-Type") == "application/problem+json" &&
		got.header.Get("Retry-After") != ""
}

func (l *load) acknowledge(name string, got answer) (id string) {
	var made building
	if json.Unmarshal(got.body, &made) != nil || made.ID == "" {
		return "" // until has noted what was answered instead
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.acknowledged[name] = made.ID
	return made.ID
}

func (l *load) note(wrong string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.wrong = append(l.wrong, wrong)
}

// progress is how many were acknowledged, and whether something else was answered.
func (l *load) progress() (acknowledged int, wrong bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.acknowledged), len(l.wrong) > 0
}

// requireRight ends the test where something was answered that must not be.
func (l *load) requireRight(t testing.TB) {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	require.Empty(t, l.wrong)
}

// awaitMore waits until n more were acknowledged.
func (l *load) awaitMore(t testing.TB, n int) {
	t.Helper()
	begun, _ := l.progress()
	require.Eventually(t, func() bool {
		reached, wrong := l.progress()
		return wrong || reached >= begun+n
	}, startPatience, tick, "the server takes no more writes")
	l.requireRight(t)
}

// finish lets each client bring its last building to an end and returns the ids by name.
func (l *load) finish(t testing.TB) map[string]string {
	t.Helper()
	close(l.ending)
	l.clients.Wait()
	l.requireRight(t)
	return l.acknowledged
}

// requireKept wants every acknowledged building to be there once, in the read model and in the
// log, nothing else, read models as a rebuild makes them, and a log that is whole.
func requireKept(t *testing.T, s *server, token string, acknowledged map[string]string) {
	t.Helper()
	listed, total := s.with(token).buildings(t)
	require.Len(t, listed, len(acknowledged))
	require.Len(t, listed, total)
	for _, b := range listed {
		require.Equal(t, acknowledged[b.Name], b.ID, b.Name)
	}
	requireOnce(t, s, "building.registered", len(listed))
	requireRebuilt(t, s)
	again, _ := s.with(token).buildings(t)
	require.Equal(t, listed, again)
}

// requireOnce wants a fact so many times in the log, each in a stream of its own.
func requireOnce(t *testing.T, s *server, fact string, times int) {
	t.Helper()
	var recorded, streams int
	require.NoError(t, superuser(t, s.dir).QueryRow(t.Context(),
		`select count(*), count(distinct stream) from log.events
		  where organization_id = $1 and type = $2`,
		loadOrganization, fact).Scan(&recorded, &streams))
	require.Equal(t, [2]int{times, times}, [2]int{recorded, streams}, fact)
}

// requireRebuilt wants read models as a rebuild makes them, and a log that is whole.
func requireRebuilt(t *testing.T, s *server) {
	t.Helper()
	super := superuser(t, s.dir)
	awaitCaughtUp(t, super)
	before := readModels(t, super)
	require.NotContains(t, run(t, s.dir, "rebuild", "all").done(t), "error")
	require.Equal(t, before, readModels(t, super))
	run(t, s.dir, "verify").done(t)
}
