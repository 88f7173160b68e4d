package api

import (
	"crypto/hkdf"
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"
	lru "github.com/hashicorp/golang-lru/v2"
)

// AccessTokenLife is how long an access token is good.
const AccessTokenLife = time.Hour

// minSecret is the least length of JWT_SECRET in bytes.
const minSecret = 32

// verifiedTokens is how many checked tokens are remembered (about 1 KiB each).
const verifiedTokens = 20_000

// Token is what an access token says.
type Token struct {
	Account      uuid.UUID
	Organization uuid.UUID // nil for a superadmin
	Role         string
	RoleID       uuid.UUID
	ID           uuid.UUID // jti
	IssuedAt     time.Time
	ExpiresAt    time.Time
}

// claims is the token's JSON (RFC 7519).
type claims struct {
	Subject      string           `json:"sub"`
	Role         string           `json:"role"`
	RoleID       string           `json:"role_id"`
	Organization *string          `json:"organization_id"`
	IssuedAt     *jwt.NumericDate `json:"iat"`
	ExpiresAt    *jwt.NumericDate `json:"exp"`
	ID           string           `json:"jti"`
}

func (c claims) GetExpirationTime() (*jwt.NumericDate, error) { return c.ExpiresAt, nil }
func (c claims) GetIssuedAt() (*jwt.NumericDate, error)       { return c.IssuedAt, nil }
func (claims) GetNotBefore() (*jwt.NumericDate, error)        { return nil, nil }
func (claims) GetIssuer() (string, error)                     { return "", nil }
func (c claims) GetSubject() (string, error)                  { return c.Subject, nil }
func (claims) GetAudience() (jwt.ClaimStrings, error)         { return nil, nil }

// Tokens issues and verifies access tokens: HS256 and nothing else.
type Tokens struct {
	key      []byte
	now      func() time.Time
	parser   *jwt.Parser
	verified *lru.Cache[string, Token]
}

// NewTokens refuses a secret shorter than 32 bytes.
func NewTokens(secret []byte, now func() time.Time) (*Tokens, error) {
	if len(secret) < minSecret {
		return nil, fmt.Errorf("JWT_SECRET holds %d bytes, at least %d are needed",
			len(secret), minSecret)
	}
	verified, err := lru.New[string, Token](verifiedTokens)
	if err != nil {
		return nil, fmt.Errorf("make the cache of tokens: %w", err)
	}
	return &Tokens{
		key: secret, now: now, verified: verified,
		parser: jwt.NewParser(
			jwt.WithValidMethods([]string{jwt.SigningMethodHS256.Alg()}),
			jwt.WithExpirationRequired(), jwt.WithTimeFunc(now),
			jwt.WithStrictDecoding(),
		),
	}, nil
}

// Issue signs what token says.
func (t *Tokens) Issue(token Token) (string, error) {
	said := claims{
		Subject: token.Account.String(), Role: token.Role, RoleID: token.RoleID.String(),
		IssuedAt: jwt.NewNumericDate(token.IssuedAt), ID: token.ID.String(),
		ExpiresAt: jwt.NewNumericDate(token.ExpiresAt),
	}
	if token.Organization != uuid.Nil {
		organization := token.Organization.String()
		said.Organization = &organization
	}
	signed, err := jwt.NewWithClaims(jwt.SigningMethodHS256, said).SignedString(t.key)
	if err != nil {
		return "", fmt.Errorf("sign a token: %w", err)
	}
	return signed, nil
}

// Verify returns what a token says, or ErrUnauthenticated. A token that was good is remembered
// until it expires; whether its session still holds is for Authenticate to say.
func (t *Tokens) Verify(bearer string) (Token, error) {
	if known, ok := t.verified.Get(bearer); ok {
		if !t.now().Before(known.ExpiresAt) {
			t.verified.Remove(bearer)
			return Token{}, ErrUnauthenticated
		}
		return known, nil
	}
	var said claims
	if _, err := t.parser.ParseWithClaims(bearer, &said, t.secret); err != nil {
		return Token{}, ErrUnauthenticated
	}
	token, err := said.token()
	if err != nil {
		return Token{}, ErrUnauthenticated
	}
	t.verified.Add(bearer, token)
	return token, nil
}

func (t *Tokens) secret(*jwt.Token) (any, error) { return t.key, nil }

func (c claims) token() (Token, error) {
	token := Token{Role: c.Role, ExpiresAt: c.ExpiresAt.Time}
	if c.IssuedAt != nil {
		token.IssuedAt = c.IssuedAt.Time
	}
	organization := uuid.Nil.String()
	if c.Organization != nil && *c.Organization != "" {
		organization = *c.Organization
	}
	var errs [4]error
	token.Account, errs[0] = uuid.Parse(c.Subject)
	token.RoleID, errs[1] = uuid.Parse(c.RoleID)
	token.ID, errs[2] = uuid.Parse(c.ID)
	token.Organization, errs[3] = uuid.Parse(organization)
	return token, errors.Join(errs[:]...)
}

// deriveKey makes the key of one purpose from JWT_SECRET (HKDF, RFC 5869), so that no two
// purposes share one.
func deriveKey(secret []byte, purpose string) ([]byte, error) {
	key, err := hkdf.Key(sha256.New, secret, nil, "koprogo "+purpose, 32)
	if err != nil {
		return nil, fmt.Errorf("derive the key for %s: %w", purpose, err)
	}
	return key, nil
}
