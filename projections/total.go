package projections

import "github.com/google/uuid"

// Resource names what is counted: the table's name.
type Resource string

// String is the name.
func (r Resource) String() string { return string(r) }

// TotalRow says how many rows an organization has of a resource, for lists without a filter.
type TotalRow struct {
	OrganizationID uuid.UUID `json:"organization_id"`
	Resource       Resource  `json:"resource"`
	N              int64     `json:"n"`
}

// RowID is the resource.
func (r TotalRow) RowID() Resource { return r.Resource }

// Totals is shared: each projection keeps the resources that it names.
var Totals = NewTable[Resource, TotalRow]("totals", "resource")

// count moves a counter.
func count(b *Batch, resource Resource, by int64) error {
	row, _, err := Totals.Get(b, resource)
	if err != nil {
		return err
	}
	row.OrganizationID, row.Resource, row.N = b.copy.organization, resource, row.N+by
	Totals.Put(b, row)
	return nil
}
