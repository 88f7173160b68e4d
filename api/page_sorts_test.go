package api_test

import (
	"slices"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/koprogo/koprogo/api"
)

// The columns that a route declares, the query's and the index's are named in three places.
func TestEveryListIsSortedByEveryColumnThatItDeclares(t *testing.T) {
	t.Parallel()
	own := openPremises(t, openOffice(t))
	asked := 0
	for _, route := range api.Routes {
		of := own.document.operation(route)
		i := slices.IndexFunc(of.Parameters, func(p parameter) bool { return p.Name == "sort_by" })
		if i < 0 {
			continue
		}
		as := own.syndic
		if route.May&api.Syndic == 0 {
			as = own.signedIn(t, uuid.Nil, "superadmin")
		}
		path := own.path(t, route, as)
		for _, column := range of.Parameters[i].Schema.Enum {
			for _, order := range []string{"asc", "desc"} {
				sorted := path + "&sort_by=" + column.(string) + "&order=" + order
				got := own.ask(t, as, "GET", sorted, nil)
				require.Equal(t, 200, got.status, "%s: %s", sorted, got.text)
				asked++
			}
		}
	}
	require.Greater(t, asked, 40)
}
