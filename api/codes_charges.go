package api

import (
	"net/http"

	"github.com/koprogo/koprogo/commands"
)

// Codes of charges.
var _ = explained(map[Code]codeEntry{
	Code(commands.CodeChargeLocked): {http.StatusConflict, text{
		"The expense is submitted or approved: it is not changed any more.",
		"La charge est soumise ou approuvée : elle ne se modifie plus.",
		"De kost is voorgelegd of goedgekeurd: ze wordt niet meer gewijzigd.",
	}},
	Code(commands.CodeChargeCancelled): {http.StatusConflict, text{
		"The expense was cancelled.", "La charge a été annulée.", "De kost werd geannuleerd.",
	}},
	Code(commands.CodeChargePaid): {http.StatusConflict, text{
		"The expense was paid.", "La charge a été payée.", "De kost werd betaald.",
	}},
	Code(commands.CodeNotPending): {http.StatusConflict, text{
		"The invoice does not wait for approval.", "La facture n'attend pas d'approbation.",
		"De factuur wacht niet op goedkeuring.",
	}},
	Code(commands.CodeNotApproved): {http.StatusConflict, text{
		"The expense is not approved.", "La charge n'est pas approuvée.",
		"De kost is niet goedgekeurd.",
	}},
	Code(commands.CodeNotPaid): {http.StatusConflict, text{
		"The expense is not paid.", "La charge n'est pas payée.", "De kost is niet betaald.",
	}},
	Code(commands.CodeNotCancelled): {http.StatusConflict, text{
		"The expense is not cancelled.", "La charge n'est pas annulée.",
		"De kost is niet geannuleerd.",
	}},
	Code(commands.CodeFourEyes): {http.StatusConflict, text{
		"Whoever submitted an invoice neither approves nor rejects it (four eyes).",
		"Qui a soumis une facture ne l'approuve ni ne la rejette (principe des quatre yeux).",
		"Wie een factuur voorlegde, keurt ze niet goed of af (vierogenprincipe).",
	}},
	Code(commands.CodeKeyNotValid): {http.StatusConflict, text{
		"The distribution key has no version on {day}.",
		"La clé de répartition n'a pas de version au {day}.",
		"De verdeelsleutel heeft geen versie op {day}.",
	}},
	Code(commands.CodeAccountUnknown): {http.StatusBadRequest, text{
		"The chart of accounts has no such account.",
		"Le plan comptable n'a pas ce compte.", "Het rekeningstelsel kent deze rekening niet.",
	}},
	Code(commands.CodeAccountNotPosting): {http.StatusBadRequest, text{
		"This is a heading of the chart of accounts; name an account below it.",
		"C'est une rubrique du plan comptable ; indiquez un compte en dessous.",
		"Dit is een rubriek van het rekeningstelsel; geef een rekening eronder op.",
	}},
})
