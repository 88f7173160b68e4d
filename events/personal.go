package events

import (
	"encoding/base64"
	"errors"
	"fmt"
	"unsafe"

	"github.com/google/uuid"
)

// Personal is a text about a person. In a new event it holds the clear text; in a loaded event
// and in a read model it holds the sealed value, which only the keyring opens (AES-256-GCM under
// the subject's key). Its zero value is no text.
type Personal struct {
	clear  string
	sealed string
}

// PersonalText makes the clear form, for an event that is about to be appended.
func PersonalText(clear string) Personal { return Personal{clear: clear} }

// SealedText makes the sealed form from what was stored.
func SealedText(sealed string) Personal { return Personal{sealed: sealed} }

// IsEmpty tells whether there is no text at all.
func (p Personal) IsEmpty() bool { return p.clear == "" && p.sealed == "" }

// Sealed is the stored value, empty for a text that is not sealed.
func (p Personal) Sealed() string { return p.sealed }

// Clear is the text of a value that was never sealed; ok is false for a sealed one.
func (p Personal) Clear() (text string, ok bool) { return p.clear, p.sealed == "" }

// String never shows a person's text: a Personal may end up in a log line.
func (p Personal) String() string { return "[personal]" }

// GoString is String, for %#v.
func (p Personal) GoString() string { return p.String() }

// MarshalText writes the sealed value; a clear text that was not sealed first is refused. It is
// the pointer's, since an encoder copies each value that it asks: what holds a Personal is encoded
// by its address. By value it is {}, which the linter (SA9005) and the codec's tests find. The
// bytes are the value's own and may not be changed.
func (p *Personal) MarshalText() ([]byte, error) {
	if p.clear != "" && p.sealed == "" {
		return nil, errors.New("a personal text may not be stored in clear")
	}
	return unsafe.Slice(unsafe.StringData(p.sealed), len(p.sealed)), nil
}

// UnmarshalText keeps the sealed value.
func (p *Personal) UnmarshalText(text []byte) error {
	*p = Personal{sealed: string(text)}
	return nil
}

// PersonalField names one personal field of an event.
type PersonalField struct {
	Pointer string    // JSON pointer into the event's data (RFC 6901)
	Subject uuid.UUID // whose text it is; nil for free text, sealed under its event's own key
	Value   *Personal
}

// Place is where a sealed value belongs. It is authenticated with the value (associated data), so
// that a value moved to another place no longer opens.
type Place struct {
	Organization uuid.UUID
	EventID      uuid.UUID
	Stream       Stream
	Pointer      string
	Subject      uuid.UUID
}

// Seal encrypts clear for the field and returns the stored value and the subject whose key it
// took (the event's own id for free text).
type Seal func(field PersonalField, clear string) (sealed string, subject uuid.UUID, err error)

func (p *Personal) seal(field PersonalField, seal Seal) (uuid.UUID, error) {
	if p.sealed != "" {
		return uuid.Nil, errors.New("a sealed text is never sealed again")
	}
	sealed, subject, err := seal(field, p.clear)
	if err != nil {
		return uuid.Nil, err
	}
	p.sealed, p.clear = sealed, ""
	return subject, nil
}

// Layout of a sealed value, in base64url without padding: a version byte, the event's id, the
// stream's category (length, text) and id, the subject's id, the pointer (length, text), then the
// ciphertext with its nonce. A set bit in the flags stands for an id equal to the one before.
const (
	sealedVersion   = 1
	flagSubjectIsID = 1 // the subject's id is the stream's
	flagSubjectIsEv = 2 // the subject's id is the event's: free text
)

// ErrMisplaced is returned for a sealed value that does not belong where it stands.
var ErrMisplaced = errors.New("a sealed value does not belong to its place")

// PackSealed writes ciphertext with what is needed to open a copy of it elsewhere.
func PackSealed(place Place, ciphertext []byte) string {
	var room [256]byte // most texts fit, and take no memory but the result's
	flags := byte(0)
	switch place.Subject {
	case place.Stream.ID:
		flags = flagSubjectIsID
	case place.EventID:
		flags = flagSubjectIsEv
	}
	out := append(room[:0], sealedVersion, flags)
	out = append(out, place.EventID[:]...)
	out = append(out, byte(len(place.Stream.Category)))
	out = append(out, place.Stream.Category...)
	out = append(out, place.Stream.ID[:]...)
	if flags == 0 {
		out = append(out, place.Subject[:]...)
	}
	out = append(out, byte(len(place.Pointer)))
	out = append(out, place.Pointer...)
	out = append(out, ciphertext...)
	var text [344]byte
	return string(base64.RawURLEncoding.AppendEncode(text[:0], out))
}

// UnpackSealed reads what PackSealed wrote. The organization is not in the value: the row that
// holds it says whose it is, and the caller sets it.
func UnpackSealed(sealed string) (Place, []byte, error) {
	raw, err := base64.RawURLEncoding.DecodeString(sealed)
	if err != nil {
		return Place{}, nil, fmt.Errorf("read a sealed value: %w", err)
	}
	cut := reader{raw: raw}
	version, flags := cut.byte(), cut.byte()
	place := Place{EventID: cut.id()}
	place.Stream.Category = string(cut.bytes(int(cut.byte())))
	place.Stream.ID = cut.id()
	switch flags {
	case flagSubjectIsID:
		place.Subject = place.Stream.ID
	case flagSubjectIsEv:
		place.Subject = place.EventID
	default:
		place.Subject = cut.id()
	}
	place.Pointer = string(cut.bytes(int(cut.byte())))
	if cut.short || version != sealedVersion {
		return Place{}, nil, errors.New("read a sealed value: it is cut short or of another version")
	}
	return place, cut.raw, nil
}

// reader takes pieces off the front of raw; short is set when there was too little.
type reader struct {
	raw   []byte
	short bool
}

func (r *reader) bytes(n int) []byte {
	if len(r.raw) < n {
		r.short, r.raw = true, nil
		return make([]byte, n)
	}
	piece := r.raw[:n]
	r.raw = r.raw[n:]
	return piece
}

func (r *reader) byte() byte    { return r.bytes(1)[0] }
func (r *reader) id() uuid.UUID { return uuid.UUID(r.bytes(16)) }

// checkPlace returns ErrMisplaced when the sealed value was not made for this event, stream and
// field: somebody moved it there.
func (f PersonalField) checkPlace(eventID uuid.UUID, stream Stream) error {
	if f.Value.sealed == "" {
		return nil
	}
	place, _, err := UnpackSealed(f.Value.sealed)
	if err != nil {
		return err
	}
	subject := f.Subject
	if subject == uuid.Nil {
		subject = eventID
	}
	if place.EventID != eventID || place.Stream != stream || place.Pointer != f.Pointer ||
		place.Subject != subject {
		return fmt.Errorf("%w: %s", ErrMisplaced, f.Pointer)
	}
	return nil
}
