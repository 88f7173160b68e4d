package commands

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/koprogo/koprogo/events"
	"github.com/koprogo/koprogo/eventstore"
)

// Command decides which facts happened. Decide is pure: clock and ids arrive in the command.
// No facts means that there was nothing to change; a *Refused says which rule is broken.
//
// A command may also have
//
//	Read(*Reader) error    to load other states first; called again for each new decision
//	Revision(S) int64      what If-Match is compared with, where it is not the stream's version
//	Begins()               to say that it makes the thing whose id is Caller.Made: nothing is loaded
//	EvenSuspended() bool   whether it is decided in a suspended organization too
//
// and its state Claims() []eventstore.Claim: all claims that the state holds. Handle takes and
// releases the difference. A claim without holder is the stream's; one without value and limit is
// one of the plan's places.
type Command[S any] interface {
	Stream() events.Stream
	Decide(S) ([]events.Event, error)
}

// Elsewhere lets a fact stand in another stream of the organization, which Read has loaded.
func Elsewhere(stream events.Stream, event events.Event) events.Event {
	return elsewhere{event, stream}
}

type elsewhere struct {
	events.Event
	stream events.Stream
}

// Handle decides the command and appends what it decided, again on newer states while somebody
// else was faster, for 2 s at most. It returns a *Refused, ErrPrecondition, or the store's errors
// (ErrConflict, ErrKeyReused, ErrOutcomeUnknown, ErrUnavailable, ErrErased).
func Handle[S State[S]](
	ctx context.Context, a *App, caller Caller, command Command[S],
) (Outcome[S], error) {
	until := time.Now().Add(decideFor)
	r := a.reader(ctx, caller.Organization)
	if _, begins := command.(interface{ Begins() }); begins {
		r.made = caller.Made
	}
	for {
		outcome, err := once(r, caller, command)
		var conflict *eventstore.ConflictError
		switch {
		case errors.As(err, &conflict):
			if time.Now().After(until) || ctx.Err() != nil {
				return outcome, err
			}
			r.behind(conflict)
		case outcome.Receipt.Replayed:
			return outcome, err
		case r.guessed() && turnedAway(err, outcome.Changed):
			r.fresh = true
		case turnedAway(err, outcome.Changed):
			return settle(r, caller, outcome, err)
		default:
			return outcome, err
		}
		r.again()
	}
}

// Preview decides without appending: it returns the refusal that Handle would return, as far as
// claims do not make it.
func Preview[S State[S]](ctx context.Context, a *App, caller Caller, command Command[S]) error {
	r := a.reader(ctx, caller.Organization)
	r.fresh = true
	_, _, err := decide(r, caller, command)
	return err
}

func (a *App) reader(ctx context.Context, organization uuid.UUID) *Reader {
	return &Reader{
		ctx: ctx, app: a, organization: organization, least: map[events.Stream]int64{},
	}
}

// turnedAway tells whether no append followed for a reason that newer states might change.
func turnedAway(err error, changed bool) bool {
	var refused *Refused
	if errors.As(err, &refused) {
		return !refused.Invalid()
	}
	return errors.Is(err, ErrPrecondition) || err == nil && !changed
}

// once is one decision and its append.
func once[S State[S]](r *Reader, caller Caller, command Command[S]) (Outcome[S], error) {
	main, decided, err := decide(r, caller, command)
	if err != nil {
		return Outcome[S]{}, err
	}
	state := main.state.(S) //nolint:forcetypeassert // load made it
	outcome := Outcome[S]{State: state, Version: main.version}
	if len(decided) == 0 {
		return outcome, nil
	}
	outcome.Receipt, err = r.append(caller, main, decided)
	if err != nil {
		return outcome, err
	}
	outcome.Changed = !outcome.Receipt.Replayed
	outcome.State, outcome.Version = main.state.(S), main.version //nolint:forcetypeassert // evolved
	return outcome, nil
}

func decide[S State[S]](
	r *Reader, caller Caller, command Command[S],
) (*loaded, []events.Event, error) {
	main, err := load[S](r, command.Stream())
	if err != nil {
		return nil, nil, err
	}
	if err := r.mayWrite(command, command.Stream()); err != nil {
		return nil, nil, err
	}
	if reading, ok := command.(interface{ Read(*Reader) error }); ok {
		if err := reading.Read(r); err != nil {
			return nil, nil, err
		}
	}
	state := main.state.(S) //nolint:forcetypeassert // load made it
	decided, err := command.Decide(state)
	var refused *Refused
	if errors.As(err, &refused) && (refused.Invalid() || refused.Code == CodeNotFound) {
		return nil, nil, err
	}
	if caller.IfMatch != nil {
		revision := main.version
		if revised, ok := command.(interface{ Revision(S) int64 }); ok {
			revision = revised.Revision(state)
		}
		if revision != *caller.IfMatch {
			return nil, nil, ErrPrecondition
		}
	}
	return main, decided, err
}

