package projections

import (
	"time"

	"github.com/google/uuid"

	"github.com/koprogo/koprogo/events"
	"github.com/koprogo/koprogo/eventstore"
)

// AccountRow is a user account; it stands in the platform's log. Whether anybody sees it depends
// on the roles that organizations' own logs grant it (RoleRow).
type AccountRow struct {
	OrganizationID uuid.UUID  `json:"organization_id"`
	ID             uuid.UUID  `json:"id"`
	Version        int64      `json:"version"`
	Position       int64      `json:"position"`
	Email          string     `json:"email"      personal:"true"`
	FirstName      string     `json:"first_name" personal:"true"`
	LastName       string     `json:"last_name"  personal:"true"`
	IsActive       bool       `json:"is_active"`
	TwoFactor      bool       `json:"two_factor"`
	ActiveRoleID   *uuid.UUID `json:"active_role_id"`
	CreatedAt      time.Time  `json:"created_at"`
	UpdatedAt      time.Time  `json:"updated_at"`
}

// RowID is the account's id.
func (r AccountRow) RowID() uuid.UUID { return r.ID }

// AccountTable is read.accounts.
var AccountTable = NewTable[uuid.UUID, AccountRow]("accounts", "id")

// AccountTotal counts the accounts.
const AccountTotal Resource = "accounts"

// Accounts shows the accounts that were not closed.
var Accounts = Projection{
	Name:       "accounts",
	Tables:     []AnyTable{AccountTable},
	ByStream:   []AnyTable{AccountTable},
	Totals:     []Resource{AccountTotal},
	Categories: []string{events.AccountCategory},
	Apply:      applyAccount,
}

func applyAccount(b *Batch, r eventstore.Recorded) error {
	switch e := r.Event.(type) {
	case events.AccountOpened:
		AccountTable.Put(b, AccountRow{
			OrganizationID: r.Organization, ID: r.Stream.ID,
			Version: r.Version, Position: r.Position, Email: e.Email.Sealed(),
			FirstName: e.FirstName.Sealed(), LastName: e.LastName.Sealed(), IsActive: true,
			CreatedAt: r.RecordedAt, UpdatedAt: r.RecordedAt,
		})
		return count(b, AccountTotal, 1)
	case events.AccountClosed:
		_, found, err := AccountTable.Get(b, r.Stream.ID)
		if err != nil || !found {
			return err
		}
		AccountTable.Delete(b, r.Stream.ID)
		return count(b, AccountTotal, -1)
	}
	return AccountTable.Update(b, r.Stream.ID, func(row *AccountRow) {
		row.Version, row.Position, row.UpdatedAt = r.Version, r.Position, r.RecordedAt
		changeAccount(row, r.Event)
	})
}

func changeAccount(row *AccountRow, event events.Event) {
	switch e := event.(type) {
	case events.AccountProfileCorrected:
		row.Email = e.Email.Sealed()
		row.FirstName, row.LastName = e.FirstName.Sealed(), e.LastName.Sealed()
	case events.AccountRoleWithdrawn:
		if row.ActiveRoleID != nil && *row.ActiveRoleID == e.RoleID {
			row.ActiveRoleID = nil
		}
	case events.AccountRoleChosen:
		row.ActiveRoleID = &e.RoleID
	case events.AccountTwoFactorEnabled:
		row.TwoFactor = true
	case events.AccountTwoFactorDisabled:
		row.TwoFactor = false
	case events.AccountDeactivated:
		row.IsActive = false
	case events.AccountActivated:
		row.IsActive = true
	}
}
