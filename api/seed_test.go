package api_test

import (
	"testing"

	"github.com/google/uuid"
)

func TestSeedingIsForTheSuperadminOfADevelopmentServer(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	admin, syndic := o.signedIn(t, uuid.Nil, "superadmin"), o.signedIn(t, o.organization(t), "syndic")
	for _, path := range []string{"/seed", "/seed/demo"} {
		o.ask(t, syndic, "POST", path, nil).refused(403, "forbidden")
		o.ask(t, admin, "POST", path, nil).refused(404, "development_only")
	}
}
