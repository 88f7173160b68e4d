package api

// Route is one path and method, and everything that may be said of it in a line: who may call it,
// what its 404 names, what it does. The contract's conventions come with the verb (verbs.go).
type Route struct {
	Method  string
	Path    string // below /api/v1
	May     Roles  // who may call it; a route that declares nobody stops the server from starting
	Noun    string // what a 404 did not find, and the kind of resource in an idempotency record
	Serve   verb
	Summary string
}

// basePath is where the routes stand.
const basePath = "/api/v1"

// Routes is every route of version 1.
var Routes = []Route{
	{"GET", "/health", Public, "", raw(health), "Tell that the server runs"},
	{"GET", "/health/ready", Public, "", raw(ready), "Tell whether the server can work"},
}
