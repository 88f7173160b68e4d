package api_test

import (
	"archive/zip"
	"encoding/base64"
	"fmt"
	"io"
	"strconv"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/koprogo/koprogo/events"
	"github.com/koprogo/koprogo/eventstore"
)

// charge puts an approved charge of one amount into the log and returns its last position.
func (o *office) charge(
	t testing.TB, organization, building uuid.UUID, category events.Category, day events.Day,
	account string, cents events.Money, then ...events.Event,
) int64 {
	t.Helper()
	facts := append([]events.Event{
		events.ChargeDrafted{Content: events.ChargeContent{
			Building: building, Kind: events.KindInvoice, Category: category, Date: day,
			Description: events.PersonalText("Facture"), Priced: events.PricedGross,
			Net: cents, Gross: cents, Lines: []events.ChargeLine{{
				AccountCode: account, Quantity: 10_000, Net: cents, Gross: cents,
			}},
		}},
		events.ChargeSubmitted{Building: building},
		events.ChargeApproved{Building: building},
	}, then...)
	receipt, err := o.store.Append(t.Context(), eventstore.Append{
		Organization: organization,
		Streams: []eventstore.StreamAppend{{
			Stream:   events.Stream{Category: events.ChargeCategory, ID: newID()},
			Building: building, Events: facts,
		}},
	})
	require.NoError(t, err)
	return receipt.Position
}

