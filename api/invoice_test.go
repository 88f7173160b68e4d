package api_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestInvoices(t *testing.T) {
	t.Parallel()
	e := openErables(t, openOffice(t))
	accountant := e.signedIn(t, e.organization, "accountant")

	t.Run("an accountant drafts one and submits it; a syndic approves it", func(t *testing.T) {
		made := e.ask(t, accountant, "POST", "/invoices/draft", newInvoice(e.id)).ok(201)
		made.golden("invoice")
		path := "/invoices/" + made.get("id")
		submitted := e.ask(t, accountant, "PUT", path+"/submit", nil).ok(200)
		require.Equal(t, "pending_approval", submitted.get("approval_status"))
		require.Equal(t, accountant.id.String(), submitted.get("submitted_by"))
		pending := e.ask(t, e.syndic, "GET", "/invoices/pending", nil).ok(200)
		require.EqualValues(t, 1, pending.at("count"))
		require.Equal(t, made.get("id"), pending.get("invoices.0.id"))
		e.ask(t, accountant, "PUT", path+"/approve", nil).refused(403, "forbidden")
		e.ask(t, accountant, "POST", path+"/calculate-distribution", nil).
			refused(409, "not_approved")
		approved := e.ask(t, e.syndic, "PUT", path+"/approve", nil).ok(200)
		require.Equal(t, "approved", approved.get("approval_status"))
		require.Equal(t, e.syndic.id.String(), approved.get("approved_by"))
		e.ask(t, e.syndic, "PUT", path+"/approve", nil).refused(409, "not_pending")
		shares := e.ask(t, e.syndic, "GET", path+"/distribution", nil).ok(200)
		shares.golden("distribution")
		calculated := e.ask(t, accountant, "POST", path+"/calculate-distribution", nil).ok(200)
		require.Equal(t, shares.text, calculated.text)
	})
	t.Run("four eyes look where another syndic may", func(t *testing.T) {
		id := e.ask(t, e.syndic, "POST", "/invoices/draft", newInvoice(e.id)).ok(201).get("id")
		e.ask(t, e.syndic, "PUT", "/invoices/"+id+"/submit", nil).ok(200)
		e.ask(t, e.syndic, "PUT", "/invoices/"+id+"/approve", nil).refused(409, "four_eyes")
		e.ask(t, e.syndic, "PUT", "/invoices/"+id+"/reject", body{"rejection_reason": "x"}).
			refused(409, "four_eyes")
		e.ask(t, e.second, "PUT", "/invoices/"+id+"/reject", body{}).refused(400, "invalid_field")
		rejected := e.ask(t, e.second, "PUT", "/invoices/"+id+"/reject",
			body{"rejection_reason": "Facturé deux fois"}).ok(200)
		require.Equal(t, "Facturé deux fois", rejected.get("rejection_reason"))
		e.ask(t, e.syndic, "PUT", "/invoices/"+id, body{"invoice_number": "F2"}).ok(200)
		again := e.ask(t, e.syndic, "PUT", "/invoices/"+id+"/submit", nil).ok(200)
		require.Nil(t, again.at("rejection_reason"))
		e.ask(t, e.second, "PUT", "/invoices/"+id+"/approve", nil).ok(200)
	})
	t.Run("VAT of the printed invoice stands (domain.md, 10.3)", func(t *testing.T) {
		made := e.ask(t, e.syndic, "POST", "/invoices/draft", newInvoice(e.id,
			"amount_excl_vat", "333.33", "vat_amount", "70.00", "amount_incl_vat", 403.33)).ok(201)
		require.Equal(t, "403.33", made.get("amount"))
		for field, wrong := range map[string]struct {
			sent     []any
			expected string
		}{
			"vat_amount": {
				[]any{"amount_excl_vat", "333.33", "vat_amount", "70.02"}, "70.00 was expected",
			},
			"amount_incl_vat": {[]any{"amount_incl_vat", 968.02}, "968.00 was expected"},
		} {
			refused := e.ask(t, e.syndic, "POST", "/invoices/draft", newInvoice(e.id, wrong.sent...))
			refused.refused(400, "vat_mismatch")
			require.Equal(t, field, refused.get("errors.0.field"))
			require.Contains(t, refused.get("detail"), wrong.expected)
		}
	})
	t.Run("wrong fields are named as REST names them", func(t *testing.T) {
		for _, wrong := range []struct {
			field string
			sent  []any
		}{
			{"invoice_date", []any{"invoice_date", leftOut}},
			{"amount_excl_vat", []any{"amount_excl_vat", leftOut}},
			{"amount_excl_vat", []any{"amount_excl_vat", 0}},
			{"vat_rate", []any{"vat_rate", leftOut}},
			{"vat_rate_reason", []any{"vat_rate", 8}},
			{"vat_amount", []any{"vat_amount", "1.234"}},
			{"lines[0].quantity", []any{"lines", []body{{
				"description": "x", "quantity": 0, "unit_price": 1, "vat_rate": 0,
			}}}},
		} {
			got := e.ask(t, e.syndic, "POST", "/invoices/draft", newInvoice(e.id, wrong.sent...))
			require.Equal(t, 400, got.status, "%v: %s", wrong.sent, got.text)
			require.Equal(t, wrong.field, got.get("errors.0.field"), got.text)
		}
	})
}

