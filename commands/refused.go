package commands

import (
	"errors"
	"strings"

	"github.com/koprogo/koprogo/eventstore"
)

// Code names a refusal, stable for ever: clients tell refusals apart by it.
type Code string

// Codes of a field that is wrong in itself, whatever the state.
const (
	CodeRequired     Code = "required"
	CodeTooShort     Code = "too_short"     // params: min
	CodeTooLong      Code = "too_long"      // params: max
	CodeTooMany      Code = "too_many"      // params: max
	CodeOutOfRange   Code = "out_of_range"  // params: min, max
	CodeMalformed    Code = "malformed"     // params: form
	CodeUnknownValue Code = "unknown_value" // params: values, comma separated
	CodeCommon       Code = "password_common"
)

// Codes of a rule that the present state breaks.
const (
	CodeNotFound              Code = "not_found" // params: what
	CodeIDTaken               Code = "id_taken"
	CodeTaken                 Code = "taken" // params: kind
	CodeSlugTaken             Code = "slug_taken"
	CodeEmailTaken            Code = "email_taken"
	CodePlanLimit             Code = "plan_limit" // params: kind
	CodeOrganizationSuspended Code = "organization_suspended"
	CodeRoleHeld              Code = "role_held"
	CodeRoleNotHeld           Code = "role_not_held"
	CodeLastSuperadmin        Code = "last_superadmin"
	CodeNotAuditor            Code = "not_auditor"
	CodeTwoFactorEnabled      Code = "two_factor_enabled"
	CodeTwoFactorDisabled     Code = "two_factor_disabled"
)

// Codes of amounts: invoices that do not add up, keys that nothing can be shared out by.
const (
	CodeVATMismatch      Code = "vat_mismatch"      // params: field, expected, tolerance
	CodeTotalMismatch    Code = "total_mismatch"    // params: field, expected, tolerance
	CodeSharesIncomplete Code = "shares_incomplete" // params: sum, base
	CodeWeightsInvalid   Code = "weights_invalid"
)

// Codes of lots and ownership.
const (
	CodeUnchangeable          Code = "unchangeable" // of a field
	CodeUnitNumberTaken       Code = "unit_number_taken"
	CodeUnitsExceeded         Code = "units_exceeded"  // params: units, total
	CodeSharesExceeded        Code = "shares_exceeded" // params: sum, total
	CodeUnitOwned             Code = "unit_has_owners"
	CodeBuildingOwned         Code = "building_has_owners"
	CodeBalanceOpen           Code = "balance_open"
	CodeUnitsRemain           Code = "units_remain"       // params: units, max
	CodeOwnershipExceeded     Code = "ownership_exceeded" // params: sum, fraction, day
	CodeOwnershipInsufficient Code = "ownership_insufficient"
	CodeAlreadyOwner          Code = "already_owner"
	CodeOwnershipDates        Code = "ownership_dates" // params: from, to
	CodeFractionTooFine       Code = "fraction_too_fine"
	CodePrimaryRequired       Code = "primary_contact_required"
)

// ErrPrecondition is returned when the resource is at another revision than Caller.IfMatch.
var ErrPrecondition = errors.New("the resource is at another revision")

// Refused says which rule a command breaks. Field is set when one field is wrong in itself; it is
// the field's name in the event (lots, not total_units). Reason is an English sentence for logs
// and tests; clients read what api makes of Code and Params. Neither holds a rejected value.
type Refused struct {
	Code   Code
	Field  string
	Params map[string]string
	Reason string
	More   []*Refused // further wrong fields of the same command
}

func (r *Refused) Error() string {
	said := "refused (" + string(r.Code) + "): " + r.Reason
	if r.Field != "" {
		said = "refused (" + string(r.Code) + ", " + r.Field + "): " + r.Reason
	}
	return said
}

// Invalid tells whether the command is wrong in itself: no newer state would let it pass.
func (r *Refused) Invalid() bool { return r.Field != "" }

func refuse(code Code, reason string, params ...string) *Refused {
	return &Refused{Code: code, Reason: reason, Params: pairs(params)}
}

func notFound(what string) *Refused {
	return refuse(CodeNotFound, "there is no such "+strings.ReplaceAll(what, "_", " "),
		"what", what)
}

func idTaken(what string) *Refused {
	return refuse(CodeIDTaken, "the id belongs to another "+what+", or to one that was removed")
}

func pairs(params []string) map[string]string {
	if len(params) == 0 {
		return nil
	}
	named := make(map[string]string, len(params)/2)
	for i := 0; i+1 < len(params); i += 2 {
		named[params[i]] = params[i+1]
	}
	return named
}

// Kinds of claims.
const (
	claimEmail        = "email"
	claimSlug         = "slug"
	claimBuildingSlug = "building_slug"
	claimBuilding     = "building" // numbered: a place in the plan
	claimUser         = "user"     // numbered: a place in the plan
	claimLot          = "lot"      // an id, taken for ever, like the next
	claimOwnership    = "ownership"
)

// ofClaim turns a taken claim into the refusal that a user understands, or into a conflict where
// the command finds the holder when it is decided again.
func ofClaim(err *eventstore.ClaimError, touched []*loaded) error {
	switch err.Kind {
	case claimSupplier:
		return &eventstore.ConflictError{Stream: touched[0].stream}
	case claimEmail:
		return refuse(CodeEmailTaken, "the e-mail address is another's")
	case claimSlug, claimBuildingSlug:
		return refuse(CodeSlugTaken, "the slug is another's")
	case claimLot, claimOwnership:
		return idTaken(err.Kind)
	case claimBuilding, claimUser:
		return refuse(CodePlanLimit, "the plan has no more places for this kind", "kind", err.Kind)
	case claimOwnerAccount:
		return refuse(CodeUserLinked, "another owner signs in by the account")
	}
	return refuse(CodeTaken, "the name is taken", "kind", err.Kind)
}
