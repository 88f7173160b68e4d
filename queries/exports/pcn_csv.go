package exports

import (
	"encoding/csv"
	"io"
	"strings"

	"github.com/koprogo/koprogo/events"
)

// writePCNCSV writes what a Belgian accountant's spreadsheet opens without being asked: UTF-8 with
// a byte order mark, semicolons, decimal commas, CRLF. It is rectangular, so that software reads
// it too: a header, the lines, TOTAL, each with the period, the position and the root hash.
func writePCNCSV(w io.Writer, p PCN) error {
	if _, err := io.WriteString(w, "\ufeff"); err != nil {
		return err
	}
	out := csv.NewWriter(w)
	out.Comma, out.UseCRLF = ';', true
	asked := p.Report.Asked
	row := func(code string, labels events.Labels, amount events.Money, charges int64) []string {
		return []string{
			guarded(code), guarded(labels.NL), guarded(labels.FR), guarded(labels.DE),
			guarded(labels.EN), strings.Replace(amount.String(), ".", ",", 1), itoa(charges),
			string(asked.From), string(asked.To), itoa(p.position()), p.root(),
		}
	}
	rows := [][]string{append(pcnColumns[:], "Du", "Au", "Position", "Empreinte racine")}
	for _, line := range p.Report.Lines {
		rows = append(rows, row(line.Code, line.Labels, line.Amount, line.Charges))
	}
	rows = append(rows, row(pcnTotal, events.Labels{}, p.Report.Total, p.Report.Charges))
	return out.WriteAll(rows)
}

// guarded keeps a spreadsheet from reading a text as a formula.
func guarded(text string) string {
	if text != "" && strings.ContainsRune("=+-@\t\r", rune(text[0])) {
		return "'" + text
	}
	return text
}
