package api

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humachi"
	"github.com/go-chi/chi/v5"
)

var pathParameter = regexp.MustCompile(`\{([a-z_]+)\}`)

// checkRoutes refuses a table with a route that declares nobody, or less than it needs.
func checkRoutes(routes []Route) error {
	seen := map[string]bool{}
	for _, route := range routes {
		name := route.Method + " " + route.Path
		if err := checkRoute(route); err != nil {
			return fmt.Errorf("the route %s %w", name, err)
		}
		if seen[name] {
			return fmt.Errorf("the route %s is declared twice", name)
		}
		seen[name] = true
	}
	return nil
}

func checkRoute(route Route) error {
	serve := route.Serve
	switch {
	case route.May == 0:
		return fmt.Errorf("declares nobody who may call it")
	case route.May&Public != 0 && route.May != Public:
		return fmt.Errorf("is public and asks for a role")
	case route.May > Public<<1-1:
		return fmt.Errorf("asks for a role that nobody has")
	case serve.kind == 0:
		return fmt.Errorf("does nothing")
	case serve.kind == verbList && len(serve.sorts.columns) == 0:
		return fmt.Errorf("is a list and declares nothing that it sorts by")
	case serve.writes() == (route.Method == http.MethodGet) && serve.kind != verbRaw:
		return fmt.Errorf("has a verb of another method")
	case serve.kind == verbChange && route.Method != http.MethodPut,
		serve.kind == verbRemove && route.Method != http.MethodDelete,
		serve.kind == verbCreate && route.Method != http.MethodPost && route.Method != http.MethodPut:
		return fmt.Errorf("has a verb of another method")
	case serve.tables != nil && serve.writes():
		return fmt.Errorf("is a write and remembers answers")
	}
	return checkPath(route)
}

// checkPath compares the path's {parameters} with those of the handler.
func checkPath(route Route) error {
	if route.Serve.kind == verbRaw {
		return nil
	}
	known := shapeOf(route.Serve.params)
	for _, match := range pathParameter.FindAllStringSubmatch(route.Path, -1) {
		if field := known.byName[match[1]]; field == nil || field.in != "path" {
			return fmt.Errorf("has a handler that does not take {%s}", match[1])
		}
	}
	for _, field := range known.fields {
		if field.in == "path" && !strings.Contains(route.Path, "{"+field.name+"}") {
			return fmt.Errorf("has a handler that takes {%s}", field.name)
		}
	}
	if route.Serve.body != nil {
		shapeOf(route.Serve.body)
	}
	return nil
}

// mount registers the routes with huma, which describes them, and the pages at the root.
func (s *Server) mount(router chi.Router, config Config, routes []Route) error {
	adapter := humachi.NewAdapter(router)
	described := huma.NewAPI(documentConfig(config), adapter)
	for i := range routes {
		route := &routes[i]
		operation := describe(described.OpenAPI(), route)
		adapter.Handle(operation, func(ctx huma.Context) {
			r, w := humachi.Unwrap(ctx)
			x := w.(*exchange) //nolint:forcetypeassert // ServeHTTP made it
			s.serve(x, r, route)
		})
	}
	document, err := finishDocument(described.OpenAPI())
	if err != nil {
		return err
	}
	s.document = document
	s.mountPages(router)
	return nil
}

// mountPages puts what is no resource at the root.
func (s *Server) mountPages(router chi.Router) {
	for _, path := range []string{"/health", "/health/ready"} {
		route := &Route{
			Method: http.MethodGet, Path: path, May: Public, Serve: raw(health),
		}
		if path == "/health/ready" {
			route.Serve = raw(ready)
		}
		router.Get(path, func(w http.ResponseWriter, r *http.Request) {
			s.serve(w.(*exchange), r, route) //nolint:forcetypeassert // as above
		})
	}
	router.Method(http.MethodGet, "/metrics", s.metricsPage())
	router.Get("/openapi.json", s.openAPIPage)
	mountDocs(router)
}
