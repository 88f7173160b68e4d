package projections

import (
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/koprogo/koprogo/events"
	"github.com/koprogo/koprogo/eventstore"
)

// ChargeRow is a charge. Its amounts are above zero whatever its kind.
type ChargeRow struct {
	OrganizationID  uuid.UUID       `json:"organization_id"`
	ID              uuid.UUID       `json:"id"`
	Version         int64           `json:"version"`  // its ETag: its stream's version
	Position        int64           `json:"position"` // of the event that changed it last
	BuildingID      uuid.UUID       `json:"building_id"`
	Kind            string          `json:"kind"`
	Category        events.Category `json:"category"`
	Description     string          `json:"description" personal:"true"`
	Date            pgtype.Date     `json:"date"`
	DueDate         pgtype.Date     `json:"due_date"`
	PaidOn          pgtype.Date     `json:"paid_on"`
	ApprovalStatus  string          `json:"approval_status"`
	PaymentStatus   string          `json:"payment_status"`
	SupplierID      *uuid.UUID      `json:"supplier_id"`
	InvoiceNumber   string          `json:"invoice_number"`
	AccountCode     string          `json:"account_code"` // as given; each line has its own or this
	KeyID           *uuid.UUID      `json:"key_id"`
	PrivateLotID    *uuid.UUID      `json:"private_lot_id"`
	VATRateReason   string          `json:"vat_rate_reason"`
	Priced          string          `json:"priced"`
	Net             events.Money    `json:"net"`
	VAT             events.Money    `json:"vat"`
	Gross           events.Money    `json:"gross"`
	Lines           []ChargeLine    `json:"lines"`
	LineTexts       []string        `json:"line_texts" personal:"true"` // "": the description
	SubmittedAt     *time.Time      `json:"submitted_at"`
	SubmittedBy     *uuid.UUID      `json:"submitted_by"`
	ApprovedAt      *time.Time      `json:"approved_at"`
	ApprovedBy      *uuid.UUID      `json:"approved_by"`
	RejectedAt      *time.Time      `json:"rejected_at"`
	RejectedBy      *uuid.UUID      `json:"rejected_by"`
	RejectionReason string          `json:"rejection_reason" personal:"true"`
	BankReference   string          `json:"bank_reference"`
	CreatedAt       time.Time       `json:"created_at"`
	UpdatedAt       time.Time       `json:"updated_at"`
}

// ChargeLine is a line of a charge without its text.
type ChargeLine struct {
	Quantity    events.Quantity  `json:"quantity"`
	UnitPrice   events.UnitPrice `json:"unit_price"`
	VATRate     events.VATRate   `json:"vat_rate"`
	Net         events.Money     `json:"net"`
	VAT         events.Money     `json:"vat"`
	Gross       events.Money     `json:"gross"`
	AccountCode string           `json:"account_code"` // its own, the charge's or the category's
	OwnAccount  bool             `json:"own_account,omitempty"`
	KeyID       *uuid.UUID       `json:"key_id,omitempty"` // its own; nil: the charge's
}

// RowID is the charge's id.
func (r ChargeRow) RowID() uuid.UUID { return r.ID }

// ChargeTable is read.charges.
var ChargeTable = NewTable[uuid.UUID, ChargeRow]("charges", "id")

// ChargeTotal counts the charges of an organization.
const ChargeTotal Resource = "charges"

// Charges shows the charges that were not removed, how they were divided, their accounts,
// their suppliers, and what they come to.
var Charges = Projection{
	Name: "charges",
	Tables: []AnyTable{
		ChargeTable, DivisionTable, EntryTable, SupplierTable, ChargeFigureTable,
		OverdueOwnerTable,
	},
	ByStream:   []AnyTable{ChargeTable},
	ByEvent:    []ByEvent{{ChargeFigureTable, chargedIn}},
	Totals:     []Resource{ChargeTotal},
	Categories: []string{events.ChargeCategory, events.SupplierCategory},
	Apply:      countingCharges(applyCharge),
}

