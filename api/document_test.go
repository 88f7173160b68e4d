package api_test

import (
	"encoding/json"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/koprogo/koprogo/api"
)

// document is the product's OpenAPI document, as far as the tests read it.
type document struct {
	OpenAPI string `json:"openapi"`
	Info    struct {
		Title   string `json:"title"`
		Version string `json:"version"`
	} `json:"info"`
	Paths      map[string]map[string]operation `json:"paths"`
	Components struct {
		Schemas         map[string]*schema  `json:"schemas"`
		Responses       map[string]response `json:"responses"`
		SecuritySchemes map[string]any      `json:"securitySchemes"`
	} `json:"components"`
	text string
}

type operation struct {
	OperationID string                `json:"operationId"`
	Summary     string                `json:"summary"`
	Description string                `json:"description"`
	Tags        []string              `json:"tags"`
	Roles       []string              `json:"x-roles"`
	Security    []map[string][]string `json:"security"`
	Parameters  []parameter           `json:"parameters"`
	RequestBody *struct {
		Content map[string]content `json:"content"`
	} `json:"requestBody"`
	Responses map[string]response `json:"responses"`
}

type parameter struct {
	Name     string  `json:"name"`
	In       string  `json:"in"`
	Required bool    `json:"required"`
	Schema   *schema `json:"schema"`
}

type response struct {
	Ref         string             `json:"$ref"`
	Description string             `json:"description"`
	Content     map[string]content `json:"content"`
}

type content struct {
	Schema *schema `json:"schema"`
}

type schema struct {
	Ref                  string             `json:"$ref"`
	Type                 any                `json:"type"` // a name, or several
	Format               string             `json:"format"`
	Pattern              string             `json:"pattern"`
	Enum                 []any              `json:"enum"`
	Examples             []any              `json:"examples"`
	Minimum              *float64           `json:"minimum"`
	Required             []string           `json:"required"`
	Properties           map[string]*schema `json:"properties"`
	Items                *schema            `json:"items"`
	AdditionalProperties any                `json:"additionalProperties"`
	Description          string             `json:"description"`
}

// types are the JSON types that the schema allows; none where it allows any.
func (s *schema) types() []string {
	switch named := s.Type.(type) {
	case string:
		return []string{named}
	case []any:
		names := make([]string, len(named))
		for i, name := range named {
			names[i], _ = name.(string)
		}
		return names
	}
	return nil
}

func readDocument(t testing.TB, o *office) *document {
	t.Helper()
	response, err := o.Client().Get(o.URL + "/openapi.json")
	require.NoError(t, err)
	defer response.Body.Close()
	var raw json.RawMessage
	require.NoError(t, json.NewDecoder(response.Body).Decode(&raw))
	read := &document{text: string(raw)}
	require.NoError(t, json.Unmarshal(raw, read))
	return read
}

func (d *document) operation(route api.Route) operation {
	return d.Paths["/api/v1"+route.Path][strings.ToLower(route.Method)]
}

// resolve follows a reference.
func (d *document) resolve(s *schema) *schema {
	for s != nil && s.Ref != "" {
		s = d.Components.Schemas[strings.TrimPrefix(s.Ref, "#/components/schemas/")]
	}
	return s
}

// body is the schema of what the route takes; nil where it takes nothing.
func (d *document) body(route api.Route) *schema {
	taken := d.operation(route).RequestBody
	if taken == nil {
		return nil
	}
	return taken.Content["application/json"].Schema
}

// sampleBody is a valid body of the route with all that it requires; a PUT's has what its noun's
// POST requires, or what names something or has few values. ids gives the id that a field names, by
// the noun in the field's name. It is nil where the route takes none.
func (d *document) sampleBody(route api.Route, ids map[string]string) any {
	taken := d.body(route)
	if taken == nil {
		return nil
	}
	whole := d.resolve(taken)
	required := whole.Required
	if created := d.Components.Schemas[strings.TrimSuffix(
		strings.TrimPrefix(taken.Ref, "#/components/schemas/"), "Change")]; created != nil {
		required = created.Required
	}
	if len(required) == 0 {
		for name, property := range whole.Properties {
			names := d.resolve(property).Format == "uuid" && name != "organization_id"
			if names || len(d.resolve(property).Enum) > 0 {
				required = append(required, name)
			}
		}
	}
	made := map[string]any{}
	for _, name := range required {
		made[name] = d.sample(name, whole.Properties[name], ids)
	}
	return made
}

