package events

import (
	_ "embed" // the charts are files, so that an accountant can read them
	"encoding/csv"
	"fmt"
	"slices"
	"strings"
	"sync"
)

// AccountKind says what an account of a chart is for.
type AccountKind string

// The kinds. A group is a heading that nothing is posted to; a closed account takes no more
// entries.
const (
	KindGroup           AccountKind = "group"
	KindAsset           AccountKind = "asset"
	KindReceivable      AccountKind = "receivable"
	KindContraAsset     AccountKind = "contra_asset"
	KindBank            AccountKind = "bank"
	KindCash            AccountKind = "cash"
	KindLiability       AccountKind = "liability"
	KindClosedLiability AccountKind = "liability_closed"
	KindPayable         AccountKind = "payable"
	KindFund            AccountKind = "fund"
	KindResult          AccountKind = "result"
	KindClearing        AccountKind = "clearing"
	KindTechnical       AccountKind = "technical"
	KindExpense         AccountKind = "expense"
	KindIncome          AccountKind = "income"
)

// Labels are a name in the languages of the product; French is never empty.
type Labels struct{ FR, NL, DE, EN string }

// In is the label in a language ("fr", "nl", "de", "en"), in French where there is none.
func (l Labels) In(language string) string {
	label := map[string]string{"nl": l.NL, "de": l.DE, "en": l.EN}[language]
	if label == "" {
		return l.FR
	}
	return label
}

// Account is one line of a chart of accounts. Its parent is the longest shorter code that it
// begins with.
type Account struct {
	Code   string
	Labels Labels
	Class  int // the first digit of the code
	Kind   AccountKind
}

// Postable tells whether entries and charges may name the account.
func (a Account) Postable() bool {
	return a.Kind != KindGroup && a.Kind != KindClosedLiability
}

// Chart is a chart of accounts that the product ships. It does not change while it runs.
type Chart struct {
	accounts []Account
	places   map[string]int
}

//go:embed data/pcmn_be.csv
var belgianChart string

//go:embed data/plan_fr.csv
var frenchChart string

// BelgianChart is the chart for associations of co-owners (royal decree of 12 July 2012) with
// the accounts that products add to it; labels in four languages.
var BelgianChart = sync.OnceValue(func() *Chart { return mustReadChart(belgianChart) })

// FrenchChart is the plan of the décret 2005-240 (arrêté of 14 March 2005) with later accounts;
// labels in French only.
var FrenchChart = sync.OnceValue(func() *Chart { return mustReadChart(frenchChart) })

// Accounts are all accounts in the order of their codes; the caller may keep the slice.
func (c *Chart) Accounts() []Account { return slices.Clone(c.accounts) }

// Postable are the accounts that entries and charges may name, in the order of their codes.
func (c *Chart) Postable() []Account {
	return slices.DeleteFunc(c.Accounts(), func(a Account) bool { return !a.Postable() })
}

// Account is the account of a code.
func (c *Chart) Account(code string) (Account, bool) {
	place, known := c.places[code]
	if !known {
		return Account{}, false
	}
	return c.accounts[place], true
}

// Parent is the account under which a code stands, of the chart or added to it (614001 stands
// under 6140); a class has none.
func (c *Chart) Parent(code string) (Account, bool) {
	for end := len(code) - 1; end > 0; end-- {
		if parent, known := c.Account(code[:end]); known {
			return parent, true
		}
	}
	return Account{}, false
}

// mustReadChart reads a file of the product itself: a wrong one is a wrong build.
func mustReadChart(text string) *Chart {
	chart, err := readChart(text)
	if err != nil {
		panic(err)
	}
	return chart
}

func readChart(text string) (*Chart, error) {
	rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil {
		return nil, fmt.Errorf("read a chart of accounts: %w", err)
	}
	const header = "code,label_fr,label_nl,label_de,label_en,class,kind"
	if len(rows) == 0 || strings.Join(rows[0], ",") != header {
		return nil, fmt.Errorf("read a chart of accounts: its first line is not %s", header)
	}
	chart := &Chart{places: make(map[string]int, len(rows))}
	for i, row := range rows[1:] {
		code, class := row[0], row[5]
		if code == "" || len(class) != 1 || class < "1" || class > "9" || code[:1] != class {
			return nil, fmt.Errorf("read a chart of accounts: code %q, class %q", code, class)
		}
		if _, twice := chart.places[code]; twice {
			return nil, fmt.Errorf("read a chart of accounts: code %s stands twice", code)
		}
		chart.places[code] = i
		chart.accounts = append(chart.accounts, Account{
			Code: code, Class: int(class[0] - '0'), Kind: AccountKind(row[6]),
			Labels: Labels{FR: row[1], NL: row[2], DE: row[3], EN: row[4]},
		})
	}
	return chart, nil
}
