package eventstore_test

import (
	"context"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/koprogo/koprogo/events"
	"github.com/koprogo/koprogo/eventstore"
	"github.com/koprogo/koprogo/migrations/migrationstest"
)

// newcomer is an organization with one subject, whose key is there.
func newcomer(t testing.TB, s *eventstore.Store) (organization, subject uuid.UUID) {
	t.Helper()
	organization, subject = newID(t), newID(t)
	require.NoError(t, s.Keyring().AccountKey(t.Context(), organization, subject))
	return organization, subject
}

// sealOne seals a text for a place with a key that is there, or with that of a free text.
func sealOne(
	ctx context.Context, k *eventstore.Keyring, place events.Place, clear string,
) (string, *eventstore.FreshKeys, error) {
	fresh, err := k.NewKeys(place.Organization, nil)
	if err != nil {
		return "", nil, err
	}
	seal := fresh.Sealer(ctx, place.EventID, place.Stream)
	sealed, _, err := seal(events.PersonalField{
		Pointer: place.Pointer, Subject: place.Subject,
	}, clear)
	return sealed, fresh, err
}

func TestSealing(t *testing.T) {
	t.Parallel()
	store := open(t)
	ring := store.Keyring()
	ctx := t.Context()
	organization, subject := newcomer(t, store)
	other, _ := newcomer(t, store)
	require.NoError(t, ring.AccountKey(ctx, other, subject))
	place := events.Place{
		Organization: organization, EventID: newID(t), Stream: buildingStream(newID(t)),
		Pointer: "/name", Subject: subject,
	}

	t.Run("any text opens again where it belongs", func(t *testing.T) {
		t.Parallel()
		rapid.Check(t, func(t *rapid.T) {
			clear := rapid.StringN(1, 200, -1).Draw(t, "text")
			at := place
			at.Pointer = "/" + rapid.StringMatching(`[a-z/]{0,80}`).Draw(t, "pointer")
			sealed, _, err := sealOne(ctx, ring, at, clear)
			require.NoError(t, err)
			if len(clear) > 8 {
				require.NotContains(t, sealed, clear)
			}
			opened, err := ring.Open(ctx, organization, events.SealedText(sealed))
			require.NoError(t, err)
			require.Equal(t, clear, opened)
		})
	})

	t.Run("a value moved to any other place does not open", func(t *testing.T) {
		t.Parallel()
		sealed, _, err := sealOne(ctx, ring, place, "Anne Peeters")
		require.NoError(t, err)
		_, ciphertext, err := events.UnpackSealed(sealed)
		require.NoError(t, err)
		rapid.Check(t, func(t *rapid.T) {
			at, in := place, organization
			switch rapid.IntRange(0, 6).Draw(t, "moved") {
			case 0:
				at.EventID = flip(t, at.EventID)
			case 1:
				at.Stream.ID = flip(t, at.Stream.ID)
			case 2:
				at.Stream.Category += "s"
			case 3:
				at.Pointer = rapid.StringMatching(`/[a-m]{1,9}`).Draw(t, "pointer")
			case 4:
				in = other
			case 5:
				at.Pointer, at.Stream.Category = "/nam", at.Stream.Category+"e"
			case 6:
				byteAt := rapid.IntRange(0, len(ciphertext)-1).Draw(t, "byte")
				ciphertext[byteAt] ^= 1
				defer func() { ciphertext[byteAt] ^= 1 }()
			}
			_, err := ring.Open(ctx, in, events.SealedText(events.PackSealed(at, ciphertext)))
			require.ErrorIs(t, err, events.ErrMisplaced)
		})
	})

	t.Run("an event's personal fields are sealed, named as subjects and opened", func(t *testing.T) {
		t.Parallel()
		account, id := newID(t), newID(t)
		stream := events.Stream{Category: events.AccountCategory, ID: account}
		fresh, err := ring.NewKeys(organization, []uuid.UUID{account, account})
		require.NoError(t, err)
		encoded, err := events.Encode(events.AccountOpened{
			AccountID: account, Email: events.PersonalText("anne@example.be"),
			FirstName: events.PersonalText("Anne"), LastName: events.PersonalText("Peeters"),
		}, fresh.Sealer(ctx, id, stream))
		require.NoError(t, err)
		require.Equal(t, []uuid.UUID{account}, encoded.Subjects)
		require.NotContains(t, string(encoded.Data), "Peeters")
		insertKeys(t, store, organization, fresh.Keys())

		decoded, err := events.Decode("account.opened", 1, encoded.Data, id, stream)
		require.NoError(t, err)
		opened, ok := decoded.(events.AccountOpened)
		require.True(t, ok)
		texts, err := ring.OpenAll(ctx, organization,
			[]events.Personal{opened.LastName, {}, opened.Email, opened.FirstName})
		require.NoError(t, err)
		require.Equal(t, []string{"Peeters", "", "anne@example.be", "Anne"}, texts)
		_, err = events.Decode("account.opened", 1, encoded.Data, newID(t), stream)
		require.ErrorIs(t, err, events.ErrMisplaced)
	})

	t.Run("free texts of one event share a key of their own", func(t *testing.T) {
		t.Parallel()
		free := place
		free.Subject, free.EventID = uuid.Nil, newID(t)
		sealed, fresh, err := sealOne(ctx, ring, free, "parle trop fort")
		require.NoError(t, err)
		require.Len(t, fresh.Keys(), 1)
		require.Equal(t, free.EventID, fresh.Keys()[0].Subject)
		_, err = ring.Open(ctx, organization, events.SealedText(sealed))
		require.ErrorIs(t, err, eventstore.ErrErased, "the append did not stand yet")
		insertKeys(t, store, organization, fresh.Keys())
		opened, err := ring.Open(ctx, organization, events.SealedText(sealed))
		require.NoError(t, err)
		require.Equal(t, "parle trop fort", opened)
	})
}

