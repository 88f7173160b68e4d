package commands

import (
	"strings"

	"github.com/google/uuid"

	"github.com/koprogo/koprogo/events"
	"github.com/koprogo/koprogo/eventstore"
)

// Codes of owners.
const (
	CodeOwnerHoldsLots Code = "owner_holds_lots"
	CodeUserLinked     Code = "user_linked"
)

// claimOwnerAccount lets an account sign in as one owner only.
const claimOwnerAccount = "owner_account"

// OwnerStream holds an owner's facts, in its organization's log.
func OwnerStream(id uuid.UUID) events.Stream {
	return events.Stream{Category: events.OwnerCategory, ID: id}
}

// Owner is what the rules of an owner ask. Personal texts are sealed.
type Owner struct {
	ID         uuid.UUID // nil while he was never registered
	Registered bool
	Removed    bool
	Revision   int64                // counts what changed the owner himself, not what he holds
	First      *events.OwnerProfile // as he was registered; shared with other states, never changed
	Profile    *events.OwnerProfile // as he is, likewise
	Account    uuid.UUID            // by which he signs in; nil for none
	Holdings   int                  // ownerships that run
}

// Stands tells whether the owner is in the organization's books.
func (o Owner) Stands() bool { return o.Registered && !o.Removed }

// Evolve folds one fact.
func (o Owner) Evolve(event events.Event) Owner {
	switch e := event.(type) {
	case events.OwnerRegistered:
		o.ID, o.Registered, o.Revision = e.OwnerID, true, o.Revision+1
		o.First, o.Profile = &e.Profile, &e.Profile
	case events.OwnerProfileCorrected:
		o.Profile, o.Revision = &e.Profile, o.Revision+1
	case events.OwnerAccountLinked:
		o.Account, o.Revision = e.AccountID, o.Revision+1
	case events.OwnerHoldingBegun:
		o.Holdings++
	case events.OwnerHoldingEnded:
		o.Holdings--
	case events.OwnerRemoved:
		o.Removed = true
	}
	return o
}

// Claims are the e-mail address, one owner's in the organization, and the account that he signs
// in by.
func (o Owner) Claims() []eventstore.Claim {
	if !o.Stands() {
		return nil
	}
	claims := []eventstore.Claim{{Kind: claimEmail, Personal: o.Profile.Email, Subject: o.ID}}
	if o.Account != uuid.Nil {
		claims = append(claims, eventstore.Claim{
			Kind: claimOwnerAccount, Value: o.Account.String(),
		})
	}
	return claims
}

// OwnerFields are an owner's fields as a command names them.
type OwnerFields struct {
	Kind             Change[string] // person (unless given), company or group
	FirstName        Change[string]
	LastName         Change[string]
	CompanyName      Change[string]
	EnterpriseNumber Change[string]
	Language         Change[string] // the organization's unless given
	Email            Change[string]
	Phone            Change[string]
	Street           Change[string]
	HouseNumber      Change[string]
	Address          Change[string] // street and house number unless given
	City             Change[string]
	PostalCode       Change[string]
	Country          Change[string]
	IBAN             Change[string]
	Mandatary        Change[string] // who speaks for a group or company
}

// RegisterOwner enters an owner. The same again under the same id changes nothing.
type RegisterOwner struct {
	OwnerID uuid.UUID
	OwnerFields

	language string     // the organization's
	first    ownerTexts // of the owner who was registered under this id before
}

// Stream is the owner's.
func (c *RegisterOwner) Stream() events.Stream { return OwnerStream(c.OwnerID) }

// Begins says that the stream may be new.
func (*RegisterOwner) Begins() {}

// Read asks the organization's language, and opens what was registered under the id before.
func (c *RegisterOwner) Read(r *Reader) (err error) {
	if c.language, err = r.language(); err != nil {
		return err
	}
	owner, err := Load[Owner](r, c.Stream())
	if err != nil || !owner.Registered {
		return err
	}
	if c.first, err = r.ownerTexts(owner.First); c.first.language != "" {
		c.language = c.first.language
	}
	return err
}

// Decide refuses wrong fields and an id that belongs to another owner or to a removed one.
func (c *RegisterOwner) Decide(o Owner) ([]events.Event, error) {
	check := &check{}
	check.id(c.OwnerID)
	wanted := c.over(ownerTexts{}).checked(check, c.language)
	switch err := check.err(); {
	case err != nil:
		return nil, err
	case !o.Registered:
		return []events.Event{
			events.OwnerRegistered{OwnerID: c.OwnerID, Profile: wanted.profile()},
		}, nil
	case o.Removed || wanted != c.first:
		return nil, idTaken("owner")
	}
	return nil, nil
}

// ChangeOwner changes the fields that it names.
type ChangeOwner struct {
	OwnerID uuid.UUID
	OwnerFields

	language string     // the organization's
	is       ownerTexts // as the log has him
}

// Stream is the owner's.
func (c *ChangeOwner) Stream() events.Stream { return OwnerStream(c.OwnerID) }

// Revision is the owner's own: what he holds does not move it.
func (c *ChangeOwner) Revision(o Owner) int64 { return o.Revision }

// Read opens the profile; it returns eventstore.ErrErased for an erased person.
func (c *ChangeOwner) Read(r *Reader) (err error) {
	owner, err := r.presentOwner(c.OwnerID)
	if err != nil || !owner.Stands() {
		return err
	}
	if c.language, err = r.language(); err != nil {
		return err
	}
	c.is, err = r.ownerTexts(owner.Profile)
	return err
}

