package projections_test

import (
	"context"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/koprogo/koprogo/events"
	"github.com/koprogo/koprogo/projections"
)

func chargeStream(id uuid.UUID) events.Stream {
	return events.Stream{Category: events.ChargeCategory, ID: id}
}

// chargeOf is a charge of two lines on two accounts.
func chargeOf(building uuid.UUID, kind string, gross events.Money) events.ChargeContent {
	return events.ChargeContent{
		Building: building, Kind: kind, Category: events.CategoryWorks,
		Description: events.PersonalText("Toiture"), Date: "2026-03-10", DueDate: "2026-04-10",
		Priced: events.PricedLines, Net: gross, Gross: gross,
		Lines: []events.ChargeLine{
			{
				Description: events.PersonalText("Tuiles"), Quantity: 10_000, Net: gross - 100,
				Gross: gross - 100, AccountCode: "6111",
			},
			{Quantity: 10_000, Net: 100, Gross: 100, AccountCode: "6109", OwnAccount: true},
		},
	}
}

func dayOf(t require.TestingT, text string) pgtype.Date {
	var day pgtype.Date
	require.NoError(t, day.Scan(text))
	return day
}

func TestChargeRows(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	organization, id, building, supplier := newID(), newID(), newID(), newID()
	lots, owner, account := []uuid.UUID{newID(), newID()}, newID(), newID()
	entered := w.Append(t, organization,
		events.Stream{Category: events.SupplierCategory, ID: supplier},
		events.SupplierNamed{SupplierID: supplier, Name: events.PersonalText("Vivaqua")})
	content := chargeOf(building, events.KindCreditNote, 12100)
	content.SupplierID = supplier
	first := w.Append(t, organization, chargeStream(id), events.ChargeDrafted{Content: content})
	second := w.Append(t, organization, chargeStream(id),
		events.ChargeSubmitted{Building: building, SubmittedBy: account})
	third := w.Append(t, organization, chargeStream(id), events.ChargeApproved{
		Building: building, ApprovedBy: account, Total: -12100,
		Lots: []events.ChargeLot{
			{LotID: lots[0], Part: 600_000, Amount: -7260, Owners: []events.ChargeOwner{
				{OwnershipID: newID(), OwnerID: owner, Part: 600_000, Amount: -7260},
			}},
			{LotID: lots[1], Part: 400_000, Amount: -4840},
		},
	})
	w.catchUp(t)

	t.Run("a charge's row holds sealed texts and moves with the charge", func(t *testing.T) {
		row := loadRow(t, w, projections.ChargeTable.Columns(), "charges", id,
			projections.ChargeTable.Scan)
		require.NotContains(t, row.Description, "Toiture")
		require.NotContains(t, row.LineTexts[0], "Tuiles")
		require.Empty(t, row.LineTexts[1])
		row.Description, row.LineTexts = "", nil
		submitted, approved := second.RecordedAt.UTC(), third.RecordedAt.UTC()
		require.True(t, submitted.Equal(*row.SubmittedAt))
		require.True(t, approved.Equal(*row.ApprovedAt))
		row.SubmittedAt, row.ApprovedAt = nil, nil
		require.Equal(t, projections.ChargeRow{
			OrganizationID: organization, ID: id, Version: 3, Position: third.Position,
			BuildingID: building, Kind: "credit_note", Category: "works",
			Date: dayOf(t, "2026-03-10"), DueDate: dayOf(t, "2026-04-10"),
			ApprovalStatus: "approved", PaymentStatus: "pending", SupplierID: &supplier,
			Priced: "lines", Net: 12100, Gross: 12100,
			Lines: []projections.ChargeLine{
				{Quantity: 10_000, Net: 12000, Gross: 12000, AccountCode: "6111"},
				{Quantity: 10_000, Net: 100, Gross: 100, AccountCode: "6109", OwnAccount: true},
			},
			SubmittedBy: &account, ApprovedBy: &account, CreatedAt: first.RecordedAt,
			UpdatedAt: third.RecordedAt,
		}, row)
	})
	t.Run("its division holds what each owner bears, signed", func(t *testing.T) {
		row := loadRow(t, w, projections.DivisionTable.Columns(), "divisions", id,
			projections.DivisionTable.Scan)
		require.Equal(t, dayOf(t, "2026-03-10"), row.Date)
		require.False(t, row.Cancelled)
		require.Equal(t, []projections.Share{
			{
				ID: projections.ShareID(id, 0), ChargeID: id, LotID: lots[0], OwnerID: owner,
				Part: 600_000, Amount: -7260, CreatedAt: third.RecordedAt,
			},
			{
				ID: projections.ShareID(id, 1), ChargeID: id, LotID: lots[1], Part: 400_000,
				Amount: -4840, CreatedAt: third.RecordedAt,
			},
		}, row.Shares())
	})
	t.Run("a cancelled charge's division is not due", func(t *testing.T) {
		w.Append(t, organization, chargeStream(id), events.ChargeCancelled{Building: building})
		w.catchUp(t)
		cancelled := func() bool {
			return loadRow(t, w, projections.DivisionTable.Columns(), "divisions", id,
				projections.DivisionTable.Scan).Cancelled
		}
		require.True(t, cancelled())
		w.Append(t, organization, chargeStream(id), events.ChargeReactivated{Building: building})
		w.catchUp(t)
		require.False(t, cancelled())
	})
	t.Run("it has an entry for each account, negative for a credit note", func(t *testing.T) {
		require.Equal(t, "6109 -100 approved pending\n6111 -12000 approved pending",
			w.text(t, `select string_agg(format('%s %s %s %s', account_code, amount,
				approval_status, payment_status), E'\n' order by account_code)
			  from read.pcn_entries where organization_id = $1 and charge_id = $2`,
				organization, id))
	})
	t.Run("a supplier's row holds his sealed name", func(t *testing.T) {
		row := loadRow(t, w, projections.SupplierTable.Columns(), "suppliers", supplier,
			projections.SupplierTable.Scan)
		require.NotContains(t, row.Name, "Vivaqua")
		row.Name = ""
		require.Equal(t, projections.SupplierRow{
			OrganizationID: organization, ID: supplier, Position: entered.Position,
			CreatedAt: entered.RecordedAt,
		}, row)
	})
	t.Run("amended to other accounts it leaves no entry behind", func(t *testing.T) {
		other := newID()
		w.Append(t, organization, chargeStream(other),
			events.ChargeDrafted{Content: chargeOf(building, events.KindInvoice, 5000)})
		changed := chargeOf(building, events.KindInvoice, 5000)
		changed.Lines[0].AccountCode = "61210"
		w.Append(t, organization, chargeStream(other), events.ChargeAmended{Content: changed})
		w.catchUp(t)
		entries := func() string {
			return w.text(t, `select coalesce(string_agg(account_code, ' ' order by account_code),
				'') from read.pcn_entries where organization_id = $1 and charge_id = $2`,
				organization, other)
		}
		require.Equal(t, "6109 61210", entries())
		w.Append(t, organization, chargeStream(other), events.ChargeRemoved{Building: building})
		w.catchUp(t)
		require.Empty(t, entries())
		require.Equal(t, "1", w.text(t, `select n::text from read.totals
			where organization_id = $1 and resource = 'charges'`, organization))
	})
}

