package api_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/koprogo/koprogo/commands"
	"github.com/koprogo/koprogo/queries"
)

func withMore(wanted body, more []any) body {
	for i := 0; i+1 < len(more); i += 2 {
		if more[i+1] == leftOut {
			delete(wanted, more[i].(string))
			continue
		}
		wanted[more[i].(string)] = more[i+1]
	}
	return wanted
}

// leftOut takes a field out of a body.
const leftOut = "\x00absent"

func newExpense(building string, more ...any) body {
	return withMore(body{
		"building_id": building, "category": "Maintenance", "description": "Ascenseur T1",
		"amount": "968.00", "expense_date": "2026-03-10",
	}, more)
}

func newInvoice(building string, more ...any) body {
	return withMore(body{
		"building_id": building, "category": "Maintenance", "description": "Ascenseur T1",
		"invoice_date": "2026-03-10", "due_date": "2026-04-09", "supplier": "Schindler SA",
		"invoice_number": "F2026-118", "account_code": "61011", "amount_excl_vat": "800.00",
		"vat_rate": 21,
	}, more)
}

// newKey is a key of units and their weights, in pairs.
func newKey(building string, base int, weights ...any) body {
	list := []body{}
	for i := 0; i+1 < len(weights); i += 2 {
		list = append(list, body{"unit_id": weights[i], "weight": weights[i+1]})
	}
	return body{
		"building_id": building, "name": "Ascenseur", "base": base, "valid_from": "2026-01-01",
		"weights": list,
	}
}

// erables is the building of the worked examples (domain.md, 10): A 412, B 355, C 233.
type erables struct {
	*office
	organization   uuid.UUID
	syndic, second *person
	id             string
	units          []string
	owners         []string // of A, B and C
}

func openErables(t *testing.T, o *office) *erables {
	t.Helper()
	e := &erables{office: o, organization: o.organization(t)}
	e.syndic = o.signedIn(t, e.organization, "syndic")
	e.second = o.signedIn(t, e.organization, "syndic")
	e.id = o.ask(t, e.syndic, "POST", "/buildings", newBuilding("total_tantiemes", 1000)).ok(201).
		get("id")
	for i, quota := range []int{412, 355, 233} {
		unit := o.ask(t, e.syndic, "POST", "/units", body{
			"building_id": e.id, "unit_number": string(rune('A' + i)), "unit_type": "Apartment",
			"surface_area": 80, "quota": quota,
		}).ok(201).get("id")
		owner := o.owner(t, e.organization).String()
		o.ask(t, e.syndic, "POST", "/units/"+unit+"/owners", body{
			"owner_id": owner, "ownership_fraction": "1/1", "from": "2020-01-01",
		}).ok(201)
		e.units, e.owners = append(e.units, unit), append(e.owners, owner)
	}
	return e
}

// approved drafts an invoice, submits it and lets the other syndic approve it.
func (e *erables) approved(t *testing.T, more ...any) answer {
	t.Helper()
	id := e.ask(t, e.syndic, "POST", "/invoices/draft", newInvoice(e.id, more...)).ok(201).get("id")
	e.ask(t, e.syndic, "PUT", "/invoices/"+id+"/submit", nil).ok(200)
	return e.ask(t, e.second, "PUT", "/invoices/"+id+"/approve", nil).ok(200)
}

func (e *erables) amounts(t *testing.T, invoice string) string {
	t.Helper()
	var told []string
	got := e.ask(t, e.syndic, "GET", "/invoices/"+invoice+"/distribution", nil).ok(200)
	for _, share := range got.json.([]any) {
		told = append(told, share.(map[string]any)["amount_due"].(string))
	}
	return strings.Join(told, " ")
}

