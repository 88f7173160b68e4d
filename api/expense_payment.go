package api

import (
	"context"

	"github.com/google/uuid"

	"github.com/koprogo/koprogo/commands"
)

type paidIn struct {
	PaidDate      Field[Date]   `json:"paid_date" example:"2026-03-20"`
	BankReference Field[string] `json:"bank_reference"`
}

func payExpense(
	ctx context.Context, c *Call, id ID, in paidIn,
) (Answer[ExpenseBody], error) {
	return decide(ctx, c, id.ID, &commands.PayCharge{
		ChargeID: id.ID, PaidOn: when(in.PaidDate), BankReference: in.BankReference.Value(),
		Now: c.Now,
	}, readExpense)
}

func unpayExpense(ctx context.Context, c *Call, id ID, _ None) (Answer[ExpenseBody], error) {
	return decide(ctx, c, id.ID, commands.UnpayCharge{ChargeID: id.ID}, readExpense)
}

func markExpenseOverdue(ctx context.Context, c *Call, id ID, _ None) (Answer[ExpenseBody], error) {
	return decide(ctx, c, id.ID, commands.MarkOverdue{ChargeID: id.ID}, readExpense)
}

func cancelExpense(ctx context.Context, c *Call, id ID, _ None) (Answer[ExpenseBody], error) {
	return decide(ctx, c, id.ID, commands.CancelCharge{ChargeID: id.ID}, readExpense)
}

func reactivateExpense(ctx context.Context, c *Call, id ID, _ None) (Answer[ExpenseBody], error) {
	return decide(ctx, c, id.ID, commands.ReactivateCharge{ChargeID: id.ID}, readExpense)
}

// expensePayment is a payment of a charge: there are none until the ledger exists.
type expensePayment struct {
	ID                  uuid.UUID `json:"id"`
	AmountCents         int64     `json:"amount_cents"`
	Status              string    `json:"status"`
	PaymentMethodType   string    `json:"payment_method_type"`
	CreatedAt           Instant   `json:"created_at"`
	RefundedAmountCents int64     `json:"refunded_amount_cents"`
	FailureReason       *string   `json:"failure_reason" nullable:"true"`
}

func expensePayments(ctx context.Context, c *Call, id ID) (Answer[[]expensePayment], error) {
	found, err := c.charge(ctx, id.ID)
	return answerOf(found, []expensePayment{}), err
}

type paidBody struct {
	TotalPaidCents int64 `json:"total_paid_cents"`
}

func expensePaid(ctx context.Context, c *Call, id ID) (Answer[paidBody], error) {
	found, err := c.charge(ctx, id.ID)
	return Answer[paidBody]{Position: found.Position, Stale: found.Stale}, err
}

func expenseDocuments(ctx context.Context, c *Call, id ID) (Answer[[]None], error) {
	found, err := c.charge(ctx, id.ID)
	return answerOf(found, []None{}), err
}
