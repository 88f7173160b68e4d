package api

import (
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
)

func testToken(now time.Time) Token {
	return Token{
		Account: firstID, Organization: house, Role: "syndic", RoleID: stranger,
		ID: uuid.MustParse("01900000-0000-7000-8000-0000000000ff"), IssuedAt: now.Truncate(time.Second),
		ExpiresAt: now.Add(AccessTokenLife).Truncate(time.Second),
	}
}

func TestTokens(t *testing.T) {
	t.Parallel()
	now := time.Now()
	clock := now
	tokens, err := NewTokens(testSecret, func() time.Time { return clock })
	require.NoError(t, err)

	t.Run("what is issued is verified, twice", func(t *testing.T) {
		issued := testToken(now)
		signed, err := tokens.Issue(issued)
		require.NoError(t, err)
		for range 2 {
			verified, err := tokens.Verify(signed)
			require.NoError(t, err)
			require.Equal(t, issued.ExpiresAt.Unix(), verified.ExpiresAt.Unix())
			verified.IssuedAt, verified.ExpiresAt = issued.IssuedAt, issued.ExpiresAt
			require.Equal(t, issued, verified)
		}
	})
	t.Run("the claims are those of the contract", func(t *testing.T) {
		signed, err := tokens.Issue(testToken(now))
		require.NoError(t, err)
		said := jwt.MapClaims{}
		_, _, err = jwt.NewParser().ParseUnverified(signed, said)
		require.NoError(t, err)
		for _, name := range []string{"sub", "role", "role_id", "organization_id", "iat", "exp", "jti"} {
			require.Contains(t, said, name)
		}
		require.Len(t, said, 7)
	})
	t.Run("a superadmin's token names no organization", func(t *testing.T) {
		issued := testToken(now)
		issued.Organization = uuid.Nil
		signed, err := tokens.Issue(issued)
		require.NoError(t, err)
		verified, err := tokens.Verify(signed)
		require.NoError(t, err)
		require.Equal(t, uuid.Nil, verified.Organization)
	})
	t.Run("an expired token is refused, also one that was verified before", func(t *testing.T) {
		signed, err := tokens.Issue(testToken(now))
		require.NoError(t, err)
		_, err = tokens.Verify(signed)
		require.NoError(t, err)
		clock = now.Add(AccessTokenLife + time.Second)
		defer func() { clock = now }()
		for range 2 {
			_, err = tokens.Verify(signed)
			require.ErrorIs(t, err, ErrUnauthenticated)
		}
	})
	t.Run("another key, algorithm, or token is refused", func(t *testing.T) {
		valid := claims{
			Subject: firstID.String(), Role: "superadmin", RoleID: firstID.String(), ID: firstID.String(),
			ExpiresAt: jwt.NewNumericDate(now.Add(time.Hour)),
		}
		none, err := jwt.NewWithClaims(jwt.SigningMethodNone, valid).
			SignedString(jwt.UnsafeAllowNoneSignatureType)
		require.NoError(t, err)
		hs512, err := jwt.NewWithClaims(jwt.SigningMethodHS512, valid).SignedString(testSecret)
		require.NoError(t, err)
		foreign, err := jwt.NewWithClaims(jwt.SigningMethodHS256, valid).SignedString([]byte("another"))
		require.NoError(t, err)
		endless := valid
		endless.ExpiresAt = nil
		forever, err := jwt.NewWithClaims(jwt.SigningMethodHS256, endless).SignedString(testSecret)
		require.NoError(t, err)
		nobody := valid
		nobody.Subject = "x"
		noone, err := jwt.NewWithClaims(jwt.SigningMethodHS256, nobody).SignedString(testSecret)
		require.NoError(t, err)
		good, err := jwt.NewWithClaims(jwt.SigningMethodHS256, valid).SignedString(testSecret)
		require.NoError(t, err)
		_, err = tokens.Verify(good)
		require.NoError(t, err)
		for _, bearer := range []string{
			none, hs512, foreign, forever, noone, good + "x", good[:len(good)-2], "", "a.b.c",
		} {
			_, err := tokens.Verify(bearer)
			require.ErrorIs(t, err, ErrUnauthenticated, bearer)
		}
	})
	t.Run("a short secret is refused", func(t *testing.T) {
		_, err := NewTokens([]byte("short"), time.Now)
		require.ErrorContains(t, err, "32")
	})
}

func BenchmarkTokenCheck(b *testing.B) {
	tokens, err := NewTokens(testSecret, time.Now)
	require.NoError(b, err)
	signed, err := tokens.Issue(testToken(time.Now()))
	require.NoError(b, err)
	for b.Loop() {
		if _, err := tokens.Verify(signed); err != nil {
			b.Fatal(err)
		}
	}
}
