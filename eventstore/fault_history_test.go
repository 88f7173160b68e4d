package eventstore_test

import (
	"context"
	"math"
	"net/url"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/Shopify/toxiproxy/v2"
	"github.com/anishathalye/porcupine"
	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"

	"github.com/koprogo/koprogo/deploy/embedded/embeddedtest"
	"github.com/koprogo/koprogo/events"
	"github.com/koprogo/koprogo/eventstore"
)

// logState is an organization's log as the model has it: how long it is, and of each stream the
// version and who wrote last.
type logState struct {
	position int64
	versions [streamsPerLog]int64
	last     [streamsPerLog]uuid.UUID
}

// logModel says what appends with expected versions and reads of streams may answer.
var logModel = porcupine.Model{
	Partition: func(history []porcupine.Operation) [][]porcupine.Operation {
		var parts [][]porcupine.Operation
		at := map[int]int{}
		for _, operation := range history {
			organization := operation.Input.(op).Organization
			n, known := at[organization]
			if !known {
				n, parts = len(parts), append(parts, nil)
				at[organization] = n
			}
			parts[n] = append(parts[n], operation)
		}
		return parts
	},
	Init: func() any { return logState{} },
	Step: func(state, input, _ any) (bool, any) {
		s, o := state.(logState), input.(op)
		fits := s.versions[o.Stream] == o.Expected &&
			(o.AlsoVersion < 0 || s.versions[o.Also] == o.AlsoVersion)
		switch {
		case o.Read:
			return s.versions[o.Stream] == o.Version && s.last[o.Stream] == o.Last, s
		case o.Outcome == outcomeConflict:
			return !fits, s
		case !fits || s.position+1 != o.Position:
			return false, s
		}
		s.position++
		s.versions[o.Stream]++
		s.last[o.Stream] = o.ID
		return true, s
	},
}

// history is what the operations say once it is known what the logs hold: an append whose outcome
// nobody knew took effect, at some time after it began, if and only if it stands there.
func history(t testing.TB, all []op, recorded map[uuid.UUID]eventstore.Recorded) (
	checked []porcupine.Operation, outcomes map[string]int,
) {
	t.Helper()
	outcomes = map[string]int{}
	for _, o := range all {
		r, stands := recorded[o.ID]
		outcomes[o.Outcome]++
		switch o.Outcome {
		case outcomeOK:
			if !o.Read {
				require.True(t, stands, "an acknowledged append is lost")
				require.Equal(t, o.Event, r.ID)
				require.Equal(t, o.Position, r.Position)
			}
		case outcomeConflict:
			require.False(t, stands, "a refused append is recorded")
		case outcomeUnavailable:
			require.False(t, stands, "what certainly was not recorded is recorded")
			continue
		case outcomeFailed:
			require.Fail(t, "an operation failed", o.Detail)
		default:
			if o.Read || !stands {
				continue
			}
			o.Position, o.End = r.Position, math.MaxInt64
		}
		checked = append(checked, porcupine.Operation{
			ClientId: o.Client, Input: o, Call: o.Begin, Output: nil, Return: o.End,
		})
	}
	return checked, outcomes
}

// recordedBy reads the logs that the crew used and says which operation wrote each event.
func (c *crew) recordedBy(t testing.TB, s *eventstore.Store) map[uuid.UUID]eventstore.Recorded {
	t.Helper()
	by := map[uuid.UUID]eventstore.Recorded{}
	var used []uuid.UUID
	for _, organization := range c.job.Organizations {
		all := log(t, s, organization)
		if len(all) == 0 {
			continue
		}
		requireWhole(t, all)
		used = append(used, organization)
		for _, r := range all {
			id := uuid.MustParse(r.Event.(events.BuildingRenamed).Name)
			require.NotContains(t, by, id, "an append stands twice")
			by[id] = r
		}
	}
	requireVerified(t, s, used...)
	return by
}