func TestDistribution(t *testing.T) {
	t.Parallel()
	e := openErables(t, openOffice(t))
	lift := e.ask(t, e.syndic, "POST", "/distribution-keys",
		newKey(e.id, 1000, e.units[0], 0, e.units[1], 600, e.units[2], 400)).ok(201)

	t.Run("by shares, by a key, by a key of each line, to one unit", func(t *testing.T) {
		require.Equal(t, "412.01 355.00 233.00", e.amounts(t, e.approved(t,
			"amount_excl_vat", "1000.01", "vat_rate", 0).get("id")))
		require.Equal(t, "0.00 580.80 387.20", e.amounts(t, e.approved(t,
			"distribution_key_id", lift.get("id")).get("id")))
		require.Equal(t, "747.78 1225.13 810.09", e.amounts(t, e.approved(t,
			"amount_excl_vat", leftOut, "vat_rate", leftOut, "lines", []body{
				{"description": "Nettoyage", "quantity": 1, "unit_price": 1815, "vat_rate": 0},
				{
					"description": "Ascenseur", "quantity": 1, "unit_price": 800, "vat_rate": 21,
					"distribution_key_id": lift.get("id"),
				},
			}).get("id")))
		require.Equal(t, "35.00", e.amounts(t, e.approved(t, "amount_excl_vat", 35,
			"vat_rate", 0, "private_unit_id", e.units[2]).get("id")))
	})
	t.Run("a key of the day of the charge", func(t *testing.T) {
		path := "/distribution-keys/" + lift.get("id")
		put := e.ask(t, e.syndic, "PUT", path, body{
			"valid_from": "2026-06-01", "base": 10,
			"weights": []body{{"unit_id": e.units[2], "weight": 10}},
		}).ok(200)
		require.Len(t, put.at("versions"), 2)
		require.EqualValues(t, 10, put.at("base"))
		require.Equal(t, "968.00", e.amounts(t, e.approved(t, "invoice_date", "2026-06-01",
			"distribution_key_id", lift.get("id")).get("id")))
		require.Equal(t, "0.00 580.80 387.20", e.amounts(t, e.approved(t,
			"invoice_date", "2026-05-31", "distribution_key_id", lift.get("id")).get("id")))
	})
	t.Run("not while shares are missing", func(t *testing.T) {
		bare := e.ask(t, e.syndic, "POST", "/buildings", newBuilding()).ok(201).get("id")
		id := e.ask(t, e.syndic, "POST", "/invoices/draft", newInvoice(bare)).ok(201).get("id")
		e.ask(t, e.syndic, "PUT", "/invoices/"+id+"/submit", nil).ok(200)
		refused := e.ask(t, e.second, "PUT", "/invoices/"+id+"/approve", nil)
		refused.refused(409, "shares_incomplete")
		require.Contains(t, refused.get("detail"), "add up to 0; the distribution key's base is 1000")
	})
	t.Run("replay, history and diff tell of it", func(t *testing.T) {
		replay := e.ask(t, e.syndic, "GET", "/buildings/"+e.id+"/replay", nil).ok(200)
		require.NotEmpty(t, replay.at("expenses"))
		require.Len(t, replay.at("balances"), 3)
		total := e.ask(t, e.syndic, "GET", "/owners/"+e.owners[0]+"/total-due", nil).ok(200)
		require.Contains(t, replay.text, `"total_due":"`+total.get("total_due")+`"`)
		history := e.ask(t, e.syndic, "GET",
			"/buildings/"+e.id+"/history?type=charge.drafted", nil, "Accept-Language", "fr").ok(200)
		require.Equal(t, "Charge encodée : Ascenseur T1", history.get("data.0.label"))
		made := e.ask(t, e.syndic, "POST", "/expenses", newExpense(e.id)).ok(201)
		put := e.ask(t, e.syndic, "PUT", "/expenses/"+made.get("id"), body{
			"amount": "100.00", "category": "Works", "supplier": "Vivaqua",
		}).ok(200)
		diff := e.ask(t, e.syndic, "GET", "/buildings/"+e.id+"/diff?from="+
			made.header.Get("Koprogo-Position")+"&to="+put.header.Get("Koprogo-Position"), nil).
			ok(200)
		told := map[string]string{}
		for _, change := range diff.at("changes").([]any) {
			one := change.(map[string]any)
			require.Equal(t, "expense", one["resource"])
			told[one["field"].(string)] = fmt.Sprint(one["from"], " → ", one["to"])
		}
		require.Equal(t, "968.00 → 100.00", told["amount"])
		require.Equal(t, "Maintenance → Works", told["category"])
	})
}

