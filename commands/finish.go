package commands

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/koprogo/koprogo/events"
	"github.com/koprogo/koprogo/eventstore"
)

// unfinishedAfter is when a request that wants two appends is taken for one that will not make the
// second.
const unfinishedAfter = 10 * time.Second

// FinishPending finds accounts and organizations whose two logs do not agree, because a process
// ended between two appends, and makes the append that is missing. It may run anywhere, any number
// of times. One that fails is left for the next run and does not hold up the others.
func (a *App) FinishPending(ctx context.Context) error {
	return a.finish(ctx, a.store.Clock().Add(-unfinishedAfter))
}

func (a *App) finish(ctx context.Context, before time.Time) error {
	due, err := a.platform.pending(ctx, a.store, before)
	if err != nil {
		return err
	}
	var failed []error
	for stream, touched := range due {
		if ctx.Err() != nil {
			return errors.Join(append(failed, ctx.Err())...)
		}
		if err := a.finishStream(ctx, stream); err != nil {
			failed = append(failed, fmt.Errorf("finish %s: %w", stream, err))
			continue
		}
		a.platform.settled(stream, touched)
	}
	return errors.Join(failed...)
}

func (a *App) finishStream(ctx context.Context, stream events.Stream) error {
	caller := System(eventstore.Platform, "finish-pending")
	if stream.Category == events.OrganizationCategory {
		return a.finishOrganization(ctx, caller, stream.ID)
	}
	return a.finishAccount(ctx, caller, stream.ID)
}

// finishOrganization begins the organization's own log, and gives it the slug of the list.
func (a *App) finishOrganization(ctx context.Context, caller Caller, id uuid.UUID) error {
	listing, err := a.listing(ctx, id)
	if err != nil || !listing.Listed {
		return err
	}
	if _, err := a.enter(ctx, caller, id, listing); err != nil {
		return err
	}
	_, err = Handle(ctx, a, caller.in(id), &changeOrganization{
		ChangeOrganization: ChangeOrganization{OrganizationID: id, Slug: To(listing.Slug)},
	})
	return err
}

// finishAccount makes what the platform's log says of an account true in the organizations' logs:
// roles of a closed account and withdrawn roles are taken back, offered ones granted. A role that
// an organization has taken back is withdrawn; one that it refuses is withdrawn as well, or the
// account is closed when it holds no other.
func (a *App) finishAccount(ctx context.Context, caller Caller, id uuid.UUID) error {
	account, err := a.Account(ctx, id)
	if err != nil || account.ID == uuid.Nil {
		return err
	}
	if account.Closed {
		_, err := a.dismissAll(ctx, caller, id, account, uuid.Nil)
		return err
	}
	var gone []uuid.UUID
	refusal, holds := Code(""), false
	for _, role := range account.Roles {
		is, code, err := a.finishRole(ctx, caller, id, role)
		if err != nil {
			return err
		}
		holds = holds || is
		if !is && !role.Withdrawn {
			gone = append(gone, role.ID)
		}
		if code != "" {
			refusal = code
		}
	}
	switch {
	case refusal != "" && !holds:
		return a.abandon(ctx, caller, id, refusal)
	case len(gone) > 0:
		_, err = Handle(ctx, a, caller, &withdrawRoles{id: id, roles: gone})
	}
	return err
}

// finishRole settles one role and tells whether it is held then, or by which code it was refused.
func (a *App) finishRole(
	ctx context.Context, caller Caller, id uuid.UUID, role AccountRole,
) (held bool, refusal Code, err error) {
	if role.Organization == eventstore.Platform {
		return !role.Withdrawn, "", nil
	}
	member, err := a.Member(ctx, role.Organization, id)
	if err != nil {
		return false, "", err
	}
	_, held = member.Roles[role.ID]
	switch {
	case role.Withdrawn && held:
		_, err = Handle(ctx, a, caller.in(role.Organization),
			dismiss{account: id, roles: []uuid.UUID{role.ID}, decided: true})
		return false, "", err
	case role.Withdrawn || held || member.Ended[role.ID]:
		return held, "", nil
	}
	_, err = Handle(ctx, a, caller.in(role.Organization),
		enlist{account: id, roles: []AccountRole{role}})
	if refusedBy(err) {
		return false, codeOf(err), nil
	}
	return err == nil, "", err
}