func insertKeys(
	t testing.TB, s *eventstore.Store, organization uuid.UUID, keys []eventstore.NewKey,
) {
	t.Helper()
	for _, key := range keys {
		_, err := s.Pool(eventstore.RoleJobs).Exec(t.Context(), `insert into log.keys
			(organization_id, purpose, subject, wrapped) values ($1, 'subject', $2, $3)`,
			organization, key.Subject, key.Wrapped)
		require.NoError(t, err)
	}
}

func TestErasure(t *testing.T) {
	t.Parallel()
	clone := migrationstest.Database(t)
	store, elsewhere := openOn(t, clone.URL), openOn(t, clone.URL)
	ring := store.Keyring()
	ctx := t.Context()
	organization, subject := newcomer(t, store)
	other := newID(t)
	require.NoError(t, ring.AccountKey(ctx, other, subject))
	place := events.Place{
		Organization: organization, EventID: newID(t), Stream: buildingStream(newID(t)),
		Pointer: "/name", Subject: subject,
	}
	sealed, _, err := sealOne(ctx, ring, place, "Anne")
	require.NoError(t, err)
	inOther := place
	inOther.Organization = other
	kept, _, err := sealOne(ctx, ring, inOther, "Anne")
	require.NoError(t, err)
	secret, err := ring.Wrap(ctx, organization, "totp", subject, []byte("JBSWY3DPEHPK3PXP"))
	require.NoError(t, err)
	clear, err := ring.Unwrap(ctx, organization, "totp", subject, secret)
	require.NoError(t, err)
	require.Equal(t, "JBSWY3DPEHPK3PXP", string(clear))
	_, err = ring.Unwrap(ctx, organization, "backup", subject, secret)
	require.Error(t, err, "a secret of another purpose")
	_, err = elsewhere.Keyring().Open(ctx, organization, events.SealedText(sealed))
	require.NoError(t, err)

	require.NoError(t, pgx.BeginFunc(ctx, store.Pool(eventstore.RoleJobs), func(tx pgx.Tx) error {
		return ring.Erase(ctx, tx, organization, subject)
	}))
	elsewhere.Keyring().Forget(organization, subject)

	for _, ring := range []*eventstore.Keyring{ring, elsewhere.Keyring()} {
		_, err = ring.Open(ctx, organization, events.SealedText(sealed))
		require.ErrorIs(t, err, eventstore.ErrErased)
		texts, err := ring.OpenAll(ctx, organization, []events.Personal{events.SealedText(sealed)})
		require.NoError(t, err)
		require.Equal(t, []string{""}, texts)
		_, _, err = sealOne(ctx, ring, place, "Anne")
		require.ErrorIs(t, err, eventstore.ErrErased, "the key was made anew")
		_, err = ring.Unwrap(ctx, organization, "totp", subject, secret)
		require.ErrorIs(t, err, eventstore.ErrErased)
		none, err := ring.NewKeys(organization, nil)
		require.NoError(t, err)
		_, err = none.SealMetadata(ctx, newID(t),
			eventstore.Metadata{Actor: subject, Address: "192.0.2.7"})
		require.ErrorIs(t, err, eventstore.ErrErased)
	}
	opened, err := ring.Open(ctx, other, events.SealedText(kept))
	require.NoError(t, err, "the person's key in another organization is another one")
	require.Equal(t, "Anne", opened)
	require.Error(t, ring.Erase(ctx, store.Pool(eventstore.RoleJobs), organization, uuid.Nil))
}

