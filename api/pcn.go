package api

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/koprogo/koprogo/events"
	"github.com/koprogo/koprogo/queries"
	"github.com/koprogo/koprogo/queries/exports"
)

// pcnBody is a building's charges by account.
type pcnBody struct {
	BuildingID   uuid.UUID     `json:"building_id"`
	GeneratedAt  Instant       `json:"generated_at"`
	PeriodStart  Date          `json:"period_start" nullable:"true"`
	PeriodEnd    Date          `json:"period_end" nullable:"true"`
	Profile      string        `json:"profile"`
	Position     int64         `json:"position"`
	Lines        []pcnLineBody `json:"lines"`
	TotalAmount  Money         `json:"total_amount"`
	TotalEntries int64         `json:"total_entries"`
}

type pcnLineBody struct {
	AccountCode string `json:"account_code"`
	LabelNL     string `json:"account_label_nl"`
	LabelFR     string `json:"account_label_fr"`
	LabelDE     string `json:"account_label_de"`
	LabelEN     string `json:"account_label_en"`
	TotalAmount Money  `json:"total_amount"`
	EntryCount  int64  `json:"entry_count"`
}

func toPCN(p queries.PCN) pcnBody {
	body := pcnBody{
		BuildingID: p.Building.ID, GeneratedAt: Instant(p.GeneratedAt),
		PeriodStart: DayDate(p.Asked.From), PeriodEnd: DayDate(p.Asked.To),
		Profile: p.Asked.Profile, Position: p.Position, Lines: make([]pcnLineBody, len(p.Lines)),
		TotalAmount: Money(p.Total), TotalEntries: p.Charges,
	}
	for i, line := range p.Lines {
		body.Lines[i] = pcnLineBody{
			AccountCode: line.Code, LabelNL: line.Labels.NL, LabelFR: line.Labels.FR,
			LabelDE: line.Labels.DE, LabelEN: line.Labels.EN, TotalAmount: Money(line.Amount),
			EntryCount: line.Charges,
		}
	}
	return body
}

// pcnAsked says which report is wanted.
type pcnAsked struct {
	ID      uuid.UUID     `path:"id"`
	From    Field[Date]   `query:"from" doc:"The first charge date"`
	To      Field[Date]   `query:"to" doc:"The last charge date"`
	Profile Field[string] `query:"profile" enum:"category,chart" doc:"category unless given"`
	Status  Field[string] `query:"status" enum:"approved,paid,all" doc:"approved unless given"`
}

// pcnIn is pcnAsked in a body, for clients that send it there.
type pcnIn struct {
	From    Field[Date]   `json:"from"`
	To      Field[Date]   `json:"to"`
	Profile Field[string] `json:"profile" enum:"category,chart"`
	Status  Field[string] `json:"status" enum:"approved,paid,all"`
}

func readPCN(ctx context.Context, c *Call, asked pcnAsked) (Answer[pcnBody], error) {
	report, err := c.pcn(ctx, asked)
	return Answer[pcnBody]{
		Body: toPCN(report), Position: report.Position, Stale: report.Stale,
	}, err
}

// reportPCN is readPCN for clients that send a POST. It writes nothing.
func reportPCN(
	ctx context.Context, c *Call, asked pcnAsked, in pcnIn,
) (Answer[pcnBody], error) {
	for _, err := range []error{
		onlyOnce("from", &asked.From, in.From), onlyOnce("to", &asked.To, in.To),
		onlyOnce("profile", &asked.Profile, in.Profile),
		onlyOnce("status", &asked.Status, in.Status),
	} {
		if err != nil {
			return Answer[pcnBody]{}, err
		}
	}
	answer, err := readPCN(ctx, c, asked)
	if err == nil && c.AsOf.IsNow() {
		c.fence.answered(c.Organization, answer.Position)
	}
	return answer, err
}

// onlyOnce takes what a body gives into a parameter that the query leaves out.
func onlyOnce[T any](name string, into *Field[T], given Field[T]) error {
	if !given.IsGiven() {
		return nil
	}
	if into.IsGiven() {
		return invalidParameter(name, CodeGivenTwice)
	}
	*into = given
	return nil
}

// pcn makes the report that is asked for.
func (c *Call) pcn(ctx context.Context, asked pcnAsked) (queries.PCN, error) {
	if err := c.maySeeBuilding(ctx, asked.ID); err != nil {
		return queries.PCN{}, err
	}
	wanted := queries.PCNAsked{
		Organization: c.Organization, Building: asked.ID, Profile: queries.PCNByCategory,
		Status: queries.PCNApproved, Moment: c.AsOf.moment(),
	}
	if asked.Profile.IsGiven() {
		wanted.Profile = asked.Profile.Value()
	}
	if asked.Status.IsGiven() {
		wanted.Status = asked.Status.Value()
	}
	var err error
	if wanted.From, err = c.dayIn(ctx, asked.ID, asked.From); err != nil {
		return queries.PCN{}, err
	}
	if wanted.To, err = c.dayIn(ctx, asked.ID, asked.To); err != nil {
		return queries.PCN{}, err
	}
	if wanted.From != "" && wanted.To != "" && wanted.From > wanted.To {
		return queries.PCN{}, invalidParameter("to", CodeOutOfRange, "range", "≥ from")
	}
	return c.Queries.PCN(ctx, wanted)
}

// dayIn is a date's day where the building stands; "" for none.
func (c *Call) dayIn(
	ctx context.Context, building uuid.UUID, date Field[Date],
) (events.Day, error) {
	if !date.IsGiven() {
		return "", nil
	}
	if date.Value().instant.IsZero() {
		return date.Value().In(time.UTC), nil
	}
	zone, err := c.Queries.Zone(ctx, c.Organization, building)
	if err != nil {
		return "", err
	}
	return date.Value().In(zone), nil
}

// pcnFile is the route of a report as one kind of file.
func pcnFile(name string) verb {
	format, known := exports.Find("pcn", name)
	if !known { // a wrong build
		panic("there is no PCN report as " + name)
	}
	write := func(ctx context.Context, c *Call, asked pcnAsked) (Answer[File], error) {
		report, err := c.pcn(ctx, asked)
		if err != nil {
			return Answer[File]{}, err
		}
		stamp, err := c.stamp(ctx, report)
		if err != nil {
			return Answer[File]{}, err
		}
		paper := exports.PCN{Stamp: stamp, Report: report}
		var content bytes.Buffer
		if err := format.Write(&content, paper); err != nil {
			return Answer[File]{}, err
		}
		return Answer[File]{
			Body:     File{Name: paper.FileName(format.Extension), Content: content.Bytes()},
			Position: report.Position, Stale: report.Stale,
		}, nil
	}
	return file(format.Media, write)
}

// stamp is what a report's file says of itself, with the signed root of the log at its position.
func (c *Call) stamp(ctx context.Context, report queries.PCN) (exports.Stamp, error) {
	language, err := c.paperLanguage(ctx)
	if err != nil {
		return exports.Stamp{}, err
	}
	zone, err := events.Zone(report.Building.Zone)
	if err != nil {
		return exports.Stamp{}, fmt.Errorf("read the zone of a building: %w", err)
	}
	checkpoint, err := c.Queries.CheckpointAt(ctx, c.Organization, report.Position)
	if err != nil {
		return exports.Stamp{}, err
	}
	return exports.Stamp{
		Language: language, Zone: zone, GeneratedAt: report.GeneratedAt, Checkpoint: checkpoint,
	}, nil
}
