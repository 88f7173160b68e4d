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
		accountActiveSQL, roleHeldSQL, organizationActiveSQL, jobSQL, organizationSQL,
	}
	for _, span := range []Span{In(uuid.Nil), Everywhere()} {
		text, _ := buildingSQL(span, uuid.Nil)
		texts = append(texts, text)
		for _, page := range pagesOf(BuildingSorts) {
			for _, l := range []BuildingList{
				{Span: span, Page: page},
				{
					Span: span, Page: page, City: "x", Country: "x", Q: "x",
					Only: []uuid.UUID{},
				},
			} {
				rows, _, err := l.rows()
				if err != nil {
					return nil, err
				}
				total, _ := l.total()
				texts = append(texts, rows, total)
			}
		}
	}
	active := true
	for _, page := range pagesOf(OrganizationSorts) {
		for _, l := range []OrganizationList{
			{Page: page}, {Page: page, Q: "x", Plan: "x", IsActive: &active},
		} {
			rows, _, err := l.rows()
			if err != nil {
				return nil, err
			}
			texts = append(texts, rows)
		}
	}
	texts = append(texts, pcnStatements()...)
	texts, err := lotStatements(append(texts, ownerStatements()...))
	if err != nil {
		return nil, err
	}
	texts, err = chargeStatements(texts)
	if err != nil {
		return nil, err
	}
	return eventStatements(texts)
}

func lotStatements(texts []string) ([]string, error) {
	for _, span := range []Span{In(uuid.Nil), Everywhere()} {
		text, _ := lotSQL(span, uuid.Nil)
		texts = append(texts, text)
		for _, page := range pagesOf(LotSorts) {
			for _, l := range []LotList{
				{Span: span, Page: page},
				{
					Span: span, Page: page, Building: uuid.Max, Type: "x",
					Buildings: []uuid.UUID{}, Only: []uuid.UUID{},
				},
			} {
				rows, _, err := l.rows()
				if err != nil {
					return nil, err
				}
				total, _ := l.total()
				texts = append(texts, rows, total)
			}
		}
	}
	return append(texts, buildingLotsSQL, lotPlaceSQL, lotAnywhereSQL, ownershipsOfLotSQL,
		ownershipsOfOwnerSQL, lotsOfOwnerSQL, zonesOfOwnerSQL, buildingOwnersSQL,
		ownershipPlaceSQL, ownershipAnywhereSQL, holdingsSQL, ownerStandsSQL), nil
}

func eventStatements(texts []string) ([]string, error) {
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

func chargeStatements(texts []string) ([]string, error) {
	texts = append(texts, buildingChargesSQL, chargeAnywhereSQL, dueChargesSQL, suppliersSQL,
		divisionSQL, ownerSharesSQL, ownerChargesSQL, ownerDueSQL)
	least := events.Money(1)
	for _, span := range []Span{In(uuid.Nil), Everywhere()} {
		key, _ := keySQL(span, uuid.Nil)
		keys, _ := keysSQL(span, uuid.Max, []uuid.UUID{})
		charge, _ := chargeSQL(span, uuid.Nil)
		texts = append(texts, key, keys, charge)
		for _, page := range pagesOf(ChargeSorts) {
			for _, l := range []ChargeList{
				{Span: span, Page: page},
				{
					Span: span, Page: page, Building: uuid.Max, Category: "x", PaymentStatus: "x",
					ApprovalStatus: "x", From: "2026-01-01", To: "2026-01-01", Least: &least,
					Most: &least, Supplier: "x", Account: "x", Buildings: []uuid.UUID{},
					Only: []uuid.UUID{},
				},
			} {
				rows, _, err := l.rows()
				if err != nil {
					return nil, err
				}
				total, _ := l.total()
				texts = append(texts, rows, total)
			}
		}
	}
	return texts, nil
}
