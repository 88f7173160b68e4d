package api

import (
	"context"
	"errors"
	"net/http"
	"slices"

	"github.com/google/uuid"

	"github.com/koprogo/koprogo/commands"
	"github.com/koprogo/koprogo/eventstore"
	"github.com/koprogo/koprogo/queries"
)

// Codes of managing users.
const (
	CodeOwnAccount Code = "own_account"
	CodeLastRole   Code = "last_role"
)

var _ = explained(map[Code]codeEntry{
	CodeOwnAccount: {http.StatusConflict, text{
		"Nobody deactivates or deletes himself, or gives up the role that he is using.",
		"Nul ne se désactive ni ne se supprime, ni n'abandonne le rôle qu'il utilise.",
		"Niemand deactiveert of verwijdert zichzelf, of geeft de rol op die hij gebruikt.",
	}},
	CodeLastRole: {http.StatusConflict, text{
		"It is the user's last role; delete the user instead.",
		"C'est le dernier rôle de l'utilisateur ; supprimez plutôt l'utilisateur.",
		"Het is de laatste rol van de gebruiker; verwijder de gebruiker.",
	}},
})

// userIn is what POST and PUT take. In a PUT roles is the whole set, role the active one alone.
type userIn struct {
	ID        Field[uuid.UUID] `json:"id" on:"create"`
	Email     Field[string]    `json:"email" required:"true" example:"anne@example.org"`
	FirstName Field[string]    `json:"first_name" required:"true" example:"Anne"`
	LastName  Field[string]    `json:"last_name" required:"true" example:"Peeters"`
	Role      Field[string]    `json:"role" enum:"superadmin,syndic,accountant,auditor,owner" example:"accountant"`
	Roles     Field[[]roleIn]  `json:"roles" maxItems:"100"`
	Password  Field[string]    `json:"password" maxLength:"1000"`
}

type roleIn struct {
	Role           Field[string]    `json:"role" required:"true" enum:"superadmin,syndic,accountant,auditor,owner"`
	OrganizationID Field[uuid.UUID] `json:"organization_id"`
	IsPrimary      Field[bool]      `json:"is_primary"`
}

// A syndic manages the users of his own organization: he sees of them the roles that they hold
// there, and changes the account itself only where they hold none elsewhere, since who changes an
// address can take the account over. Superadmins are managed by superadmins.

// scope is the organization whose users the caller manages; nil for all.
func (c *Call) scope() uuid.UUID {
	if c.Caller.Role == Superadmin {
		return uuid.Nil
	}
	return c.Caller.Organization
}

// managed finds a user whom the caller manages, with all of his roles.
func (c *Call) managed(ctx context.Context, id uuid.UUID) (profile, error) {
	found, err := c.profileOf(ctx, id, noMoment)
	if err == nil && len(found.within(c.scope()).held) == 0 {
		err = notFound("user")
	}
	return found, err
}

// manages refuses whom the caller sees and may not touch: a superadmin, and with whole also who
// holds roles elsewhere.
func (c *Call) manages(found profile, whole bool) error {
	if c.Caller.Role == Superadmin {
		return nil
	}
	superadmin := slices.ContainsFunc(found.held, func(role commands.AccountRole) bool {
		return role.Role == commands.RoleSuperadmin
	})
	if superadmin || whole && found.shared(c.scope()) {
		return refuse(CodeForbidden)
	}
	return nil
}

// managedUser finds a user to be changed.
func (c *Call) managedUser(ctx context.Context, id uuid.UUID, whole bool) (profile, error) {
	if err := c.writable(ctx); err != nil {
		return profile{}, err
	}
	found, err := c.managed(ctx, id)
	if err == nil {
		err = c.manages(found, whole)
	}
	return found, err
}

// offer reads a role that is to be given.
func (c *Call) offer(in roleIn) (commands.RoleOffer, error) {
	offer := commands.RoleOffer{
		ID: uuid.Must(uuid.NewV7()), Role: in.Role.Value(), Primary: in.IsPrimary.Value(),
		Organization: in.OrganizationID.Or(c.Organization),
	}
	if c.Caller.Role == Superadmin {
		return offer, nil
	}
	if offer.Role == commands.RoleSuperadmin {
		return offer, refuse(CodeForbidden)
	}
	if offer.Organization != c.scope() {
		return offer, notFound("organization")
	}
	return offer, nil
}

