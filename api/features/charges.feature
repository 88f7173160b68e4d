# language: fr
Fonctionnalité: Approuver les factures et les répartir
  Deux paires d'yeux, puis chaque centime va à quelqu'un, et le compte est juste.

  Contexte:
    Étant donné l'organisation "Syndic du Canal"
    Et Anne, syndic de "Syndic du Canal"
    Et Cécile, syndic de "Syndic du Canal"
    Et Basile, comptable de "Syndic du Canal"
    Et qu'Anne a enregistré l'immeuble "Les Érables"
    Et qu'Anne a enregistré les lots de l'immeuble "Les Érables" :
      | lot | quotités | propriétaires                 |
      | A   | 412      | Alice 1/1                     |
      | B   | 355      | Nadia 1/3, Denis 1/3, Eva 1/3 |
      | C   | 233      |                               |

  Scénario: une facture se répartit au centime près
    Étant donné que Basile a soumis et qu'Anne a approuvé la facture "Nettoyage" de l'immeuble "Les Érables" :
      | montant hors TVA | 1000,01 |
      | taux de TVA      | 0       |
    Alors la facture "Nettoyage" se répartit ainsi pour Anne :
      | lot | propriétaire | montant |
      | A   | Alice        | 412,01  |
      | B   | Nadia        | 118,34  |
      | B   | Denis        | 118,33  |
      | B   | Eva          | 118,33  |
      | C   |              | 233,00  |

  Scénario: la part d'un lot en indivision se partage entre ses propriétaires, sans perdre un centime
    Étant donné que Basile a soumis et qu'Anne a approuvé la facture "Serrure de B" de l'immeuble "Les Érables" :
      | montant hors TVA | 100,00 |
      | taux de TVA      | 0      |
      | lot privé        | B      |
    Alors la facture "Serrure de B" se répartit ainsi pour Anne :
      | lot | propriétaire | montant |
      | B   | Nadia        | 33,34   |
      | B   | Denis        | 33,33   |
      | B   | Eva          | 33,33   |
    Et Anne lit que Nadia doit 33,34 €
    Et Anne lit qu'Alice doit 0,00 €

  Scénario: la TVA imprimée sur la facture fait foi
    Quand Basile encode la facture "Ascenseur" de l'immeuble "Les Érables" :
      | montant hors TVA | 333,33 |
      | taux de TVA      | 21     |
      | TVA imprimée     | 70,01  |
    Alors la facture "Ascenseur" s'élève à 403,34 € pour Basile

  Scénario: une TVA qui ne peut pas être la bonne est refusée
    Quand Basile encode la facture "Ascenseur" de l'immeuble "Les Érables" :
      | montant hors TVA | 333,33 |
      | taux de TVA      | 21     |
      | TVA imprimée     | 70,02  |
    Alors la demande est refusée : "vat_amount: La TVA imprimée s'écarte de son taux de plus de 0,01 par ligne, ou le total n'est pas net + TVA : 70,00 était attendu, à 0,01 près."

  Scénario: le comptable encode et soumet, il n'approuve pas
    Quand Basile encode la facture "Nettoyage" de l'immeuble "Les Érables" :
      | montant hors TVA | 500,00 |
    Et Basile soumet la facture "Nettoyage"
    Alors la facture "Nettoyage" est à approuver pour Anne
    Quand Basile approuve la facture "Nettoyage"
    Alors la demande est refusée : "Votre rôle ne le permet pas."
    Quand Anne approuve la facture "Nettoyage"
    Alors la facture "Nettoyage" est approuvée pour Basile

  Scénario: quatre yeux : qui a soumis n'approuve pas
    Quand Anne encode la facture "Nettoyage" de l'immeuble "Les Érables" :
      | montant hors TVA | 500,00 |
    Et Anne soumet la facture "Nettoyage"
    Et Anne approuve la facture "Nettoyage"
    Alors la demande est refusée : "Qui a soumis une facture ne l'approuve ni ne la rejette (principe des quatre yeux)."
    Quand Cécile approuve la facture "Nettoyage"
    Alors la facture "Nettoyage" est approuvée pour Anne

  Scénario: une facture rejetée se corrige et se soumet à nouveau
    Quand Basile encode la facture "Nettoyage" de l'immeuble "Les Érables" :
      | montant hors TVA | 500,00 |
      | taux de TVA      | 0      |
    Et Basile soumet la facture "Nettoyage"
    Et Anne rejette la facture "Nettoyage" : "Facturé deux fois"
    Alors la facture "Nettoyage" est rejetée pour Basile
    Et l'historique de l'immeuble "Les Érables" dit à Anne : "Charge rejetée : Facturé deux fois"
    Quand Basile corrige la facture "Nettoyage" :
      | montant hors TVA | 250,00 |
    Et Basile soumet la facture "Nettoyage"
    Et Anne approuve la facture "Nettoyage"
    Alors la facture "Nettoyage" est approuvée pour Basile
    Et la facture "Nettoyage" s'élève à 250,00 € pour Basile

  Scénario: ce qui est approuvé ne se modifie plus
    Étant donné que Basile a soumis et qu'Anne a approuvé la facture "Nettoyage" de l'immeuble "Les Érables" :
      | montant hors TVA | 500,00 |
    Quand Basile corrige la facture "Nettoyage" :
      | montant hors TVA | 5,00 |
    Alors la demande est refusée : "La charge est soumise ou approuvée : elle ne se modifie plus."

  Scénario: une note de crédit rend à chacun ce qu'il devait
    Étant donné que Basile a soumis et qu'Anne a approuvé la facture "Chauffage" de l'immeuble "Les Érables" :
      | montant hors TVA | 1000,00 |
      | taux de TVA      | 0       |
    Et que Basile a soumis et qu'Anne a approuvé la facture "Chauffage, trop facturé" de l'immeuble "Les Érables" :
      | genre            | note de crédit |
      | montant hors TVA | 250,00         |
      | taux de TVA      | 0              |
    Alors la facture "Chauffage, trop facturé" se répartit ainsi pour Anne :
      | lot | propriétaire | montant |
      | A   | Alice        | -103,00 |
      | B   | Nadia        | -29,59  |
      | B   | Denis        | -29,58  |
      | B   | Eva          | -29,58  |
      | C   |              | -58,25  |
    Et Anne lit qu'Alice doit 309,00 €

  Scénario: un frais privé ne regarde qu'un lot
    Étant donné que Basile a soumis et qu'Anne a approuvé la facture "Vitre de A" de l'immeuble "Les Érables" :
      | montant hors TVA | 35,00 |
      | taux de TVA      | 0     |
      | lot privé        | A     |
    Alors la facture "Vitre de A" se répartit ainsi pour Anne :
      | lot | propriétaire | montant |
      | A   | Alice        | 35,00   |

  Scénario: la clé du jour de la facture répartit
    Étant donné qu'Anne a créé la clé "Ascenseur" de l'immeuble "Les Érables" dès le 2026-01-01 :
      | B | 600 |
      | C | 400 |
    Et qu'Anne a changé la clé "Ascenseur" dès le 2026-06-01 :
      | A | 1 |
      | C | 1 |
    Et que Basile a soumis et qu'Anne a approuvé la facture "Entretien de mai" de l'immeuble "Les Érables" :
      | date             | 2026-05-31 |
      | montant hors TVA | 90,00      |
      | taux de TVA      | 0          |
      | clé              | Ascenseur  |
    Et que Basile a soumis et qu'Anne a approuvé la facture "Entretien de juin" de l'immeuble "Les Érables" :
      | date             | 2026-06-01 |
      | montant hors TVA | 90,00      |
      | taux de TVA      | 0          |
      | clé              | Ascenseur  |
    Alors la facture "Entretien de mai" se répartit ainsi pour Anne :
      | lot | propriétaire | montant |
      | B   | Nadia        | 18,00   |
      | B   | Denis        | 18,00   |
      | B   | Eva          | 18,00   |
      | C   |              | 36,00   |
    Et la facture "Entretien de juin" se répartit ainsi pour Anne :
      | lot | propriétaire | montant |
      | A   | Alice        | 45,00   |
      | C   |              | 45,00   |

  Scénario: tant qu'il manque des quotités, rien n'est approuvé
    Étant donné qu'Anne a enregistré l'immeuble "Chantier"
    Et qu'Anne a enregistré les lots de l'immeuble "Chantier" :
      | lot | quotités | propriétaires |
      | 1   | 999      | Alice 1/1     |
    Quand Basile encode la facture "Grue" de l'immeuble "Chantier" :
      | montant hors TVA | 500,00 |
    Et Basile soumet la facture "Grue"
    Et Anne approuve la facture "Grue"
    Alors la demande est refusée : "La somme des quotités est 999 ; la base de la clé de répartition est 1000."

  Scénario: la répartition est celle du jour de la facture, même après une vente
    Quand Anne note qu'Alice vend 1/1 du lot "A" à Nadia le 2026-03-11
    Et que Basile a soumis et qu'Anne a approuvé la facture "Nettoyage" de l'immeuble "Les Érables" :
      | date             | 2026-03-10 |
      | montant hors TVA | 10,00      |
      | taux de TVA      | 0          |
      | lot privé        | A          |
    Alors la facture "Nettoyage" se répartit ainsi pour Anne :
      | lot | propriétaire | montant |
      | A   | Alice        | 10,00   |

  Scénario: le propriétaire ne voit que sa part de ce qui est approuvé
    Étant donné Alice, propriétaire de "Syndic du Canal"
    Et qu'Anne a lié le compte d'Alice à sa fiche de propriétaire
    Et que Basile a soumis et qu'Anne a approuvé la facture "Nettoyage" de l'immeuble "Les Érables" :
      | montant hors TVA | 1000,00 |
      | taux de TVA      | 0       |
    Et que Basile a soumis et qu'Anne a approuvé la facture "Vitre de C" de l'immeuble "Les Érables" :
      | montant hors TVA | 50,00 |
      | lot privé        | C     |
    Et que Basile encode la facture "Brouillon" de l'immeuble "Les Érables" :
      | montant hors TVA | 500,00 |
    Alors Alice voit les charges :
      | Nettoyage |
    Et la facture "Nettoyage" se répartit ainsi pour Alice :
      | lot | propriétaire | montant |
      | A   | Alice        | 412,00  |
    Et Alice lit qu'Alice doit 412,00 €
    Et Alice ne trouve pas la facture "Vitre de C"
