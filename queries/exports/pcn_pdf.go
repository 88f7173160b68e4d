package exports

import (
	"io"
	"strings"

	"codeberg.org/go-pdf/fpdf"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/goregular"

	"github.com/koprogo/koprogo/queries"
)

// The measures of a page in millimetres: A4, upright.
const (
	pdfMargin   = 18.0
	pdfWidth    = 210 - 2*pdfMargin
	pdfBottom   = 26.0 // where the footer begins, from the page's end
	pdfLine     = 5.0
	pdfFont     = "Go"
	pdfAllPages = "{pages}"
)

// pcnPDFColumns are the widths of code, label, amount and count.
var pcnPDFColumns = [...]float64{22, 94, 38, 20}

// pcnPage is a report on its way to paper.
type pcnPage struct {
	*fpdf.Fpdf
	pcn   PCN
	words pcnWords
}

// writePCNPDF writes the report for reading and printing: on every page what it is of, and where
// in the log it stands.
func writePCNPDF(w io.Writer, p PCN) error {
	page := pcnPage{
		Fpdf: fpdf.New("P", "mm", "A4", ""), pcn: p, words: p.words(),
	}
	page.AddUTF8FontFromBytes(pdfFont, "", goregular.TTF)
	page.AddUTF8FontFromBytes(pdfFont, "B", gobold.TTF)
	page.SetCatalogSort(true)
	page.SetCreationDate(p.GeneratedAt.UTC())
	page.SetModificationDate(p.GeneratedAt.UTC())
	page.SetTitle(p.heading(), true)
	page.SetSubject(drawable(p.building()), true)
	page.SetCreator("KoproGo", true)
	page.SetKeywords(page.words.position+" "+itoa(p.position())+", "+p.root(), true)
	page.SetMargins(pdfMargin, 16, pdfMargin)
	page.SetAutoPageBreak(false, 0)
	page.AliasNbPages(pdfAllPages)
	page.SetHeaderFunc(page.head)
	page.SetFooterFunc(page.foot)
	page.AddPage()
	for _, line := range p.Report.Lines {
		page.line(line)
	}
	page.total()
	return page.Output(w)
}

// head draws the top of a page: the whole of it on the first, a reminder on the others, and the
// table's header.
func (p pcnPage) head() {
	if p.PageNo() == 1 {
		p.ink(31, 56, 100)
		p.SetFont(pdfFont, "B", 18)
		p.CellFormat(pdfWidth, 8, p.words.title, "", 2, "L", false, 0, "")
		p.ink(89, 89, 89)
		p.SetFont(pdfFont, "", 10)
		p.CellFormat(pdfWidth, 6, p.words.subtitle, "", 2, "L", false, 0, "")
		p.Ln(3)
		p.fact(p.words.building, p.pcn.building())
		p.fact(p.words.period, p.pcn.period())
		p.fact(p.words.counted, p.pcn.counted())
		p.fact(p.words.profile, p.pcn.profile())
	} else {
		p.ink(89, 89, 89)
		p.SetFont(pdfFont, "", 9)
		text := p.words.title + " – " + p.pcn.Report.Building.Name + " – " + p.pcn.period()
		lines := p.SplitText(drawable(text), pdfWidth)
		p.CellFormat(pdfWidth, pdfLine, lines[0], "", 1, "L", false, 0, "")
	}
	p.Ln(4)
	p.ink(0, 0, 0)
	p.SetFont(pdfFont, "B", 10)
	p.SetFillColor(231, 236, 244)
	p.SetDrawColor(31, 56, 100)
	p.SetLineWidth(0.4)
	p.row(7, "B", true, p.words.code, p.words.label, p.words.amount, p.words.charges)
}

// fact writes a name and what it is, over as many lines as that takes.
func (p pcnPage) fact(name, value string) {
	const names = 30
	p.ink(0, 0, 0)
	p.SetFont(pdfFont, "B", 10)
	p.CellFormat(names, pdfLine, name, "", 0, "L", false, 0, "")
	p.SetFont(pdfFont, "", 10)
	for _, text := range p.SplitText(drawable(value), pdfWidth-names) {
		p.SetX(pdfMargin + names)
		p.CellFormat(pdfWidth-names, pdfLine, text, "", 1, "L", false, 0, "")
	}
}