// mayWrite refuses writes in an organization that is suspended or was never founded. Commands on
// the organization's own stream say for themselves.
func (r *Reader) mayWrite(command any, stream events.Stream) error {
	own := OrganizationStream(r.organization)
	if r.organization == eventstore.Platform || stream == own {
		return nil
	}
	organization, err := Load[Organization](r, own)
	if err != nil {
		return err
	}
	if !organization.Founded {
		return notFound("organization")
	}
	even, ok := command.(interface{ EvenSuspended() bool })
	if organization.Suspended && (!ok || !even.EvenSuspended()) {
		return suspended()
	}
	return nil
}

// append records the decided facts and leaves the loaded states as they are after it.
func (r *Reader) append(
	caller Caller, main *loaded, decided []events.Event,
) (eventstore.Receipt, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.ctx), appendFor)
	defer cancel()
	a, touched, err := r.compose(ctx, caller, main, decided)
	if err != nil {
		return eventstore.Receipt{}, err
	}
	if caller.Actor != uuid.Nil && caller.Address+caller.Agent != "" {
		err := r.app.store.Keyring().AccountKey(ctx, r.organization, caller.Actor)
		if err != nil {
			return eventstore.Receipt{}, err
		}
	}
	receipt, err := r.app.store.Append(ctx, a)
	var taken *eventstore.ClaimError
	if errors.As(err, &taken) {
		return receipt, ofClaim(taken, touched)
	}
	if err != nil || receipt.Replayed {
		return receipt, err
	}
	return receipt, r.evolveRecorded(touched, receipt)
}

// compose groups the facts by stream and says what the append reads, takes and releases.
func (r *Reader) compose(
	ctx context.Context, caller Caller, main *loaded, decided []events.Event,
) (eventstore.Append, []*loaded, error) {
	a := eventstore.Append{
		Organization: caller.Organization, Idempotency: caller.Idempotency,
		Metadata: eventstore.Metadata{
			Actor: caller.Actor, Role: caller.Role, Correlation: caller.Correlation,
			Address: caller.Address, Agent: caller.Agent,
		},
	}
	var touched []*loaded
	after := map[*loaded]any{}
	for _, event := range decided {
		in := main
		if away, ok := event.(elsewhere); ok {
			if in, event = r.find(away.stream), away.Event; in == nil {
				return a, nil, fmt.Errorf("decide %s: %s was not loaded",
					event.EventType(), away.stream)
			}
		}
		i := slices.Index(touched, in)
		if i < 0 {
			i, touched, after[in] = len(touched), append(touched, in), in.state
			a.Streams = append(a.Streams, eventstore.StreamAppend{
				Stream: in.stream, Expected: in.version, Building: buildingOf(in.stream, event),
			})
		}
		a.Streams[i].Events = append(a.Streams[i].Events, event)
		after[in] = in.evolve(after[in], event)
		a.Take = append(a.Take, claimedBy(in.stream, event)...)
		if introduces, ok := event.(events.Introduces); ok {
			a.Subjects = append(a.Subjects, introduces.NewSubjects()...)
		}
	}
	for _, in := range r.loaded {
		if !slices.Contains(touched, in) {
			a.Reads = append(a.Reads, eventstore.StreamVersion{
				Stream: in.stream, Version: in.version,
			})
		}
	}
	return a, touched, r.claim(ctx, &a, touched, after)
}

func buildingOf(stream events.Stream, event events.Event) uuid.UUID {
	if in, ok := event.(events.InBuilding); ok {
		return in.BuildingID()
	}
	if stream.Category == events.BuildingCategory {
		return stream.ID
	}
	return uuid.Nil
}

// evolveRecorded folds what was recorded, personal data sealed, and keeps it warm.
func (r *Reader) evolveRecorded(touched []*loaded, receipt eventstore.Receipt) error {
	for _, recorded := range receipt.Recorded {
		in := r.find(recorded.Stream)
		if len(recorded.Subjects) > 0 {
			if err := recorded.Decode(); err != nil {
				return fmt.Errorf("read what was appended: %w", err)
			}
		}
		in.state, in.version = in.evolve(in.state, recorded.Event), recorded.Version
	}
	for _, in := range touched {
		r.app.warm.keep(place{r.organization, in.stream}, in.folded)
	}
	return nil
}
