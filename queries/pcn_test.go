package queries_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/koprogo/koprogo/events"
	"github.com/koprogo/koprogo/eventstore"
	"github.com/koprogo/koprogo/queries"
)

// charged is a charge whose lines are cents on accounts: charged(b, works, day, "6111", 100, …).
func charged(
	building uuid.UUID, category events.Category, day events.Day, lines ...any,
) events.ChargeContent {
	content := events.ChargeContent{
		Building: building, Kind: events.KindInvoice, Category: category, Date: day,
		Description: events.PersonalText("Facture"), Priced: events.PricedLines,
	}
	for i := 0; i+1 < len(lines); i += 2 {
		amount := events.Money(lines[i+1].(int))
		content.Lines = append(content.Lines, events.ChargeLine{
			AccountCode: lines[i].(string), Net: amount, Gross: amount, Quantity: 10_000,
		})
		content.Gross += amount
	}
	content.Net = content.Gross
	return content
}

// charge drafts a charge; what follows happens to it.
func (w *world) charge(
	t require.TestingT, organization uuid.UUID, content events.ChargeContent,
	then ...events.Event,
) eventstore.Receipt {
	facts := append([]events.Event{events.ChargeDrafted{Content: content}}, then...)
	return w.append(t, organization, stream(events.ChargeCategory, newID()), facts...)
}

// approved are the facts of an approval.
func approved(building uuid.UUID) []events.Event {
	return []events.Event{
		events.ChargeSubmitted{Building: building}, events.ChargeApproved{Building: building},
	}
}

// reported is a report in short: "610 Travaux 12.10 ×1".
func reported(t *testing.T, w *world, asked queries.PCNAsked) []string {
	t.Helper()
	report, err := w.reader.PCN(t.Context(), asked)
	require.NoError(t, err)
	lines, total, charges := []string{}, events.Money(0), int64(0)
	for _, line := range report.Lines {
		lines = append(lines, fmt.Sprintf("%s %s %s ×%d",
			line.Code, line.Labels.FR, line.Amount, line.Charges))
		total, charges = total+line.Amount, charges+line.Charges
	}
	require.Equal(t, total, report.Total, "the total is that of the lines")
	require.Equal(t, charges, report.Charges)
	require.True(t, slices.IsSortedFunc(report.Lines, func(a, b queries.PCNLine) int {
		return strings.Compare(a.Code, b.Code)
	}), "lines stand by code")
	return lines
}

