package api

import (
	"context"
	"errors"
	"slices"

	"github.com/google/uuid"

	"github.com/koprogo/koprogo/commands"
	"github.com/koprogo/koprogo/events"
	"github.com/koprogo/koprogo/eventstore"
)

// Accounts is what signing in works with.
type Accounts struct {
	Credentials *eventstore.Credentials
	Sessions    *Sessions
	Access      *eventstore.AccessLog
	Post        *Post
	// Development lets a password be given where an account is made.
	Development bool
	PublicURL   string // that links in mails begin with
}

// signedIn is the answer to a sign-in.
type signedIn struct {
	Token        string   `json:"token"`
	RefreshToken string   `json:"refresh_token"`
	User         userBody `json:"user"`
}

type loginIn struct {
	Email    Field[string] `json:"email" required:"true" maxLength:"1000" example:"anne@example.org"`
	Password Field[string] `json:"password" required:"true" maxLength:"1000"`
	TOTPCode Field[string] `json:"totp_code"`
}

// login answers an unknown address, a wrong password and an account that may not sign in alike,
// after the same work.
func login(ctx context.Context, c *Call, _ None, in loginIn) (Answer[signedIn], error) {
	attempt, err := c.attempt(ctx, "account "+events.NormalEmail(in.Email.Value()),
		"address "+network(c.Address))
	if err != nil {
		return Answer[signedIn]{}, err
	}
	defer attempt.Passed()
	found, err := c.checkLogin(ctx, in.Email.Value(), in.Password.Value())
	if err != nil {
		return Answer[signedIn]{}, failed(ctx, attempt, err)
	}
	if found.state.TwoFactor {
		if err := c.checkSecondFactor(ctx, found.id, in.TOTPCode.Value()); err != nil {
			return Answer[signedIn]{}, failed(ctx, attempt, err)
		}
	}
	return c.signIn(ctx, found, found.held[0])
}

// attempt begins a try at a secret, for each of the names, or tells to come back later.
func (c *Call) attempt(ctx context.Context, names ...string) (*eventstore.Attempt, error) {
	attempt, err := c.Accounts.Credentials.Attempt(ctx, names...)
	locked := new(eventstore.TooManyFailuresError)
	if errors.As(err, &locked) {
		return nil, &Problem{Code: CodeTooManyAttempts, RetryAfter: locked.RetryAfter}
	}
	return attempt, err
}

// failed counts a failure where err says that a secret was wrong.
func failed(ctx context.Context, attempt *eventstore.Attempt, err error) error {
	problem := new(Problem)
	if !errors.As(err, &problem) || !problem.isWrongSecret() {
		return err
	}
	if counted := attempt.Failed(ctx); counted != nil {
		return counted
	}
	return err
}

// isWrongSecret tells a wrong password or code from what is asked for besides.
func (p *Problem) isWrongSecret() bool {
	return p.Code == CodeInvalidCredentials || p.Code == CodeTOTPInvalid ||
		slices.ContainsFunc(p.Fields, func(wrong fieldError) bool {
			return wrong.Code == CodeTOTPInvalid || wrong.Code == CodeWrongPassword
		})
}

// checkLogin finds the account of an address and a password.
func (c *Call) checkLogin(ctx context.Context, email, password string) (profile, error) {
	id, err := c.Accounts.Credentials.AccountByEmail(ctx, email)
	if err != nil {
		return profile{}, err
	}
	found, unfit := c.profileOf(ctx, id, noMoment) // looks as long for nobody
	if unfit != nil && mapped(unfit, c.route).Code != CodeNotFound {
		return profile{}, unfit
	}
	if unfit != nil || found.state.Deactivated {
		id = uuid.Nil
	}
	fits, err := c.Accounts.Credentials.CheckPassword(ctx, id, password)
	if err != nil {
		return profile{}, err
	}
	if !fits {
		return profile{}, refuse(CodeInvalidCredentials)
	}
	return found, nil
}

// checkSecondFactor takes a code of the authenticator or a backup code.
func (c *Call) checkSecondFactor(ctx context.Context, account uuid.UUID, code string) error {
	if code == "" {
		return refuse(CodeTOTPRequired)
	}
	fits, err := c.Accounts.Credentials.UseCode(ctx, account, code)
	if err == nil && !fits {
		fits, err = c.Accounts.Credentials.UseBackupCode(ctx, account, code)
	}
	if err == nil && !fits {
		err = refuse(CodeTOTPInvalid)
	}
	return err
}

// signIn opens a session and shows the user.
func (c *Call) signIn(
	ctx context.Context, found profile, role commands.AccountRole,
) (Answer[signedIn], error) {
	user, err := c.show(ctx, found)
	if err != nil {
		return Answer[signedIn]{}, err
	}
	access, refresh, err := c.Accounts.Sessions.open(ctx, found.id, role, c.Address, c.Agent)
	return Answer[signedIn]{
		Body: signedIn{Token: access, RefreshToken: refresh, User: user},
	}, err
}

type refreshIn struct {
	RefreshToken Field[string] `json:"refresh_token" required:"true" maxLength:"1000"`
}

