package events_test

import (
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/require"

	"github.com/koprogo/koprogo/events"
)

var kinds = []events.AccountKind{
	events.KindGroup, events.KindAsset, events.KindReceivable, events.KindContraAsset,
	events.KindBank, events.KindCash, events.KindLiability, events.KindClosedLiability,
	events.KindPayable, events.KindFund, events.KindResult, events.KindClearing,
	events.KindTechnical, events.KindExpense, events.KindIncome,
}

func charts() map[string]*events.Chart {
	return map[string]*events.Chart{
		"Belgian": events.BelgianChart(), "French": events.FrenchChart(),
	}
}

func TestTheChartsAreWhole(t *testing.T) {
	t.Parallel()
	require.Len(t, events.BelgianChart().Accounts(), 227)
	require.Len(t, events.FrenchChart().Accounts(), 116)
	for name, chart := range charts() {
		accounts := chart.Accounts()
		require.True(t, slices.IsSortedFunc(accounts, func(a, b events.Account) int {
			return strings.Compare(a.Code, b.Code)
		}), name)
		for i, account := range accounts {
			require.Regexp(t, `^[1-7][0-9-]*$`, account.Code, name)
			require.Equal(t, int(account.Code[0]-'0'), account.Class)
			require.Contains(t, kinds, account.Kind, account.Code)
			require.NotEmpty(t, account.Labels.FR, account.Code)
			require.True(t, i == 0 || accounts[i-1].Code != account.Code, "%s is unique", account.Code)
			found, known := chart.Account(account.Code)
			require.True(t, known)
			require.Equal(t, account, found)
		}
	}
}

func TestEveryBelgianAccountHasFourLabels(t *testing.T) {
	t.Parallel()
	for _, account := range events.BelgianChart().Accounts() {
		labels := account.Labels
		for _, label := range []string{labels.FR, labels.NL, labels.DE, labels.EN} {
			require.NotEmpty(t, label, account.Code)
			require.Equal(t, strings.Join(strings.Fields(label), " "), label, account.Code)
			require.False(t, strings.ContainsFunc(label, unicode.IsControl), account.Code)
			require.LessOrEqual(t, len([]rune(label)), 80, "%s fits in a report", account.Code)
		}
		require.NotEqual(t, labels.DE, labels.FR, account.Code)
		for language, label := range map[string]string{
			"fr": labels.FR, "nl": labels.NL, "de": labels.DE, "en": labels.EN, "xx": labels.FR,
		} {
			require.Equal(t, label, labels.In(language))
		}
	}
}

func TestAFrenchAccountIsNamedInFrench(t *testing.T) {
	t.Parallel()
	account, known := events.FrenchChart().Account("105")
	require.True(t, known)
	require.Equal(t, account.Labels.FR, account.Labels.In("nl"))
	require.Equal(t, "Fonds de travaux (depuis 2017)", account.Labels.In("en"))
}

func TestEveryAccountStandsUnderItsParent(t *testing.T) {
	t.Parallel()
	for name, chart := range charts() {
		for _, account := range chart.Accounts() {
			parent, known := chart.Parent(account.Code)
			if len(account.Code) == 1 {
				require.False(t, known, "class %s of the %s chart has no parent", account.Code, name)
				continue
			}
			require.True(t, known, "%s of the %s chart", account.Code, name)
			require.Less(t, len(parent.Code), len(account.Code))
			require.True(t, strings.HasPrefix(account.Code, parent.Code))
			require.Equal(t, account.Class, parent.Class)
		}
	}
	for code, parent := range map[string]string{
		"61011": "6101", "6101": "610", "213": "21", "742": "74", "614001": "6140", "69999": "69",
	} {
		found, known := events.BelgianChart().Parent(code)
		require.True(t, known)
		require.Equal(t, parent, found.Code)
	}
	for _, code := range []string{"", "8", "9", "99", "0"} {
		_, known := events.BelgianChart().Parent(code)
		require.False(t, known, code)
	}
}

func TestHeadingsAndClosedAccountsTakeNoEntries(t *testing.T) {
	t.Parallel()
	chart := events.BelgianChart()
	for code, postable := range map[string]bool{
		"6": false, "610": false, "6101": false, "61011": true, "6140": true, "440": true,
		"160": true, "551": true,
	} {
		account, known := chart.Account(code)
		require.True(t, known)
		require.Equal(t, postable, account.Postable(), code)
	}
	closed, known := events.FrenchChart().Account("1032")
	require.True(t, known)
	require.False(t, closed.Postable())
	postable := chart.Postable()
	require.NotEmpty(t, postable)
	for _, account := range chart.Accounts() {
		require.Equal(t, account.Postable(), slices.Contains(postable, account))
	}
	_, known = chart.Account("61234567")
	require.False(t, known)
}

func TestACallerMayChangeItsCopyOfTheChart(t *testing.T) {
	t.Parallel()
	events.BelgianChart().Accounts()[0].Code = "x"
	require.Equal(t, "1", events.BelgianChart().Accounts()[0].Code)
	events.CategoryProfile()[0].Code = "x"
	require.Equal(t, "610", events.CategoryProfile()[0].Code)
}

func TestTheCategoryProfile(t *testing.T) {
	t.Parallel()
	codes := map[events.Category][2]string{ // the contract's: code of the profile, default account
		events.CategoryWorks:          {"610", "6111"},
		events.CategoryMaintenance:    {"611", "6109"},
		events.CategoryRepairs:        {"612", "6107"},
		events.CategoryInsurance:      {"613", "6140"},
		events.CategoryCleaning:       {"614", "61050"},
		events.CategoryUtilities:      {"615", "61210"},
		events.CategoryOther:          {"619", "6166"},
		events.CategoryAdministration: {"620", "61600"},
	}
	profile := events.CategoryProfile()
	require.Len(t, profile, len(codes))
	before := ""
	for _, line := range profile {
		want := codes[line.Category]
		require.Equal(t, want, [2]string{line.Code, line.Account}, line.Category)
		require.Greater(t, line.Code, before, "lines stand by code")
		before = line.Code
		labels := line.Labels
		require.NotContains(t, []string{labels.FR, labels.NL, labels.DE, labels.EN}, "")
		account, known := events.BelgianChart().Account(line.Account)
		require.True(t, known, line.Account)
		require.True(t, account.Postable(), line.Account)
		require.Equal(t, events.KindExpense, account.Kind)
		found, known := line.Category.Line()
		require.True(t, known)
		require.Equal(t, line, found)
	}
	_, known := events.Category("Works").Line()
	require.False(t, known)
}
