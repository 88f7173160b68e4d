package eventstore

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// A session is a family of refresh tokens: each token works once and gives the next.
const (
	// RefreshLife is how long a refresh token is good.
	RefreshLife = 7 * 24 * time.Hour
	// RefreshGrace is how long a used token still gives the family's next one: the answer may
	// have been lost, or two windows of one browser asked at once.
	RefreshGrace = 30 * time.Second
)

// ErrSessionEnded is returned for a refresh token that gives nothing: unknown, expired, revoked,
// or used before, in which case its whole family is revoked.
var ErrSessionEnded = errors.New("the session has ended")

// Session is a signed-in device. Address and Agent are what the client told when it signed in,
// empty once the person is erased.
type Session struct {
	ID        uuid.UUID // the family; access tokens name it (jti)
	Account   uuid.UUID
	Role      uuid.UUID // the role's id
	CreatedAt time.Time
	UsedAt    time.Time
	ExpiresAt time.Time
	Address   string
	Agent     string
}

// purposeSession keeps what a session seals apart from other secrets of its account.
const purposeSession = "session"

const startSessionSQL = `
insert into log.sessions (organization_id, id, account_id, role_id, token_hash, rotated_at,
                          created_at, expires_at, address, agent)
values ($1, $2, $3, $4, $5, $6, $6, $7, nullif($8, ''), nullif($9, ''))`

// StartSession signs an account in under a role and returns the first refresh token.
func (c *Credentials) StartSession(
	ctx context.Context, account, role uuid.UUID, address, agent string,
) (Session, string, error) {
	now := c.clock()
	id, err := uuid.NewV7()
	if err != nil {
		return Session{}, "", fmt.Errorf("start a session: %w", err)
	}
	s := Session{
		ID: id, Account: account, Role: role, CreatedAt: now, UsedAt: now,
		ExpiresAt: now.Add(RefreshLife), Address: address, Agent: agent,
	}
	sealedAddress, addressErr := c.sealText(ctx, account, address)
	sealedAgent, agentErr := c.sealText(ctx, account, agent)
	if err := errors.Join(addressErr, agentErr); err != nil {
		return Session{}, "", fmt.Errorf("start a session: %w", err)
	}
	secret := newRefreshSecret()
	token, err := c.writeRefresh(ctx, s.ID, secret)
	if err != nil {
		return Session{}, "", fmt.Errorf("start a session: %w", err)
	}
	hash := secret.hash()
	_, err = c.pool.Exec(ctx, startSessionSQL, Platform, s.ID, account, role, hash[:], now,
		s.ExpiresAt, sealedAddress, sealedAgent)
	if err != nil {
		return Session{}, "", fmt.Errorf("start a session: %w", unavailable(err))
	}
	return s, token, nil
}

const (
	familySQL = `select account_id, role_id, token_hash, coalesce(previous_hash, ''::bytea),
       rotated_at, created_at, expires_at
  from log.sessions where organization_id = $1 and id = $2`
	rotateSQL = `update log.sessions
   set token_hash = $4, previous_hash = $5, rotated_at = $6, expires_at = $7
 where organization_id = $1 and id = $2 and token_hash = $3`
	endSessionSQL = `delete from log.sessions
 where organization_id = $1 and id = $2 and account_id = $3`
	endAllSessionsSQL = `delete from log.sessions where organization_id = $1 and account_id = $2`
)

// family is a session's row with the hashes of its tokens.
type family struct {
	Session
	current  [32]byte
	previous []retired
}

func (c *Credentials) family(ctx context.Context, id uuid.UUID) (*family, error) {
	f := &family{Session: Session{ID: id}}
	var current, previous []byte
	err := c.pool.QueryRow(ctx, familySQL, Platform, id).Scan(&f.Account, &f.Role,
		&current, &previous, &f.UsedAt, &f.CreatedAt, &f.ExpiresAt)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, ErrSessionEnded
	}
	if err != nil {
		return nil, unavailable(err)
	}
	copy(f.current[:], current)
	f.previous = readRetired(previous)
	f.UsedAt, f.CreatedAt = f.UsedAt.UTC(), f.CreatedAt.UTC()
	f.ExpiresAt = f.ExpiresAt.UTC()
	return f, nil
}

// Rotate takes a refresh token and gives the next one of its session. A token that was used less
// than RefreshGrace ago gives the session's present one again; one used earlier ends the session,
// since somebody else has it. It returns ErrSessionEnded, with the session that just ended, if any.
func (c *Credentials) Rotate(
	ctx context.Context, token string,
) (session Session, next string, err error) {
	id, secret, err := c.readRefresh(ctx, token)
	if err != nil {
		return Session{}, "", err
	}
	for {
		f, err := c.family(ctx, id)
		if err != nil {
			return Session{}, "", fmt.Errorf("refresh a session: %w", err)
		}
		if !c.clock().Before(f.ExpiresAt) {
			return Session{}, "", ErrSessionEnded
		}
		if secret.hash() != f.current {
			next, err := c.again(ctx, f, secret)
			return f.Session, next, err
		}
		next, won, err := c.rotate(ctx, f, secret)
		if err != nil || won {
			return f.Session, next, err
		}
	}
}

