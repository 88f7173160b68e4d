package exports

import (
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/xuri/excelize/v2"

	"github.com/koprogo/koprogo/events"
	"github.com/koprogo/koprogo/queries"
)

// pcnColumns head the workbook and the CSV file, in every language alike: people's own sheets
// look for them.
var pcnColumns = [...]string{
	"Code PCN", "Nederlands (NL)", "Français (FR)", "Deutsch (DE)", "English (EN)", "Montant",
	"Nb Écritures",
}

const (
	pcnTotal    = "TOTAL"
	pcnSheet    = "PCN"
	pcnHeader   = 4 // the row of the columns' names; the lines follow
	pcnLastCell = "G"
	pcnFont     = "Calibri"
	pcnHeight   = 15.0 // of a line, in points
)

// pcnWidths are the columns' widths in characters.
var pcnWidths = [...]float64{11, 30, 30, 30, 30, 20, 13}

// writePCNWorkbook writes one sheet: title, building, period and position, the columns' names in
// row 4, the lines, TOTAL. Amounts and counts are numbers; codes are texts, as accounts are.
func writePCNWorkbook(w io.Writer, p PCN) (err error) {
	file := excelize.NewFile()
	defer func() {
		if closed := file.Close(); err == nil {
			err = closed
		}
	}()
	last := pcnHeader + len(p.Report.Lines) + 1
	if err := setUpPCNSheet(file, p, last); err != nil {
		return err
	}
	styles, err := newPCNStyles(file)
	if err != nil {
		return err
	}
	if err := writePCNRows(file, styles, p); err != nil {
		return err
	}
	_, err = file.WriteTo(w)
	return err
}

