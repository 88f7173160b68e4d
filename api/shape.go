package api

import (
	"encoding"
	stdjson "encoding/json"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"sync"

	"github.com/google/uuid"
)

// Lengths of the contract: names and titles, texts. A field whose maxLength is beyond nameLength
// is a text and may hold line breaks.
const (
	nameLength = 255
	textLength = 10_000
	itemCount  = 1_000
)

// shape is how a struct of a request is read: from the tags json, path and query, and from those
// that the OpenAPI document shows too (required, minLength, maxLength, minimum, maximum, enum,
// maxItems). The tag on:"create" keeps a field out of PUT.
type shape struct {
	fields []*shapeField
	byName map[string]*shapeField
}

type shapeField struct {
	name       string
	index      []int
	in         string // json, path or query
	required   bool
	onlyCreate bool
	rules      rules
}

// rules bound a value; the zero value of a bound is none.
type rules struct {
	minLength, maxLength int
	minimum, maximum     *int64
	allowed              []string
	maxItems             int
}

var shapes sync.Map // reflect.Type -> *shape

// shapeOf reads a struct's tags once. It panics on what a request cannot hold, so that the server
// does not start.
func shapeOf(t reflect.Type) *shape {
	if known, ok := shapes.Load(t); ok {
		return known.(*shape)
	}
	made := &shape{byName: map[string]*shapeField{}}
	made.add(t, nil)
	known, _ := shapes.LoadOrStore(t, made)
	return known.(*shape)
}

func (s *shape) add(t reflect.Type, index []int) {
	if t.Kind() != reflect.Struct {
		panic(fmt.Sprintf("a request's %s is not a struct", t))
	}
	for i := range t.NumField() {
		field := t.Field(i)
		path := append(append([]int{}, index...), i)
		if field.Anonymous && field.Type.Kind() == reflect.Struct {
			s.add(field.Type, path)
			continue
		}
		if made := shapeFieldOf(field, path); made != nil {
			if s.byName[made.name] != nil {
				panic(fmt.Sprintf("%s holds %s twice", t, made.name))
			}
			s.fields = append(s.fields, made)
			s.byName[made.name] = made
			checkReadable(field.Type, t.String()+"."+field.Name)
		}
	}
}

func shapeFieldOf(field reflect.StructField, index []int) *shapeField {
	for _, in := range []string{"path", "query", "json"} {
		name, _, _ := strings.Cut(field.Tag.Get(in), ",")
		if name == "" || name == "-" || !field.IsExported() {
			continue
		}
		return &shapeField{
			name: name, index: index, in: in,
			required:   field.Tag.Get("required") == "true" || in == "path",
			onlyCreate: field.Tag.Get("on") == "create",
			rules: rules{
				minLength: int(numberTag(field, "minLength", 0)),
				maxLength: int(numberTag(field, "maxLength", nameLength)),
				minimum:   boundTag(field, "minimum"), maximum: boundTag(field, "maximum"),
				allowed:  listTag(field, "enum"),
				maxItems: int(numberTag(field, "maxItems", itemCount)),
			},
		}
	}
	return nil
}

func numberTag(field reflect.StructField, name string, fallback int64) int64 {
	if bound := boundTag(field, name); bound != nil {
		return *bound
	}
	return fallback
}

func boundTag(field reflect.StructField, name string) *int64 {
	text, ok := field.Tag.Lookup(name)
	if !ok {
		return nil
	}
	number, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		panic(fmt.Sprintf("the tag %s of %s is not a number", name, field.Name))
	}
	return &number
}

func listTag(field reflect.StructField, name string) []string {
	if text := field.Tag.Get(name); text != "" {
		return strings.Split(text, ",")
	}
	return nil
}

var (
	idType           = reflect.TypeFor[uuid.UUID]()
	optionalType     = reflect.TypeFor[optional]()
	jsonReaderType   = reflect.TypeFor[stdjson.Unmarshaler]()
	textReaderType   = reflect.TypeFor[encoding.TextUnmarshaler]()
	unreadableFormat = "%s has a type that no request holds: %s"
)

// checkReadable panics on a type that the decoder does not know, here or within.
func checkReadable(t reflect.Type, where string) {
	pointer := reflect.PointerTo(t)
	switch {
	case pointer.Implements(optionalType):
		checkReadable(reflect.New(t).Interface().(optional).target().Type(), where)
	case t == idType || pointer.Implements(jsonReaderType) || pointer.Implements(textReaderType):
	case t.Kind() == reflect.Slice:
		checkReadable(t.Elem(), where)
	case t.Kind() == reflect.Struct:
		shapeOf(t)
	case t.Kind() == reflect.String || t.Kind() == reflect.Bool || isInt(t):
	default:
		panic(fmt.Sprintf(unreadableFormat, where, t))
	}
}

func isInt(t reflect.Type) bool {
	return t.Kind() >= reflect.Int && t.Kind() <= reflect.Int64
}
