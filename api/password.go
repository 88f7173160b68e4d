package api

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/koprogo/koprogo/commands"
	"github.com/koprogo/koprogo/eventstore"
)

// Codes of secrets.
const (
	CodeTOTPInvalid   Code = "totp_invalid"
	CodeWrongPassword Code = "wrong_password"
	CodeLinkSpent     Code = "link_spent"
)

var _ = explained(map[Code]codeEntry{
	CodeTOTPInvalid: {http.StatusUnauthorized, text{
		"The code is wrong or was used already.", "Le code est faux ou a déjà servi.",
		"De code is onjuist of werd al gebruikt.",
	}},
	CodeWrongPassword: {http.StatusBadRequest, text{
		"The current password is wrong.", "Le mot de passe actuel est incorrect.",
		"Het huidige wachtwoord is onjuist.",
	}},
	CodeLinkSpent: {http.StatusConflict, text{
		"This link was used, replaced or has expired; ask for a new one.",
		"Ce lien a servi, a été remplacé ou a expiré ; demandez-en un nouveau.",
		"Deze link werd gebruikt, vervangen of is verlopen; vraag een nieuwe.",
	}},
})

// noMoment asks for what holds at present.
var noMoment time.Time

type changePasswordIn struct {
	CurrentPassword Field[string] `json:"current_password" required:"true" maxLength:"1000"`
	NewPassword     Field[string] `json:"new_password" required:"true" maxLength:"1000"`
}

// changePassword ends all sessions of the account, that of the caller too, and answers with a
// fresh one in the same role.
func changePassword(
	ctx context.Context, c *Call, _ None, in changePasswordIn,
) (Answer[signedIn], error) {
	if !in.CurrentPassword.IsGiven() {
		return Answer[signedIn]{}, refuseField("current_password", CodeRequired)
	}
	if err := commands.CheckPassword("new_password", in.NewPassword.Value()); err != nil {
		return Answer[signedIn]{}, err
	}
	if err := c.confirmPassword(ctx, in.CurrentPassword.Value()); err != nil {
		return Answer[signedIn]{}, err
	}
	if err := c.setPassword(ctx, c.Caller.Account, in.NewPassword.Value()); err != nil {
		return Answer[signedIn]{}, err
	}
	found, err := c.profileOf(ctx, c.Caller.Account, noMoment)
	if err != nil {
		return Answer[signedIn]{}, err
	}
	return c.signIn(ctx, found, commands.AccountRole{
		ID: c.Caller.RoleID, Role: c.Caller.Role.String(), Organization: c.Caller.Organization,
	})
}

// confirmPassword asks the caller's password again, five failures in fifteen minutes.
func (c *Call) confirmPassword(ctx context.Context, password string) error {
	attempt, err := c.attempt(ctx, "confirm "+c.Caller.Account.String())
	if err != nil {
		return err
	}
	defer attempt.Passed()
	fits, err := c.Accounts.Credentials.CheckPassword(ctx, c.Caller.Account, password)
	if err == nil && !fits {
		err = failed(ctx, attempt, refuseField("current_password", CodeWrongPassword))
	}
	return err
}

// setPassword gives an account another password: the secret first, so that what the log says of it
// is true.
func (c *Call) setPassword(ctx context.Context, account uuid.UUID, password string) error {
	hash, err := c.Accounts.Credentials.Hash(ctx, password)
	if err != nil {
		return err
	}
	if err := c.Accounts.Credentials.SetPassword(ctx, account, hash); err != nil {
		return err
	}
	return c.passwordIsSet(ctx, account)
}

func (c *Call) passwordIsSet(ctx context.Context, account uuid.UUID) error {
	c.Accounts.Sessions.Forget(account)
	asking := c.onPlatform()
	if asking.Actor == uuid.Nil { // whoever used a link is the account's person
		asking.Actor = account
	}
	_, err := commands.Handle(ctx, c.Commands, asking, commands.RecordPassword{AccountID: account})
	return err
}

// onPlatform is the caller as the rules of accounts see him: no condition and no idempotency key
// of the request holds there.
func (c *Call) onPlatform() commands.Caller {
	asking := c.Asking(uuid.Nil)
	asking.Organization, asking.IfMatch, asking.Idempotency = eventstore.Platform, nil, nil
	return asking
}

type forgotIn struct {
	Email Field[string] `json:"email" required:"true" maxLength:"1000"`
}

// forgotPassword answers before it looks: neither the answer nor its time tells who has an account.
func forgotPassword(_ context.Context, c *Call, _ None, in forgotIn) (Answer[None], error) {
	return Answer[None]{}, c.Accounts.Post.Take(func(ctx context.Context) (*Mail, error) {
		id, err := c.Accounts.Credentials.AccountByEmail(ctx, in.Email.Value())
		if err != nil || id == uuid.Nil {
			return nil, err
		}
		found, err := c.profileOf(ctx, id, noMoment)
		if err != nil || found.state.Deactivated {
			return nil, ignore(err, CodeNotFound)
		}
		// Not more than five mails in fifteen minutes go to one person.
		attempt, err := c.attempt(ctx, "forgot "+id.String())
		if err != nil {
			return nil, ignore(err, CodeTooManyAttempts)
		}
		if err := attempt.Failed(ctx); err != nil {
			return nil, err
		}
		return c.linkMail(ctx, found, eventstore.LinkReset)
	})
}

func ignore(err error, code Code) error {
	if problem := new(Problem); errors.As(err, &problem) && problem.Code == code {
		return nil
	}
	return err
}