// offers reads the roles of a body; none where it names none.
func (c *Call) offers(in userIn) ([]commands.RoleOffer, error) {
	named := in.Roles.Value()
	if !in.Roles.IsGiven() && in.Role.IsGiven() {
		named = []roleIn{{Role: in.Role, IsPrimary: Given(true)}}
	}
	offers := make([]commands.RoleOffer, 0, len(named))
	primary := 0
	for _, role := range named {
		offer, err := c.offer(role)
		if err != nil {
			return nil, err
		}
		if offer.Primary {
			primary++
		}
		offers = append(offers, offer)
	}
	if primary > 1 {
		return nil, refuseField("roles", CodeGivenTwice)
	}
	return offers, nil
}

// openAccount makes the account that a body describes.
func (c *Call) openAccount(
	ctx context.Context, id uuid.UUID, in userIn,
) (commands.Outcome[commands.Account], error) {
	none := commands.Outcome[commands.Account]{}
	if err := c.writable(ctx); err != nil {
		return none, err
	}
	offers, err := c.offers(in)
	if err != nil {
		return none, err
	}
	if len(offers) == 0 {
		return none, refuseField("role", CodeRequired)
	}
	if c.takesPassword(in) {
		if err := commands.CheckPassword("password", in.Password.Value()); err != nil {
			return none, err
		}
	}
	asking := c.Asking(id)
	asking.Idempotency = nil
	return c.Commands.OpenAccount(ctx, asking, commands.OpenAccount{
		AccountID: id, Email: in.Email.Value(), FirstName: in.FirstName.Value(),
		LastName: in.LastName.Value(), Roles: offers,
	})
}

// takesPassword tells whether a password beside a user counts: in development mode only.
func (c *Call) takesPassword(in userIn) bool {
	return c.Accounts.Development && in.Password.IsGiven()
}

func createUser(ctx context.Context, c *Call, _ None, in userIn) (Answer[userBody], error) {
	id := c.NewID(in.ID)
	done, err := several{
		begin: func(context.Context) (uuid.UUID, error) { return id, nil },
		do: func(ctx context.Context, note uuid.UUID, resumed bool) ([]eventstore.Receipt, error) {
			id = note
			return c.makeUser(ctx, id, in, resumed)
		},
		resource: func(id uuid.UUID) uuid.UUID { return id },
	}.run(ctx, c)
	if err != nil {
		return Answer[userBody]{}, err
	}
	return c.shownUser(ctx, id, done...)
}

// makeUser opens the account, and sets its password or invites the person. A resumed request does
// the latter again where the person has no password yet.
func (c *Call) makeUser(
	ctx context.Context, id uuid.UUID, in userIn, resumed bool,
) ([]eventstore.Receipt, error) {
	outcome, err := c.openAccount(ctx, id, in)
	if err != nil {
		return nil, err
	}
	fresh := outcome.Changed
	if resumed && !fresh {
		has, err := c.Accounts.Credentials.HasPassword(ctx, id)
		if err != nil {
			return nil, err
		}
		fresh = !has
	}
	if fresh && c.takesPassword(in) {
		err = c.setPassword(ctx, id, in.Password.Value())
	} else if fresh {
		err = c.invite(id)
	}
	return receipts(outcome), err
}

// invite sends the new user a link by which he sets his password.
func (c *Call) invite(id uuid.UUID) error {
	return c.Accounts.Post.Take(func(ctx context.Context) (*Mail, error) {
		found, err := c.profileOf(ctx, id, noMoment)
		if err != nil {
			return nil, ignore(err, CodeNotFound)
		}
		return c.linkMail(ctx, found, eventstore.LinkInvitation)
	})
}

