package api

import (
	"context"
	"net/http"

	"github.com/google/uuid"

	"github.com/koprogo/koprogo/commands"
	"github.com/koprogo/koprogo/eventstore"
	"github.com/koprogo/koprogo/queries"
)

var _ = explained(map[Code]codeEntry{
	Code(commands.CodeOwnerHoldsLots): {http.StatusConflict, text{
		"The owner still holds a unit.", "Le copropriétaire détient encore un lot.",
		"De mede-eigenaar heeft nog een kavel.",
	}},
	Code(commands.CodeUserLinked): {http.StatusConflict, text{
		"Another owner signs in as this user.",
		"Un autre copropriétaire se connecte avec cet utilisateur.",
		"Een andere mede-eigenaar meldt zich met deze gebruiker aan.",
	}},
})

// ownerBody is an owner as REST shows it. The texts of an erased person are empty.
type ownerBody struct {
	ID               uuid.UUID  `json:"id"`
	OrganizationID   uuid.UUID  `json:"organization_id"`
	UserID           *uuid.UUID `json:"user_id" nullable:"true"`
	Kind             string     `json:"kind" enum:"person,company,group"`
	FirstName        string     `json:"first_name"`
	LastName         string     `json:"last_name"`
	CompanyName      string     `json:"company_name"`
	EnterpriseNumber string     `json:"enterprise_number"`
	Language         string     `json:"language"`
	Email            string     `json:"email"`
	Phone            string     `json:"phone"`
	Address          string     `json:"address"`
	Street           string     `json:"street"`
	HouseNumber      string     `json:"house_number"`
	City             string     `json:"city"`
	PostalCode       string     `json:"postal_code"`
	Country          string     `json:"country"`
	IBAN             string     `json:"iban"`
	Mandatary        string     `json:"mandatary"`
	CreatedAt        Instant    `json:"created_at"`
	UpdatedAt        Instant    `json:"updated_at"`
	ErasedAt         *Instant   `json:"erased_at,omitempty" doc:"When the person was erased"`
}

func toOwner(o queries.Owner) ownerBody {
	body := ownerBody{
		ID: o.ID, OrganizationID: o.OrganizationID, UserID: optionalID(o.AccountID), Kind: o.Kind,
		FirstName: o.FirstName, LastName: o.LastName, CompanyName: o.CompanyName,
		EnterpriseNumber: o.EnterpriseNumber, Language: o.Language, Email: o.Email,
		Phone: o.Phone, Address: o.Address, Street: o.Street, HouseNumber: o.HouseNumber,
		City: o.City, PostalCode: o.PostalCode, Country: o.Country, IBAN: o.IBAN,
		Mandatary: o.Mandatary, CreatedAt: Instant(o.CreatedAt), UpdatedAt: Instant(o.UpdatedAt),
	}
	if !o.ErasedAt.IsZero() {
		at := Instant(o.ErasedAt)
		body.ErasedAt = &at
	}
	return body
}

// ownerIn is what POST and PUT take. Which names are required depends on the kind.
type ownerIn struct {
	ID               Field[uuid.UUID] `json:"id" on:"create"`
	Kind             Field[string]    `json:"kind" enum:"person,company,group"`
	FirstName        Field[string]    `json:"first_name" doc:"Required for a person"`
	LastName         Field[string]    `json:"last_name" doc:"Required for a person"`
	CompanyName      Field[string]    `json:"company_name" doc:"Required for a company"`
	EnterpriseNumber Field[string]    `json:"enterprise_number"`
	Language         Field[string]    `json:"language" enum:"fr,nl,en,de"`
	Email            Field[string]    `json:"email" required:"true"`
	Phone            Field[string]    `json:"phone"`
	Address          Field[string]    `json:"address" doc:"Made of street and house_number if absent"`
	Street           Field[string]    `json:"street"`
	HouseNumber      Field[string]    `json:"house_number" maxLength:"20"`
	City             Field[string]    `json:"city" required:"true"`
	PostalCode       Field[string]    `json:"postal_code" required:"true"`
	Country          Field[string]    `json:"country" required:"true"`
	IBAN             Field[string]    `json:"iban"`
	Mandatary        Field[string]    `json:"mandatary"`
}

func (in ownerIn) fields() commands.OwnerFields {
	return commands.OwnerFields{
		Kind: in.Kind.Change(), FirstName: in.FirstName.Change(), LastName: in.LastName.Change(),
		CompanyName:      in.CompanyName.Change(),
		EnterpriseNumber: in.EnterpriseNumber.Change(), Language: in.Language.Change(),
		Email: in.Email.Change(), Phone: in.Phone.Change(), Street: in.Street.Change(),
		HouseNumber: in.HouseNumber.Change(), Address: in.Address.Change(),
		City: in.City.Change(), PostalCode: in.PostalCode.Change(),
		Country: in.Country.Change(), IBAN: in.IBAN.Change(), Mandatary: in.Mandatary.Change(),
	}
}

func createOwner(ctx context.Context, c *Call, _ None, in ownerIn) (Answer[ownerBody], error) {
	id := c.NewID(in.ID)
	return decide(ctx, c, id,
		&commands.RegisterOwner{OwnerID: id, OwnerFields: in.fields()}, shownOwner)
}

func changeOwner(ctx context.Context, c *Call, id ID, in ownerIn) (Answer[ownerBody], error) {
	return decide(ctx, c, id.ID,
		&commands.ChangeOwner{OwnerID: id.ID, OwnerFields: in.fields()}, shownOwner)
}

