package events

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"
)

// Event is one fact, in the past tense. EventType is its stored name, literal and for ever.
type Event interface{ EventType() string }

// HasPersonal is implemented, on the pointer, by events that hold personal data. It returns a
// reference to each personal field, in a fixed order.
type HasPersonal interface{ PersonalFields() []PersonalField }

// InBuilding is implemented by events that belong to a building but stand in another stream.
type InBuilding interface{ BuildingID() uuid.UUID }

// Effective is implemented by facts that hold from another instant than they were recorded.
type Effective interface{ EffectiveAt() time.Time }

// ErrUnknownType is returned for a stored name or schema that this binary does not know.
var ErrUnknownType = errors.New("unknown event type or schema")

// Upcaster turns the JSON of one schema into that of the next. It is pure.
type Upcaster func(data []byte) ([]byte, error)

// Shape is an entry of the catalogue: one event type as this binary knows it.
type Shape struct {
	Name      string
	Schema    int // the number of upcasters plus one
	Go        reflect.Type
	upcasters []Upcaster
	decode    func(data []byte, id uuid.UUID, stream Stream) (Event, error)
	encode    func(e Event, seal Seal) ([]byte, []uuid.UUID, error)
}

var (
	catalogue   = map[string]Shape{}
	catalogueMu sync.Mutex
)

// register enters T in the catalogue; upcasters are given oldest first.
func register[T Event](upcasters ...Upcaster) struct{} {
	var zero T
	catalogueMu.Lock()
	defer catalogueMu.Unlock()
	if _, taken := catalogue[zero.EventType()]; taken {
		panic("two event types are called " + zero.EventType())
	}
	catalogue[zero.EventType()] = Shape{
		Name: zero.EventType(), Schema: len(upcasters) + 1, Go: reflect.TypeFor[T](),
		upcasters: upcasters, decode: decode[T], encode: encode[T],
	}
	return struct{}{}
}

// Catalogue returns every shape, by name.
func Catalogue() []Shape {
	shapes := make([]Shape, 0, len(catalogue))
	for _, shape := range catalogue {
		shapes = append(shapes, shape)
	}
	slices.SortFunc(shapes, func(a, b Shape) int {
		if a.Name < b.Name {
			return -1
		}
		return 1
	})
	return shapes
}

// Name is the stored name that text holds; one of the catalogue takes no memory.
func Name(text []byte) string {
	if shape, known := catalogue[string(text)]; known {
		return shape.Name
	}
	return string(text)
}

// Encoded is an event as it is stored.
type Encoded struct {
	Type     string
	Schema   int
	Data     []byte
	Subjects []uuid.UUID // whose personal data Data seals, sorted, each once
}

// Encode gives the stored form of e, its personal fields sealed by seal.
func Encode(e Event, seal Seal) (Encoded, error) {
	shape, known := catalogue[e.EventType()]
	if !known {
		return Encoded{}, fmt.Errorf("%w: %s", ErrUnknownType, e.EventType())
	}
	data, subjects, err := shape.encode(e, seal)
	if err != nil {
		return Encoded{}, fmt.Errorf("encode %s: %w", shape.Name, err)
	}
	return Encoded{Type: shape.Name, Schema: shape.Schema, Data: data, Subjects: subjects}, nil
}

// Decode gives the event that data holds, upcast from schema to this binary's. Personal fields
// stay sealed. It returns ErrUnknownType for a name or a schema from a newer binary, and
// ErrMisplaced when a sealed value was not made for this event (id) of this stream.
func Decode(
	name string, schema int, data []byte, id uuid.UUID, stream Stream,
) (Event, error) {
	shape, known := catalogue[name]
	if !known || schema < 1 || schema > shape.Schema {
		return nil, fmt.Errorf("%w: %s schema %d", ErrUnknownType, name, schema)
	}
	for i, up := range shape.upcasters[schema-1:] {
		var err error
		if data, err = up(data); err != nil {
			return nil, fmt.Errorf("upcast %s from schema %d: %w", name, schema+i, err)
		}
	}
	event, err := shape.decode(data, id, stream)
	if err != nil {
		return nil, fmt.Errorf("decode %s: %w", name, err)
	}
	return event, nil
}

func decode[T Event](data []byte, id uuid.UUID, stream Stream) (Event, error) {
	var event T
	if err := unmarshal(data, &event); err != nil {
		return nil, err
	}
	if personal, ok := any(&event).(HasPersonal); ok {
		for _, field := range personal.PersonalFields() {
			if err := field.checkPlace(id, stream); err != nil {
				return nil, err
			}
		}
	}
	return event, nil
}

func encode[T Event](e Event, seal Seal) ([]byte, []uuid.UUID, error) {
	event, ok := e.(T)
	if !ok {
		return nil, nil, fmt.Errorf("%T is not registered by value", e)
	}
	var subjects []uuid.UUID
	if personal, ok := any(&event).(HasPersonal); ok {
		for _, field := range personal.PersonalFields() {
			if field.Value.IsEmpty() {
				continue
			}
			subject, err := field.Value.seal(field, seal)
			if err != nil {
				return nil, nil, fmt.Errorf("seal %s: %w", field.Pointer, err)
			}
			if !slices.Contains(subjects, subject) {
				subjects = append(subjects, subject)
			}
		}
	}
	slices.SortFunc(subjects, compareIDs)
	data, err := marshal(&event)
	return data, subjects, err
}

// Introduces is implemented by facts that make new subjects: their keys are made in the append.
type Introduces interface{ NewSubjects() []uuid.UUID }
