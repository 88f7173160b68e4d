package api

import "net/http"

// The codes of the conventions. Those of the rules are named in commands/refused.go and stand in
// the table below too.
const (
	CodeMalformedJSON        Code = "malformed_json"
	CodeInvalidField         Code = "invalid_field"
	CodeUnknownField         Code = "unknown_field"
	CodeDuplicateField       Code = "duplicate_field"
	CodeInvalidParameter     Code = "invalid_parameter"
	CodeUnknownParameter     Code = "unknown_parameter"
	CodeInvalidCursor        Code = "invalid_cursor"
	CodePositionUnknown      Code = "position_unknown"
	CodeIdempotencyForbidden Code = "idempotency_key_forbidden"
	CodeOrganizationRequired Code = "organization_required"
	CodeUnauthenticated      Code = "unauthenticated"
	CodeForbidden            Code = "forbidden"
	CodeNotFound             Code = "not_found"
	CodeRouteNotFound        Code = "route_not_found"
	CodeMethodNotAllowed     Code = "method_not_allowed"
	CodeConflict             Code = "conflict"
	CodeErased               Code = "erased"
	CodePreconditionFailed   Code = "precondition_failed"
	CodeBodyTooLarge         Code = "body_too_large"
	CodeUnsupportedMediaType Code = "unsupported_media_type"
	CodeKeyReused            Code = "idempotency_key_reused"
	CodeRateLimited          Code = "rate_limited"
	CodeInternal             Code = "internal"
	CodeUnavailable          Code = "unavailable"
	CodeOutcomeUnknown       Code = "outcome_unknown"
	CodePositionNotReached   Code = "position_not_reached"
)

// The codes of a single field or parameter, in errors[].
const (
	CodeRequired          Code = "required"
	CodeWrongType         Code = "wrong_type"
	CodeMalformed         Code = "malformed"
	CodeTooLong           Code = "too_long"
	CodeTooShort          Code = "too_short"
	CodeOutOfRange        Code = "out_of_range"
	CodeTooManyPlaces     Code = "too_many_places"
	CodeTooMany           Code = "too_many"
	CodeUnknownValue      Code = "unknown_value"
	CodeControlCharacters Code = "control_characters"
	CodeTooDeep           Code = "too_deep"
	CodeGivenTwice        Code = "given_twice"
	CodePageTooFar        Code = "page_too_far"
)

// text is one sentence in the three languages.
type text struct{ en, fr, nl string }

func (t text) in(language Language) string {
	return [...]string{t.en, t.fr, t.nl}[language]
}

type codeEntry struct {
	status int
	text   text
}

// codes lists every code a client may see, with its status and its text. {placeholders} are
// filled from the problem's params.
var codes = map[Code]codeEntry{}

// explained enters codes in the list; a code explained twice stops the program at its start.
//
//nolint:unparam // the result lets each file of codes enter its own in a variable
func explained(entries map[Code]codeEntry) struct{} {
	for code, entry := range entries {
		if _, twice := codes[code]; twice {
			panic("the code " + string(code) + " is explained twice")
		}
		codes[code] = entry
	}
	return struct{}{}
}

