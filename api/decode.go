package api

import (
	"bytes"
	"encoding"
	stdjson "encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/uuid"
)

// Bounds of a body.
const (
	maxBodyBytes    = 1 << 20
	maxDepth        = 32
	maxShownErrors  = 50
	maxShownName    = 64
	bodyReadTimeout = 30 * time.Second
)

// unusedFields are accepted in every body because older clients send them, and not used.
// organization_id is accepted in every body too and read by tenancy.
var unusedFields = []string{"uploaded_by", "approved_by_user_id", "rejected_by_user_id"}

const organizationField = "organization_id"

// bodyMode says what a field that is missing, null or "" means.
type bodyMode uint8

const (
	onCreate bodyMode = iota // a required field must have a value
	onChange                 // what is missing stays; null and "" clear, but not a required field
)

// readBody returns the request's body. The caller's patience is bounded: a slow body ends after
// bodyReadTimeout.
func readBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	if r.Body == nil || r.Body == http.NoBody {
		return nil, nil
	}
	if r.ContentLength > maxBodyBytes {
		return nil, refuse(CodeBodyTooLarge)
	}
	// Recorders and wrapped writers without deadlines simply have none.
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(bodyReadTimeout))
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBodyBytes))
	if err != nil {
		if tooLarge := new(http.MaxBytesError); errors.As(err, &tooLarge) {
			return nil, refuse(CodeBodyTooLarge)
		}
		return nil, refuse(CodeMalformedJSON)
	}
	_ = http.NewResponseController(w).SetReadDeadline(time.Time{})
	if len(body) > 0 && !isJSON(r.Header.Get("Content-Type")) {
		return nil, refuse(CodeUnsupportedMediaType)
	}
	return body, nil
}

// isJSON accepts application/json in UTF-8, and a body that does not say what it is.
func isJSON(contentType string) bool {
	if contentType == "" {
		return true
	}
	media, parameters, err := mime.ParseMediaType(contentType)
	charset := parameters["charset"]
	return err == nil && media == "application/json" &&
		(charset == "" || strings.EqualFold(charset, "utf-8"))
}

// decodeBody reads body into the struct that into points to and returns the organization that it
// names. Unknown fields, fields given twice, wrong values are one Problem that names them all.
func decodeBody(body []byte, into any, mode bodyMode) (Field[uuid.UUID], error) {
	var organization Field[uuid.UUID]
	if len(bytes.TrimSpace(body)) == 0 {
		body = []byte("{}")
	}
	if tooDeep(body) {
		return organization, refuse(CodeTooDeep)
	}
	var whole jsontext.Value
	if err := json.Unmarshal(body, &whole); err != nil {
		return organization, malformed(err)
	}
	if whole.Kind() != '{' {
		return organization, refuseField("body", CodeWrongType, "type", "object")
	}
	reading := bodyReader{mode: mode, organization: &organization}
	reading.object(whole, reflect.ValueOf(into).Elem(), "")
	if len(reading.errors) > 0 {
		return organization, invalidFields(reading.errors...)
	}
	return organization, nil
}

// malformed tells a field that stands twice from what is not JSON.
func malformed(err error) *Problem {
	syntactic := new(jsontext.SyntacticError)
	if errors.As(err, &syntactic) && errors.Is(err, jsontext.ErrDuplicateName) {
		return &Problem{Code: CodeDuplicateField, Fields: []fieldError{{
			Field: shownName(syntactic.JSONPointer.LastToken()), Code: CodeGivenTwice,
		}}}
	}
	return refuse(CodeMalformedJSON)
}

