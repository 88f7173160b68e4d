package commands

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/koprogo/koprogo/events"
)

func TestCheckPassword(t *testing.T) {
	t.Parallel()
	for password, code := range map[string]Code{
		"":                                 CodeTooShort,
		"1234567":                          CodeTooShort,
		"ééééééé":                          CodeTooShort,
		strings.Repeat("ab", 65):           CodeTooLong,
		"password":                         CodeCommon,
		"MotDePasse123":                    CodeCommon,
		"zzzzzzzzzzzzzzzz":                 CodeCommon,
		"\xff\xff\xff\xff\xff\xff\xff\xff": CodeMalformed,
	} {
		refused := refusal(t, CheckPassword("password", password))
		require.Equal(t, code, refused.Code, password)
		require.Equal(t, "password", refused.Field)
		if password != "" && password != "password" {
			require.NotContains(t, refused.Error(), password)
		}
	}
	for _, password := range []string{
		"tram 44 vers Tervuren", "Xk4!vbna", "日本語日本語日本", strings.Repeat("ab", 64),
	} {
		require.NoError(t, CheckPassword("password", password))
	}
}

func TestTheListOfCommonPasswordsIsWellFormed(t *testing.T) {
	t.Parallel()
	lines := strings.Split(strings.TrimSuffix(commonPasswords, "\n"), "\n")
	require.Greater(t, len(lines), 500)
	require.Len(t, common(), len(lines), "each stands there once")
	for _, line := range lines {
		require.GreaterOrEqual(t, len(line), minPassword)
		require.Equal(t, strings.ToLower(line), line)
	}
}

func TestCredentialFacts(t *testing.T) {
	t.Parallel()
	enabled := events.AccountTwoFactorEnabled{}
	t.Run("a password changes", func(t *testing.T) {
		given[Account](t, anna).when(RecordPassword{}).then(events.AccountPasswordChanged{})
	})
	t.Run("a closed account has no password", func(t *testing.T) {
		given[Account](t, anna, closed).when(RecordPassword{}).thenRefused(CodeNotFound)
	})
	t.Run("a second factor is enabled", func(t *testing.T) {
		given[Account](t, anna).when(EnableTwoFactor{}).then(enabled)
	})
	t.Run("it is not enabled twice", func(t *testing.T) {
		given[Account](t, anna, enabled).when(EnableTwoFactor{}).thenRefused(CodeTwoFactorEnabled)
	})
	t.Run("a closed account enables none", func(t *testing.T) {
		given[Account](t, anna, closed).when(EnableTwoFactor{}).thenRefused(CodeNotFound)
	})
	t.Run("it is disabled", func(t *testing.T) {
		given[Account](t, anna, enabled).when(DisableTwoFactor{}).
			then(events.AccountTwoFactorDisabled{})
	})
	t.Run("what is not enabled is not disabled", func(t *testing.T) {
		given[Account](t, anna, enabled, events.AccountTwoFactorDisabled{}).
			when(DisableTwoFactor{}).thenRefused(CodeTwoFactorDisabled)
	})
	t.Run("backup codes are renewed", func(t *testing.T) {
		given[Account](t, anna, enabled).when(RenewBackupCodes{}).
			then(events.AccountBackupCodesRenewed{})
	})
	t.Run("without a second factor there are no backup codes", func(t *testing.T) {
		given[Account](t, anna).when(RenewBackupCodes{}).thenRefused(CodeTwoFactorDisabled)
	})
	t.Run("a closed account has no backup codes", func(t *testing.T) {
		given[Account](t, anna, enabled, closed).when(RenewBackupCodes{}).thenRefused(CodeNotFound)
	})
}
