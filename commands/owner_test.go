package commands

import (
	"fmt"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/koprogo/koprogo/events"
	"github.com/koprogo/koprogo/eventstore"
)

// marie is an owner as she was entered.
var (
	marieTexts = ownerTexts{
		kind: "person", firstName: "Marie", lastName: "Dubois", language: "fr",
		email: "marie@example.be", phone: "+32 2 123 45 67", street: "Rue Haute",
		houseNumber: "12 bte 3", address: "Rue Haute 12 bte 3", city: "Bruxelles",
		postalCode: "1000", country: "Belgique", iban: "BE68539007547034",
	}
	marie = events.OwnerRegistered{OwnerID: id(1), Profile: marieTexts.profile()}
)

func marieFields() OwnerFields {
	return OwnerFields{
		FirstName: To(" Marie"), LastName: To("Dubois"), Email: To("marie@EXAMPLE.be"),
		Phone: To("+32 2 123 45 67"), Street: To("Rue Haute"), HouseNumber: To("12 bte 3"),
		City: To("Bruxelles"), PostalCode: To("1000"), Country: To("Belgique"),
		IBAN: To("be68 5390 0754 7034"),
	}
}

// registerMarie is the command as Read leaves it.
func registerMarie(change ...func(*RegisterOwner)) *RegisterOwner {
	c := &RegisterOwner{
		OwnerID: id(1), OwnerFields: marieFields(), language: "fr", first: marieTexts,
	}
	for _, f := range change {
		f(c)
	}
	return c
}

func TestRegisterOwner(t *testing.T) {
	t.Parallel()
	with := func(change func(*OwnerFields)) *RegisterOwner {
		return registerMarie(func(c *RegisterOwner) { change(&c.OwnerFields) })
	}
	registered := func(change func(*ownerTexts)) events.OwnerRegistered {
		texts := marieTexts
		change(&texts)
		return events.OwnerRegistered{OwnerID: id(1), Profile: texts.profile()}
	}
	t.Run("a person is entered, in the organization's language", func(t *testing.T) {
		given[Owner](t).when(registerMarie()).then(marie)
	})
	t.Run("an address stays as it is given, with street and number beside it", func(t *testing.T) {
		given[Owner](t).when(with(func(f *OwnerFields) { f.Address = To("12, rue Haute") })).
			then(registered(func(o *ownerTexts) { o.address = "12, rue Haute" }))
	})
	t.Run("a company needs no person", func(t *testing.T) {
		given[Owner](t).when(with(func(f *OwnerFields) {
			f.Kind, f.CompanyName = To("company"), To("Immo NV")
			f.FirstName, f.LastName = Cleared[string](), Cleared[string]()
			f.EnterpriseNumber, f.Language = To("BE 0123.456.749"), To("nl")
		})).then(registered(func(o *ownerTexts) {
			o.kind, o.companyName, o.enterpriseNumber = "company", "Immo NV", "0123456749"
			o.firstName, o.lastName, o.language = "", "", "nl"
		}))
	})
	t.Run("a group goes by a family's name, with a mandatary", func(t *testing.T) {
		given[Owner](t).when(with(func(f *OwnerFields) {
			f.Kind, f.FirstName = To("group"), Cleared[string]()
			f.Mandatary = To("Me Claes, notaire")
		})).then(registered(func(o *ownerTexts) {
			o.kind, o.firstName, o.mandatary = "group", "", "Me Claes, notaire"
		}))
	})
	t.Run("the same again changes nothing", func(t *testing.T) {
		given[Owner](t, marie).when(registerMarie()).then()
	})
	t.Run("another person under the id is refused", func(t *testing.T) {
		given[Owner](t, marie).when(with(func(f *OwnerFields) { f.LastName = To("Maes") })).
			thenRefused(CodeIDTaken)
	})
	t.Run("the id of a removed owner is refused", func(t *testing.T) {
		given[Owner](t, marie, events.OwnerRemoved{}).when(registerMarie()).
			thenRefused(CodeIDTaken)
	})
	t.Run("an owner without an id is refused", func(t *testing.T) {
		given[Owner](t).when(registerMarie(func(c *RegisterOwner) { c.OwnerID = uuid.Nil })).
			thenInvalid("id", CodeRequired)
	})
}