// shownUser answers a write with the user as he is, or, where the request was answered before, as
// he then was.
func (c *Call) shownUser(
	ctx context.Context, id uuid.UUID, receipts ...eventstore.Receipt,
) (Answer[userBody], error) {
	first := receipts[0]
	by, err := c.recordedAt(ctx, first)
	if err != nil {
		return Answer[userBody]{}, err
	}
	if first.Replayed {
		if id, err = resourceID(first.Resource); err != nil {
			return Answer[userBody]{}, err
		}
	}
	found, err := c.profileOf(ctx, id, by)
	if err != nil {
		return Answer[userBody]{}, err
	}
	body, err := c.show(ctx, found.within(c.scope()))
	if err != nil {
		return Answer[userBody]{}, err
	}
	position, err := c.landed(ctx, receipts...)
	answer := Answer[userBody]{
		Body: body, Version: found.version, Position: position, Replayed: first.Replayed,
	}
	if first.Replayed {
		answer.Status = first.Status
	}
	return answer, err
}

func readUser(ctx context.Context, c *Call, id ID) (Answer[userBody], error) {
	found, err := c.managed(ctx, id.ID)
	if err != nil {
		return Answer[userBody]{}, err
	}
	if err := c.noteAccess(ctx, "user", id.ID); err != nil {
		return Answer[userBody]{}, err
	}
	body, err := c.show(ctx, found.within(c.scope()))
	return Answer[userBody]{Body: body, Version: found.version}, err
}

type userFilter struct {
	Role     Field[string] `query:"role" enum:"superadmin,syndic,accountant,auditor,owner"`
	IsActive Field[bool]   `query:"is_active"`
	Q        Field[string] `query:"q"`
}

func listUsers(
	ctx context.Context, c *Call, filter userFilter, page Page,
) (Listed[userBody], error) {
	asked := queries.UserList{
		Span: c.span(), Role: filter.Role.Value(), Q: filter.Q.Value(), Page: page.of(),
	}
	if filter.IsActive.IsGiven() {
		active := filter.IsActive.Value()
		asked.IsActive = &active
	}
	listed, err := c.Queries.Users(ctx, asked)
	if err != nil {
		return Listed[userBody]{}, err
	}
	people := make([]uuid.UUID, len(listed.Items))
	for i, user := range listed.Items {
		people[i] = user.ID
	}
	return listedAs(listed, toUser), c.noteAccess(ctx, "user", people...)
}

func toUser(u queries.User) userBody {
	body := userBody{
		ID: u.ID, Email: u.Email, FirstName: u.FirstName, LastName: u.LastName,
		IsActive: u.IsActive, CreatedAt: Instant(u.CreatedAt), Roles: []roleBody{},
	}
	for _, role := range u.Roles {
		body.addRole(role.ID, role.Role, role.Organization, role.Primary)
	}
	return body
}

// changeUser makes the roles and the profile what the body says, in as many appends as that takes.
func changeUser(ctx context.Context, c *Call, id ID, in userIn) (Answer[userBody], error) {
	done, err := several{
		begin: func(ctx context.Context) (uuid.UUID, error) {
			return c.mayChangeUser(ctx, id.ID, in)
		},
		do: func(ctx context.Context, shown uuid.UUID, resumed bool) ([]eventstore.Receipt, error) {
			return c.remakeUser(ctx, id.ID, in, shown, resumed)
		},
		resource: func(uuid.UUID) uuid.UUID { return id.ID },
	}.run(ctx, c)
	if err != nil {
		return Answer[userBody]{}, err
	}
	return c.shownUser(ctx, id.ID, done...)
}

func (in userIn) correction(id uuid.UUID) *commands.CorrectProfile {
	return &commands.CorrectProfile{
		AccountID: id, Email: in.Email.Change(), FirstName: in.FirstName.Change(),
		LastName: in.LastName.Change(),
	}
}

// mayChangeUser refuses what is wrong with a change, as far as claims do not make it so, and
// returns the role that the user is shown in, which a role alone replaces.
func (c *Call) mayChangeUser(
	ctx context.Context, id uuid.UUID, in userIn,
) (shown uuid.UUID, err error) {
	found, err := c.managedUser(ctx, id, true)
	if err != nil {
		return shown, err
	}
	shown = found.within(c.scope()).held[0].ID
	if _, err := c.planRoles(found, in, shown); err != nil {
		return shown, err
	}
	if c.takesPassword(in) {
		if err := commands.CheckPassword("password", in.Password.Value()); err != nil {
			return shown, err
		}
	}
	asking := c.onPlatform()
	asking.IfMatch = c.IfMatch
	return shown, commands.Preview(ctx, c.Commands, asking, in.correction(id))
}

