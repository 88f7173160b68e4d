package commands

import (
	"github.com/google/uuid"

	"github.com/koprogo/koprogo/events"
	"github.com/koprogo/koprogo/eventstore"
)

// Listing is an organization's place in the platform's list.
type Listing struct {
	Listed bool
	First  events.OrganizationListed // as it was listed
	Slug   string                    // as it is
}

// Evolve folds one fact.
func (l Listing) Evolve(event events.Event) Listing {
	switch e := event.(type) {
	case events.OrganizationListed:
		l.Listed, l.First, l.Slug = true, e, e.Slug
	case events.OrganizationSlugChanged:
		l.Slug = e.Slug
	}
	return l
}

// Claims is the slug, unique over the platform.
func (l Listing) Claims() []eventstore.Claim {
	if !l.Listed {
		return nil
	}
	return []eventstore.Claim{{Kind: claimSlug, Value: l.Slug}}
}

// listOrganization is the half of FoundOrganization in the platform's log.
type listOrganization struct {
	FoundOrganization
	email, phone string // of the one that was listed under this id before
}

func (c *listOrganization) Stream() events.Stream { return OrganizationStream(c.OrganizationID) }

func (c *listOrganization) Read(r *Reader) error {
	listing, err := Load[Listing](r, c.Stream())
	if err != nil || !listing.Listed {
		return err
	}
	texts, err := r.OpenAll(listing.First.ContactEmail, listing.First.ContactPhone)
	if err != nil {
		return err
	}
	c.email, c.phone = texts[0], texts[1]
	return nil
}

func (c *listOrganization) Decide(l Listing) ([]events.Event, error) {
	check := &check{}
	check.id(c.OrganizationID)
	email := check.email("contact_email", c.ContactEmail)
	phone := check.phone("contact_phone", c.ContactPhone)
	wanted := events.OrganizationListed{
		Name: check.name("name", c.Name), Slug: check.organizationSlug(c.Slug), Plan: c.Plan,
		ContactID: c.ContactID, ContactEmail: events.PersonalText(email),
		ContactPhone: events.PersonalText(phone),
		Language:     c.Language.or(defaultLanguage),
		Zone:         check.zone("zone", c.Zone.or(defaultZone)),
	}
	check.among("plan", wanted.Plan, planNames...)
	check.among("language", wanted.Language, languages...)
	if err := check.err(); err != nil {
		return nil, err
	}
	if !l.Listed {
		return []events.Event{wanted}, nil
	}
	first := l.First
	first.ContactID, first.ContactEmail, first.ContactPhone = wanted.ContactID,
		events.PersonalText(c.email), events.PersonalText(c.phone)
	if first != wanted {
		return nil, idTaken("organization")
	}
	return nil, nil
}

// relistOrganization gives the organization another slug in the platform's list.
type relistOrganization struct {
	id   uuid.UUID
	slug string
}

func (c relistOrganization) Stream() events.Stream { return OrganizationStream(c.id) }

func (c relistOrganization) Decide(l Listing) ([]events.Event, error) {
	switch {
	case !l.Listed:
		return nil, notFound("organization")
	case l.Slug == c.slug:
		return nil, nil
	}
	return []events.Event{events.OrganizationSlugChanged{Slug: c.slug}}, nil
}
