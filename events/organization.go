package events

import "github.com/google/uuid"

// OrganizationCategory is the category of an organization's stream: one in its own log, which
// rules read, and one in the platform log, which holds its place in the list.
const OrganizationCategory = "organization"

// OrganizationListed enters an organization in the platform's list. It stands in the platform log
// and says all that the organization's own log begins with (OrganizationFounded), so that whoever
// finds the second missing can append it. Language, zone and contact are those of this moment.
type OrganizationListed struct {
	Name         string    `json:"name"`
	Slug         string    `json:"slug"`
	Plan         string    `json:"plan"`
	ContactID    uuid.UUID `json:"contact_id"` // the subject of the two personal fields
	ContactEmail Personal  `json:"contact_email"`
	ContactPhone Personal  `json:"contact_phone"`
	Language     string    `json:"language"`
	Zone         string    `json:"zone"`
}

// EventType names the fact.
func (OrganizationListed) EventType() string { return "organization.listed" }

// PersonalFields names the contact's e-mail and telephone.
func (e *OrganizationListed) PersonalFields() []PersonalField {
	return []PersonalField{
		{"/contact_email", e.ContactID, &e.ContactEmail},
		{"/contact_phone", e.ContactID, &e.ContactPhone},
	}
}

// NewSubjects names the contact.
func (e OrganizationListed) NewSubjects() []uuid.UUID { return []uuid.UUID{e.ContactID} }

var _ = register[OrganizationListed]()

// OrganizationSlugChanged gives an organization another short name in the platform's list.
type OrganizationSlugChanged struct {
	Slug string `json:"slug"`
}

// EventType names the fact.
func (OrganizationSlugChanged) EventType() string { return "organization.slug_changed" }

var _ = register[OrganizationSlugChanged]()

// OrganizationFounded is the first fact of an organization's own log.
type OrganizationFounded struct {
	Name         string    `json:"name"`
	Slug         string    `json:"slug"`
	Plan         string    `json:"plan"`
	ContactID    uuid.UUID `json:"contact_id"` // the subject of the two personal fields
	ContactEmail Personal  `json:"contact_email"`
	ContactPhone Personal  `json:"contact_phone"`
	Language     string    `json:"language"`
	Zone         string    `json:"zone"`
}

// EventType names the fact.
func (OrganizationFounded) EventType() string { return "organization.founded" }

// PersonalFields names the contact's e-mail and telephone.
func (e *OrganizationFounded) PersonalFields() []PersonalField {
	return []PersonalField{
		{"/contact_email", e.ContactID, &e.ContactEmail},
		{"/contact_phone", e.ContactID, &e.ContactPhone},
	}
}

// NewSubjects names the contact.
func (e OrganizationFounded) NewSubjects() []uuid.UUID { return []uuid.UUID{e.ContactID} }

var _ = register[OrganizationFounded]()

// OrganizationRenamed gives an organization another name or short name.
type OrganizationRenamed struct {
	Name string `json:"name"`
	Slug string `json:"slug"`
}

// EventType names the fact.
func (OrganizationRenamed) EventType() string { return "organization.renamed" }

var _ = register[OrganizationRenamed]()

// OrganizationContactChanged says how the organization's contact is reached.
type OrganizationContactChanged struct {
	ContactID uuid.UUID `json:"contact_id"`
	Email     Personal  `json:"contact_email"`
	Phone     Personal  `json:"contact_phone"`
}

// EventType names the fact.
func (OrganizationContactChanged) EventType() string { return "organization.contact_changed" }

// PersonalFields names the contact's e-mail and telephone.
func (e *OrganizationContactChanged) PersonalFields() []PersonalField {
	return []PersonalField{
		{"/contact_email", e.ContactID, &e.Email},
		{"/contact_phone", e.ContactID, &e.Phone},
	}
}

var _ = register[OrganizationContactChanged]()

// OrganizationPlanChanged moves an organization to another subscription plan.
type OrganizationPlanChanged struct {
	Plan string `json:"plan"`
}

// EventType names the fact.
func (OrganizationPlanChanged) EventType() string { return "organization.plan_changed" }

var _ = register[OrganizationPlanChanged]()

// OrganizationSuspended stops an organization's writes; it still reads.
type OrganizationSuspended struct{}

// EventType names the fact.
func (OrganizationSuspended) EventType() string { return "organization.suspended" }

var _ = register[OrganizationSuspended]()

// OrganizationReinstated ends a suspension.
type OrganizationReinstated struct{}

// EventType names the fact.
func (OrganizationReinstated) EventType() string { return "organization.reinstated" }

var _ = register[OrganizationReinstated]()

// OrganizationSettingsChanged states the settings as they are from now on.
type OrganizationSettingsChanged struct {
	FourEyes string         `json:"four_eyes"` // auto (on where two may approve), on, off
	Language string         `json:"language"`  // en, fr, nl, de
	Zone     string         `json:"zone"`
	Rates    map[string]int `json:"rates,omitempty"` // basis points by name
}

// EventType names the fact.
func (OrganizationSettingsChanged) EventType() string { return "organization.settings_changed" }

var _ = register[OrganizationSettingsChanged]()
