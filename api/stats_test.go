package api_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
)

// cents reads an amount of an answer.
func cents(t *testing.T, amount string) (n int) {
	t.Helper()
	_, err := fmt.Sscan(strings.Replace(amount, ".", "", 1), &n)
	require.NoError(t, err)
	return n
}

// sameAsLists checks that a landing page says what the caller's lists say.
func (o *office) sameAsLists(t *testing.T, as *person, path string) answer {
	t.Helper()
	stats := o.ask(t, as, "GET", path, nil).ok(200)
	for field, list := range map[string]string{
		"total_buildings": "/buildings", "total_units": "/units", "total_owners": "/owners",
		"pending_expenses_count": "/expenses?payment_status=pending",
	} {
		listed := o.ask(t, as, "GET", list, nil).ok(200)
		require.Equal(t, listed.at("pagination.total_items"), stats.at(field), field)
	}
	return stats
}

func TestLandingFigures(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	e := openErables(t, o)
	elsewhere := o.ask(t, e.syndic, "POST", "/buildings", newBuilding()).ok(201).get("id")
	o.ask(t, e.syndic, "POST", "/units", newUnit(elsewhere)).ok(201)

	pending := e.approved(t, "amount_excl_vat", "100.00", "vat_rate", 0)
	e.approved(t, "amount_excl_vat", "10.00", "vat_rate", 0, "document_kind", "credit_note")
	o.ask(t, e.syndic, "POST", "/expenses", newExpense(elsewhere, "amount", "0.01")).ok(201)
	paid := e.approved(t, "amount_excl_vat", "30.01", "vat_rate", 0).get("id")
	o.ask(t, e.syndic, "PUT", "/expenses/"+paid+"/mark-paid", body{"paid_date": "2026-03-20"}).
		ok(200)
	overdue := e.approved(t, "amount_excl_vat", "50.00", "vat_rate", 0).get("id")
	o.ask(t, e.syndic, "POST", "/expenses/"+overdue+"/mark-overdue", nil).ok(200)

	owner := o.signedIn(t, e.organization, "owner")
	o.ask(t, e.syndic, "PUT", "/owners/"+e.owners[0]+"/link-user", body{"user_id": owner.id}).ok(200)
	accountant := o.signedIn(t, e.organization, "accountant")
	auditor := o.signedIn(t, e.organization, "auditor")
	limited := o.signedIn(t, e.organization, "auditor")
	o.ask(t, e.syndic, "POST", "/users/"+limited.id.String()+"/mandates", body{
		"building_ids": []string{e.id}, "from": "2020-01-01", "to": "2099-12-31",
	}).ok(201)

	t.Run("a syndic's are those of his lists, and his credit notes count negatively",
		func(t *testing.T) {
			stats := o.sameAsLists(t, e.syndic, "/stats/syndic")
			require.Equal(t, "90.01", stats.get("pending_expenses_amount"))
			stats.golden("stats_syndic")
			require.Equal(t, stats.text, o.ask(t, accountant, "GET", "/stats/syndic", nil).text)
			require.Equal(t, stats.text, o.ask(t, auditor, "GET", "/stats/syndic", nil).text)
		})
	t.Run("an auditor's are those of the buildings of his mandates", func(t *testing.T) {
		stats := o.sameAsLists(t, limited, "/stats/syndic")
		require.InDelta(t, 1, stats.at("total_buildings"), 0)
		require.Equal(t, "90.00", stats.get("pending_expenses_amount"))
		books := o.ask(t, limited, "GET", "/dashboard/accountant/stats", nil).ok(200)
		require.InDelta(t, 3, books.at("owners_with_overdue"), 0)
	})
	t.Run("an owner's are his own: his part of what is not paid", func(t *testing.T) {
		stats := o.sameAsLists(t, owner, "/stats/owner")
		require.InDelta(t, 1, stats.at("total_units"), 0)
		shares := 0
		for _, id := range []string{pending.get("id")} {
			got := o.ask(t, owner, "GET", "/invoices/"+id+"/distribution", nil).ok(200)
			shares += cents(t, got.get("0.amount_due"))
		}
		require.Equal(t, 4120, shares)
		require.Equal(t, 4120-412, cents(t, stats.get("pending_expenses_amount")))
		stats.golden("stats_owner")
		stranger := o.signedIn(t, e.organization, "owner")
		o.ask(t, stranger, "GET", "/stats/owner", nil).ok(200).golden("stats_owner_of_nothing")
	})
	t.Run("an accountant's say what was paid and what is to be", func(t *testing.T) {
		books := o.ask(t, accountant, "GET", "/dashboard/accountant/stats", nil).ok(200)
		books.golden("accountant_stats")
		require.Equal(t, "30.01", books.get("total_paid"))
		require.Equal(t, "140.01", books.get("total_pending"))
		require.InDelta(t, 17.65, books.at("paid_percentage"), 0)
		require.InDelta(t, 82.35, books.at("pending_percentage"), 0)
		o.ask(t, e.syndic, "PUT", "/expenses/"+overdue+"/mark-paid", body{}).ok(200)
		books = o.ask(t, accountant, "GET", "/dashboard/accountant/stats", nil).ok(200)
		require.InDelta(t, 0, books.at("owners_with_overdue"), 0)
		require.Equal(t, "80.01", books.get("total_paid"))
	})
	t.Run("transactions are what was paid, the last first, bounded by a limit", func(t *testing.T) {
		path := "/dashboard/accountant/transactions"
		listed := o.ask(t, accountant, "GET", path, nil).ok(200)
		require.Len(t, listed.json, 2)
		require.Equal(t, overdue, listed.get("0.id"))
		require.Equal(t, "-30.01", listed.get("1.amount"))
		require.Equal(t, "2026-03-20T00:00:00Z", listed.get("1.date"))
		require.Equal(t, "Schindler SA", listed.get("1.related_entity"))
		listed.golden("accountant_transactions")
		require.Len(t, o.ask(t, accountant, "GET", path+"?limit=1", nil).ok(200).json, 1)
		o.ask(t, accountant, "GET", path+"?limit=50", nil).ok(200)
		for _, limit := range []string{"0", "51", "-1", "x", "1.5", "99999999999999999999"} {
			got := o.ask(t, accountant, "GET", path+"?limit="+limit, nil)
			got.refused(400, "invalid_parameter")
			require.Equal(t, "limit", got.get("errors.0.field"))
		}
	})
	t.Run("a superadmin names an organization, or sees all in his dashboard", func(t *testing.T) {
		admin := o.signedIn(t, uuid.Nil, "superadmin")
		o.ask(t, admin, "GET", "/stats/syndic", nil).refused(400, "organization_required")
		named := o.ask(t, admin, "GET", "/stats/syndic?organization_id="+e.organization.String(), nil)
		require.InDelta(t, 4, named.ok(200).at("total_units"), 0)
		before := o.ask(t, admin, "GET", "/stats/dashboard", nil).ok(200)
		before.golden("stats_dashboard")
		other := openErables(t, o)
		after := o.ask(t, admin, "GET", "/stats/dashboard", nil).ok(200)
		for field, more := range map[string]float64{
			"total_organizations": 1, "active_subscriptions": 1, "total_users": 2,
			"total_buildings": 1, "total_units": 3, "total_owners": 3, "total_expenses": 0,
		} {
			require.InDelta(t, before.at(field).(float64)+more, after.at(field), 0, field)
		}
		o.ask(t, admin, "PUT", "/organizations/"+other.organization.String()+"/suspend", nil).ok(200)
		last := o.ask(t, admin, "GET", "/stats/dashboard", nil).ok(200)
		require.Equal(t, before.at("active_subscriptions"), last.at("active_subscriptions"))
	})
}

