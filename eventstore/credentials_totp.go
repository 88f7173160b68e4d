package eventstore

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base32"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/pquerna/otp"
	"github.com/pquerna/otp/hotp"
)

const (
	totpPeriod  = 30 // seconds (RFC 6238)
	totpSkew    = 1  // steps that a clock may be off, either way
	secretBytes = 20 // as RFC 4226 recommends

	// BackupCodes is how many codes stand in for a lost device, each once.
	BackupCodes     = 10
	backupCodeBytes = 10 // 80 bits, 16 characters
)

// ErrNoSecondFactor is returned where an account has no secret to check a code against.
var ErrNoSecondFactor = errors.New("the account has no second factor")

var base32Text = base32.StdEncoding.WithPadding(base32.NoPadding)

// SecondFactor is what a person needs to set up an authenticator. It is shown once.
type SecondFactor struct {
	Secret      string // base32
	BackupCodes []string
}

// SecondFactorState is what may be told of it later.
type SecondFactorState struct {
	Prepared    bool // there is a secret; whether sign-in asks for codes, the log says
	VerifiedAt  time.Time
	UsedAt      time.Time
	BackupCodes int // not used yet
}

const prepareTOTPSQL = `
insert into log.credentials (organization_id, account_id, totp_secret, backup_codes, updated_at)
values ($1, $2, $3, $4, $5)
on conflict (organization_id, account_id) do update
   set totp_secret = excluded.totp_secret, backup_codes = excluded.backup_codes,
       totp_last_step = null, totp_verified_at = null, totp_used_at = null,
       updated_at = excluded.updated_at`

// PrepareSecondFactor makes a secret and backup codes for the account, in place of those that it
// had. The caller sees to it that they are not in use. It returns ErrErased for an erased person.
func (c *Credentials) PrepareSecondFactor(
	ctx context.Context, account uuid.UUID,
) (SecondFactor, error) {
	secret := make([]byte, secretBytes)
	_, _ = rand.Read(secret) // never fails: it ends the process instead
	wrapped, err := c.keyring.Wrap(ctx, Platform, "totp", account, secret)
	if err != nil {
		return SecondFactor{}, fmt.Errorf("prepare a second factor: %w", err)
	}
	codes, hashes, err := c.newBackupCodes(ctx, account)
	if err != nil {
		return SecondFactor{}, fmt.Errorf("prepare a second factor: %w", err)
	}
	_, err = c.pool.Exec(ctx, prepareTOTPSQL, Platform, account, wrapped, hashes, c.clock())
	if err != nil {
		return SecondFactor{}, fmt.Errorf("prepare a second factor: %w", unavailable(err))
	}
	return SecondFactor{Secret: base32Text.EncodeToString(secret), BackupCodes: codes}, nil
}

// newBackupCodes makes codes, written ABCD-EFGH-IJKL-MNOP, and their hashes.
func (c *Credentials) newBackupCodes(
	ctx context.Context, account uuid.UUID,
) (codes, hashes []string, err error) {
	for range BackupCodes {
		raw := make([]byte, backupCodeBytes)
		_, _ = rand.Read(raw)
		text := base32Text.EncodeToString(raw)
		codes = append(codes, strings.Join(
			[]string{text[:4], text[4:8], text[8:12], text[12:]}, "-"))
		hash, err := c.hashBackupCode(ctx, account, text)
		if err != nil {
			return nil, nil, err
		}
		hashes = append(hashes, hash)
	}
	return codes, hashes, nil
}

func (c *Credentials) hashBackupCode(
	ctx context.Context, account uuid.UUID, code string,
) (string, error) {
	return c.keyed(ctx, "backup code", account.String()+code)
}

const (
	totpSQL = `select totp_secret from log.credentials
 where organization_id = $1 and account_id = $2 and totp_secret is not null`
	useStepSQL = `update log.credentials
   set totp_last_step = $3, totp_used_at = $4,
       totp_verified_at = coalesce(totp_verified_at, $4)
 where organization_id = $1 and account_id = $2 and totp_secret = $5
   and coalesce(totp_last_step, -1) < $3`
	useBackupSQL = `update log.credentials
   set backup_codes = array_remove(backup_codes, $3), totp_used_at = $4
 where organization_id = $1 and account_id = $2 and $3 = any(backup_codes)`
)

