package commands

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/koprogo/koprogo/events"
)

// PayCharge says that the association paid the supplier; no owner's due changes.
type PayCharge struct {
	ChargeID      uuid.UUID
	PaidOn        Change[When] // today where the building stands unless given
	BankReference string
	Now           time.Time

	building Building
}

// Stream is the charge's.
func (c *PayCharge) Stream() events.Stream { return ChargeStream(c.ChargeID) }

// Read loads the building, for its calendar.
func (c *PayCharge) Read(r *Reader) (err error) {
	c.building, err = r.buildingOfCharge(c.ChargeID)
	return err
}

func (r *Reader) buildingOfCharge(id uuid.UUID) (Building, error) {
	charge, err := Load[Charge](r, ChargeStream(id))
	if err != nil || !charge.Stands() {
		return Building{}, err
	}
	return Load[Building](r, BuildingStream(charge.Content.Building))
}

// Decide refuses a charge that is not approved, and one that was paid otherwise.
func (c *PayCharge) Decide(charge Charge) ([]events.Event, error) {
	if err := charge.live(); err != nil {
		return nil, err
	}
	check := &check{}
	on := c.building.day(c.PaidOn, c.building.today(c.Now))
	check.day("paid_on", on)
	reference := check.line("bank_reference", c.BankReference, maxName)
	if err := check.err(); err != nil {
		return nil, err
	}
	switch {
	case charge.Approval != ApprovalApproved:
		return nil, refuse(CodeNotApproved, "the charge is not approved")
	case charge.Payment != PaymentPaid:
		return []events.Event{events.ChargePaid{
			Building: charge.Content.Building, PaidOn: on, BankReference: reference,
		}}, nil
	case c.PaidOn.Given && on != charge.PaidOn || reference != charge.Reference:
		return nil, refuse(CodeChargePaid, "the charge was paid otherwise")
	}
	return nil, nil
}

// UnpayCharge takes a payment mark back.
type UnpayCharge struct{ ChargeID uuid.UUID }

// Stream is the charge's.
func (c UnpayCharge) Stream() events.Stream { return ChargeStream(c.ChargeID) }

// Decide refuses a charge that is not paid.
func (c UnpayCharge) Decide(charge Charge) ([]events.Event, error) {
	if err := charge.live(); err != nil {
		return nil, err
	}
	if charge.Payment != PaymentPaid {
		return nil, refuse(CodeNotPaid, "the charge is not paid")
	}
	return []events.Event{events.ChargeUnpaid{Building: charge.Content.Building}}, nil
}

// MarkOverdue says that a charge was not paid in time.
type MarkOverdue struct{ ChargeID uuid.UUID }

// Stream is the charge's.
func (c MarkOverdue) Stream() events.Stream { return ChargeStream(c.ChargeID) }

// Decide refuses a charge that was paid.
func (c MarkOverdue) Decide(charge Charge) ([]events.Event, error) {
	if err := charge.live(); err != nil {
		return nil, err
	}
	switch charge.Payment {
	case PaymentPaid:
		return nil, refuse(CodeChargePaid, "the charge was paid")
	case PaymentOverdue:
		return nil, nil
	}
	return []events.Event{events.ChargeFellOverdue{Building: charge.Content.Building}}, nil
}

// LetFallOverdue is what the calendar says of a charge: an approved one that is not paid is overdue
// from the day after its due day. Of others it says nothing.
type LetFallOverdue struct {
	ChargeID uuid.UUID
	Now      time.Time

	building Building
}

// Stream is the charge's.
func (c *LetFallOverdue) Stream() events.Stream { return ChargeStream(c.ChargeID) }

// Read loads the building, for its calendar.
func (c *LetFallOverdue) Read(r *Reader) (err error) {
	c.building, err = r.buildingOfCharge(c.ChargeID)
	return err
}

// Decide never refuses.
func (c *LetFallOverdue) Decide(charge Charge) ([]events.Event, error) {
	if !charge.Stands() || charge.Approval != ApprovalApproved ||
		charge.Payment != PaymentPending || charge.Content.DueDate == "" ||
		charge.Content.DueDate >= c.building.today(c.Now) {
		return nil, nil
	}
	return []events.Event{events.ChargeFellOverdue{Building: charge.Content.Building}}, nil
}

// CancelCharge takes a charge out of payment, and back what was divided by it.
type CancelCharge struct{ ChargeID uuid.UUID }

// Stream is the charge's.
func (c CancelCharge) Stream() events.Stream { return ChargeStream(c.ChargeID) }

// Decide refuses a charge that was paid.
func (c CancelCharge) Decide(charge Charge) ([]events.Event, error) {
	switch {
	case !charge.Stands():
		return nil, notFound("charge")
	case charge.Payment == PaymentPaid:
		return nil, refuse(CodeChargePaid, "the charge was paid")
	case charge.Payment == PaymentCancelled:
		return nil, nil
	}
	return []events.Event{events.ChargeCancelled{Building: charge.Content.Building}}, nil
}

// ReactivateCharge ends a cancellation.
type ReactivateCharge struct{ ChargeID uuid.UUID }

// Stream is the charge's.
func (c ReactivateCharge) Stream() events.Stream { return ChargeStream(c.ChargeID) }

// Decide refuses a charge that is not cancelled.
func (c ReactivateCharge) Decide(charge Charge) ([]events.Event, error) {
	switch {
	case !charge.Stands():
		return nil, notFound("charge")
	case charge.Payment != PaymentCancelled:
		return nil, refuse(CodeNotCancelled, "the charge is not cancelled")
	}
	return []events.Event{events.ChargeReactivated{Building: charge.Content.Building}}, nil
}

// Due is a charge that may have fallen overdue.
type Due struct{ Organization, Charge uuid.UUID }

// LetFallOverdue decides what the calendar says of charges, and tells how many fell overdue. What a
// rule refuses, such as writing in a suspended organization, is left as it is; one failure does not
// hold up the others.
func (a *App) LetFallOverdue(ctx context.Context, due []Due, now time.Time) (fell int, err error) {
	var failed []error
	for _, charge := range due {
		if ctx.Err() != nil {
			return fell, errors.Join(append(failed, ctx.Err())...)
		}
		outcome, err := Handle(ctx, a, System(charge.Organization, "overdue"),
			&LetFallOverdue{ChargeID: charge.Charge, Now: now})
		switch {
		case err == nil && outcome.Changed:
			fell++
		case err != nil && !refusedBy(err):
			failed = append(failed, fmt.Errorf("let a charge fall overdue: %w", err))
		}
	}
	return fell, errors.Join(failed...)
}