func TestExpenses(t *testing.T) {
	t.Parallel()
	e := openErables(t, openOffice(t))

	t.Run("a syndic drafts one and reads what he wrote on both paths", func(t *testing.T) {
		made := e.ask(t, e.syndic, "POST", "/expenses", newExpense(e.id, "supplier", "Vivaqua",
			"due_date", "2026-04-09T22:30:00Z", "vat_rate", 21)).ok(201)
		require.Equal(t, "2026-04-10T00:00:00Z", made.get("due_date"), "the day in Brussels")
		made.golden("expense")
		read := e.ask(t, e.syndic, "GET", "/expenses/"+made.get("id"), nil).ok(200)
		require.Equal(t, made.text, read.text)
		invoice := e.ask(t, e.syndic, "GET", "/invoices/"+made.get("id"), nil).ok(200)
		require.Equal(t, "800.00", invoice.get("amount_excl_vat"))
		require.Equal(t, "168.00", invoice.get("vat_amount"))
		require.Equal(t, "Ascenseur T1", invoice.get("lines.0.description"))
		require.Equal(t, "6109", invoice.get("lines.0.account_code"), "the category's")
	})
	t.Run("what is left out is null, and what is cleared", func(t *testing.T) {
		made := e.ask(t, e.syndic, "POST", "/expenses", newExpense(e.id, "supplier", "",
			"account_code", "61011")).ok(201)
		require.Nil(t, made.at("supplier"))
		require.Nil(t, made.at("due_date"))
		require.Equal(t, "invoice", made.get("document_kind"))
		path := "/expenses/" + made.get("id")
		put := e.ask(t, e.syndic, "PUT", path, body{
			"account_code": nil, "supplier": "Vivaqua", "amount": 100,
		}).ok(200)
		require.Nil(t, put.at("account_code"))
		require.Equal(t, "Vivaqua", put.get("supplier"))
		require.Equal(t, "100.00", put.get("amount"))
		require.Equal(t, made.get("description"), put.get("description"))
		same := e.ask(t, e.syndic, "PUT", path, body{"amount": "100.00"}).ok(200)
		require.Equal(t, put.header.Get("ETag"), same.header.Get("ETag"))
		e.ask(t, e.syndic, "PUT", path, body{"amount": 1}, "If-Match", `"1"`).
			refused(412, "precondition_failed")
	})
	t.Run("line items make the totals; those sent are rounded and compared", func(t *testing.T) {
		items := []body{
			{"description": "A", "quantity": 3, "unit_price": "33.3333", "vat_rate": 6},
			{"description": "B", "quantity": "1.5", "unit_price": 10, "vat_rate": 21},
		}
		made := e.ask(t, e.syndic, "POST", "/expenses", newExpense(e.id, "line_items", items,
			"amount", 124.15000000000001, "amount_excl_vat", "115.00499", "vat_rate", 12)).ok(201)
		require.Equal(t, "124.15", made.get("amount"))
		invoice := e.ask(t, e.syndic, "GET", "/invoices/"+made.get("id"), nil).ok(200)
		require.Nil(t, invoice.at("vat_rate"), "the lines have several")
		require.Equal(t, "33.3333", invoice.get("lines.0.unit_price"))
		e.ask(t, e.syndic, "POST", "/expenses", newExpense(e.id, "line_items", items,
			"amount", "124.18")).refused(400, "vat_mismatch")
	})
	t.Run("wrong fields are named as REST names them", func(t *testing.T) {
		item := func(more ...any) []body {
			return []body{withMore(body{
				"description": "A", "quantity": 1, "unit_price": 800, "vat_rate": 21,
			}, more)}
		}
		for _, wrong := range []struct {
			field string
			sent  []any
		}{
			{"amount", []any{"amount", 0}},
			{"amount", []any{"amount", "10.001"}},
			{"amount", []any{"amount", "ten"}},
			{"amount", []any{"amount", -5}},
			{"amount", []any{"amount", "10000000000"}},
			{"amount", []any{"amount", leftOut}},
			{"expense_date", []any{"expense_date", "2026-02-30"}},
			{"expense_date", []any{"expense_date", leftOut}},
			{"category", []any{"category", "works"}},
			{"description", []any{"description", ""}},
			{"description", []any{"description", strings.Repeat("x", 10_001)}},
			{"document_kind", []any{"document_kind", "bill"}},
			{"account_code", []any{"account_code", "610"}},
			{"account_code", []any{"account_code", "999"}},
			{"vat_rate", []any{"vat_rate", 101}},
			{"vat_rate_reason", []any{"vat_rate", 5.5}},
			{"supplier", []any{"supplier", strings.Repeat("x", 256)}},
			{"distribution_key_id", []any{"distribution_key_id", "x"}},
			{"line_items[0].quantity", []any{"line_items", item("quantity", 0)}},
			{"line_items[0].vat_rate", []any{"line_items", item("vat_rate", leftOut)}},
			{"line_items[0].unit_price", []any{"line_items", item("unit_price", "0.00001")}},
			{"line_items[0].account_code", []any{"line_items", item("account_code", "6")}},
			{"line_items[0].colour", []any{"line_items", item("colour", "red")}},
			{"payment_status", []any{"payment_status", "paid"}},
		} {
			got := e.ask(t, e.syndic, "POST", "/expenses", newExpense(e.id, wrong.sent...))
			require.Equal(t, 400, got.status, "%v: %s", wrong.sent, got.text)
			require.Equal(t, wrong.field, got.get("errors.0.field"), got.text)
		}
	})
	t.Run("what it names has to be there", func(t *testing.T) {
		for _, field := range []string{"building_id", "distribution_key_id", "private_unit_id"} {
			e.ask(t, e.syndic, "POST", "/expenses", newExpense(e.id, field, newID().String())).
				refused(404, "not_found")
		}
	})
	t.Run("a removed expense is gone, its past still there", func(t *testing.T) {
		made := e.ask(t, e.syndic, "POST", "/expenses", newExpense(e.id)).ok(201)
		path := "/expenses/" + made.get("id")
		e.ask(t, e.syndic, "DELETE", path, nil).ok(204)
		e.ask(t, e.syndic, "GET", path, nil).refused(404, "not_found")
		past := e.ask(t, e.syndic, "GET", path+"?as_of_position="+
			made.header.Get("Koprogo-Position"), nil).ok(200)
		require.Equal(t, made.text, past.text)
		e.ask(t, e.syndic, "POST", "/expenses", newExpense(e.id, "id", made.get("id"))).
			refused(409, "id_taken")
	})
	t.Run("a client's own id makes a repetition harmless", func(t *testing.T) {
		id := newID().String()
		first := e.ask(t, e.syndic, "POST", "/expenses", newExpense(e.id, "id", id)).ok(201)
		again := e.ask(t, e.syndic, "POST", "/expenses", newExpense(e.id, "id", id))
		require.Equal(t, first.text, again.text)
		e.ask(t, e.syndic, "POST", "/expenses", newExpense(e.id, "id", id, "amount", 1)).
			refused(409, "id_taken")
	})
}

