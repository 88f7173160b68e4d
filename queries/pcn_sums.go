package queries

import (
	"strings"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/koprogo/koprogo/events"
	"github.com/koprogo/koprogo/projections"
)

// A report is added up in two places that say the same: by PostgreSQL from the read model, and
// here from the rows of an earlier moment. A test compares them.

// sums adds up the entries that the report counts.
func (a PCNAsked) sums(entries []projections.EntryRow) ([]pcnSum, error) {
	type counted struct {
		key    string
		charge uuid.UUID
	}
	places, seen, sums := map[string]int{}, map[counted]bool{}, []pcnSum{}
	for i := range entries {
		entry := &entries[i]
		if !a.counts(entry) {
			continue
		}
		key := entry.AccountCode
		if a.Profile == PCNByCategory {
			key = string(entry.Category)
		}
		place, known := places[key]
		if !known {
			place = len(sums)
			places[key], sums = place, append(sums, pcnSum{Key: key})
		}
		sum := &sums[place]
		var err error
		if sum.Amount, err = sum.Amount.Plus(entry.Amount); err != nil {
			return nil, err
		}
		if of := (counted{key, entry.ChargeID}); !seen[of] {
			seen[of] = true
			sum.Charges++
		}
	}
	return sums, nil
}

// counts tells whether an entry is of this report.
func (a PCNAsked) counts(entry *projections.EntryRow) bool {
	date := dayOf(entry.Date.Time)
	if entry.BuildingID != a.Building || a.From != "" && date < a.From ||
		a.To != "" && date > a.To || entry.PaymentStatus == "cancelled" {
		return false
	}
	switch a.Status {
	case PCNAll:
		return entry.ApprovalStatus != "rejected"
	case PCNPaid:
		return entry.ApprovalStatus == "approved" && entry.PaymentStatus == "paid" &&
			(a.To == "" || entry.PaidOn.Valid && dayOf(entry.PaidOn.Time) <= a.To)
	}
	return entry.ApprovalStatus == "approved"
}

// conditions are counts in SQL.
func (a PCNAsked) conditions() conditions {
	var c conditions
	c.add("organization_id = ?", a.Organization)
	c.add("building_id = ?", a.Building)
	c.add("payment_status <> 'cancelled'")
	if a.From != "" {
		c.add("date >= ?::text::date", string(a.From))
	}
	if a.To != "" {
		c.add("date <= ?::text::date", string(a.To))
	}
	switch a.Status {
	case PCNAll:
		c.add("approval_status <> 'rejected'")
		return c
	case PCNPaid:
		c.add("payment_status = 'paid'")
		if a.To != "" {
			c.add("paid_on <= ?::text::date", string(a.To))
		}
	}
	c.add("approval_status = 'approved'")
	return c
}

// sql adds up in PostgreSQL. One statement sees one moment, so that the position is exactly that
// of the sums. Without entries there is one row whose key is null.
func (a PCNAsked) sql() (string, []any) {
	c := a.conditions()
	key, charges := "account_code", "count(*)" // an entry is all of a charge on an account
	if a.Profile == PCNByCategory {
		key, charges = "category", "count(distinct charge_id)"
	}
	checkpoint := conditions{args: c.args}
	checkpoint.add("organization_id = ?", a.Organization)
	checkpoint.add("projection = ?", projections.Charges.Name)
	return `select at.position, sums.key, coalesce(sums.amount, 0), coalesce(sums.charges, 0)
  from (select coalesce((select position from read.checkpoints` + checkpoint.where() +
		`), 0) as position) at
  left join (select ` + key + ` as key, sum(amount)::bigint as amount, ` + charges + ` as charges
               from read.pcn_entries ` + strings.TrimSpace(c.where()) + `
              group by ` + key + `) sums on true`, checkpoint.args
}

func scanPCN(rows pgx.Rows) (position int64, sums []pcnSum, err error) {
	var key *string
	var amount events.Money
	var charges int64
	_, err = pgx.ForEachRow(rows, []any{&position, &key, &amount, &charges}, func() error {
		if key != nil {
			sums = append(sums, pcnSum{*key, amount, charges})
		}
		return nil
	})
	return position, sums, err
}

// pcnStatements are the SQL texts of reports in every shape.
func pcnStatements() []string {
	var texts []string
	for _, profile := range []string{PCNByCategory, PCNByChart} {
		for _, status := range []string{PCNApproved, PCNPaid, PCNAll} {
			for _, period := range [][2]events.Day{{}, {"2026-01-01", "2026-12-31"}} {
				asked := PCNAsked{
					Profile: profile, Status: status, From: period[0], To: period[1],
				}
				text, _ := asked.sql()
				texts = append(texts, text)
			}
		}
	}
	return texts
}
