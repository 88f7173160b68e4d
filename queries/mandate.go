package queries

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/koprogo/koprogo/events"
	"github.com/koprogo/koprogo/projections"
)

// Mandate limits what an auditor reads to some buildings and days, the last one included.
type Mandate struct {
	ID        uuid.UUID
	Account   uuid.UUID
	Buildings []uuid.UUID // any when empty
	From      events.Day  // empty: without beginning
	To        events.Day  // empty: without end
	GivenAt   time.Time
}

var mandatesSQL = `select ` + projections.MandateTable.Columns() + ` from read.mandates
 where organization_id = $1 and account_id = $2 order by given_at, id`

// Mandates lists an account's mandates in the organization, oldest first. None means the whole
// organization.
func (r *Reader) Mandates(ctx context.Context, organization, account uuid.UUID) ([]Mandate, error) {
	var rows []projections.MandateRow
	_, err := r.read(ctx, In(organization), memberModel, func(batch *pgx.Batch) {
		batch.Queue(mandatesSQL, organization, account).
			Query(many(&rows, projections.MandateTable.Scan))
	})
	mandates := make([]Mandate, len(rows))
	for i, row := range rows {
		mandates[i] = Mandate{
			ID: row.ID, Account: row.AccountID, Buildings: row.Buildings,
			From: Day(row.From), To: Day(row.To), GivenAt: row.GivenAt,
		}
	}
	return mandates, err
}

// WithinMandates turns mandates into limits on events, days being those of zone; nil for none.
func WithinMandates(mandates []Mandate, zone *time.Location) []Within {
	var limits []Within
	for _, m := range mandates {
		limit := Within{Buildings: m.Buildings}
		if from, err := time.ParseInLocation(time.DateOnly, string(m.From), zone); err == nil {
			limit.From = from
		}
		if to, err := time.ParseInLocation(time.DateOnly, string(m.To), zone); err == nil {
			limit.Before = to.AddDate(0, 0, 1)
		}
		limits = append(limits, limit)
	}
	return limits
}

// MandatedBuildings are the buildings that mandates name; nil when every one may be read.
func MandatedBuildings(mandates []Mandate) []uuid.UUID {
	var named []uuid.UUID
	for _, m := range mandates {
		if len(m.Buildings) == 0 {
			return nil
		}
		named = append(named, m.Buildings...)
	}
	return named
}
