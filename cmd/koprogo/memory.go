package main

import (
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
)

// Go collects when the heap has doubled. A server's live heap is a few megabytes at first, so under
// load it would collect many times a second, at a third of an append's processor time. Here it
// collects when so much has been allocated, but never before the heap has grown by leastGrowth
// percent. With 25 in the place of 100 a short run held 147 MiB for 200, but over three minutes
// a request took 0.47 ms of the server's processor, in a shorter run with 100 0.29.
const (
	garbageBytes = 32 << 20
	leastGrowth  = 60
)

// spareCollections sets when to collect, unless GOGC or GOMEMLIMIT say so.
func spareCollections() {
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
	debug.SetGCPercent(max(leastGrowth, int(garbageBytes*100/bytes)))
	runtime.SetFinalizer(new(collected), awaitCollection)
}
