// Package events holds every fact that KoproGo records: the event types, their stored names and
// schema versions, the upcasters that bring old shapes up to date, and the exact types (shares,
// IBAN, e-mail, personal text) that facts are made of.
//
// It imports nothing else of ours. Start reading in event.go (what an event is and how it is
// encoded), then building.go (the first noun). testdata/catalogue.golden lists every type,
// version and field.
package events
