package queries

import (
	"time"

	"github.com/google/uuid"

	"github.com/koprogo/koprogo/events"
)

// Statements lists the SQL texts of this package, those of lists in every shape that they take, so
// that a test can have them prepared against the migrated schema.
func Statements() ([]string, error) {
	texts := []string{
		enterSQL, enterEverySQL, headSQL, positionBySQL, recordedAtSQL, accountsByIDSQL,
		rolesOfAccountSQL, offersSQL, rolesInSQL, rolesEverywhereSQL, erasuresSQL, mandatesSQL,
		accountActiveSQL, roleHeldSQL, organizationActiveSQL, jobSQL, modelPositionSQL,
	}
	texts = append(append(texts, pcnStatements()...), ownerStatements()...)
	texts = append(texts, statsStatements()...)
	texts = append(texts, buildingLotsSQL, lotPlaceSQL, ownershipsOfLotSQL, ownershipsOfOwnerSQL,
		lotsOfOwnerSQL, zonesOfOwnerSQL, buildingOwnersSQL, ownershipPlaceSQL,
		ownershipAnywhereSQL, holdingsSQL, ownerStandsSQL, buildingChargesSQL, dueChargesSQL,
		suppliersSQL, divisionSQL, ownerSharesSQL, ownerChargesSQL, ownerDueSQL)
	for _, span := range []Span{In(uuid.Nil), Everywhere()} {
		keys, _ := keysSQL(span, uuid.Max, []uuid.UUID{})
		texts = append(texts, keys)
	}
	for _, made := range []func() ([]string, error){sourceStatements, eventStatements} {
		more, err := made()
		if err != nil {
			return nil, err
		}
		texts = append(texts, more...)
	}
	return texts, nil
}

// sourceStatements are those of every source, its lists without a filter and with all of them.
func sourceStatements() ([]string, error) {
	none, yes, least := func(*conditions) {}, true, events.Money(1)
	ids := []uuid.UUID{}
	buildings := BuildingList{City: "x", Country: "x", Q: "x", Only: ids}
	lots := LotList{Building: uuid.Max, Type: "x", Buildings: ids, Only: ids}
	charges := ChargeList{
		Building: uuid.Max, Category: "x", PaymentStatus: "x", ApprovalStatus: "x",
		From: "2026-01-01", To: "2026-01-01", Least: &least, Most: &least, Supplier: "x",
		Account: "x", Buildings: ids, Only: ids,
	}
	organizations := OrganizationList{Q: "x", Plan: "x", IsActive: &yes}
	var all []string
	for _, of := range []struct {
		statements func(...func(*conditions)) ([]string, error)
		filters    []func(*conditions)
	}{
		{buildingSource.statements, []func(*conditions){none, buildings.filter}},
		{lotSource.statements, []func(*conditions){none, lots.filter}},
		{chargeSource.statements, []func(*conditions){none, charges.filter}},
		{organizationSource.statements, []func(*conditions){none, organizations.filter}},
		{keySource.statements, nil},
		{ownerSource.statements, nil},
	} {
		texts, err := of.statements(of.filters...)
		if err != nil {
			return nil, err
		}
		all = append(all, texts...)
	}
	return all, nil
}

func eventStatements() (texts []string, err error) {
	filter := LogFilter{
		Building: uuid.Max, Type: "x", Actor: uuid.Max, From: time.Unix(1, 0),
		Stream: events.Stream{Category: "x"}, Before: time.Unix(1, 0), After: 1,
		Within: []Within{
			{Buildings: []uuid.UUID{uuid.Max}, From: time.Unix(1, 0), Before: time.Unix(1, 0)}, {},
		},
	}
	for _, f := range []LogFilter{{}, filter} {
		for _, page := range pagesOf([]string{"position"}) {
			if page.After != nil {
				page.After = []byte("1")
			}
			rows, _, err := eventRows(f.conditions(), page)
			if err != nil {
				return nil, err
			}
			texts = append(texts, rows)
		}
	}
	return texts, nil
}

// pagesOf are first and later pages in every order.
func pagesOf(sorts []string) []Page {
	var pages []Page
	for _, sort := range sorts {
		for _, descending := range []bool{false, true} {
			page := Page{Number: 1, Size: 1, Sort: sort, Descending: descending}
			pages = append(pages, page)
			page.After = []byte(`{"v":"1","i":"x"}`)
			pages = append(pages, page)
		}
	}
	return pages
}