func TestWrongFieldsOfOwners(t *testing.T) {
	t.Parallel()
	long := func(n int) Change[string] { return To(fmt.Sprintf("%0*d", n, 1)) }
	for name, wrong := range map[string]struct {
		field  string
		code   Code
		change func(*OwnerFields)
	}{
		"an animal": {"kind", CodeUnknownValue, func(f *OwnerFields) { f.Kind = To("animal") }},
		"a person without first name": {"first_name", CodeRequired, func(f *OwnerFields) {
			f.FirstName = To(" ")
		}},
		"a person without last name": {"last_name", CodeRequired, func(f *OwnerFields) {
			f.LastName = Change[string]{}
		}},
		"a company without name": {"company_name", CodeRequired, func(f *OwnerFields) {
			f.Kind = To("company")
		}},
		"a group without any name": {"last_name", CodeRequired, func(f *OwnerFields) {
			f.Kind, f.LastName = To("group"), Cleared[string]()
		}},
		"a long name": {"last_name", CodeTooLong, func(f *OwnerFields) { f.LastName = long(256) }},
		"a control character": {"city", CodeMalformed, func(f *OwnerFields) {
			f.City = To("Brux\x00elles")
		}},
		"no e-mail": {"email", CodeRequired, func(f *OwnerFields) { f.Email = Change[string]{} }},
		"half an e-mail": {"email", CodeMalformed, func(f *OwnerFields) {
			f.Email = To("marie")
		}},
		"a word for a telephone": {"phone", CodeMalformed, func(f *OwnerFields) {
			f.Phone = To("call me")
		}},
		"neither address nor street": {"address", CodeRequired, func(f *OwnerFields) {
			f.Street, f.HouseNumber = Change[string]{}, Change[string]{}
		}},
		"a long house number": {"house_number", CodeTooLong, func(f *OwnerFields) {
			f.HouseNumber = long(21)
		}},
		"no city":        {"city", CodeRequired, func(f *OwnerFields) { f.City = To("") }},
		"no postal code": {"postal_code", CodeRequired, func(f *OwnerFields) { f.PostalCode = To("") }},
		"no country":     {"country", CodeRequired, func(f *OwnerFields) { f.Country = To("") }},
		"no such country": {"country", CodeMalformed, func(f *OwnerFields) {
			f.Country = To("XQ")
		}},
		"an IBAN with other digits": {"iban", CodeMalformed, func(f *OwnerFields) {
			f.IBAN = To("BE68539007547035")
		}},
		"a wrong enterprise number": {"enterprise_number", CodeMalformed, func(f *OwnerFields) {
			f.EnterpriseNumber = To("0123.456.748")
		}},
		"a language that nobody here writes": {
			"language", CodeUnknownValue,
			func(f *OwnerFields) { f.Language = To("es") },
		},
		"a long mandatary": {"mandatary", CodeTooLong, func(f *OwnerFields) {
			f.Mandatary = long(256)
		}},
	} {
		t.Run(name+" is refused", func(t *testing.T) {
			given[Owner](t).when(registerMarie(func(c *RegisterOwner) {
				wrong.change(&c.OwnerFields)
			})).thenInvalid(wrong.field, wrong.code)
		})
	}
}

func TestChangeOwner(t *testing.T) {
	t.Parallel()
	change := func(fields OwnerFields) *ChangeOwner {
		return &ChangeOwner{OwnerID: id(1), OwnerFields: fields, language: "nl", is: marieTexts}
	}
	corrected := func(change func(*ownerTexts)) events.OwnerProfileCorrected {
		texts := marieTexts
		change(&texts)
		return events.OwnerProfileCorrected{OwnerID: id(1), Profile: texts.profile()}
	}
	t.Run("a field that is not named stays", func(t *testing.T) {
		given[Owner](t, marie).when(change(OwnerFields{LastName: To("Maes")})).
			then(corrected(func(o *ownerTexts) { o.lastName = "Maes" }))
	})
	t.Run("optional fields are cleared, a language goes back to the house's", func(t *testing.T) {
		given[Owner](t, marie).when(change(OwnerFields{
			IBAN: Cleared[string](), Phone: Cleared[string](), Language: Cleared[string](),
		})).then(corrected(func(o *ownerTexts) { o.iban, o.phone, o.language = "", "", "nl" }))
	})
	t.Run("an address made of street and number follows them", func(t *testing.T) {
		given[Owner](t, marie).when(change(OwnerFields{HouseNumber: To("14")})).
			then(corrected(func(o *ownerTexts) {
				o.houseNumber, o.address = "14", "Rue Haute 14"
			}))
	})
	t.Run("another address alone drops the street of the old one", func(t *testing.T) {
		given[Owner](t, marie).when(change(OwnerFields{Address: To("Markt 1")})).
			then(corrected(func(o *ownerTexts) {
				o.street, o.houseNumber, o.address = "", "", "Markt 1"
			}))
	})
	t.Run("what is the same already records nothing", func(t *testing.T) {
		given[Owner](t, marie).when(change(marieFields())).then()
	})
	t.Run("a person's cleared name is refused", func(t *testing.T) {
		given[Owner](t, marie).when(change(OwnerFields{FirstName: Cleared[string]()})).
			thenInvalid("first_name", CodeRequired)
	})
	t.Run("a removed owner is not found", func(t *testing.T) {
		given[Owner](t, marie, events.OwnerRemoved{}).when(change(OwnerFields{})).
			thenRefused(CodeNotFound)
	})
	t.Run("what he holds does not move his revision", func(t *testing.T) {
		s := given[Owner](t, marie, events.OwnerHoldingBegun{OwnershipID: id(5)})
		require.EqualValues(t, 1, change(OwnerFields{}).Revision(s.state))
		require.EqualValues(t, 1, RemoveOwner{}.Revision(s.state))
		linked := s.state.Evolve(events.OwnerAccountLinked{AccountID: id(6)})
		require.EqualValues(t, 2, (&LinkOwnerAccount{}).Revision(linked))
	})
}

