package api

import (
	"encoding/json"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestOpenAPI(t *testing.T) {
	t.Parallel()
	s := serve(t)
	answer := s.get(t, "/openapi.json", "Authorization", "")
	require.Equal(t, 200, answer.status)
	var document struct {
		OpenAPI string `json:"openapi"`
		Paths   map[string]map[string]struct {
			Security    []map[string][]string `json:"security"`
			Roles       []string              `json:"x-roles"`
			Responses   map[string]any        `json:"responses"`
			RequestBody struct {
				Content map[string]struct {
					Schema map[string]any `json:"schema"`
				} `json:"content"`
			} `json:"requestBody"`
			Parameters []struct {
				Name string `json:"name"`
				In   string `json:"in"`
			} `json:"parameters"`
		} `json:"paths"`
		Components struct {
			Schemas map[string]struct {
				Required   []string                  `json:"required"`
				Properties map[string]map[string]any `json:"properties"`
			} `json:"schemas"`
		} `json:"components"`
	}
	require.NoError(t, json.Unmarshal(answer.body, &document))
	require.True(t, strings.HasPrefix(document.OpenAPI, "3.1"))

	t.Run("the document and the routes are the same", func(t *testing.T) {
		described := 0
		for _, item := range document.Paths {
			described += len(item)
		}
		routes := s.yard.routes()
		require.Equal(t, len(routes), described)
		for _, route := range routes {
			operation, ok := document.Paths[basePath+route.Path][strings.ToLower(route.Method)]
			require.True(t, ok, route.Path)
			require.Equal(t, route.May == Public, len(operation.Security) == 0)
			require.Equal(t, strings.Split(route.May.String(), ", "), operation.Roles)
			require.Contains(t, operation.Responses, "400")
		}
	})
	t.Run("a POST requires what it requires, a PUT nothing and takes no id", func(t *testing.T) {
		schemas := document.Components.Schemas
		require.Equal(t, []string{"name"}, schemas["ParcelIn"].Required)
		require.Empty(t, schemas["ParcelInChange"].Required)
		require.Contains(t, schemas["ParcelIn"].Properties, "id")
		require.NotContains(t, schemas["ParcelInChange"].Properties, "id")
		require.Contains(t, schemas["ParcelIn"].Properties, "organization_id")
		require.Equal(t, []string{"text"}, schemas["LineIn"].Required)
		put := document.Paths[basePath+"/parcels/{id}"]["put"]
		require.Equal(t, "#/components/schemas/ParcelInChange",
			put.RequestBody.Content["application/json"].Schema["$ref"])
	})
	t.Run("the product's own routes are described too", func(t *testing.T) {
		server, err := New(Config{Authenticate: authenticateTest, JWTSecret: testSecret})
		require.NoError(t, err)
		for _, route := range Routes {
			require.Contains(t, string(server.document), `"`+basePath+route.Path+`"`)
		}
	})
	t.Run("every reference leads somewhere, and nothing of huma's own is served", func(t *testing.T) {
		for _, match := range regexp.MustCompile(`"#/components/schemas/([^"]+)"`).
			FindAllStringSubmatch(string(answer.body), -1) {
			require.Contains(t, document.Components.Schemas, match[1])
		}
		require.NotContains(t, string(answer.body), "$schema")
		for _, path := range []string{"/schemas/Parcel.json", "/openapi.yaml", "/openapi-3.0.json"} {
			require.Equal(t, 404, s.get(t, path).status, path)
		}
	})
	t.Run("parameters of the conventions are described", func(t *testing.T) {
		var names []string
		for _, parameter := range document.Paths[basePath+"/parcels"]["get"].Parameters {
			names = append(names, parameter.Name)
		}
		expected := append(slices.Clone(pageParameters), "city", "organization_id", "If-None-Match")
		for _, name := range expected {
			require.Contains(t, names, name)
		}
	})
	t.Run("the pages load nothing from elsewhere", func(t *testing.T) {
		for path, kind := range map[string]string{
			"/docs": "text/html", "/docs/docs.js": "text/javascript", "/docs/docs.css": "text/css",
			problemPage: "text/html",
		} {
			answer := s.get(t, path, "Authorization", "")
			require.Equal(t, http.StatusOK, answer.status, path)
			require.Contains(t, answer.header.Get("Content-Type"), kind)
			require.Contains(t, answer.header.Get("Content-Security-Policy"), "script-src 'self'")
			require.NotRegexp(t, `(src|href)="(https?:)?//`, string(answer.body), path)
		}
	})
}
