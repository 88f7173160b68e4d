package commands

import (
	"github.com/google/uuid"

	"github.com/koprogo/koprogo/events"
)

// Codes of charges.
const (
	CodeChargeLocked      Code = "charge_locked"
	CodeChargeCancelled   Code = "charge_cancelled"
	CodeChargePaid        Code = "charge_paid"
	CodeNotPending        Code = "not_pending"
	CodeNotApproved       Code = "not_approved"
	CodeNotPaid           Code = "not_paid"
	CodeNotCancelled      Code = "not_cancelled"
	CodeFourEyes          Code = "four_eyes"
	CodeKeyNotValid       Code = "key_not_valid"       // params: day
	CodeAccountUnknown    Code = "account_unknown"     // of a field
	CodeAccountNotPosting Code = "account_not_posting" // of a field
)

// What has become of a charge: whether it was approved, and whether the association paid it.
const (
	ApprovalDraft    = "draft"
	ApprovalPending  = "pending_approval"
	ApprovalApproved = "approved"
	ApprovalRejected = "rejected"

	PaymentPending   = "pending"
	PaymentPaid      = "paid"
	PaymentOverdue   = "overdue"
	PaymentCancelled = "cancelled"
)

// ChargeStream holds a charge's facts, in its organization's log.
func ChargeStream(id uuid.UUID) events.Stream {
	return events.Stream{Category: events.ChargeCategory, ID: id}
}

// Charge is what the rules of a charge ask. Its approval and its payment go their own ways:
//
//	draft -> pending_approval -> approved | rejected; rejected -> pending_approval
//	pending -> overdue; pending, overdue -> paid | cancelled; paid, cancelled -> pending
//
// A charge is changed and removed while it is draft or rejected, and paid once it is approved.
type Charge struct {
	Drafted     bool
	Removed     bool
	First       *events.ChargeContent // as it was drafted; shared with other states, never changed
	Content     *events.ChargeContent // as it is, likewise
	Approval    string
	Payment     string
	SubmittedBy uuid.UUID
	PaidOn      events.Day
	Reference   string // of the payment at the bank
}

// Stands tells whether the charge is in the books.
func (c Charge) Stands() bool { return c.Drafted && !c.Removed }

// Open tells whether the charge may still be changed and removed.
func (c Charge) Open() bool { return c.Approval == ApprovalDraft || c.Approval == ApprovalRejected }

// Evolve folds one fact.
func (c Charge) Evolve(event events.Event) Charge {
	switch e := event.(type) {
	case events.ChargeDrafted:
		c.Drafted, c.First, c.Content = true, &e.Content, &e.Content
		c.Approval, c.Payment = ApprovalDraft, PaymentPending
	case events.ChargeAmended:
		c.Content = &e.Content
	case events.ChargeRemoved:
		c.Removed = true
	case events.ChargeSubmitted:
		c.Approval, c.SubmittedBy = ApprovalPending, e.SubmittedBy
	case events.ChargeApproved:
		c.Approval = ApprovalApproved
	case events.ChargeRejected:
		c.Approval = ApprovalRejected
	case events.ChargePaid:
		c.Payment, c.PaidOn, c.Reference = PaymentPaid, e.PaidOn, e.BankReference
	case events.ChargeUnpaid, events.ChargeReactivated:
		c.Payment, c.PaidOn, c.Reference = PaymentPending, "", ""
	case events.ChargeFellOverdue:
		c.Payment = PaymentOverdue
	case events.ChargeCancelled:
		c.Payment = PaymentCancelled
	}
	return c
}

// live refuses a charge that is not in the books, or was cancelled.
func (c Charge) live() error {
	switch {
	case !c.Stands():
		return notFound("charge")
	case c.Payment == PaymentCancelled:
		return refuse(CodeChargeCancelled, "the charge was cancelled")
	}
	return nil
}

// changeable refuses a charge that is not in the books, or may not be changed any more.
func (c Charge) changeable() error {
	switch {
	case !c.Stands():
		return notFound("charge")
	case !c.Open():
		return refuse(CodeChargeLocked, "the charge is submitted or approved")
	}
	return nil
}
