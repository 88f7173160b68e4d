package api

// HostileBodies and HostileValues lend the tests of the whole product what those of the
// conventions are attacked with.
var (
	HostileBodies = hostileBodies
	HostileValues = hostileValues
)
