package eventstore

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/google/uuid"

	"github.com/koprogo/koprogo/events"
)

// Pointers of the sealed values in an event's metadata. No JSON pointer into data looks like
// them, so that neither can be moved to the other's place.
const (
	pointerAddress = "metadata/address"
	pointerAgent   = "metadata/agent"
)

// FreshKeys are the keys that one append makes: those of its new subjects and, as its events are
// sealed, those of its free texts. They are not safe for concurrent use.
type FreshKeys struct {
	ring         *Keyring
	organization uuid.UUID
	clear        map[uuid.UUID]*dataKey
	wrapped      []NewKey
	last         sealing
	before       uint64 // how often a key had been forgotten when the first of these was made
}

// sealing is what the texts of one append, mostly of one subject, are sealed with.
type sealing struct {
	subject uuid.UUID
	key     *dataKey
	room    [192]byte // for a clear text and its associated data, if they are not long
}

// NewKeys makes the keys of an append in which subjects are new. They are cached when it is
// committed: until then there is no such subject.
func (k *Keyring) NewKeys(organization uuid.UUID, subjects []uuid.UUID) (*FreshKeys, error) {
	f := &FreshKeys{ring: k, organization: organization}
	for _, subject := range subjects {
		if subject == uuid.Nil {
			return nil, errors.New("make a key: no subject is named")
		}
		if err := f.add(subject); err != nil {
			return nil, err
		}
	}
	return f, nil
}

// add makes a key for subject, unless the append made it one already.
func (f *FreshKeys) add(subject uuid.UUID) error {
	if f.clear[subject] != nil {
		return nil
	}
	key := newDataKey()
	wrapped, err := f.ring.wrap(keyPlace{f.organization, purposeSubject, subject}, key)
	if err != nil {
		return err
	}
	if f.clear == nil {
		f.clear, f.before = map[uuid.UUID]*dataKey{}, f.ring.forgets()
	}
	f.clear[subject] = key
	f.wrapped = append(f.wrapped, NewKey{Subject: subject, Wrapped: wrapped})
	return nil
}

// Keys are what the append inserts into log.keys (purpose subject) once all its events are sealed:
// ascending by subject, each once, without "on conflict", since a subject that has a key is not
// new.
func (f *FreshKeys) Keys() []NewKey {
	slices.SortFunc(f.wrapped, func(a, b NewKey) int { return compareIDs(a.Subject, b.Subject) })
	return f.wrapped
}

// keep caches the keys, once the append that makes them is committed: what was written is often
// read next.
func (f *FreshKeys) keep() {
	for subject, key := range f.clear {
		f.ring.remember(keyPlace{f.organization, purposeSubject, subject}, key, f.before)
	}
}

// Sealer seals the fields of one event, for events.Encode. The seal fails with ErrErased for a
// subject that has no key and is not new; a free text gets a key of its event.
func (f *FreshKeys) Sealer(ctx context.Context, id uuid.UUID, stream events.Stream) events.Seal {
	return func(field events.PersonalField, clear string) (string, uuid.UUID, error) {
		place := events.Place{
			Organization: f.organization, EventID: id, Stream: stream,
			Pointer: field.Pointer, Subject: field.Subject,
		}
		if place.Subject == uuid.Nil {
			place.Subject = id
			if err := f.add(id); err != nil {
				return "", uuid.Nil, err
			}
		}
		sealed, err := f.seal(ctx, place, clear)
		return sealed, place.Subject, err
	}
}

// seal takes the key of this append, if it made one for the subject.
func (f *FreshKeys) seal(ctx context.Context, place events.Place, clear string) (string, error) {
	if len(place.Pointer) > 255 || len(place.Stream.Category) > 255 {
		return "", fmt.Errorf("seal %s: a sealed value names at most 255 bytes", place.Pointer)
	}
	by := &f.last
	if by.key == nil || by.subject != place.Subject {
		key := f.clear[place.Subject]
		if key == nil {
			var err error
			if key, err = f.ring.key(ctx, place.Organization, place.Subject); err != nil {
				return "", err
			}
		}
		by.subject, by.key = place.Subject, key
	}
	both := appendPlace(append(by.room[:0], clear...), place)
	ciphertext, err := by.key.aead.Encrypt(both[:len(clear)], both[len(clear):])
	if err != nil {
		return "", fmt.Errorf("seal %s: %w", place.Pointer, err)
	}
	return events.PackSealed(place, ciphertext), nil
}

// appendPlace is the associated data of a sealed value: each part with its length before it.
func appendPlace(dst []byte, place events.Place) []byte {
	dst = appendID(dst, place.Organization)
	dst = appendID(dst, place.EventID)
	dst = appendStream(dst, place.Stream)
	dst = appendText(dst, place.Pointer)
	return appendID(dst, place.Subject)
}

// RecordedMetadata is an event's metadata as it is stored. Address and Agent are sealed under the
// actor's key in the organization; the writer puts them on the first event of an append only.
type RecordedMetadata struct {
	Actor       uuid.UUID       `json:"actor,omitzero"`
	Role        string          `json:"role,omitzero"`
	Correlation string          `json:"correlation,omitzero"`
	Causation   uuid.UUID       `json:"causation,omitzero"`
	Address     events.Personal `json:"address,omitzero"`
	Agent       events.Personal `json:"agent,omitzero"`
}

