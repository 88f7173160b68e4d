package api

import (
	"context"
	"reflect"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"github.com/koprogo/koprogo/events"
	"github.com/koprogo/koprogo/queries"
)

// landingBody are the figures of a landing page. There are no meetings to name yet.
type landingBody struct {
	TotalBuildings        int64        `json:"total_buildings"`
	TotalUnits            int64        `json:"total_units"`
	TotalOwners           int64        `json:"total_owners"`
	PendingExpensesCount  int64        `json:"pending_expenses_count" doc:"Whose payment is pending"`
	PendingExpensesAmount Money        `json:"pending_expenses_amount" doc:"Credit notes negative"`
	NextMeeting           *nextMeeting `json:"next_meeting"`
}

type nextMeeting struct {
	ID           uuid.UUID `json:"id"`
	Date         Instant   `json:"date"`
	BuildingName string    `json:"building_name"`
}

// Schema describes the meeting, or null.
func (nextMeeting) Schema(registry huma.Registry) *huma.Schema {
	type fields nextMeeting
	schema := huma.SchemaFromType(registry, reflect.TypeFor[fields]())
	schema.Nullable = true
	return schema
}

func syndicStats(ctx context.Context, c *Call, _ None) (Answer[landingBody], error) {
	found, err := c.figures(ctx)
	figures := &found.Item
	return answerOf(found, landingBody{
		TotalBuildings: figures.Buildings, TotalUnits: figures.Lots,
		TotalOwners: figures.Owners, PendingExpensesCount: figures.Pending,
		PendingExpensesAmount: Money(figures.PendingAmount),
	}), err
}

// figures are those of the organization, or of the buildings of an auditor's mandates.
func (c *Call) figures(ctx context.Context) (queries.Found[queries.Figures], error) {
	seen, err := c.sight(ctx)
	if err != nil {
		return queries.Found[queries.Figures]{}, err
	}
	return c.Queries.Figures(ctx, c.Organization, seen.buildings)
}

// ownerStats are an owner's own: what he holds, and his part of what is not paid.
func ownerStats(ctx context.Context, c *Call, _ None) (Answer[landingBody], error) {
	seen, err := c.sight(ctx)
	if err != nil {
		return Answer[landingBody]{}, err
	}
	body := landingBody{
		TotalBuildings: int64(len(seen.buildings)), TotalUnits: int64(len(seen.lots)),
		TotalOwners: int64(len(seen.owners)),
	}
	found, err := c.Queries.OwnersPending(ctx, c.Organization, seen.owners)
	body.PendingExpensesCount = found.Item.Charges
	body.PendingExpensesAmount = Money(found.Item.Amount)
	return answerOf(found, body), err
}

// platformBody counts over all organizations. There are no meetings and documents to count yet.
type platformBody struct {
	TotalOrganizations  int64 `json:"total_organizations"`
	TotalUsers          int64 `json:"total_users"`
	TotalBuildings      int64 `json:"total_buildings"`
	TotalUnits          int64 `json:"total_units"`
	TotalOwners         int64 `json:"total_owners"`
	TotalExpenses       int64 `json:"total_expenses"`
	TotalMeetings       int64 `json:"total_meetings"`
	TotalDocuments      int64 `json:"total_documents"`
	ActiveSubscriptions int64 `json:"active_subscriptions" doc:"Of organizations not suspended"`
}

func platformStats(ctx context.Context, c *Call, _ None) (Answer[platformBody], error) {
	found, err := c.Queries.PlatformFigures(ctx)
	figures := &found.Item
	return Answer[platformBody]{
		Body: platformBody{
			TotalOrganizations: figures.Organizations, TotalUsers: figures.Accounts,
			TotalBuildings: figures.Buildings, TotalUnits: figures.Lots,
			TotalOwners: figures.Owners, TotalExpenses: figures.Charges,
			ActiveSubscriptions: figures.Active,
		},
		Stale: found.Stale,
	}, err
}

