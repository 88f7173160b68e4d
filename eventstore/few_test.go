package eventstore_test

import (
	"sync"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/koprogo/koprogo/events"
	"github.com/koprogo/koprogo/eventstore"
	"github.com/koprogo/koprogo/eventstore/eventstoretest"
	"github.com/koprogo/koprogo/migrations/migrationstest"
)

// With the fewest connections that are allowed both lanes share one, and nobody waits for ever.
func TestTheFewestConnectionsAreEnoughForBothLanes(t *testing.T) {
	t.Parallel()
	store := eventstoretest.Open(t, migrationstest.Database(t).URL,
		func(c *eventstore.Config) { c.MaxConns = 5 })
	require.EqualValues(t, 1, store.Pool(eventstore.RoleWriter).Config().MaxConns)
	require.EqualValues(t, 2, store.Pool(eventstore.RoleJobs).Config().MaxConns)
	var all sync.WaitGroup
	const organizations, appends = 16, 50
	for range organizations {
		organization, building := uuid.New(), uuid.New()
		all.Go(func() {
			for version := range int64(appends) {
				var fact events.Event = eventstoretest.Registered("A")
				if version > 0 {
					fact = events.BuildingRenamed{Name: uuid.NewString()}
				}
				_, err := store.Append(t.Context(), eventstore.Append{
					Organization: organization, Streams: []eventstore.StreamAppend{{
						Stream:   eventstoretest.BuildingStream(building),
						Expected: version, Building: building, Events: []events.Event{fact},
					}},
				})
				if err != nil {
					t.Errorf("append %d: %v", version, err)
					return
				}
			}
		})
	}
	all.Wait()
}