func removeOwner(ctx context.Context, c *Call, id ID) (Answer[None], error) {
	return discard(ctx, c, id.ID, commands.RemoveOwner{OwnerID: id.ID})
}

// linkIn names the user account by which an owner signs in; null for none.
type linkIn struct {
	UserID Field[uuid.UUID] `json:"user_id"`
}

func linkOwner(ctx context.Context, c *Call, id ID, in linkIn) (Answer[ownerBody], error) {
	return decide(ctx, c, id.ID,
		&commands.LinkOwnerAccount{OwnerID: id.ID, Account: in.UserID.Change()}, shownOwner)
}

// shownOwner is the owner as he is, or as he was at the call's moment.
func shownOwner(ctx context.Context, c *Call, id ID) (Answer[ownerBody], error) {
	found, err := find(ctx, c, id.ID, c.Queries.OwnerByID, c.Queries.OwnerAt)
	return answerOf(found, toOwner(found.Item)).versioned(found.Item.Version), err
}

func readOwner(ctx context.Context, c *Call, id ID) (Answer[ownerBody], error) {
	only, err := c.visibleOwners(ctx)
	if err != nil {
		return Answer[ownerBody]{}, err
	}
	if _, seen := only[id.ID]; only != nil && !seen {
		return Answer[ownerBody]{}, notFound("owner")
	}
	shown, err := shownOwner(ctx, c, id)
	if err != nil {
		return shown, err
	}
	return shown, c.Accounts.Access.Note(ctx, c.readings(shown.Body)...)
}

// myOwner is the owner who signs in as the caller.
func myOwner(ctx context.Context, c *Call, _ None) (Answer[ownerBody], error) {
	found, err := c.Queries.OwnerByAccount(ctx, c.Organization, c.Caller.Account)
	return answerOf(found, toOwner(found.Item)).versioned(found.Item.Version), err
}

type ownerFilter struct {
	Q Field[string] `query:"q"`
}

func listOwners(
	ctx context.Context, c *Call, filter ownerFilter, page Page,
) (Listed[ownerBody], error) {
	only, err := c.visibleOwners(ctx)
	if err != nil {
		return Listed[ownerBody]{}, err
	}
	listed, err := c.Queries.Owners(ctx, queries.OwnerList{
		Span: c.span(), Q: filter.Q.Value(), Only: only, Page: page.of(),
	})
	if err != nil {
		return Listed[ownerBody]{}, err
	}
	bodies := listedAs(listed, toOwner)
	read := make([]eventstore.Access, 0, len(listed.Items))
	for i := range listed.Items {
		owner := &listed.Items[i]
		if owner.AccountID != c.Caller.Account && owner.ErasedAt.IsZero() {
			read = append(read, c.reading(owner.OrganizationID, owner.ID))
		}
	}
	for i := range read {
		bodies.Shows = append(bodies.Shows, read[i].Subject)
	}
	return bodies, c.Accounts.Access.NoteListed(ctx, read...)
}

func buildingOwners(ctx context.Context, c *Call, id ID) (Answer[[]ownerBody], error) {
	organization, seen, err := c.inBuilding(ctx, id)
	if err != nil {
		return Answer[[]ownerBody]{}, err
	}
	found, err := c.Queries.BuildingOwners(ctx, organization, id.ID, c.AsOf.moment(), seen.owners)
	if err != nil {
		return Answer[[]ownerBody]{}, err
	}
	owners := answerAll(found, toOwner, all)
	return owners, c.noteOwners(ctx, owners.Body...)
}

// visibleOwners are those whom the caller sees; nil for all of the organization's. An owner sees
// himself, an auditor who ever held a lot in the buildings of his mandates.
func (c *Call) visibleOwners(ctx context.Context) (map[uuid.UUID]struct{}, error) {
	seen, err := c.sight(ctx)
	if err != nil {
		return nil, err
	}
	ids := seen.owners
	if ids == nil && seen.buildings != nil {
		if ids, err = c.Queries.OwnersIn(ctx, c.Organization, seen.buildings); err != nil {
			return nil, err
		}
	}
	if ids == nil {
		return nil, nil
	}
	only := make(map[uuid.UUID]struct{}, len(ids))
	for _, id := range ids {
		only[id] = struct{}{}
	}
	return only, nil
}

// readings are what the caller read of owners' data, but for his own.
func (c *Call) readings(owners ...ownerBody) []eventstore.Access {
	read := make([]eventstore.Access, 0, len(owners))
	for i := range owners {
		owner := &owners[i]
		own := owner.UserID != nil && *owner.UserID == c.Caller.Account
		if own || owner.ErasedAt != nil {
			continue
		}
		read = append(read, c.reading(owner.OrganizationID, owner.ID))
	}
	return read
}

// reading says that the caller reads an owner's data.
func (c *Call) reading(organization, owner uuid.UUID) eventstore.Access {
	return eventstore.Access{
		Organization: organization, Actor: c.Caller.Account, Role: c.Caller.Role.String(),
		Subject: owner, Resource: "owner/" + owner.String(), RequestID: c.RequestID, At: c.Now,
	}
}

// noteOwners records that the caller read a list of owners.
func (c *Call) noteOwners(ctx context.Context, owners ...ownerBody) error {
	return c.Accounts.Access.NoteListed(ctx, c.readings(owners...)...)
}
