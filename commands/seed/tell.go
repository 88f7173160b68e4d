package seed

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"github.com/koprogo/koprogo/commands"
	"github.com/koprogo/koprogo/events"
	"github.com/koprogo/koprogo/eventstore"
)

// teller tells stories. What a story leaves free is told at once: appends that arrive together
// share a commit.
type teller struct {
	app    *commands.App
	atOnce int          // commands of one story under way
	events atomic.Int64 // recorded
}

// unless is a command that decides nothing where it was done before. It is asked inside the
// decision, so that two who tell the same story at once do not do it twice.
type unless[S commands.State[S]] struct {
	commands.Command[S]
	done func(S) bool
}

// Read loads what the command reads.
func (u unless[S]) Read(r *commands.Reader) error {
	if reading, reads := u.Command.(interface {
		Read(r *commands.Reader) error
	}); reads {
		return reading.Read(r)
	}
	return nil
}

// Decide refuses what the command refuses.
func (u unless[S]) Decide(state S) ([]events.Event, error) {
	if u.done(state) {
		return nil, nil
	}
	return u.Command.Decide(state)
}

// How long a story waits for a log that cannot be reached, and between two tries.
const (
	patience = 2 * time.Minute
	pause    = 500 * time.Millisecond
)

// tell decides a command, again while the log cannot be reached or somebody else is faster: what
// came through unheard is found then, and changes nothing.
func tell[S commands.State[S]](
	ctx context.Context, t *teller, caller commands.Caller, command commands.Command[S],
) (S, error) {
	until := time.Now().Add(patience)
	for {
		outcome, err := commands.Handle(ctx, t.app, caller, command)
		if err == nil && outcome.Changed {
			t.events.Add(int64(len(outcome.Receipt.Recorded)))
		}
		passes := errors.Is(err, eventstore.ErrUnavailable) ||
			errors.Is(err, eventstore.ErrOutcomeUnknown) || errors.Is(err, eventstore.ErrConflict)
		if !passes || time.Now().After(until) {
			return outcome.State, err
		}
		select {
		case <-ctx.Done():
			return outcome.State, ctx.Err()
		case <-time.After(pause):
		}
	}
}

// tellAll tells a story. Where somebody changed or removed what it made before, his will is done:
// what would hang on that is left out.
func (t *teller) tellAll(ctx context.Context, s *story) error {
	building, err := tell(ctx, t, s.by.made(s.building.BuildingID), s.building)
	if isLeft(err) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("seed a building: %w", err)
	}
	together := t.together(ctx)
	together.Go(func() error { return t.tellLots(together.ctx, s, building) })
	for _, owner := range s.owners {
		together.Go(func() error {
			_, err := tell(together.ctx, t, s.by.made(owner.OwnerID), owner)
			return left("seed an owner", err)
		})
	}
	if err := together.Wait(); err != nil {
		return err
	}
	if err := t.tellHoldings(ctx, s); err != nil {
		return err
	}
	together = t.together(ctx)
	for _, charge := range s.charges {
		together.Go(func() error { return left("seed a charge", t.tellCharge(together.ctx, s, charge)) })
	}
	return together.Wait()
}

// group runs what does not wait for each other.
type group struct {
	*errgroup.Group
	ctx context.Context //nolint:containedctx // it ends with the group
}

func (t *teller) together(ctx context.Context) group {
	run, ctx := errgroup.WithContext(ctx)
	run.SetLimit(t.atOnce)
	return group{run, ctx}
}

// left says what went wrong, unless the thing was changed or removed meanwhile.
func left(doing string, err error) error {
	if err == nil || isLeft(err) {
		return nil
	}
	return fmt.Errorf("%s: %w", doing, err)
}

func (t *teller) tellLots(ctx context.Context, s *story, building commands.Building) error {
	for _, lot := range s.lots {
		if building.Lot(lot.LotID) != nil {
			continue
		}
		told, err := tell(ctx, t, s.by.system(), lot)
		if err := left("seed a lot", err); err != nil {
			return err
		}
		if err == nil {
			building = told
		}
	}
	return nil
}

