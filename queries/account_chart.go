package queries

import (
	"strings"

	"github.com/koprogo/koprogo/events"
)

// AccountFilter chooses accounts of the chart. What is empty does not filter.
type AccountFilter struct {
	Pattern  string // % stands for any digits, _ for one: "61%"
	Type     string // one of AccountTypes
	Postable bool   // only what entries and charges may name
}

// AccountTypes are the five kinds that reports tell accounts by.
var AccountTypes = []string{"ASSET", "LIABILITY", "EXPENSE", "REVENUE", "OFF_BALANCE"}

// AccountType is the kind of an account in reports; a heading has that of its class.
func AccountType(a events.Account) string {
	switch a.Kind {
	case events.KindAsset, events.KindReceivable, events.KindContraAsset, events.KindBank,
		events.KindCash, events.KindClearing:
		return "ASSET"
	case events.KindLiability, events.KindClosedLiability, events.KindPayable, events.KindFund,
		events.KindResult:
		return "LIABILITY"
	case events.KindExpense:
		return "EXPENSE"
	case events.KindIncome:
		return "REVENUE"
	case events.KindTechnical:
		return "OFF_BALANCE"
	}
	switch a.Class {
	case 1:
		return "LIABILITY"
	case 2, 3, 4, 5:
		return "ASSET"
	case 6:
		return "EXPENSE"
	case 7:
		return "REVENUE"
	}
	return "OFF_BALANCE"
}

// Accounts lists the accounts of the Belgian chart by code.
func Accounts(f AccountFilter) []events.Account {
	chosen := []events.Account{}
	for _, account := range events.BelgianChart().Accounts() {
		if (f.Pattern == "" || matches(f.Pattern, account.Code)) &&
			(f.Type == "" || f.Type == AccountType(account)) &&
			(!f.Postable || account.Postable()) {
			chosen = append(chosen, account)
		}
	}
	return chosen
}

// matches tells whether a code is of a pattern, piece by piece between the %: each piece is looked
// for as early as it goes, the last one at the end.
func matches(pattern, code string) bool {
	pieces := strings.Split(pattern, "%")
	if len(pieces) == 1 {
		return len(code) == len(pattern) && fits(pattern, code)
	}
	first, last := pieces[0], pieces[len(pieces)-1]
	if len(code) < len(first)+len(last) || !fits(first, code) ||
		!fits(last, code[len(code)-len(last):]) {
		return false
	}
	rest := code[len(first) : len(code)-len(last)]
	for _, piece := range pieces[1 : len(pieces)-1] {
		at := 0
		for at+len(piece) <= len(rest) && !fits(piece, rest[at:]) {
			at++
		}
		if at+len(piece) > len(rest) {
			return false
		}
		rest = rest[at+len(piece):]
	}
	return true
}

// fits tells whether text begins with a piece, in which _ stands for any digit.
func fits(piece, text string) bool {
	if len(text) < len(piece) {
		return false
	}
	for i := range len(piece) {
		if piece[i] != '_' && piece[i] != text[i] {
			return false
		}
	}
	return true
}
