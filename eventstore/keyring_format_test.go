package eventstore_test

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/base64"
	"encoding/binary"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/koprogo/koprogo/events"
	"github.com/koprogo/koprogo/eventstore"
)

// field is section 4's of docs/log-format.md.
func field(parts ...[]byte) (out []byte) {
	for _, part := range parts {
		out = append(binary.BigEndian.AppendUint32(out, uint32(len(part))), part...)
	}
	return out
}

// gcmOpen opens nonce ‖ ciphertext ‖ tag.
func gcmOpen(t testing.TB, key, sealed, associated []byte) []byte {
	t.Helper()
	block, err := aes.NewCipher(key)
	require.NoError(t, err)
	gcm, err := cipher.NewGCM(block)
	require.NoError(t, err)
	clear, err := gcm.Open(nil, sealed[:12], sealed[12:], associated)
	require.NoError(t, err)
	return clear
}

func TestSealedValuesAndKeysAreAsTheFormatsPageSays(t *testing.T) {
	t.Parallel()
	store := open(t)
	organization, subject := newcomer(t, store)
	place := events.Place{
		Organization: organization, EventID: newID(t), Stream: buildingStream(newID(t)),
		Pointer: "/name", Subject: subject,
	}
	sealed, _, err := sealOne(t.Context(), store.Keyring(), place, "Anne Peeters")
	require.NoError(t, err)
	var wrapped []byte
	require.NoError(t, store.Pool(eventstore.RoleJobs).QueryRow(t.Context(),
		`select wrapped from log.keys where organization_id = $1 and subject = $2`,
		organization, subject).Scan(&wrapped))

	master := [32]byte{7}
	key := gcmOpen(t, master[:], wrapped, field(organization[:], []byte("subject"), subject[:]))
	value, err := base64.RawURLEncoding.DecodeString(sealed)
	require.NoError(t, err)
	before := append([]byte{1, 0}, place.EventID[:]...)
	before = append(append(before, 8), "building"...)
	before = append(append(before, place.Stream.ID[:]...), subject[:]...)
	before = append(append(before, 5), "/name"...)
	require.Equal(t, before, value[:len(before)])
	clear := gcmOpen(t, key, value[len(before):], field(organization[:], place.EventID[:],
		[]byte(place.Stream.String()), []byte("/name"), subject[:]))
	require.Equal(t, "Anne Peeters", string(clear))
}
