package projections_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/koprogo/koprogo/events"
	"github.com/koprogo/koprogo/eventstore"
	"github.com/koprogo/koprogo/projections"
)

// recountSQL is what a scope's row of read.charge_figures must say, counted from the charges: the
// whole organization, or one building where $2 names it.
const recountSQL = `
with counted as (
  select *, case kind when 'credit_note' then -gross else gross end as amount,
         approval_status <> 'rejected' and payment_status <> 'cancelled' as counts
    from read.charges where organization_id = $1 and ($2 = $1 or building_id = $2)
), months as (
  select to_char(date, 'YYYY-MM') as month, sum(amount) as amount from counted where counts
   group by 1 having sum(amount) <> 0
)
select concat_ws(' ',
  count(*) filter (where payment_status = 'pending'),
  coalesce(sum(amount) filter (where payment_status = 'pending'), 0),
  coalesce(sum(amount) filter (where counts and payment_status = 'paid'), 0),
  coalesce(sum(amount) filter (where counts and payment_status <> 'paid'), 0),
  (select count(distinct s.owner) from counted c
     join read.divisions d on d.organization_id = c.organization_id and d.id = c.id,
          unnest(d.owners, d.amounts) as s (owner, amount)
    where c.payment_status = 'overdue' and s.amount > 0
      and s.owner <> '00000000-0000-0000-0000-000000000000'),
  (select string_agg(month || '=' || amount, ',' order by month) from months))
  from counted`

// keptSQL is what the row says.
const keptSQL = `
select coalesce((select concat_ws(' ', pending, pending_amount, paid, unpaid, overdue_owners,
  (select string_agg(m ->> 'month' || '=' || (m ->> 'amount'), ',' order by m ->> 'month')
     from json_array_elements(months) m where (m ->> 'amount') <> '0'))
  from read.charge_figures where organization_id = $1 and id = $2), '0 0 0 0 0')`

// Figures of charges are what counting the charges gives, after every kind of fact in any order, on
// the way, in a rebuild and at an earlier moment.
func TestFiguresOfChargesAreWhatCountingGives(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	travel := projections.NewTravel(w.Store)
	rapid.Check(t, func(t *rapid.T) {
		organization := newID()
		buildings, owners := []uuid.UUID{newID(), newID()}, []uuid.UUID{newID(), newID(), newID()}
		var charges []uuid.UUID
		for range rapid.IntRange(1, 25).Draw(t, "n") {
			content := drawCharge(t, rapid.SampledFrom(buildings).Draw(t, "building"))
			if len(charges) == 0 || rapid.IntRange(0, 3).Draw(t, "new") == 0 {
				charges = append(charges, newID())
				w.Append(t, organization, chargeStream(charges[len(charges)-1]),
					events.ChargeDrafted{Content: content})
			}
			w.Append(t, organization, chargeStream(rapid.SampledFrom(charges).Draw(t, "which")),
				drawChargeFact(t, content, owners))
			if rapid.Bool().Draw(t, "follow") {
				w.catchUp(t)
			}
		}
		w.catchUp(t)
		check := func() {
			for _, scope := range append(buildings, organization) {
				require.Equal(t, w.text(t, recountSQL, organization, scope),
					w.text(t, keptSQL, organization, scope))
			}
		}
		check()
		require.NoError(t,
			projections.Rebuild(context.Background(), w.Store, projections.Charges, nil))
		check()
		looked, err := projections.Compare(context.Background(), w.Store, projections.Charges,
			organization, nil)
		require.NoError(t, err)
		require.Empty(t, looked.Differences)
		streams := make([]events.Stream, len(charges))
		for i, id := range charges {
			streams[i] = chargeStream(id)
		}
		past, err := travel.At(context.Background(), organization,
			projections.Scope{Streams: streams}, w.Heads[organization])
		require.NoError(t, err)
		was, _ := projections.ChargeFigureTable.Of(past, organization)
		require.Equal(t, was, w.chargeFigures(t, organization))
	})
}

func (w *world) chargeFigures(
	t require.TestingT, organization uuid.UUID,
) projections.ChargeFigureRow {
	rows, err := w.admin.Query(context.Background(), "select "+
		projections.ChargeFigureTable.Columns()+` from read.charge_figures
		where organization_id = $1 and id = $1`, organization)
	require.NoError(t, err)
	var found projections.ChargeFigureRow
	for rows.Next() {
		found, err = projections.ChargeFigureTable.Scan(rows)
		require.NoError(t, err)
	}
	require.NoError(t, rows.Err())
	return found
}

