package commands

import (
	"github.com/google/uuid"

	"github.com/koprogo/koprogo/events"
	"github.com/koprogo/koprogo/eventstore"
)

// claimOwnerAccount is the kind of the claim that lets an account sign in as one owner only.
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
