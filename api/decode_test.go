package api

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestBody(t *testing.T) {
	t.Parallel()
	s := serve(t)

	for name, c := range map[string]struct {
		body  string
		code  Code
		field string
		wrong Code
	}{
		"text that is no JSON":    {`{"name":`, CodeMalformedJSON, "", ""},
		"text after the JSON":     {`{"name":"A"} x`, CodeMalformedJSON, "", ""},
		"bytes that are no UTF-8": {"{\"name\":\"\xff\"}", CodeMalformedJSON, "", ""},
		"half a surrogate pair":   {`{"name":"\ud800"}`, CodeMalformedJSON, "", ""},
		"an array":                {`[]`, CodeInvalidField, "body", CodeWrongType},
		"a field twice": {
			`{"name":"A","name":"B"}`,
			CodeDuplicateField, "name", CodeGivenTwice,
		},
		"an unknown field": {
			`{"name":"A","colour":"red"}`,
			CodeUnknownField, "colour", CodeUnknownField,
		},
		"another case of a field": {
			`{"Name":"A"}`,
			CodeInvalidField, "Name", CodeUnknownField,
		},
		"an unknown field within": {
			`{"name":"A","lines":[{"text":"x","n":1}]}`,
			CodeUnknownField, "lines[0].n", CodeUnknownField,
		},
		"a missing required field": {`{}`, CodeInvalidField, "name", CodeRequired},
		"no body at all":           {``, CodeInvalidField, "name", CodeRequired},
		"null in a required field": {
			`{"name":null}`,
			CodeInvalidField, "name", CodeRequired,
		},
		"spaces in a required field": {
			`{"name":"  "}`,
			CodeInvalidField, "name", CodeRequired,
		},
		"a number for a text": {`{"name":5}`, CodeInvalidField, "name", CodeWrongType},
		"a text for a number": {
			`{"name":"A","count":"5"}`,
			CodeInvalidField, "count", CodeWrongType,
		},
		"half a number": {
			`{"name":"A","count":1.5}`,
			CodeInvalidField, "count", CodeWrongType,
		},
		"a number below its least": {
			`{"name":"A","count":0}`,
			CodeInvalidField, "count", CodeOutOfRange,
		},
		"a text for a truth value": {
			`{"name":"A","open":"yes"}`,
			CodeInvalidField, "open", CodeWrongType,
		},
		"an object for a text": {`{"name":{}}`, CodeInvalidField, "name", CodeWrongType},
		"a text for an array": {
			`{"name":"A","lines":"x"}`,
			CodeInvalidField, "lines", CodeWrongType,
		},
		"a text within an array": {
			`{"name":"A","lines":["x"]}`,
			CodeInvalidField, "lines[0]", CodeWrongType,
		},
		"too many items": {
			`{"name":"A","lines":[{"text":"a"},{"text":"a"},{"text":"a"},{"text":"a"}]}`,
			CodeInvalidField, "lines", CodeTooMany,
		},
		"a required field within": {
			`{"name":"A","lines":[{}]}`,
			CodeInvalidField, "lines[0].text", CodeRequired,
		},
		"a name of 256 characters": {
			`{"name":"` + strings.Repeat("é", 256) + `"}`,
			CodeInvalidField, "name", CodeTooLong,
		},
		"a text of 10,001 characters": {
			`{"name":"A","note":"` + strings.Repeat("x", 10_001) + `"}`,
			CodeInvalidField, "note", CodeTooLong,
		},
		"a NUL": {
			`{"name":"A\u0000"}`,
			CodeInvalidField, "name", CodeControlCharacters,
		},
		"a line break in a name": {
			`{"name":"A\nB"}`,
			CodeInvalidField, "name", CodeControlCharacters,
		},
		"an escape in a text": {
			`{"name":"A","note":"\u001b[1m"}`,
			CodeInvalidField, "note", CodeControlCharacters,
		},
		"a word that is not in the list": {
			`{"name":"A","kind":"huge"}`,
			CodeInvalidField, "kind", CodeUnknownValue,
		},
		"an id that is no UUID": {
			`{"name":"A","id":"x"}`,
			CodeInvalidField, "id", CodeMalformed,
		},
		"the nil id": {
			`{"name":"A","id":"00000000-0000-0000-0000-000000000000"}`,
			CodeInvalidField, "id", CodeMalformed,
		},
		"an amount of three places": {
			`{"name":"A","price":"1.005"}`,
			CodeInvalidField, "price", CodeTooManyPlaces,
		},
		"an amount beyond the largest": {
			`{"name":"A","price":10000000000}`,
			CodeInvalidField, "price", CodeOutOfRange,
		},
		"an amount in words": {
			`{"name":"A","price":"ten"}`,
			CodeInvalidField, "price", CodeMalformed,
		},
		"an amount with an endless power": {
			`{"name":"A","price":1e999999999}`,
			CodeInvalidField, "price", CodeMalformed,
		},
		"a truth value for an amount": {
			`{"name":"A","price":true}`,
			CodeInvalidField, "price", CodeWrongType,
		},
		"a day that does not exist": {
			`{"name":"A","day":"2026-02-30"}`,
			CodeInvalidField, "day", CodeMalformed,
		},
		"a body 40 levels deep": {
			`{"name":` + strings.Repeat("[", 40) + strings.Repeat("]", 40) + `}`,
			CodeTooDeep, "", "",
		},
		"an organization that is no id": {
			`{"name":"A","organization_id":"x"}`,
			CodeInvalidField, "organization_id", CodeMalformed,
		},
	} {
		t.Run(name+" is refused", func(t *testing.T) {
			t.Parallel()
			answer := s.post(t, c.body)
			require.Equal(t, http.StatusBadRequest, answer.status, string(answer.body))
			problem := answer.problem(t)
			require.Equal(t, c.code, problem.Code)
			if c.field != "" {
				require.Equal(t, c.field, problem.Errors[0].Field)
				require.Equal(t, c.wrong, problem.Errors[0].Code)
				require.Contains(t, problem.Detail, c.field)
			}
			require.Equal(t, problem.Detail, problem.Error)
		})
	}

	t.Run("all wrong fields are named at once", func(t *testing.T) {
		t.Parallel()
		problem := s.post(t, `{"count":0,"price":"x","colour":1}`).problem(t)
		named := map[string]Code{}
		for _, wrong := range problem.Errors {
			named[wrong.Field] = wrong.Code
		}
		require.Equal(t, map[string]Code{
			"name": CodeRequired, "count": CodeOutOfRange, "price": CodeMalformed,
			"colour": CodeUnknownField,
		}, named)
	})
	t.Run("a rejected value is never repeated", func(t *testing.T) {
		t.Parallel()
		answer := s.post(t, `{"name":5,"kind":"zebra","day":"zebra","id":"zebra","price":"zebra"}`)
		require.NotContains(t, string(answer.body), "zebra")
	})
	t.Run("a body beyond 1 MiB is 413", func(t *testing.T) {
		t.Parallel()
		answer := s.post(t, `{"name":"`+strings.Repeat("x", 2<<20)+`"}`)
		require.Equal(t, http.StatusRequestEntityTooLarge, answer.status)
		require.Equal(t, CodeBodyTooLarge, answer.problem(t).Code)
	})
	t.Run("a form is 415", func(t *testing.T) {
		t.Parallel()
		answer := s.post(t, `name=A`, "Content-Type", "application/x-www-form-urlencoded")
		require.Equal(t, http.StatusUnsupportedMediaType, answer.status)
		answer = s.post(t, `{"name":"A"}`, "Content-Type", "application/json; charset=latin1")
		require.Equal(t, http.StatusUnsupportedMediaType, answer.status)
		answer = s.post(t, `{"name":"A"}`, "Content-Type", "application/json; charset=UTF-8")
		require.Equal(t, http.StatusCreated, answer.status)
	})
}

