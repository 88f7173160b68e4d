package api

import (
	"context"
	"slices"

	"github.com/google/uuid"

	"github.com/koprogo/koprogo/commands"
	"github.com/koprogo/koprogo/events"
	"github.com/koprogo/koprogo/queries"
)

// REST calls a charge an expense and, with its VAT and lines, an invoice. expenseWords are the
// names of its fields where the domain has others.
var expenseWords = []string{
	"kind", "document_kind", "date", "expense_date", "key_id", "distribution_key_id",
	"private_lot_id", "private_unit_id", "vat", "vat_amount", "lines", "line_items",
	"paid_on", "paid_date", "reason", "rejection_reason", "gross", "amount",
}

// ExpenseBody is a charge as REST shows it. Its amount is above zero; a credit note's counts
// negatively wherever amounts are added up.
type ExpenseBody struct {
	ID                uuid.UUID  `json:"id"`
	OrganizationID    uuid.UUID  `json:"organization_id"`
	BuildingID        uuid.UUID  `json:"building_id"`
	Category          Category   `json:"category"`
	Description       string     `json:"description"`
	Amount            Money      `json:"amount"`
	ExpenseDate       Date       `json:"expense_date"`
	DueDate           Date       `json:"due_date"`
	PaidDate          Date       `json:"paid_date"`
	PaymentStatus     string     `json:"payment_status"`
	ApprovalStatus    string     `json:"approval_status"`
	DocumentKind      string     `json:"document_kind"`
	Supplier          *string    `json:"supplier" nullable:"true"`
	InvoiceNumber     *string    `json:"invoice_number" nullable:"true"`
	AccountCode       *string    `json:"account_code" nullable:"true"`
	DistributionKeyID *uuid.UUID `json:"distribution_key_id" nullable:"true"`
	PrivateUnitID     *uuid.UUID `json:"private_unit_id" nullable:"true"`
	BankReference     *string    `json:"bank_reference" nullable:"true"`
	CreatedAt         Instant    `json:"created_at"`
	UpdatedAt         Instant    `json:"updated_at"`
}

func toExpense(c queries.Charge) ExpenseBody {
	row := &c.Row
	body := ExpenseBody{
		ID: row.ID, OrganizationID: row.OrganizationID, BuildingID: row.BuildingID,
		Category: Category(row.Category), Description: c.Description, Amount: Money(row.Gross),
		ExpenseDate: DayDate(queries.Day(row.Date)), DueDate: DayDate(queries.Day(row.DueDate)),
		PaidDate: DayDate(queries.Day(row.PaidOn)), PaymentStatus: row.PaymentStatus,
		ApprovalStatus: row.ApprovalStatus, DocumentKind: row.Kind,
		InvoiceNumber: optionalText(row.InvoiceNumber), AccountCode: optionalText(row.AccountCode),
		DistributionKeyID: row.KeyID, PrivateUnitID: row.PrivateLotID,
		BankReference: optionalText(row.BankReference), CreatedAt: Instant(row.CreatedAt),
		UpdatedAt: Instant(row.UpdatedAt),
	}
	if row.SupplierID != nil {
		body.Supplier = &c.Supplier
	}
	return body
}

