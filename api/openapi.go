package api

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"
)

const schemaPrefix = "#/components/schemas/"

// uuidText stands for uuid.UUID in schemas.
type uuidText struct{}

// Schema describes a UUID.
func (uuidText) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeString, Format: "uuid"}
}

// documentConfig starts the OpenAPI document. huma serves none of its own pages: no $schema links,
// no documentation from elsewhere.
func documentConfig(config Config) huma.Config {
	registry := huma.NewMapRegistry(schemaPrefix, huma.DefaultSchemaNamer)
	registry.RegisterTypeAlias(reflect.TypeFor[uuid.UUID](), reflect.TypeFor[uuidText]())
	version := config.Version
	if version == "" {
		version = "1"
	}
	made := huma.DefaultConfig("KoproGo", version)
	made.CreateHooks, made.Transformers = nil, nil
	made.OpenAPIPath, made.DocsPath, made.SchemasPath = "", "", ""
	made.Info.Description = "Co-ownership on an event log. Every write answers the whole resource " +
		"and Koprogo-Position; refusals are problem+json with a stable code, explained at " +
		problemPage + "."
	made.Components = &huma.Components{
		Schemas: registry, Responses: problemResponses(registry),
		SecuritySchemes: map[string]*huma.SecurityScheme{
			"bearer": {Type: "http", Scheme: "bearer", BearerFormat: "JWT"},
		},
	}
	if config.PublicURL != "" {
		made.Servers = []*huma.Server{{URL: config.PublicURL}}
	}
	return made
}

// problemResponses describes one refusal for each status, with the codes it may have.
func problemResponses(registry huma.Registry) map[string]*huma.Response {
	schema := registry.Schema(reflect.TypeFor[problemBody](), true, "")
	byStatus := map[int][]string{}
	for code, entry := range codes {
		byStatus[entry.status] = append(byStatus[entry.status], string(code))
	}
	responses := map[string]*huma.Response{}
	for status, names := range byStatus {
		slices.Sort(names)
		responses["Problem"+strconv.Itoa(status)] = &huma.Response{
			Description: titles[status].en + ": " + strings.Join(names, ", "),
			Content:     map[string]*huma.MediaType{"application/problem+json": {Schema: schema}},
		}
	}
	all := slices.Sorted(maps.Keys(codes))
	enum := make([]any, len(all))
	for i, code := range all {
		enum[i] = string(code)
	}
	registry.Map()["ProblemBody"].Properties["code"].Enum = enum
	return responses
}

// describe enters a route in the document.
func describe(document *huma.OpenAPI, route *Route) *huma.Operation {
	registry := document.Components.Schemas
	serve := route.Serve
	operation := &huma.Operation{
		OperationID: operationID(route), Method: route.Method, Path: basePath + route.Path,
		Summary: route.Summary, Description: "May call it: " + route.May.String() + ".",
		Tags:       []string{strings.SplitN(strings.TrimPrefix(route.Path, "/"), "/", 2)[0]},
		Parameters: describeParams(registry, route), Responses: describeResponses(registry, route),
		Extensions: map[string]any{"x-roles": strings.Split(route.May.String(), ", ")},
	}
	if route.May != Public {
		operation.Security = []map[string][]string{{"bearer": {}}}
	}
	if serve.writes() && serve.body != reflect.TypeFor[None]() {
		operation.RequestBody = &huma.RequestBody{
			Required: true,
			Content: map[string]*huma.MediaType{"application/json": {
				Schema: bodySchema(registry, serve.body, serve.mode()),
			}},
		}
	}
	document.AddOperation(operation)
	return operation
}

func operationID(route *Route) string {
	name := strings.NewReplacer("/", "-", "{", "", "}", "", "_", "-").Replace(route.Path)
	return strings.ToLower(route.Method) + name
}

func describeParams(registry huma.Registry, route *Route) []*huma.Param {
	described := []*huma.Param{}
	if route.Serve.kind == verbRaw {
		for _, match := range pathParameter.FindAllStringSubmatch(route.Path, -1) {
			described = append(described, textParam(match[1], "path", ""))
		}
		return described
	}
	for _, field := range shapeOf(route.Serve.params).fields {
		declared := route.Serve.params.FieldByIndex(field.index)
		schema := huma.SchemaFromField(registry, declared, "")
		schema.Nullable = false
		described = append(described, &huma.Param{
			Name: field.name, In: field.in, Required: field.required, Schema: schema,
			Description: declared.Tag.Get("doc"),
		})
	}
	return append(described, conventionParams(route)...)
}

// conventionParams are the parameters and headers that come with the verb.
func conventionParams(route *Route) []*huma.Param {
	serve := route.Serve
	described := []*huma.Param{}
	for _, name := range serve.conventions() {
		described = append(described, conventionParam(name, serve.sorts))
	}
	if route.May != Public {
		described = append(described, textParam(organizationField, "query",
			"The organization; only a superadmin names another than his own"))
	}
	if serve.writes() {
		described = append(described, textParam("If-Match", "header", "The ETag that was read"))
		if !refusesIdempotency(route.Path) {
			described = append(described, textParam(idempotencyHeader, "header",
				"1 to 255 printable ASCII characters; kept for 24 h"))
		}
		return described
	}
	return append(described, textParam("If-None-Match", "header", "Answered 304 when it matches"),
		textParam(leastHeader, "header", "The answer shows at least this position"))
}