func TestPCN(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	organization := o.organization(t)
	syndic := o.signedIn(t, organization, "syndic")
	auditor := o.signedIn(t, organization, "auditor")
	made := o.ask(t, syndic, "POST", "/buildings", newBuilding("slug", "canal")).ok(201)
	path := "/pcn/" + made.get("id")
	building := uuid.MustParse(made.get("id"))
	registered, err := strconv.ParseInt(made.header.Get("Koprogo-Position"), 10, 64)
	require.NoError(t, err)

	t.Run("a building without charges has no lines", func(t *testing.T) {
		got := o.ask(t, auditor, "GET", path, nil).ok(200)
		require.Equal(t, []any{}, got.at("lines"))
		require.Equal(t, "0.00", got.get("total_amount"))
		require.Nil(t, got.at("period_start"))
		require.EqualValues(t, registered, got.at("position"))
	})

	o.charge(t, organization, building, events.CategoryWorks, "2026-01-31", "6111", 1210_00)
	o.charge(t, organization, building, events.CategoryWorks, "2026-02-01", "61011", 5)
	last := o.charge(t, organization, building, events.CategoryInsurance, "2026-03-01", "6140",
		84_00, events.ChargePaid{Building: building, PaidOn: "2026-03-05"})
	fresh := []string{"Koprogo-Min-Position", strconv.FormatInt(last, 10)}
	ask := func(query string) answer {
		return o.ask(t, auditor, "GET", path+query, nil, fresh...)
	}

	t.Run("an auditor reads it, by category and by account", func(t *testing.T) {
		got := ask("?from=2026-01-01&to=2026-12-31").ok(200)
		got.golden("pcn")
		require.Equal(t, "1294.05", got.get("total_amount"))
		require.Equal(t, "610", got.get("lines.0.account_code"))
		require.Equal(t, "2026-01-01T00:00:00Z", got.get("period_start"))
		require.EqualValues(t, last, got.at("position"))
		require.Equal(t, fresh[1], got.header.Get("Koprogo-Position"))
		require.Equal(t, "61011", ask("?profile=chart").ok(200).get("lines.0.account_code"))
		require.Equal(t, "84.00", ask("?status=paid").ok(200).get("total_amount"))
		require.Equal(t, "0.00", ask("?status=paid&to=2026-03-04").ok(200).get("total_amount"))
	})
	t.Run("an earlier moment is asked for by position and by day", func(t *testing.T) {
		got := ask("?as_of_position=" + strconv.FormatInt(registered+3, 10)).ok(200)
		require.Equal(t, "1210.00", got.get("total_amount"))
		require.EqualValues(t, registered+3, got.at("position"))
		ask("?as_of=2001-01-01").refused(404, "not_found")
		ask("?as_of_position=999999").refused(400, "position_unknown")
	})
	t.Run("an instant is a day where the building stands", func(t *testing.T) {
		got := ask("?from=2026-01-31T23:30:00Z").ok(200) // in Brussels February has begun
		require.Equal(t, "84.05", got.get("total_amount"))
		require.Equal(t, "2026-02-01T00:00:00Z", got.get("period_start"))
	})
	t.Run("a POST asks the same, in the query or in the body", func(t *testing.T) {
		want := ask("?from=2026-02-01&profile=chart").ok(200)
		for _, asked := range []struct {
			query string
			body  any
		}{
			{"?from=2026-02-01&profile=chart", nil},
			{"?from=2026-02-01", body{"profile": "chart"}},
			{"", body{"from": "2026-02-01", "to": nil, "profile": "chart", "status": "approved"}},
		} {
			got := o.ask(t, auditor, "POST", "/pcn/report/"+made.get("id")+asked.query, asked.body).
				ok(200)
			require.Equal(t, want.at("lines"), got.at("lines"))
			require.Equal(t, want.at("period_start"), got.at("period_start"))
		}
		o.ask(t, auditor, "POST", "/pcn/report/"+made.get("id")+"?from=2026-02-01",
			body{"from": "2026-02-01"}).refused(400, "invalid_parameter")
	})
	t.Run("what it cannot report on is refused", func(t *testing.T) {
		for _, query := range []string{
			"?from=2026-02-02&to=2026-02-01", "?profile=x", "?status=rejected", "?from=yesterday",
			"?from=2026-02-30",
		} {
			ask(query).refused(400, "invalid_parameter")
		}
		ask("?x=1").refused(400, "unknown_parameter")
		o.ask(t, auditor, "GET", "/pcn/"+newID().String(), nil).refused(404, "not_found")
		o.ask(t, o.signedIn(t, o.organization(t), "syndic"), "GET", path, nil).
			refused(404, "not_found")
		o.ask(t, o.signedIn(t, organization, "owner"), "GET", path, nil).refused(403, "forbidden")
	})
	t.Run("a superadmin names the building alone", func(t *testing.T) {
		admin := o.signedIn(t, uuid.Nil, "superadmin")
		require.Equal(t, "1294.05", o.ask(t, admin, "GET", path, nil).ok(200).get("total_amount"))
	})
	t.Run("a charge that comes is in the next report", func(t *testing.T) {
		for i := range 5 {
			position := o.charge(t, organization, building, events.CategoryOther, "2026-05-05",
				"6166", 1_00)
			got := o.ask(t, auditor, "GET", path+"?from=2026-05-05", nil,
				"Koprogo-Min-Position", strconv.FormatInt(position, 10)).ok(200)
			require.Equal(t, fmt.Sprintf("%d.00", i+1), got.get("total_amount"))
		}
	})
}