func TestOptionalFields(t *testing.T) {
	t.Parallel()
	s := serve(t)

	t.Run("null and the empty text mean absent on POST", func(t *testing.T) {
		require.Equal(t, 201, s.post(t, `{"name":"A","note":null,"price":"","id":""}`).status)
		require.False(t, s.yard.lastIn.Note.IsGiven())
		require.True(t, s.yard.lastIn.Price.IsCleared())
	})
	t.Run("a PUT tells what it clears from what it leaves", func(t *testing.T) {
		path := "/api/v1/parcels/" + firstID.String()
		require.Equal(t, 200, s.send(t, "PUT", path, `{"note":"","count":4}`).status)
		in := s.yard.lastIn
		require.True(t, in.Note.IsCleared())
		require.True(t, in.Note.Change().Cleared)
		require.Equal(t, 4, in.Count.Change().Value)
		require.False(t, in.Name.IsGiven() || in.Name.IsCleared())
		require.False(t, in.Price.Change().Given || in.Price.Change().Cleared)
	})
	t.Run("a PUT never clears a required field, and takes no id", func(t *testing.T) {
		path := "/api/v1/parcels/" + firstID.String()
		problem := s.send(t, "PUT", path, `{"name":""}`).problem(t)
		require.Equal(t, CodeRequired, problem.Errors[0].Code)
		problem = s.send(t, "PUT", path, `{"id":"`+firstID.String()+`"}`).problem(t)
		require.Equal(t, CodeUnknownField, problem.Code)
	})
	t.Run("texts are normalized to NFC", func(t *testing.T) {
		require.Equal(t, 201, s.post(t, `{"name":"re\u0301sidence","note":"a\nb\t"}`).status)
		require.Equal(t, "r\u00e9sidence", s.yard.lastIn.Name.Value())
		require.Equal(t, "a\nb\t", s.yard.lastIn.Note.Value())
	})
	t.Run("what older clients send beside is accepted", func(t *testing.T) {
		answer := s.post(t, `{"name":"A","uploaded_by":"x","approved_by_user_id":1,
			"rejected_by_user_id":null,"organization_id":""}`)
		require.Equal(t, 201, answer.status, string(answer.body))
	})
	t.Run("the client's own id is used", func(t *testing.T) {
		answer := s.post(t, `{"name":"A","id":"`+firstID.String()+`"}`)
		require.Equal(t, firstID.String(), answer.parcel(t)["id"])
	})
}

