package eventstore

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/google/uuid"
	lru "github.com/hashicorp/golang-lru/v2"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/tink-crypto/tink-go/v2/aead/subtle"
	"github.com/tink-crypto/tink-go/v2/tink"
)

// Purposes of a key in log.keys.
const (
	purposeSubject    = "subject"
	purposeClaims     = "claims"
	purposeCheckpoint = "checkpoint"
)

// cachedKeys bounds the unwrapped keys that are kept in memory, each about 1 KiB.
const cachedKeys = 2_048

// Keyring seals and opens personal data under its subjects' keys, which stand in log.keys wrapped
// by the master key. A key that is missing was destroyed, and what was sealed under it is gone
// (ErrErased): only AccountKey, ClaimHMAC and the first checkpoint make a key that is not there.
type Keyring struct {
	pool   *pgxpool.Pool
	master tink.AEAD
	cache  *lru.Cache[keyPlace, *dataKey]

	forgetting sync.Mutex // held while the cache is changed
	forgotten  uint64     // counts Forget, so that a key read before it is not cached after it
}

// keyPlace is the primary key of log.keys.
type keyPlace struct {
	organization uuid.UUID
	purpose      string
	subject      uuid.UUID
}

// dataKey is an unwrapped key, ready for use.
type dataKey struct {
	clear []byte
	aead  tink.AEAD
}

// NewKey is the key of a new subject, as the append that makes the subject inserts it.
type NewKey struct {
	Subject uuid.UUID
	Wrapped []byte
}

// newKeyring reads and makes keys on pool, as the writer.
func newKeyring(pool *pgxpool.Pool, master [32]byte) *Keyring {
	cache, err := lru.New[keyPlace, *dataKey](cachedKeys)
	if err != nil { // only for a size below one
		panic(err)
	}
	return &Keyring{pool: pool, master: newAEAD(master[:]), cache: cache}
}

// newAEAD is AES-256-GCM under 32 bytes; Tink refuses only other lengths.
func newAEAD(key []byte) tink.AEAD {
	aead, err := subtle.NewAESGCM(key)
	if err != nil {
		panic(err)
	}
	return aead
}

func newDataKey() *dataKey {
	clear := make([]byte, 32)
	_, _ = rand.Read(clear) // never fails: it ends the process instead
	return &dataKey{clear: clear, aead: newAEAD(clear)}
}

// wrap encrypts a key under the master key, bound to its place.
func (k *Keyring) wrap(place keyPlace, key *dataKey) ([]byte, error) {
	wrapped, err := k.master.Encrypt(key.clear, place.associated())
	if err != nil {
		return nil, fmt.Errorf("wrap a key: %w", err)
	}
	return wrapped, nil
}

var errWrapped = errors.New("the master key is another one, " +
	"or the key stands in another place than it was made for")

func (k *Keyring) unwrap(place keyPlace, wrapped []byte) (*dataKey, error) {
	clear, err := k.master.Decrypt(wrapped, place.associated())
	if err != nil {
		return nil, fmt.Errorf("unwrap a %s key: %w: %w", place.purpose, errWrapped, err)
	}
	if len(clear) != 32 {
		return nil, fmt.Errorf("unwrap a %s key: it has %d bytes", place.purpose, len(clear))
	}
	return &dataKey{clear: clear, aead: newAEAD(clear)}, nil
}

// associated is what a wrapped key is bound to.
func (p keyPlace) associated() []byte {
	bound := appendID(make([]byte, 0, 64), p.organization)
	return appendID(appendText(bound, p.purpose), p.subject)
}

// One by one: a plan made while the table was small might compare each key with each subject.
const readKeysSQL = `select s, k.wrapped from unnest($3::uuid[]) s, lateral (
  select wrapped from log.keys
   where organization_id = $1 and purpose = $2 and subject = s limit 1) k`

// keys returns the keys that exist, from memory where possible and the rest in one query.
func (k *Keyring) keys(
	ctx context.Context, organization uuid.UUID, purpose string, subjects ...uuid.UUID,
) (map[uuid.UUID]*dataKey, error) {
	found := make(map[uuid.UUID]*dataKey, len(subjects))
	var missing []uuid.UUID
	for _, subject := range subjects {
		if key, ok := k.cache.Get(keyPlace{organization, purpose, subject}); ok {
			found[subject] = key
		} else {
			missing = append(missing, subject)
		}
	}
	if len(missing) == 0 {
		return found, nil
	}
	before := k.forgets()
	rows, err := k.pool.Query(ctx, readKeysSQL, organization, purpose, missing)
	if err != nil {
		return nil, fmt.Errorf("read keys: %w", err)
	}
	stored, err := pgx.CollectRows(rows, pgx.RowToStructByPos[NewKey])
	if err != nil {
		return nil, fmt.Errorf("read keys: %w", err)
	}
	for _, row := range stored {
		place := keyPlace{organization, purpose, row.Subject}
		key, err := k.unwrap(place, row.Wrapped)
		if err != nil {
			return nil, err
		}
		found[row.Subject] = key
		k.remember(place, key, before)
	}
	return found, nil
}

func (k *Keyring) forgets() uint64 {
	k.forgetting.Lock()
	defer k.forgetting.Unlock()
	return k.forgotten
}

// remember caches a key that was read when Forget had been called before times.
func (k *Keyring) remember(place keyPlace, key *dataKey, before uint64) {
	k.forgetting.Lock()
	defer k.forgetting.Unlock()
	if k.forgotten == before {
		k.cache.Add(place, key)
	}
}

