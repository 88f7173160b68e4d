package commands

import (
	"maps"
	"slices"

	"github.com/google/uuid"

	"github.com/koprogo/koprogo/events"
	"github.com/koprogo/koprogo/eventstore"
)

// Member is what an organization's log knows of an account: the roles that it holds there and the
// mandates that limit an auditor. Without a mandate an auditor reads the whole organization.
type Member struct {
	Roles    map[uuid.UUID]string // held, by role id
	Ended    map[uuid.UUID]bool   // roles and mandates that were taken back
	Mandates map[uuid.UUID]events.MemberMandateGiven
}

// Evolve folds one fact.
func (m Member) Evolve(event events.Event) Member {
	switch e := event.(type) {
	case events.MemberRoleGranted:
		m.Roles = with(m.Roles, e.RoleID, e.Role)
	case events.MemberRoleRevoked:
		m.Roles, m.Ended = without(m.Roles, e.RoleID), with(m.Ended, e.RoleID, true)
	case events.MemberMandateGiven:
		m.Mandates = with(m.Mandates, e.MandateID, e)
	case events.MemberMandateEnded:
		m.Mandates, m.Ended = without(m.Mandates, e.MandateID), with(m.Ended, e.MandateID, true)
	}
	return m
}

// with and without leave the map alone: other states may share it.
func with[K comparable, V any](old map[K]V, key K, value V) map[K]V {
	changed := make(map[K]V, len(old)+1)
	maps.Copy(changed, old)
	changed[key] = value
	return changed
}

func without[K comparable, V any](old map[K]V, key K) map[K]V {
	changed := maps.Clone(old)
	delete(changed, key)
	return changed
}

// Holds tells whether the account holds the role named in the organization.
func (m Member) Holds(role string) bool {
	return slices.Contains(slices.Collect(maps.Values(m.Roles)), role)
}

// Claims are one of the plan's places for users, however many roles the account holds, and a place
// among those who may approve, by which they are found.
func (m Member) Claims() []eventstore.Claim {
	if len(m.Roles) == 0 {
		return nil
	}
	claims := []eventstore.Claim{{Kind: claimUser}}
	if m.Holds(RoleSyndic) {
		claims = append(claims, eventstore.Claim{
			Kind: claimApprover, Limit: eventstore.Unlimited,
		})
	}
	return claims
}

// enlist is the half of a grant in the organization's log. A role that was taken back meanwhile
// is not granted again.
type enlist struct {
	account uuid.UUID
	roles   []AccountRole
}

func (c enlist) Stream() events.Stream { return MemberStream(c.account) }

func (c enlist) Decide(m Member) ([]events.Event, error) {
	var happened []events.Event
	for _, role := range c.roles {
		if _, held := m.Roles[role.ID]; !held && !m.Ended[role.ID] {
			happened = append(happened, events.MemberRoleGranted{
				RoleID: role.ID, Role: role.Role,
			})
		}
	}
	return happened, nil
}

// dismiss takes roles back in the organization's log.
type dismiss struct {
	account uuid.UUID
	roles   []uuid.UUID
	decided bool // by the platform, which a suspension does not hold up
}

func (c dismiss) Stream() events.Stream { return MemberStream(c.account) }
func (c dismiss) EvenSuspended() bool   { return c.decided }

func (c dismiss) Decide(m Member) ([]events.Event, error) {
	var happened []events.Event
	for _, id := range c.roles {
		if _, held := m.Roles[id]; held {
			happened = append(happened, events.MemberRoleRevoked{RoleID: id})
		}
	}
	return happened, nil
}

// GiveMandate limits what an auditor reads to some buildings and days. The same again under the
// same id changes nothing.
type GiveMandate struct {
	AccountID uuid.UUID
	MandateID uuid.UUID
	Buildings []uuid.UUID
	From, To  events.Day

	missing bool // one of the buildings does not stand
}

const maxMandateBuildings = 100

// Stream is the member's.
func (c *GiveMandate) Stream() events.Stream { return MemberStream(c.AccountID) }

// Read looks at the buildings.
func (c *GiveMandate) Read(r *Reader) error {
	c.missing = false
	if len(c.Buildings) > maxMandateBuildings {
		return nil
	}
	for _, id := range c.Buildings {
		building, err := Load[Building](r, BuildingStream(id))
		if err != nil {
			return err
		}
		c.missing = c.missing || !building.Stands()
	}
	return nil
}

// Decide refuses wrong fields, a building that is not in the books, and an account that is no
// auditor here.
func (c *GiveMandate) Decide(m Member) ([]events.Event, error) {
	check := &check{}
	check.id(c.MandateID)
	check.day("from", c.From)
	check.day("to", c.To)
	switch {
	case len(c.Buildings) == 0:
		check.refuse("buildings", CodeRequired, "the field is required")
	case len(c.Buildings) > maxMandateBuildings:
		check.refuse("buildings", CodeTooMany, "there are too many buildings", "max", "100")
	}
	if check.first == nil && c.From > c.To {
		check.refuse("to", CodeOutOfRange, "the mandate ends before it begins",
			"min", string(c.From))
	}
	if err := check.err(); err != nil {
		return nil, err
	}
	if c.missing {
		return nil, notFound("building")
	}
	wanted := events.MemberMandateGiven{
		MandateID: c.MandateID, Buildings: c.Buildings, From: c.From, To: c.To,
	}
	if given, known := m.Mandates[c.MandateID]; known {
		if slices.Equal(given.Buildings, wanted.Buildings) && given.From == wanted.From &&
			given.To == wanted.To {
			return nil, nil
		}
		return nil, idTaken("mandate")
	}
	if m.Ended[c.MandateID] {
		return nil, idTaken("mandate")
	}
	if len(m.Roles) == 0 {
		return nil, notFound("account")
	}
	if !m.Holds(RoleAuditor) {
		return nil, refuse(CodeNotAuditor, "only an auditor has mandates")
	}
	return []events.Event{wanted}, nil
}

// EndMandate takes a mandate back.
type EndMandate struct{ AccountID, MandateID uuid.UUID }

// Stream is the member's.
func (c EndMandate) Stream() events.Stream { return MemberStream(c.AccountID) }

// Decide refuses a mandate that is not given.
func (c EndMandate) Decide(m Member) ([]events.Event, error) {
	if _, given := m.Mandates[c.MandateID]; !given {
		return nil, notFound("mandate")
	}
	return []events.Event{events.MemberMandateEnded{MandateID: c.MandateID}}, nil
}