// tooDeep counts the brackets outside strings.
func tooDeep(body []byte) bool {
	depth, quoted := 0, false
	for i := 0; i < len(body); i++ {
		switch c := body[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{' || c == '[':
			if depth++; depth > maxDepth {
				return true
			}
		case c == '}' || c == ']':
			depth--
		}
	}
	return false
}

// shownName bounds a name that the client chose, for a text that names it.
func shownName(name string) string {
	clean := []rune(strings.Map(printable, name))
	return string(clean[:min(len(clean), maxShownName)])
}

// bodyReader collects what is wrong while it reads.
type bodyReader struct {
	mode         bodyMode
	organization *Field[uuid.UUID]
	errors       []fieldError
}

func (b *bodyReader) refuse(path string, code Code, pairs ...string) {
	if len(b.errors) < maxShownErrors {
		b.errors = append(b.errors, fieldError{Field: path, Code: code, Params: params(pairs...)})
	}
}

// object reads the members of a JSON object into a struct.
func (b *bodyReader) object(raw jsontext.Value, into reflect.Value, path string) {
	known := shapeOf(into.Type())
	seen := make(map[string]bool, len(known.fields))
	decoder := jsontext.NewDecoder(bytes.NewReader(raw))
	_, _ = decoder.ReadToken() // the whole body was found valid before
	for decoder.PeekKind() == '"' {
		token, err := decoder.ReadToken()
		if err != nil {
			return
		}
		name := token.String()
		value, err := decoder.ReadValue()
		if err != nil {
			return
		}
		field := known.byName[name]
		if path == "" && name == organizationField {
			b.value(value, reflect.ValueOf(b.organization).Elem(), &shapeField{}, name)
			if field == nil {
				continue
			}
		}
		switch {
		case path == "" && slices.Contains(unusedFields, name) && field == nil:
		case field == nil || field.in != "json" || field.onlyCreate && b.mode == onChange:
			b.refuse(path+shownName(name), CodeUnknownField)
		default:
			seen[name] = true
			b.value(value, into.FieldByIndex(field.index), field, path+name)
		}
	}
	b.missing(known, seen, path)
}

// missing refuses required fields that were left out; a PUT may leave them out.
func (b *bodyReader) missing(known *shape, seen map[string]bool, path string) {
	if b.mode == onChange && path == "" {
		return
	}
	for _, field := range known.fields {
		if field.in == "json" && field.required && !seen[field.name] {
			b.refuse(path+field.name, CodeRequired)
		}
	}
}

// value reads one JSON value.
func (b *bodyReader) value(raw jsontext.Value, into reflect.Value, field *shapeField, path string) {
	if optional, ok := into.Addr().Interface().(optional); ok {
		if isNothing(raw) {
			optional.mark(fieldCleared)
			if field.required {
				b.refuse(path, CodeRequired)
			}
			return
		}
		before := len(b.errors)
		b.value(raw, optional.target(), field, path)
		if len(b.errors) == before {
			optional.mark(fieldGiven)
		}
		return
	}
	if field.required && isNothing(raw) {
		b.refuse(path, CodeRequired)
		return
	}
	switch kind := raw.Kind(); {
	case isScalar(into.Type()):
		if err := readScalar(raw, into, &field.rules); err != nil {
			b.wrong(path, err)
		}
	case into.Kind() == reflect.Struct && kind == '{':
		within := *b
		within.mode = onCreate // what is nested is given whole
		within.object(raw, into, path+".")
		b.errors = within.errors
	case into.Kind() == reflect.Slice && kind == '[':
		b.array(raw, into, field, path)
	case into.Kind() == reflect.Struct:
		b.refuse(path, CodeWrongType, "type", "object")
	default:
		b.refuse(path, CodeWrongType, "type", "array")
	}
}

func (b *bodyReader) array(raw jsontext.Value, into reflect.Value, field *shapeField, path string) {
	decoder := jsontext.NewDecoder(bytes.NewReader(raw))
	_, _ = decoder.ReadToken()
	item := shapeField{rules: field.rules, required: true}
	read := reflect.MakeSlice(into.Type(), 0, 8)
	for decoder.PeekKind() != ']' {
		if read.Len() == field.rules.maxItems {
			b.refuse(path, CodeTooMany, "max", strconv.Itoa(field.rules.maxItems))
			return
		}
		value, err := decoder.ReadValue()
		if err != nil {
			return
		}
		element := reflect.New(into.Type().Elem()).Elem()
		b.value(value, element, &item, path+"["+strconv.Itoa(read.Len())+"]")
		read = reflect.Append(read, element)
	}
	into.Set(read)
}

func (b *bodyReader) wrong(path string, err error) {
	named := fieldError{Code: CodeMalformed, Params: params("form", "value")}
	errors.As(err, &named)
	b.refuse(path, named.Code)
	if last := len(b.errors) - 1; b.errors[last].Field == path {
		b.errors[last].Params = named.Params
	}
}

// isNothing tells null and the empty text.
func isNothing(raw jsontext.Value) bool {
	return raw.Kind() == 'n' || raw.Kind() == '"' && strings.TrimSpace(unquoted(raw)) == ""
}

func unquoted(raw jsontext.Value) string {
	text, err := jsontext.AppendUnquote(nil, raw)
	if err != nil {
		return ""
	}
	return string(text)
}

// isScalar tells the types that readScalar reads.
func isScalar(t reflect.Type) bool {
	pointer := reflect.PointerTo(t)
	return t == idType || pointer.Implements(jsonReaderType) || pointer.Implements(textReaderType) ||
		t.Kind() == reflect.String || t.Kind() == reflect.Bool || isInt(t)
}

// readScalar reads a text, number or truth value. Its errors are fieldErrors.
func readScalar(raw jsontext.Value, into reflect.Value, bounds *rules) error {
	switch reader := into.Addr().Interface().(type) {
	case *uuid.UUID:
		if raw.Kind() != '"' {
			return wrongType("uuid")
		}
		return readID(unquoted(raw), reader)
	case stdjson.Unmarshaler:
		return reader.UnmarshalJSON(raw)
	case encoding.TextUnmarshaler:
		if raw.Kind() != '"' {
			return wrongType("string")
		}
		return reader.UnmarshalText([]byte(unquoted(raw)))
	}
	switch {
	case into.Kind() == reflect.String:
		if raw.Kind() != '"' {
			return wrongType("string")
		}
		return readText(unquoted(raw), into, bounds)
	case into.Kind() == reflect.Bool:
		if raw.Kind() != 't' && raw.Kind() != 'f' {
			return wrongType("boolean")
		}
		into.SetBool(raw.Kind() == 't')
		return nil
	default:
		if raw.Kind() != '0' {
			return wrongType("integer")
		}
		return readInteger(string(raw), into, bounds)
	}
}