// sample is a value that the schema of a field describes.
func (d *document) sample(name string, s *schema, ids map[string]string) any {
	s = d.resolve(s)
	kinds := s.types()
	switch {
	case len(s.Enum) > 0:
		return s.Enum[len(s.Enum)-1]
	case s.Format == "uuid":
		noun := strings.TrimSuffix(strings.TrimSuffix(name, "_ids"), "_id")
		if id := ids[noun]; id != "" {
			return id
		}
		return newID().String()
	case strings.Contains(name, "email"):
		return newID().String() + "@example.org"
	case name == "slug":
		return "s-" + newID().String()
	case len(s.Examples) > 0:
		return s.Examples[0]
	case slices.Contains(kinds, "object"):
		made := map[string]any{}
		for _, required := range s.Required {
			made[required] = d.sample(required, s.Properties[required], ids)
		}
		return made
	case slices.Contains(kinds, "array"):
		return []any{d.sample(name, s.Items, ids)}
	case slices.Contains(kinds, "integer"), slices.Contains(kinds, "number"):
		if s.Minimum != nil {
			return *s.Minimum
		}
		return 1
	case slices.Contains(kinds, "boolean"):
		return true
	}
	return "text-" + newID().String()
}

func TestDocument(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	d := readDocument(t, o)

	t.Run("it is OpenAPI 3.1 of this product and says how one signs in", func(t *testing.T) {
		require.Regexp(t, `^3\.1\.\d$`, d.OpenAPI)
		require.NotEmpty(t, d.Info.Title)
		require.NotEmpty(t, d.Info.Version)
		require.Contains(t, d.Components.SecuritySchemes, "bearer")
	})
	t.Run("it holds every route and nothing else", func(t *testing.T) {
		described, declared := []string{}, []string{}
		for path, operations := range d.Paths {
			for method := range operations {
				described = append(described, strings.ToUpper(method)+" "+path)
			}
		}
		for _, route := range api.Routes {
			declared = append(declared, route.Method+" /api/v1"+route.Path)
		}
		require.ElementsMatch(t, declared, described)
	})
	t.Run("every reference leads somewhere", func(t *testing.T) {
		for _, match := range regexp.MustCompile(`"#/components/(\w+)/([^"]+)"`).
			FindAllStringSubmatch(d.text, -1) {
			switch match[1] {
			case "schemas":
				require.Contains(t, d.Components.Schemas, match[2])
			case "responses":
				require.Contains(t, d.Components.Responses, match[2])
			default:
				require.Fail(t, "unknown kind of reference", match[0])
			}
		}
	})
	t.Run("the product takes a body made of its required fields and examples", func(t *testing.T) {
		admin := o.signedIn(t, uuid.Nil, "superadmin")
		p := openPremises(t, o)
		for _, route := range api.Routes {
			if route.Method != http.MethodPost || strings.Count(route.Path, "/") > 1 ||
				slices.Contains([]string{"user", "owner"}, route.Noun) {
				continue // what is required of these depends on another field
			}
			sent, takesBody := d.sampleBody(route, p.ids).(map[string]any)
			if !takesBody {
				continue
			}
			sent["organization_id"] = p.organization
			got := o.ask(t, admin, "POST", route.Path, sent)
			require.Equal(t, 201, got.status, "%s %v: %s", route.Path, sent, got.text)
		}
	})
	t.Run("every schema is well formed", func(t *testing.T) {
		for _, name := range slices.Sorted(maps.Keys(d.Components.Schemas)) {
			d.checkSchema(t, name, d.Components.Schemas[name])
		}
	})
	named := map[string]string{}
	for _, route := range api.Routes {
		t.Run(route.Method+" "+route.Path, func(t *testing.T) {
			described := d.operation(route)
			d.checkOperation(t, route, described)
			require.Empty(t, named[described.OperationID], "its id names two operations")
			named[described.OperationID] = route.Path
		})
	}
}