func optionalText(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

// ChargeIn is what POST and PUT take of both paths.
type ChargeIn struct {
	ID                Field[uuid.UUID] `json:"id" on:"create"`
	BuildingID        Field[uuid.UUID] `json:"building_id" required:"true"`
	Category          Field[Category]  `json:"category" required:"true" example:"Maintenance"`
	Description       Field[string]    `json:"description" required:"true" maxLength:"10000" example:"Entretien"`
	DocumentKind      Field[string]    `json:"document_kind" enum:"invoice,credit_note,expense_note"`
	DueDate           Field[Date]      `json:"due_date" example:"2026-04-09"`
	Supplier          Field[string]    `json:"supplier" example:"Schindler"`
	InvoiceNumber     Field[string]    `json:"invoice_number" example:"F2026-118"`
	AccountCode       Field[string]    `json:"account_code" example:"61011"`
	DistributionKeyID Field[uuid.UUID] `json:"distribution_key_id"`
	PrivateUnitID     Field[uuid.UUID] `json:"private_unit_id"`
	AmountExclVAT     Field[Total]     `json:"amount_excl_vat"`
	VATRate           Field[Percent]   `json:"vat_rate"`
	VATRateReason     Field[string]    `json:"vat_rate_reason"`
	VATAmount         Field[Total]     `json:"vat_amount"`
}

// chargeLineIn is a line of a request. Its key and account are the charge's unless given.
type chargeLineIn struct {
	Description       string           `json:"description" required:"true" maxLength:"10000"`
	Quantity          Quantity         `json:"quantity" required:"true"`
	UnitPrice         UnitPrice        `json:"unit_price" required:"true"`
	VATRate           Percent          `json:"vat_rate" required:"true"`
	VATAmount         Field[Money]     `json:"vat_amount"`
	AccountCode       Field[string]    `json:"account_code"`
	DistributionKeyID Field[uuid.UUID] `json:"distribution_key_id"`
}

// expenseIn is what POST and PUT /expenses take.
type expenseIn struct {
	ChargeIn

	Amount      Field[Total]          `json:"amount" required:"true" example:"968.00"`
	ExpenseDate Field[Date]           `json:"expense_date" required:"true" example:"2026-03-10"`
	LineItems   Field[[]chargeLineIn] `json:"line_items" maxItems:"500"`
}

func (in *expenseIn) fields() (commands.ChargeFields, error) {
	return in.common(in.Amount, "amount", in.ExpenseDate, in.LineItems)
}

// common turns a request into the rules' fields. An amount of more than two places stands only
// beside lines.
func (in *ChargeIn) common(
	gross Field[Total], name string, day Field[Date], lines Field[[]chargeLineIn],
) (commands.ChargeFields, error) {
	if len(lines.Value()) == 0 {
		for _, total := range []struct {
			field string
			given Field[Total]
		}{
			{name, gross}, {"amount_excl_vat", in.AmountExclVAT}, {"vat_amount", in.VATAmount},
		} {
			if total.given.Value().finer {
				return commands.ChargeFields{},
					refuseField(total.field, CodeTooManyPlaces, "places", "2")
			}
		}
	}
	return commands.ChargeFields{
		Kind:        in.DocumentKind.Change(),
		Category:    changeOf(in.Category, func(c Category) string { return string(c) }),
		Description: in.Description.Change(), Date: when(day), DueDate: when(in.DueDate),
		Supplier: in.Supplier.Change(), InvoiceNumber: in.InvoiceNumber.Change(),
		AccountCode: in.AccountCode.Change(), KeyID: in.DistributionKeyID.Change(),
		PrivateLotID: in.PrivateUnitID.Change(), Amount: moneyOf(gross),
		Net: moneyOf(in.AmountExclVAT), VAT: moneyOf(in.VATAmount),
		VATRate:       changeOf(in.VATRate, func(p Percent) events.VATRate { return events.VATRate(p) }),
		VATRateReason: in.VATRateReason.Change(), Lines: changeOf(lines, toLineFields),
	}, nil
}

func toLineFields(lines []chargeLineIn) []commands.ChargeLineFields {
	fields := make([]commands.ChargeLineFields, len(lines))
	for i, line := range lines {
		fields[i] = commands.ChargeLineFields{
			Description: line.Description, Quantity: events.Quantity(line.Quantity),
			UnitPrice: events.UnitPrice(line.UnitPrice), VATRate: events.VATRate(line.VATRate),
			AccountCode: line.AccountCode.Value(), KeyID: line.DistributionKeyID.Value(),
		}
		if line.VATAmount.IsGiven() {
			printed := events.Money(line.VATAmount.Value())
			fields[i].VAT = &printed
		}
	}
	return fields
}

func createExpense(
	ctx context.Context, c *Call, _ None, in expenseIn,
) (Answer[ExpenseBody], error) {
	fields, err := in.fields()
	if err != nil {
		return Answer[ExpenseBody]{}, err
	}
	return draftCharge(ctx, c, &in.ChargeIn, fields, readExpense)
}

// draftCharge enters a charge, and amendCharge changes one, and show it by either path.
func draftCharge[R any](
	ctx context.Context, c *Call, in *ChargeIn, fields commands.ChargeFields,
	show func(context.Context, *Call, ID) (Answer[R], error),
) (Answer[R], error) {
	id := c.NewID(in.ID)
	return decide(ctx, c, id, &commands.DraftCharge{
		ChargeID: id, BuildingID: in.BuildingID.Value(), SupplierID: uuid.Must(uuid.NewV7()),
		ChargeFields: fields,
	}, show)
}

func amendCharge[R any](
	ctx context.Context, c *Call, id uuid.UUID, in *ChargeIn, fields commands.ChargeFields,
	show func(context.Context, *Call, ID) (Answer[R], error),
) (Answer[R], error) {
	return decide(ctx, c, id, &commands.AmendCharge{
		ChargeID: id, Building: in.BuildingID.Change(), SupplierID: uuid.Must(uuid.NewV7()),
		ChargeFields: fields,
	}, show)
}

func changeExpense(
	ctx context.Context, c *Call, id ID, in expenseIn,
) (Answer[ExpenseBody], error) {
	fields, err := in.fields()
	if err != nil {
		return Answer[ExpenseBody]{}, err
	}
	return amendCharge(ctx, c, id.ID, &in.ChargeIn, fields, readExpense)
}

func removeExpense(ctx context.Context, c *Call, id ID) (Answer[None], error) {
	return discard(ctx, c, id.ID, commands.RemoveCharge{ChargeID: id.ID})
}

func readExpense(ctx context.Context, c *Call, id ID) (Answer[ExpenseBody], error) {
	found, err := c.charge(ctx, id.ID)
	return answerOf(found, toExpense(found.Item)).versioned(found.Item.Row.Version), err
}

// charge finds a charge that the caller sees.
func (c *Call) charge(
	ctx context.Context, id uuid.UUID,
) (found queries.Found[queries.Charge], err error) {
	found, err = find(ctx, c, id, c.Queries.ChargeByID, c.Queries.ChargeAt)
	if err != nil {
		return found, err
	}
	return found, c.maySeeCharge(ctx, found.Item.Row.BuildingID, id)
}

// maySeeCharge is not found for a charge of a building that the caller does not see, and, for an
// owner, one that he bears no share of.
func (c *Call) maySeeCharge(ctx context.Context, building, charge uuid.UUID) error {
	seen, err := c.chargeSight(ctx)
	switch {
	case err != nil:
		return err
	case !seen.building(building):
		return notFound(c.route.Noun)
	case seen.owners == nil:
		return nil
	}
	shares, err := c.Queries.ChargeShares(ctx, c.Organization, charge)
	if err == nil && !slices.ContainsFunc(shares.Item, func(s queries.Share) bool {
		return s.OwnerID != uuid.Nil && seen.owner(s.OwnerID)
	}) {
		err = notFound(c.route.Noun)
	}
	return err
}

// chargeSight is sight of charges: an owner's goes by his shares, wherever he held a lot.
func (c *Call) chargeSight(ctx context.Context) (sight, error) {
	seen, err := c.sight(ctx)
	if seen.owners != nil {
		seen.buildings = nil
	}
	return seen, err
}

// visibleCharges are those that an owner bears a share of; nil, which is any, for everybody else.
func (c *Call) visibleCharges(ctx context.Context, seen sight) ([]uuid.UUID, error) {
	if seen.owners == nil {
		return nil, nil
	}
	charges, err := c.Queries.OwnerCharges(ctx, c.Organization, seen.owners)
	if charges == nil {
		charges = []uuid.UUID{}
	}
	return charges, err
}

type expenseFilter struct {
	BuildingID     Field[uuid.UUID] `query:"building_id"`
	Category       Field[Category]  `query:"category"`
	PaymentStatus  Field[string]    `query:"payment_status" enum:"pending,paid,overdue,cancelled"`
	ApprovalStatus Field[string]    `query:"approval_status" enum:"draft,pending_approval,approved,rejected"`
	From           Field[Date]      `query:"from"`
	To             Field[Date]      `query:"to"`
	MinAmount      Field[Money]     `query:"min_amount"`
	MaxAmount      Field[Money]     `query:"max_amount"`
	Supplier       Field[string]    `query:"supplier"`
	AccountCode    Field[string]    `query:"account_code"`
}

func listExpenses(
	ctx context.Context, c *Call, filter expenseFilter, page Page,
) (Listed[ExpenseBody], error) {
	seen, err := c.chargeSight(ctx)
	if err != nil {
		return Listed[ExpenseBody]{}, err
	}
	only, err := c.visibleCharges(ctx, seen)
	if err != nil {
		return Listed[ExpenseBody]{}, err
	}
	zone, err := events.Zone(mandateZone)
	if err != nil {
		return Listed[ExpenseBody]{}, err
	}
	listed, err := c.Queries.Charges(ctx, queries.ChargeList{
		Span: c.span(), Building: filter.BuildingID.Value(),
		Category:      string(filter.Category.Value()),
		PaymentStatus: filter.PaymentStatus.Value(), ApprovalStatus: filter.ApprovalStatus.Value(),
		From: filter.From.Value().In(zone), To: filter.To.Value().In(zone),
		Least: amountOf(filter.MinAmount), Most: amountOf(filter.MaxAmount),
		Supplier: filter.Supplier.Value(), Account: filter.AccountCode.Value(),
		Buildings: seen.buildings, Only: only,
		Page: page.of("expense_date", "date", "amount", "gross"),
	})
	return listedAs(listed, toExpense), err
}

func amountOf(field Field[Money]) *events.Money {
	if !field.IsGiven() {
		return nil
	}
	amount := events.Money(field.Value())
	return &amount
}

func buildingExpenses(ctx context.Context, c *Call, id ID) (Answer[[]ExpenseBody], error) {
	organization, seen, err := c.inBuilding(ctx, id)
	if err != nil {
		return Answer[[]ExpenseBody]{}, err
	}
	only, err := c.visibleCharges(ctx, seen)
	if err != nil {
		return Answer[[]ExpenseBody]{}, err
	}
	found, err := c.Queries.BuildingCharges(ctx, organization, id.ID, c.AsOf.moment())
	return answerAll(found, toExpense, func(charge *queries.Charge) bool {
		return only == nil || slices.Contains(only, charge.Row.ID)
	}), err
}
