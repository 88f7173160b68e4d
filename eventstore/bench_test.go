package eventstore_test

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/uuid"

	"github.com/koprogo/koprogo/events"
)

// BenchmarkAppend is 64 writers on one organization, one 400-byte event each.
func BenchmarkAppend(b *testing.B) {
	store := open(b)
	organization := newID(b)
	name := strings.Repeat("x", 160)
	var streams atomic.Int64
	b.SetParallelism(32)
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		streams.Add(1)
		stream, version := buildingStream(uuid.New()), int64(0)
		for pb.Next() {
			_, err := store.Append(context.Background(), appendTo(organization, stream, version,
				events.BuildingAddressCorrected{Address: name, City: name, Zone: "Europe/Brussels"}))
			if err != nil {
				b.Error(err)
				return
			}
			version++
		}
	})
}
