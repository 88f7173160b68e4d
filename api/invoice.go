package api

import (
	"context"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/koprogo/koprogo/commands"
	"github.com/koprogo/koprogo/queries"
)

// invoiceWords are the names of a charge's fields on the paths of invoices.
var invoiceWords = append(slices.Clone(expenseWords),
	"date", "invoice_date", "lines", "lines", "amount", "amount_excl_vat",
	"gross", "amount_incl_vat")

// invoiceBody is a charge with its VAT and lines.
type invoiceBody struct {
	ExpenseBody

	AmountExclVAT   Money         `json:"amount_excl_vat"`
	VATRate         *Percent      `json:"vat_rate" nullable:"true" doc:"Null where lines have several"`
	VATAmount       Money         `json:"vat_amount"`
	AmountInclVAT   Money         `json:"amount_incl_vat"`
	VATRateReason   *string       `json:"vat_rate_reason" nullable:"true"`
	Lines           []invoiceLine `json:"lines"`
	InvoiceDate     Date          `json:"invoice_date"`
	SubmittedAt     Instant       `json:"submitted_at"`
	SubmittedBy     *uuid.UUID    `json:"submitted_by" nullable:"true"`
	ApprovedBy      *uuid.UUID    `json:"approved_by" nullable:"true"`
	ApprovedAt      Instant       `json:"approved_at"`
	RejectedBy      *uuid.UUID    `json:"rejected_by" nullable:"true"`
	RejectedAt      Instant       `json:"rejected_at"`
	RejectionReason *string       `json:"rejection_reason" nullable:"true"`
}

// invoiceLine is a line with the account that it stands on and the key that it is divided by.
type invoiceLine struct {
	Description       string     `json:"description"`
	Quantity          Quantity   `json:"quantity"`
	UnitPrice         UnitPrice  `json:"unit_price"`
	VATRate           Percent    `json:"vat_rate"`
	AmountExclVAT     Money      `json:"amount_excl_vat"`
	VATAmount         Money      `json:"vat_amount"`
	AmountInclVAT     Money      `json:"amount_incl_vat"`
	AccountCode       string     `json:"account_code"`
	DistributionKeyID *uuid.UUID `json:"distribution_key_id" nullable:"true"`
}

func toInvoice(c queries.Charge) invoiceBody {
	row := &c.Row
	body := invoiceBody{
		ExpenseBody: toExpense(c), AmountExclVAT: Money(row.Net), VATAmount: Money(row.VAT),
		AmountInclVAT: Money(row.Gross), VATRateReason: optionalText(row.VATRateReason),
		Lines: make([]invoiceLine, len(row.Lines)), InvoiceDate: DayDate(queries.Day(row.Date)),
		SubmittedAt: optionalInstant(row.SubmittedAt), SubmittedBy: row.SubmittedBy,
		ApprovedAt: optionalInstant(row.ApprovedAt), ApprovedBy: row.ApprovedBy,
		RejectedAt: optionalInstant(row.RejectedAt), RejectedBy: row.RejectedBy,
		RejectionReason: optionalText(c.RejectionReason),
	}
	one := true
	for i, line := range row.Lines {
		body.Lines[i] = toLine(line)
		body.Lines[i].Description = c.LineTexts[i]
		if row.LineTexts[i] == "" {
			body.Lines[i].Description = c.Description
		}
		if line.KeyID == nil {
			body.Lines[i].DistributionKeyID = row.KeyID
		}
		one = one && line.VATRate == row.Lines[0].VATRate
	}
	if one && len(row.Lines) > 0 {
		rate := Percent(row.Lines[0].VATRate)
		body.VATRate = &rate
	}
	return body
}

// toLine is a line without its text.
func toLine(line queries.ChargeLine) invoiceLine {
	return invoiceLine{
		Quantity: Quantity(line.Quantity), UnitPrice: UnitPrice(line.UnitPrice),
		VATRate: Percent(line.VATRate), AmountExclVAT: Money(line.Net),
		VATAmount: Money(line.VAT), AmountInclVAT: Money(line.Gross),
		AccountCode: line.AccountCode, DistributionKeyID: line.KeyID,
	}
}

