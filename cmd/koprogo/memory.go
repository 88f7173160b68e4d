package main

import (
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
)

// Go collects when the heap has doubled. A server's live heap is a few megabytes at first, so under
// load it would collect many times a second, at a third of an append's processor time; and later it
// would let the heap grow to twice what is in use. Here it collects when the heap has grown to
// smallHeap, or by leastGarbage where that is more, or by leastGrowth percent.
const (
	smallHeap    = 76 << 20
	leastGarbage = 20 << 20
	leastGrowth  = 25
)

// spareCollections sets when to collect, unless GOGC or GOMEMLIMIT say so. What is allocated is not
// sampled: the profile is nowhere shown, and the samples took a hundredth of the processor's time.
func spareCollections() {
	runtime.MemProfileRate = 0
	if os.Getenv("GOGC") == "" && os.Getenv("GOMEMLIMIT") == "" {
		awaitCollection(new(collected))
	}
}

// collected is found unused by every collection, and made anew after it.
type collected struct{ _ [16]byte }

func awaitCollection(*collected) {
	live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(live)
	const least = 4 << 20 // what Go itself takes the smallest heap to be
	bytes := max(live[0].Value.Uint64(), least)
	garbage := max(smallHeap-min(bytes, smallHeap), leastGarbage)
	debug.SetGCPercent(max(leastGrowth, int(garbage*100/bytes)))
	runtime.SetFinalizer(new(collected), awaitCollection)
}