func TestRemoveOwner(t *testing.T) {
	t.Parallel()
	begun := events.OwnerHoldingBegun{OwnershipID: id(5)}
	ended := events.OwnerHoldingEnded{OwnershipID: id(5)}
	t.Run("an owner who holds nothing is removed", func(t *testing.T) {
		given[Owner](t, marie, begun, ended).when(RemoveOwner{id(1)}).then(events.OwnerRemoved{})
	})
	t.Run("one who holds a lot stays", func(t *testing.T) {
		given[Owner](t, marie, begun, ended, begun, begun, ended).when(RemoveOwner{id(1)}).
			thenRefused(CodeOwnerHoldsLots)
	})
	t.Run("once", func(t *testing.T) {
		given[Owner](t, marie, events.OwnerRemoved{}).when(RemoveOwner{id(1)}).
			thenRefused(CodeNotFound)
	})
}

func TestLinkOwnerAccount(t *testing.T) {
	t.Parallel()
	link := func(account uuid.UUID) *LinkOwnerAccount {
		return &LinkOwnerAccount{OwnerID: id(1), Account: To(account), member: Member{
			Roles: map[uuid.UUID]string{id(7): RoleOwner},
		}}
	}
	linked := events.OwnerAccountLinked{AccountID: id(6)}
	t.Run("an owner signs in by an account", func(t *testing.T) {
		given[Owner](t, marie).when(link(id(6))).then(linked)
	})
	t.Run("twice is once", func(t *testing.T) {
		given[Owner](t, marie, linked).when(link(id(6))).then()
	})
	t.Run("by none any more", func(t *testing.T) {
		given[Owner](t, marie, linked).
			when(&LinkOwnerAccount{OwnerID: id(1), Account: Cleared[uuid.UUID]()}).
			then(events.OwnerAccountLinked{})
	})
	t.Run("a command that names no account changes nothing", func(t *testing.T) {
		given[Owner](t, marie, linked).when(&LinkOwnerAccount{OwnerID: id(1)}).then()
	})
	t.Run("an account without a role here is not found", func(t *testing.T) {
		given[Owner](t, marie).when(&LinkOwnerAccount{OwnerID: id(1), Account: To(id(6))}).
			thenRefused(CodeNotFound)
	})
	t.Run("a removed owner is not found", func(t *testing.T) {
		given[Owner](t, marie, events.OwnerRemoved{}).when(link(id(6))).thenRefused(CodeNotFound)
	})
}

// entered registers an owner on a real log.
func (o office) entered(
	t *testing.T, change ...func(*RegisterOwner),
) (uuid.UUID, Outcome[Owner]) {
	t.Helper()
	c := &RegisterOwner{OwnerID: uuid.New(), OwnerFields: marieFields()}
	c.Email = To(c.OwnerID.String() + "@example.be")
	for _, f := range change {
		f(c)
	}
	outcome, err := Handle(t.Context(), o.App, o.caller(), c)
	require.NoError(t, err)
	return c.OwnerID, outcome
}

