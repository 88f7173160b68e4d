package eventstore

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"time"

	"github.com/google/uuid"
)

// A refresh token is, in base64url: its family's id, the secret, a nonce by which two answers
// with the same secret differ, and a keyed hash of these. The secrets of a family are a chain, the
// next one being a keyed hash of the one before: so a token that is used twice within the grace
// gives the same place of the chain, though only hashes of secrets are stored. The hash at the end
// tells a token that we once gave, whose use is a theft, from one that somebody made up.
const (
	refreshNonce = 8
	refreshTag   = 16
	refreshBytes = 16 + 32 + refreshNonce + refreshTag
)

type refreshSecret [32]byte

func newRefreshSecret() (s refreshSecret) {
	_, _ = rand.Read(s[:]) // never fails: it ends the process instead
	return s
}

func (s refreshSecret) hash() [32]byte { return sha256.Sum256(s[:]) }

// following is the secret after s.
func (c *Credentials) following(
	ctx context.Context, s refreshSecret,
) (next refreshSecret, err error) {
	mac, err := c.keyed(ctx, "refresh chain", string(s[:]))
	if err != nil {
		return next, err
	}
	_, err = base64.RawURLEncoding.Decode(next[:], []byte(mac))
	return next, err
}

func (c *Credentials) refreshMAC(ctx context.Context, body []byte) ([]byte, error) {
	mac, err := c.keyed(ctx, "refresh token", string(body))
	if err != nil {
		return nil, err
	}
	raw, err := base64.RawURLEncoding.DecodeString(mac)
	if err != nil {
		return nil, err
	}
	return raw[:refreshTag], nil
}

func (c *Credentials) writeRefresh(
	ctx context.Context, id uuid.UUID, secret refreshSecret,
) (string, error) {
	token := make([]byte, 0, refreshBytes)
	token = append(append(token, id[:]...), secret[:]...)
	nonce := make([]byte, refreshNonce)
	_, _ = rand.Read(nonce)
	token = append(token, nonce...)
	tag, err := c.refreshMAC(ctx, token)
	if err != nil {
		return "", fmt.Errorf("write a refresh token: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(append(token, tag...)), nil
}

// readRefresh returns ErrSessionEnded for what is no token of ours.
func (c *Credentials) readRefresh(
	ctx context.Context, token string,
) (id uuid.UUID, secret refreshSecret, err error) {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(token)
	if err != nil || len(raw) != refreshBytes {
		return id, secret, ErrSessionEnded
	}
	body, tag := raw[:refreshBytes-refreshTag], raw[refreshBytes-refreshTag:]
	want, err := c.refreshMAC(ctx, body)
	if err != nil {
		return id, secret, fmt.Errorf("read a refresh token: %w", err)
	}
	if subtle.ConstantTimeCompare(tag, want) != 1 {
		return id, secret, ErrSessionEnded
	}
	copy(id[:], body)
	copy(secret[:], body[len(id):])
	return id, secret, nil
}

// retired is a token that was used, and when.
type retired struct {
	hash [32]byte
	at   time.Time
}

const (
	retiredBytes = 32 + 8
	maxRetired   = 32 // in one grace; a client that refreshes more often loses the oldest
)

// readRetired reads log.sessions.previous_hash: hash and microseconds since 1970, one after the
// other, oldest first.
func readRetired(raw []byte) []retired {
	list := make([]retired, 0, len(raw)/retiredBytes+1)
	for ; len(raw) >= retiredBytes; raw = raw[retiredBytes:] {
		micros := binary.BigEndian.Uint64(raw[32:])
		list = append(list, retired{[32]byte(raw[:32]), time.UnixMicro(int64(micros)).UTC()})
	}
	return list
}

// writeRetired adds one and leaves out those whose grace is over.
func writeRetired(list []retired, used retired, now time.Time) []byte {
	list = append(list, used)
	raw := make([]byte, 0, len(list)*retiredBytes)
	for _, r := range list[max(0, len(list)-maxRetired):] {
		if now.Sub(r.at) > RefreshGrace {
			continue
		}
		raw = append(raw, r.hash[:]...)
		raw = binary.BigEndian.AppendUint64(raw, uint64(r.at.UnixMicro()))
	}
	return raw
}
