package projections

import (
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/koprogo/koprogo/events"
)

// EntryRow is what a charge comes to on one account.
type EntryRow struct {
	OrganizationID uuid.UUID       `json:"organization_id"`
	ID             uuid.UUID       `json:"id"` // made of the charge's and the account
	Position       int64           `json:"position"`
	ChargeID       uuid.UUID       `json:"charge_id"`
	BuildingID     uuid.UUID       `json:"building_id"`
	Date           pgtype.Date     `json:"date"` // the charge's
	AccountCode    string          `json:"account_code"`
	Category       events.Category `json:"category"`
	Amount         events.Money    `json:"amount"` // negative for a credit note
	ApprovalStatus string          `json:"approval_status"`
	PaymentStatus  string          `json:"payment_status"`
	PaidOn         pgtype.Date     `json:"paid_on"`
}

// RowID is the entry's id.
func (r EntryRow) RowID() uuid.UUID { return r.ID }

// EntryTable is read.pcn_entries.
var EntryTable = NewTable[uuid.UUID, EntryRow]("pcn_entries", "id")

// entryID is the same for a charge and an account at every rebuild.
func entryID(charge uuid.UUID, account string) uuid.UUID {
	return uuid.NewSHA1(charge, []byte(account))
}

// putEntries makes the entries of a charge as it was into those of it as it is.
func putEntries(b *Batch, before, after *ChargeRow) {
	sums := map[string]events.Money{}
	for _, line := range after.Lines {
		sums[line.AccountCode] += after.Sign() * line.Gross
	}
	for _, line := range before.Lines {
		if _, stays := sums[line.AccountCode]; !stays {
			EntryTable.Delete(b, entryID(before.ID, line.AccountCode))
		}
	}
	for account, amount := range sums {
		EntryTable.Put(b, EntryRow{
			OrganizationID: after.OrganizationID, ID: entryID(after.ID, account),
			Position: after.Position, ChargeID: after.ID, BuildingID: after.BuildingID,
			Date: after.Date, AccountCode: account, Category: after.Category, Amount: amount,
			ApprovalStatus: after.ApprovalStatus, PaymentStatus: after.PaymentStatus,
			PaidOn: after.PaidOn,
		})
	}
}
