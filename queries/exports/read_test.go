package exports_test

import (
	"archive/zip"
	"bytes"
	"cmp"
	"compress/zlib"
	"encoding/binary"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/stretchr/testify/require"
	"github.com/xuri/excelize/v2"
)

var (
	pdfStream = regexp.MustCompile(`(?s)stream\r?\n(.*?)\r?\nendstream`)
	pdfShown  = regexp.MustCompile(`(?s)BT ([\d.]+) ([\d.]+) Td \(((?:\\.|[^\\)])*)\) ?Tj ET`)
	pdfEscape = regexp.MustCompile(`(?s)\\(.)`)
)

// shown is a text where it stands on a page, in points from the left and from below.
type shown struct {
	x, y float64
	text string
}

// pdfPages are the texts of a PDF file's pages, in their order. It reads what the file says and
// knows nothing of how it was written.
func pdfPages(t *testing.T, file []byte) [][]shown {
	t.Helper()
	require.True(t, bytes.HasPrefix(file, []byte("%PDF-")))
	var pages [][]shown
	for _, found := range pdfStream.FindAllSubmatch(file, -1) {
		reader, err := zlib.NewReader(bytes.NewReader(found[1]))
		if err != nil {
			continue // what is not compressed is no page
		}
		content, err := io.ReadAll(reader)
		require.NoError(t, err)
		if page := pdfTexts(t, content); page != nil {
			pages = append(pages, page)
		}
	}
	require.NotEmpty(t, pages)
	return pages
}

func pdfTexts(t *testing.T, content []byte) (texts []shown) {
	t.Helper()
	for _, found := range pdfShown.FindAllSubmatch(content, -1) {
		x, err := strconv.ParseFloat(string(found[1]), 64)
		require.NoError(t, err)
		y, err := strconv.ParseFloat(string(found[2]), 64)
		require.NoError(t, err)
		raw := pdfEscape.ReplaceAllFunc(found[3], func(escaped []byte) []byte {
			if escaped[1] == 'r' {
				return []byte{'\r'}
			}
			return escaped[1:]
		})
		require.Zero(t, len(raw)%2, "texts are UTF-16")
		units := make([]uint16, len(raw)/2)
		for i := range units {
			units[i] = binary.BigEndian.Uint16(raw[2*i:])
		}
		texts = append(texts, shown{x, y, string(utf16.Decode(units))})
	}
	return texts
}

// dumpPDF writes a PDF file's texts as lines from top to bottom, cells apart by " | ".
func dumpPDF(t *testing.T, file []byte) string {
	t.Helper()
	var out strings.Builder
	for i, page := range pdfPages(t, file) {
		fmt.Fprintf(&out, "--- page %d\n", i+1)
		slices.SortStableFunc(page, func(a, b shown) int {
			return cmp.Or(-cmp.Compare(a.y, b.y), cmp.Compare(a.x, b.x))
		})
		for j, text := range page {
			switch {
			case j == 0:
			case text.y == page[j-1].y:
				out.WriteString(" | ")
			default:
				out.WriteByte('\n')
			}
			out.WriteString(text.text)
		}
		out.WriteByte('\n')
	}
	return out.String()
}

// dumpWorkbook writes a workbook's cells as lines, numbers bare and texts quoted.
func dumpWorkbook(t *testing.T, file []byte) string {
	t.Helper()
	book, err := excelize.OpenReader(bytes.NewReader(file))
	require.NoError(t, err)
	defer func() { require.NoError(t, book.Close()) }()
	require.Equal(t, []string{"PCN"}, book.GetSheetList())
	rows, err := book.GetRows("PCN", excelize.Options{RawCellValue: true})
	require.NoError(t, err)
	var out strings.Builder
	for i, row := range rows {
		cells := make([]string, len(row))
		for j, value := range row {
			name, err := excelize.CoordinatesToCellName(j+1, i+1)
			require.NoError(t, err)
			kind, err := book.GetCellType("PCN", name)
			require.NoError(t, err)
			cells[j] = value
			if kind == excelize.CellTypeInlineString || kind == excelize.CellTypeSharedString {
				cells[j] = strconv.Quote(value)
			}
		}
		fmt.Fprintf(&out, "%d: %s\n", i+1, strings.Join(cells, " | "))
	}
	return out.String()
}

// part is one file within a workbook, as it is stored.
func part(t *testing.T, file []byte, name string) string {
	t.Helper()
	archive, err := zip.NewReader(bytes.NewReader(file), int64(len(file)))
	require.NoError(t, err)
	opened, err := archive.Open(name)
	require.NoError(t, err)
	content, err := io.ReadAll(opened)
	require.NoError(t, err)
	return string(content)
}
