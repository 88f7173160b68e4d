package eventstore

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// LinkPurpose says what a one-time link is for. Either lets its holder set a password.
type LinkPurpose string

// The purposes and how long their links work.
const (
	LinkInvitation LinkPurpose = "invitation"
	LinkReset      LinkPurpose = "reset"

	invitationLife = 72 * time.Hour
	resetLife      = time.Hour
)

// life is how long a link of the purpose works.
func (p LinkPurpose) life() time.Duration {
	if p == LinkInvitation {
		return invitationLife
	}
	return resetLife
}

// ErrLinkSpent is returned for a link that was used, replaced, has expired or never was.
var ErrLinkSpent = errors.New("the link no longer works")

const (
	newLinkSQL = `
insert into log.links (organization_id, token_hash, account_id, purpose, expires_at)
values ($1, $2, $3, $4, $5)`
	linkSQL = `select account_id from log.links
 where organization_id = $1 and token_hash = $2 and used_at is null and expires_at > $3`
	spendLinkSQL = `update log.links set used_at = $3
 where organization_id = $1 and token_hash = $2 and used_at is null and expires_at > $3
returning account_id`
	spendAllLinksSQL = `update log.links set used_at = $3
 where organization_id = $1 and account_id = $2 and used_at is null`
)

// NewLink makes a one-time link for the account; those it had before no longer work. Only the
// token's hash is stored.
func (c *Credentials) NewLink(
	ctx context.Context, account uuid.UUID, purpose LinkPurpose,
) (token string, expires time.Time, err error) {
	secret := make([]byte, 32)
	_, _ = rand.Read(secret) // never fails: it ends the process instead
	token = base64.RawURLEncoding.EncodeToString(secret)
	now := c.clock()
	expires = now.Add(purpose.life())
	err = c.inTransaction(ctx, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, spendAllLinksSQL, Platform, account, now); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, newLinkSQL, Platform, linkHash(token), account, purpose, expires)
		return err
	})
	if err != nil {
		return "", time.Time{}, fmt.Errorf("make a link: %w", err)
	}
	return token, expires, nil
}

func linkHash(token string) []byte {
	hash := sha256.Sum256([]byte(token))
	return hash[:]
}

// LinkAccount is the account that a link is for, or ErrLinkSpent. The link stays as it is.
func (c *Credentials) LinkAccount(ctx context.Context, token string) (uuid.UUID, error) {
	var account uuid.UUID
	err := c.pool.QueryRow(ctx, linkSQL, Platform, linkHash(token), c.clock()).Scan(&account)
	if errors.Is(err, pgx.ErrNoRows) {
		return uuid.Nil, ErrLinkSpent
	}
	if err != nil {
		return uuid.Nil, fmt.Errorf("look for a link: %w", unavailable(err))
	}
	return account, nil
}

// SpendLink uses a link: its account gets the password whose Hash is given, and all its sessions
// end. It returns ErrLinkSpent when the link no longer works, and then changes nothing.
func (c *Credentials) SpendLink(ctx context.Context, token, hash string) (uuid.UUID, error) {
	var account uuid.UUID
	err := c.inTransaction(ctx, func(tx pgx.Tx) error {
		err := tx.QueryRow(ctx, spendLinkSQL, Platform, linkHash(token), c.clock()).Scan(&account)
		if errors.Is(err, pgx.ErrNoRows) {
			return ErrLinkSpent
		}
		if err != nil {
			return err
		}
		return c.setPassword(ctx, tx, account, hash)
	})
	if err != nil {
		return uuid.Nil, fmt.Errorf("use a link: %w", err)
	}
	return account, nil
}
