package commands

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/koprogo/koprogo/events"
	"github.com/koprogo/koprogo/eventstore"
)

const platformPage = 5000

// platform follows the platform's log: it knows who was ever offered the superadmin role, and
// which accounts and organizations were touched since somebody last saw that both of their logs
// agree. It is only a hint: whoever uses it loads the streams.
type platform struct {
	mu        sync.Mutex
	position  int64
	admins    map[uuid.UUID]bool
	unsettled map[events.Stream]touch
}

// touch is the newest fact of a stream that may want a second append.
type touch struct {
	position int64
	at       time.Time
}

func newPlatform() *platform {
	return &platform{admins: map[uuid.UUID]bool{}, unsettled: map[events.Stream]touch{}}
}

func (p *platform) forget() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.position, p.admins, p.unsettled = 0, map[uuid.UUID]bool{}, map[events.Stream]touch{}
}

// follow reads up to the end of the log. The caller holds the lock.
func (p *platform) follow(ctx context.Context, store *eventstore.Store) error {
	for {
		page, err := store.Read(ctx, eventstore.Platform, p.position, platformPage)
		if err != nil {
			return fmt.Errorf("follow the platform's log: %w", err)
		}
		for _, recorded := range page {
			p.note(recorded)
		}
		if len(page) < platformPage {
			return nil
		}
	}
}

func (p *platform) note(recorded eventstore.Recorded) {
	p.position = recorded.Position
	switch e := recorded.Event.(type) {
	case events.AccountRoleOffered:
		if e.Role == RoleSuperadmin {
			p.admins[recorded.Stream.ID] = true
		}
	case events.AccountRoleWithdrawn, events.AccountClosed,
		events.OrganizationListed, events.OrganizationSlugChanged:
	default:
		return
	}
	p.unsettled[recorded.Stream] = touch{recorded.Position, recorded.RecordedAt}
}

// administrators are the accounts that were ever offered the superadmin role.
func (p *platform) administrators(
	ctx context.Context, store *eventstore.Store,
) ([]uuid.UUID, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.follow(ctx, store); err != nil {
		return nil, err
	}
	return slices.Collect(maps.Keys(p.admins)), nil
}

// pending are the streams to be settled whose newest fact was recorded before the instant.
func (p *platform) pending(
	ctx context.Context, store *eventstore.Store, before time.Time,
) (map[events.Stream]touch, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.follow(ctx, store); err != nil {
		return nil, err
	}
	due := map[events.Stream]touch{}
	for stream, touched := range p.unsettled {
		if touched.at.Before(before) {
			due[stream] = touched
		}
	}
	return due, nil
}

// settled forgets a stream, unless it was touched again.
func (p *platform) settled(stream events.Stream, touched touch) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.unsettled[stream] == touched {
		delete(p.unsettled, stream)
	}
}