func TestOwnersOnTheLog(t *testing.T) {
	t.Parallel()
	o := newOffice(t, "starter")
	change := func(owner uuid.UUID, fields OwnerFields) (Outcome[Owner], error) {
		return Handle(t.Context(), o.App, o.caller(),
			&ChangeOwner{OwnerID: owner, OwnerFields: fields})
	}
	t.Run("the same create again is the same owner, also in another language", func(t *testing.T) {
		marie, first := o.entered(t)
		_, err := Handle(t.Context(), o.App, o.caller(),
			ChangeSettings{OrganizationID: o.organization, Language: To("nl")})
		require.NoError(t, err)
		_, again := o.entered(t, func(c *RegisterOwner) {
			c.OwnerID, c.Email = marie, To(marie.String()+"@example.be")
		})
		require.True(t, first.Changed)
		require.False(t, again.Changed)
		changed, err := change(marie, OwnerFields{FirstName: To("Maria")})
		require.NoError(t, err)
		require.EqualValues(t, 2, changed.State.Revision)
		texts, err := o.reader(t.Context(), o.organization).ownerTexts(changed.State.Profile)
		require.NoError(t, err)
		require.Equal(t, "Maria", texts.firstName)
		require.Equal(t, "fr", texts.language)
		require.Equal(t, "BE68539007547034", texts.iban)
	})
	t.Run("an address is one owner's, in any case, until he changes it or goes", func(t *testing.T) {
		jan, _ := o.entered(t, func(c *RegisterOwner) { c.Email = To("jan@example.be") })
		piet, _ := o.entered(t)
		_, err := change(piet, OwnerFields{Email: To("JAN@example.be")})
		require.Equal(t, CodeEmailTaken, refusal(t, err).Code)
		_, err = change(jan, OwnerFields{LastName: To("Maes")})
		require.NoError(t, err)
		_, err = change(piet, OwnerFields{Email: To("jan@example.be")})
		require.Equal(t, CodeEmailTaken, refusal(t, err).Code)
		_, err = Handle(t.Context(), o.App, o.caller(), RemoveOwner{jan})
		require.NoError(t, err)
		_, err = change(piet, OwnerFields{Email: To("jan@example.be")})
		require.NoError(t, err)
	})
	t.Run("an account is one owner's, and holds a role here", func(t *testing.T) {
		anna := o.open(t, "anna@immo.be", RoleOwner)
		first, _ := o.entered(t)
		second, _ := o.entered(t)
		link := func(owner uuid.UUID, account Change[uuid.UUID]) error {
			_, err := Handle(t.Context(), o.App, o.caller(),
				&LinkOwnerAccount{OwnerID: owner, Account: account})
			return err
		}
		require.Equal(t, "user", refusal(t, link(first, To(uuid.New()))).Params["what"])
		require.NoError(t, link(first, To(anna.AccountID)))
		require.Equal(t, CodeUserLinked, refusal(t, link(second, To(anna.AccountID))).Code)
		require.NoError(t, link(first, Cleared[uuid.UUID]()))
		require.NoError(t, link(second, To(anna.AccountID)))
	})
	t.Run("an erased owner is neither changed nor linked, nor is his id free", func(t *testing.T) {
		gone, _ := o.entered(t)
		err := o.store.Keyring().Erase(t.Context(), o.store.Pool(eventstore.RoleJobs),
			o.organization, gone)
		require.NoError(t, err)
		_, err = change(gone, OwnerFields{LastName: To("Maes")})
		require.ErrorIs(t, err, eventstore.ErrErased)
		_, err = Handle(t.Context(), o.App, o.caller(), &LinkOwnerAccount{OwnerID: gone})
		require.ErrorIs(t, err, eventstore.ErrErased)
		_, err = Handle(t.Context(), o.App, o.caller(),
			&RegisterOwner{OwnerID: gone, OwnerFields: marieFields()})
		require.Equal(t, CodeIDTaken, refusal(t, err).Code)
	})
}

// Whoever asks for one e-mail address at the same moment, one gets it.
func TestOneEmailFor64Clients(t *testing.T) {
	t.Parallel()
	o := newOffice(t, "starter")
	entered, _ := race(t, 64, CodeEmailTaken, func(i int) error {
		fields := marieFields()
		if i%2 == 0 {
			fields.Email = To("MARIE@example.be")
		}
		_, err := Handle(t.Context(), o.App, o.caller(),
			&RegisterOwner{OwnerID: uuid.New(), OwnerFields: fields})
		return err
	})
	require.Len(t, entered, 1)
}
