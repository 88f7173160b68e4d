// Package eventstore is the log: it appends events to PostgreSQL, loads and follows them, relays
// them to NATS, seals personal data under keys that stand outside the log, and proves with a
// Merkle tree per organization that nobody touched what was recorded.
//
// It imports events and nothing else of ours. Start reading in append.go (what an append is),
// then writer.go (group commit), load.go (reading) and tree.go (the proof).
package eventstore
