package eventstore

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/koprogo/koprogo/events"
)

// Credentials holds the secrets that never enter the log: password hashes, second factors,
// sessions, one-time links and failed sign-ins. All of them belong to accounts, so their rows
// stand under the platform's organization.
type Credentials struct {
	pool    *pgxpool.Pool
	keyring *Keyring
	clock   func() time.Time

	slots  chan struct{} // one for each hash that may be computed at once
	hashes atomic.Int64
	dummy  string // what an account without a password is compared with

	failures *trying
}

// hashesAtOnce bounds the memory that passwords take: 19 MiB each.
const hashesAtOnce = 2

// Credentials opens the secrets of accounts. A process makes one and shares it, since it bounds
// how many passwords are hashed at once.
func (s *Store) Credentials() (*Credentials, error) {
	c := &Credentials{
		pool: s.pools[RoleJobs], keyring: s.keyring, clock: s.Clock,
		slots: make(chan struct{}, hashesAtOnce), failures: newTrying(),
	}
	dummy, err := c.Hash(context.Background(), uuid.NewString())
	if err != nil {
		return nil, fmt.Errorf("open the credentials: %w", err)
	}
	c.dummy = dummy
	return c, nil
}

// Hashes is how many passwords have been hashed in this process.
func (c *Credentials) Hashes() int64 { return c.hashes.Load() }

const holderSQL = `select holder from log.claims where organization_id = $1 and name = $2`

// AccountByEmail finds the account that claims the address, uuid.Nil when none does. Only the
// claim's keyed hash is looked for.
func (c *Credentials) AccountByEmail(ctx context.Context, email string) (uuid.UUID, error) {
	const kind = "email"
	mac, err := c.keyring.ClaimHMAC(ctx, Platform, kind, events.NormalEmail(email))
	if err != nil {
		return uuid.Nil, fmt.Errorf("find an account: %w", err)
	}
	var holder string
	err = c.pool.QueryRow(ctx, holderSQL, Platform, kind+":"+mac).Scan(&holder)
	if errors.Is(err, pgx.ErrNoRows) {
		return uuid.Nil, nil
	}
	if err != nil {
		return uuid.Nil, fmt.Errorf("find an account: %w", unavailable(err))
	}
	stream, err := events.ParseStream(holder)
	if err != nil || stream.Category != events.AccountCategory {
		return uuid.Nil, fmt.Errorf("find an account: the address is claimed by no account: %w",
			errors.Join(err, ErrClaimed))
	}
	return stream.ID, nil
}

const setPasswordSQL = `
insert into log.credentials (organization_id, account_id, password_hash, updated_at)
values ($1, $2, $3, $4)
on conflict (organization_id, account_id) do update
   set password_hash = excluded.password_hash, updated_at = excluded.updated_at`

// SetPassword gives the account a hash from Hash, ends all its sessions and spends its links.
func (c *Credentials) SetPassword(ctx context.Context, account uuid.UUID, hash string) error {
	err := c.inTransaction(ctx, func(tx pgx.Tx) error {
		return c.setPassword(ctx, tx, account, hash)
	})
	if err != nil {
		return fmt.Errorf("set a password: %w", err)
	}
	return nil
}

func (c *Credentials) setPassword(
	ctx context.Context, tx pgx.Tx, account uuid.UUID, hash string,
) error {
	if _, err := tx.Exec(ctx, setPasswordSQL, Platform, account, hash, c.clock()); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, endAllSessionsSQL, Platform, account); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, spendAllLinksSQL, Platform, account, c.clock())
	return err
}

const passwordSQL = `select coalesce(password_hash, '') from log.credentials
 where organization_id = $1 and account_id = $2`

// CheckPassword tells whether the password is the account's. It does the same work for
// uuid.Nil and for an account without a password, which no password fits.
func (c *Credentials) CheckPassword(
	ctx context.Context, account uuid.UUID, password string,
) (bool, error) {
	stored := ""
	err := c.pool.QueryRow(ctx, passwordSQL, Platform, account).Scan(&stored)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return false, fmt.Errorf("check a password: %w", unavailable(err))
	}
	known := stored != ""
	if !known {
		stored = c.dummy
	}
	fits, err := c.compare(ctx, stored, password)
	if err != nil {
		return false, fmt.Errorf("check a password: %w", err)
	}
	return fits && known, nil
}

// HasPassword tells whether the account ever set a password.
func (c *Credentials) HasPassword(ctx context.Context, account uuid.UUID) (bool, error) {
	stored := ""
	err := c.pool.QueryRow(ctx, passwordSQL, Platform, account).Scan(&stored)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return false, fmt.Errorf("look for a password: %w", unavailable(err))
	}
	return stored != "", nil
}

const (
	forgetCredentialsSQL = `delete from log.credentials
 where organization_id = $1 and account_id = $2`
	forgetLinksSQL = `delete from log.links where organization_id = $1 and account_id = $2`
)

// Forget destroys all secrets of an account that was closed.
func (c *Credentials) Forget(ctx context.Context, account uuid.UUID) error {
	err := c.inTransaction(ctx, func(tx pgx.Tx) error {
		for _, sql := range []string{forgetCredentialsSQL, endAllSessionsSQL, forgetLinksSQL} {
			if _, err := tx.Exec(ctx, sql, Platform, account); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("forget an account's secrets: %w", err)
	}
	return nil
}

// inTransaction commits what fn did, or nothing.
func (c *Credentials) inTransaction(ctx context.Context, fn func(pgx.Tx) error) error {
	err := pgx.BeginFunc(ctx, c.pool, fn)
	if errors.Is(err, ErrLinkSpent) {
		return err
	}
	return unavailable(err)
}

// keyed is HMAC-SHA-256 of value under the platform's claims key, for one purpose.
func (c *Credentials) keyed(ctx context.Context, purpose, value string) (string, error) {
	return c.keyring.ClaimHMAC(ctx, Platform, purpose, value)
}