// refresh gives a new pair in the session's role, as long as the account holds it.
func refresh(ctx context.Context, c *Call, _ None, in refreshIn) (Answer[signedIn], error) {
	session, next, err := c.Accounts.Credentials.Rotate(ctx, in.RefreshToken.Value())
	if errors.Is(err, eventstore.ErrSessionEnded) {
		c.Accounts.Sessions.Forget(session.Account)
		return Answer[signedIn]{}, ErrUnauthenticated
	}
	if err != nil {
		return Answer[signedIn]{}, err
	}
	found, err := c.profileOf(ctx, session.Account, noMoment)
	at := slices.IndexFunc(found.held, func(role commands.AccountRole) bool {
		return role.ID == session.Role
	})
	gone := err != nil && mapped(err, c.route).Code == CodeNotFound
	if gone || err == nil && (found.state.Deactivated || at < 0) {
		if err := c.endSession(ctx, session.Account, session.ID); err != nil {
			return Answer[signedIn]{}, err
		}
		return Answer[signedIn]{}, ErrUnauthenticated
	}
	if err != nil {
		return Answer[signedIn]{}, err
	}
	user, err := c.show(ctx, found)
	if err != nil {
		return Answer[signedIn]{}, err
	}
	access, err := c.Accounts.Sessions.issue(session, found.held[at])
	return Answer[signedIn]{
		Body: signedIn{Token: access, RefreshToken: next, User: user},
	}, err
}

// logout ends the session of a refresh token. There is nothing to tell whoever has none.
func logout(ctx context.Context, c *Call, _ None, in refreshIn) (Answer[None], error) {
	session, err := c.Accounts.Credentials.SessionOf(ctx, in.RefreshToken.Value())
	if errors.Is(err, eventstore.ErrSessionEnded) {
		return Answer[None]{}, nil
	}
	if err != nil {
		return Answer[None]{}, err
	}
	return Answer[None]{}, c.endSession(ctx, session.Account, session.ID)
}

func (c *Call) endSession(ctx context.Context, account, session uuid.UUID) error {
	_, err := c.Accounts.Credentials.EndSession(ctx, account, session)
	c.Accounts.Sessions.Forget(account)
	return err
}

// me shows the caller.
func me(ctx context.Context, c *Call, _ None) (Answer[userBody], error) {
	found, err := c.ownProfile(ctx)
	if err != nil {
		return Answer[userBody]{}, err
	}
	body, err := c.show(ctx, found)
	return Answer[userBody]{Body: body, Version: found.version}, err
}

type switchRoleIn struct {
	RoleID Field[uuid.UUID] `json:"role_id" required:"true"`
}

// switchRole makes another of the caller's roles the active one and opens a session in it. The
// session that asked goes on in its own role until it ends.
func switchRole(ctx context.Context, c *Call, _ None, in switchRoleIn) (Answer[signedIn], error) {
	asking := c.Asking(c.Caller.Account)
	_, err := c.Commands.ChooseRole(ctx, asking, commands.ChooseRole{
		AccountID: c.Caller.Account, RoleID: in.RoleID.Value(),
	})
	if err != nil {
		return Answer[signedIn]{}, err
	}
	found, err := c.profileOf(ctx, c.Caller.Account, noMoment)
	if err != nil {
		return Answer[signedIn]{}, err
	}
	at := slices.IndexFunc(found.held, func(role commands.AccountRole) bool {
		return role.ID == in.RoleID.Value()
	})
	if at < 0 {
		return Answer[signedIn]{}, notFound("role")
	}
	return c.signIn(ctx, found, found.held[at])
}

// sessionBody is a signed-in device.
type sessionBody struct {
	ID         uuid.UUID `json:"id"`
	RoleID     uuid.UUID `json:"role_id"`
	CreatedAt  Instant   `json:"created_at"`
	LastUsedAt Instant   `json:"last_used_at"`
	ExpiresAt  Instant   `json:"expires_at"`
	Address    string    `json:"address"`
	Agent      string    `json:"agent"`
	IsCurrent  bool      `json:"is_current"`
}

func listSessions(ctx context.Context, c *Call, _ None) (Answer[[]sessionBody], error) {
	sessions, err := c.Accounts.Credentials.Sessions(ctx, c.Caller.Account)
	bodies := make([]sessionBody, len(sessions))
	for i, s := range sessions {
		bodies[i] = sessionBody{
			ID: s.ID, RoleID: s.Role, CreatedAt: Instant(s.CreatedAt),
			LastUsedAt: Instant(s.UsedAt), ExpiresAt: Instant(s.ExpiresAt),
			Address: s.Address, Agent: s.Agent, IsCurrent: s.ID == c.Caller.Session,
		}
	}
	return Answer[[]sessionBody]{Body: bodies}, err
}

func removeSession(ctx context.Context, c *Call, id ID) (Answer[None], error) {
	ended, err := c.Accounts.Credentials.EndSession(ctx, c.Caller.Account, id.ID)
	c.Accounts.Sessions.Forget(c.Caller.Account)
	if err == nil && !ended {
		err = notFound("session")
	}
	return Answer[None]{}, err
}