// accountantBody says what was paid and what is to be. Rejected and cancelled expenses count
// nowhere, credit notes negatively.
type accountantBody struct {
	TotalExpensesCurrentMonth Money   `json:"total_expenses_current_month"`
	TotalPaid                 Money   `json:"total_paid"`
	PaidPercentage            Percent `json:"paid_percentage" doc:"Of paid and pending, 0..100"`
	TotalPending              Money   `json:"total_pending" doc:"Overdue expenses are in it"`
	PendingPercentage         Percent `json:"pending_percentage" doc:"What is left to 100"`
	OwnersWithOverdue         int64   `json:"owners_with_overdue" doc:"Who bear a part of what is overdue"`
}

func accountantStats(ctx context.Context, c *Call, _ None) (Answer[accountantBody], error) {
	found, err := c.figures(ctx)
	figures := &found.Item
	body := accountantBody{
		TotalExpensesCurrentMonth: Money(figures.Month), TotalPaid: Money(figures.Paid),
		TotalPending: Money(figures.Unpaid), OwnersWithOverdue: figures.OverdueOwners,
	}
	if figures.Paid > 0 || figures.Unpaid > 0 {
		body.PaidPercentage = percentOf(figures.Paid, figures.Unpaid)
		body.PendingPercentage = wholePercent - body.PaidPercentage
	}
	return answerOf(found, body), err
}

// wholePercent is 100 %.
const wholePercent Percent = 100_00

// percentOf is what part is of itself and the rest, rounded half up. What credit notes turned
// around counts as nothing.
func percentOf(part, rest events.Money) Percent {
	part, rest = max(part, 0), max(rest, 0)
	whole := part + rest
	for whole > maxMoney { // so that the product stays within 64 bits
		part, whole = part/2, whole/2
	}
	return Percent((2*int64(part)*int64(wholePercent) + int64(whole)) / (2 * int64(whole)))
}

// transactionsAsked bounds a list of transactions.
type transactionsAsked struct {
	Limit Field[int] `query:"limit" minimum:"1" maximum:"50" doc:"10 unless given"`
}

const defaultTransactions = 10

// transactionBody is money that moved: to a supplier, negative, or back from him for a credit note.
type transactionBody struct {
	ID              uuid.UUID `json:"id"`
	TransactionType string    `json:"transaction_type" enum:"payment_made,payment_received"`
	Description     string    `json:"description"`
	RelatedEntity   *string   `json:"related_entity" nullable:"true" doc:"The supplier"`
	Amount          Money     `json:"amount" doc:"Negative for what was paid out"`
	Date            Date      `json:"date"`
}

func toTransaction(charge queries.Charge) transactionBody {
	body := transactionBody{
		ID: charge.Row.ID, TransactionType: "payment_made", Description: charge.Description,
		RelatedEntity: optionalText(charge.Supplier),
		Amount:        Money(-charge.Row.Sign() * charge.Row.Gross),
		Date:          DayDate(queries.Day(charge.Row.PaidOn)),
	}
	if body.Amount > 0 {
		body.TransactionType = "payment_received"
	}
	return body
}

// recentTransactions are the expenses that were paid last, the last one first.
func recentTransactions(
	ctx context.Context, c *Call, asked transactionsAsked,
) (Answer[[]transactionBody], error) {
	seen, err := c.sight(ctx)
	if err != nil {
		return Answer[[]transactionBody]{}, err
	}
	limit := defaultTransactions
	if asked.Limit.IsGiven() {
		limit = asked.Limit.Value()
	}
	found, err := c.Queries.PaidCharges(ctx, c.Organization, seen.buildings, limit)
	return answerAll(found, toTransaction, all), err
}

// Answers that never change keep the older web app's frame quiet.

func noneOf(context.Context, *Call, None) (Answer[[]None], error) {
	return Answer[[]None]{Body: []None{}}, nil
}

type boardMandatesBody struct {
	Mandates []None `json:"mandates"`
}

func myBoardMandates(context.Context, *Call, None) (Answer[boardMandatesBody], error) {
	return Answer[boardMandatesBody]{Body: boardMandatesBody{Mandates: []None{}}}, nil
}

type ticketsBody struct {
	OpenCount int64 `json:"open_count"`
}

func ticketStatistics(context.Context, *Call, None) (Answer[ticketsBody], error) {
	return Answer[ticketsBody]{}, nil
}
