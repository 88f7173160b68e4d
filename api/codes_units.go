package api

import (
	"net/http"

	"github.com/koprogo/koprogo/commands"
)

// Codes of lots and ownership.
var _ = explained(map[Code]codeEntry{
	Code(commands.CodeUnchangeable): {http.StatusBadRequest, text{
		"This cannot be changed.", "Ceci ne peut pas être modifié.",
		"Dit kan niet worden gewijzigd.",
	}},
	Code(commands.CodeUnitNumberTaken): {http.StatusConflict, text{
		"Another unit of the building has this number.",
		"Un autre lot de l'immeuble porte ce numéro.",
		"Een andere kavel van het gebouw heeft dit nummer.",
	}},
	Code(commands.CodeUnitsExceeded): {http.StatusConflict, text{
		"That makes {units} units where the building has {total} (total_units).",
		"Cela fait {units} lots alors que l'immeuble en compte {total} (total_units).",
		"Dat maakt {units} kavels terwijl het gebouw er {total} telt (total_units).",
	}},
	Code(commands.CodeSharesExceeded): {http.StatusConflict, text{
		"The quotas would add up to {sum} of {total} (total_tantiemes).",
		"La somme des quotités serait de {sum} sur {total} (total_tantiemes).",
		"De som van de aandelen zou {sum} op {total} zijn (total_tantiemes).",
	}},
	Code(commands.CodeUnitOwned): {http.StatusConflict, text{
		"The unit has owners.", "Le lot a des propriétaires.", "De kavel heeft eigenaars.",
	}},
	Code(commands.CodeBuildingOwned): {http.StatusConflict, text{
		"Units of the building have owners.", "Des lots de l'immeuble ont des propriétaires.",
		"Kavels van het gebouw hebben eigenaars.",
	}},
	Code(commands.CodeBalanceOpen): {http.StatusConflict, text{
		"An owner's balance of this building is not settled.",
		"Le solde d'un propriétaire de cet immeuble n'est pas apuré.",
		"Het saldo van een eigenaar van dit gebouw is niet vereffend.",
	}},
	Code(commands.CodeUnitsRemain): {http.StatusConflict, text{
		"The building has {units} units; delete some first: at most {max} go with it.",
		"L'immeuble compte {units} lots ; supprimez-en d'abord : {max} au plus partent avec lui.",
		"Het gebouw telt {units} kavels; verwijder er eerst: hoogstens {max} gaan mee.",
	}},
	Code(commands.CodeOwnershipExceeded): {http.StatusConflict, text{
		"More than 100 % would be owned on {day}; {sum} is owned then.",
		"Plus de 100 % seraient détenus le {day} ; {sum} le sont alors.",
		"Meer dan 100 % zou in bezit zijn op {day}; dan is dat {sum}.",
	}},
	Code(commands.CodeOwnershipInsufficient): {http.StatusConflict, text{
		"The owner holds only {fraction}.", "Le propriétaire ne détient que {fraction}.",
		"De eigenaar bezit slechts {fraction}.",
	}},
	Code(commands.CodeAlreadyOwner): {http.StatusConflict, text{
		"This owner already holds this right in the unit.",
		"Ce propriétaire détient déjà ce droit sur le lot.",
		"Deze eigenaar bezit dit recht al op de kavel.",
	}},
	Code(commands.CodeOwnershipDates): {http.StatusConflict, text{
		"That day is not one of the ownership's (from {from} to {to}).",
		"Ce jour n'est pas de ceux de la propriété (du {from} au {to}).",
		"Die dag valt niet in de eigendom (van {from} tot {to}).",
	}},
	Code(commands.CodeFractionTooFine): {http.StatusConflict, text{
		"The fraction that remains has terms beyond 1,000,000.",
		"La fraction restante a des termes supérieurs à 1 000 000.",
		"De overblijvende breuk heeft termen boven 1.000.000.",
	}},
	Code(commands.CodePrimaryRequired): {http.StatusConflict, text{
		"A unit with owners has one primary contact; name another one instead.",
		"Un lot qui a des propriétaires a une personne de contact ; désignez-en une autre.",
		"Een kavel met eigenaars heeft één contactpersoon; duid een andere aan.",
	}},
})