func drawCharge(t *rapid.T, building uuid.UUID) events.ChargeContent {
	content := chargeOf(building,
		rapid.SampledFrom([]string{"invoice", "invoice", "credit_note"}).Draw(t, "kind"),
		events.Money(rapid.IntRange(101, 1_000_000).Draw(t, "gross")))
	content.Date = rapid.SampledFrom([]events.Day{"2025-12-31", "2026-01-01", "2026-01-31"}).
		Draw(t, "date")
	return content
}

func drawChargeFact(
	t *rapid.T, content events.ChargeContent, owners []uuid.UUID,
) events.Event {
	approved := events.ChargeApproved{Building: content.Building}
	for range rapid.IntRange(1, 4).Draw(t, "lots") {
		approved.Lots = append(approved.Lots, events.ChargeLot{
			LotID: newID(), Amount: content.Gross, Owners: []events.ChargeOwner{{
				OwnerID: rapid.SampledFrom(owners).Draw(t, "owner"),
				Amount:  events.Money(rapid.IntRange(-5, 5).Draw(t, "amount")),
			}},
		})
	}
	building := content.Building
	return rapid.SampledFrom([]events.Event{
		events.ChargeAmended{Content: content},
		events.ChargeRemoved{Building: building},
		events.ChargeSubmitted{Building: building},
		events.ChargeCancelled{Building: building},
		events.ChargeRejected{Building: building, Reason: events.PersonalText("no")},
		approved,
		approved,
		events.ChargePaid{Building: building, PaidOn: "2026-03-01"},
		events.ChargeUnpaid{Building: building},
		events.ChargeReactivated{Building: building},
		events.ChargeFellOverdue{Building: building},
		events.ChargeFellOverdue{Building: building},
	}).Draw(t, "what")
}

// recountLotsSQL is what the lots of a building come to, counted from lots and ownerships on a day.
const recountLotsSQL = `
select concat_ws(' ', count(*), coalesce(sum(l.shares), 0), count(*) filter (where not exists (
  select from read.ownerships o where o.organization_id = l.organization_id and o.lot_id = l.id
     and o.from_day <= $3::text::date and (o.to_day is null or o.to_day >= $3::text::date))))
  from read.lots l where l.organization_id = $1 and l.building_id = $2`

const keptLotsSQL = `
select concat_ws(' ', lots, shares, vacant + (select count(*) from read.dated_lots d
  where d.organization_id = $1 and d.building_id = $2
    and not d.held::datemultirange @> $3::text::date))
  from read.lot_figures where organization_id = $1 and id = $2`

// Vacant lots are what the ownerships say on today's day and on later ones, however they were
// dated.
func TestFiguresOfLotsAreWhatCountingGives(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	now := time.Now().UTC()
	days := make([]events.Day, 0, 5)
	for _, ahead := range []int{-400, -2, 2, 30, 400} {
		days = append(days, events.Day(now.AddDate(0, 0, ahead).Format(time.DateOnly)))
	}
	rapid.Check(t, func(t *rapid.T) {
		organization, building := newID(), newID()
		w.Append(t, organization, buildingStream(building), registered("A"))
		var lots []uuid.UUID
		var held []events.OwnershipStarted
		for i := range rapid.IntRange(1, 25).Draw(t, "n") {
			if len(lots) == 0 || rapid.IntRange(0, 4).Draw(t, "new") == 0 {
				lots = append(lots, newID())
				w.Append(t, organization, buildingStream(building),
					lot(lots[len(lots)-1], fmt.Sprint("A", i)))
			}
			in := rapid.SampledFrom(lots).Draw(t, "lot")
			w.Append(t, organization, buildingStream(building),
				drawLotFact(t, in, &held, rapid.SampledFrom(days).Draw(t, "day")))
			if rapid.Bool().Draw(t, "follow") {
				w.catchUp(t)
			}
		}
		w.catchUp(t)
		check := func() {
			for _, ahead := range []int{0, 1, 3, 31, 401} {
				day := now.AddDate(0, 0, ahead).Format(time.DateOnly)
				require.Equal(t, w.text(t, recountLotsSQL, organization, building, day),
					w.text(t, keptLotsSQL, organization, building, day), day)
			}
		}
		check()
		require.NoError(t,
			projections.Rebuild(context.Background(), w.Store, projections.Lots, nil))
		check()
		looked, err := projections.Compare(context.Background(), w.Store, projections.Lots,
			organization, nil)
		require.NoError(t, err)
		require.Empty(t, looked.Differences)
	})
}

