# language: fr
Fonctionnalité: Chacun voit ce qui le regarde
  L'organisation est une maison fermée ; dedans, l'auditeur lit son mandat et le propriétaire son lot.

  Contexte:
    Étant donné l'organisation "Syndic du Canal"
    Et Anne, syndic de "Syndic du Canal"
    Et qu'Anne a enregistré l'immeuble "Résidence du Canal"
    Et qu'Anne a enregistré l'immeuble "Villa Bel-Air"

  Scénario: sans mandat, l'auditeur lit toute l'organisation et n'y change rien
    Étant donné Octave, auditeur de "Syndic du Canal"
    Alors Octave voit les immeubles :
      | Résidence du Canal |
      | Villa Bel-Air      |
    Quand Octave modifie l'immeuble "Villa Bel-Air" :
      | nombre de lots | 99 |
    Alors la demande est refusée : "Votre rôle ne le permet pas."

  Scénario: avec un mandat, l'auditeur ne lit que les immeubles du mandat
    Étant donné Octave, auditeur de "Syndic du Canal"
    Quand Anne donne à Octave un mandat sur l'immeuble "Villa Bel-Air"
    Alors Octave voit les immeubles :
      | Villa Bel-Air |
    Et Octave ne trouve pas l'immeuble "Résidence du Canal"
    Et le journal que lit Octave ne parle que de l'immeuble "Villa Bel-Air"

  Scénario: le propriétaire sans lot ne voit aucun immeuble
    Étant donné Pauline, propriétaire de "Syndic du Canal"
    Alors Pauline ne voit aucun immeuble
    Et Pauline ne trouve pas l'immeuble "Résidence du Canal"

  Scénario: une autre organisation ne voit, ne change et ne retire rien
    Étant donné l'organisation "Concurrence"
    Et Rémi, syndic de "Concurrence"
    Alors Rémi ne voit aucun immeuble
    Et Rémi ne trouve pas l'immeuble "Résidence du Canal"
    Quand Rémi modifie l'immeuble "Résidence du Canal" :
      | nom | À moi |
    Alors la demande est refusée : "Immeuble introuvable"
    Quand Rémi retire l'immeuble "Résidence du Canal"
    Alors la demande est refusée : "Immeuble introuvable"
    Et Anne voit les immeubles :
      | Résidence du Canal |
      | Villa Bel-Air      |

  Scénario: une organisation suspendue se lit et ne change plus
    Quand l'organisation "Syndic du Canal" est suspendue
    Alors Anne voit les immeubles :
      | Résidence du Canal |
      | Villa Bel-Air      |
    Quand Anne retire l'immeuble "Villa Bel-Air"
    Alors la demande est refusée : "L'organisation est suspendue : elle peut être lue, pas modifiée."
