package api

import (
	"context"
	"strings"

	"github.com/koprogo/koprogo/events"
	"github.com/koprogo/koprogo/queries"
)

// accountBody is an account of the chart.
type accountBody struct {
	Code        string  `json:"code"`
	Label       string  `json:"label" doc:"In the language of the request"`
	LabelFR     string  `json:"label_fr"`
	LabelNL     string  `json:"label_nl"`
	LabelDE     string  `json:"label_de"`
	LabelEN     string  `json:"label_en"`
	Class       int     `json:"class"`
	AccountType string  `json:"account_type" enum:"ASSET,LIABILITY,EXPENSE,REVENUE,OFF_BALANCE"`
	Kind        string  `json:"kind"`
	DirectUse   bool    `json:"direct_use" doc:"Whether entries and charges may name it"`
	ParentCode  *string `json:"parent_code" nullable:"true"`
}

func toAccount(a events.Account, language Language) accountBody {
	body := accountBody{
		Code: a.Code, Label: a.Labels.In(language.String()), LabelFR: a.Labels.FR,
		LabelNL: a.Labels.NL, LabelDE: a.Labels.DE, LabelEN: a.Labels.EN, Class: a.Class,
		AccountType: queries.AccountType(a), Kind: string(a.Kind), DirectUse: a.Postable(),
	}
	if parent, under := events.BelgianChart().Parent(a.Code); under {
		body.ParentCode = &parent.Code
	}
	return body
}

type accountFilter struct {
	CodePattern   Field[string] `query:"code_pattern" maxLength:"20" doc:"% stands for any digits, _ for one"`
	AccountType   Field[string] `query:"account_type"`
	DirectUseOnly Field[bool]   `query:"direct_use_only"`
}

func listAccounts(
	_ context.Context, c *Call, filter accountFilter,
) (Answer[[]accountBody], error) {
	kind := strings.ToUpper(filter.AccountType.Value())
	known := kind == ""
	for _, one := range queries.AccountTypes {
		known = known || kind == one
	}
	if !known {
		return Answer[[]accountBody]{}, invalidParameter("account_type", CodeUnknownValue,
			"values", strings.Join(queries.AccountTypes, ", "))
	}
	accounts := queries.Accounts(queries.AccountFilter{
		Pattern: filter.CodePattern.Value(), Type: kind, Postable: filter.DirectUseOnly.Value(),
	})
	bodies := make([]accountBody, len(accounts))
	for i, account := range accounts {
		bodies[i] = toAccount(account, c.Language)
	}
	return Answer[[]accountBody]{Body: bodies}, nil
}