func applyCharge(b *Batch, r eventstore.Recorded) error {
	if r.Stream.Category == events.SupplierCategory {
		return applySupplier(b, r)
	}
	switch e := r.Event.(type) {
	case events.ChargeDrafted:
		row := ChargeRow{
			OrganizationID: r.Organization, ID: r.Stream.ID, ApprovalStatus: "draft",
			PaymentStatus: "pending", CreatedAt: r.RecordedAt,
		}
		if err := row.say(&e.Content); err != nil {
			return err
		}
		row.touch(r)
		ChargeTable.Put(b, row)
		putEntries(b, &ChargeRow{}, &row)
		return count(b, ChargeTotal, 1)
	case events.ChargeRemoved:
		row, found, err := ChargeTable.Get(b, r.Stream.ID)
		if err != nil || !found {
			return err
		}
		putEntries(b, &row, &ChargeRow{})
		ChargeTable.Delete(b, r.Stream.ID)
		return count(b, ChargeTotal, -1)
	}
	if err := applyDivision(b, r); err != nil {
		return err
	}
	row, found, err := ChargeTable.Get(b, r.Stream.ID)
	if err != nil || !found {
		return err
	}
	before := row
	row.touch(r)
	if err := row.change(r); err != nil {
		return err
	}
	ChargeTable.Put(b, row)
	putEntries(b, &before, &row)
	return nil
}

func (r *ChargeRow) touch(by eventstore.Recorded) {
	r.Version, r.Position, r.UpdatedAt = by.Version, by.Position, by.RecordedAt
}

func (r *ChargeRow) change(by eventstore.Recorded) (err error) {
	at := by.RecordedAt
	switch e := by.Event.(type) {
	case events.ChargeAmended:
		return r.say(&e.Content)
	case events.ChargeSubmitted:
		r.ApprovalStatus, r.RejectionReason = "pending_approval", ""
		r.SubmittedAt, r.SubmittedBy = &at, knownID(e.SubmittedBy)
		r.RejectedAt, r.RejectedBy = nil, nil
	case events.ChargeApproved:
		r.ApprovalStatus = "approved"
		r.ApprovedAt, r.ApprovedBy = &at, knownID(e.ApprovedBy)
	case events.ChargeRejected:
		r.ApprovalStatus, r.RejectionReason = "rejected", e.Reason.Sealed()
		r.RejectedAt, r.RejectedBy = &at, knownID(e.RejectedBy)
	case events.ChargePaid:
		r.PaymentStatus, r.BankReference = "paid", e.BankReference
		r.PaidOn, err = day(e.PaidOn)
	case events.ChargeUnpaid, events.ChargeReactivated:
		r.PaymentStatus, r.PaidOn, r.BankReference = "pending", pgtype.Date{}, ""
	case events.ChargeFellOverdue:
		r.PaymentStatus = "overdue"
	case events.ChargeCancelled:
		r.PaymentStatus = "cancelled"
	}
	return err
}

// say copies what a charge says, texts sealed.
func (r *ChargeRow) say(c *events.ChargeContent) (err error) {
	r.BuildingID, r.Kind, r.Category = c.Building, c.Kind, c.Category
	r.Description, r.InvoiceNumber = c.Description.Sealed(), c.InvoiceNumber
	r.AccountCode, r.VATRateReason, r.Priced = c.AccountCode, c.VATRateReason, c.Priced
	r.SupplierID, r.KeyID = knownID(c.SupplierID), knownID(c.KeyID)
	r.PrivateLotID = knownID(c.PrivateLotID)
	r.Net, r.VAT, r.Gross = c.Net, c.VAT, c.Gross
	if r.Date, err = day(c.Date); err != nil {
		return err
	}
	if r.DueDate, err = day(c.DueDate); err != nil {
		return err
	}
	r.Lines, r.LineTexts = make([]ChargeLine, len(c.Lines)), make([]string, len(c.Lines))
	for i, line := range c.Lines {
		r.LineTexts[i] = line.Description.Sealed()
		r.Lines[i] = ChargeLine{
			Quantity: line.Quantity, UnitPrice: line.UnitPrice, VATRate: line.VATRate,
			Net: line.Net, VAT: line.VAT, Gross: line.Gross, AccountCode: line.AccountCode,
			OwnAccount: line.OwnAccount, KeyID: knownID(line.KeyID),
		}
	}
	return nil
}

// Sign is -1 for a credit note, else 1.
func (r *ChargeRow) Sign() events.Money {
	if r.Kind == events.KindCreditNote {
		return -1
	}
	return 1
}