func TestExpenseList(t *testing.T) {
	t.Parallel()
	e := openErables(t, openOffice(t))
	for i, more := range [][]any{
		{"amount", 10, "expense_date", "2026-01-10", "category", "Works", "supplier", "Vivaqua"},
		{"amount", 20, "expense_date", "2026-01-20", "account_code", "61210"},
		{"amount", 30, "expense_date", "2026-02-10", "supplier", "VIVAQUA "},
		{"amount", 40, "expense_date", "2026-02-20", "document_kind", "credit_note"},
	} {
		made := e.ask(t, e.syndic, "POST", "/expenses", newExpense(e.id, more...)).ok(201)
		if i == 3 {
			e.ask(t, e.syndic, "POST", "/expenses/"+made.get("id")+"/cancel", nil).ok(200)
		}
		if i == 1 {
			e.ask(t, e.syndic, "PUT", "/invoices/"+made.get("id")+"/submit", nil).ok(200)
		}
	}
	amounts := func(query string) string {
		var told []string
		got := e.ask(t, e.syndic, "GET", "/expenses?"+query, nil).ok(200)
		for _, item := range got.at("data").([]any) {
			told = append(told, item.(map[string]any)["amount"].(string))
		}
		require.EqualValues(t, len(told), got.at("pagination.total_items"), query)
		return strings.Join(told, " ")
	}
	for query, want := range map[string]string{
		"":                                    "10.00 20.00 30.00 40.00",
		"sort_by=amount&order=desc":           "40.00 30.00 20.00 10.00",
		"sort_by=payment_status":              "40.00 10.00 20.00 30.00",
		"sort_by=created_at&order=desc":       "40.00 30.00 20.00 10.00",
		"category=Works":                      "10.00",
		"payment_status=cancelled":            "40.00",
		"approval_status=pending_approval":    "20.00",
		"from=2026-01-20&to=2026-02-10":       "20.00 30.00",
		"date_from=2026-02-11":                "40.00",
		"min_amount=20&max_amount=30.00":      "20.00 30.00",
		"supplier=vivaqua":                    "10.00 30.00",
		"supplier=nobody":                     "",
		"account_code=61210":                  "20.00",
		"account_code=6109":                   "30.00 40.00",
		"building_id=" + e.id:                 "10.00 20.00 30.00 40.00",
		"building_id=" + newID().String():     "",
		"supplier=vivaqua&category=Insurance": "",
	} {
		require.Equal(t, want, amounts(query), query)
	}
	t.Run("a cursor goes on in every order", func(t *testing.T) {
		for _, sort := range []string{"expense_date", "amount", "created_at", "payment_status"} {
			for _, order := range []string{"asc", "desc"} {
				query := "/expenses?per_page=3&sort_by=" + sort + "&order=" + order
				first := e.ask(t, e.syndic, "GET", query, nil).ok(200)
				next := e.ask(t, e.syndic, "GET", query+"&cursor="+
					first.get("pagination.next_cursor"), nil).ok(200)
				require.Len(t, next.at("data"), 1, query)
			}
		}
	})
	t.Run("a bad parameter is refused by its name", func(t *testing.T) {
		for query, name := range map[string]string{
			"category=works": "category", "payment_status=late": "payment_status",
			"from=soon": "from", "min_amount=x": "min_amount", "sort_by=supplier": "sort_by",
		} {
			got := e.ask(t, e.syndic, "GET", "/expenses?"+query, nil)
			require.Equal(t, 400, got.status, query)
			require.Equal(t, name, got.get("errors.0.field"), query)
		}
	})
	t.Run("a building lists them by day", func(t *testing.T) {
		list := e.ask(t, e.syndic, "GET", "/buildings/"+e.id+"/expenses", nil).ok(200)
		require.Len(t, list.json, 4)
		require.Equal(t, "10.00", list.get("0.amount"))
	})
	t.Run("a superadmin sees all, but names an organization for a supplier", func(t *testing.T) {
		admin := e.signedIn(t, uuid.Nil, "superadmin")
		e.ask(t, admin, "GET", "/expenses?category=Works", nil).ok(200)
		e.ask(t, admin, "GET", "/expenses?supplier=vivaqua", nil).
			refused(400, "organization_required")
		id := e.ask(t, e.syndic, "GET", "/expenses", nil).get("data.0.id")
		e.ask(t, admin, "GET", "/expenses/"+id, nil).ok(200)
	})
}