func conventionParam(name string, sorts sorting) *huma.Param {
	param := textParam(name, "query", "")
	switch name {
	case "page":
		param.Schema = &huma.Schema{Type: huma.TypeInteger, Default: 1}
	case "per_page":
		most := float64(max(sorts.perPage, maxPerPage))
		param.Schema = &huma.Schema{
			Type: huma.TypeInteger, Default: defaultPerPage, Maximum: &most,
		}
	case "sort_by":
		for _, column := range sorts.columns {
			param.Schema.Enum = append(param.Schema.Enum, column)
		}
		param.Schema.Default = sorts.columns[0]
	case "order":
		param.Schema.Enum = []any{"asc", "desc"}
	case "cursor":
		param.Description = "next_cursor of the page before, with the same sort and filters"
	case asOfParameter:
		param.Description = "An instant or a day: the answer is as it was recorded then"
	case asOfPositionParameter:
		param.Schema = &huma.Schema{Type: huma.TypeInteger}
	}
	return param
}

func textParam(name, in, description string) *huma.Param {
	return &huma.Param{
		Name: name, In: in, Required: in == "path", Description: description,
		Schema: &huma.Schema{Type: huma.TypeString},
	}
}

// bodySchema describes a body as the decoder reads it: what is required on POST, nothing on PUT.
func bodySchema(registry huma.Registry, body reflect.Type, mode bodyMode) *huma.Schema {
	reference := registry.Schema(body, true, "Body")
	markRequired(registry, body)
	name := strings.TrimPrefix(reference.Ref, schemaPrefix)
	schema := registry.Map()[name]
	if schema.Properties[organizationField] == nil {
		schema.Properties[organizationField] = &huma.Schema{
			Type: huma.TypeString, Format: "uuid", Nullable: true,
			Description: "Accepted; a superadmin's is used",
		}
	}
	if mode == onCreate {
		return reference
	}
	changing := *schema
	changing.Required = nil
	changing.Properties = maps.Clone(schema.Properties)
	for _, field := range shapeOf(body).fields {
		if field.onlyCreate {
			delete(changing.Properties, field.name)
		}
	}
	registry.Map()[name+"Change"] = &changing
	return &huma.Schema{Ref: schemaPrefix + name + "Change"}
}

// markRequired sets the required list of a request's struct, and of those within, to what the
// decoder requires.
func markRequired(registry huma.Registry, t reflect.Type) {
	for t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct || isScalar(t) {
		return
	}
	schema := registry.Schema(t, false, "Body")
	schema.Required = nil
	for _, field := range shapeOf(t).fields {
		if field.required && field.in == "json" {
			schema.Required = append(schema.Required, field.name)
		}
		inner := t.FieldByIndex(field.index).Type
		if optional, ok := reflect.New(inner).Interface().(optional); ok {
			inner = optional.target().Type()
		}
		markRequired(registry, inner)
	}
}

func describeResponses(registry huma.Registry, route *Route) map[string]*huma.Response {
	serve := route.Serve
	success := &huma.Response{Description: "Success"}
	switch {
	case serve.media != "":
		success.Content = map[string]*huma.MediaType{serve.media: {
			Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"},
		}}
	case serve.answer != nil:
		success.Content = map[string]*huma.MediaType{"application/json": {
			Schema: registry.Schema(serve.answer, true, "Answer"),
		}}
	}
	responses := map[string]*huma.Response{strconv.Itoa(max(serve.status, 200)): success}
	statuses := []int{400, 429, 500, 503}
	if route.May != Public {
		statuses = append(statuses, 401, 403, 404)
	}
	if serve.writes() {
		statuses = append(statuses, 409, 412, 413, 415)
		if !refusesIdempotency(route.Path) {
			statuses = append(statuses, 422)
		}
		success.Headers = map[string]*huma.Param{
			positionHeader: {Schema: &huma.Schema{Type: huma.TypeInteger}},
		}
	} else if serve.kind != verbRaw {
		responses["304"] = &huma.Response{Description: "The client has it"}
	}
	for _, status := range statuses {
		responses[strconv.Itoa(status)] = &huma.Response{
			Ref: "#/components/responses/Problem" + strconv.Itoa(status),
		}
	}
	return responses
}

func finishDocument(document *huma.OpenAPI) ([]byte, error) {
	written, err := json.Marshal(document)
	if err != nil {
		return nil, fmt.Errorf("write the OpenAPI document: %w", err)
	}
	return written, nil
}

// openAPIPage is /openapi.json.
func (s *Server) openAPIPage(w http.ResponseWriter, _ *http.Request) {
	header := w.Header()
	header.Set("Content-Type", "application/openapi+json")
	header.Set("Cache-Control", "no-cache")
	header.Set("Content-Length", strconv.Itoa(len(s.document)))
	_, _ = w.Write(s.document) // the client is gone when it fails
}
