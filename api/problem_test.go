package api

import (
	"bytes"
	"context"
	stdjson "encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"net/http"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/koprogo/koprogo/commands"
	"github.com/koprogo/koprogo/eventstore"
	"github.com/koprogo/koprogo/queries"
)

func TestProblemGolden(t *testing.T) {
	t.Parallel()
	s := serve(t)
	path := "/api/v1/parcels/" + firstID.String()
	var all bytes.Buffer
	for _, c := range []struct {
		name   string
		answer got
	}{
		{"not found, en", s.get(t, path, "X-Request-Id", "golden")},
		{"not found, fr", s.get(t, path, "X-Request-Id", "golden", "Accept-Language", "fr-BE, en;q=0.5")},
		{"not found, nl", s.get(t, path, "X-Request-Id", "golden", "Accept-Language", "nl")},
		{"invalid fields", s.post(t, `{"count":0,"colour":1}`, "X-Request-Id", "golden")},
		{"unknown field, fr", s.post(t, `{"name":"A","colour":1}`, "X-Request-Id", "golden",
			"Accept-Language", "fr")},
		{"no token", s.get(t, path, "X-Request-Id", "golden", "Authorization", "")},
		{"no route", s.get(t, "/api/v1/nothing", "X-Request-Id", "golden")},
	} {
		fmt.Fprintf(&all, "# %s: %d %s\n", c.name, c.answer.status,
			c.answer.header.Get("Content-Language"))
		require.NoError(t, stdjson.Indent(&all, c.answer.body, "", "  "))
		all.WriteString("\n")
	}
	const file = "testdata/problems.golden"
	if os.Getenv("UPDATE_GOLDEN") != "" {
		require.NoError(t, os.WriteFile(file, all.Bytes(), 0o600))
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, string(want), all.String())
}

func TestCodes(t *testing.T) {
	t.Parallel()
	placeholders := regexp.MustCompile(`\{[a-z]+\}`)
	t.Run("every code has a status, a title and three languages with the same placeholders",
		func(t *testing.T) {
			for code, entry := range codes {
				require.Regexp(t, `^[a-z]+(_[a-z]+)*$`, string(code))
				require.NotEmpty(t, titles[entry.status].en, code)
				require.NotEmpty(t, titles[entry.status].fr, code)
				require.NotEmpty(t, titles[entry.status].nl, code)
				for _, language := range []Language{English, French, Dutch} {
					require.NotEmpty(t, entry.text.in(language), "%s in %s", code, language)
					require.ElementsMatch(t, placeholders.FindAllString(entry.text.en, -1),
						placeholders.FindAllString(entry.text.in(language), -1), code)
				}
			}
			for noun, name := range nouns {
				require.NotContains(t, []string{name.en, name.fr, name.nl}, "", noun)
			}
		})
	t.Run("every code that a rule refuses with is explained", func(t *testing.T) {
		entries, err := os.ReadDir("../commands")
		require.NoError(t, err)
		found := 0
		for _, entry := range entries {
			if !strings.HasSuffix(entry.Name(), ".go") || strings.HasSuffix(entry.Name(), "_test.go") {
				continue
			}
			for _, code := range codesOf(t, "../commands/"+entry.Name()) {
				_, known := codes[Code(code)]
				require.True(t, known, "explain %s of %s in codes_rules.go, in three languages",
					code, entry.Name())
				found++
			}
		}
		require.Greater(t, found, 10)
	})
	t.Run("every code stands on the page that type points to", func(t *testing.T) {
		s := serve(t)
		answer := s.get(t, problemPage, "Authorization", "")
		require.Equal(t, http.StatusOK, answer.status)
		for code := range codes {
			require.Contains(t, string(answer.body), `id="`+string(code)+`"`)
		}
	})
}

// codesOf reads the string constants of type Code in a file.
func codesOf(t *testing.T, file string) []string {
	t.Helper()
	parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
	require.NoError(t, err)
	var found []string
	ast.Inspect(parsed, func(node ast.Node) bool {
		spec, ok := node.(*ast.ValueSpec)
		if !ok {
			return true
		}
		if name, ok := spec.Type.(*ast.Ident); !ok || name.Name != "Code" || len(spec.Values) == 0 {
			return true
		}
		text, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
		require.NoError(t, err)
		found = append(found, text)
		return true
	})
	return found
}

func TestMapping(t *testing.T) {
	t.Parallel()
	route := &Route{Noun: "building", Serve: verb{words: params("lots", "total_units")}}
	for _, c := range []struct {
		err    error
		status int
		code   Code
	}{
		{&commands.Refused{Code: commands.CodePlanLimit}, 409, "plan_limit"},
		{&commands.Refused{Code: commands.CodeOrganizationSuspended}, 403, "organization_suspended"},
		{&commands.Refused{
			Code: commands.CodeNotFound, Params: params("what", "building"),
		}, 404, CodeNotFound},
		{&commands.Refused{Code: commands.CodeRequired, Field: "lots"}, 400, CodeInvalidField},
		{commands.ErrPrecondition, 412, CodePreconditionFailed},
		{&eventstore.ConflictError{}, 409, CodeConflict},
		{eventstore.ErrOutcomeUnknown, 503, CodeOutcomeUnknown},
		{eventstore.ErrUnavailable, 503, CodeUnavailable},
		{eventstore.ErrKeyReused, 422, CodeKeyReused},
		{eventstore.ErrErased, 410, CodeErased},
		{queries.ErrNotFound, 404, CodeNotFound},
		{queries.ErrPositionUnknown, 400, CodePositionUnknown},
		{queries.ErrBadMark, 400, CodeInvalidCursor},
		{queries.ErrBehind, 503, CodePositionNotReached},
		{context.DeadlineExceeded, 503, CodeUnavailable},
		{errors.New("select secret from log.keys"), 500, CodeInternal},
	} {
		problem := mapped(fmt.Errorf("register a building: %w", c.err), route)
		require.Equal(t, c.code, problem.Code, c.err)
		require.Equal(t, c.status, problem.Status(), c.err)
		require.NotContains(t, string(problemJSON(problem, English, "r")), "secret")
	}
	problem := mapped(&commands.Refused{
		Code: commands.CodeOutOfRange, Field: "lots", Params: params("min", "1", "max", "9"),
		More: []*commands.Refused{{Code: commands.CodeRequired, Field: "name"}},
	}, route)
	body := problem.body(English, "r")
	require.Equal(t, "total_units", body.Errors[0].Field)
	require.Equal(t, "This is out of range (1..9).", body.Errors[0].Detail)
	require.Equal(t, "name", body.Errors[1].Field)
}