func optionalInstant(at *time.Time) Instant {
	if at == nil {
		return Instant{}
	}
	return Instant(*at)
}

// invoiceIn is what POST /invoices/draft and PUT /invoices/{id} take.
type invoiceIn struct {
	ChargeIn

	AmountInclVAT Field[Total]          `json:"amount_incl_vat" doc:"As printed, for comparison"`
	InvoiceDate   Field[Date]           `json:"invoice_date" required:"true" example:"2026-03-10"`
	Lines         Field[[]chargeLineIn] `json:"lines" maxItems:"500"`
}

func (in *invoiceIn) fields() (commands.ChargeFields, error) {
	return in.common(in.AmountInclVAT, "amount_incl_vat", in.InvoiceDate, in.Lines)
}

func createInvoice(
	ctx context.Context, c *Call, _ None, in invoiceIn,
) (Answer[invoiceBody], error) {
	fields, err := in.fields()
	if err != nil {
		return Answer[invoiceBody]{}, err
	}
	return draftCharge(ctx, c, &in.ChargeIn, fields, readInvoice)
}

func changeInvoice(
	ctx context.Context, c *Call, id ID, in invoiceIn,
) (Answer[invoiceBody], error) {
	fields, err := in.fields()
	if err != nil {
		return Answer[invoiceBody]{}, err
	}
	return amendCharge(ctx, c, id.ID, &in.ChargeIn, fields, readInvoice)
}

func readInvoice(ctx context.Context, c *Call, id ID) (Answer[invoiceBody], error) {
	found, err := c.charge(ctx, id.ID)
	return answerOf(found, toInvoice(found.Item)).versioned(found.Item.Row.Version), err
}

func submitInvoice(ctx context.Context, c *Call, id ID, _ None) (Answer[invoiceBody], error) {
	return decide(ctx, c, id.ID, commands.SubmitCharge{
		ChargeID: id.ID, Actor: c.Caller.Account,
	}, readInvoice)
}

func approveInvoice(ctx context.Context, c *Call, id ID, _ None) (Answer[invoiceBody], error) {
	return decide(ctx, c, id.ID, &commands.ApproveCharge{
		ChargeID: id.ID, Actor: c.Caller.Account,
	}, readInvoice)
}

type rejectionIn struct {
	RejectionReason Field[string] `json:"rejection_reason" maxLength:"10000" example:"Facturé deux fois"`
}

func rejectInvoice(
	ctx context.Context, c *Call, id ID, in rejectionIn,
) (Answer[invoiceBody], error) {
	return decide(ctx, c, id.ID, &commands.RejectCharge{
		ChargeID: id.ID, Actor: c.Caller.Account, Reason: in.RejectionReason.Value(),
	}, readInvoice)
}

// pendingBody are the invoices that wait for approval.
type pendingBody struct {
	Invoices []invoiceBody `json:"invoices"`
	Count    int           `json:"count"`
}

func pendingInvoices(ctx context.Context, c *Call, _ None) (Answer[pendingBody], error) {
	seen, err := c.chargeSight(ctx)
	if err != nil {
		return Answer[pendingBody]{}, err
	}
	list := queries.ChargeList{
		Span: c.span(), ApprovalStatus: commands.ApprovalPending, Buildings: seen.buildings,
		Page: queries.Page{Number: 1, Size: maxRowsDeep, Sort: "date"},
	}
	if list.Only, err = c.visibleCharges(ctx, seen); err != nil {
		return Answer[pendingBody]{}, err
	}
	listed, err := c.Queries.Charges(ctx, list)
	body := pendingBody{Invoices: make([]invoiceBody, len(listed.Items)), Count: len(listed.Items)}
	for i, charge := range listed.Items {
		body.Invoices[i] = toInvoice(charge)
	}
	return Answer[pendingBody]{Body: body, Position: listed.Stale, Stale: listed.Stale}, err
}
