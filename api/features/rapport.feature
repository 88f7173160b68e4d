# language: fr
Fonctionnalité: Le rapport des charges par compte
  Le plan comptable normalisé (PCN) dit ce que l'immeuble a coûté, par catégorie ou par compte.

  Contexte:
    Étant donné l'organisation "Syndic du Canal"
    Et Anne, syndic de "Syndic du Canal"
    Et Cécile, syndic de "Syndic du Canal"
    Et Basile, comptable de "Syndic du Canal"
    Et qu'Anne a enregistré l'immeuble "Les Érables"
    Et qu'Anne a enregistré les lots de l'immeuble "Les Érables" :
      | lot | quotités | propriétaires |
      | A   | 1000     | Alice 1/1     |
    Et que Basile a soumis et qu'Anne a approuvé la facture "Contrat d'ascenseur" de l'immeuble "Les Érables" :
      | catégorie        | entretien |
      | compte           | 61011     |
      | montant hors TVA | 800,00    |
      | taux de TVA      | 21        |
    Et que Basile a soumis et qu'Anne a approuvé la facture "Porte de garage" de l'immeuble "Les Érables" :
      | catégorie        | entretien |
      | montant hors TVA | 100,00    |
      | taux de TVA      | 21        |
    Et que Basile a soumis et qu'Anne a approuvé la facture "Façade" de l'immeuble "Les Érables" :
      | catégorie        | travaux |
      | montant hors TVA | 1000,00 |
      | taux de TVA      | 6       |

  Scénario: par catégorie, huit codes
    Alors le rapport de l'immeuble "Les Érables" par catégorie est, pour Basile :
      | code | libellé   | montant | écritures |
      | 610  | Travaux   | 1060,00 | 1         |
      | 611  | Entretien | 1089,00 | 2         |

  Scénario: par compte, celui de chaque charge ou celui de sa catégorie
    Alors le rapport de l'immeuble "Les Érables" par compte est, pour Basile :
      | code  | libellé                          | montant | écritures |
      | 61011 | Ascenseurs - contrat d'entretien | 968,00  | 1         |
      | 6109  | Entretien - divers               | 121,00  | 1         |
      | 6111  | Rénovation et transformation     | 1060,00 | 1         |

  Scénario: une note de crédit compte en moins, ce qui n'est pas approuvé ne compte pas
    Étant donné que Basile a soumis et qu'Anne a approuvé la facture "Façade, remise" de l'immeuble "Les Érables" :
      | genre            | note de crédit |
      | catégorie        | travaux        |
      | montant hors TVA | 200,00         |
      | taux de TVA      | 6              |
    Quand Basile encode la facture "Toit" de l'immeuble "Les Érables" :
      | catégorie        | travaux |
      | montant hors TVA | 5000,00 |
    Et Basile soumet la facture "Toit"
    Et Anne rejette la facture "Toit" : "Pas notre toit"
    Alors le rapport de l'immeuble "Les Érables" par catégorie est, pour Basile :
      | code | libellé   | montant | écritures |
      | 610  | Travaux   | 848,00  | 2         |
      | 611  | Entretien | 1089,00 | 2         |

  Scénario: le rapport se refait tel qu'il était
    Étant donné qu'on note la date "clôture"
    Et que 3 jours passent
    Et que Basile a soumis et qu'Anne a approuvé la facture "Assurance" de l'immeuble "Les Érables" :
      | catégorie        | assurance |
      | montant hors TVA | 500,00    |
      | taux de TVA      | 0         |
    Alors à la date "clôture", le rapport de l'immeuble "Les Érables" par catégorie était, pour Basile :
      | code | libellé   | montant | écritures |
      | 610  | Travaux   | 1060,00 | 1         |
      | 611  | Entretien | 1089,00 | 2         |
    Et le rapport de l'immeuble "Les Érables" par catégorie est, pour Basile :
      | code | libellé    | montant | écritures |
      | 610  | Travaux    | 1060,00 | 1         |
      | 611  | Entretien  | 1089,00 | 2         |
      | 613  | Assurances | 500,00  | 1         |

  Scénario: le rapport de tous n'est pas pour un propriétaire, ni pour une autre organisation
    Étant donné Alice, propriétaire de "Syndic du Canal"
    Quand Alice demande le rapport de l'immeuble "Les Érables"
    Alors la demande est refusée : "Votre rôle ne le permet pas."
    Étant donné l'organisation "Concurrence"
    Et Rémi, syndic de "Concurrence"
    Quand Rémi demande le rapport de l'immeuble "Les Érables"
    Alors la demande est refusée : "Immeuble introuvable"
