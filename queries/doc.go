// Package queries answers typed reads: of the read models as they are, of earlier moments by the
// same projections on private copies, and of the log itself. Rows come as the domain has them;
// api turns them into the words of REST.
//
// A read runs as koprogo_reader, in one pipelined round trip that first enters the organization,
// and first waits until the read models it uses show what was answered before (fence.go).
//
// It imports events, eventstore and projections of ours. Start reading in reader.go, then
// building.go.
package queries
