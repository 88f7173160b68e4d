package main

import "os"

// ballastBytes raises the heap at which Go collects for the first time, and by as much every time
// after. Go collects when the heap has doubled; a server's live heap is a few megabytes, so under
// load it would collect many times a second, at a third of an append's processor time.
const ballastBytes = 64 << 20

// ballast is never touched: it takes addresses and no memory.
var ballast []byte //nolint:unused // being held is its use

// spareCollections gives the heap its ballast, unless GOGC or GOMEMLIMIT say how to collect.
func spareCollections() {
	if os.Getenv("GOGC") == "" && os.Getenv("GOMEMLIMIT") == "" {
		ballast = make([]byte, ballastBytes)
	}
}
