// Package projections writes the read models: tables of schema read that show what the log says.
//
// A projection is one function, Apply, which turns an event into rows. The same Apply runs live
// (follower.go), when a read model is built anew (rebuild.go) and when a reader looks at an earlier
// moment (travel.go); it works on rows in memory (copy.go) and never knows which of the three.
//
// It imports events and eventstore of ours. Start reading in all.go (the table of contents), then
// building.go (one read model) and table.go (what Apply may do).
package projections
