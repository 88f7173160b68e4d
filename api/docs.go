package api

import (
	"bytes"
	_ "embed" // the page's files
	"html/template"
	"maps"
	"net/http"
	"slices"

	"github.com/go-chi/chi/v5"
)

// problemPage explains every code.
const problemPage = "/docs/problems"

// docsPolicy lets the pages use their own script and style, and nothing from elsewhere.
var docsPolicy = []string{"default-src 'none'; script-src 'self'; style-src 'self'; " +
	"connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"}

var (
	//go:embed pages/docs.html
	docsHTML []byte
	//go:embed pages/docs.js
	docsJS []byte
	//go:embed pages/docs.css
	docsCSS []byte
	//go:embed pages/problems.html
	problemsHTML string
)

// mountDocs puts the pages that show /openapi.json and the list of codes.
func mountDocs(router chi.Router) {
	router.Get("/docs", page("text/html; charset=utf-8", docsHTML))
	router.Get("/docs/docs.js", page("text/javascript; charset=utf-8", docsJS))
	router.Get("/docs/docs.css", page("text/css; charset=utf-8", docsCSS))
	router.Get(problemPage, page("text/html; charset=utf-8", problemList()))
}

func page(contentType string, content []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		header := w.Header()
		header.Set("Content-Type", contentType)
		header["Content-Security-Policy"] = docsPolicy
		header.Set("Cache-Control", "no-cache")
		_, _ = w.Write(content) // the client is gone when it fails
	}
}

// problemList writes the page of all codes once.
func problemList() []byte {
	type row struct {
		Code       Code
		Status     int
		EN, FR, NL string
	}
	var rows []row
	for _, code := range slices.Sorted(maps.Keys(codes)) {
		entry := codes[code]
		rows = append(rows, row{code, entry.status, entry.text.en, entry.text.fr, entry.text.nl})
	}
	var out bytes.Buffer
	list := template.Must(template.New("problems").Parse(problemsHTML))
	if err := list.Execute(&out, rows); err != nil {
		panic(err) // the template is part of the program
	}
	return out.Bytes()
}