func TestPCN(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	organization, id := newID(), newID()
	w.append(t, organization, buildingStream(id), registered("Canal"))
	ask := func(change func(*queries.PCNAsked)) queries.PCNAsked {
		asked := queries.PCNAsked{
			Organization: organization, Building: id, Profile: queries.PCNByCategory,
			Status: queries.PCNApproved,
		}
		change(&asked)
		return asked
	}
	plain := ask(func(*queries.PCNAsked) {})

	t.Run("a building without charges has no lines and no total", func(t *testing.T) {
		report, err := w.reader.PCN(t.Context(), plain)
		require.NoError(t, err)
		require.Equal(t, []queries.PCNLine{}, report.Lines)
		require.Zero(t, report.Total)
		require.Zero(t, report.Charges)
		require.EqualValues(t, 1, report.Position)
		require.Equal(t, "Canal", report.Building.Name)
		require.WithinDuration(t, time.Now(), report.GeneratedAt, time.Minute)
	})

	paid := func(day events.Day) []events.Event {
		return append(approved(id), events.ChargePaid{Building: id, PaidOn: day})
	}
	w.charge(t, organization, charged(id, events.CategoryWorks, "2026-01-10",
		"6111", 100_00, "6109", 21_00, "6111", 1), approved(id)...)
	w.charge(t, organization, charged(id, events.CategoryWorks, "2026-03-31", "6111", 50_00),
		paid("2026-04-02")...)
	credit := charged(id, events.CategoryMaintenance, "2026-02-01", "6109", 10_00)
	credit.Kind = events.KindCreditNote
	w.charge(t, organization, credit, paid("2026-02-03")...)
	before := w.charge(t, organization, charged(id, events.CategoryOther, "2026-02-02", "6166", 7))
	w.charge(t, organization, charged(id, events.CategoryOther, "2026-02-03", "6166", 3),
		events.ChargeSubmitted{Building: id})
	w.charge(t, organization, charged(id, events.CategoryOther, "2026-02-02", "6166", 999_99),
		events.ChargeSubmitted{Building: id}, events.ChargeRejected{Building: id})
	w.charge(t, organization, charged(id, events.CategoryOther, "2026-02-02", "6166", 888_88),
		append(approved(id), events.ChargeCancelled{Building: id})...)
	w.charge(t, organization, charged(id, events.CategoryOther, "2026-02-02", "6166", 777_77),
		events.ChargeRemoved{Building: id})
	w.charge(t, organization, charged(newID(), events.CategoryOther, "2026-02-02", "6166", 666_66),
		approved(id)...)

	t.Run("by category a charge counts once, whatever its accounts", func(t *testing.T) {
		require.Equal(t, []string{"610 Travaux 171.01 ×2", "611 Entretien -10.00 ×1"},
			reported(t, w, plain))
	})
	t.Run("by account it counts on each of its accounts", func(t *testing.T) {
		require.Equal(t, []string{
			"6109 Entretien - divers 11.00 ×2", "6111 Rénovation et transformation 150.01 ×2",
		}, reported(t, w, ask(func(a *queries.PCNAsked) { a.Profile = queries.PCNByChart })))
	})
	t.Run("the period is charge dates, both days included", func(t *testing.T) {
		for period, want := range map[[2]events.Day][]string{
			{"2026-01-10", "2026-01-10"}: {"610 Travaux 121.01 ×1"},
			{"2026-01-11", ""}:           {"610 Travaux 50.00 ×1", "611 Entretien -10.00 ×1"},
			{"", "2026-03-30"}:           {"610 Travaux 121.01 ×1", "611 Entretien -10.00 ×1"},
			{"2027-01-01", ""}:           {},
		} {
			require.Equal(t, want, reported(t, w, ask(func(a *queries.PCNAsked) {
				a.From, a.To = period[0], period[1]
			})), period)
		}
	})
	t.Run("paid means paid by the period's end", func(t *testing.T) {
		for to, want := range map[events.Day][]string{
			"":           {"610 Travaux 50.00 ×1", "611 Entretien -10.00 ×1"},
			"2026-04-02": {"610 Travaux 50.00 ×1", "611 Entretien -10.00 ×1"},
			"2026-04-01": {"611 Entretien -10.00 ×1"},
			"2026-02-02": {},
		} {
			require.Equal(t, want, reported(t, w, ask(func(a *queries.PCNAsked) {
				a.Status, a.To = queries.PCNPaid, to
			})), to)
		}
	})
	t.Run("all counts drafts and what waits, never what was rejected, cancelled or removed",
		func(t *testing.T) {
			require.Equal(t, []string{
				"610 Travaux 171.01 ×2", "611 Entretien -10.00 ×1", "619 Autres charges 0.10 ×2",
			}, reported(t, w, ask(func(a *queries.PCNAsked) { a.Status = queries.PCNAll })))
		})
	t.Run("an earlier moment shows what was recorded then", func(t *testing.T) {
		asked := ask(func(a *queries.PCNAsked) {
			a.Status, a.Moment = queries.PCNAll, queries.Moment{Position: before.Position}
		})
		require.Equal(t, []string{
			"610 Travaux 171.01 ×2", "611 Entretien -10.00 ×1", "619 Autres charges 0.07 ×1",
		}, reported(t, w, asked))
		report, err := w.reader.PCN(t.Context(), asked)
		require.NoError(t, err)
		require.Equal(t, before.Position, report.Position)
		asked.Moment.Position = 1
		require.Empty(t, reported(t, w, asked))
	})
	t.Run("a replay holds the report of that moment", func(t *testing.T) {
		replay, err := w.reader.BuildingReplay(t.Context(), organization, id,
			queries.Moment{Position: before.Position})
		require.NoError(t, err)
		require.EqualValues(t, 161_01, replay.PCN.Total)
		require.Equal(t, before.Position, replay.PCN.Position)
		require.Equal(t, replay.At, replay.PCN.GeneratedAt)
	})
	t.Run("a building that is not there is not found, at no moment", func(t *testing.T) {
		for _, asked := range []queries.PCNAsked{
			ask(func(a *queries.PCNAsked) { a.Building = newID() }),
			ask(func(a *queries.PCNAsked) { a.Organization = newID() }),
			ask(func(a *queries.PCNAsked) { a.Building, a.Moment.Position = newID(), 1 }),
		} {
			_, err := w.reader.PCN(t.Context(), asked)
			require.ErrorIs(t, err, queries.ErrNotFound)
		}
		_, err := w.reader.PCN(t.Context(), ask(func(a *queries.PCNAsked) {
			a.Moment.Position = 10_000
		}))
		require.ErrorIs(t, err, queries.ErrPositionUnknown)
	})
	t.Run("what is said of the building was so at the report's position", func(t *testing.T) {
		for i := range 40 {
			name := fmt.Sprintf("Canal %d", i)
			// Appended, and nobody was answered: no read waits for it.
			renamed := w.Append(t, organization, buildingStream(id),
				events.BuildingRenamed{Name: name})
			for seen := false; !seen; {
				report, err := w.reader.PCN(t.Context(), plain)
				require.NoError(t, err)
				seen = report.Building.Name == name
				require.True(t, !seen || report.Position >= renamed.Position)
			}
		}
	})
	t.Run("the log's root at a report's position is signed", func(t *testing.T) {
		signed, err := w.reader.CheckpointAt(t.Context(), organization, before.Position)
		require.NoError(t, err)
		require.Equal(t, before.Position, signed.Size)
		_, err = eventstore.VerifyNote(signed.Note, signed.VerifierKey)
		require.NoError(t, err)
	})
}