func TestMetadata(t *testing.T) {
	t.Parallel()
	store := open(t)
	ring := store.Keyring()
	organization, actor := newcomer(t, store)
	r := eventstore.Recorded{ID: newID(t), Position: 1}
	m := eventstore.Metadata{
		Actor: actor, Role: "syndic", Correlation: "c-1", Causation: newID(t),
		Address: "192.0.2.7", Agent: "Mozilla/5.0",
	}
	keys, err := ring.NewKeys(organization, nil)
	require.NoError(t, err)
	r.Metadata, err = keys.SealMetadata(t.Context(), r.ID, m)
	require.NoError(t, err)
	require.NotContains(t, string(r.Metadata), "Mozilla")
	require.NotContains(t, string(r.Metadata), "192.0.2.7")

	read, err := r.ReadMetadata()
	require.NoError(t, err)
	require.Equal(t, m.Actor, read.Actor)
	require.Equal(t, m.Role, read.Role)
	require.Equal(t, m.Correlation, read.Correlation)
	require.Equal(t, m.Causation, read.Causation)
	texts, err := ring.OpenAll(t.Context(), organization, []events.Personal{read.Address, read.Agent})
	require.NoError(t, err)
	require.Equal(t, []string{"192.0.2.7", "Mozilla/5.0"}, texts)

	elsewhere := r
	elsewhere.ID = newID(t)
	_, err = elsewhere.ReadMetadata()
	require.ErrorIs(t, err, events.ErrMisplaced)
	swapped := r
	swapped.Metadata = []byte(strings.NewReplacer("address", "agent", "agent", "address").
		Replace(string(r.Metadata)))
	_, err = swapped.ReadMetadata()
	require.ErrorIs(t, err, events.ErrMisplaced)

	nobody, err := keys.SealMetadata(t.Context(), r.ID,
		eventstore.Metadata{Address: "192.0.2.7", Role: "job"})
	require.NoError(t, err)
	require.JSONEq(t, `{"role":"job"}`, string(nobody))

	newAccount := newID(t)
	fresh, err := ring.NewKeys(organization, []uuid.UUID{newAccount})
	require.NoError(t, err)
	_, err = fresh.SealMetadata(t.Context(), r.ID,
		eventstore.Metadata{Actor: newAccount, Address: "192.0.2.7"})
	require.NoError(t, err, "an actor who is a new subject of the append")
}

func TestKeysMadeOnFirstUse(t *testing.T) {
	t.Parallel()
	clone := migrationstest.Database(t)
	first, second := openOn(t, clone.URL), openOn(t, clone.URL)
	ctx := t.Context()

	t.Run("servers that race for a claims key agree on one", func(t *testing.T) {
		t.Parallel()
		for range 10 {
			organization := newID(t)
			names := make([]string, 8)
			var racing sync.WaitGroup
			for i := range names {
				ring := []*eventstore.Keyring{first.Keyring(), second.Keyring()}[i%2]
				racing.Go(func() {
					names[i], _ = ring.ClaimHMAC(ctx, organization, "email", "anne@example.be")
				})
			}
			racing.Wait()
			require.Len(t, names[0], 43)
			for _, name := range names {
				require.Equal(t, names[0], name)
			}
		}
	})

	t.Run("a claim's name tells kinds, values and organizations apart", func(t *testing.T) {
		t.Parallel()
		seen := map[string]bool{}
		for _, organization := range []uuid.UUID{newID(t), newID(t)} {
			for _, pair := range [][2]string{{"email", "ab"}, {"emaila", "b"}, {"email", "a"}} {
				name, err := first.Keyring().ClaimHMAC(ctx, organization, pair[0], pair[1])
				require.NoError(t, err)
				require.False(t, seen[name])
				seen[name] = true
			}
		}
	})

	t.Run("another master key opens nothing and does not look like an erasure", func(t *testing.T) {
		t.Parallel()
		organization, subject := newcomer(t, first)
		stranger, err := eventstore.Open(ctx, eventstore.Config{
			URL: clone.URL, MasterKey: [32]byte{8},
		})
		require.NoError(t, err)
		t.Cleanup(stranger.Close)
		_, err = stranger.Keyring().Wrap(ctx, organization, "totp", subject, []byte("x"))
		require.ErrorContains(t, err, "master key")
		require.NotErrorIs(t, err, eventstore.ErrErased)
	})

	t.Run("a wrapped key moved to another subject is refused", func(t *testing.T) {
		t.Parallel()
		organization, subject := newcomer(t, first)
		_, err := first.Pool(eventstore.RoleJobs).Exec(ctx, `insert into log.keys
			(organization_id, purpose, subject, wrapped)
			select organization_id, purpose, $2, wrapped from log.keys
			 where organization_id = $1 and subject = $3`, organization, newIDOf(9), subject)
		require.NoError(t, err)
		_, err = first.Keyring().Wrap(ctx, organization, "totp", newIDOf(9), []byte("x"))
		require.ErrorContains(t, err, "another place")
	})
}

func newIDOf(n byte) uuid.UUID { return uuid.UUID{15: n} }
