package api

import (
	"encoding"
	stdjson "encoding/json"
	"errors"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/google/uuid"
)

// maxParameter bounds the text of one parameter, in bytes.
const maxParameter = 2_048

// synonyms are the older names of parameters.
var synonyms = map[string]string{
	"date_from": "from", "date_to": "to", "period_start": "from", "period_end": "to",
}

// query is a request's query string: each parameter once, an empty one absent.
type query map[string]string

// parseQuery refuses what cannot be read and a parameter that is given twice.
func parseQuery(raw string) (query, error) {
	if raw == "" {
		return nil, nil
	}
	values, err := url.ParseQuery(raw)
	if err != nil {
		return nil, invalidParameter("query", CodeMalformed, "form", "query")
	}
	read := make(query, len(values))
	for name, given := range values {
		switch {
		case len(given) > 1:
			return nil, invalidParameter(shownName(name), CodeGivenTwice)
		case len(given[0]) > maxParameter:
			return nil, invalidParameter(shownName(name), CodeTooLong, "max", "2048")
		case !utf8.ValidString(given[0]):
			return nil, invalidParameter(shownName(name), CodeMalformed, "form", "UTF-8")
		}
		read[name] = given[0]
	}
	return read, nil
}

// rename turns older names into those that the route declares.
func (q query) rename(known *shape) error {
	for older, name := range synonyms {
		given, found := q[older]
		if !found || known.byName[older] != nil || known.byName[name] == nil {
			continue
		}
		if _, both := q[name]; both {
			return invalidParameter(older, CodeGivenTwice)
		}
		delete(q, older)
		q[name] = given
	}
	return nil
}

// unknown refuses what is neither declared by the route nor among the conventions it takes.
func (q query) unknown(known *shape, conventions []string) error {
	var strange []fieldError
	for name := range q {
		field := known.byName[name]
		if field != nil && field.in == "query" || name == organizationField ||
			slices.Contains(conventions, name) {
			continue
		}
		strange = append(strange, fieldError{Field: shownName(name), Code: CodeUnknownParameter})
	}
	if strange == nil {
		return nil
	}
	slices.SortFunc(strange, func(a, b fieldError) int { return strings.Compare(a.Field, b.Field) })
	return &Problem{Code: CodeUnknownParameter, Fields: strange}
}

// decodeParams reads path and query into the struct that into points to.
func decodeParams(path func(name string) string, q query, into reflect.Value) error {
	var wrong []fieldError
	for _, field := range shapeOf(into.Type()).fields {
		text := ""
		switch field.in {
		case "path":
			text = path(field.name)
		case "query":
			text = q[field.name]
		}
		if strings.TrimSpace(text) == "" {
			if field.required {
				wrong = append(wrong, fieldError{Field: field.name, Code: CodeRequired})
			}
			continue
		}
		if err := decodeParameter(text, into.FieldByIndex(field.index), field); err != nil {
			named := fieldError{Code: CodeMalformed, Params: params("form", "value")}
			errors.As(err, &named)
			named.Field = field.name
			wrong = append(wrong, named)
		}
	}
	if wrong == nil {
		return nil
	}
	problem := invalidParameter(wrong[0].Field, wrong[0].Code)
	problem.Fields = wrong
	return problem
}

func decodeParameter(text string, into reflect.Value, field *shapeField) error {
	if optional, ok := into.Addr().Interface().(optional); ok {
		if err := decodeParameter(text, optional.target(), field); err != nil {
			return err
		}
		optional.mark(fieldGiven)
		return nil
	}
	if hasControl(text, false) {
		return fieldError{Code: CodeControlCharacters}
	}
	switch reader := into.Addr().Interface().(type) {
	case *uuid.UUID:
		return readID(text, reader)
	case encoding.TextUnmarshaler:
		return reader.UnmarshalText([]byte(text))
	case stdjson.Unmarshaler:
		return reader.UnmarshalJSON([]byte(`"` + text + `"`))
	}
	switch {
	case into.Kind() == reflect.String:
		return readText(text, into, &field.rules)
	case into.Kind() == reflect.Bool:
		if text != "true" && text != "false" {
			return wrongType("boolean")
		}
		into.SetBool(text == "true")
		return nil
	case isInt(into.Type()):
		return readInteger(text, into, &field.rules)
	}
	return wrongType("value")
}
