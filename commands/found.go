package commands

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"

	"github.com/koprogo/koprogo/events"
	"github.com/koprogo/koprogo/eventstore"
)

// FoundOrganization makes an organization: a place in the platform's list, which decides whose the
// slug is, then the first fact of its own log.
type FoundOrganization struct {
	OrganizationID uuid.UUID
	Name           string
	Slug           string
	Plan           string
	ContactID      uuid.UUID // a new subject
	ContactEmail   string
	ContactPhone   string
	Language       Change[string] // fr unless given
	Zone           Change[string] // Europe/Brussels unless given
}

// FoundOrganization appends to both logs. The same again under the same id changes nothing and
// makes what a crash left out. Refusals: wrong fields, id_taken, slug_taken.
func (a *App) FoundOrganization(
	ctx context.Context, caller Caller, c FoundOrganization,
) (Outcome[Organization], error) {
	platform := caller.in(eventstore.Platform)
	platform.Idempotency = caller.Idempotency
	listed, err := Handle(ctx, a, platform, &listOrganization{FoundOrganization: c})
	if err != nil {
		return Outcome[Organization]{}, err
	}
	if listed.Receipt.Replayed {
		return Outcome[Organization]{Receipt: listed.Receipt}, nil
	}
	founded, err := a.enter(ctx, caller, c.OrganizationID, listed.State)
	if err != nil {
		return founded, err
	}
	founded.Also = append(founded.Also, listed.Receipt)
	founded.Changed = founded.Changed || listed.Changed
	return founded, nil
}

// enter begins the log of a listed organization, unless it has begun.
func (a *App) enter(
	ctx context.Context, caller Caller, id uuid.UUID, listing Listing,
) (Outcome[Organization], error) {
	r := a.reader(ctx, eventstore.Platform)
	texts, err := r.OpenAll(listing.First.ContactEmail, listing.First.ContactPhone)
	if err != nil {
		return Outcome[Organization]{}, err
	}
	first := listing.First
	founded, err := Handle(ctx, a, caller.in(id), enterOrganization{
		id: id,
		founded: events.OrganizationFounded{
			Name: first.Name, Slug: listing.Slug, Plan: first.Plan, ContactID: first.ContactID,
			ContactEmail: events.PersonalText(texts[0]),
			ContactPhone: events.PersonalText(texts[1]),
			Language:     first.Language, Zone: first.Zone,
		},
	})
	if err != nil {
		return founded, fmt.Errorf("begin the organization's log: %w", err)
	}
	return founded, nil
}

// ChangeOrganization changes the fields that it gives. A new slug is claimed in the platform's
// list first.
type ChangeOrganization struct {
	OrganizationID uuid.UUID
	Name           Change[string]
	Slug           Change[string]
	Plan           Change[string]
	ContactEmail   Change[string]
	ContactPhone   Change[string]
}

// ChangeOrganization appends to the organization's log and, for a new slug, to the platform's.
// Refusals: wrong fields, not_found, slug_taken, and plan_limit while the organization has more
// buildings or users than the new plan.
func (a *App) ChangeOrganization(
	ctx context.Context, caller Caller, c ChangeOrganization,
) (Outcome[Organization], error) {
	own := caller
	own.Organization = c.OrganizationID
	change := &changeOrganization{ChangeOrganization: c}
	if !c.Slug.Given {
		return Handle(ctx, a, own, change)
	}
	if receipt, known, err := a.replay(ctx, own); err != nil || known {
		return Outcome[Organization]{Receipt: receipt}, err
	}
	if err := Preview(ctx, a, own, change); err != nil {
		return Outcome[Organization]{}, err
	}
	platform := caller.in(eventstore.Platform)
	slug := (&check{}).slug("slug", c.Slug.Value)
	before, err := a.listing(ctx, c.OrganizationID)
	if err != nil {
		return Outcome[Organization]{}, err
	}
	listed, err := Handle(ctx, a, platform, relistOrganization{c.OrganizationID, slug})
	if err != nil {
		return Outcome[Organization]{}, err
	}
	changed, err := Handle(ctx, a, own, change)
	if refusedBy(err) && listed.Changed {
		back := relistOrganization{c.OrganizationID, before.Slug}
		if _, undo := Handle(ctx, a, platform, back); undo != nil && !refusedBy(undo) {
			return changed, errors.Join(err, fmt.Errorf("give the slug back: %w", undo))
		}
		return changed, err
	}
	changed.Also = append(changed.Also, listed.Receipt)
	return changed, err
}

func (a *App) listing(ctx context.Context, organization uuid.UUID) (Listing, error) {
	r := a.reader(ctx, eventstore.Platform)
	r.fresh = true
	return Load[Listing](r, OrganizationStream(organization))
}

// refusedBy tells whether a rule said no, so that nothing was appended.
func refusedBy(err error) bool {
	var refused *Refused
	return errors.As(err, &refused) || errors.Is(err, ErrPrecondition)
}
