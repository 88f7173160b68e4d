package api

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"

	"github.com/skip2/go-qrcode"

	"github.com/koprogo/koprogo/commands"
	"github.com/koprogo/koprogo/eventstore"
)

const (
	totpIssuer      = "KoproGo"
	qrPixels        = 256
	backupCodesFew  = 3 // fewer are too few
	codeAttemptName = "code "
)

// twoFactorSetup is what an authenticator needs. It is shown once.
type twoFactorSetup struct {
	Secret        string   `json:"secret"`
	QRCodeDataURL string   `json:"qr_code_data_url"`
	BackupCodes   []string `json:"backup_codes"`
	Issuer        string   `json:"issuer"`
	AccountName   string   `json:"account_name"`
}

// twoFactorStatus is the state of the caller's second factor.
type twoFactorStatus struct {
	IsEnabled            bool    `json:"is_enabled"`
	VerifiedAt           Instant `json:"verified_at"`
	LastUsedAt           Instant `json:"last_used_at"`
	BackupCodesRemaining int     `json:"backup_codes_remaining"`
	BackupCodesLow       bool    `json:"backup_codes_low"`
}

type backupCodesBody struct {
	BackupCodes []string `json:"backup_codes"`
}

type codeIn struct {
	TOTPCode Field[string] `json:"totp_code" required:"true"`
}

type disableIn struct {
	CurrentPassword Field[string] `json:"current_password" required:"true" maxLength:"1000"`
}

// setUpTwoFactor makes a secret; sign-in asks for codes once one of them was shown to
// enableTwoFactor. Until then a repetition makes another secret.
func setUpTwoFactor(ctx context.Context, c *Call, _ None, _ None) (Answer[twoFactorSetup], error) {
	found, err := c.profileOf(ctx, c.Caller.Account, noMoment)
	if err != nil {
		return Answer[twoFactorSetup]{}, err
	}
	if found.state.TwoFactor {
		return Answer[twoFactorSetup]{}, refuse(Code(commands.CodeTwoFactorEnabled))
	}
	user, err := c.show(ctx, found)
	if err != nil {
		return Answer[twoFactorSetup]{}, err
	}
	factor, err := c.Accounts.Credentials.PrepareSecondFactor(ctx, found.id)
	if err != nil {
		return Answer[twoFactorSetup]{}, err
	}
	image, err := qrcode.Encode(keyURL(user.Email, factor.Secret), qrcode.Medium, qrPixels)
	if err != nil {
		return Answer[twoFactorSetup]{}, fmt.Errorf("draw a QR code: %w", err)
	}
	return Answer[twoFactorSetup]{Body: twoFactorSetup{
		Secret: factor.Secret, BackupCodes: factor.BackupCodes, Issuer: totpIssuer,
		AccountName:   user.Email,
		QRCodeDataURL: "data:image/png;base64," + base64.StdEncoding.EncodeToString(image),
	}}, nil
}

// keyURL is what authenticators read (otpauth).
func keyURL(name, secret string) string {
	parameters := url.Values{"secret": {secret}, "issuer": {totpIssuer}}
	return "otpauth://totp/" + url.PathEscape(totpIssuer+":"+name) + "?" + parameters.Encode()
}

func enableTwoFactor(
	ctx context.Context, c *Call, _ None, in codeIn,
) (Answer[twoFactorStatus], error) {
	command := commands.EnableTwoFactor{AccountID: c.Caller.Account}
	if err := commands.Preview(ctx, c.Commands, c.onPlatform(), command); err != nil {
		return Answer[twoFactorStatus]{}, err
	}
	if err := c.confirmCode(ctx, in.TOTPCode.Value(), false); err != nil {
		return Answer[twoFactorStatus]{}, err
	}
	return recordTwoFactor(ctx, c, command)
}

// verifyTwoFactor checks a code of the authenticator, or a backup code, and uses it up.
func verifyTwoFactor(
	ctx context.Context, c *Call, _ None, in codeIn,
) (Answer[twoFactorStatus], error) {
	if err := c.requireTwoFactor(ctx); err != nil {
		return Answer[twoFactorStatus]{}, err
	}
	if err := c.confirmCode(ctx, in.TOTPCode.Value(), true); err != nil {
		return Answer[twoFactorStatus]{}, err
	}
	return twoFactor(ctx, c, None{})
}

