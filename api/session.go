package api

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/google/uuid"
	lru "github.com/hashicorp/golang-lru/v2"
	"golang.org/x/sync/singleflight"

	"github.com/koprogo/koprogo/commands"
	"github.com/koprogo/koprogo/events"
	"github.com/koprogo/koprogo/eventstore"
)

// How long a look at an account's standing counts. What this server changes is seen at once, what
// another one changes when the look is over.
const (
	standingFor      = 1500 * time.Millisecond
	standingLookFor  = 5 * time.Second
	standingSessions = 20_000
)

// Sessions finds the caller behind an access token and tells whether what the token says still
// holds: the session was not revoked (a changed password revokes it), the account is in use, and
// the role is held in its organization's own log. It reads streams, never a read model.
type Sessions struct {
	tokens      *Tokens
	commands    *commands.App
	credentials *eventstore.Credentials
	now         func() time.Time

	looks    *lru.Cache[uuid.UUID, *standing] // by session
	looking  singleflight.Group
	profiles *lru.Cache[uuid.UUID, *keptProfile] // by account

	mu      sync.Mutex
	revoked uint64 // counts Forget, so that a look begun before it is not kept after it
}

// standing is what one look found.
type standing struct {
	look
	caller Caller
}

// look is when the logs were looked at, and the streams that were.
type look struct {
	looked time.Time
	seen   []seenStream
}

// seenStream is the version of a stream that a look was made on.
type seenStream struct {
	organization uuid.UUID
	stream       events.Stream
	version      int64
}

// NewSessions authenticates with tokens that it issues for sessions of credentials. Clock is
// time.Now when nil.
func NewSessions(
	tokens *Tokens, app *commands.App, credentials *eventstore.Credentials, clock func() time.Time,
) (*Sessions, error) {
	looks, err := lru.New[uuid.UUID, *standing](standingSessions)
	if err != nil {
		return nil, fmt.Errorf("remember sessions: %w", err)
	}
	profiles, err := lru.New[uuid.UUID, *keptProfile](profilesKept)
	if err != nil {
		return nil, fmt.Errorf("remember profiles: %w", err)
	}
	if clock == nil {
		clock = time.Now
	}
	return &Sessions{
		tokens: tokens, commands: app, credentials: credentials, now: clock, looks: looks,
		profiles: profiles,
	}, nil
}

// Authenticate is the server's Authenticate.
func (s *Sessions) Authenticate(ctx context.Context, bearer string) (Caller, error) {
	token, err := s.tokens.Verify(bearer)
	if err != nil {
		return Caller{}, err
	}
	found, ok := s.looks.Get(token.ID)
	if !ok || !s.current(&found.look) {
		if found, err = s.look(ctx, token); err != nil {
			return Caller{}, err
		}
	}
	caller := found.caller
	if caller.Account != token.Account || caller.RoleID != token.RoleID ||
		caller.Organization != token.Organization {
		return Caller{}, ErrUnauthenticated
	}
	caller.ExpiresAt = token.ExpiresAt
	return caller, nil
}

// current tells whether a look still counts.
func (s *Sessions) current(of *look) bool {
	age := s.now().Sub(of.looked)
	if age < 0 || age > standingFor {
		return false
	}
	for i := range of.seen {
		at := &of.seen[i]
		if s.commands.Seen(at.organization, at.stream) != at.version {
			return false
		}
	}
	return true
}

// look asks the database; requests of one session that come together ask once.
func (s *Sessions) look(ctx context.Context, token Token) (*standing, error) {
	found, err, _ := s.looking.Do(token.ID.String(), func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), standingLookFor)
		defer cancel()
		s.mu.Lock()
		revoked := s.revoked
		s.mu.Unlock()
		looked := s.now()
		session, err := s.credentials.Session(ctx, token.ID)
		if errors.Is(err, eventstore.ErrSessionEnded) {
			return nil, ErrUnauthenticated
		}
		if err != nil {
			return nil, err
		}
		found, err := s.standing(ctx, session.Account, session.Role)
		if err != nil {
			return nil, err
		}
		found.looked, found.caller.Session = looked, session.ID
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.revoked == revoked {
			s.looks.Add(token.ID, found)
		}
		return found, nil
	})
	if err != nil {
		return nil, err
	}
	return found.(*standing), nil //nolint:forcetypeassert // made above
}

// standing folds what the logs say of an account in a role. It returns ErrUnauthenticated for an
// account that may not sign in, or not in this role.
func (s *Sessions) standing(ctx context.Context, account, role uuid.UUID) (*standing, error) {
	seen := []seenStream{s.see(eventstore.Platform, commands.AccountStream(account))}
	state, err := s.commands.Account(ctx, account)
	if err != nil {
		return nil, err
	}
	held, has := state.Role(role)
	if !state.Stands() || state.Deactivated || !has {
		return nil, ErrUnauthenticated
	}
	named, known := ParseRole(held.Role)
	if !known {
		return nil, ErrUnauthenticated
	}
	found := &standing{look: look{seen: seen}, caller: Caller{
		Account: account, Organization: held.Organization, Role: named, RoleID: role,
		Restricted: named == Owner,
	}}
	if held.Organization == eventstore.Platform {
		return found, nil
	}
	found.seen = append(found.seen, s.see(held.Organization, commands.MemberStream(account)))
	member, err := s.commands.Member(ctx, held.Organization, account)
	if err != nil {
		return nil, err
	}
	if member.Roles[role] != held.Role {
		return nil, ErrUnauthenticated
	}
	if named == Auditor && len(member.Mandates) > 0 {
		found.caller.Restricted = true
	}
	return found, nil
}

// see notes where a stream stands before it is looked at: when it moves meanwhile, the look does
// not count for a second request.
func (s *Sessions) see(organization uuid.UUID, stream events.Stream) seenStream {
	return seenStream{organization, stream, s.commands.Seen(organization, stream)}
}

// Forget drops what is remembered of the account's sessions: the next request of each looks anew.
// Whoever ends a session calls it after the end is committed.
func (s *Sessions) Forget(account uuid.UUID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.revoked++
	for _, id := range s.looks.Keys() {
		if found, ok := s.looks.Peek(id); ok && found.caller.Account == account {
			s.looks.Remove(id)
		}
	}
}

// open signs an account in under a role that it holds, and returns the pair of tokens.
func (s *Sessions) open(
	ctx context.Context, account uuid.UUID, role commands.AccountRole, address, agent string,
) (access, refresh string, err error) {
	session, refresh, err := s.credentials.StartSession(ctx, account, role.ID, address, agent)
	if err != nil {
		return "", "", err
	}
	access, err = s.issue(session, role)
	return access, refresh, err
}

func (s *Sessions) issue(session eventstore.Session, role commands.AccountRole) (string, error) {
	now := s.now().UTC()
	return s.tokens.Issue(Token{
		Account: session.Account, Organization: role.Organization, Role: role.Role,
		RoleID: role.ID, ID: session.ID, IssuedAt: now, ExpiresAt: now.Add(AccessTokenLife),
	})
}
