package api

import (
	"bytes"
	"encoding/json"
	"strconv"

	"github.com/koprogo/koprogo/queries"
)

// chargeFields are the REST names of the columns of charges, as diffs tell them.
var chargeFields = map[string]string{
	"kind": "document_kind", "date": "expense_date", "paid_on": "paid_date",
	"net": "amount_excl_vat", "vat": "vat_amount", "gross": "amount",
	"key_id": "distribution_key_id", "private_lot_id": "private_unit_id",
	"line_texts": "line_descriptions",
}

// chargeValues write values of charges and keys as REST does, by table and column.
var chargeValues = map[string]func(json.RawMessage) json.RawMessage{
	"charges.net": moneyJSON, "charges.vat": moneyJSON, "charges.gross": moneyJSON,
	"charges.category": categoryJSON, "charges.lines": linesJSON, "keys.versions": versionsJSON,
}

// moneyJSON writes cents as an amount; null stays.
func moneyJSON(stored json.RawMessage) json.RawMessage {
	cents, err := strconv.ParseInt(string(stored), 10, 64)
	if err != nil {
		return stored
	}
	return json.RawMessage(`"` + fixedPlaces(cents, 2) + `"`)
}

func categoryJSON(stored json.RawMessage) json.RawMessage {
	var category string
	if json.Unmarshal(stored, &category) != nil {
		return stored
	}
	return rewritten(stored, Category(category))
}

func linesJSON(stored json.RawMessage) json.RawMessage {
	var lines []queries.ChargeLine
	if json.Unmarshal(stored, &lines) != nil || lines == nil {
		return stored
	}
	shown := make([]invoiceLine, len(lines))
	for i, line := range lines {
		shown[i] = toLine(line)
	}
	return rewritten(stored, shown)
}

func versionsJSON(stored json.RawMessage) json.RawMessage {
	return bytes.ReplaceAll(stored, []byte(`"lot_id":`), []byte(`"unit_id":`))
}

// rewritten is the value as REST writes it, or what is stored where it cannot be written.
func rewritten(stored json.RawMessage, value any) json.RawMessage {
	text, err := json.Marshal(value)
	if err != nil {
		return stored
	}
	return text
}