var _ = explained(map[Code]codeEntry{
	CodeMalformedJSON: {http.StatusBadRequest, text{
		"The body is not valid JSON.", "Le corps n'est pas du JSON valide.",
		"De inhoud is geen geldige JSON.",
	}},
	CodeInvalidField: {http.StatusBadRequest, text{
		"These fields are not valid: {fields}.", "Ces champs ne sont pas valides : {fields}.",
		"Deze velden zijn niet geldig: {fields}.",
	}},
	CodeUnknownField: {http.StatusBadRequest, text{
		"This field is not known.", "Ce champ n'est pas connu.", "Dit veld is niet gekend.",
	}},
	CodeDuplicateField: {http.StatusBadRequest, text{
		"A field stands twice in the body.", "Un champ figure deux fois dans le corps.",
		"Een veld staat tweemaal in de inhoud.",
	}},
	CodeInvalidParameter: {http.StatusBadRequest, text{
		"A parameter is not valid: {fields}.", "Un paramètre n'est pas valide : {fields}.",
		"Een parameter is niet geldig: {fields}.",
	}},
	CodeUnknownParameter: {http.StatusBadRequest, text{
		"This parameter is not known here.", "Ce paramètre n'est pas connu ici.",
		"Deze parameter is hier niet gekend.",
	}},
	CodeInvalidCursor: {http.StatusBadRequest, text{
		"The cursor does not belong to this list, sort and filters.",
		"Le curseur n'appartient pas à cette liste, ce tri et ces filtres.",
		"De cursor hoort niet bij deze lijst, sortering en filters.",
	}},
	CodePositionUnknown: {http.StatusBadRequest, text{
		"Nothing is recorded at that moment yet.", "Rien n'est encore enregistré à ce moment.",
		"Op dat moment is nog niets vastgelegd.",
	}},
	CodeIdempotencyForbidden: {http.StatusBadRequest, text{
		"Idempotency-Key is not accepted here.", "Idempotency-Key n'est pas accepté ici.",
		"Idempotency-Key wordt hier niet aanvaard.",
	}},
	CodeOrganizationRequired: {http.StatusBadRequest, text{
		"Name the organization with organization_id.",
		"Indiquez l'organisation par organization_id.",
		"Geef de organisatie op met organization_id.",
	}},
	CodeUnauthenticated: {http.StatusUnauthorized, text{
		"Sign in: the token is missing, expired or not valid.",
		"Connectez-vous : le jeton manque, est expiré ou n'est pas valide.",
		"Meld u aan: het token ontbreekt, is verlopen of is niet geldig.",
	}},
	CodeForbidden: {http.StatusForbidden, text{
		"Your role may not do this.", "Votre rôle ne le permet pas.", "Uw rol laat dit niet toe.",
	}},
	CodeNotFound: {http.StatusNotFound, text{
		"{noun} not found", "{noun} introuvable", "{noun} niet gevonden",
	}},
	CodeRouteNotFound: {http.StatusNotFound, text{
		"There is nothing at this path.", "Il n'y a rien à ce chemin.",
		"Er is niets op dit pad.",
	}},
	CodeMethodNotAllowed: {http.StatusMethodNotAllowed, text{
		"This path does not know that method.", "Ce chemin ne connaît pas cette méthode.",
		"Dit pad kent die methode niet.",
	}},
	CodeConflict: {http.StatusConflict, text{
		"Somebody else changed this at the same moment; try again.",
		"Quelqu'un d'autre l'a modifié au même moment ; réessayez.",
		"Iemand anders wijzigde dit op hetzelfde moment; probeer opnieuw.",
	}},
	CodeErased: {http.StatusGone, text{
		"This person's data was erased.", "Les données de cette personne ont été effacées.",
		"De gegevens van deze persoon werden gewist.",
	}},
	CodePreconditionFailed: {http.StatusPreconditionFailed, text{
		"It has changed since you read it (If-Match).",
		"Elle a changé depuis votre lecture (If-Match).",
		"Het is gewijzigd sinds u het las (If-Match).",
	}},
	CodeBodyTooLarge: {http.StatusRequestEntityTooLarge, text{
		"The body is larger than allowed.", "Le corps est plus grand que permis.",
		"De inhoud is groter dan toegelaten.",
	}},
	CodeUnsupportedMediaType: {http.StatusUnsupportedMediaType, text{
		"Send application/json.", "Envoyez application/json.", "Stuur application/json.",
	}},
	CodeKeyReused: {http.StatusUnprocessableEntity, text{
		"This Idempotency-Key belongs to another request.",
		"Cette Idempotency-Key appartient à une autre requête.",
		"Deze Idempotency-Key hoort bij een ander verzoek.",
	}},
	CodeRateLimited: {http.StatusTooManyRequests, text{
		"Too many requests; wait a moment.", "Trop de requêtes ; patientez un instant.",
		"Te veel verzoeken; wacht even.",
	}},
	CodeInternal: {http.StatusInternalServerError, text{
		"Something went wrong on our side. Name the instance when you report it.",
		"Une erreur s'est produite de notre côté. Citez l'instance en la signalant.",
		"Er ging bij ons iets mis. Vermeld de instance wanneer u het meldt.",
	}},
	CodeUnavailable: {http.StatusServiceUnavailable, text{
		"The service is not available for a moment.",
		"Le service est momentanément indisponible.", "De dienst is even niet beschikbaar.",
	}},
	CodeOutcomeUnknown: {http.StatusServiceUnavailable, text{
		"Whether this was recorded is not known; repeat it with the same Idempotency-Key.",
		"On ignore si ceci a été enregistré ; répétez avec la même Idempotency-Key.",
		"Of dit werd vastgelegd is niet bekend; herhaal met dezelfde Idempotency-Key.",
	}},
	CodePositionNotReached: {http.StatusServiceUnavailable, text{
		"This server has not reached Koprogo-Min-Position yet.",
		"Ce serveur n'a pas encore atteint Koprogo-Min-Position.",
		"Deze server heeft Koprogo-Min-Position nog niet bereikt.",
	}},
})