// toxic is a proxy that troubles connections.
func toxic(t testing.TB, address string) (proxy *toxiproxy.Proxy, through string) {
	t.Helper()
	to, err := url.Parse(address)
	require.NoError(t, err)
	zerolog.SetGlobalLevel(zerolog.Disabled) // the toxics speak past their server's logger
	server := toxiproxy.NewServer(
		toxiproxy.NewMetricsContainer(prometheus.NewRegistry()), zerolog.Nop())
	proxy = toxiproxy.NewProxy(server, "postgres", "127.0.0.1:0", to.Host)
	require.NoError(t, proxy.Start())
	t.Cleanup(proxy.Stop)
	to.Host = proxy.Listen
	return proxy, to.String()
}

// troubled runs during while the proxy has the toxic.
func troubled(t testing.TB, proxy *toxiproxy.Proxy, toxic string, during func()) {
	t.Helper()
	added, err := proxy.Toxics.AddToxicJson(strings.NewReader(toxic))
	require.NoError(t, err)
	during()
	require.NoError(t, proxy.Toxics.RemoveToxic(context.Background(), added.Name))
}

// killPostgres kills the postmaster and waits until another one takes connections.
func killPostgres(t testing.TB, cluster *embeddedtest.Cluster) {
	t.Helper()
	before := cluster.Restarts()
	require.NoError(t, syscall.Kill(cluster.PID(), syscall.SIGKILL))
	require.Eventually(t, func() bool { return cluster.Restarts() > before && cluster.Ready() },
		2*patience, interval)
}

// TestFaultHistory has two processes append to and read the same logs while everything between
// and around them fails, and then asks porcupine whether one log without any fault could have
// given the same answers.
func TestFaultHistory(t *testing.T) {
	t.Parallel()
	cluster, database := durable(t)
	troubles, poisoned := toxic(t, overTCP(t, cluster, database))
	proxies, urls := make([]*link, 2), make([]string, 2)
	for place := range urls {
		proxies[place], urls[place] = startLink(t, poisoned)
	}
	crew := startCrew(t, 6, urls...)
	const progress = 60
	crew.await(t, progress)
	faults := []func(place int){
		func(place int) { crew.kill(place); crew.start(t, place) },
		func(place int) { crew.pause(t, place, func() { crew.awaitAt(t, 1-place, progress) }) },
		func(place int) { proxies[place].next(loseAnswer) },
		func(place int) { proxies[place].next(loseBatch) },
		func(place int) { proxies[place].cutAll() },
		func(int) { killPostgres(t, cluster) },
		func(place int) {
			proxies[place].next(loseAnswer)
			crew.await(t, progress)
			proxies[place].next(func(w *wire, s sent) {
				proxies[place].next(loseBatch)
				loseAnswer(w, s)
			})
		},
		func(int) {
			troubled(t, troubles, `{"type":"reset_peer","attributes":{"timeout":5}}`,
				func() { proxies[0].awaitNew(t, 3); proxies[1].awaitNew(t, 3) })
		},
		func(int) {
			troubled(t, troubles, `{"type":"timeout","attributes":{"timeout":200}}`,
				func() { proxies[0].awaitNew(t, 2); proxies[1].awaitNew(t, 2) })
		},
		func(int) {
			troubled(t, troubles, `{"type":"slicer","attributes":{"average_size":64,
				"size_variation":32,"delay":50}}`, func() { crew.await(t, progress) })
		},
		func(int) {
			troubled(t, troubles, `{"type":"bandwidth","attributes":{"rate":200}}`,
				func() { crew.await(t, progress) })
		},
	}
	for n := range len(faults) + kills(t)/2 {
		faults[n%len(faults)]((n + n/len(faults)) % 2)
		crew.await(t, progress)
	}
	crew.end(t)

	store := openOn(t, database.URL)
	checked, outcomes := history(t, crew.operations(t), crew.recordedBy(t, store))
	t.Logf("%d operations: %v", len(checked), outcomes)
	require.Equal(t, porcupine.Ok, porcupine.CheckOperationsTimeout(logModel, checked,
		time.Minute), "no order of the operations explains the answers")
}