// UseCode tells whether code is one that the account's authenticator shows about now, and uses it
// up: no code works twice, nor one from before. It returns ErrNoSecondFactor without a secret.
func (c *Credentials) UseCode(
	ctx context.Context, account uuid.UUID, code string,
) (bool, error) {
	var wrapped []byte
	err := c.pool.QueryRow(ctx, totpSQL, Platform, account).Scan(&wrapped)
	if errors.Is(err, pgx.ErrNoRows) {
		return false, ErrNoSecondFactor
	}
	if err != nil {
		return false, fmt.Errorf("check a code: %w", unavailable(err))
	}
	secret, err := c.keyring.Unwrap(ctx, Platform, "totp", account, wrapped)
	if err != nil {
		return false, fmt.Errorf("check a code: %w", err)
	}
	now := c.clock()
	step, fits, err := matchingStep(secret, strings.TrimSpace(code), now)
	if err != nil || !fits {
		return false, err
	}
	done, err := c.pool.Exec(ctx, useStepSQL, Platform, account, step, now, wrapped)
	if err != nil {
		return false, fmt.Errorf("check a code: %w", unavailable(err))
	}
	return done.RowsAffected() == 1, nil
}

// matchingStep finds the time step whose code it is.
func matchingStep(secret []byte, code string, now time.Time) (step int64, fits bool, err error) {
	text := base32Text.EncodeToString(secret)
	present := now.Unix() / totpPeriod
	for candidate := present - totpSkew; candidate <= present+totpSkew; candidate++ {
		want, err := hotp.GenerateCodeCustom(text, uint64(candidate), hotp.ValidateOpts{
			Digits: otp.DigitsSix, Algorithm: otp.AlgorithmSHA1,
		})
		if err != nil {
			return 0, false, fmt.Errorf("make a code: %w", err)
		}
		if subtle.ConstantTimeCompare([]byte(want), []byte(code)) == 1 {
			step, fits = candidate, true
		}
	}
	return step, fits, nil
}

// UseBackupCode tells whether code is one of the account's backup codes, and uses it up.
func (c *Credentials) UseBackupCode(
	ctx context.Context, account uuid.UUID, code string,
) (bool, error) {
	plain := strings.ToUpper(strings.NewReplacer("-", "", " ", "").Replace(code))
	hash, err := c.hashBackupCode(ctx, account, plain)
	if err != nil {
		return false, fmt.Errorf("check a backup code: %w", err)
	}
	done, err := c.pool.Exec(ctx, useBackupSQL, Platform, account, hash, c.clock())
	if err != nil {
		return false, fmt.Errorf("check a backup code: %w", unavailable(err))
	}
	return done.RowsAffected() == 1, nil
}

const renewBackupSQL = `update log.credentials set backup_codes = $3, updated_at = $4
 where organization_id = $1 and account_id = $2 and totp_secret is not null`

// RenewBackupCodes makes new backup codes in place of the old ones.
func (c *Credentials) RenewBackupCodes(
	ctx context.Context, account uuid.UUID,
) ([]string, error) {
	codes, hashes, err := c.newBackupCodes(ctx, account)
	if err != nil {
		return nil, fmt.Errorf("renew the backup codes: %w", err)
	}
	done, err := c.pool.Exec(ctx, renewBackupSQL, Platform, account, hashes, c.clock())
	if err != nil {
		return nil, fmt.Errorf("renew the backup codes: %w", unavailable(err))
	}
	if done.RowsAffected() == 0 {
		return nil, ErrNoSecondFactor
	}
	return codes, nil
}

const dropTOTPSQL = `update log.credentials
   set totp_secret = null, totp_last_step = null, totp_verified_at = null, totp_used_at = null,
       backup_codes = null, updated_at = $3
 where organization_id = $1 and account_id = $2`

// DropSecondFactor destroys secret and backup codes.
func (c *Credentials) DropSecondFactor(ctx context.Context, account uuid.UUID) error {
	if _, err := c.pool.Exec(ctx, dropTOTPSQL, Platform, account, c.clock()); err != nil {
		return fmt.Errorf("drop a second factor: %w", unavailable(err))
	}
	return nil
}

const totpStateSQL = `select totp_secret is not null, totp_verified_at, totp_used_at,
       coalesce(backup_codes, '{}')
  from log.credentials where organization_id = $1 and account_id = $2`

// SecondFactor tells the state of an account's second factor.
func (c *Credentials) SecondFactor(
	ctx context.Context, account uuid.UUID,
) (SecondFactorState, error) {
	var state SecondFactorState
	var verified, used *time.Time
	var codes []string
	err := c.pool.QueryRow(ctx, totpStateSQL, Platform, account).Scan(
		&state.Prepared, &verified, &used, &codes)
	if errors.Is(err, pgx.ErrNoRows) {
		return SecondFactorState{}, nil
	}
	if err != nil {
		return state, fmt.Errorf("look at a second factor: %w", unavailable(err))
	}
	if verified != nil {
		state.VerifiedAt = verified.UTC()
	}
	if used != nil {
		state.UsedAt = used.UTC()
	}
	state.BackupCodes = len(slices.DeleteFunc(codes, func(code string) bool { return code == "" }))
	return state, nil
}