type resetIn struct {
	Token       Field[string] `json:"token" required:"true" maxLength:"1000"`
	NewPassword Field[string] `json:"new_password" required:"true" maxLength:"1000"`
}

// resetPassword sets a password by a link of an invitation or of /auth/password/forgot. It signs
// nobody in: a second factor is still asked for.
func resetPassword(ctx context.Context, c *Call, _ None, in resetIn) (Answer[userBody], error) {
	if err := commands.CheckPassword("new_password", in.NewPassword.Value()); err != nil {
		return Answer[userBody]{}, err
	}
	token := in.Token.Value()
	id, err := c.Accounts.Credentials.LinkAccount(ctx, token)
	if err != nil {
		return Answer[userBody]{}, linkProblem(err)
	}
	found, err := c.profileOf(ctx, id, noMoment)
	if err == nil && found.state.Deactivated {
		err = notFound("user")
	}
	if err != nil {
		return Answer[userBody]{}, linkProblem(err)
	}
	hash, err := c.Accounts.Credentials.Hash(ctx, in.NewPassword.Value())
	if err != nil {
		return Answer[userBody]{}, err
	}
	if _, err := c.Accounts.Credentials.SpendLink(ctx, token, hash); err != nil {
		return Answer[userBody]{}, linkProblem(err)
	}
	if err := c.passwordIsSet(ctx, id); err != nil {
		return Answer[userBody]{}, err
	}
	body, err := c.show(ctx, found)
	return Answer[userBody]{Body: body}, err
}

// linkProblem tells the same of a link that is spent and of one whose account is gone.
func linkProblem(err error) error {
	problem := new(Problem)
	if errors.Is(err, eventstore.ErrLinkSpent) || errors.Is(err, eventstore.ErrErased) ||
		errors.As(err, &problem) && problem.Code == CodeNotFound {
		return refuse(CodeLinkSpent)
	}
	return err
}

// invitationBody is the one-time link by which a person sets the first password.
type invitationBody struct {
	URL       string  `json:"url"`
	Token     string  `json:"token"`
	ExpiresAt Instant `json:"expires_at"`
}

func (c *Call) newLink(
	ctx context.Context, account uuid.UUID, purpose eventstore.LinkPurpose,
) (invitationBody, error) {
	token, expires, err := c.Accounts.Credentials.NewLink(ctx, account, purpose)
	// Behind the # it reaches no server's log.
	link := strings.TrimSuffix(c.Accounts.PublicURL, "/") + "/set-password#token=" +
		url.QueryEscape(token)
	return invitationBody{URL: link, Token: token, ExpiresAt: Instant(expires)}, err
}

// linkMail makes a link and the mail that carries it.
func (c *Call) linkMail(
	ctx context.Context, found profile, purpose eventstore.LinkPurpose,
) (*Mail, error) {
	link, err := c.newLink(ctx, found.id, purpose)
	if err != nil {
		return nil, err
	}
	return c.mailOf(ctx, found, purpose, link)
}

// mailOf writes to the account's person, in the language of the call.
func (c *Call) mailOf(
	ctx context.Context, found profile, purpose eventstore.LinkPurpose, link invitationBody,
) (*Mail, error) {
	body, err := c.show(ctx, found)
	if err != nil {
		return nil, err
	}
	words := letters[purpose]
	return &Mail{
		To: body.Email, Subject: words.subject.in(c.Language),
		Text: strings.NewReplacer("{name}", body.FirstName, "{link}", link.URL,
			"{until}", link.ExpiresAt.Time().UTC().Format("2006-01-02 15:04 UTC"),
		).Replace(words.text.in(c.Language)),
	}, nil
}

// letters are the mails by what their link is for.
var letters = map[eventstore.LinkPurpose]struct{ subject, text text }{
	eventstore.LinkInvitation: {
		text{"Your KoproGo account", "Votre compte KoproGo", "Uw KoproGo-account"},
		text{
			"Hello {name},\n\nAn account was made for you. Choose your password here:\n\n{link}\n\n" +
				"The link works once, until {until}.\n",
			"Bonjour {name},\n\nUn compte a été créé pour vous. Choisissez votre mot de passe ici :" +
				"\n\n{link}\n\nLe lien fonctionne une fois, jusqu'au {until}.\n",
			"Dag {name},\n\nEr werd een account voor u gemaakt. Kies hier uw wachtwoord:\n\n{link}\n\n" +
				"De link werkt één keer, tot {until}.\n",
		},
	},
	eventstore.LinkReset: {
		text{"Your KoproGo password", "Votre mot de passe KoproGo", "Uw KoproGo-wachtwoord"},
		text{
			"Hello {name},\n\nSomebody asked for a new password for your account. If it was you, " +
				"choose it here:\n\n{link}\n\nThe link works once, until {until}. If it was not " +
				"you, do nothing.\n",
			"Bonjour {name},\n\nUn nouveau mot de passe a été demandé pour votre compte. Si c'est " +
				"bien vous, choisissez-le ici :\n\n{link}\n\nLe lien fonctionne une fois, jusqu'au " +
				"{until}. Sinon, ne faites rien.\n",
			"Dag {name},\n\nEr werd een nieuw wachtwoord gevraagd voor uw account. Was u dat, kies " +
				"het dan hier:\n\n{link}\n\nDe link werkt één keer, tot {until}. Was u het niet, " +
				"doe dan niets.\n",
		},
	},
}
