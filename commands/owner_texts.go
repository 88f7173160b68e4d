package commands

import (
	"github.com/koprogo/koprogo/events"
)

// ownerTexts is an owner's profile in clear.
type ownerTexts struct {
	kind, firstName, lastName, companyName, enterpriseNumber string
	language, email, phone                                   string
	street, houseNumber, address, city, postalCode, country  string
	iban, mandatary                                          string
}

// over is the profile after the change. An address that only said street and house number follows
// them; a street that no longer goes with an address given without it is dropped.
func (f OwnerFields) over(is ownerTexts) ownerTexts {
	wanted := ownerTexts{
		kind: f.Kind.over(is.kind), firstName: f.FirstName.over(is.firstName),
		lastName: f.LastName.over(is.lastName), companyName: f.CompanyName.over(is.companyName),
		enterpriseNumber: f.EnterpriseNumber.over(is.enterpriseNumber),
		language:         f.Language.over(is.language), email: f.Email.over(is.email),
		phone: f.Phone.over(is.phone), street: f.Street.over(is.street),
		houseNumber: f.HouseNumber.over(is.houseNumber), address: f.Address.over(is.address),
		city: f.City.over(is.city), postalCode: f.PostalCode.over(is.postalCode),
		country: f.Country.over(is.country), iban: f.IBAN.over(is.iban),
		mandatary: f.Mandatary.over(is.mandatary),
	}
	street := f.Street.named() || f.HouseNumber.named()
	if street && !f.Address.named() && is.address == is.streetAddress() {
		wanted.address = wanted.streetAddress()
	}
	if f.Address.Given && !street && wanted.address != is.address {
		wanted.street, wanted.houseNumber = "", ""
	}
	return wanted
}

// profile is the profile as a fact states it.
func (t ownerTexts) profile() events.OwnerProfile {
	text := events.PersonalText
	return events.OwnerProfile{
		Kind: t.kind, FirstName: text(t.firstName), LastName: text(t.lastName),
		CompanyName: text(t.companyName), EnterpriseNumber: text(t.enterpriseNumber),
		Language: text(t.language), Email: text(t.email), Phone: text(t.phone),
		Street: text(t.street), HouseNumber: text(t.houseNumber), Address: text(t.address),
		City: text(t.city), PostalCode: text(t.postalCode), Country: text(t.country),
		IBAN: text(t.iban), Mandatary: text(t.mandatary),
	}
}

// ownerTexts opens a profile; what was erased is "".
func (r *Reader) ownerTexts(p *events.OwnerProfile) (ownerTexts, error) {
	clear, err := r.OpenAll(
		p.FirstName, p.LastName, p.CompanyName, p.EnterpriseNumber, p.Language, p.Email, p.Phone,
		p.Street, p.HouseNumber, p.Address, p.City, p.PostalCode, p.Country, p.IBAN, p.Mandatary,
	)
	if err != nil {
		return ownerTexts{}, err
	}
	return ownerTexts{
		kind: p.Kind, firstName: clear[0], lastName: clear[1], companyName: clear[2],
		enterpriseNumber: clear[3], language: clear[4], email: clear[5], phone: clear[6],
		street: clear[7], houseNumber: clear[8], address: clear[9], city: clear[10],
		postalCode: clear[11], country: clear[12], iban: clear[13], mandatary: clear[14],
	}, nil
}
