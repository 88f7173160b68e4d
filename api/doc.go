// Package api speaks HTTP: it decodes, authorises, makes one call and encodes. REST words (unit,
// expense, quota) are turned into the words of the domain (lot, charge, shares) here and nowhere
// else.
//
// It imports commands, queries, eventstore and events of ours. Start reading in routes.go, the
// table of every route with who may call it; then verbs.go, the few generic functions that give
// each route the conventions of the contract (authentication, tenancy, strict decoding, pages,
// ETags, idempotency, consistency, time travel, problems in three languages); then building.go,
// the first noun. A noun is a file of small functions that the table names.
package api