// Figures of a month are another month's as soon as it begins in Belgium, also where the answer was
// kept in memory.
func TestTheMonthOfFiguresFollowsTheCalendar(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	e := openErables(t, o)
	brussels, err := time.LoadLocation("Europe/Brussels")
	require.NoError(t, err)
	month := func() string {
		return o.ask(t, e.syndic, "GET", "/dashboard/accountant/stats", nil).ok(200).
			get("total_expenses_current_month")
	}
	now := o.clock.now().In(brussels)
	next := time.Date(now.Year(), now.Month()+1, 1, 0, 0, 0, 0, brussels)
	o.ask(t, e.syndic, "POST", "/expenses", newExpense(e.id, "amount", "3.00", "expense_date",
		now.Format(time.DateOnly))).ok(201)
	o.ask(t, e.syndic, "POST", "/expenses", newExpense(e.id, "amount", "5.00", "expense_date",
		next.Format(time.DateOnly))).ok(201)
	require.Equal(t, "3.00", month())
	require.Equal(t, "3.00", month(), "from memory")
	o.clock.forward(next.Sub(o.clock.now()) + time.Second)
	o.signIn(t, e.syndic)
	require.Equal(t, "5.00", month())
}

// task finds the one task of a type.
func (a answer) task(name string) map[string]any {
	a.t.Helper()
	var found map[string]any
	for _, task := range a.json.([]any) {
		if task := task.(map[string]any); task["task_type"] == name {
			require.Nil(a.t, found, a.text)
			found = task
		}
	}
	require.NotNil(a.t, found, "%s in %s", name, a.text)
	return found
}