// checkSchema fails at what no reader of the document could use.
func (d *document) checkSchema(t *testing.T, where string, s *schema) {
	t.Helper()
	if s.Ref != "" {
		require.NotNil(t, d.resolve(s), where)
		return
	}
	for _, kind := range s.types() {
		require.Contains(t, []string{
			"string", "integer", "number", "boolean", "object", "array", "null",
		}, kind, where)
	}
	if s.Pattern != "" {
		_, err := regexp.Compile(s.Pattern)
		require.NoError(t, err, where)
	}
	for _, name := range s.Required {
		require.Contains(t, s.Properties, name, where)
	}
	if slices.Contains(s.types(), "array") {
		require.NotNil(t, s.Items, where)
		d.checkSchema(t, where+"[]", s.Items)
	}
	for name, property := range s.Properties {
		d.checkSchema(t, where+"."+name, property)
	}
}

func (d *document) checkOperation(t *testing.T, route api.Route, described operation) {
	t.Helper()
	require.Equal(t, strings.Split(route.May.String(), ", "), described.Roles)
	require.Equal(t, route.May == api.Public, len(described.Security) == 0)
	require.Equal(t, route.Summary, described.Summary)
	require.NotEmpty(t, described.Summary)
	require.NotEmpty(t, described.Tags)

	inPath, seen := []string{}, map[string]bool{}
	for _, parameter := range described.Parameters {
		require.False(t, seen[parameter.In+parameter.Name], "%s stands twice", parameter.Name)
		seen[parameter.In+parameter.Name] = true
		require.Contains(t, []string{"path", "query", "header"}, parameter.In)
		require.NotNil(t, parameter.Schema, parameter.Name)
		d.checkSchema(t, parameter.Name, parameter.Schema)
		if parameter.In == "path" {
			require.True(t, parameter.Required, parameter.Name)
			inPath = append(inPath, parameter.Name)
		}
	}
	holes := []string{}
	for _, match := range regexp.MustCompile(`\{(\w+)\}`).FindAllStringSubmatch(route.Path, -1) {
		holes = append(holes, match[1])
	}
	require.ElementsMatch(t, holes, inPath)
	if taken := d.body(route); taken != nil {
		require.Contains(t, []string{"POST", "PUT"}, route.Method)
		require.NotEmpty(t, d.resolve(taken).Properties)
	}
	d.checkResponses(t, route, described)
}

// checkResponses asks for one success with the shape of its body, and for refusals with codes.
func (d *document) checkResponses(t *testing.T, route api.Route, described operation) {
	t.Helper()
	successes := 0
	for status, answer := range described.Responses {
		code, err := strconv.Atoi(status)
		require.NoError(t, err)
		if code >= 400 {
			require.Equal(t, "#/components/responses/Problem"+status, answer.Ref)
			problem := d.Components.Responses["Problem"+status]
			require.Contains(t, problem.Content, "application/problem+json")
			continue
		}
		require.NotEmpty(t, answer.Description)
		if code == 304 {
			continue
		}
		successes++
		if code != 204 {
			require.NotEmpty(t, answer.Content)
			for media, content := range answer.Content {
				require.NotNil(t, d.resolve(content.Schema), "%s has no shape", media)
			}
		}
	}
	require.Equal(t, 1, successes)
	if route.May != api.Public {
		for _, status := range []string{"401", "403", "404"} {
			require.Contains(t, described.Responses, status)
		}
	}
}

// codes are those that the document lists for a status, or all.
func (d *document) codes(status int) []string {
	described := d.Components.Responses["Problem"+strconv.Itoa(status)].Description
	_, names, _ := strings.Cut(described, ": ")
	return strings.Split(names, ", ")
}

// knows tells whether a problem's code is documented for its status.
func (d *document) knows(status int, code string) bool {
	return slices.Contains(d.codes(status), code)
}
