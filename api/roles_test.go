package api_test

import (
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/koprogo/koprogo/api"
)

// Every route refuses whom it does not name, and nobody else.
func TestEveryRouteForEveryRole(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	organization := o.organization(t)
	for _, name := range []string{"superadmin", "syndic", "accountant", "auditor", "owner"} {
		home := organization
		if name == "superadmin" {
			home = uuid.Nil
		}
		role, known := api.ParseRole(name)
		require.True(t, known)
		p := o.signedIn(t, home, name)
		for _, route := range api.Routes {
			if strings.HasPrefix(route.Path, "/health") {
				continue
			}
			path := strings.NewReplacer("{position}", "1", "{id}", newID().String(),
				"{role_id}", newID().String(), "{mandate_id}", newID().String()).
				Replace(route.Path)
			if name == "superadmin" && strings.HasPrefix(path, "/buildings") {
				path += "?organization_id=" + organization.String()
			}
			var sent any
			if route.Method != "GET" && route.Method != "DELETE" {
				sent = body{}
			}
			what := name + " " + route.Method + " " + route.Path
			if route.May == api.Public {
				continue
			}
			stranger := o.ask(t, nil, route.Method, path, sent)
			require.Equal(t, 401, stranger.status, what)
			got := o.ask(t, p, route.Method, path, sent)
			require.Less(t, got.status, 500, what+got.text)
			if route.May&role == 0 {
				require.Equal(t, 403, got.status, what+got.text)
				require.Equal(t, "forbidden", got.get("code"))
				continue
			}
			require.NotContains(t, []int{401, 403}, got.status, what+got.text)
		}
	}
}
