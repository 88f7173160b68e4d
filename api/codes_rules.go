package api

import (
	"net/http"

	"github.com/koprogo/koprogo/commands"
)

// Codes of signing in, which no rule of commands refuses.
const (
	CodeInvalidCredentials Code = "invalid_credentials"
	CodeTOTPRequired       Code = "totp_required"
	CodeTooManyAttempts    Code = "too_many_attempts"
)

var _ = explained(map[Code]codeEntry{
	CodeInvalidCredentials: {http.StatusUnauthorized, text{
		"The e-mail address or the password is wrong.",
		"L'adresse e-mail ou le mot de passe est incorrect.",
		"Het e-mailadres of het wachtwoord is onjuist.",
	}},
	CodeTOTPRequired: {http.StatusUnauthorized, text{
		"Give the code of your authenticator app (totp_code).",
		"Donnez le code de votre application d'authentification (totp_code).",
		"Geef de code van uw authenticatie-app (totp_code).",
	}},
	CodeTooManyAttempts: {http.StatusTooManyRequests, text{
		"Too many failed attempts; try again later.",
		"Trop de tentatives échouées ; réessayez plus tard.",
		"Te veel mislukte pogingen; probeer later opnieuw.",
	}},
})

// The rules' own codes, with the status and the text that a client gets.
var _ = explained(map[Code]codeEntry{
	Code(commands.CodeCommon): {http.StatusBadRequest, text{
		"This password is too common.", "Ce mot de passe est trop courant.",
		"Dit wachtwoord komt te vaak voor.",
	}},
	Code(commands.CodeIDTaken): {http.StatusConflict, text{
		"This id belongs to something else, or to what was deleted.",
		"Cet id appartient à autre chose, ou à ce qui a été supprimé.",
		"Dit id hoort bij iets anders, of bij wat werd verwijderd.",
	}},
	Code(commands.CodeTaken): {http.StatusConflict, text{
		"This name is taken.", "Ce nom est déjà pris.", "Deze naam is al in gebruik.",
	}},
	Code(commands.CodeSlugTaken): {http.StatusConflict, text{
		"This slug is taken.", "Ce slug est déjà pris.", "Deze slug is al in gebruik.",
	}},
	Code(commands.CodeEmailTaken): {http.StatusConflict, text{
		"This e-mail address is taken.", "Cette adresse e-mail est déjà prise.",
		"Dit e-mailadres is al in gebruik.",
	}},
	Code(commands.CodePlanLimit): {http.StatusConflict, text{
		"The organization's plan has no more places.",
		"Le plan de l'organisation n'a plus de places.",
		"Het plan van de organisatie heeft geen plaatsen meer.",
	}},
	Code(commands.CodeOrganizationSuspended): {http.StatusForbidden, text{
		"The organization is suspended: it can be read, not changed.",
		"L'organisation est suspendue : elle peut être lue, pas modifiée.",
		"De organisatie is geschorst: lezen kan, wijzigen niet.",
	}},
	Code(commands.CodeRoleHeld): {http.StatusConflict, text{
		"The user has this role already.", "L'utilisateur a déjà ce rôle.",
		"De gebruiker heeft deze rol al.",
	}},
	Code(commands.CodeRoleNotHeld): {http.StatusConflict, text{
		"The user does not have this role.", "L'utilisateur n'a pas ce rôle.",
		"De gebruiker heeft deze rol niet.",
	}},
	Code(commands.CodeLastSuperadmin): {http.StatusConflict, text{
		"The last superadmin stays.", "Le dernier superadmin reste.",
		"De laatste superadmin blijft.",
	}},
	Code(commands.CodeNotAuditor): {http.StatusConflict, text{
		"Only an auditor has a mandate.", "Seul un auditeur a un mandat.",
		"Alleen een auditor heeft een mandaat.",
	}},
	Code(commands.CodeTwoFactorEnabled): {http.StatusConflict, text{
		"Two-factor sign-in is on already.", "La double authentification est déjà active.",
		"Tweestapsaanmelding staat al aan.",
	}},
	Code(commands.CodeTwoFactorDisabled): {http.StatusConflict, text{
		"Two-factor sign-in is off.", "La double authentification est désactivée.",
		"Tweestapsaanmelding staat uit.",
	}},
})

// Codes of amounts.
var _ = explained(map[Code]codeEntry{
	Code(commands.CodeVATMismatch): {http.StatusBadRequest, text{
		"The printed VAT is more than 0.01 per line from its rate, or the total is" +
			" not net + VAT: {expected} was expected, within {tolerance}.",
		"La TVA imprimée s'écarte de son taux de plus de 0,01 par ligne, ou le total" +
			" n'est pas net + TVA : {expected} était attendu, à {tolerance} près.",
		"De gedrukte btw wijkt meer dan 0,01 per lijn af van haar tarief, of het" +
			" totaal is niet netto + btw: {expected} werd verwacht, op {tolerance} na.",
	}},
	Code(commands.CodeTotalMismatch): {http.StatusBadRequest, text{
		"The amount excluding VAT is more than 0.01 per line from the sum of the lines:" +
			" {expected} was expected, within {tolerance}.",
		"Le montant hors TVA s'écarte de la somme des lignes de plus de 0,01 par ligne :" +
			" {expected} était attendu, à {tolerance} près.",
		"Het bedrag exclusief btw wijkt meer dan 0,01 per lijn af van de som van de lijnen:" +
			" {expected} werd verwacht, op {tolerance} na.",
	}},
	Code(commands.CodeSharesIncomplete): {http.StatusConflict, text{
		"The shares add up to {sum}; the distribution key's base is {base}.",
		"La somme des quotités est {sum} ; la base de la clé de répartition est {base}.",
		"De som van de aandelen is {sum}; de basis van de verdeelsleutel is {base}.",
	}},
	Code(commands.CodeWeightsInvalid): {http.StatusBadRequest, text{
		"Weights are whole numbers, not negative, and not too large to add up.",
		"Les poids sont des nombres entiers, non négatifs, dont la somme reste dans les limites.",
		"Gewichten zijn gehele getallen, niet negatief, en niet te groot om op te tellen.",
	}},
})
