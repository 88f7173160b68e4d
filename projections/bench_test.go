package projections_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/koprogo/koprogo/events"
	"github.com/koprogo/koprogo/eventstore"
	"github.com/koprogo/koprogo/eventstore/eventstoretest"
	"github.com/koprogo/koprogo/projections"
)

// benchEvents is how many events a benchmark's log holds, and benchBuildings in how many streams.
const (
	benchEvents    = 100_000
	benchBuildings = 500
)

func benchLog(b *testing.B) (*eventstore.Store, uuid.UUID, uuid.UUID) {
	b.Helper()
	store := eventstoretest.New(b).Store
	organization, first := newID(), newID()
	for i := range benchBuildings {
		id := newID()
		if i == 0 {
			id = first
		}
		facts := []events.Event{registered(fmt.Sprint(i))}
		for j := range benchEvents/benchBuildings - 1 {
			facts = append(facts, events.BuildingRenamed{Name: fmt.Sprint("Immeuble ", i, " ", j)})
		}
		_, err := store.Append(context.Background(), eventstore.Append{
			Organization: organization, Streams: []eventstore.StreamAppend{{
				Stream: buildingStream(id), Building: id, Events: facts,
			}},
		})
		require.NoError(b, err)
	}
	return store, organization, first
}

func perSecond(b *testing.B, n int, took time.Duration) {
	b.Helper()
	b.ReportMetric(float64(n)/took.Seconds(), "events/s")
}

func BenchmarkCatchUp(b *testing.B) {
	store, _, _ := benchLog(b)
	b.ResetTimer()
	start := time.Now()
	follower := projections.NewFollower(projections.Config{Store: store})
	require.NoError(b, follower.CatchUp(b.Context()))
	perSecond(b, benchEvents, time.Since(start))
}

func BenchmarkRebuild(b *testing.B) {
	store, _, _ := benchLog(b)
	b.ResetTimer()
	start := time.Now()
	for _, p := range projections.All {
		require.NoError(b, projections.Rebuild(b.Context(), store, p, nil))
	}
	perSecond(b, benchEvents, time.Since(start))
}

func BenchmarkTravel(b *testing.B) {
	store, organization, building := benchLog(b)
	head, err := store.Head(b.Context(), organization)
	require.NoError(b, err)
	b.ResetTimer()
	for b.Loop() {
		travel := projections.NewTravel(store)
		_, err := travel.At(b.Context(), organization, projections.Scope{Building: building},
			head.Position)
		require.NoError(b, err)
	}
}