func TestDistributionKeys(t *testing.T) {
	t.Parallel()
	e := openErables(t, openOffice(t))
	made := e.ask(t, e.syndic, "POST", "/distribution-keys",
		newKey(e.id, 1000, e.units[0], 400, e.units[1], 600)).ok(201)
	made.golden("distribution_key")
	path := "/distribution-keys/" + made.get("id")
	require.Equal(t, made.text, e.ask(t, e.syndic, "GET", path, nil).ok(200).text)
	list := e.ask(t, e.syndic, "GET", "/distribution-keys?building_id="+e.id, nil).ok(200)
	require.Len(t, list.json, 1)
	require.Equal(t, "[]", e.ask(t, e.syndic, "GET", "/distribution-keys?building_id="+
		newID().String(), nil).ok(200).text)
	short := e.ask(t, e.syndic, "POST", "/distribution-keys", newKey(e.id, 1000, e.units[0], 999))
	short.refused(409, "shares_incomplete")
	require.Contains(t, short.get("detail"), "add up to 999; the distribution key's base is 1000")
	e.ask(t, e.syndic, "POST", "/distribution-keys", newKey(e.id, 1, newID().String(), 1)).
		refused(404, "not_found")
	twice := e.ask(t, e.syndic, "POST", "/distribution-keys",
		newKey(e.id, 2, e.units[0], 1, e.units[0], 1))
	require.Equal(t, "weights[1].unit_id", twice.get("errors.0.field"), twice.text)
	e.ask(t, e.syndic, "PUT", path, body{"base": 1001}).refused(409, "shares_incomplete")
	e.ask(t, e.syndic, "PUT", path, body{"name": "Lift"}, "If-Match", `"1"`).ok(200)
}

func TestChartOfAccounts(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	syndic := o.signedIn(t, o.organization(t), "syndic")
	codes := func(query string) (all []string) {
		for _, account := range o.ask(t, syndic, "GET", "/accounts"+query, nil).ok(200).json.([]any) {
			all = append(all, account.(map[string]any)["code"].(string))
		}
		return all
	}
	require.Len(t, codes(""), 227)
	require.Equal(t, []string{"550", "551", "552"}, codes("?code_pattern=55_"))
	require.Contains(t, codes("?code_pattern=61%25"), "61011")
	require.NotContains(t, codes("?code_pattern=61%25&direct_use_only=true"), "610")
	require.Contains(t, codes("?account_type=revenue"), "701")
	o.ask(t, syndic, "GET", "/accounts?account_type=x", nil).refused(400, "invalid_parameter")
	one := o.ask(t, syndic, "GET", "/accounts?code_pattern=61011", nil, "Accept-Language", "nl")
	one.golden("account")
}