// Decide refuses wrong fields and an owner who is not in the books.
func (c *ChangeOwner) Decide(o Owner) ([]events.Event, error) {
	if !o.Stands() {
		return nil, notFound("owner")
	}
	check := &check{}
	wanted := c.over(c.is).checked(check, c.language)
	if err := check.err(); err != nil {
		return nil, err
	}
	if wanted == c.is {
		return nil, nil
	}
	return []events.Event{
		events.OwnerProfileCorrected{OwnerID: o.ID, Profile: wanted.profile()},
	}, nil
}

// LinkOwnerAccount says by which user account the owner signs in, or that he does so no more.
type LinkOwnerAccount struct {
	OwnerID uuid.UUID
	Account Change[uuid.UUID]

	member Member
}

// Stream is the owner's.
func (c *LinkOwnerAccount) Stream() events.Stream { return OwnerStream(c.OwnerID) }

// Revision is the owner's own.
func (c *LinkOwnerAccount) Revision(o Owner) int64 { return o.Revision }

// Read looks at the account's roles in the organization; it returns eventstore.ErrErased for an
// erased owner.
func (c *LinkOwnerAccount) Read(r *Reader) error {
	owner, err := r.presentOwner(c.OwnerID)
	if err != nil || !owner.Stands() || !c.Account.Given {
		return err
	}
	c.member, err = Load[Member](r, MemberStream(c.Account.Value))
	return err
}

// Decide refuses an owner who is not in the books and an account without a role in the
// organization. That another owner has the account already is the claim's to refuse: user_linked.
func (c *LinkOwnerAccount) Decide(o Owner) ([]events.Event, error) {
	account := c.Account.over(o.Account)
	switch {
	case !o.Stands():
		return nil, notFound("owner")
	case c.Account.Given && len(c.member.Roles) == 0:
		return nil, notFound("user")
	case account == o.Account:
		return nil, nil
	}
	return []events.Event{events.OwnerAccountLinked{AccountID: account}}, nil
}

// RemoveOwner takes an owner out of the books. His id is not used again.
type RemoveOwner struct{ OwnerID uuid.UUID }

// Stream is the owner's.
func (c RemoveOwner) Stream() events.Stream { return OwnerStream(c.OwnerID) }

// Revision is the owner's own.
func (c RemoveOwner) Revision(o Owner) int64 { return o.Revision }

// Decide refuses an owner who is not in the books, and one who holds a lot.
func (c RemoveOwner) Decide(o Owner) ([]events.Event, error) {
	switch {
	case !o.Stands():
		return nil, notFound("owner")
	case o.Holdings > 0:
		return nil, refuse(CodeOwnerHoldsLots, "the owner still holds a lot")
	}
	return []events.Event{events.OwnerRemoved{}}, nil
}

// presentOwner loads an owner and returns eventstore.ErrErased where his data is gone.
func (r *Reader) presentOwner(id uuid.UUID) (Owner, error) {
	owner, err := Load[Owner](r, OwnerStream(id))
	if err == nil && owner.Stands() {
		_, err = r.Open(owner.Profile.Email)
	}
	return owner, err
}

// language is the organization's.
func (r *Reader) language() (string, error) {
	organization, err := Load[Organization](r, OrganizationStream(r.organization))
	if organization.Language == "" {
		organization.Language = defaultLanguage
	}
	return organization.Language, err
}

// ownerKinds are what an owner may be; a group holds undivided (indivision).
var ownerKinds = []string{"person", "company", "group"}

// checked brings the fields into their stored form, or refuses those that are wrong. A person has
// a first and a last name, a company its own, a group one of a last name and a company's name.
func (t ownerTexts) checked(c *check, language string) ownerTexts {
	if t.kind == "" {
		t.kind = ownerKinds[0]
	}
	c.among("kind", t.kind, ownerKinds...)
	t.firstName = c.line("first_name", t.firstName, maxName)
	t.lastName = c.line("last_name", t.lastName, maxName)
	t.companyName = c.line("company_name", t.companyName, maxName)
	for _, needed := range []struct {
		field, text string
		by          bool
	}{
		{"first_name", t.firstName, t.kind == "person"},
		{"last_name", t.lastName, t.kind == "person" || t.kind == "group" && t.companyName == ""},
		{"company_name", t.companyName, t.kind == "company"},
	} {
		if needed.by && needed.text == "" {
			c.refuse(needed.field, CodeRequired, "the field is required")
		}
	}
	t.enterpriseNumber = string(c.enterpriseNumber("enterprise_number", t.enterpriseNumber))
	if t.language == "" {
		t.language = language
	}
	c.among("language", t.language, languages...)
	t.email = c.email("email", t.email)
	t.phone = c.phone("phone", t.phone)
	t.street = c.line("street", t.street, maxName)
	t.houseNumber = c.line("house_number", t.houseNumber, 20)
	if t.address == "" {
		t.address = t.streetAddress()
	}
	t.address = c.name("address", t.address)
	t.city = c.name("city", t.city)
	t.postalCode = c.name("postal_code", t.postalCode)
	t.country = c.country("country", t.country)
	t.iban = string(c.iban("iban", t.iban))
	t.mandatary = c.line("mandatary", t.mandatary, maxName)
	return t
}

// streetAddress is the address that street and house number make.
func (t ownerTexts) streetAddress() string {
	return strings.TrimSpace(t.street + " " + t.houseNumber)
}
