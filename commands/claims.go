package commands

import (
	"context"
	"fmt"
	"slices"

	"github.com/koprogo/koprogo/events"
	"github.com/koprogo/koprogo/eventstore"
)

type claiming interface{ Claims() []eventstore.Claim }

// claim takes what the states after the append hold and those before it did not, and releases
// the reverse.
func (r *Reader) claim(
	ctx context.Context, a *eventstore.Append, touched []*loaded, after map[*loaded]any,
) error {
	for _, in := range touched {
		before, held := claimsOf(in.state, in.stream), claimsOf(after[in], in.stream)
		for _, claim := range held {
			if !slices.Contains(before, claim) {
				a.Take = append(a.Take, claim)
			}
		}
		for _, claim := range before {
			if !slices.Contains(held, claim) {
				a.Release = append(a.Release, claim)
			}
		}
	}
	for i := range a.Take {
		if err := r.complete(ctx, &a.Take[i], after); err != nil {
			return err
		}
	}
	for i := range a.Release {
		if err := r.complete(ctx, &a.Release[i], after); err != nil {
			return err
		}
	}
	return nil
}

func claimsOf(state any, stream events.Stream) []eventstore.Claim {
	holding, ok := state.(claiming)
	if !ok {
		return nil
	}
	claims := holding.Claims()
	for i := range claims {
		if claims[i].Holder.IsZero() {
			claims[i].Holder = stream
		}
	}
	return claims
}

// complete brings a claim into the form of the store: a personal one in the clear normal form that
// its name is made of, a numbered one with the limit of the organization's plan.
func (r *Reader) complete(
	ctx context.Context, claim *eventstore.Claim, after map[*loaded]any,
) error {
	if !claim.Personal.IsEmpty() {
		text, err := r.app.store.Keyring().Open(ctx, r.organization, claim.Personal)
		if err != nil {
			return fmt.Errorf("open the claim on %s: %w", claim.Kind, err)
		}
		switch claim.Kind {
		case claimEmail:
			text = events.NormalEmail(text)
		case claimSupplier:
			text = events.NormalSupplier(text)
		}
		claim.Personal = events.PersonalText(text)
	}
	if claim.Value != "" || !claim.Personal.IsEmpty() || claim.Limit > 0 {
		return nil
	}
	if r.organization == eventstore.Platform {
		claim.Limit = eventstore.Unlimited
		return nil
	}
	in := r.find(OrganizationStream(r.organization))
	if in == nil {
		return fmt.Errorf("claim %s: the organization's plan was not loaded", claim.Kind)
	}
	state := in.state
	if changed, touched := after[in]; touched {
		state = changed
	}
	organization, _ := state.(Organization)
	claim.Limit = organization.Limit(claim.Kind)
	return nil
}
