package commands

import (
	"encoding/binary"
	"maps"
	"slices"

	"github.com/google/uuid"

	"github.com/koprogo/koprogo/events"
	"github.com/koprogo/koprogo/eventstore"
)

// Plan is how much an organization may have; eventstore.Unlimited for as much as it likes.
type Plan struct{ Buildings, Users int }

// Plans are the subscription plans by name (contract.md, section 3).
var Plans = map[string]Plan{
	"free":         {Buildings: 1, Users: 3},
	"starter":      {Buildings: 5, Users: 10},
	"professional": {Buildings: 20, Users: 50},
	"enterprise":   {Buildings: eventstore.Unlimited, Users: eventstore.Unlimited},
}

var planNames = []string{"free", "starter", "professional", "enterprise"}

// Values of OrganizationSettingsChanged.FourEyes.
const (
	FourEyesAuto = "auto" // on where two people may approve
	FourEyesOn   = "on"
	FourEyesOff  = "off"
)

const defaultLanguage = "fr"

var languages = []string{"en", "fr", "nl", "de"}

// Organization is what the rules of an organization ask, from its own log.
type Organization struct {
	Founded      bool
	Suspended    bool
	Name         string
	Slug         string
	Plan         string
	ContactID    uuid.UUID
	ContactEmail events.Personal
	ContactPhone events.Personal
	FourEyes     string
	Language     string
	Zone         string
	Rates        map[string]int // basis points by name

	plans uint64 // how many there have been
}

// Evolve folds one fact.
func (o Organization) Evolve(event events.Event) Organization {
	switch e := event.(type) {
	case events.OrganizationFounded:
		o.Founded, o.Name, o.Slug, o.Plan = true, e.Name, e.Slug, e.Plan
		o.ContactID, o.ContactEmail, o.ContactPhone = e.ContactID, e.ContactEmail, e.ContactPhone
		o.FourEyes, o.Language, o.Zone = FourEyesAuto, e.Language, e.Zone
		o.plans++
	case events.OrganizationRenamed:
		o.Name, o.Slug = e.Name, e.Slug
	case events.OrganizationContactChanged:
		o.ContactID, o.ContactEmail, o.ContactPhone = e.ContactID, e.Email, e.Phone
	case events.OrganizationPlanChanged:
		o.Plan = e.Plan
		o.plans++
	case events.OrganizationSuspended:
		o.Suspended = true
	case events.OrganizationReinstated:
		o.Suspended = false
	case events.OrganizationSettingsChanged:
		o.FourEyes, o.Language, o.Zone, o.Rates = e.FourEyes, e.Language, e.Zone, e.Rates
	}
	return o
}

// Claims are one place of each kind that the plan itself holds. A new plan takes its own within
// its own limit while the old one's is given back, so a plan that is too small for what the
// organization has is refused exactly, also while buildings and users come and go. Limit counts it.
func (o Organization) Claims() []eventstore.Claim {
	if !o.Founded {
		return nil
	}
	var id uuid.UUID
	binary.BigEndian.PutUint64(id[8:], o.plans)
	plan := events.Stream{Category: "plan", ID: id}
	return []eventstore.Claim{
		{Kind: claimBuilding, Holder: plan}, {Kind: claimUser, Holder: plan},
	}
}

// Limit is how many places of the kind there are, the plan's own included.
func (o Organization) Limit(kind string) int {
	places := map[string]int{
		claimBuilding: Plans[o.Plan].Buildings, claimUser: Plans[o.Plan].Users,
	}[kind]
	if places == eventstore.Unlimited {
		return places
	}
	return places + 1
}

func suspended() *Refused {
	return refuse(CodeOrganizationSuspended, "the organization is suspended: it only reads")
}

// enterOrganization begins an organization's own log.
type enterOrganization struct {
	id      uuid.UUID
	founded events.OrganizationFounded
}

func (c enterOrganization) Stream() events.Stream { return OrganizationStream(c.id) }

func (c enterOrganization) Decide(o Organization) ([]events.Event, error) {
	if o.Founded {
		return nil, nil
	}
	return []events.Event{c.founded}, nil
}

// changeOrganization is the half of ChangeOrganization in the organization's own log.
type changeOrganization struct {
	ChangeOrganization
	email, phone string // the contact's as they are; an erased one's are empty
}

func (c *changeOrganization) Stream() events.Stream { return OrganizationStream(c.OrganizationID) }

// Read opens the contact.
func (c *changeOrganization) Read(r *Reader) error {
	o, err := Load[Organization](r, c.Stream())
	if err != nil {
		return err
	}
	texts, err := r.OpenAll(o.ContactEmail, o.ContactPhone)
	if err != nil {
		return err
	}
	c.email, c.phone = texts[0], texts[1]
	return nil
}