func drawLotFact(
	t *rapid.T, in uuid.UUID, held *[]events.OwnershipStarted, day events.Day,
) events.Event {
	begun := events.OwnershipStarted{
		OwnershipID: newID(), LotID: in, OwnerID: newID(), Fraction: fraction(t, "1/3"),
		Right: "full", From: day,
	}
	facts := []events.Event{
		begun,
		events.LotDescribed{LotID: in, Number: "B", Type: "cellar", SortKey: "1"},
		events.LotSharesAmended{LotID: in, Shares: 5, From: day},
		events.LotRemoved{LotID: in},
	}
	for _, of := range *held {
		if of.LotID == in {
			facts = append(facts,
				events.OwnershipEnded{OwnershipID: of.OwnershipID, LotID: in, To: day},
				events.OwnershipEnded{OwnershipID: of.OwnershipID, LotID: in, To: day},
				events.OwnershipContactNamed{OwnershipID: of.OwnershipID, LotID: in})
			break
		}
	}
	fact := rapid.SampledFrom(facts).Draw(t, "what")
	if _, begins := fact.(events.OwnershipStarted); begins {
		*held = append(*held, begun)
	}
	return fact
}

func TestTotalsOfTheWholePlatform(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	organization, account := newID(), newID()
	own := organizationStream(organization)
	w.Append(t, organization, own, founded("Gestion"))
	w.Append(t, uuid.Nil, accountStream(account), opened(account, "Ann"))
	total := func(organization uuid.UUID, resource string) string {
		w.catchUp(t)
		return w.text(t, `select coalesce((select n::text from read.totals
			where organization_id = $1 and resource = $2), '')`, organization, resource)
	}
	require.Equal(t, "1", total(organization, "organizations"))
	require.Equal(t, "1", total(organization, "active_organizations"))
	require.Equal(t, "1", total(uuid.Nil, "accounts"))
	for range 2 { // the second time changes nothing
		w.Append(t, organization, own, events.OrganizationSuspended{})
		require.Equal(t, "0", total(organization, "active_organizations"))
	}
	w.Append(t, organization, own, events.OrganizationReinstated{})
	require.Equal(t, "1", total(organization, "active_organizations"))
	require.Equal(t, "1", total(organization, "organizations"))
	w.Append(t, uuid.Nil, accountStream(account), events.AccountClosed{})
	require.Equal(t, "0", total(uuid.Nil, "accounts"))

	owner := newID()
	stream := events.Stream{Category: events.OwnerCategory, ID: owner}
	w.Append(t, organization, stream, events.OwnerRegistered{OwnerID: owner})
	require.Equal(t, "1", total(organization, "owners"))
	w.Append(t, organization, stream, events.OwnerRemoved{})
	require.Equal(t, "0", total(organization, "owners"))
}

// A lot whose owner left on a day ahead is vacant once that day is over, and is counted out as it
// was counted in, though the calendar went on.
func TestVacantLotsFollowTheCalendar(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	now := time.Now()
	var err error
	w.Store, err = eventstore.Open(t.Context(), eventstore.Config{
		URL: w.Clone.URL, MasterKey: [32]byte{7}, Clock: func() time.Time { return now },
	})
	require.NoError(t, err)
	t.Cleanup(w.Store.Close)
	organization, building, id := newID(), newID(), newID()
	held := events.OwnershipStarted{
		OwnershipID: newID(), LotID: id, OwnerID: newID(), Fraction: fraction(t, "1/1"),
		Right: "full", From: "2020-01-01",
	}
	day := func(ahead int) string { return now.AddDate(0, 0, ahead).Format(time.DateOnly) }
	w.Append(t, organization, buildingStream(building), registered("A"), lot(id, "A1"), held,
		events.OwnershipEnded{
			OwnershipID: held.OwnershipID, LotID: id, To: events.Day(day(3)),
		})
	kept := func(ahead int) string {
		w.catchUp(t)
		return w.text(t, keptLotsSQL, organization, building, day(ahead))
	}
	require.Contains(t, kept(3), " 0", "owned on the last day")
	require.Regexp(t, " 1$", kept(4))
	now = now.AddDate(0, 0, 10)
	require.Regexp(t, " 1$", kept(0), "nothing happened but that days passed")
	w.Append(t, organization, buildingStream(building),
		events.LotSharesAmended{LotID: id, Shares: 7})
	require.Equal(t, "1 7 1", kept(0))
	w.Append(t, organization, buildingStream(building), events.LotRemoved{LotID: id})
	require.Equal(t, "0 0 0", kept(0))
}