func TestParameters(t *testing.T) {
	t.Parallel()
	s := serve(t)
	for path, code := range map[string]Code{
		"/api/v1/parcels?colour=red":                                CodeUnknownParameter,
		"/api/v1/parcels?as_of=2026-01-01":                          CodeUnknownParameter,
		"/api/v1/parcels?city=A&city=B":                             CodeInvalidParameter,
		"/api/v1/parcels?city=%00":                                  CodeInvalidParameter,
		"/api/v1/parcels?city=%ff":                                  CodeInvalidParameter,
		"/api/v1/parcels?city=%zz":                                  CodeInvalidParameter,
		"/api/v1/parcels?from=yesterday":                            CodeInvalidParameter,
		"/api/v1/parcels?from=2026-01-01&date_from=2026-01-01":      CodeInvalidParameter,
		"/api/v1/parcels?page=0":                                    CodeInvalidParameter,
		"/api/v1/parcels?page=-1":                                   CodeInvalidParameter,
		"/api/v1/parcels?page=x":                                    CodeInvalidParameter,
		"/api/v1/parcels?per_page=101":                              CodeInvalidParameter,
		"/api/v1/parcels?page=501":                                  CodeInvalidParameter,
		"/api/v1/parcels?sort_by=secret":                            CodeInvalidParameter,
		"/api/v1/parcels?order=up":                                  CodeInvalidParameter,
		"/api/v1/parcels?cursor=x":                                  CodeInvalidCursor,
		"/api/v1/parcels?organization_id=x":                         CodeInvalidParameter,
		"/api/v1/parcels/x":                                         CodeInvalidParameter,
		"/api/v1/parcels/" + firstID.String() + "?as_of_position=0": CodeInvalidParameter,
		"/api/v1/parcels/" + firstID.String() + "?as_of=soon":       CodeInvalidParameter,
		"/api/v1/parcels/" + firstID.String() + "?as_of=2999-01-01": CodePositionUnknown,
	} {
		t.Run(path, func(t *testing.T) {
			t.Parallel()
			answer := s.get(t, path)
			require.Equal(t, http.StatusBadRequest, answer.status, string(answer.body))
			require.Equal(t, code, answer.problem(t).Code)
		})
	}
	t.Run("synonyms, empty parameters and the own organization are accepted", func(t *testing.T) {
		t.Parallel()
		answer := s.get(t, "/api/v1/parcels?date_from=2026-01-01&city=&organization_id="+house.String())
		require.Equal(t, 200, answer.status, string(answer.body))
	})
}
