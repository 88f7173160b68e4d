package exports

import (
	"encoding/json"
	"io"
	"time"

	"github.com/google/uuid"
)

// pcnFile is the report as JSON: its answer over REST, with what it is of and what proves it.
type pcnFile struct {
	BuildingID      uuid.UUID     `json:"building_id"`
	BuildingName    string        `json:"building_name"`
	BuildingAddress string        `json:"building_address"`
	GeneratedAt     time.Time     `json:"generated_at"`
	PeriodStart     *string       `json:"period_start"`
	PeriodEnd       *string       `json:"period_end"`
	Profile         string        `json:"profile"`
	Status          string        `json:"status"`
	Position        int64         `json:"position"`
	RootHash        string        `json:"root_hash"`
	Checkpoint      string        `json:"checkpoint"` // the signed note of that position
	Lines           []pcnFileLine `json:"lines"`
	TotalAmount     string        `json:"total_amount"`
	TotalEntries    int64         `json:"total_entries"`
}

type pcnFileLine struct {
	Code    string `json:"account_code"`
	NL      string `json:"account_label_nl"`
	FR      string `json:"account_label_fr"`
	DE      string `json:"account_label_de"`
	EN      string `json:"account_label_en"`
	Amount  string `json:"total_amount"`
	Charges int64  `json:"entry_count"`
}

func writePCNJSON(w io.Writer, p PCN) error {
	report, asked, building := p.Report, p.Report.Asked, p.Report.Building
	file := pcnFile{
		BuildingID: building.ID, BuildingName: building.Name,
		BuildingAddress: building.Address + ", " + building.PostalCode + " " + building.City,
		GeneratedAt:     p.GeneratedAt.UTC().Truncate(time.Microsecond),
		PeriodStart:     midnight(string(asked.From)), PeriodEnd: midnight(string(asked.To)),
		Profile: asked.Profile, Status: asked.Status, Position: p.position(),
		RootHash: p.root(), Checkpoint: p.Checkpoint.Note,
		Lines:       make([]pcnFileLine, len(report.Lines)),
		TotalAmount: report.Total.String(), TotalEntries: report.Charges,
	}
	for i, line := range report.Lines {
		file.Lines[i] = pcnFileLine{
			line.Code, line.Labels.NL, line.Labels.FR, line.Labels.DE, line.Labels.EN,
			line.Amount.String(), line.Charges,
		}
	}
	out := json.NewEncoder(w)
	out.SetEscapeHTML(false)
	out.SetIndent("", "  ")
	return out.Encode(file)
}

// midnight is how REST answers write a day; null for none.
func midnight(day string) *string {
	if day == "" {
		return nil
	}
	day += "T00:00:00Z"
	return &day
}
