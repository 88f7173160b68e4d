package api

import (
	"reflect"

	"github.com/danielgtaylor/huma/v2"

	"github.com/koprogo/koprogo/commands"
)

// Field is an optional field of a request's body. It tells a field that was left out from one
// that was given as null or "" (which means absent on POST and clears it on PUT) and from one
// with a value. A required field is a Field too, tagged required:"true": on POST it has a value
// when the handler sees it, and on PUT it is never cleared.
type Field[T any] struct {
	value T
	state fieldState
}

type fieldState uint8

const (
	fieldAbsent fieldState = iota
	fieldCleared
	fieldGiven
)

// Given makes a field with a value.
func Given[T any](value T) Field[T] { return Field[T]{value: value, state: fieldGiven} }

// Cleared makes a field that was given as null or "".
func Cleared[T any]() Field[T] { return Field[T]{state: fieldCleared} }

// Value is what was given, else the zero value.
func (f Field[T]) Value() T { return f.value }

// Or is what was given, else fallback.
func (f Field[T]) Or(fallback T) T {
	if f.state == fieldGiven {
		return f.value
	}
	return fallback
}

// IsGiven tells whether there is a value.
func (f Field[T]) IsGiven() bool { return f.state == fieldGiven }

// IsCleared tells whether the field was given as null or "".
func (f Field[T]) IsCleared() bool { return f.state == fieldCleared }

// Change is the field as a command takes it.
func (f Field[T]) Change() commands.Change[T] {
	return commands.Change[T]{
		Value: f.value, Given: f.state == fieldGiven, Cleared: f.state == fieldCleared,
	}
}

// changeOf is the field as a command takes it, its value turned into the domain's.
func changeOf[T, D any](field Field[T], domain func(T) D) commands.Change[D] {
	change := commands.Change[D]{Cleared: field.state == fieldCleared}
	if field.state == fieldGiven {
		change.Value, change.Given = domain(field.value), true
	}
	return change
}

// Schema is that of the value, which may be null when it is a scalar.
func (Field[T]) Schema(registry huma.Registry) *huma.Schema {
	schema := registry.Schema(reflect.TypeFor[T](), true, "")
	if schema.Ref != "" {
		return schema
	}
	nullable := *schema
	nullable.Nullable = true
	return &nullable
}

// optional is how the decoder sees a Field of any type.
type optional interface {
	target() reflect.Value // where the value goes
	mark(state fieldState)
	isGiven() bool
}

func (f *Field[T]) target() reflect.Value { return reflect.ValueOf(&f.value).Elem() }
func (f *Field[T]) mark(state fieldState) { f.state = state }
func (f *Field[T]) isGiven() bool         { return f.state == fieldGiven }
