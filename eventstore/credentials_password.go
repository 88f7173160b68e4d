package eventstore

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/crypto/argon2"
)

// Cost of a password's hash (Argon2id, the least that OWASP asks for with one lane).
const (
	argonMemory = 19 * 1024 // KiB
	argonTime   = 2
	argonLanes  = 1
	saltBytes   = 16
	hashBytes   = 32
)

// argonHead begins the stored form, a PHC string: $argon2id$v=19$m=19456,t=2,p=1$salt$hash.
var argonHead = fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$",
	argon2.Version, argonMemory, argonTime, argonLanes)

// Hash gives the stored form of a password. At most two are computed at once; it waits for its
// turn as long as ctx lets it.
func (c *Credentials) Hash(ctx context.Context, password string) (string, error) {
	salt := make([]byte, saltBytes)
	_, _ = rand.Read(salt) // never fails: it ends the process instead
	sum, err := c.sum(ctx, password, salt, argonTime, argonMemory, argonLanes)
	if err != nil {
		return "", err
	}
	encode := base64.RawStdEncoding.EncodeToString
	return argonHead + encode(salt) + "$" + encode(sum), nil
}

// sum is the one place that computes Argon2id.
func (c *Credentials) sum(
	ctx context.Context, password string, salt []byte, time, memory uint32, lanes uint8,
) ([]byte, error) {
	select {
	case c.slots <- struct{}{}:
	case <-ctx.Done():
		return nil, fmt.Errorf("wait to hash a password: %w", ctx.Err())
	}
	defer func() { <-c.slots }()
	c.hashes.Add(1)
	return argon2.IDKey([]byte(password), salt, time, memory, lanes, hashBytes), nil
}

// compare tells whether password gives the stored hash, in constant time. The stored cost counts,
// so that hashes of an earlier cost still work.
func (c *Credentials) compare(ctx context.Context, stored, password string) (bool, error) {
	var version int
	var memory, time uint32
	var lanes uint8
	parts := strings.Split(stored, "$")
	if len(parts) != 6 || parts[1] != "argon2id" {
		return false, errors.New("a stored password hash is no argon2id string")
	}
	_, err := fmt.Sscanf(parts[2]+" "+parts[3], "v=%d m=%d,t=%d,p=%d",
		&version, &memory, &time, &lanes)
	if err != nil || version != argon2.Version || time < 1 || lanes < 1 {
		return false, errors.New("a stored password hash names a cost that is not known")
	}
	salt, saltErr := base64.RawStdEncoding.DecodeString(parts[4])
	want, wantErr := base64.RawStdEncoding.DecodeString(parts[5])
	if err := errors.Join(saltErr, wantErr); err != nil {
		return false, fmt.Errorf("read a stored password hash: %w", err)
	}
	sum, err := c.sum(ctx, password, salt, time, memory, lanes)
	if err != nil {
		return false, err
	}
	return subtle.ConstantTimeCompare(sum, want) == 1, nil
}
