package events

import (
	"slices"
	"strconv"

	"github.com/google/uuid"
)

// ChargeCategory is the category of a charge's stream (charge, kost; invoice or expense).
const ChargeCategory = "charge"

// How the amounts of a charge were given.
const (
	PricedGross = "gross" // one amount, VAT included
	PricedNet   = "net"   // one amount, VAT excluded, and its rate
	PricedLines = "lines"
)

// ChargeLine is one line of a charge. Net, VAT and Gross are cents as they were decided; Gross is
// what is divided over the lots.
type ChargeLine struct {
	Description Personal  `json:"description"` // free text; none: the charge's
	Quantity    Quantity  `json:"quantity"`
	UnitPrice   UnitPrice `json:"unit_price"`
	VATRate     VATRate   `json:"vat_rate"`
	Net         Money     `json:"net"`
	VAT         Money     `json:"vat"`
	Gross       Money     `json:"gross"`
	AccountCode string    `json:"account_code"` // as decided: its own, the charge's or the category's
	OwnAccount  bool      `json:"own_account,omitempty"`
	KeyID       uuid.UUID `json:"key_id,omitzero"` // its own; nil: the charge's
}

// ChargeContent is what a charge says, whole: drafting and amending both state it. Amounts are
// above zero whatever the kind.
type ChargeContent struct {
	Building      uuid.UUID    `json:"building_id"`
	Kind          string       `json:"kind"` // invoice, credit_note, expense_note
	Category      Category     `json:"category"`
	Description   Personal     `json:"description"` // free text
	Date          Day          `json:"date"`
	DueDate       Day          `json:"due_date,omitempty"`
	SupplierID    uuid.UUID    `json:"supplier_id,omitzero"`
	InvoiceNumber string       `json:"invoice_number,omitempty"`
	AccountCode   string       `json:"account_code,omitempty"`    // empty: the category's
	KeyID         uuid.UUID    `json:"key_id,omitzero"`           // nil: the lots' shares
	PrivateLotID  uuid.UUID    `json:"private_lot_id,omitzero"`   // all of it is this lot's
	VATRateReason string       `json:"vat_rate_reason,omitempty"` // for a rate that is not usual
	Priced        string       `json:"priced"`                    // gross, net, lines
	Lines         []ChargeLine `json:"lines"`                     // never empty
	Net           Money        `json:"net"`
	VAT           Money        `json:"vat"`
	Gross         Money        `json:"gross"`
}

// Kinds of charges (their documents).
const (
	KindInvoice     = "invoice"
	KindCreditNote  = "credit_note" // counts negatively wherever charges are added up
	KindExpenseNote = "expense_note"
)

// Sign is -1 for a credit note, else 1.
func (c *ChargeContent) Sign() Money {
	if c.Kind == KindCreditNote {
		return -1
	}
	return 1
}

// fields names the free texts. The lines are copied first: whoever made the content keeps his own.
func (c *ChargeContent) fields() []PersonalField {
	c.Lines = slices.Clone(c.Lines)
	fields := []PersonalField{{"/content/description", uuid.Nil, &c.Description}}
	for i := range c.Lines {
		fields = append(fields, PersonalField{
			"/content/lines/" + strconv.Itoa(i) + "/description", uuid.Nil,
			&c.Lines[i].Description,
		})
	}
	return fields
}

// ChargeDrafted makes a charge in draft.
type ChargeDrafted struct {
	Content ChargeContent `json:"content"`
}

// EventType names the fact.
func (ChargeDrafted) EventType() string { return "charge.drafted" }

// PersonalFields names the free texts.
func (e *ChargeDrafted) PersonalFields() []PersonalField { return e.Content.fields() }

// BuildingID is the building whose charge it is.
func (e ChargeDrafted) BuildingID() uuid.UUID { return e.Content.Building }

var _ = register[ChargeDrafted]()

// ChargeAmended states a draft or rejected charge anew.
type ChargeAmended struct {
	Content ChargeContent `json:"content"`
}

// EventType names the fact.
func (ChargeAmended) EventType() string { return "charge.amended" }

// PersonalFields names the free texts.
func (e *ChargeAmended) PersonalFields() []PersonalField { return e.Content.fields() }

// BuildingID is the building whose charge it is.
func (e ChargeAmended) BuildingID() uuid.UUID { return e.Content.Building }

var _ = register[ChargeAmended]()

// ChargeRemoved takes a draft or rejected charge out of the books.
type ChargeRemoved struct {
	Building uuid.UUID `json:"building_id"`
}

// EventType names the fact.
func (ChargeRemoved) EventType() string { return "charge.removed" }

// BuildingID is the building whose charge it was.
func (e ChargeRemoved) BuildingID() uuid.UUID { return e.Building }

var _ = register[ChargeRemoved]()

// ChargeSubmitted asks for approval.
type ChargeSubmitted struct {
	Building    uuid.UUID `json:"building_id"`
	SubmittedBy uuid.UUID `json:"submitted_by"` // the account: four eyes are not two
}

// EventType names the fact.
func (ChargeSubmitted) EventType() string { return "charge.submitted" }

// BuildingID is the building whose charge it is.
func (e ChargeSubmitted) BuildingID() uuid.UUID { return e.Building }

var _ = register[ChargeSubmitted]()

// ChargeOwner is an owner of a lot as the division saw him, in the order that ties go by.
type ChargeOwner struct {
	OwnershipID uuid.UUID `json:"ownership_id"`
	OwnerID     uuid.UUID `json:"owner_id"`
	Fraction    Fraction  `json:"fraction"`
	From        Day       `json:"from"`
	Part        int64     `json:"part"` // of the whole charge, in millionths, for display
	Amount      Money     `json:"amount"`
}

