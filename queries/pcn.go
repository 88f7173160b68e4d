package queries

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/koprogo/koprogo/events"
	"github.com/koprogo/koprogo/projections"
)

var pcnModels = []string{projections.Buildings.Name, projections.Charges.Name}

// The profiles of a PCN report: which codes its lines have.
const (
	PCNByCategory = "category" // the eight codes of the older system, one for each category
	PCNByChart    = "chart"    // the accounts of the Belgian chart
)

// Which charges a PCN report counts. Cancelled and rejected ones never count.
const (
	PCNApproved = "approved"
	PCNPaid     = "paid" // approved, and paid by the period's end
	PCNAll      = "all"  // drafts and those that wait for approval too
)

// PCNAsked says which report of a building is wanted. The period's days are charge dates, both
// included; an empty one leaves that side open.
type PCNAsked struct {
	Organization uuid.UUID
	Building     uuid.UUID
	From, To     events.Day
	Profile      string
	Status       string
	Moment       Moment
}

// PCN is a building's charges by account (the Belgian standard chart), as the log showed them at
// Position.
type PCN struct {
	Asked       PCNAsked
	Building    Building
	Position    int64
	Stale       int64 // set to Position where a read model has stopped
	GeneratedAt time.Time
	Lines       []PCNLine // by code; never nil
	Total       events.Money
	Charges     int64 // the sum of the lines': a charge over two accounts counts on both
}

// PCNLine is one code of the report.
type PCNLine struct {
	Code    string
	Labels  events.Labels
	Amount  events.Money // VAT included; credit notes count negatively
	Charges int64        // how many charges have an amount on this code
}

// PCN makes a report: ErrNotFound for a building that does not stand at that moment,
// ErrPositionUnknown for a moment past the head.
func (r *Reader) PCN(ctx context.Context, asked PCNAsked) (PCN, error) {
	if asked.Moment == (Moment{}) {
		return r.pcnNow(ctx, asked)
	}
	look, err := r.look(ctx, asked.Organization, asked.Building, asked.Moment)
	if err != nil {
		return PCN{}, err
	}
	return r.pcnOf(look, asked)
}

// pcnOf makes the report of a building at a moment.
func (r *Reader) pcnOf(l look, asked PCNAsked) (PCN, error) {
	report := PCN{Asked: asked, Position: l.position, GeneratedAt: r.store.Clock()}
	report.Building, _ = projections.BuildingTable.Of(l.copied, asked.Building)
	sums, err := asked.sums(projections.EntryTable.All(l.copied))
	if err != nil {
		return PCN{}, err
	}
	return report, report.state(sums)
}

// pcnNow makes the report from the read models, which move together. The building is read before
// the charges' position, so that what is said of it was so at the report's position.
func (r *Reader) pcnNow(ctx context.Context, asked PCNAsked) (PCN, error) {
	report := PCN{Asked: asked, GeneratedAt: r.store.Clock()}
	var sums []pcnSum
	building, buildingArgs := buildingSource.byIDSQL(In(asked.Organization), asked.Building)
	charges, chargesArgs := asked.sql()
	var err error
	report.Stale, err = r.read(ctx, In(asked.Organization), pcnModels, func(batch *pgx.Batch) {
		batch.Queue(building, buildingArgs...).
			Query(one(&report.Building, projections.BuildingTable.Scan))
		batch.Queue(charges, chargesArgs...).Query(func(rows pgx.Rows) error {
			var err error
			report.Position, sums, err = scanPCN(rows)
			return err
		})
	})
	if err != nil {
		return PCN{}, err
	}
	return report, report.state(sums)
}

// state writes the lines of what was added up.
func (p *PCN) state(sums []pcnSum) error {
	p.Lines = make([]PCNLine, 0, len(sums))
	amounts := make([]events.Money, 0, len(sums))
	for _, sum := range sums {
		p.Lines = append(p.Lines, sum.line(p.Asked.Profile))
		amounts = append(amounts, sum.Amount)
		p.Charges += sum.Charges
	}
	slices.SortFunc(p.Lines, func(a, b PCNLine) int { return cmp.Compare(a.Code, b.Code) })
	var err error
	p.Total, err = events.Sum(amounts...)
	return err
}

// pcnSum is what the charges of one category, or on one account, come to.
type pcnSum struct {
	Key     string // the category, or the account's code
	Amount  events.Money
	Charges int64
}

func (s pcnSum) line(profile string) PCNLine {
	line := PCNLine{Code: s.Key, Amount: s.Amount, Charges: s.Charges}
	if profile == PCNByCategory {
		if known, ok := events.Category(s.Key).Line(); ok {
			line.Code, line.Labels = known.Code, known.Labels
		}
		return line
	}
	line.Labels = accountLabels(s.Key)
	return line
}

// accountLabels names an account; one that was added under an account of the chart has its name.
func accountLabels(code string) events.Labels {
	chart := events.BelgianChart()
	if account, known := chart.Account(code); known {
		return account.Labels
	}
	if parent, known := chart.Parent(code); known {
		return parent.Labels
	}
	return events.Labels{FR: code, NL: code, DE: code, EN: code}
}