func (w *world) text(t require.TestingT, sql string, args ...any) (text string) {
	require.NoError(t, w.admin.QueryRow(context.Background(), sql, args...).Scan(&text))
	return text
}

func TestKeyRows(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	organization, id, building := newID(), newID(), newID()
	stream := events.Stream{Category: events.KeyCategory, ID: id}
	weights := []events.KeyWeight{{LotID: newID(), Weight: 1000}}
	first := w.Append(t, organization, stream, events.KeyDeclared{
		Building: building, Name: "Lift", Base: 1000, ValidFrom: "2026-01-01", Weights: weights,
	})
	last := w.Append(t, organization, stream, events.KeyVersioned{
		Building: building, Name: "Ascenseur", Base: 1000, ValidFrom: "2025-01-01",
		Weights: weights,
	})
	w.catchUp(t)
	row := loadRow(t, w, projections.KeyTable.Columns(), "keys", id, projections.KeyTable.Scan)
	require.Equal(t, projections.KeyRow{
		OrganizationID: organization, ID: id, Version: 2, Position: last.Position,
		BuildingID: building, Name: "Lift", Versions: []projections.KeyVersion{
			{Name: "Ascenseur", Base: 1000, ValidFrom: "2025-01-01", Weights: weights},
			{Name: "Lift", Base: 1000, ValidFrom: "2026-01-01", Weights: weights},
		},
		CreatedAt: first.RecordedAt, UpdatedAt: last.RecordedAt,
	}, row)
}

func TestRebuiltChargesEqualLiveOnes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	building := newID()
	rapid.Check(t, func(t *rapid.T) {
		organization := newID()
		var charges []uuid.UUID
		for range rapid.IntRange(1, 20).Draw(t, "n") {
			content := chargeOf(building,
				rapid.SampledFrom([]string{"invoice", "credit_note"}).Draw(t, "kind"),
				events.Money(rapid.IntRange(101, 1_000_000).Draw(t, "gross")))
			content.Lines[0].AccountCode = rapid.SampledFrom([]string{"6111", "6109", "61210"}).
				Draw(t, "account")
			if len(charges) == 0 || rapid.IntRange(0, 3).Draw(t, "new") == 0 {
				charges = append(charges, newID())
				w.Append(t, organization, chargeStream(charges[len(charges)-1]),
					events.ChargeDrafted{Content: content})
			}
			w.Append(t, organization, chargeStream(rapid.SampledFrom(charges).Draw(t, "which")),
				rapid.SampledFrom([]events.Event{
					events.ChargeAmended{Content: content},
					events.ChargeRemoved{Building: building},
					events.ChargeSubmitted{Building: building},
					events.ChargeCancelled{},
					events.ChargeRejected{Reason: events.PersonalText("no")},
					events.ChargeApproved{Building: building, Lots: []events.ChargeLot{
						{LotID: newID(), Amount: content.Gross},
					}},
					events.ChargePaid{PaidOn: "2026-03-01"},
					events.ChargeUnpaid{},
					events.ChargeReactivated{},
					events.ChargeFellOverdue{},
				}).Draw(t, "what"))
			if rapid.Bool().Draw(t, "follow") {
				w.catchUp(t)
			}
		}
		w.catchUp(t)
		dump := func() (all []string) {
			for _, table := range []string{"charges", "divisions", "pcn_entries"} {
				all = append(all, w.text(t, `select coalesce(string_agg(to_json(x)::text, E'\n'
					order by id), '') from read.`+table+` x where organization_id = $1`,
					organization))
			}
			return all
		}
		live := dump()
		require.NoError(t,
			projections.Rebuild(context.Background(), w.Store, projections.Charges, nil))
		require.Equal(t, live, dump())
	})
}