func TestPCNFiles(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	organization := o.organization(t)
	accountant := o.signedIn(t, organization, "accountant")
	syndic := o.signedIn(t, organization, "syndic")
	made := o.ask(t, syndic, "POST", "/buildings", newBuilding("slug", "canal")).ok(201)
	building := uuid.MustParse(made.get("id"))
	last := o.charge(t, organization, building, events.CategoryWorks, "2026-01-31", "6111", 1210_00)
	take := func(format, query string, headers ...string) answer {
		headers = append(headers, "Koprogo-Min-Position", strconv.FormatInt(last, 10))
		return o.ask(t, accountant, "GET", "/pcn/export/"+format+"/"+building.String()+query, nil,
			headers...)
	}
	checkpoint := o.ask(t, syndic, "GET", "/audit/checkpoint", nil).ok(200)
	require.EqualValues(t, last, checkpoint.at("size"))
	root := checkpoint.get("root_hash")

	t.Run("each file has its type, its name and the proof", func(t *testing.T) {
		for format, want := range map[string]struct{ media, extension, begins string }{
			"pdf": {"application/pdf", "pdf", "%PDF-"},
			"excel": {
				"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "xlsx", "PK",
			},
			"csv":  {"text/csv; charset=utf-8", "csv", "\ufeffCode PCN;"},
			"json": {"application/json", "json", "{\n"},
		} {
			got := take(format, "?from=2026-01-01&to=2026-12-31").ok(200)
			require.Equal(t, want.media, got.header.Get("Content-Type"))
			require.Equal(t, `attachment; filename="pcn-canal_2026-01-01_2026-12-31.`+
				want.extension+`"`, got.header.Get("Content-Disposition"))
			require.Equal(t, strconv.FormatInt(last, 10), got.header.Get("Koprogo-Position"))
			require.True(t, strings.HasPrefix(got.text, want.begins), format)
			require.NotEmpty(t, got.header.Get("ETag"))
		}
		require.Contains(t, take("csv", "").ok(200).text, root)
		require.Contains(t, partOf(t, take("excel", "").ok(200).text,
			"worksheets/sheet1.xml"), root)
		file := take("json", "").ok(200)
		require.Equal(t, root, file.get("root_hash"))
		require.EqualValues(t, last, file.at("position"))
		require.Equal(t, checkpoint.get("note"), file.get("checkpoint"))
	})
	t.Run("an earlier moment's file proves that moment", func(t *testing.T) {
		earlier := last - 1
		got := take("json", "?as_of_position="+strconv.FormatInt(earlier, 10)).ok(200)
		require.EqualValues(t, earlier, got.at("position"))
		require.Equal(t, "0.00", got.get("total_amount"))
		require.NotEqual(t, root, got.get("root_hash"))
		note, err := eventstore.ReadNote(got.get("checkpoint"))
		require.NoError(t, err)
		require.Equal(t, earlier, note.Size)
		require.Equal(t, got.get("root_hash"), base64.StdEncoding.EncodeToString(note.Root[:]))
		require.Contains(t, got.header.Get("Content-Disposition"),
			`"pcn-canal_at-`+strconv.FormatInt(earlier, 10)+`.json"`)
	})
	t.Run("a file speaks the caller's language, else the organization's", func(t *testing.T) {
		title := func(headers ...string) string {
			workbook := take("excel", "", headers...).ok(200).text
			require.Contains(t, partOf(t, workbook, "worksheets/sheet1.xml"),
				`<c r="A1" s="1" t="s"><v>0</v>`, "the title is the first text")
			_, after, _ := strings.Cut(partOf(t, workbook, "sharedStrings.xml"), "<si><t>")
			title, _, _ := strings.Cut(after, " – ")
			return title
		}
		for language, want := range map[string]string{
			"": "Rapport PCN", "nl-BE,nl;q=0.9": "PCN-rapport", "de": "PCN-Bericht",
			"en": "PCN report", "it": "Rapport PCN", ";;;": "Rapport PCN",
		} {
			require.Equal(t, want, title("Accept-Language", language), language)
		}
		o.ask(t, syndic, "PUT", "/organizations/"+organization.String()+"/settings",
			body{"language": "nl"}).ok(200)
		require.Equal(t, "PCN-rapport", title())
	})
	t.Run("what is no file is refused as JSON", func(t *testing.T) {
		take("docx", "").refused(404, "route_not_found")
		take("pdf", "?status=x").refused(400, "invalid_parameter")
		o.ask(t, accountant, "GET", "/pcn/export/pdf/"+newID().String(), nil).
			refused(404, "not_found")
	})
}

// partOf is a part of a workbook as it is stored.
func partOf(t *testing.T, workbook, name string) string {
	t.Helper()
	archive, err := zip.NewReader(strings.NewReader(workbook), int64(len(workbook)))
	require.NoError(t, err)
	file, err := archive.Open("xl/" + name)
	require.NoError(t, err)
	part, err := io.ReadAll(file)
	require.NoError(t, err)
	return string(part)
}