// remakeUser grants first, since an organization may refuse that, then corrects the profile; what
// nothing refuses comes last. Where the profile is refused the grants are taken back. A resumed
// request was begun on the version that it names.
func (c *Call) remakeUser(
	ctx context.Context, id uuid.UUID, in userIn, shown uuid.UUID, resumed bool,
) ([]eventstore.Receipt, error) {
	found, err := c.managedUser(ctx, id, true)
	if err != nil {
		return nil, err
	}
	plan, err := c.planRoles(found, in, shown)
	if err != nil {
		return nil, err
	}
	asking := c.onPlatform()
	if !resumed {
		asking.IfMatch = c.IfMatch
	}
	done, granted, err := c.grantRoles(ctx, &asking, id, plan.grant)
	if err == nil {
		var corrected commands.Outcome[commands.Account]
		corrected, err = commands.Handle(ctx, c.Commands, asking, in.correction(id))
		done = append(done, receipts(corrected)...)
	}
	if err != nil {
		return done, c.takeBack(ctx, id, granted, err)
	}
	rest, err := c.replaceRoles(ctx, id, plan)
	if err == nil && c.takesPassword(in) {
		err = c.setPassword(ctx, id, in.Password.Value())
	}
	return append(done, rest...), err
}

// removeUser ends an account, or, for a syndic, what it holds in his organization.
func removeUser(ctx context.Context, c *Call, id ID) (Answer[None], error) {
	if id.ID == c.Caller.Account {
		return Answer[None]{}, refuse(CodeOwnAccount)
	}
	_, err := c.managedUser(ctx, id.ID, false)
	problem := new(Problem)
	repeated := c.key != "" && errors.As(err, &problem) && problem.Code == CodeNotFound
	if err != nil && !repeated { // a repeated request finds nobody, and is answered as before
		return Answer[None]{}, err
	}
	outcome, err := c.Commands.CloseAccount(ctx, c.Asking(id.ID), id.ID, c.scope())
	if err != nil {
		return Answer[None]{}, err
	}
	if outcome.State.Closed {
		if err := c.Accounts.Credentials.Forget(ctx, id.ID); err != nil {
			return Answer[None]{}, err
		}
	}
	c.Accounts.Sessions.Forget(id.ID)
	position, err := c.landed(ctx, receipts(outcome)...)
	return Answer[None]{Position: position, Replayed: outcome.Receipt.Replayed}, err
}

func activateUser(ctx context.Context, c *Call, id ID, _ None) (Answer[userBody], error) {
	if _, err := c.managedUser(ctx, id.ID, true); err != nil {
		return Answer[userBody]{}, err
	}
	asking := c.Asking(id.ID)
	asking.Organization = eventstore.Platform
	outcome, err := commands.Handle(ctx, c.Commands, asking,
		commands.ActivateAccount{AccountID: id.ID})
	if err != nil {
		return Answer[userBody]{}, err
	}
	return c.shownUser(ctx, id.ID, receipts(outcome)...)
}

// deactivateUser also ends the user's sessions: an activation does not bring them back.
func deactivateUser(ctx context.Context, c *Call, id ID, _ None) (Answer[userBody], error) {
	if id.ID == c.Caller.Account {
		return Answer[userBody]{}, refuse(CodeOwnAccount)
	}
	if _, err := c.managedUser(ctx, id.ID, true); err != nil {
		return Answer[userBody]{}, err
	}
	asking := c.Asking(id.ID)
	asking.Organization = eventstore.Platform
	outcome, err := commands.Handle(ctx, c.Commands, asking,
		&commands.DeactivateAccount{AccountID: id.ID})
	if err != nil {
		return Answer[userBody]{}, err
	}
	if err := c.Accounts.Credentials.EndSessions(ctx, id.ID); err != nil {
		return Answer[userBody]{}, err
	}
	c.Accounts.Sessions.Forget(id.ID)
	return c.shownUser(ctx, id.ID, receipts(outcome)...)
}
