package commands

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/koprogo/koprogo/events"
)

const maxText = 10_000 // characters of a text of several lines

var chargeKinds = []string{events.KindInvoice, events.KindCreditNote, events.KindExpenseNote}

// ChargeFields are a charge's fields as a command names them. Amounts come as Amount (VAT
// included), as Net, or as Lines; the others are then compared with what these come to.
type ChargeFields struct {
	Kind          Change[string] // invoice unless given
	Category      Change[string]
	Description   Change[string]
	Date          Change[When]
	DueDate       Change[When]
	Supplier      Change[string] // by name: found, or entered at his first use
	InvoiceNumber Change[string]
	AccountCode   Change[string] // the category's unless given
	KeyID         Change[uuid.UUID]
	PrivateLotID  Change[uuid.UUID] // bears all of it, whatever the keys say
	Amount        Change[events.Money]
	Net           Change[events.Money]
	VAT           Change[events.Money] // as printed
	VATRate       Change[events.VATRate]
	VATRateReason Change[string]
	Lines         Change[[]ChargeLineFields]
}

// ChargeLineFields is a line as a command names it.
type ChargeLineFields struct {
	Description string
	Quantity    events.Quantity
	UnitPrice   events.UnitPrice
	VATRate     events.VATRate
	VAT         *events.Money // as printed, nil where it is not
	AccountCode string        // the charge's unless given
	KeyID       uuid.UUID     // the charge's unless given
}

// chargeReading is what a charge's content is decided on.
type chargeReading struct {
	building Building
	keys     map[uuid.UUID]Key
	supplier uuid.UUID
	entered  events.Event          // who the supplier is, where the name is new
	is       *events.ChargeContent // before the command, its texts open; nil for none
}

// read loads building, keys and supplier, and opens what the charge said before.
func (d *chargeReading) read(
	r *Reader, building uuid.UUID, f *ChargeFields, is *events.ChargeContent, fresh uuid.UUID,
) (err error) {
	*d = chargeReading{}
	if d.building, err = Load[Building](r, BuildingStream(building)); err != nil {
		return err
	}
	if d.keys, err = r.keysOf(f, is); err != nil {
		return err
	}
	name := (&check{}).line("supplier", f.Supplier.Value, maxName)
	if f.Supplier.Given && name != "" && utf8.RuneCountInString(name) <= maxName {
		d.supplier, d.entered, err = r.supplierNamed(name, fresh)
	}
	if err != nil || is == nil {
		return err
	}
	d.is, err = r.openContent(is)
	return err
}

// keysOf loads the keys that the fields and the content name, until there are more than a charge
// may have lines.
func (r *Reader) keysOf(f *ChargeFields, is *events.ChargeContent) (map[uuid.UUID]Key, error) {
	ids := []uuid.UUID{f.KeyID.Value}
	for _, line := range f.Lines.Value[:min(len(f.Lines.Value), maxInvoiceLines)] {
		ids = append(ids, line.KeyID)
	}
	if is != nil {
		ids = append(ids, is.KeyID)
		for _, line := range is.Lines {
			ids = append(ids, line.KeyID)
		}
	}
	keys := map[uuid.UUID]Key{}
	for _, id := range ids {
		if _, known := keys[id]; known || id == uuid.Nil {
			continue
		}
		key, err := Load[Key](r, KeyStream(id))
		if err != nil {
			return nil, err
		}
		keys[id] = key
	}
	return keys, nil
}

// openContent is a copy of the content with its texts open; those struck out are empty.
func (r *Reader) openContent(is *events.ChargeContent) (*events.ChargeContent, error) {
	sealed := []events.Personal{is.Description}
	for _, line := range is.Lines {
		sealed = append(sealed, line.Description)
	}
	texts, err := r.OpenAll(sealed...)
	if err != nil {
		return nil, err
	}
	open := *is
	open.Description, open.Lines = events.PersonalText(texts[0]), slices.Clone(is.Lines)
	for i := range open.Lines {
		open.Lines[i].Description = events.PersonalText(texts[i+1])
	}
	return &open, nil
}

