package eventstore

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// LoadMasterKey reads the key that wraps all others from a file: 32 bytes as they are, or as 64
// hexadecimal digits, or in base64, both with or without a line's end. A file that everybody on
// the machine may read or write is refused.
func LoadMasterKey(path string) ([32]byte, error) {
	state, err := os.Stat(path)
	if err != nil {
		return [32]byte{}, fmt.Errorf("read the master key: %w", err)
	}
	if state.Mode().Perm()&0o007 != 0 {
		return [32]byte{}, fmt.Errorf(
			"read the master key: everybody on this machine may use %s (mode %04o): chmod 600 it",
			path, state.Mode().Perm())
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return [32]byte{}, fmt.Errorf("read the master key: %w", err)
	}
	key, err := ParseMasterKey(text)
	if err != nil {
		return [32]byte{}, fmt.Errorf("read the master key from %s: %w", path, err)
	}
	return key, nil
}

// ParseMasterKey reads the forms that LoadMasterKey names.
func ParseMasterKey(text []byte) ([32]byte, error) {
	if len(text) == 32 {
		return [32]byte(text), nil
	}
	text = bytes.TrimSpace(text)
	if len(text) == 64 {
		key, err := hex.DecodeString(string(text))
		if err != nil {
			return [32]byte{}, errors.New("64 characters that are no hexadecimal digits")
		}
		return [32]byte(key), nil
	}
	unpadded := string(bytes.TrimRight(text, "="))
	for _, encoding := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
		if key, err := encoding.DecodeString(unpadded); err == nil && len(key) == 32 {
			return [32]byte(key), nil
		}
	}
	return [32]byte{}, errors.New("a master key is 32 bytes, 64 hexadecimal digits or base64")
}

// NewMasterKey makes a key by chance and writes it, in hexadecimal, to a new file that only its
// owner may read. It refuses to write over a file that exists (fs.ErrExist).
func NewMasterKey(path string) (key [32]byte, err error) {
	if _, err := rand.Read(key[:]); err != nil {
		return key, fmt.Errorf("make a master key: %w", err)
	}
	// A half-written key must never be found under the final name: what it wrapped would be lost.
	draft, err := os.CreateTemp(filepath.Dir(path), ".masterkey-*") // mode 0600
	if err != nil {
		return key, fmt.Errorf("make a master key: %w", err)
	}
	defer func() { _ = os.Remove(draft.Name()) }()
	_, err = draft.WriteString(hex.EncodeToString(key[:]) + "\n")
	if err = errors.Join(err, draft.Sync(), draft.Close()); err != nil {
		return key, fmt.Errorf("write the master key: %w", err)
	}
	if err := os.Link(draft.Name(), path); err != nil {
		if errors.Is(err, fs.ErrExist) {
			return [32]byte{}, fmt.Errorf("write the master key: %s: %w", path, fs.ErrExist)
		}
		return [32]byte{}, fmt.Errorf("write the master key: %w", err)
	}
	if err := syncDirectory(filepath.Dir(path)); err != nil {
		return [32]byte{}, fmt.Errorf("write the master key: %w", err)
	}
	return key, nil
}

func syncDirectory(path string) error {
	directory, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(directory.Sync(), directory.Close())
}
