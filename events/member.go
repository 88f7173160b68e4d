package events

import "github.com/google/uuid"

// MemberCategory is the category of the stream that holds one account's roles and mandates in an
// organization, in that organization's own log; the stream's id is the account's.
const MemberCategory = "member"

// MemberRoleGranted gives an account a role in the organization.
type MemberRoleGranted struct {
	RoleID uuid.UUID `json:"role_id"`
	Role   string    `json:"role"` // superadmin, syndic, accountant, auditor, owner
}

// EventType names the fact.
func (MemberRoleGranted) EventType() string { return "member.role_granted" }

var _ = register[MemberRoleGranted]()

// MemberRoleRevoked takes it back.
type MemberRoleRevoked struct {
	RoleID uuid.UUID `json:"role_id"`
}

// EventType names the fact.
func (MemberRoleRevoked) EventType() string { return "member.role_revoked" }

var _ = register[MemberRoleRevoked]()

// MemberMandateGiven limits what an auditor reads to some buildings and days
// (commissaire aux comptes, art. 3.91 of the Belgian Civil Code).
type MemberMandateGiven struct {
	MandateID uuid.UUID   `json:"mandate_id"`
	Buildings []uuid.UUID `json:"buildings"`
	From      Day         `json:"from"`
	To        Day         `json:"to"`
}

// EventType names the fact.
func (MemberMandateGiven) EventType() string { return "member.mandate_given" }

var _ = register[MemberMandateGiven]()

// MemberMandateEnded takes a mandate back.
type MemberMandateEnded struct {
	MandateID uuid.UUID `json:"mandate_id"`
}

// EventType names the fact.
func (MemberMandateEnded) EventType() string { return "member.mandate_ended" }

var _ = register[MemberMandateEnded]()

// PersonErased says that a subject's key was destroyed: nothing sealed under it opens again.
type PersonErased struct {
	Subject uuid.UUID `json:"subject"`
	Ground  string    `json:"ground"` // request, retention, strike_out
}

// EventType names the fact.
func (PersonErased) EventType() string { return "person.erased" }

var _ = register[PersonErased]()