func TestUrgentTasks(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	e := openErables(t, o)
	list := func(headers ...string) answer {
		return o.ask(t, e.syndic, "GET", "/stats/syndic/urgent-tasks", nil, headers...).ok(200)
	}
	require.Equal(t, "[]", list().text, "nothing is urgent where all adds up")

	today := o.clock.now()
	day := func(ahead int) string { return today.AddDate(0, 0, ahead).Format(time.DateOnly) }
	e.approved(t, "description", "Assurance", "due_date", day(3))
	overdue := e.approved(t, "due_date", day(-2)).get("id")
	waiting := o.ask(t, e.syndic, "POST", "/invoices/draft",
		newInvoice(e.id, "due_date", day(400))).ok(201).get("id")
	o.ask(t, e.syndic, "PUT", "/invoices/"+waiting+"/submit", nil).ok(200)
	uneven := o.ask(t, e.syndic, "POST", "/buildings", newBuilding("name", "Le Phare")).ok(201).
		get("id")
	o.ask(t, e.syndic, "POST", "/units", newUnit(uneven, "quota", 100.5)).ok(201)

	listed := list("Accept-Language", "fr")
	require.Len(t, listed.json, 4)
	require.Equal(t, overdue, listed.get("0.entity_id"), "the most urgent first")
	require.Equal(t, "high", listed.get("0.priority"))
	due := listed.task("expense_due")
	require.Equal(t, "À payer : Assurance", due["title"])
	require.Contains(t, due["description"], "968,00 EUR")
	require.Equal(t, "medium", due["priority"])
	shares := listed.task("quota_mismatch")
	require.Equal(t, "Le Phare", shares["building_name"])
	require.Contains(t, shares["description"], "100.5 quotités sur 1000")
	require.Nil(t, shares["due_date"])
	require.Equal(t, uneven, listed.task("units_without_owner")["entity_id"])
	require.Equal(t, "To be paid: Assurance",
		list("Accept-Language", "en").task("expense_due")["title"])
	require.Equal(t, "Te betalen: Assurance",
		list("Accept-Language", "nl").task("expense_due")["title"])
	require.Equal(t, list("Accept-Language", "fr").text, listed.text, "a stable order")

	t.Run("an approval that waits for a week is urgent, for a month most urgent",
		func(t *testing.T) {
			o.clock.forward(8 * 24 * time.Hour)
			o.signIn(t, e.syndic)
			task := list().task("approval_waiting")
			require.Equal(t, []any{waiting, "medium"}, []any{task["entity_id"], task["priority"]})
			o.clock.forward(23 * 24 * time.Hour)
			o.signIn(t, e.syndic)
			require.Equal(t, "high", list().task("approval_waiting")["priority"])
		})
	t.Run("an auditor reads those of the buildings of his mandates", func(t *testing.T) {
		limited := o.signedIn(t, e.organization, "auditor")
		o.ask(t, e.syndic, "POST", "/users/"+limited.id.String()+"/mandates", body{
			"building_ids": []string{uneven}, "from": "2020-01-01", "to": "2099-12-31",
		}).ok(201)
		seen := o.ask(t, limited, "GET", "/stats/syndic/urgent-tasks", nil).ok(200)
		seen.golden("urgent_tasks")
		require.Len(t, seen.json, 2)
	})
	t.Run("they are fifty at most", func(t *testing.T) {
		for i := range 60 {
			id := o.ask(t, e.syndic, "POST", "/buildings",
				newBuilding("name", fmt.Sprint("Immeuble ", i))).ok(201).get("id")
			o.ask(t, e.syndic, "POST", "/units", newUnit(id)).ok(201)
		}
		require.Len(t, list().json, 50)
	})
}

func TestAnswersThatKeepTheOlderAppQuiet(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	organization := o.organization(t)
	syndic := o.signedIn(t, organization, "syndic")
	building := o.ask(t, syndic, "POST", "/buildings", newBuilding()).ok(201).get("id")
	for _, as := range []*person{
		syndic, o.signedIn(t, organization, "owner"), o.signedIn(t, uuid.Nil, "superadmin"),
	} {
		for path, text := range map[string]string{
			"/notifications/unread": `[]`, "/board-members/my-mandates": `{"mandates":[]}`,
			"/tickets/statistics": `{"open_count":0}`, "/tickets/my": `[]`,
		} {
			require.Equal(t, text, o.ask(t, as, "GET", path, nil).ok(200).text, path)
		}
	}
	owner := o.signedIn(t, organization, "owner")
	for _, path := range []string{"/work-reports", "/technical-inspections"} {
		require.Equal(t, "[]", o.ask(t, syndic, "GET", "/buildings/"+building+path, nil).ok(200).text)
		o.ask(t, owner, "GET", "/buildings/"+building+path, nil).refused(404, "not_found")
		o.ask(t, syndic, "GET", "/buildings/"+newID().String()+path, nil).refused(404, "not_found")
	}
	o.ask(t, nil, "GET", "/tickets/my", nil).refused(401, "unauthenticated")
}