// setUpPCNSheet sets what is no row: names, properties, how the sheet is printed.
func setUpPCNSheet(file *excelize.File, p PCN, last int) error {
	fit, orientation, pages, paper := true, "landscape", 0, 9 // A4
	one, side, top := 1, 0.4, 0.6
	made := p.GeneratedAt.UTC().Format(time.RFC3339)
	words := p.words()
	for _, step := range []func() error{
		func() error { return file.SetSheetName(file.GetSheetName(0), pcnSheet) },
		func() error {
			return file.SetDocProps(&excelize.DocProperties{
				Title: p.heading(), Subject: p.building(), Creator: "KoproGo", Created: made,
				Modified: made, LastModifiedBy: "KoproGo", Language: p.Language,
				Description: words.position + " " + itoa(p.position()) + ", " + words.root + " " +
					p.root(),
			})
		},
		func() error {
			return file.SetSheetProps(pcnSheet, &excelize.SheetPropsOptions{FitToPage: &fit})
		},
		func() error {
			return file.SetPageLayout(pcnSheet, &excelize.PageLayoutOptions{
				Size: &paper, Orientation: &orientation, FitToWidth: &one, FitToHeight: &pages,
			})
		},
		func() error {
			return file.SetPageMargins(pcnSheet, &excelize.PageLayoutMarginsOptions{
				Left: &side, Right: &side, Top: &side, Bottom: &top, Footer: &side,
			})
		},
		func() error {
			return file.SetHeaderFooter(pcnSheet, &excelize.HeaderFooterOptions{
				OddFooter: "&L&8" + words.position + " " + itoa(p.position()) + " – " + p.root() +
					"&R&8" + words.page + " &P/&N",
			})
		},
		func() error {
			return file.SetDefinedName(&excelize.DefinedName{
				Name: "_xlnm.Print_Titles", Scope: pcnSheet,
				RefersTo: fmt.Sprintf("%s!$%d:$%d", pcnSheet, pcnHeader, pcnHeader),
			})
		},
		func() error {
			return file.SetSheetDimension(pcnSheet, fmt.Sprintf("A1:%s%d", pcnLastCell, last))
		},
		func() error {
			return file.AddIgnoredErrors(pcnSheet, fmt.Sprintf("A%d:A%d", pcnHeader+1, last),
				excelize.IgnoredErrorsNumberStoredAsText)
		},
	} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// pcnStyles are the looks of cells.
type pcnStyles struct {
	title, building, note, head, headRight int
	text, amount, count                    int
	totalText, totalAmount, totalCount     int
}

func newPCNStyles(file *excelize.File) (pcnStyles, error) {
	var s pcnStyles
	money, whole := `#,##0.00\ "€"`, "#,##0"
	thin := excelize.Border{Type: "bottom", Style: 1, Color: "D9D9D9"}
	under := excelize.Border{Type: "bottom", Style: 2, Color: "1F3864"}
	over := excelize.Border{Type: "top", Style: 2, Color: "1F3864"}
	plain := &excelize.Font{Family: pcnFont, Size: 11}
	bold := &excelize.Font{Family: pcnFont, Size: 11, Bold: true}
	fill := excelize.Fill{Type: "pattern", Pattern: 1, Color: []string{"E7ECF4"}}
	wrapped := &excelize.Alignment{Vertical: "center", WrapText: true}
	right := &excelize.Alignment{Vertical: "center", Horizontal: "right"}
	for _, made := range []struct {
		into  *int
		style excelize.Style
	}{
		{&s.title, excelize.Style{
			Font: &excelize.Font{Family: pcnFont, Bold: true, Size: 16, Color: "1F3864"},
		}},
		{&s.building, excelize.Style{
			Font: &excelize.Font{Family: pcnFont, Bold: true, Size: 12}, Alignment: wrapped,
		}},
		{&s.note, excelize.Style{
			Font: &excelize.Font{Family: pcnFont, Size: 9, Color: "595959"}, Alignment: wrapped,
		}},
		{&s.head, excelize.Style{
			Font: bold, Fill: fill, Border: []excelize.Border{under}, Alignment: wrapped,
		}},
		{&s.headRight, excelize.Style{
			Font: bold, Fill: fill, Border: []excelize.Border{under}, Alignment: right,
		}},
		{&s.text, excelize.Style{Font: plain, Alignment: wrapped, Border: []excelize.Border{thin}}},
		{&s.amount, excelize.Style{
			Font: plain, CustomNumFmt: &money, Alignment: right,
			Border: []excelize.Border{thin},
		}},
		{&s.count, excelize.Style{
			Font: plain, CustomNumFmt: &whole, Alignment: right,
			Border: []excelize.Border{thin},
		}},
		{&s.totalText, excelize.Style{
			Font: bold, Border: []excelize.Border{over}, Alignment: wrapped,
		}},
		{&s.totalAmount, excelize.Style{
			Font: bold, CustomNumFmt: &money, Alignment: right, Border: []excelize.Border{over},
		}},
		{&s.totalCount, excelize.Style{
			Font: bold, CustomNumFmt: &whole, Alignment: right, Border: []excelize.Border{over},
		}},
	} {
		id, err := file.NewStyle(&made.style)
		if err != nil {
			return s, err
		}
		*made.into = id
	}
	return s, nil
}

func writePCNRows(file *excelize.File, styles pcnStyles, p PCN) error {
	for i, width := range pcnWidths {
		column, err := excelize.ColumnNumberToName(i + 1)
		if err != nil {
			return err
		}
		if err := file.SetColWidth(pcnSheet, column, column, width); err != nil {
			return err
		}
	}
	if err := file.SetPanes(pcnSheet, &excelize.Panes{
		Freeze: true, YSplit: pcnHeader, TopLeftCell: fmt.Sprintf("A%d", pcnHeader+1),
		ActivePane: "bottomLeft",
	}); err != nil {
		return err
	}
	if err := writePCNHead(file, styles, p); err != nil {
		return err
	}
	for i, line := range p.Report.Lines {
		if err := setPCNRow(file, pcnHeader+1+i, pcnHeight*float64(pcnLinesOf(line)),
			pcnRow(styles.text, styles.amount, styles.count, line.Code, line.Labels, line.Amount,
				line.Charges)...); err != nil {
			return err
		}
	}
	return setPCNRow(file, pcnHeader+1+len(p.Report.Lines), pcnHeight,
		pcnRow(styles.totalText, styles.totalAmount, styles.totalCount, pcnTotal, events.Labels{},
			p.Report.Total, p.Report.Charges)...)
}

// pcnCell is a cell with its look: a text, a count, or an amount.
type pcnCell struct {
	style int
	value any
}

// setPCNRow writes a row from its first cell on. An amount is written as the decimal that it is,
// which the file's format holds whatever its size.
func setPCNRow(file *excelize.File, row int, height float64, cells ...pcnCell) error {
	if err := file.SetRowHeight(pcnSheet, row, height); err != nil {
		return err
	}
	for i, cell := range cells {
		at, err := excelize.CoordinatesToCellName(i+1, row)
		if err != nil {
			return err
		}
		if err := file.SetCellStyle(pcnSheet, at, at, cell.style); err != nil {
			return err
		}
		switch value := cell.value.(type) {
		case events.Money:
			err = file.SetCellDefault(pcnSheet, at, value.String())
		case string:
			if value != "" {
				err = file.SetCellStr(pcnSheet, at, value)
			}
		default:
			err = file.SetCellValue(pcnSheet, at, value)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// pcnLinesOf is how many lines the longest label of a row takes.
func pcnLinesOf(line queries.PCNLine) int {
	most := 1
	for _, label := range []string{line.Labels.NL, line.Labels.FR, line.Labels.DE, line.Labels.EN} {
		most = max(most, linesOf(label, 34)) // letters are narrower than the digits of a width
	}
	return most
}

// linesOf is how many lines a wrapped text takes. Rows say their height: programs do not make
// room for wrapped texts in every file that they open.
func linesOf(text string, width int) int {
	lines, used := 1, 0
	for _, word := range strings.Fields(text) {
		length := utf8.RuneCountInString(word) + 1
		if used > 0 && used+length > width+1 {
			lines, used = lines+1, 0
		}
		used += length
	}
	return lines
}

// writePCNHead writes rows 1 to 4.
func writePCNHead(file *excelize.File, styles pcnStyles, p PCN) error {
	words := p.words()
	colon := ": "
	if words == pcnLanguages["fr"] {
		colon = noBreak + ": "
	}
	note := strings.Join([]string{
		words.period + colon + p.period(), words.counted + colon + p.counted(),
		words.profile + colon + p.profile(), words.position + colon + itoa(p.position()),
		words.root + colon + p.root(), words.generated + colon + p.moment(),
	}, "   ·   ")
	building := p.building()
	header := make([]pcnCell, len(pcnColumns))
	for i, name := range pcnColumns {
		header[i] = pcnCell{styles.head, name}
	}
	for _, column := range []int{len(header) - 2, len(header) - 1} {
		header[column].style = styles.headRight
	}
	for i, row := range []struct {
		cells  []pcnCell
		height float64
	}{
		{[]pcnCell{{styles.title, p.heading()}}, 24},
		{[]pcnCell{{styles.building, building}}, 18 * float64(linesOf(building, 140))},
		{[]pcnCell{{styles.note, note}}, 28},
		{header, 20},
	} {
		if err := setPCNRow(file, i+1, row.height, row.cells...); err != nil {
			return err
		}
	}
	if err := file.MergeCell(pcnSheet, "A2", pcnLastCell+"2"); err != nil {
		return err
	}
	return file.MergeCell(pcnSheet, "A3", pcnLastCell+"3")
}

func pcnRow(
	text, amount, count int, code string, labels events.Labels, cents events.Money, charges int64,
) []pcnCell {
	return []pcnCell{
		{text, code},
		{text, labels.NL},
		{text, labels.FR},
		{text, labels.DE},
		{text, labels.EN},
		{amount, cents},
		{count, charges},
	}
}
