package api

import (
	"context"
	"math/bits"
	"strings"
	"time"

	"github.com/google/uuid"
)

// Roles is a set of roles: who may call a route. Its zero value declares nobody, and a route that
// declares nobody stops the server from starting.
type Roles uint8

// The roles of the contract, and Public for routes without a token.
const (
	Superadmin Roles = 1 << iota
	Syndic
	Accountant
	Auditor
	Owner
	Public

	Managers      = Superadmin | Syndic   // who runs a co-ownership
	Bookkeepers   = Managers | Accountant // who keeps its books
	Professionals = Bookkeepers | Auditor // who works for it
	Everyone      = Professionals | Owner // any signed-in role
)

var roleNames = map[string]Roles{
	"superadmin": Superadmin, "syndic": Syndic, "accountant": Accountant, "auditor": Auditor,
	"owner": Owner,
}

// ParseRole reads the name of one role; false for a name that no role has.
func ParseRole(name string) (Roles, bool) {
	role, known := roleNames[name]
	return role, known
}

// String names the roles, in the contract's order.
func (r Roles) String() string {
	if r == Public {
		return "public"
	}
	names := make([]string, 0, bits.OnesCount8(uint8(r)))
	for _, name := range []string{"superadmin", "syndic", "accountant", "auditor", "owner"} {
		if r&roleNames[name] != 0 {
			names = append(names, name)
		}
	}
	return strings.Join(names, ", ")
}

// Caller is who asks, as Authenticate found it: one account in its active role.
type Caller struct {
	Account      uuid.UUID
	Organization uuid.UUID // nil for a superadmin
	Role         Roles     // one of them
	RoleID       uuid.UUID
	Session      uuid.UUID // the token's jti
	ExpiresAt    time.Time
	// Restricted is set for a caller who does not see the whole organization: an owner, or an
	// auditor with a mandate. His answers are never shared with others.
	Restricted bool
}

// Authenticate finds the caller behind a bearer token. It is asked on every request, so that a
// closed account or a lost role holds at once; it returns ErrUnauthenticated for a token that is
// not, or no longer, good.
type Authenticate func(ctx context.Context, bearer string) (Caller, error)

// ErrUnauthenticated is returned by Authenticate.
var ErrUnauthenticated = refuse(CodeUnauthenticated)
