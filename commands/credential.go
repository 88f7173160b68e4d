package commands

import (
	_ "embed"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/koprogo/koprogo/events"
)

// Length of a password, in characters.
const (
	minPassword = 8
	maxPassword = 128
)

// commonPasswords is one a line, lower case, those of 8 characters and more of the lists that
// attackers try first.
//
//go:embed passwords.txt
var commonPasswords string

var common = sync.OnceValue(func() map[string]bool {
	known := map[string]bool{}
	for _, line := range strings.Fields(commonPasswords) {
		known[line] = true
	}
	return known
})

// CheckPassword refuses a password that is not 8 to 128 characters long or is among the common
// ones, whatever its case. Field names it in the refusal.
func CheckPassword(field, password string) error {
	check := &check{}
	length := utf8.RuneCountInString(password)
	lower := strings.ToLower(password)
	switch {
	case !utf8.ValidString(password):
		check.refuse(field, CodeMalformed, "the password is no text", "form", "text")
	case length < minPassword:
		check.refuse(field, CodeTooShort, "the password is too short",
			"min", strconv.Itoa(minPassword))
	case length > maxPassword:
		check.refuse(field, CodeTooLong, "the password is too long",
			"max", strconv.Itoa(maxPassword))
	case common()[lower] || strings.Count(lower, lower[:1]) == len(lower):
		check.refuse(field, CodeCommon, "the password is a common one")
	}
	return check.err()
}

// RecordPassword records that the account has another password.
type RecordPassword struct{ AccountID uuid.UUID }

// Stream is the account's.
func (c RecordPassword) Stream() events.Stream { return AccountStream(c.AccountID) }

// Decide refuses an account that does not stand.
func (c RecordPassword) Decide(a Account) ([]events.Event, error) {
	if !a.Stands() {
		return nil, notFound("account")
	}
	return []events.Event{events.AccountPasswordChanged{}}, nil
}

// EnableTwoFactor makes sign-in ask for a code.
type EnableTwoFactor struct{ AccountID uuid.UUID }

// Stream is the account's.
func (c EnableTwoFactor) Stream() events.Stream { return AccountStream(c.AccountID) }

// Decide refuses an account that does not stand and one that asks for a code already.
func (c EnableTwoFactor) Decide(a Account) ([]events.Event, error) {
	switch {
	case !a.Stands():
		return nil, notFound("account")
	case a.TwoFactor:
		return nil, refuse(CodeTwoFactorEnabled, "the second factor is enabled already")
	}
	return []events.Event{events.AccountTwoFactorEnabled{}}, nil
}

// DisableTwoFactor ends that.
type DisableTwoFactor struct{ AccountID uuid.UUID }

// Stream is the account's.
func (c DisableTwoFactor) Stream() events.Stream { return AccountStream(c.AccountID) }

// Decide refuses an account that does not stand and one that asks for no code.
func (c DisableTwoFactor) Decide(a Account) ([]events.Event, error) {
	if err := withTwoFactor(a); err != nil {
		return nil, err
	}
	return []events.Event{events.AccountTwoFactorDisabled{}}, nil
}

// RenewBackupCodes records that the account has other backup codes.
type RenewBackupCodes struct{ AccountID uuid.UUID }

// Stream is the account's.
func (c RenewBackupCodes) Stream() events.Stream { return AccountStream(c.AccountID) }

// Decide refuses an account that does not stand and one that asks for no code.
func (c RenewBackupCodes) Decide(a Account) ([]events.Event, error) {
	if err := withTwoFactor(a); err != nil {
		return nil, err
	}
	return []events.Event{events.AccountBackupCodesRenewed{}}, nil
}

func withTwoFactor(a Account) error {
	switch {
	case !a.Stands():
		return notFound("account")
	case !a.TwoFactor:
		return refuse(CodeTwoFactorDisabled, "the second factor is not enabled")
	}
	return nil
}