// rotate moves the family on by one token; won is false when another request did.
func (c *Credentials) rotate(
	ctx context.Context, f *family, secret refreshSecret,
) (token string, won bool, err error) {
	now := c.clock()
	following, err := c.following(ctx, secret)
	if err != nil {
		return "", false, err
	}
	if token, err = c.writeRefresh(ctx, f.ID, following); err != nil {
		return "", false, err
	}
	hash := following.hash()
	expires := now.Add(RefreshLife)
	done, err := c.pool.Exec(ctx, rotateSQL, Platform, f.ID, f.current[:], hash[:],
		writeRetired(f.previous, retired{f.current, now}, now), now, expires)
	if err != nil {
		return "", false, fmt.Errorf("refresh a session: %w", unavailable(err))
	}
	f.UsedAt, f.ExpiresAt = now, expires
	return token, done.RowsAffected() == 1, nil
}

// again answers a token that was used before.
func (c *Credentials) again(
	ctx context.Context, f *family, secret refreshSecret,
) (string, error) {
	now := c.clock()
	for _, used := range f.previous {
		if used.hash != secret.hash() || now.Sub(used.at) > RefreshGrace {
			continue
		}
		for range maxRetired {
			var err error
			if secret, err = c.following(ctx, secret); err != nil {
				return "", err
			}
			if secret.hash() == f.current {
				return c.writeRefresh(ctx, f.ID, secret)
			}
		}
	}
	if _, err := c.EndSession(ctx, f.Account, f.ID); err != nil {
		return "", err
	}
	return "", ErrSessionEnded
}

// SessionOf finds the session that a refresh token belongs to, whether or not the token still
// works; ErrSessionEnded when there is none.
func (c *Credentials) SessionOf(ctx context.Context, token string) (Session, error) {
	id, _, err := c.readRefresh(ctx, token)
	if err != nil {
		return Session{}, err
	}
	return c.Session(ctx, id)
}

// Session returns a session that has not ended, without address and agent; else ErrSessionEnded.
func (c *Credentials) Session(ctx context.Context, id uuid.UUID) (Session, error) {
	f, err := c.family(ctx, id)
	if err != nil {
		return Session{}, fmt.Errorf("look for a session: %w", err)
	}
	if !c.clock().Before(f.ExpiresAt) {
		return Session{}, ErrSessionEnded
	}
	return f.Session, nil
}

// EndSession revokes one session of an account; false when the account has no such session.
func (c *Credentials) EndSession(ctx context.Context, account, id uuid.UUID) (bool, error) {
	done, err := c.pool.Exec(ctx, endSessionSQL, Platform, id, account)
	if err != nil {
		return false, fmt.Errorf("end a session: %w", unavailable(err))
	}
	return done.RowsAffected() == 1, nil
}

// EndSessions revokes all sessions of an account.
func (c *Credentials) EndSessions(ctx context.Context, account uuid.UUID) error {
	if _, err := c.pool.Exec(ctx, endAllSessionsSQL, Platform, account); err != nil {
		return fmt.Errorf("end an account's sessions: %w", unavailable(err))
	}
	return nil
}

const sessionsSQL = `select id, account_id, role_id, rotated_at, created_at, expires_at,
       coalesce(address, ''), coalesce(agent, '')
  from log.sessions where organization_id = $1 and account_id = $2 and expires_at > $3
 order by created_at desc, id desc`

// Sessions lists an account's sessions that have not ended, newest first.
func (c *Credentials) Sessions(ctx context.Context, account uuid.UUID) ([]Session, error) {
	rows, err := c.pool.Query(ctx, sessionsSQL, Platform, account, c.clock())
	if err != nil {
		return nil, fmt.Errorf("list sessions: %w", unavailable(err))
	}
	sessions, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (Session, error) {
		var s Session
		err := row.Scan(&s.ID, &s.Account, &s.Role, &s.UsedAt, &s.CreatedAt, &s.ExpiresAt,
			&s.Address, &s.Agent)
		s.UsedAt, s.CreatedAt, s.ExpiresAt = s.UsedAt.UTC(), s.CreatedAt.UTC(), s.ExpiresAt.UTC()
		return s, err
	})
	if err != nil {
		return nil, fmt.Errorf("list sessions: %w", unavailable(err))
	}
	for i := range sessions {
		s := &sessions[i]
		var addressErr, agentErr error
		s.Address, addressErr = c.openText(ctx, account, s.Address)
		s.Agent, agentErr = c.openText(ctx, account, s.Agent)
		if err := errors.Join(addressErr, agentErr); err != nil {
			return nil, fmt.Errorf("list sessions: %w", err)
		}
	}
	return sessions, nil
}

// sealText wraps a text about the account's person for a column beside the log.
func (c *Credentials) sealText(
	ctx context.Context, account uuid.UUID, clear string,
) (string, error) {
	if clear == "" {
		return "", nil
	}
	wrapped, err := c.keyring.Wrap(ctx, Platform, purposeSession, account, []byte(clear))
	return base64.RawURLEncoding.EncodeToString(wrapped), err
}

func (c *Credentials) openText(
	ctx context.Context, account uuid.UUID, sealed string,
) (string, error) {
	if sealed == "" {
		return "", nil
	}
	wrapped, err := base64.RawURLEncoding.DecodeString(sealed)
	if err != nil {
		return "", err
	}
	clear, err := c.keyring.Unwrap(ctx, Platform, purposeSession, account, wrapped)
	if errors.Is(err, ErrErased) {
		return "", nil
	}
	return string(clear), err
}