// Decide refuses wrong fields and an organization that was never founded.
func (c *changeOrganization) Decide(o Organization) ([]events.Event, error) {
	if !o.Founded {
		return nil, notFound("organization")
	}
	check := &check{}
	name := check.name("name", c.Name.over(o.Name))
	slug := check.organizationSlug(c.Slug.over(o.Slug))
	plan := c.Plan.over(o.Plan)
	check.among("plan", plan, planNames...)
	email, phone := c.email, c.phone
	if c.ContactEmail.Given || c.ContactEmail.Cleared {
		email = check.email("contact_email", c.ContactEmail.Value)
	}
	if c.ContactPhone.Given || c.ContactPhone.Cleared {
		phone = check.phone("contact_phone", c.ContactPhone.Value)
	}
	if err := check.err(); err != nil {
		return nil, err
	}
	var happened []events.Event
	if name != o.Name || slug != o.Slug {
		happened = append(happened, events.OrganizationRenamed{Name: name, Slug: slug})
	}
	if email != c.email || phone != c.phone {
		happened = append(happened, events.OrganizationContactChanged{
			ContactID: o.ContactID,
			Email:     events.PersonalText(email), Phone: events.PersonalText(phone),
		})
	}
	if plan != o.Plan {
		happened = append(happened, events.OrganizationPlanChanged{Plan: plan})
	}
	return happened, nil
}

func (c *check) organizationSlug(text string) string {
	slug := c.slug("slug", text)
	if slug == "" {
		c.refuse("slug", CodeRequired, "the field is required")
	}
	return slug
}

// SuspendOrganization stops an organization's writes.
type SuspendOrganization struct{ OrganizationID uuid.UUID }

// Stream is the organization's, in its own log.
func (c SuspendOrganization) Stream() events.Stream { return OrganizationStream(c.OrganizationID) }

// Decide refuses an organization that was never founded.
func (c SuspendOrganization) Decide(o Organization) ([]events.Event, error) {
	switch {
	case !o.Founded:
		return nil, notFound("organization")
	case o.Suspended:
		return nil, nil
	}
	return []events.Event{events.OrganizationSuspended{}}, nil
}

// ReinstateOrganization ends a suspension.
type ReinstateOrganization struct{ OrganizationID uuid.UUID }

// Stream is the organization's, in its own log.
func (c ReinstateOrganization) Stream() events.Stream {
	return OrganizationStream(c.OrganizationID)
}

// Decide refuses an organization that was never founded.
func (c ReinstateOrganization) Decide(o Organization) ([]events.Event, error) {
	switch {
	case !o.Founded:
		return nil, notFound("organization")
	case !o.Suspended:
		return nil, nil
	}
	return []events.Event{events.OrganizationReinstated{}}, nil
}

// ChangeSettings changes the settings that it gives; a cleared one goes back to its default.
type ChangeSettings struct {
	OrganizationID uuid.UUID
	FourEyes       Change[string]
	Language       Change[string]
	Zone           Change[string]
	Rates          Change[map[string]int] // basis points by name, all of them
}

// Stream is the organization's, in its own log.
func (c ChangeSettings) Stream() events.Stream { return OrganizationStream(c.OrganizationID) }

const (
	maxRates       = 50
	maxBasisPoints = 1_000_000 // a hundredfold
)

// Decide refuses wrong values and a suspended organization.
func (c ChangeSettings) Decide(o Organization) ([]events.Event, error) {
	if !o.Founded {
		return nil, notFound("organization")
	}
	if o.Suspended {
		return nil, suspended()
	}
	check := &check{}
	wanted := events.OrganizationSettingsChanged{
		FourEyes: withDefault(c.FourEyes, o.FourEyes, FourEyesAuto),
		Language: withDefault(c.Language, o.Language, defaultLanguage),
		Zone:     check.zone("zone", withDefault(c.Zone, o.Zone, defaultZone)),
		Rates:    maps.Clone(c.Rates.over(o.Rates)),
	}
	check.among("four_eyes", wanted.FourEyes, FourEyesAuto, FourEyesOn, FourEyesOff)
	check.among("language", wanted.Language, languages...)
	if len(wanted.Rates) > maxRates {
		check.refuse("rates", CodeTooMany, "there are too many rates", "max", "50")
	} else {
		for _, name := range slices.Sorted(maps.Keys(wanted.Rates)) {
			if !rateForm.MatchString(name) {
				check.refuse("rates", CodeMalformed, "a rate's name is a word", "form", "late_interest")
			}
			check.between("rates", wanted.Rates[name], 0, maxBasisPoints)
		}
	}
	if err := check.err(); err != nil {
		return nil, err
	}
	if wanted.FourEyes == o.FourEyes && wanted.Language == o.Language && wanted.Zone == o.Zone &&
		maps.Equal(wanted.Rates, o.Rates) {
		return nil, nil
	}
	return []events.Event{wanted}, nil
}

func withDefault(c Change[string], old, absent string) string {
	if c.Cleared {
		return absent
	}
	return c.over(old)
}