func disableTwoFactor(
	ctx context.Context, c *Call, _ None, in disableIn,
) (Answer[twoFactorStatus], error) {
	if err := c.requireTwoFactor(ctx); err != nil {
		return Answer[twoFactorStatus]{}, err
	}
	if err := c.confirmPassword(ctx, in.CurrentPassword.Value()); err != nil {
		return Answer[twoFactorStatus]{}, err
	}
	// The log first: a secret that is left behind asks for nothing, one that is gone locks out.
	command := commands.DisableTwoFactor{AccountID: c.Caller.Account}
	outcome, err := commands.Handle(ctx, c.Commands, c.onPlatform(), command)
	if err != nil {
		return Answer[twoFactorStatus]{}, err
	}
	if err := c.Accounts.Credentials.DropSecondFactor(ctx, c.Caller.Account); err != nil {
		return Answer[twoFactorStatus]{}, err
	}
	return landedTwoFactor(ctx, c, outcome.Receipt)
}

// renewBackupCodes takes a code of the authenticator; the codes of before no longer work.
func renewBackupCodes(
	ctx context.Context, c *Call, _ None, in codeIn,
) (Answer[backupCodesBody], error) {
	if err := c.requireTwoFactor(ctx); err != nil {
		return Answer[backupCodesBody]{}, err
	}
	if err := c.confirmCode(ctx, in.TOTPCode.Value(), false); err != nil {
		return Answer[backupCodesBody]{}, err
	}
	codes, err := c.Accounts.Credentials.RenewBackupCodes(ctx, c.Caller.Account)
	if err != nil {
		return Answer[backupCodesBody]{}, noFactor(err)
	}
	outcome, err := commands.Handle(ctx, c.Commands, c.onPlatform(),
		commands.RenewBackupCodes{AccountID: c.Caller.Account})
	if err != nil {
		return Answer[backupCodesBody]{}, err
	}
	position, err := c.landed(ctx, outcome.Receipt)
	return Answer[backupCodesBody]{
		Body: backupCodesBody{BackupCodes: codes}, Position: position,
	}, err
}

// twoFactor shows the state of the caller's second factor.
func twoFactor(ctx context.Context, c *Call, _ None) (Answer[twoFactorStatus], error) {
	account, err := c.Commands.Account(ctx, c.Caller.Account)
	if err != nil {
		return Answer[twoFactorStatus]{}, err
	}
	state, err := c.Accounts.Credentials.SecondFactor(ctx, c.Caller.Account)
	if err != nil || !account.TwoFactor {
		return Answer[twoFactorStatus]{}, err
	}
	return Answer[twoFactorStatus]{Body: twoFactorStatus{
		IsEnabled: true, VerifiedAt: Instant(state.VerifiedAt), LastUsedAt: Instant(state.UsedAt),
		BackupCodesRemaining: state.BackupCodes,
		BackupCodesLow:       state.BackupCodes < backupCodesFew,
	}}, nil
}

func recordTwoFactor(
	ctx context.Context, c *Call, command commands.Command[commands.Account],
) (Answer[twoFactorStatus], error) {
	outcome, err := commands.Handle(ctx, c.Commands, c.onPlatform(), command)
	if err != nil {
		return Answer[twoFactorStatus]{}, err
	}
	return landedTwoFactor(ctx, c, outcome.Receipt)
}

func landedTwoFactor(
	ctx context.Context, c *Call, receipt eventstore.Receipt,
) (Answer[twoFactorStatus], error) {
	answer, err := twoFactor(ctx, c, None{})
	if err == nil {
		answer.Position, err = c.landed(ctx, receipt)
	}
	return answer, err
}

// requireTwoFactor refuses where sign-in asks for no code.
func (c *Call) requireTwoFactor(ctx context.Context) error {
	account, err := c.Commands.Account(ctx, c.Caller.Account)
	if err == nil && !account.TwoFactor {
		err = refuse(Code(commands.CodeTwoFactorDisabled))
	}
	return err
}

// confirmCode uses up a code of the caller's authenticator, or one of the backup codes where they
// do; five failures in fifteen minutes.
func (c *Call) confirmCode(ctx context.Context, code string, backup bool) error {
	attempt, err := c.attempt(ctx, codeAttemptName+c.Caller.Account.String())
	if err != nil {
		return err
	}
	defer attempt.Passed()
	fits, err := c.Accounts.Credentials.UseCode(ctx, c.Caller.Account, code)
	if err == nil && !fits && backup {
		fits, err = c.Accounts.Credentials.UseBackupCode(ctx, c.Caller.Account, code)
	}
	if err != nil {
		return noFactor(err)
	}
	if !fits {
		return failed(ctx, attempt, refuseField("totp_code", CodeTOTPInvalid))
	}
	return nil
}

// noFactor says that nothing was set up.
func noFactor(err error) error {
	if errors.Is(err, eventstore.ErrNoSecondFactor) {
		return refuse(Code(commands.CodeTwoFactorDisabled))
	}
	return err
}
