package eventstore_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/koprogo/koprogo/eventstore"
)

func TestMasterKey(t *testing.T) {
	t.Parallel()
	key := [32]byte(bytes.Repeat([]byte{0xa7, 0xfb}, 16))

	t.Run("each of its forms is read", func(t *testing.T) {
		t.Parallel()
		for _, text := range []string{
			string(key[:]),
			hex.EncodeToString(key[:]) + "\n",
			base64.StdEncoding.EncodeToString(key[:]) + "\r\n",
			base64.RawStdEncoding.EncodeToString(key[:]),
			base64.URLEncoding.EncodeToString(key[:]),
			base64.RawURLEncoding.EncodeToString(key[:]) + "\n",
		} {
			path := filepath.Join(t.TempDir(), "key")
			require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
			read, err := eventstore.LoadMasterKey(path)
			require.NoError(t, err)
			require.Equal(t, key, read)
		}
	})

	t.Run("anything else is refused without being shown", func(t *testing.T) {
		t.Parallel()
		for _, text := range []string{
			"", "secret", hex.EncodeToString(key[:31]),
			hex.EncodeToString(key[:]) + "00", "x" + hex.EncodeToString(key[:])[1:],
		} {
			_, err := eventstore.ParseMasterKey([]byte(text))
			require.Error(t, err)
			if text != "" {
				require.NotContains(t, err.Error(), text)
			}
		}
	})

	t.Run("a file that everybody may read is refused", func(t *testing.T) {
		t.Parallel()
		path := filepath.Join(t.TempDir(), "key")
		require.NoError(t, os.WriteFile(path, key[:], 0o600))
		require.NoError(t, os.Chmod(path, 0o644))
		_, err := eventstore.LoadMasterKey(path)
		require.ErrorContains(t, err, "chmod 600")
	})

	t.Run("a new one is its owner's alone and never written over", func(t *testing.T) {
		t.Parallel()
		path := filepath.Join(t.TempDir(), "key")
		made, err := eventstore.NewMasterKey(path)
		require.NoError(t, err)
		state, err := os.Stat(path)
		require.NoError(t, err)
		require.Equal(t, fs.FileMode(0o600), state.Mode().Perm())
		_, err = eventstore.NewMasterKey(path)
		require.ErrorIs(t, err, fs.ErrExist)
		read, err := eventstore.LoadMasterKey(path)
		require.NoError(t, err)
		require.Equal(t, made, read)
		left, err := os.ReadDir(filepath.Dir(path))
		require.NoError(t, err)
		require.Len(t, left, 1)
	})
}
