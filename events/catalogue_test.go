package events_test

import (
	"encoding"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/koprogo/koprogo/events"
)

var update = flag.Bool("update", false, "write testdata/catalogue.golden anew")

const golden = "testdata/catalogue.golden"

// TestTheCatalogueIsWhatWasWritten fails when a stored shape changed. An event that was ever
// released changes its shape only with an upcaster, which raises its schema; then, and for an
// event that is new, run `go test ./events -update` and read the difference.
func TestTheCatalogueIsWhatWasWritten(t *testing.T) {
	t.Parallel()
	now := describe()
	if *update {
		require.NoError(t, os.WriteFile(golden, []byte(now), 0o644))
	}
	was, err := os.ReadFile(golden)
	require.NoError(t, err)
	require.Equal(t, string(was), now)
}

// describe writes each type with its schema, and each field, those of nested values included, with
// its JSON name, Go kind, whether an empty one is left out, and whether it is personal.
func describe() string {
	var b strings.Builder
	for _, shape := range events.Catalogue() {
		fmt.Fprintf(&b, "%s schema %d\n", shape.Name, shape.Schema)
		personal := personalPointers(shape)
		eachField(shape.Go, "", func(pointer string, field reflect.StructField) {
			_, options, _ := strings.Cut(field.Tag.Get("json"), ",")
			line := strings.Repeat("  ", strings.Count(strings.ReplaceAll(pointer, "/0", ""), "/")) +
				fieldName(field) + " " + describeType(field.Type)
			if options != "" {
				line += " " + options
			}
			if personal[pointer] {
				line += " personal"
			}
			fmt.Fprintln(&b, line)
		})
	}
	return b.String()
}

func fieldName(field reflect.StructField) string {
	name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
	return name
}

// eachField calls fn with every field of a stored shape and its JSON pointer; an element of a list
// is called 0.
func eachField(shape reflect.Type, at string, fn func(string, reflect.StructField)) {
	for i := range shape.NumField() {
		field := shape.Field(i)
		pointer := at + "/" + fieldName(field)
		fn(pointer, field)
		inner := field.Type
		if inner.Kind() == reflect.Slice {
			inner, pointer = inner.Elem(), pointer+"/0"
		}
		_, text := reflect.New(inner).Interface().(encoding.TextMarshaler)
		if inner.Kind() == reflect.Struct && !text {
			eachField(inner, pointer, fn)
		}
	}
}

func describeType(t reflect.Type) string {
	if t == reflect.TypeFor[uuid.UUID]() {
		return "uuid"
	}
	switch t.Kind() {
	case reflect.Slice:
		return "[]" + describeType(t.Elem())
	case reflect.Map:
		return "map[" + describeType(t.Key()) + "]" + describeType(t.Elem())
	}
	if strings.HasPrefix(t.PkgPath(), "github.com/koprogo/") {
		return t.Kind().String() + " " + t.Name()
	}
	return t.Kind().String()
}

// personalPointers names the personal fields of a shape, of the first element of each list.
func personalPointers(shape events.Shape) map[string]bool {
	pointers := map[string]bool{}
	event := reflect.New(shape.Go)
	fillLists(event.Elem())
	if personal, ok := event.Interface().(events.HasPersonal); ok {
		for _, field := range personal.PersonalFields() {
			pointers[field.Pointer] = true
		}
	}
	return pointers
}

func fillLists(value reflect.Value) {
	for i := range value.NumField() {
		field := value.Field(i)
		if !field.CanSet() {
			continue
		}
		if field.Kind() == reflect.Slice {
			field.Set(reflect.MakeSlice(field.Type(), 1, 1))
			field = field.Index(0)
		}
		if field.Kind() == reflect.Struct {
			fillLists(field)
		}
	}
}

var (
	nameForm  = regexp.MustCompile(`^[a-z]+(_[a-z]+)*\.[a-z]+(_[a-z]+)*$`)
	fieldForm = regexp.MustCompile(`^[a-z]+(_[a-z]+)*$`)
)

func TestEveryEventIsWellFormed(t *testing.T) {
	t.Parallel()
	for _, shape := range events.Catalogue() {
		require.Regexp(t, nameForm, shape.Name)
		personal := personalPointers(shape)
		seen := map[string]bool{}
		eachField(shape.Go, "", func(pointer string, field reflect.StructField) {
			require.Regexp(t, fieldForm, fieldName(field), "%s.%s", shape.Name, field.Name)
			require.False(t, seen[pointer], "%s names %s twice", shape.Name, pointer)
			seen[pointer] = true
			if field.Type == reflect.TypeFor[events.Personal]() {
				require.True(t, personal[pointer], "%s does not seal %s", shape.Name, pointer)
				delete(personal, pointer)
			}
		})
		require.Empty(t, personal, "%s seals fields that it does not have", shape.Name)
	}
}

func TestEverySchemaHasAFrozenPayload(t *testing.T) {
	t.Parallel()
	for _, shape := range events.Catalogue() {
		for schema := 1; schema < shape.Schema; schema++ {
			file := filepath.Join("testdata", fmt.Sprintf("%s.%d.json", shape.Name, schema))
			data, err := os.ReadFile(file)
			require.NoError(t, err)
			stream := events.Stream{Category: "x", ID: uuid.New()}
			event, err := events.Decode(shape.Name, schema, data, uuid.New(), stream)
			require.NoError(t, err, file)
			encoded, err := events.Encode(event, nil)
			require.NoError(t, err)
			want, err := os.ReadFile(strings.TrimSuffix(file, ".json") + ".golden")
			require.NoError(t, err)
			require.Equal(t, strings.TrimSpace(string(want)), string(encoded.Data),
				"%s brought up to schema %d", file, shape.Schema)
			require.Equal(t, shape.Schema, encoded.Schema)
		}
	}
}