func TestPayments(t *testing.T) {
	t.Parallel()
	e := openErables(t, openOffice(t))
	draft := e.ask(t, e.syndic, "POST", "/expenses", newExpense(e.id)).ok(201).get("id")
	e.ask(t, e.syndic, "PUT", "/expenses/"+draft+"/mark-paid", nil).refused(409, "not_approved")
	id := e.approved(t).get("id")
	path := "/expenses/" + id
	due := func() string {
		return e.ask(t, e.syndic, "GET", "/owners/"+e.owners[0]+"/total-due", nil).ok(200).
			get("total_due")
	}
	require.Equal(t, "398.82", due())
	e.ask(t, e.syndic, "POST", path+"/mark-overdue", nil).ok(200)
	paid := e.ask(t, e.syndic, "PUT", path+"/mark-paid",
		body{"paid_date": "2026-03-20", "bank_reference": "7"}).ok(200)
	require.Equal(t, "paid", paid.get("payment_status"))
	require.Equal(t, "2026-03-20T00:00:00Z", paid.get("paid_date"))
	require.Equal(t, "398.82", due(), "what the association paid changes no owner's due")
	e.ask(t, e.syndic, "POST", path+"/cancel", nil).refused(409, "charge_paid")
	e.ask(t, e.syndic, "POST", path+"/mark-overdue", nil).refused(409, "charge_paid")
	e.ask(t, e.syndic, "PUT", path, body{"amount": 1}).refused(409, "charge_locked")
	e.ask(t, e.syndic, "DELETE", path, nil).refused(409, "charge_locked")
	unpaid := e.ask(t, e.syndic, "POST", path+"/unpay", nil).ok(200)
	require.Equal(t, "pending", unpaid.get("payment_status"))
	require.Nil(t, unpaid.at("paid_date"))
	e.ask(t, e.syndic, "POST", path+"/unpay", nil).refused(409, "not_paid")
	e.ask(t, e.syndic, "POST", path+"/cancel", nil).ok(200)
	require.Equal(t, "0.00", due(), "nothing of a cancelled expense is due")
	e.ask(t, e.syndic, "PUT", path+"/mark-paid", nil).refused(409, "charge_cancelled")
	e.ask(t, e.syndic, "POST", path+"/reactivate", nil).ok(200)
	e.ask(t, e.syndic, "POST", path+"/reactivate", nil).refused(409, "not_cancelled")
	require.Equal(t, "398.82", due())
	e.approved(t, "document_kind", "credit_note", "amount_excl_vat", 100, "vat_rate", 0)
	require.Equal(t, "357.62", due(), "a credit note counts negatively")
	for _, list := range []string{"documents", "payments"} {
		require.Equal(t, "[]", e.ask(t, e.syndic, "GET", path+"/"+list, nil).ok(200).text)
	}
	require.Equal(t, `{"total_paid_cents":0}`,
		e.ask(t, e.syndic, "GET", path+"/payments/total", nil).ok(200).text)
}

