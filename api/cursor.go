package api

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/google/uuid"
)

// cursors seals the marks of lists, so that a client can neither read nor make one, and binds
// each to the list, organization, sort and filters that it was made for.
type cursors struct{ aead cipher.AEAD }

func newCursors(secret []byte) (*cursors, error) {
	key, err := deriveKey(secret, "cursors")
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("make the cursors' cipher: %w", err)
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return nil, fmt.Errorf("make the cursors' cipher: %w", err)
	}
	return &cursors{aead: aead}, nil
}

// seal makes a cursor: the number of the page that it leads to, and the query's mark.
func (c *cursors) seal(page int, mark, bound []byte) string {
	clear := append(binary.AppendUvarint(nil, uint64(page)), mark...)
	return base64.RawURLEncoding.EncodeToString(c.aead.Seal(nil, nil, clear, bound))
}

// open returns what seal was given, or the problem invalid_cursor.
func (c *cursors) open(cursor string, bound []byte) (int, []byte, error) {
	sealed, err := base64.RawURLEncoding.Strict().DecodeString(cursor)
	if err != nil {
		return 0, nil, refuse(CodeInvalidCursor)
	}
	clear, err := c.aead.Open(nil, nil, sealed, bound)
	if err != nil {
		return 0, nil, refuse(CodeInvalidCursor)
	}
	page, n := binary.Uvarint(clear)
	if n <= 0 || page > 1<<40 {
		return 0, nil, refuse(CodeInvalidCursor)
	}
	return int(page), clear[n:], nil
}

// binding is what a cursor belongs to, each part with its length.
func binding(q query, path string, organization uuid.UUID, page Page) []byte {
	parts := []string{path, organization.String(), page.Sort, "asc"}
	if page.Descending {
		parts[3] = "desc"
	}
	names := make([]string, 0, len(q))
	for name := range q {
		if !slices.Contains(pageParameters, name) && name != organizationField {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		parts = append(parts, name, q[name])
	}
	var bound []byte
	for _, part := range parts {
		bound = binary.AppendUvarint(bound, uint64(len(part)))
		bound = append(bound, part...)
	}
	return bound
}
