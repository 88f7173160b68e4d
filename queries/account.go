package queries

import (
	"context"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/koprogo/koprogo/eventstore"
	"github.com/koprogo/koprogo/projections"
)

// Standing is whether a signed-in person may still do what the token says.
type Standing struct {
	AccountActive      bool   // neither closed nor deactivated
	Role               string // that the role's id stands for; empty when it is not held any more
	OrganizationActive bool   // true on the platform
}

const (
	accountActiveSQL = `select is_active from read.accounts
 where organization_id = $1 and id = $2`
	roleHeldSQL = `select role from read.roles
 where organization_id = $1 and id = $2 and account_id = $3`
	organizationActiveSQL = `select is_active from read.organizations where organization_id = $1`
)

var standingModels = []string{projections.Members.Name, projections.Organizations.Name}

// StandingOf reads what holds now of an account, the role it signed in with and that role's
// organization.
func (r *Reader) StandingOf(
	ctx context.Context, organization, account, role uuid.UUID,
) (s Standing, err error) {
	var active, open []bool
	var roles []string
	_, err = r.read(ctx, In(eventstore.Platform), accountModel, func(batch *pgx.Batch) {
		batch.Queue(accountActiveSQL, eventstore.Platform, account).
			Query(many(&active, pgx.RowTo[bool]))
	})
	if err != nil {
		return s, err
	}
	_, err = r.read(ctx, In(organization), standingModels, func(batch *pgx.Batch) {
		batch.Queue(roleHeldSQL, organization, role, account).
			Query(many(&roles, pgx.RowTo[string]))
		batch.Queue(organizationActiveSQL, organization).Query(many(&open, pgx.RowTo[bool]))
	})
	s.AccountActive = len(active) > 0 && active[0]
	s.OrganizationActive = organization == eventstore.Platform || len(open) > 0 && open[0]
	if len(roles) > 0 {
		s.Role = roles[0]
	}
	return s, err
}