// tellHoldings says who owns what, who of them signs in, and by what charges are divided.
func (t *teller) tellHoldings(ctx context.Context, s *story) error {
	for _, h := range s.holdings {
		_, err := tell(ctx, t, s.by.system(), unless[commands.Building](h))
		if err := left("seed an ownership", err); err != nil {
			return err
		}
	}
	for _, link := range s.links {
		_, err := tell(ctx, t, s.by.system(), unless[commands.Owner]{link, isLinked})
		if err := left("seed an owner's account", err); err != nil {
			return err
		}
	}
	for _, key := range s.keys {
		_, err := tell(ctx, t, s.by.made(key.KeyID), key)
		if err := left("seed a distribution key", err); err != nil {
			return err
		}
	}
	return nil
}

func isLinked(o commands.Owner) bool { return o.Account != uuid.Nil || o.Revision > 1 }

// tellCharge drafts a charge and lets become of it what is to.
func (t *teller) tellCharge(ctx context.Context, s *story, c charge) error {
	id := c.draft.ChargeID
	if _, err := tell(ctx, t, s.by.made(id), c.draft); err != nil || c.fate == drafted {
		return err
	}
	syndic := s.by.as(s.by.syndic, commands.RoleSyndic)
	accountant := s.by.as(s.by.accountant, commands.RoleAccountant)
	if c.fate == cancelled {
		_, err := tell(ctx, t, accountant, unless[commands.Charge]{
			commands.CancelCharge{ChargeID: id}, isSettled,
		})
		return err
	}
	_, err := tell(ctx, t, accountant, unless[commands.Charge]{
		commands.SubmitCharge{ChargeID: id, Actor: s.by.accountant}, isSubmitted,
	})
	if err != nil || c.fate == submitted {
		return err
	}
	if c.fate == rejected {
		_, err := tell(ctx, t, syndic, unless[commands.Charge]{
			&commands.RejectCharge{ChargeID: id, Actor: s.by.syndic, Reason: c.reason}, isJudged,
		})
		return err
	}
	_, err = tell(ctx, t, syndic, unless[commands.Charge]{
		&commands.ApproveCharge{ChargeID: id, Actor: s.by.syndic}, isJudged,
	})
	switch {
	case err != nil:
	case c.fate == overdue:
		_, err = tell(ctx, t, s.by.system(), unless[commands.Charge]{
			commands.MarkOverdue{ChargeID: id}, isSettled,
		})
	case c.fate == paid:
		_, err = tell(ctx, t, accountant, unless[commands.Charge]{&commands.PayCharge{
			ChargeID: id, PaidOn: commands.To(commands.OnDay(c.paidOn)),
			BankReference: c.reference, Now: s.building.Now,
		}, isPaid})
	}
	return err
}

func isSubmitted(c commands.Charge) bool {
	return c.Removed || c.Approval != commands.ApprovalDraft || isSettled(c)
}

func isJudged(c commands.Charge) bool {
	return c.Removed || c.Approval != commands.ApprovalPending || isSettled(c)
}

func isSettled(c commands.Charge) bool {
	return c.Removed || c.Payment != commands.PaymentPending
}

// isPaid leaves out what fell overdue meanwhile: that may still be paid.
func isPaid(c commands.Charge) bool {
	return c.Removed || c.Approval != commands.ApprovalApproved ||
		c.Payment == commands.PaymentPaid || c.Payment == commands.PaymentCancelled
}

// system is the product itself.
func (c cast) system() commands.Caller { return commands.System(c.organization, correlation) }

// made is the product making a thing that most likely is not there yet.
func (c cast) made(id uuid.UUID) commands.Caller {
	caller := c.system()
	caller.Made = id
	return caller
}

// as is an account of the cast.
func (c cast) as(account uuid.UUID, role string) commands.Caller {
	if account == uuid.Nil {
		return c.system()
	}
	return commands.Caller{
		Organization: c.organization, Actor: account, Role: role, Correlation: correlation,
	}
}