// content is what the charge says after the command, its texts in clear.
func (d *chargeReading) content(
	building uuid.UUID, f *ChargeFields,
) (events.ChargeContent, error) {
	is := events.ChargeContent{Kind: events.KindInvoice}
	if d.is != nil {
		is = *d.is
	}
	c := &check{}
	wanted := is
	wanted.Building = building
	if wanted.Kind = f.Kind.over(is.Kind); f.Kind.Cleared {
		wanted.Kind = events.KindInvoice
	}
	c.among("kind", wanted.Kind, chargeKinds...)
	wanted.Category = events.Category(f.Category.over(string(is.Category)))
	c.category("category", wanted.Category)
	before, _ := is.Description.Clear()
	wanted.Description = events.PersonalText(c.describe(f.Description, before, d.is != nil))
	wanted.Date = d.building.day(f.Date, is.Date)
	c.day("date", wanted.Date)
	if wanted.DueDate = d.building.day(f.DueDate, is.DueDate); f.DueDate.Cleared {
		wanted.DueDate = ""
	}
	if wanted.DueDate != "" {
		c.day("due_date", wanted.DueDate)
	}
	c.line("supplier", f.Supplier.Value, maxName)
	if f.Supplier.Given || f.Supplier.Cleared {
		wanted.SupplierID = d.supplier
	}
	wanted.InvoiceNumber = c.line("invoice_number", f.InvoiceNumber.over(is.InvoiceNumber), maxName)
	wanted.AccountCode = c.account("account_code", f.AccountCode.over(is.AccountCode))
	wanted.KeyID = f.KeyID.over(is.KeyID)
	wanted.PrivateLotID = f.PrivateLotID.over(is.PrivateLotID)
	wanted.VATRateReason = c.line("vat_rate_reason", f.VATRateReason.over(is.VATRateReason), maxName)
	if err := c.err(); err != nil {
		return wanted, err
	}
	if err := d.price(f, &wanted); err != nil {
		return wanted, err
	}
	wanted.NameAccounts()
	return wanted, d.known(f, &wanted)
}

// describe is the description after the change; one that was struck out may stay so.
func (c *check) describe(change Change[string], before string, stands bool) string {
	text := c.text("description", change.over(before))
	if text == "" && (!stands || change.named()) {
		c.refuse("description", CodeRequired, "the field is required")
	}
	return text
}

// text may have several lines.
func (c *check) text(field, text string) string {
	text = strings.TrimSpace(text)
	switch {
	case !utf8.ValidString(text) || strings.ContainsFunc(text, func(r rune) bool {
		return unicode.IsControl(r) && r != '\n' && r != '\r' && r != '\t'
	}):
		c.refuse(field, CodeMalformed, "the text holds control characters", "form", "text")
	case utf8.RuneCountInString(text) > maxText:
		c.refuse(field, CodeTooLong, "the text is too long", "max", strconv.Itoa(maxText))
	}
	return text
}

func (c *check) category(field string, category events.Category) {
	var words []string
	for _, line := range events.CategoryProfile() {
		words = append(words, string(line.Category))
	}
	c.among(field, string(category), words...)
}

// account is a code of the chart that may be posted to, or none.
func (c *check) account(field, code string) string {
	code = strings.TrimSpace(code)
	if code == "" {
		return ""
	}
	account, known := events.BelgianChart().Account(code)
	switch {
	case !known:
		c.refuse(field, CodeAccountUnknown, "the chart has no such account")
	case !account.Postable():
		c.refuse(field, CodeAccountNotPosting, "nothing is posted to a heading of the chart")
	}
	return code
}

// known refuses keys and lots that are not the building's.
func (d *chargeReading) known(f *ChargeFields, wanted *events.ChargeContent) error {
	ids := []uuid.UUID{wanted.KeyID}
	for _, line := range wanted.Lines {
		ids = append(ids, line.KeyID)
	}
	for _, id := range ids {
		if key := d.keys[id]; id != uuid.Nil && (!key.Declared || key.Building != wanted.Building) {
			return notFound("distribution_key")
		}
	}
	if f.PrivateLotID.Given && d.building.Lot(wanted.PrivateLotID) == nil {
		return notFound("lot")
	}
	return nil
}

// lines turns the lines of a command into those of the content, not yet priced.
func (c *check) lines(given []ChargeLineFields) []events.ChargeLine {
	lines := make([]events.ChargeLine, len(given))
	for i, line := range given {
		at := fmt.Sprintf("lines[%d].", i)
		text := c.text(at+"description", line.Description)
		if text == "" {
			c.refuse(at+"description", CodeRequired, "the field is required")
		}
		code := c.account(at+"account_code", line.AccountCode)
		lines[i] = events.ChargeLine{
			Description: events.PersonalText(text), Quantity: line.Quantity,
			UnitPrice: line.UnitPrice, VATRate: line.VATRate, AccountCode: code,
			OwnAccount: code != "", KeyID: line.KeyID,
		}
	}
	return lines
}
