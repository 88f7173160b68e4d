package queries

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/koprogo/koprogo/events"
	"github.com/koprogo/koprogo/projections"
)

// openCharges opens the texts of charges, of each organization's at once, in the order of the
// rows. fresh may hold a supplier whom the read model does not show yet.
func (r *Reader) openCharges(
	ctx context.Context, rows []projections.ChargeRow, fresh *Rows,
) ([]Charge, error) {
	opened := make([]Charge, len(rows))
	places := map[uuid.UUID][]int{}
	for i := range rows {
		opened[i].Row = rows[i]
		organization := rows[i].OrganizationID
		places[organization] = append(places[organization], i)
	}
	for organization, of := range places {
		if err := r.openChargesOf(ctx, organization, opened, of, fresh); err != nil {
			return nil, fmt.Errorf("open charges: %w", err)
		}
	}
	return opened, nil
}

// openChargesOf opens those of the charges that are one organization's.
func (r *Reader) openChargesOf(
	ctx context.Context, organization uuid.UUID, charges []Charge, of []int, fresh *Rows,
) error {
	suppliers, err := r.suppliersOf(ctx, organization, charges, of, fresh)
	if err != nil {
		return err
	}
	var sealed []events.Personal
	var into []*string
	note := func(text string, to *string) {
		if text != "" {
			sealed, into = append(sealed, events.SealedText(text)), append(into, to)
		}
	}
	for _, i := range of {
		charge := &charges[i]
		note(charge.Row.Description, &charge.Description)
		note(charge.Row.RejectionReason, &charge.RejectionReason)
		charge.LineTexts = make([]string, len(charge.Row.LineTexts))
		for n, text := range charge.Row.LineTexts {
			note(text, &charge.LineTexts[n])
		}
		if charge.Row.SupplierID != nil {
			note(suppliers[*charge.Row.SupplierID], &charge.Supplier)
		}
	}
	clear, err := r.keyring.OpenAll(ctx, organization, sealed)
	if err != nil {
		return err
	}
	for i, to := range into {
		*to = clear[i]
	}
	return nil
}

var suppliersSQL = "select " + projections.SupplierTable.Columns() + ` from read.suppliers
 where organization_id = $1 and id = any($2)`

// suppliersOf are the sealed names of the charges' suppliers: a name never changes, so that the
// present one is that of every moment.
func (r *Reader) suppliersOf(
	ctx context.Context, organization uuid.UUID, charges []Charge, of []int, fresh *Rows,
) (map[uuid.UUID]string, error) {
	names := map[uuid.UUID]string{}
	var missing []uuid.UUID
	for _, i := range of {
		id := charges[i].Row.SupplierID
		if id == nil {
			continue
		}
		if _, asked := names[*id]; asked {
			continue
		}
		row, made := projections.SupplierTable.Of(fresh, *id)
		names[*id] = row.Name
		if !made {
			missing = append(missing, *id)
		}
	}
	if len(missing) == 0 {
		return names, nil
	}
	var rows []projections.SupplierRow
	_, err := r.read(ctx, In(organization), chargeModel, func(batch *pgx.Batch) {
		batch.Queue(suppliersSQL, organization, missing).
			Query(many(&rows, projections.SupplierTable.Scan))
	})
	for _, row := range rows {
		names[row.ID] = row.Name
	}
	return names, err
}