// As of now is now: PostgreSQL and the private copy add up the same.
func TestAReportIsAddedUpAlikeInBothPlaces(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	organization := newID()
	days := []events.Day{"2026-01-01", "2026-01-31", "2026-02-01", "2026-12-31"}
	rapid.Check(t, func(t *rapid.T) {
		id := newID()
		w.append(t, organization, buildingStream(id), registered("Canal"))
		for range rapid.IntRange(0, 8).Draw(t, "charges") {
			w.charge(t, organization, anyCharge(t, id, days), anyFate(t, id, days)...)
		}
		for _, profile := range []string{queries.PCNByCategory, queries.PCNByChart} {
			for _, status := range []string{queries.PCNApproved, queries.PCNPaid, queries.PCNAll} {
				asked := queries.PCNAsked{
					Organization: organization, Building: id, Profile: profile, Status: status,
					From: rapid.SampledFrom(append(days, "")).Draw(t, "from"),
					To:   rapid.SampledFrom(append(days, "")).Draw(t, "to"),
				}
				now, err := w.reader.PCN(context.Background(), asked)
				require.NoError(t, err)
				asked.Moment.Position = now.Position
				then, err := w.reader.PCN(context.Background(), asked)
				require.NoError(t, err)
				require.Equal(t, now.Lines, then.Lines)
				require.Equal(t, now.Total, then.Total)
				require.Equal(t, now.Charges, then.Charges)
				require.Equal(t, now.Building, then.Building)
			}
		}
	})
}

// anyCharge is some charge over one to three lines.
func anyCharge(t *rapid.T, building uuid.UUID, days []events.Day) events.ChargeContent {
	var lines []any
	for range rapid.IntRange(1, 3).Draw(t, "lines") {
		lines = append(lines, rapid.SampledFrom([]string{"6111", "6109", "614001"}).
			Draw(t, "account"), rapid.IntRange(1, 1_000_000_00).Draw(t, "cents"))
	}
	content := charged(building, rapid.SampledFrom([]events.Category{
		events.CategoryWorks, events.CategoryInsurance,
	}).Draw(t, "category"), rapid.SampledFrom(days).Draw(t, "day"), lines...)
	content.Kind = rapid.SampledFrom([]string{events.KindInvoice, events.KindCreditNote}).
		Draw(t, "kind")
	return content
}

// anyFate is what may happen to a charge.
func anyFate(t *rapid.T, building uuid.UUID, days []events.Day) []events.Event {
	paid := events.ChargePaid{
		Building: building, PaidOn: rapid.SampledFrom(days).Draw(t, "paid on"),
	}
	return rapid.SampledFrom([][]events.Event{
		{},
		{events.ChargeSubmitted{Building: building}},
		{events.ChargeSubmitted{Building: building}, events.ChargeRejected{Building: building}},
		{events.ChargeRemoved{Building: building}},
		approved(building),
		append(approved(building), paid),
		append(approved(building), paid, events.ChargeUnpaid{Building: building}),
		append(approved(building), events.ChargeCancelled{Building: building}),
		append(approved(building), events.ChargeCancelled{Building: building},
			events.ChargeReactivated{Building: building}),
		{events.ChargeAmended{Content: anyCharge(t, building, days)}},
	}).Draw(t, "fate")
}
