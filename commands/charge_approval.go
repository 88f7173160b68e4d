package commands

import (
	"github.com/google/uuid"

	"github.com/koprogo/koprogo/events"
)

// claimApprover is numbered without limit: its holders are the members who may approve.
const claimApprover = "approver"

// SubmitCharge asks for approval of a charge in draft, or of a rejected one.
type SubmitCharge struct {
	ChargeID uuid.UUID
	Actor    uuid.UUID // the account that asks
}

// Stream is the charge's.
func (c SubmitCharge) Stream() events.Stream { return ChargeStream(c.ChargeID) }

// Decide refuses a charge that was submitted, approved or cancelled.
func (c SubmitCharge) Decide(charge Charge) ([]events.Event, error) {
	if err := charge.live(); err != nil {
		return nil, err
	}
	if err := charge.changeable(); err != nil {
		return nil, err
	}
	return []events.Event{events.ChargeSubmitted{
		Building: charge.Content.Building, SubmittedBy: c.Actor,
	}}, nil
}

// ApproveCharge approves a submitted charge and freezes how it is divided.
type ApproveCharge struct {
	ChargeID uuid.UUID
	Actor    uuid.UUID // the account that approves

	building Building
	keys     map[uuid.UUID]Key
	second   bool // somebody other than who submitted has to approve
}

// Stream is the charge's.
func (c *ApproveCharge) Stream() events.Stream { return ChargeStream(c.ChargeID) }

// Read loads what the division is made of, and whether a second pair of eyes is asked for.
func (c *ApproveCharge) Read(r *Reader) error {
	charge, err := Load[Charge](r, c.Stream())
	if err != nil || charge.judgeable() != nil {
		return err
	}
	if c.building, err = Load[Building](r, BuildingStream(charge.Content.Building)); err != nil {
		return err
	}
	if c.keys, err = r.keysOf(&ChargeFields{}, charge.Content); err != nil {
		return err
	}
	c.second, err = r.second(charge, c.Actor)
	return err
}

// Decide refuses a charge that nobody submitted, who submitted it himself where four eyes look,
// and weights that do not sum to their base.
func (c *ApproveCharge) Decide(charge Charge) ([]events.Event, error) {
	if err := charge.judgeable(); err != nil {
		return nil, err
	}
	if c.second {
		return nil, fourEyes()
	}
	approved, err := divide(charge.Content, &c.building, c.keys)
	if err != nil {
		return nil, err
	}
	approved.ApprovedBy = c.Actor
	return []events.Event{approved}, nil
}

// RejectCharge sends a submitted charge back.
type RejectCharge struct {
	ChargeID uuid.UUID
	Actor    uuid.UUID // the account that rejects
	Reason   string

	second bool
}

// Stream is the charge's.
func (c *RejectCharge) Stream() events.Stream { return ChargeStream(c.ChargeID) }

// Read asks whether a second pair of eyes is asked for.
func (c *RejectCharge) Read(r *Reader) error {
	charge, err := Load[Charge](r, c.Stream())
	if err != nil || charge.judgeable() != nil {
		return err
	}
	c.second, err = r.second(charge, c.Actor)
	return err
}

// Decide refuses an empty reason, a charge that nobody submitted, and who submitted it himself
// where four eyes look.
func (c *RejectCharge) Decide(charge Charge) ([]events.Event, error) {
	if !charge.Stands() {
		return nil, notFound("charge")
	}
	check := &check{}
	reason := check.text("reason", c.Reason)
	if reason == "" {
		check.refuse("reason", CodeRequired, "the field is required")
	}
	if err := check.err(); err != nil {
		return nil, err
	}
	if err := charge.judgeable(); err != nil {
		return nil, err
	}
	if c.second {
		return nil, fourEyes()
	}
	return []events.Event{events.ChargeRejected{
		Building: charge.Content.Building, RejectedBy: c.Actor, Reason: events.PersonalText(reason),
	}}, nil
}

func fourEyes() *Refused {
	return refuse(CodeFourEyes, "whoever submitted a charge neither approves nor rejects it")
}

// judgeable refuses a charge that does not wait for approval.
func (c Charge) judgeable() error {
	if err := c.live(); err != nil {
		return err
	}
	if c.Approval != ApprovalPending {
		return refuse(CodeNotPending, "the charge does not wait for approval")
	}
	return nil
}

// second tells whether somebody else has to judge the charge: its submitter asks, and four eyes
// are wanted. By themselves (auto) they are wanted where somebody else may approve, which is a
// syndic who can sign in. The product itself has no eyes.
func (r *Reader) second(charge Charge, actor uuid.UUID) (bool, error) {
	if actor == uuid.Nil || actor != charge.SubmittedBy {
		return false, nil
	}
	organization, err := Load[Organization](r, OrganizationStream(r.organization))
	if err != nil || organization.FourEyes != FourEyesAuto {
		return organization.FourEyes == FourEyesOn, err
	}
	holders, err := r.app.store.Holders(r.ctx, r.organization, claimApprover)
	if err != nil {
		return false, err
	}
	for _, holder := range holders {
		if holder.ID == actor {
			continue
		}
		// The claim finds him; his stream, whose version the append names, says that he still is one.
		member, err := Load[Member](r, holder)
		if err != nil {
			return false, err
		}
		account, err := r.app.Account(r.ctx, holder.ID)
		if err != nil {
			return false, err
		}
		if member.Holds(RoleSyndic) && account.Stands() && !account.Deactivated {
			return true, nil
		}
	}
	return false, nil
}
