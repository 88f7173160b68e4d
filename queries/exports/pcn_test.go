package exports_test

import (
	"bytes"
	"encoding/csv"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/koprogo/koprogo/events"
	"github.com/koprogo/koprogo/eventstore"
	"github.com/koprogo/koprogo/queries"
	"github.com/koprogo/koprogo/queries/exports"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden compares a text dump of a file with the one that somebody looked at.
func golden(t *testing.T, name, dumped string) {
	t.Helper()
	path := filepath.Join("testdata", name+".golden")
	if *update {
		require.NoError(t, os.MkdirAll("testdata", 0o755))
		require.NoError(t, os.WriteFile(path, []byte(dumped), 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, string(want), dumped)
}

// written is the report as a file.
func written(t *testing.T, format string, p exports.PCN) []byte {
	t.Helper()
	found, known := exports.Find("pcn", format)
	require.True(t, known)
	var file bytes.Buffer
	require.NoError(t, found.Write(&file, p))
	return file.Bytes()
}

// canal is a report of a year with a credit note, a large amount and a closed period.
func canal(t *testing.T) exports.PCN {
	t.Helper()
	brussels, err := time.LoadLocation("Europe/Brussels")
	require.NoError(t, err)
	at := time.Date(2026, 11, 22, 2, 17, 6, 123_456_000, time.UTC)
	root := [32]byte{}
	for i := range root {
		root[i] = byte(i * 7)
	}
	p := exports.PCN{
		Stamp: exports.Stamp{
			Language: "fr", Zone: brussels, GeneratedAt: at,
			Checkpoint: eventstore.Checkpoint{Size: 1234, Root: root, Note: "koprogo/…\n1234\n"},
		},
		Report: queries.PCN{
			Asked: queries.PCNAsked{
				From: "2026-01-01", To: "2026-12-31", Profile: queries.PCNByCategory,
				Status: queries.PCNApproved,
			},
			Building: queries.Building{
				ID:   uuid.MustParse("01900000-0000-7000-8000-00000000000a"),
				Name: "Résidence « Été & Cœur »", Address: "Quai au Foin 7", PostalCode: "1000",
				City: "Bruxelles", Slug: "ete-et-coeur", Zone: "Europe/Brussels",
			},
			Position: 1234, GeneratedAt: at,
		},
	}
	amounts := []events.Money{1234567890, 84000, -12345, 5, 121000, 999999999999, 0, 4200050}
	for i, line := range events.CategoryProfile() {
		p = with(t, p, line.Code, line.Labels, amounts[i], int64(i*i+1))
	}
	return p
}

// with adds a line to the report and its total.
func with(
	t *testing.T, p exports.PCN, code string, labels events.Labels, amount events.Money,
	charges int64,
) exports.PCN {
	t.Helper()
	p.Report.Lines = append(p.Report.Lines, queries.PCNLine{
		Code: code, Labels: labels, Amount: amount, Charges: charges,
	})
	var err error
	p.Report.Total, err = p.Report.Total.Plus(amount)
	require.NoError(t, err)
	p.Report.Charges += charges
	return p
}

// chart is a report over every account that charges may name: several pages.
func chart(t *testing.T) exports.PCN {
	t.Helper()
	p := canal(t)
	p.Report.Lines, p.Report.Total, p.Report.Charges = nil, 0, 0
	p.Report.Asked.Profile, p.Report.Asked.To = queries.PCNByChart, ""
	for i, account := range events.BelgianChart().Postable() {
		if account.Class == 6 {
			p = with(t, p, account.Code, account.Labels, events.Money(i*i*317-4000), int64(i))
		}
	}
	return p
}

func TestTheWorkbook(t *testing.T) {
	t.Parallel()

	t.Run("it says what the report says, in numbers", func(t *testing.T) {
		golden(t, "pcn.xlsx", dumpWorkbook(t, written(t, "excel", canal(t))))
	})
	t.Run("the whole chart fits", func(t *testing.T) {
		p := chart(t)
		dumped := dumpWorkbook(t, written(t, "excel", p))
		require.Equal(t, len(p.Report.Lines)+5, strings.Count(dumped, "\n"))
		require.Contains(t, dumped, fmt.Sprintf(`"TOTAL" |  |  |  |  | %s | %d`,
			p.Report.Total, p.Report.Charges))
	})
	t.Run("an empty report has its total", func(t *testing.T) {
		require.Contains(t, dumpWorkbook(t, written(t, "excel", empty(t))),
			`5: "TOTAL" |  |  |  |  | 0.00 | 0`)
	})
	t.Run("an amount that no binary fraction holds is written to the cent", func(t *testing.T) {
		p := with(t, empty(t), "611", events.Labels{}, 1<<53+1, 1)
		sheet := part(t, written(t, "excel", p), "xl/worksheets/sheet1.xml")
		require.Equal(t, 2, strings.Count(sheet, "<v>90071992547409.93</v>"))
	})
	t.Run("it is set up for the screen and for paper", func(t *testing.T) {
		file := written(t, "excel", canal(t))
		sheet := part(t, file, "xl/worksheets/sheet1.xml")
		for _, wanted := range []string{
			`<pageSetUpPr fitToPage="true"></pageSetUpPr>`, `orientation="landscape"`,
			`paperSize="9"`, `fitToWidth="1"`, `fitToHeight="0"`,
			`<pane activePane="bottomLeft" state="frozen" topLeftCell="A5" ySplit="4">`,
			`<dimension ref="A1:G13">`, `<cols><col customWidth="true" max="1" min="1" width="11">`,
			`<col customWidth="true" max="7" min="7" width="13"></col></cols>`,
			`<mergeCell ref="A2:G2"></mergeCell><mergeCell ref="A3:G3">`,
			`<ignoredError sqref="A5:A13" numberStoredAsText="true">`,
			`&amp;P/&amp;N`, `Position du journal 1234`,
			`<c r="F7" s="`, `<v>-123.45</v>`,
		} {
			require.Contains(t, sheet, wanted)
		}
		require.NotContains(t, sheet, "<f>", "a total is a number, also where nothing calculates")
		require.Contains(t, part(t, file, "xl/workbook.xml"),
			`name="_xlnm.Print_Titles">PCN!$4:$4<`)
		require.Contains(t, part(t, file, "xl/styles.xml"), `#,##0.00\ &#34;€&#34;`)
		require.Contains(t, part(t, file, "docProps/core.xml"), root)
	})
	t.Run("a long name takes more lines, and long labels too", func(t *testing.T) {
		p := canal(t)
		p.Report.Building.Name = strings.Repeat("très longue ", 20)
		p.Report.Lines[0].Labels.DE = strings.Repeat("Verwaltung ", 7)
		sheet := part(t, written(t, "excel", p), "xl/worksheets/sheet1.xml")
		require.Contains(t, sheet, `<row r="2" ht="36" customHeight="true"`)
		require.Contains(t, sheet, `<row r="5" ht="45" customHeight="true"`)
	})
}

// root is the root hash of the reports here.
const root = "AAcOFRwjKjE4P0ZNVFtiaXB3foWMk5qhqK+2vcTL0tk="

// empty is a report of a building without charges, of all dates.
func empty(t *testing.T) exports.PCN {
	t.Helper()
	p := canal(t)
	p.Report.Lines, p.Report.Total, p.Report.Charges = []queries.PCNLine{}, 0, 0
	p.Report.Asked.From, p.Report.Asked.To = "", ""
	return p
}

func TestThePDF(t *testing.T) {
	t.Parallel()

	t.Run("it says what the report says, as people write it", func(t *testing.T) {
		golden(t, "pcn.pdf", dumpPDF(t, written(t, "pdf", canal(t))))
	})
	t.Run("many lines go on over pages, each with the header, the number and the proof",
		func(t *testing.T) {
			p := chart(t)
			p.Language = "nl"
			file := written(t, "pdf", p)
			golden(t, "pcn_chart.pdf", dumpPDF(t, file))
			pages := pdfPages(t, file)
			require.Len(t, pages, 4)
			for i, page := range pages {
				texts := make([]string, len(page))
				for j, text := range page {
					texts[j] = text.text
					require.Greater(t, text.y, 20.0)
					require.Greater(t, text.x, 40.0)
				}
				for _, wanted := range []string{
					"Code", "Omschrijving", "Bedrag", "Aantal", fmt.Sprintf("Pagina %d/4", i+1),
					"Positie in het logboek 1234", "Wortelhash " + root,
					"Opgemaakt op 22/11/2026 03:17 (Europe/Brussels)",
				} {
					require.Contains(t, texts, wanted, "page %d", i+1)
				}
			}
		})
	t.Run("each language has its words and its numbers", func(t *testing.T) {
		for language, wanted := range map[string][]string{
			"fr": {"Rapport PCN", "Immeuble", "Libellé", "Travaux", "12 345 678,90 €"},
			"nl": {"PCN-rapport", "Gebouw", "Omschrijving", "Werken", "12.345.678,90 €"},
			"de": {"PCN-Bericht", "Gebäude", "Bezeichnung", "Arbeiten", "12.345.678,90 €"},
			"en": {"PCN report", "Building", "Label", "Works", "12,345,678.90 €"},
			"xx": {"Rapport PCN", "Immeuble", "Libellé", "Travaux", "12 345 678,90 €"},
		} {
			p := canal(t)
			p.Language = language
			dumped := dumpPDF(t, written(t, "pdf", p))
			for _, text := range wanted {
				require.Contains(t, dumped, strings.ReplaceAll(text, " ", noBreakIn(text)), language)
			}
		}
	})
	t.Run("an empty report says so", func(t *testing.T) {
		dumped := dumpPDF(t, written(t, "pdf", empty(t)))
		require.Contains(t, dumped, "Aucune charge pour cette période.\nTOTAL | 0,00\u00a0€ | 0\n")
		require.Contains(t, dumped, "toutes les dates")
	})
	t.Run("a name of any length and script is drawn", func(t *testing.T) {
		p := canal(t)
		p.Report.Building.Name = "😀 (Ж) \\ " + strings.Repeat("très longue ", 20)
		dumped := dumpPDF(t, written(t, "pdf", p))
		require.Contains(t, dumped, "? (Ж) \\ très longue")
		require.Contains(t, dumped, "– Quai au Foin 7, 1000\nBruxelles\nPériode | ")
	})
	t.Run("the same report is the same file", func(t *testing.T) {
		first, second := written(t, "pdf", canal(t)), written(t, "pdf", canal(t))
		require.Equal(t, first, second)
	})
}

// noBreakIn is the space of a text: a number's does not break.
func noBreakIn(text string) string {
	if text[0] >= '0' && text[0] <= '9' {
		return "\u00a0"
	}
	return " "
}

func TestTheCSVFile(t *testing.T) {
	t.Parallel()
	file := string(written(t, "csv", canal(t)))
	golden(t, "pcn.csv", strings.NewReplacer("\ufeff", "<mark>", "\r\n", "<end>\n").Replace(file))
	bare, marked := strings.CutPrefix(file, "\ufeff")
	require.True(t, marked, "spreadsheets read UTF-8 only with a mark")
	reader := csv.NewReader(strings.NewReader(bare))
	reader.Comma = ';'
	rows, err := reader.ReadAll() // refuses rows of different lengths
	require.NoError(t, err)
	require.Len(t, rows, 10)
	for _, row := range rows[1:] {
		require.Equal(t, []string{"2026-01-01", "2026-12-31", "1234", root}, row[7:])
	}

	t.Run("no cell is a formula", func(t *testing.T) {
		p := canal(t)
		p.Report.Lines[0].Code, p.Report.Lines[0].Labels.NL = "=1+1", "@SUM(A1)"
		require.Contains(t, string(written(t, "csv", p)), "\n'=1+1;'@SUM(A1);Travaux;")
	})
}

func TestTheJSONFile(t *testing.T) {
	t.Parallel()
	golden(t, "pcn.json", string(written(t, "json", canal(t))))
	require.Contains(t, string(written(t, "json", empty(t))), `"period_start": null,
  "period_end": null,
  "profile": "category",
  "status": "approved",
  "position": 1234,
  "root_hash": "`+root+`",
  "checkpoint": "koprogo/…\n1234\n",
  "lines": [],
  "total_amount": "0.00",
  "total_entries": 0
`)
}

func TestFileNames(t *testing.T) {
	t.Parallel()
	name := func(change func(*exports.PCN)) string {
		p := canal(t)
		change(&p)
		return p.FileName("pdf")
	}
	require.Equal(t, "pcn-ete-et-coeur_2026-01-01_2026-12-31.pdf", name(func(*exports.PCN) {}))
	require.Equal(t, "pcn-residence-l-ecluse-n-7_from-2026-01-01_at-1234.pdf",
		name(func(p *exports.PCN) {
			p.Report.Building.Slug, p.Report.Building.Name = "", "Résidence « L'Écluse » / n° 7"
			p.Report.Asked.To, p.Report.Asked.Moment.Position = "", 1234
		}))
	require.Equal(t, "pcn-01900000-0000-7000-8000-00000000000a_to-2026-12-31.pdf",
		name(func(p *exports.PCN) {
			p.Report.Building.Slug, p.Report.Building.Name = "", "中文"
			p.Report.Asked.From = ""
		}))
}

func TestFormats(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, format := range exports.Formats {
		require.False(t, seen[format.Document+format.Name])
		seen[format.Document+format.Name] = true
		found, known := exports.Find(format.Document, format.Name)
		require.True(t, known)
		require.Equal(t, format.Media, found.Media)
		require.ErrorContains(t, format.Write(io.Discard, 7), "not of int")
		require.ErrorContains(t, format.Write(broken{}, canal(t)), "the disk is full")
	}
	_, known := exports.Find("pcn", "docx")
	require.False(t, known)
}

// broken is a writer whose disk is full.
type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, errors.New("the disk is full") }
