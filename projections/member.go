package projections

import (
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/koprogo/koprogo/events"
	"github.com/koprogo/koprogo/eventstore"
)

// RoleRow is a role that an account holds in the organization; in the platform's log, on the
// platform.
type RoleRow struct {
	OrganizationID uuid.UUID `json:"organization_id"`
	ID             uuid.UUID `json:"id"`
	AccountID      uuid.UUID `json:"account_id"`
	Role           string    `json:"role"`
	Position       int64     `json:"position"`
	GrantedAt      time.Time `json:"granted_at"`
}

// RowID is the role's id.
func (r RoleRow) RowID() uuid.UUID { return r.ID }

// MandateRow limits what an auditor reads to some buildings and days, the last one included.
type MandateRow struct {
	OrganizationID uuid.UUID   `json:"organization_id"`
	ID             uuid.UUID   `json:"id"`
	AccountID      uuid.UUID   `json:"account_id"`
	Buildings      []uuid.UUID `json:"buildings"`
	From           pgtype.Date `json:"from_day"` // null: without beginning
	To             pgtype.Date `json:"to_day"`   // null: without end
	Position       int64       `json:"position"`
	GivenAt        time.Time   `json:"given_at"`
}

// RowID is the mandate's id.
func (r MandateRow) RowID() uuid.UUID { return r.ID }

// RoleTable is read.roles, MandateTable read.mandates.
var (
	RoleTable    = NewTable[uuid.UUID, RoleRow]("roles", "id")
	MandateTable = NewTable[uuid.UUID, MandateRow]("mandates", "id")
)

// Members shows who holds which role in an organization, and auditors' mandates.
var Members = Projection{
	Name:       "members",
	Tables:     []AnyTable{RoleTable, MandateTable},
	Categories: []string{events.MemberCategory},
	Apply:      applyMember,
}

func applyMember(b *Batch, r eventstore.Recorded) error {
	switch e := r.Event.(type) {
	case events.MemberRoleGranted:
		RoleTable.Put(b, RoleRow{
			OrganizationID: r.Organization, ID: e.RoleID, AccountID: r.Stream.ID, Role: e.Role,
			Position: r.Position, GrantedAt: r.RecordedAt,
		})
	case events.MemberRoleRevoked:
		RoleTable.Delete(b, e.RoleID)
	case events.MemberMandateGiven:
		from, err := day(e.From)
		if err != nil {
			return err
		}
		to, err := day(e.To)
		if err != nil {
			return err
		}
		MandateTable.Put(b, MandateRow{
			OrganizationID: r.Organization, ID: e.MandateID, AccountID: r.Stream.ID,
			Buildings: append([]uuid.UUID{}, e.Buildings...), From: from, To: to,
			Position: r.Position, GivenAt: r.RecordedAt,
		})
	case events.MemberMandateEnded:
		MandateTable.Delete(b, e.MandateID)
	}
	return nil
}

// day is null for a day that a fact does not name.
func day(of events.Day) (pgtype.Date, error) {
	if of == "" {
		return pgtype.Date{}, nil
	}
	at, err := time.Parse(time.DateOnly, string(of))
	return pgtype.Date{Time: at, Valid: err == nil}, err
}