// SealMetadata gives the stored form of the metadata of event id. Address and agent are left out
// when nobody acts, since nobody could have them erased. The actor is a new subject of this append
// or has a key in the organization (AccountKey), else ErrErased.
func (f *FreshKeys) SealMetadata(ctx context.Context, id uuid.UUID, m Metadata) ([]byte, error) {
	stored := RecordedMetadata{
		Actor: m.Actor, Role: m.Role, Correlation: m.Correlation, Causation: m.Causation,
	}
	for _, field := range []struct {
		pointer, clear string
		into           *events.Personal
	}{
		{pointerAddress, m.Address, &stored.Address}, {pointerAgent, m.Agent, &stored.Agent},
	} {
		if field.clear == "" || m.Actor == uuid.Nil {
			continue
		}
		place := metadataPlace(id, m.Actor, field.pointer)
		place.Organization = f.organization
		sealed, err := f.seal(ctx, place, field.clear)
		if err != nil {
			return nil, fmt.Errorf("seal the metadata: %w", err)
		}
		*field.into = events.SealedText(sealed)
	}
	text, err := json.Marshal(&stored)
	if err != nil {
		return nil, fmt.Errorf("encode the metadata: %w", err)
	}
	return text, nil
}

// metadataPlace names the actor's own stream, whichever stream the event stands in.
func metadataPlace(id, actor uuid.UUID, pointer string) events.Place {
	return events.Place{
		EventID: id, Pointer: pointer, Subject: actor,
		Stream: events.Stream{Category: events.AccountCategory, ID: actor},
	}
}

// ReadMetadata decodes r.Metadata. It returns events.ErrMisplaced when an address or agent was
// not sealed for this event.
func (r *Recorded) ReadMetadata() (RecordedMetadata, error) {
	var m RecordedMetadata
	if err := json.Unmarshal(r.Metadata, &m); err != nil {
		return m, fmt.Errorf("read the metadata of position %d: %w", r.Position, err)
	}
	for pointer, value := range map[string]events.Personal{
		pointerAddress: m.Address, pointerAgent: m.Agent,
	} {
		if value.IsEmpty() {
			continue
		}
		place, _, err := events.UnpackSealed(value.Sealed())
		if err == nil && place != metadataPlace(r.ID, m.Actor, pointer) {
			err = fmt.Errorf("%w: %s", events.ErrMisplaced, pointer)
		}
		if err != nil {
			return m, fmt.Errorf("read the metadata of position %d: %w", r.Position, err)
		}
	}
	return m, nil
}

// Open gives the clear text of value, which stands in organization: "" for no text, ErrErased
// when the subject's key was destroyed, events.ErrMisplaced when the value was made for another
// organization or changed.
func (k *Keyring) Open(
	ctx context.Context, organization uuid.UUID, value events.Personal,
) (string, error) {
	if clear, ok := value.Clear(); ok {
		return clear, nil
	}
	place, ciphertext, err := unpack(organization, value)
	if err != nil {
		return "", err
	}
	key, err := k.key(ctx, organization, place.Subject)
	if err != nil {
		return "", err
	}
	return openSealed(key, place, ciphertext)
}

// OpenAll is Open for many values, with one query for the keys that are not in memory. An erased
// one gives "".
func (k *Keyring) OpenAll(
	ctx context.Context, organization uuid.UUID, values []events.Personal,
) ([]string, error) {
	type sealed struct {
		place      events.Place
		ciphertext []byte
	}
	parts := make([]sealed, len(values))
	subjects := make([]uuid.UUID, 0, len(values))
	for i, value := range values {
		if _, ok := value.Clear(); ok {
			continue
		}
		var err error
		if parts[i].place, parts[i].ciphertext, err = unpack(organization, value); err != nil {
			return nil, err
		}
		subjects = append(subjects, parts[i].place.Subject)
	}
	slices.SortFunc(subjects, compareIDs)
	keys, err := k.keys(ctx, organization, purposeSubject, slices.Compact(subjects)...)
	if err != nil {
		return nil, err
	}
	texts := make([]string, len(values))
	for i, part := range parts {
		if clear, ok := values[i].Clear(); ok {
			texts[i] = clear
			continue
		}
		key := keys[part.place.Subject]
		if key == nil {
			continue
		}
		if texts[i], err = openSealed(key, part.place, part.ciphertext); err != nil {
			return nil, err
		}
	}
	return texts, nil
}

func unpack(organization uuid.UUID, value events.Personal) (events.Place, []byte, error) {
	place, ciphertext, err := events.UnpackSealed(value.Sealed())
	place.Organization = organization
	return place, ciphertext, err
}

func openSealed(key *dataKey, place events.Place, ciphertext []byte) (string, error) {
	clear, err := key.aead.Decrypt(ciphertext, appendPlace(make([]byte, 0, 192), place))
	if err != nil {
		return "", fmt.Errorf("open %s: %w", place.Pointer, events.ErrMisplaced)
	}
	return string(clear), nil
}