// A charge falls overdue by the calendar: the query finds it, the command decides.
func TestChargesFallOverdueByTheCalendar(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	e := openErables(t, o)
	id := e.approved(t, "due_date", "2026-04-09").get("id")
	e.approved(t, "due_date", "2999-01-01")
	shown := func() string {
		head, err := o.store.Head(t.Context(), e.organization)
		require.NoError(t, err)
		return e.ask(t, e.syndic, "GET", "/expenses/"+id, nil, "Koprogo-Min-Position",
			strconv.FormatInt(head.Position, 10)).ok(200).get("payment_status")
	}
	require.Equal(t, "pending", shown())
	reader := queries.NewReader(o.store, nil)
	fall := func() int {
		due, err := reader.DueCharges(t.Context(), o.clock.now())
		require.NoError(t, err)
		n, err := o.app.LetFallOverdue(t.Context(), due2(due), o.clock.now())
		require.NoError(t, err)
		return n
	}
	require.Equal(t, 1, fall())
	require.Equal(t, "overdue", shown())
	require.Zero(t, fall())
}

func due2(due []queries.Due) []commands.Due {
	list := make([]commands.Due, len(due))
	for i, one := range due {
		list[i] = commands.Due(one)
	}
	return list
}

func TestWhatAnOwnerSeesOfExpenses(t *testing.T) {
	t.Parallel()
	e := openErables(t, openOffice(t))
	owner := e.signedIn(t, e.organization, "owner")
	e.ask(t, e.syndic, "PUT", "/owners/"+e.owners[1]+"/link-user",
		body{"user_id": owner.id.String()}).ok(200)
	key := e.ask(t, e.syndic, "POST", "/distribution-keys",
		newKey(e.id, 1, e.units[0], 1)).ok(201).get("id")
	shared := e.approved(t).get("id")
	others := e.approved(t, "distribution_key_id", key).get("id")
	draft := e.ask(t, e.syndic, "POST", "/expenses", newExpense(e.id)).ok(201).get("id")

	list := e.ask(t, owner, "GET", "/expenses", nil).ok(200)
	require.EqualValues(t, 1, list.at("pagination.total_items"))
	require.Equal(t, shared, list.get("data.0.id"))
	require.Len(t, e.ask(t, owner, "GET", "/buildings/"+e.id+"/expenses", nil).ok(200).json, 1)
	e.ask(t, owner, "GET", "/expenses/"+shared, nil).ok(200)
	for _, hidden := range []string{others, draft} {
		e.ask(t, owner, "GET", "/expenses/"+hidden, nil).refused(404, "not_found")
		e.ask(t, owner, "GET", "/invoices/"+hidden+"/distribution", nil).refused(404, "not_found")
	}
	shares := e.ask(t, owner, "GET", "/invoices/"+shared+"/distribution", nil).ok(200)
	require.Len(t, shares.json, 1, "his own share")
	require.Equal(t, "343.64", shares.get("0.amount_due"))
	own := e.ask(t, owner, "GET", "/owners/"+e.owners[1]+"/distributions", nil).ok(200)
	require.Len(t, own.json, 1)
	require.Equal(t, shares.get("0.id"), own.get("0.id"))
	e.ask(t, owner, "GET", "/owners/"+e.owners[1]+"/total-due", nil).ok(200)
	for _, path := range []string{"distributions", "total-due"} {
		e.ask(t, owner, "GET", fmt.Sprintf("/owners/%s/%s", e.owners[0], path), nil).
			refused(404, "not_found")
	}
}