// foot draws the bottom of a page.
func (p pcnPage) foot() {
	p.SetY(-pdfBottom + 4)
	p.SetDrawColor(191, 191, 191)
	p.SetLineWidth(0.1)
	p.Line(pdfMargin, p.GetY(), pdfMargin+pdfWidth, p.GetY())
	p.Ln(1)
	p.ink(89, 89, 89)
	p.SetFont(pdfFont, "", 8)
	const pages = 30
	p.CellFormat(pdfWidth-pages, 4, p.words.generated+" "+p.pcn.moment(), "", 0, "L", false, 0, "")
	p.pageNumber(pages)
	p.CellFormat(pdfWidth, 4, p.words.position+" "+itoa(p.pcn.position()), "", 1, "L", false, 0, "")
	p.CellFormat(pdfWidth, 4, p.words.root+" "+p.pcn.root(), "", 1, "L", false, 0, "")
}

// pageNumber writes "Page 1/2" at the right. How many pages there are is known at the end, so the
// text is placed as if it had one digit.
func (p pcnPage) pageNumber(width float64) {
	number := p.words.page + " " + itoa(int64(p.PageNo())) + "/"
	p.SetX(pdfMargin + pdfWidth - width)
	shown := p.GetStringWidth(number + "00")
	p.SetX(pdfMargin + pdfWidth - shown)
	p.CellFormat(shown, 4, number+pdfAllPages, "", 1, "L", false, 0, "")
}

// line draws one code, after a page break where it does not fit.
func (p pcnPage) line(line queries.PCNLine) {
	texts := p.SplitText(drawable(p.pcn.label(line.Labels)), pcnPDFColumns[1]-2*p.GetCellMargin())
	height := pdfLine*float64(len(texts)) + 2
	p.room(height)
	p.SetFont(pdfFont, "", 10)
	p.SetLineWidth(0.1)
	p.SetDrawColor(191, 191, 191)
	top := p.GetY()
	for i, text := range texts {
		p.SetXY(pdfMargin+pcnPDFColumns[0], top+1+pdfLine*float64(i))
		p.CellFormat(pcnPDFColumns[1], pdfLine, text, "", 0, "L", false, 0, "")
	}
	p.SetXY(pdfMargin, top)
	p.row(height, "B", false, line.Code, "", p.pcn.amount(line.Amount), p.pcn.count(line.Charges))
}

// total draws the last row, never alone at the top of a page without saying what it totals.
func (p pcnPage) total() {
	if len(p.pcn.Report.Lines) == 0 {
		p.SetFont(pdfFont, "", 10)
		p.ink(89, 89, 89)
		p.CellFormat(pdfWidth, 9, p.words.none, "", 1, "L", false, 0, "")
		p.ink(0, 0, 0)
	}
	p.room(9)
	p.SetFont(pdfFont, "B", 10)
	p.SetDrawColor(31, 56, 100)
	p.SetLineWidth(0.4)
	report := p.pcn.Report
	p.row(8, "T", false, p.words.total, "", p.pcn.amount(report.Total),
		p.pcn.count(report.Charges))
}

// room begins another page where this one has less left.
func (p pcnPage) room(height float64) {
	_, page := p.GetPageSize()
	if p.GetY()+height > page-pdfBottom {
		p.AddPage()
	}
}

// row draws the four cells of a row and ends its line.
func (p pcnPage) row(height float64, border string, fill bool, cells ...string) {
	for i, text := range cells {
		align, end := "L", 0
		if i >= 2 {
			align = "R"
		}
		if i == len(cells)-1 {
			end = 1
		}
		// Numbers stand beside the first line of a long label.
		p.CellFormat(pcnPDFColumns[i], height, "", border, 0, "", fill, 0, "")
		p.SetX(p.GetX() - pcnPDFColumns[i])
		p.CellFormat(pcnPDFColumns[i], min(height, pdfLine+2), text, "", 0, align, false, 0, "")
		if end == 1 {
			p.Ln(height)
		}
	}
}

func (p pcnPage) ink(r, g, b int) { p.SetTextColor(r, g, b) }

// drawable replaces what no font of a PDF file can hold: characters beyond the first plane.
func drawable(text string) string {
	return strings.Map(func(r rune) rune {
		if r > 0xFFFD {
			return '?'
		}
		return r
	}, text)
}
