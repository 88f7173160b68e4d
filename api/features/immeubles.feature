# language: fr
Fonctionnalité: Tenir la liste des immeubles
  Le syndic enregistre les immeubles qu'il gère, corrige ce qui change et retire ceux qu'il quitte.

  Contexte:
    Étant donné l'organisation "Syndic du Canal"
    Et Anne, syndic de "Syndic du Canal"

  Scénario: enregistrer un immeuble
    Quand Anne enregistre l'immeuble "Résidence du Canal" :
      | adresse               | Quai au Foin 7 |
      | ville                 | Bruxelles      |
      | nombre de lots        | 8              |
      | année de construction | 1911           |
    Alors l'immeuble "Résidence du Canal" est ainsi pour Anne :
      | adresse               | Quai au Foin 7 |
      | ville                 | Bruxelles      |
      | nombre de lots        | 8              |
      | quotités              | 1000           |
      | année de construction | 1911           |

  Scénario: un immeuble sans lots est refusé, et le champ est nommé
    Quand Anne enregistre l'immeuble "Terrain vague" :
      | nombre de lots | 0 |
    Alors la demande est refusée à cause du champ "nombre de lots"
    Et Anne ne voit aucun immeuble

  Scénario: modifier un immeuble ne touche que ce qui est dit
    Étant donné qu'Anne a enregistré l'immeuble "Résidence du Canal"
    Quand Anne modifie l'immeuble "Résidence du Canal" :
      | nombre de lots | 9 |
    Alors l'immeuble "Résidence du Canal" est ainsi pour Anne :
      | nombre de lots | 9         |
      | ville          | Bruxelles |
      | quotités       | 1000      |

  Scénario: deux collègues modifient le même immeuble, le second l'apprend
    Étant donné Cécile, syndic de "Syndic du Canal"
    Et qu'Anne a enregistré l'immeuble "Résidence du Canal"
    Et qu'Anne et Cécile ont l'immeuble "Résidence du Canal" sous les yeux
    Quand Anne modifie ce qu'elle a sous les yeux :
      | nombre de lots | 9 |
    Et Cécile modifie ce qu'elle a sous les yeux :
      | nombre de lots | 10 |
    Alors la demande est refusée : "Elle a changé depuis votre lecture (If-Match)."
    Et l'immeuble "Résidence du Canal" est ainsi pour Cécile :
      | nombre de lots | 9 |

  Scénario: retirer un immeuble
    Étant donné qu'Anne a enregistré l'immeuble "Résidence du Canal"
    Et qu'Anne a enregistré l'immeuble "Villa Bel-Air"
    Quand Anne retire l'immeuble "Résidence du Canal"
    Alors Anne voit les immeubles :
      | Villa Bel-Air |
    Et Anne ne trouve pas l'immeuble "Résidence du Canal"

  Plan du Scénario: le plan limite le nombre d'immeubles
    Étant donné l'organisation "Petit Syndic" au plan <plan>
    Et Paul, syndic de "Petit Syndic"
    Et que Paul a enregistré <places> immeubles
    Quand Paul enregistre l'immeuble "Un de trop"
    Alors la demande est refusée : "Le plan de l'organisation n'a plus de places."
    Quand Paul retire l'un de ses immeubles
    Et Paul enregistre l'immeuble "À sa place"
    Alors la demande est acceptée

    Exemples:
      | plan    | places |
      | free    | 1      |
      | starter | 5      |
