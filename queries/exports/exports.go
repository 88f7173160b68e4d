// Package exports writes what people take away: a report as a PDF, a workbook, a CSV or JSON
// file. An export only writes; what it says was decided by the query that made the report, and
// every file names the position of the log that it shows and the log's root hash there.
//
// It may import events, eventstore, projections and queries. Start with Formats, the table of
// contents; each document has its own file pcn*.go, one for each kind of file.
package exports

import (
	"encoding/base64"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
	"unicode"

	"golang.org/x/text/runes"
	"golang.org/x/text/transform"
	"golang.org/x/text/unicode/norm"

	"github.com/koprogo/koprogo/events"
	"github.com/koprogo/koprogo/eventstore"
)

// Format is one kind of file that a document is written as.
type Format struct {
	Document  string // "pcn"
	Name      string // as paths spell it: "pdf", "excel"
	Extension string
	Media     string
	write     func(io.Writer, any) error
}

// The media types of files.
const (
	MediaPDF  = "application/pdf"
	MediaXLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
	MediaCSV  = "text/csv; charset=utf-8"
	MediaJSON = "application/json"
)

// Formats is every file that the product writes.
var Formats = []Format{
	written("pcn", "pdf", "pdf", MediaPDF, writePCNPDF),
	written("pcn", "excel", "xlsx", MediaXLSX, writePCNWorkbook),
	written("pcn", "csv", "csv", MediaCSV, writePCNCSV),
	written("pcn", "json", "json", MediaJSON, writePCNJSON),
}

// written is a format whose writer takes a D.
func written[D any](
	document, name, extension, media string, write func(io.Writer, D) error,
) Format {
	return Format{document, name, extension, media, func(w io.Writer, given any) error {
		content, right := given.(D)
		if !right {
			return fmt.Errorf("it is made of %T, not of %T", content, given)
		}
		return write(w, content)
	}}
}

// Find is the format of a document; false when there is none.
func Find(document, name string) (Format, bool) {
	for _, format := range Formats {
		if format.Document == document && format.Name == name {
			return format, true
		}
	}
	return Format{}, false
}

// Write writes the document, which is of the type that its writer takes: PCN for "pcn".
func (f Format) Write(w io.Writer, document any) error {
	if err := f.write(w, document); err != nil {
		return fmt.Errorf("write %s as %s: %w", f.Document, f.Extension, err)
	}
	return nil
}

// Stamp is what every file says of itself.
type Stamp struct {
	Language    string // fr, nl, de, en; in any other it is written in French
	Zone        *time.Location
	GeneratedAt time.Time
	Checkpoint  eventstore.Checkpoint // of the log at the position that the file shows
}

// position and root are the Stamp's words for the log.
func (s Stamp) position() int64 { return s.Checkpoint.Size }
func (s Stamp) root() string    { return base64.StdEncoding.EncodeToString(s.Checkpoint.Root[:]) }

// moment is when the file was made, on the clocks where the building stands.
func (s Stamp) moment() string {
	at := s.GeneratedAt.In(s.Zone)
	return at.Format(dayLayout(s.Language)+" 15:04") + " (" + s.Zone.String() + ")"
}

// day writes a calendar day as people do.
func (s Stamp) day(day events.Day) string {
	parsed, err := time.Parse(time.DateOnly, string(day))
	if err != nil {
		return string(day)
	}
	return parsed.Format(dayLayout(s.Language))
}

func dayLayout(language string) string {
	if language == "de" {
		return "02.01.2006"
	}
	return "02/01/2006"
}

// noBreak keeps a number, and its currency, on one line.
const noBreak = "\u00a0"

// separators are what stands between thousands and before the cents.
func (s Stamp) separators() (thousands, decimal string) {
	switch s.Language {
	case "nl", "de":
		return ".", ","
	case "en":
		return ",", "."
	}
	return noBreak, ","
}

// count writes a number that is not negative as people do.
func (s Stamp) count(n int64) string {
	thousands, _ := s.separators()
	return grouped(itoa(n), thousands)
}

// amount writes money as people do, such as -1 210,00 €.
func (s Stamp) amount(amount events.Money) string {
	thousands, decimal := s.separators()
	whole, cents, _ := strings.Cut(amount.String(), ".")
	sign := ""
	if digits, negative := strings.CutPrefix(whole, "-"); negative {
		sign, whole = "-", digits
	}
	return sign + grouped(whole, thousands) + decimal + cents + noBreak + "€"
}

func itoa(n int64) string { return strconv.FormatInt(n, 10) }

// grouped puts a separator before every three digits from the right.
func grouped(digits, separator string) string {
	var out strings.Builder
	for i, digit := range digits {
		if i > 0 && (len(digits)-i)%3 == 0 {
			out.WriteString(separator)
		}
		out.WriteRune(digit)
	}
	return out.String()
}

// plainName turns a text into a part of a file name: letters a to z, digits and single dashes, at
// most 60 of them.
func plainName(text string) string {
	unaccented, _, err := transform.String(
		transform.Chain(norm.NFKD, runes.Remove(runes.In(unicode.Mn))), text)
	if err != nil {
		unaccented = text
	}
	var out strings.Builder
	for _, r := range strings.ToLower(unaccented) {
		switch {
		case r >= 'a' && r <= 'z' || r >= '0' && r <= '9':
			out.WriteRune(r)
		case out.Len() > 0 && !strings.HasSuffix(out.String(), "-"):
			out.WriteByte('-')
		}
	}
	name := strings.Trim(out.String(), "-")
	return strings.Trim(name[:min(len(name), 60)], "-")
}
