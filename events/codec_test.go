package events_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/koprogo/koprogo/events"
)

var (
	stream  = events.Stream{Category: "account", ID: uuid.UUID{1}}
	eventID = uuid.UUID{2}
)

// seal packs without encrypting: what it hides it hides only from a reader of the text.
func seal(field events.PersonalField, clear string) (string, uuid.UUID, error) {
	subject := field.Subject
	if subject == uuid.Nil {
		subject = eventID
	}
	place := events.Place{
		EventID: eventID, Stream: stream, Pointer: field.Pointer, Subject: subject,
	}
	return events.PackSealed(place, []byte(strings.Repeat("*", len(clear)))), subject, nil
}

// TestEncodingAndDecodingIsIdentity draws events of every type of the catalogue.
func TestEncodingAndDecodingIsIdentity(t *testing.T) {
	t.Parallel()
	for _, shape := range events.Catalogue() {
		t.Run(shape.Name, func(t *testing.T) {
			t.Parallel()
			rapid.Check(t, func(t *rapid.T) {
				event := draw(t, shape)
				encoded, err := events.Encode(event, seal)
				require.NoError(t, err)
				require.True(t, json.Valid(encoded.Data))
				require.Equal(t, shape.Name, encoded.Type)
				require.Equal(t, shape.Schema, encoded.Schema)
				require.NotContains(t, string(encoded.Data), secret)

				decoded, err := events.Decode(encoded.Type, encoded.Schema, encoded.Data, eventID,
					stream)
				require.NoError(t, err)
				stored := reflect.New(shape.Go) // a personal text is encoded by its address
				stored.Elem().Set(reflect.ValueOf(decoded))
				again, err := json.Marshal(stored.Interface())
				require.NoError(t, err, "what was loaded is sealed and may be written")
				require.JSONEq(t, string(encoded.Data), string(again))
				requireSame(t, event, decoded, encoded.Subjects)
			})
		})
	}
}

const secret = "s3cr3t-"

// draw fills the fields of a shape with anything.
func draw(t *rapid.T, shape events.Shape) events.Event {
	value := reflect.New(shape.Go).Elem()
	drawInto(t, shape.Name, value)
	event, ok := value.Interface().(events.Event)
	require.True(t, ok)
	return event
}

func drawInto(t *rapid.T, name string, field reflect.Value) {
	switch field.Interface().(type) {
	case uuid.UUID:
		field.Set(reflect.ValueOf(uuid.UUID(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, name))))
		return
	case events.Personal:
		if rapid.Bool().Draw(t, name) {
			text := secret + rapid.String().Draw(t, name)
			field.Set(reflect.ValueOf(events.PersonalText(text)))
		}
		return
	case events.Fraction:
		term := rapid.Int64Range(1, events.MostFractionTerm)
		fraction, err := events.NewFraction(term.Draw(t, name), term.Draw(t, name))
		require.NoError(t, err)
		field.Set(reflect.ValueOf(fraction))
		return
	}
	switch field.Kind() {
	case reflect.Bool:
		field.SetBool(rapid.Bool().Draw(t, name))
	case reflect.Pointer:
		field.Set(reflect.New(field.Type().Elem()))
		drawInto(t, name, field.Elem())
	case reflect.Struct:
		for i := range field.NumField() {
			drawInto(t, field.Type().Field(i).Name, field.Field(i))
		}
	case reflect.String:
		field.SetString(rapid.String().Draw(t, name))
	case reflect.Int, reflect.Int64:
		field.SetInt(rapid.Int64().Draw(t, name))
	case reflect.Slice:
		n := rapid.IntRange(1, 4).Draw(t, name)
		field.Set(reflect.MakeSlice(field.Type(), n, n))
		for i := range n {
			drawInto(t, fmt.Sprint(name, i), field.Index(i))
		}
	case reflect.Map:
		field.Set(reflect.ValueOf(rapid.MapOfN(rapid.String(), rapid.Int(), 1, 4).Draw(t, name)))
	default:
		t.Fatalf("draw a %s", field.Type())
	}
}

// requireSame compares field by field; a personal one is sealed for its subject, or empty in both.
func requireSame(t *rapid.T, drawn, decoded events.Event, subjects []uuid.UUID) {
	require.IsType(t, drawn, decoded)
	requireSameValue(t, reflect.ValueOf(drawn), reflect.ValueOf(decoded), subjects)
}

func requireSameValue(t *rapid.T, was, is reflect.Value, subjects []uuid.UUID) {
	switch text := was.Interface().(type) {
	case events.Personal:
		sealed, _ := is.Interface().(events.Personal)
		require.Equal(t, text.IsEmpty(), sealed.IsEmpty())
		if sealed.IsEmpty() {
			return
		}
		place, _, err := events.UnpackSealed(sealed.Sealed())
		require.NoError(t, err)
		require.Contains(t, subjects, place.Subject)
		return
	case events.Fraction:
		require.Equal(t, text, is.Interface())
		return
	}
	switch was.Kind() {
	case reflect.Struct:
		for i := range was.NumField() {
			requireSameValue(t, was.Field(i), is.Field(i), subjects)
		}
	case reflect.Slice:
		require.Equal(t, was.Len(), is.Len())
		for i := range was.Len() {
			requireSameValue(t, was.Index(i), is.Index(i), subjects)
		}
	default:
		require.Equal(t, was.Interface(), is.Interface())
	}
}

