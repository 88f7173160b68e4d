package events_test

import (
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

// describe writes each type with its schema, and each field with its JSON name, Go kind, whether
// an empty one is left out, and whether it is personal.
func describe() string {
	var b strings.Builder
	for _, shape := range events.Catalogue() {
		fmt.Fprintf(&b, "%s schema %d\n", shape.Name, shape.Schema)
		personal := personalPointers(shape)
		for i := range shape.Go.NumField() {
			field := shape.Go.Field(i)
			name, options, _ := strings.Cut(field.Tag.Get("json"), ",")
			line := "  " + name + " " + describeType(field.Type)
			if options != "" {
				line += " " + options
			}
			if personal["/"+name] {
				line += " personal"
			}
			fmt.Fprintln(&b, line)
		}
	}
	return b.String()
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

func personalPointers(shape events.Shape) map[string]bool {
	pointers := map[string]bool{}
	if personal, ok := reflect.New(shape.Go).Interface().(events.HasPersonal); ok {
		for _, field := range personal.PersonalFields() {
			pointers[field.Pointer] = true
		}
	}
	return pointers
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
		for i := range shape.Go.NumField() {
			field := shape.Go.Field(i)
			name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
			require.Regexp(t, fieldForm, name, "%s.%s", shape.Name, field.Name)
			require.False(t, seen[name], "%s names %s twice", shape.Name, name)
			seen[name] = true
			if field.Type == reflect.TypeFor[events.Personal]() {
				require.True(t, personal["/"+name], "%s does not seal %s", shape.Name, name)
				delete(personal, "/"+name)
			}
		}
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