// Forget drops a subject's key from memory. Every server calls it when it sees person.erased.
func (k *Keyring) Forget(organization, subject uuid.UUID) {
	k.forgetting.Lock()
	defer k.forgetting.Unlock()
	k.forgotten++
	k.cache.Remove(keyPlace{organization, purposeSubject, subject})
}

// key is one subject's key; ErrErased when there is none.
func (k *Keyring) key(ctx context.Context, organization, subject uuid.UUID) (*dataKey, error) {
	if key, ok := k.cache.Get(keyPlace{organization, purposeSubject, subject}); ok {
		return key, nil
	}
	found, err := k.keys(ctx, organization, purposeSubject, subject)
	if err != nil {
		return nil, err
	}
	if key, ok := found[subject]; ok {
		return key, nil
	}
	return nil, ErrErased
}

const ensureKeySQL = `insert into log.keys (organization_id, purpose, subject, wrapped)
values ($1, $2, $3, $4) on conflict (organization_id, purpose, subject) do nothing`

// ensure returns the key of a place and makes it where there is none, in a committed transaction
// of its own: nothing is sealed, claimed or signed under a key that may still be rolled back.
func (k *Keyring) ensure(ctx context.Context, place keyPlace) (*dataKey, error) {
	found, err := k.keys(ctx, place.organization, place.purpose, place.subject)
	if err != nil || found[place.subject] != nil {
		return found[place.subject], err
	}
	wrapped, err := k.wrap(place, newDataKey())
	if err != nil {
		return nil, err
	}
	if _, err = k.pool.Exec(ctx, ensureKeySQL,
		place.organization, place.purpose, place.subject, wrapped); err != nil {
		return nil, fmt.Errorf("make a %s key: %w", place.purpose, err)
	}
	// Another server may have been first; then its key counts.
	found, err = k.keys(ctx, place.organization, place.purpose, place.subject)
	if err == nil && found[place.subject] == nil {
		err = ErrErased
	}
	return found[place.subject], err
}

// AccountKey sees to it that the account has a key in the organization. It is called, and costs
// nothing from the second time on, before the account acts in the organization; it must not be
// called for an account that was erased.
func (k *Keyring) AccountKey(ctx context.Context, organization, account uuid.UUID) error {
	_, err := k.ensure(ctx, keyPlace{organization, purposeSubject, account})
	if err != nil {
		return fmt.Errorf("see to an account's key: %w", err)
	}
	return nil
}

// ClaimHMAC is the name under which a personal value is claimed: HMAC-SHA-256 of kind and value
// under the organization's claims key, in base64url. The caller normalizes value.
func (k *Keyring) ClaimHMAC(
	ctx context.Context, organization uuid.UUID, kind, value string,
) (string, error) {
	key, err := k.ensure(ctx, keyPlace{organization, purposeClaims, uuid.Nil})
	if err != nil {
		return "", fmt.Errorf("name a claim: %w", err)
	}
	mac := hmac.New(sha256.New, key.clear)
	mac.Write(appendText(appendText(nil, kind), value))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil)), nil
}

// Wrap encrypts a secret that stands outside the log (a TOTP secret) under the subject's key in
// the organization: it goes with the person's erasure. Purpose keeps secrets of one subject apart.
func (k *Keyring) Wrap(
	ctx context.Context, organization uuid.UUID, purpose string, subject uuid.UUID, clear []byte,
) ([]byte, error) {
	key, err := k.key(ctx, organization, subject)
	if err != nil {
		return nil, fmt.Errorf("wrap a secret: %w", err)
	}
	wrapped, err := key.aead.Encrypt(clear, keyPlace{organization, purpose, subject}.associated())
	if err != nil {
		return nil, fmt.Errorf("wrap a secret: %w", err)
	}
	return wrapped, nil
}

// Unwrap gives the secret that Wrap was given; ErrErased when the subject's key was destroyed.
func (k *Keyring) Unwrap(
	ctx context.Context, organization uuid.UUID, purpose string, subject uuid.UUID, wrapped []byte,
) ([]byte, error) {
	key, err := k.key(ctx, organization, subject)
	if err != nil {
		return nil, fmt.Errorf("unwrap a secret: %w", err)
	}
	clear, err := key.aead.Decrypt(wrapped, keyPlace{organization, purpose, subject}.associated())
	if err != nil {
		return nil, fmt.Errorf("unwrap a secret: %w", err)
	}
	return clear, nil
}

// Executor is a pool, a connection or a transaction.
type Executor interface {
	Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error)
}

const eraseSQL = `delete from log.keys
 where organization_id = $1 and purpose = 'subject' and subject = any($2)`

// Erase destroys the subjects' keys: what was sealed under them opens nowhere any more once tx is
// committed and every server has called Forget. This server's memory forgets them at once; after
// a commit the caller calls Forget again, since a read beside tx may have brought one back.
func (k *Keyring) Erase(
	ctx context.Context, tx Executor, organization uuid.UUID, subjects ...uuid.UUID,
) error {
	if slices.Contains(subjects, uuid.Nil) {
		return errors.New("destroy keys: no subject is named")
	}
	if _, err := tx.Exec(ctx, eraseSQL, organization, subjects); err != nil {
		return fmt.Errorf("destroy keys: %w", err)
	}
	for _, subject := range subjects {
		k.Forget(organization, subject)
	}
	return nil
}