func TestAnEventThatIsNotKnownIsRefused(t *testing.T) {
	t.Parallel()
	_, err := events.Encode(unknown{}, seal)
	require.ErrorIs(t, err, events.ErrUnknownType)
	_, err = events.Encode(&events.BuildingRemoved{}, seal)
	require.ErrorContains(t, err, "by value")
	for name, schema := range map[string]int{
		"building.demolished": 1, "building.removed": 2, "building.registered": 0,
	} {
		_, err = events.Decode(name, schema, []byte(`{}`), eventID, stream)
		require.ErrorIs(t, err, events.ErrUnknownType)
	}
	_, err = events.Decode("building.removed", 1, []byte(`{`), eventID, stream)
	require.ErrorContains(t, err, "decode building.removed")
	_, err = events.Decode("building.registered", 1, []byte(`[]`), eventID, stream)
	require.ErrorContains(t, err, "upcast building.registered from schema 1")
}

type unknown struct{}

func (unknown) EventType() string { return "unknown.happened" }

func TestAFieldOfANewerBinaryIsIgnored(t *testing.T) {
	t.Parallel()
	event, err := events.Decode("building.renamed", 1, []byte(`{"name":"A","colour":"red"}`),
		eventID, stream)
	require.NoError(t, err)
	require.Equal(t, events.BuildingRenamed{Name: "A"}, event)
}

func TestPersonalTextIsNeverWrittenInClear(t *testing.T) {
	t.Parallel()
	text := events.PersonalText("Anna Peeters")
	_, err := json.Marshal(&struct{ Name events.Personal }{text})
	require.ErrorContains(t, err, "may not be stored in clear")
	event := events.AccountOpened{Email: text}
	for _, said := range []string{
		text.String(), fmt.Sprint(text), fmt.Sprintf("%v %+v %#v %s %q", text, text, text, text, text),
		fmt.Sprintf("%v %+v %#v", event, event, event),
	} {
		require.NotContains(t, said, "Anna")
	}
	_, err = events.Encode(event, func(events.PersonalField, string) (string, uuid.UUID, error) {
		return "", uuid.Nil, errors.New("no key")
	})
	require.ErrorContains(t, err, "seal /email: no key")
	require.NotContains(t, err.Error(), "Anna")
}

func TestASealedTextIsNotSealedAgain(t *testing.T) {
	t.Parallel()
	event := events.AccountOpened{Email: events.SealedText("AAA")}
	_, err := events.Encode(event, seal)
	require.ErrorContains(t, err, "never sealed again")
}

func TestASealedTextThatWasMovedIsRefused(t *testing.T) {
	t.Parallel()
	opened := events.AccountOpened{
		AccountID: uuid.UUID{3}, Email: events.PersonalText("a@b.be"),
		FirstName: events.PersonalText("Anna"),
	}
	encoded, err := events.Encode(opened, seal)
	require.NoError(t, err)
	require.Equal(t, []uuid.UUID{{3}}, encoded.Subjects)
	decode := func(data string, id uuid.UUID, in events.Stream) error {
		_, err := events.Decode(encoded.Type, encoded.Schema, []byte(data), id, in)
		return err
	}
	data := string(encoded.Data)
	require.NoError(t, decode(data, eventID, stream))
	require.ErrorIs(t, decode(data, uuid.New(), stream), events.ErrMisplaced, "another event")
	require.ErrorIs(t, decode(data, eventID, events.Stream{Category: "account"}),
		events.ErrMisplaced, "another stream")
	moved := strings.NewReplacer(`"email"`, `"first_name"`, `"first_name"`, `"email"`).Replace(data)
	require.ErrorIs(t, decode(moved, eventID, stream), events.ErrMisplaced, "another field")
	other := strings.Replace(data, opened.AccountID.String(), uuid.NewString(), 1)
	require.ErrorIs(t, decode(other, eventID, stream), events.ErrMisplaced, "another person")
	require.ErrorContains(t, decode(`{"email":"AQ"}`, eventID, stream), "cut short")
	require.ErrorContains(t, decode(`{"email":"%"}`, eventID, stream), "read a sealed value")
}

func TestPackingASealedValueIsIdentity(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		id := rapid.Custom(func(t *rapid.T) uuid.UUID {
			return uuid.UUID(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "id"))
		})
		place := events.Place{
			EventID: id.Draw(t, "event"),
			Stream: events.Stream{
				Category: rapid.StringMatching(`[a-z]{1,20}`).Draw(t, "category"),
				ID:       id.Draw(t, "stream"),
			},
			Pointer: rapid.StringMatching(`(/[a-z_0-9]{1,10}){1,3}`).Draw(t, "pointer"),
			Subject: id.Draw(t, "subject"),
		}
		switch rapid.IntRange(0, 2).Draw(t, "whose") {
		case 0:
			place.Subject = place.Stream.ID
		case 1:
			place.Subject = place.EventID
		}
		ciphertext := rapid.SliceOf(rapid.Byte()).Draw(t, "ciphertext")
		packed := events.PackSealed(place, ciphertext)
		unpacked, rest, err := events.UnpackSealed(packed)
		require.NoError(t, err)
		require.Equal(t, place, unpacked)
		require.Equal(t, string(ciphertext), string(rest))
	})
}

func TestNewSubjects(t *testing.T) {
	t.Parallel()
	for _, event := range []events.Introduces{
		events.AccountOpened{AccountID: eventID},
		events.OrganizationListed{ContactID: eventID},
		events.OrganizationFounded{ContactID: eventID},
	} {
		require.Equal(t, []uuid.UUID{eventID}, event.NewSubjects())
	}
}