// ChargeLot is what the division saw of a lot on the charge's day and what the lot bears: its
// amount of all divisions together, shared out over its owners. Without owners it keeps the
// amount.
type ChargeLot struct {
	LotID   uuid.UUID     `json:"lot_id"`
	SortKey string        `json:"sort_key"`
	Shares  Shares        `json:"shares"`
	Part    int64         `json:"part"` // of the whole charge, in millionths, for display
	Amount  Money         `json:"amount"`
	Owners  []ChargeOwner `json:"owners,omitempty"`
}

// ChargeDivision is how one line was divided. Weights and Amounts stand in the order of the
// event's lots; a lot that a key does not name weighs nothing in it.
type ChargeDivision struct {
	Line      int       `json:"line"`                 // index among the charge's lines
	KeyID     uuid.UUID `json:"key_id,omitzero"`      // nil: by shares, or all to the private lot
	ValidFrom Day       `json:"valid_from,omitempty"` // which version of the key
	Base      int64     `json:"base"`                 // of shares: in ten-thousandths
	Total     Money     `json:"total"`                // negative for a credit note
	Weights   []int64   `json:"weights"`
	Amounts   []Money   `json:"amounts"` // sums to Total
}

// ChargeApproved approves a charge and freezes how it is divided: lots, shares, fractions, order,
// keys and amounts, so that nobody has to look back (art. 3.81: by value, by use, or both).
type ChargeApproved struct {
	Building   uuid.UUID        `json:"building_id"`
	ApprovedBy uuid.UUID        `json:"approved_by"`
	Total      Money            `json:"total"` // negative for a credit note
	Divisions  []ChargeDivision `json:"divisions"`
	Lots       []ChargeLot      `json:"lots"` // their amounts sum to Total
}

// EventType names the fact.
func (ChargeApproved) EventType() string { return "charge.approved" }

// BuildingID is the building whose charge it is.
func (e ChargeApproved) BuildingID() uuid.UUID { return e.Building }

var _ = register[ChargeApproved]()

// ChargeRejected sends a charge back.
type ChargeRejected struct {
	Building   uuid.UUID `json:"building_id"`
	RejectedBy uuid.UUID `json:"rejected_by"`
	Reason     Personal  `json:"reason"` // free text
}

// EventType names the fact.
func (ChargeRejected) EventType() string { return "charge.rejected" }

// PersonalFields names the free text.
func (e *ChargeRejected) PersonalFields() []PersonalField {
	return []PersonalField{{"/reason", uuid.Nil, &e.Reason}}
}

// BuildingID is the building whose charge it is.
func (e ChargeRejected) BuildingID() uuid.UUID { return e.Building }

var _ = register[ChargeRejected]()

// ChargePaid says that the association paid the supplier; it changes no owner's due.
type ChargePaid struct {
	Building      uuid.UUID `json:"building_id"`
	PaidOn        Day       `json:"paid_on"`
	BankReference string    `json:"bank_reference,omitempty"`
}

// EventType names the fact.
func (ChargePaid) EventType() string { return "charge.paid" }

// BuildingID is the building whose charge it is.
func (e ChargePaid) BuildingID() uuid.UUID { return e.Building }

var _ = register[ChargePaid]()

// ChargeUnpaid takes a payment mark back.
type ChargeUnpaid struct {
	Building uuid.UUID `json:"building_id"`
}

// EventType names the fact.
func (ChargeUnpaid) EventType() string { return "charge.unpaid" }

// BuildingID is the building whose charge it is.
func (e ChargeUnpaid) BuildingID() uuid.UUID { return e.Building }

var _ = register[ChargeUnpaid]()

// ChargeFellOverdue says that the due day passed without payment.
type ChargeFellOverdue struct {
	Building uuid.UUID `json:"building_id"`
}

// EventType names the fact.
func (ChargeFellOverdue) EventType() string { return "charge.fell_overdue" }

// BuildingID is the building whose charge it is.
func (e ChargeFellOverdue) BuildingID() uuid.UUID { return e.Building }

var _ = register[ChargeFellOverdue]()

// ChargeCancelled takes a charge out of payment; what was allocated by it is taken back.
type ChargeCancelled struct {
	Building uuid.UUID `json:"building_id"`
}

// EventType names the fact.
func (ChargeCancelled) EventType() string { return "charge.cancelled" }

// BuildingID is the building whose charge it is.
func (e ChargeCancelled) BuildingID() uuid.UUID { return e.Building }

var _ = register[ChargeCancelled]()

// ChargeReactivated ends a cancellation.
type ChargeReactivated struct {
	Building uuid.UUID `json:"building_id"`
}

// EventType names the fact.
func (ChargeReactivated) EventType() string { return "charge.reactivated" }

// BuildingID is the building whose charge it is.
func (e ChargeReactivated) BuildingID() uuid.UUID { return e.Building }

var _ = register[ChargeReactivated]()

// NameAccounts enters the account of each line that names none: the charge's, or its category's.
func (c *ChargeContent) NameAccounts() {
	code := c.AccountCode
	if line, known := c.Category.Line(); code == "" && known {
		code = line.Account
	}
	c.Lines = slices.Clone(c.Lines)
	for i := range c.Lines {
		if !c.Lines[i].OwnAccount {
			c.Lines[i].AccountCode = code
		}
	}
}