var _ = explained(map[Code]codeEntry{
	CodeRequired: {http.StatusBadRequest, text{
		"This is required.", "Ceci est obligatoire.", "Dit is verplicht.",
	}},
	CodeWrongType: {http.StatusBadRequest, text{
		"This must be of type {type}.", "Ceci doit être de type {type}.",
		"Dit moet van het type {type} zijn.",
	}},
	CodeMalformed: {http.StatusBadRequest, text{
		"This is not a valid {form}.", "Le format {form} n'est pas respecté.",
		"Dit heeft niet het formaat {form}.",
	}},
	CodeTooLong: {http.StatusBadRequest, text{
		"At most {max} characters.", "Au plus {max} caractères.", "Hoogstens {max} tekens.",
	}},
	CodeTooShort: {http.StatusBadRequest, text{
		"At least {min} characters.", "Au moins {min} caractères.", "Minstens {min} tekens.",
	}},
	CodeOutOfRange: {http.StatusBadRequest, text{
		"This is out of range ({range}).", "Ceci est hors limites ({range}).",
		"Dit valt buiten het bereik ({range}).",
	}},
	CodeTooManyPlaces: {http.StatusBadRequest, text{
		"At most {places} decimal places.", "Au plus {places} décimales.",
		"Hoogstens {places} decimalen.",
	}},
	CodeTooMany: {http.StatusBadRequest, text{
		"At most {max} items.", "Au plus {max} éléments.", "Hoogstens {max} elementen.",
	}},
	CodeUnknownValue: {http.StatusBadRequest, text{
		"One of: {values}.", "Une valeur parmi : {values}.", "Een van: {values}.",
	}},
	CodeControlCharacters: {http.StatusBadRequest, text{
		"Control characters are not accepted.", "Les caractères de contrôle sont refusés.",
		"Stuurtekens worden niet aanvaard.",
	}},
	CodeTooDeep: {http.StatusBadRequest, text{
		"The body is nested too deeply.", "Le corps est trop imbriqué.",
		"De inhoud is te diep genest.",
	}},
	CodeGivenTwice: {http.StatusBadRequest, text{
		"This is given twice, or beside what excludes it.",
		"Ceci est donné deux fois, ou à côté de ce qui l'exclut.",
		"Dit is tweemaal gegeven, of naast wat het uitsluit.",
	}},
	CodePageTooFar: {http.StatusBadRequest, text{
		"page × per_page is at most 10,000; go on with cursor.",
		"page × per_page ne dépasse pas 10 000 ; continuez avec cursor.",
		"page × per_page is hoogstens 10.000; ga verder met cursor.",
	}},
})

// titles name the kinds of refusal, by status.
var titles = map[int]text{
	http.StatusBadRequest:   {"Bad request", "Requête invalide", "Ongeldig verzoek"},
	http.StatusUnauthorized: {"Unauthorized", "Non authentifié", "Niet aangemeld"},
	http.StatusForbidden:    {"Forbidden", "Interdit", "Niet toegelaten"},
	http.StatusNotFound:     {"Not found", "Introuvable", "Niet gevonden"},
	http.StatusMethodNotAllowed: {
		"Method not allowed", "Méthode non permise", "Methode niet toegelaten",
	},
	http.StatusConflict:           {"Conflict", "Conflit", "Conflict"},
	http.StatusGone:               {"Gone", "Effacé", "Gewist"},
	http.StatusPreconditionFailed: {"Precondition failed", "Version périmée", "Versie verouderd"},
	http.StatusRequestEntityTooLarge: {
		"Content too large", "Contenu trop grand", "Inhoud te groot",
	},
	http.StatusUnsupportedMediaType: {
		"Unsupported media type", "Type de média non pris en charge", "Mediatype niet ondersteund",
	},
	http.StatusUnprocessableEntity: {
		"Unprocessable content", "Contenu intraitable", "Onverwerkbare inhoud",
	},
	http.StatusTooManyRequests:     {"Too many requests", "Trop de requêtes", "Te veel verzoeken"},
	http.StatusInternalServerError: {"Internal error", "Erreur interne", "Interne fout"},
	http.StatusServiceUnavailable: {
		"Service unavailable", "Service indisponible", "Dienst niet beschikbaar",
	},
}

// nouns name what a 404 did not find.
var nouns = map[string]text{
	"account":          {"User", "Utilisateur", "Gebruiker"},
	"building":         {"Building", "Immeuble", "Gebouw"},
	"cursor":           {"Page", "Page", "Pagina"},
	"charge":           {"Expense", "Charge", "Kost"},
	"distribution_key": {"Distribution key", "Clé de répartition", "Verdeelsleutel"},
	"expense":          {"Expense", "Charge", "Kost"},
	"invoice":          {"Invoice", "Facture", "Factuur"},
	"event":            {"Event", "Événement", "Gebeurtenis"},
	"job":              {"Job", "Tâche", "Taak"},
	"lot":              {"Unit", "Lot", "Kavel"},
	"mandate":          {"Mandate", "Mandat", "Mandaat"},
	"organization":     {"Organization", "Organisation", "Organisatie"},
	"ownership":        {"Ownership", "Propriété", "Eigendom"},
	"owner":            {"Owner", "Copropriétaire", "Mede-eigenaar"},
	"position":         {"Position", "Position", "Positie"},
	"role":             {"Role", "Rôle", "Rol"},
	"session":          {"Session", "Session", "Sessie"},
	"unit":             {"Unit", "Lot", "Kavel"},
	"user":             {"User", "Utilisateur", "Gebruiker"},
}

func nounIn(noun string, language Language) string {
	if name, known := nouns[noun]; known {
		return name.in(language)
	}
	return text{"This", "Ceci", "Dit"}.in(language)
}
