package events

import "github.com/google/uuid"

// OwnerCategory is the category of an owner's stream (copropriétaire, mede-eigenaar).
const OwnerCategory = "owner"

// OwnerProfile is what is known of an owner: all of it is personal data but the kind.
type OwnerProfile struct {
	Kind             string   `json:"kind"` // person, company, group
	FirstName        Personal `json:"first_name"`
	LastName         Personal `json:"last_name"`
	CompanyName      Personal `json:"company_name"`
	EnterpriseNumber Personal `json:"enterprise_number"`
	Language         Personal `json:"language"`
	Email            Personal `json:"email"`
	Phone            Personal `json:"phone"`
	Street           Personal `json:"street"`
	HouseNumber      Personal `json:"house_number"`
	Address          Personal `json:"address"`
	City             Personal `json:"city"`
	PostalCode       Personal `json:"postal_code"`
	Country          Personal `json:"country"`
	IBAN             Personal `json:"iban"`
	Mandatary        Personal `json:"mandatary"`
}

// fields names the profile's personal fields below a pointer.
func (p *OwnerProfile) fields(owner uuid.UUID) []PersonalField {
	return []PersonalField{
		{"/profile/first_name", owner, &p.FirstName},
		{"/profile/last_name", owner, &p.LastName},
		{"/profile/company_name", owner, &p.CompanyName},
		{"/profile/enterprise_number", owner, &p.EnterpriseNumber},
		{"/profile/language", owner, &p.Language},
		{"/profile/email", owner, &p.Email},
		{"/profile/phone", owner, &p.Phone},
		{"/profile/street", owner, &p.Street},
		{"/profile/house_number", owner, &p.HouseNumber},
		{"/profile/address", owner, &p.Address},
		{"/profile/city", owner, &p.City},
		{"/profile/postal_code", owner, &p.PostalCode},
		{"/profile/country", owner, &p.Country},
		{"/profile/iban", owner, &p.IBAN},
		{"/profile/mandatary", owner, &p.Mandatary},
	}
}

// OwnerRegistered enters an owner.
type OwnerRegistered struct {
	OwnerID uuid.UUID    `json:"owner_id"` // the subject
	Profile OwnerProfile `json:"profile"`
}

// EventType names the fact.
func (OwnerRegistered) EventType() string { return "owner.registered" }

// PersonalFields are the profile's.
func (e *OwnerRegistered) PersonalFields() []PersonalField { return e.Profile.fields(e.OwnerID) }

// NewSubjects names the owner.
func (e OwnerRegistered) NewSubjects() []uuid.UUID { return []uuid.UUID{e.OwnerID} }

var _ = register[OwnerRegistered]()

// OwnerProfileCorrected states the whole profile as it is from now on.
type OwnerProfileCorrected struct {
	OwnerID uuid.UUID    `json:"owner_id"`
	Profile OwnerProfile `json:"profile"`
}

// EventType names the fact.
func (OwnerProfileCorrected) EventType() string { return "owner.profile_corrected" }

// PersonalFields are the profile's.
func (e *OwnerProfileCorrected) PersonalFields() []PersonalField {
	return e.Profile.fields(e.OwnerID)
}

var _ = register[OwnerProfileCorrected]()

// OwnerAccountLinked says by which user account the owner signs in; nil for none.
type OwnerAccountLinked struct {
	AccountID uuid.UUID `json:"account_id,omitzero"`
}

// EventType names the fact.
func (OwnerAccountLinked) EventType() string { return "owner.account_linked" }

var _ = register[OwnerAccountLinked]()

// OwnerHoldingBegun notes an ownership in its owner's stream: he cannot be removed while it runs.
type OwnerHoldingBegun struct {
	OwnershipID uuid.UUID `json:"ownership_id"`
	Building    uuid.UUID `json:"building_id"`
	LotID       uuid.UUID `json:"lot_id"`
}

// EventType names the fact.
func (OwnerHoldingBegun) EventType() string { return "owner.holding_begun" }

var _ = register[OwnerHoldingBegun]()

// OwnerHoldingEnded notes that it is over.
type OwnerHoldingEnded struct {
	OwnershipID uuid.UUID `json:"ownership_id"`
}

// EventType names the fact.
func (OwnerHoldingEnded) EventType() string { return "owner.holding_ended" }

var _ = register[OwnerHoldingEnded]()

// OwnerRemoved takes an owner who holds nothing out of the books.
type OwnerRemoved struct{}

// EventType names the fact.
func (OwnerRemoved) EventType() string { return "owner.removed" }

var _ = register[OwnerRemoved]()
