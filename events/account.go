package events

import "github.com/google/uuid"

// AccountCategory is the category of a user account's stream, in the platform log.
const AccountCategory = "account"

// AccountOpened makes a user account. Its first role is held only once MemberRoleGranted stands
// in the organization's own log.
type AccountOpened struct {
	AccountID uuid.UUID `json:"account_id"` // the subject of the personal fields
	Email     Personal  `json:"email"`
	FirstName Personal  `json:"first_name"`
	LastName  Personal  `json:"last_name"`
}

// EventType names the fact.
func (AccountOpened) EventType() string { return "account.opened" }

// PersonalFields names the person's e-mail and names.
func (e *AccountOpened) PersonalFields() []PersonalField {
	return []PersonalField{
		{"/email", e.AccountID, &e.Email},
		{"/first_name", e.AccountID, &e.FirstName},
		{"/last_name", e.AccountID, &e.LastName},
	}
}

// NewSubjects names the person.
func (e AccountOpened) NewSubjects() []uuid.UUID { return []uuid.UUID{e.AccountID} }

var _ = register[AccountOpened]()

// AccountProfileCorrected says how the person is called and reached.
type AccountProfileCorrected struct {
	AccountID uuid.UUID `json:"account_id"`
	Email     Personal  `json:"email"`
	FirstName Personal  `json:"first_name"`
	LastName  Personal  `json:"last_name"`
}

// EventType names the fact.
func (AccountProfileCorrected) EventType() string { return "account.profile_corrected" }

// PersonalFields names the person's e-mail and names.
func (e *AccountProfileCorrected) PersonalFields() []PersonalField {
	return []PersonalField{
		{"/email", e.AccountID, &e.Email},
		{"/first_name", e.AccountID, &e.FirstName},
		{"/last_name", e.AccountID, &e.LastName},
	}
}

var _ = register[AccountProfileCorrected]()

// AccountRoleOffered names a role that the account is to hold in an organization (nil: the
// platform). The organization's own log decides whether it does (MemberRoleGranted).
type AccountRoleOffered struct {
	RoleID         uuid.UUID `json:"role_id"`
	Role           string    `json:"role"`
	OrganizationID uuid.UUID `json:"organization_id"`
}

// EventType names the fact.
func (AccountRoleOffered) EventType() string { return "account.role_offered" }

var _ = register[AccountRoleOffered]()

// AccountRoleWithdrawn takes a role off the account's list.
type AccountRoleWithdrawn struct {
	RoleID uuid.UUID `json:"role_id"`
}

// EventType names the fact.
func (AccountRoleWithdrawn) EventType() string { return "account.role_withdrawn" }

var _ = register[AccountRoleWithdrawn]()

// AccountRoleChosen makes one of the account's roles the active one.
type AccountRoleChosen struct {
	RoleID uuid.UUID `json:"role_id"`
}

// EventType names the fact.
func (AccountRoleChosen) EventType() string { return "account.role_chosen" }

var _ = register[AccountRoleChosen]()

// AccountPasswordChanged records that the password is another one; the password's hash stands
// among the credentials, never in the log.
type AccountPasswordChanged struct{}

// EventType names the fact.
func (AccountPasswordChanged) EventType() string { return "account.password_changed" }

var _ = register[AccountPasswordChanged]()

// AccountTwoFactorEnabled makes sign-in ask for a code (RFC 6238).
type AccountTwoFactorEnabled struct{}

// EventType names the fact.
func (AccountTwoFactorEnabled) EventType() string { return "account.two_factor_enabled" }

var _ = register[AccountTwoFactorEnabled]()

// AccountTwoFactorDisabled ends that.
type AccountTwoFactorDisabled struct{}

// EventType names the fact.
func (AccountTwoFactorDisabled) EventType() string { return "account.two_factor_disabled" }

var _ = register[AccountTwoFactorDisabled]()

// AccountBackupCodesRenewed records that the backup codes are other ones.
type AccountBackupCodesRenewed struct{}

// EventType names the fact.
func (AccountBackupCodesRenewed) EventType() string { return "account.backup_codes_renewed" }

var _ = register[AccountBackupCodesRenewed]()

// AccountDeactivated stops the account's use until it is activated again.
type AccountDeactivated struct{}

// EventType names the fact.
func (AccountDeactivated) EventType() string { return "account.deactivated" }

var _ = register[AccountDeactivated]()

// AccountActivated ends a deactivation.
type AccountActivated struct{}

// EventType names the fact.
func (AccountActivated) EventType() string { return "account.activated" }

var _ = register[AccountActivated]()

// AccountClosed ends the account for good and frees its e-mail.
type AccountClosed struct {
	Reason string `json:"reason"` // deleted, or the code by which its first role was refused
}

// EventType names the fact.
func (AccountClosed) EventType() string { return "account.closed" }

var _ = register[AccountClosed]()
