# language: fr
Fonctionnalité: Tenir les lots et savoir à qui ils appartiennent
  Les quotités font le tout et jamais plus ; chaque part a ses dates, et rien de ce qui fut ne se perd.

  Contexte:
    Étant donné l'organisation "Syndic du Canal"
    Et Anne, syndic de "Syndic du Canal"
    Et qu'Anne a enregistré l'immeuble "Résidence du Canal"
    Et qu'Anne a enregistré les lots de l'immeuble "Résidence du Canal" :
      | lot | quotités | propriétaires          |
      | A11 | 412      | Pierre 1/1             |
      | A12 | 85       | Nadia 1/2, Georges 1/2 |
      | A21 | 403      | Greet 1/3              |

  Scénario: les quotités des lots ne dépassent jamais celles de l'immeuble
    Quand Anne enregistre le lot "A22" de 101 quotités dans l'immeuble "Résidence du Canal"
    Alors la demande est refusée : "La somme des quotités serait de 1001 sur 1000 (total_tantiemes)."
    Quand Anne enregistre le lot "A22" de 100 quotités dans l'immeuble "Résidence du Canal"
    Alors la demande est acceptée
    Quand Anne donne 85,0001 quotités au lot "A12"
    Alors la demande est refusée : "La somme des quotités serait de 1000,0001 sur 1000 (total_tantiemes)."

  Scénario: deux lots de l'immeuble ne portent pas le même numéro
    Quand Anne enregistre le lot "a12" de 10 quotités dans l'immeuble "Résidence du Canal"
    Alors la demande est refusée : "Un autre lot de l'immeuble porte ce numéro."

  Scénario: l'historique dit en français quelles quotités ont changé
    Quand Anne donne 90 quotités au lot "A12"
    Alors le lot "A12" a 90 quotités pour Anne
    Et l'historique de l'immeuble "Résidence du Canal" dit à Anne : "Lot A12 : 85/1000 → 90/1000"

  Scénario: une vente change le propriétaire et garde l'ancien dans l'histoire du lot
    Quand Anne note que Pierre vend 1/1 du lot "A11" à Sofie le 2026-03-01
    Alors le lot "A11" appartient, pour Anne, à :
      | Sofie | 1/1 |
    Et l'histoire du lot "A11" est, pour Anne :
      | propriétaire | part | du         | au         |
      | Pierre       | 1/1  | 2020-01-01 | 2026-02-28 |
      | Sofie        | 1/1  | 2026-03-01 |            |

  Scénario: vendre une part, c'est garder le reste
    Quand Anne note que Pierre vend 1/3 du lot "A11" à Sofie le 2026-03-01
    Alors le lot "A11" appartient, pour Anne, à :
      | Pierre | 2/3 |
      | Sofie  | 1/3 |
    Quand Anne note que Sofie vend 1/2 du lot "A11" à Nadia le 2026-04-01
    Alors la demande est refusée : "Le propriétaire ne détient que 1/3."

  Scénario: personne ne reçoit plus que ce qui reste du lot
    Quand Anne donne à Sofie 2/3 du lot "A21" en pleine propriété dès le 2026-01-01
    Alors la demande est acceptée
    Quand Anne donne à Pierre 1/1000000 du lot "A21" en pleine propriété dès le 2026-01-01
    Alors la demande est refusée : "Plus de 100 % seraient détenus le 2026-01-01 ; 100,00 % le sont alors."

  Scénario: l'usufruit et la nue-propriété se tiennent côte à côte
    Étant donné qu'Anne a enregistré les lots de l'immeuble "Résidence du Canal" :
      | lot | quotités | propriétaires |
      | A22 | 100      |               |
    Quand Anne donne à Nadia 1/1 du lot "A22" en usufruit dès le 2026-01-01
    Alors la demande est acceptée
    Quand Anne donne à Sofie 1/1 du lot "A22" en nue-propriété dès le 2026-01-01
    Alors la demande est acceptée
    Quand Anne donne à Pierre 1/2 du lot "A22" en pleine propriété dès le 2026-01-01
    Alors la demande est refusée : "Plus de 100 % seraient détenus le 2026-01-01 ; 100,00 % le sont alors."

  Scénario: on revoit à qui le lot appartenait avant que la vente fût notée
    Étant donné qu'on note la date "avant la vente"
    Et que 10 jours passent
    Et qu'Anne note que Pierre vend 1/1 du lot "A11" à Sofie le 2026-03-01
    Alors à la date "avant la vente", le lot "A11" appartenait, pour Anne, à :
      | Pierre | 1/1 |
    Et le lot "A11" appartient, pour Anne, à :
      | Sofie | 1/1 |

  Scénario: le propriétaire ne voit que ses lots et lui-même
    Étant donné Georges, propriétaire de "Syndic du Canal"
    Et qu'Anne a lié le compte de Georges à sa fiche de propriétaire
    Alors Georges voit les immeubles :
      | Résidence du Canal |
    Et Georges voit les lots :
      | A12 |
    Et Georges voit les propriétaires :
      | Georges |
    Et Georges ne trouve pas le lot "A11"
    Et Georges ne trouve pas la fiche de Nadia

  Scénario: un lot qui a des propriétaires reste, et l'immeuble avec lui
    Quand Anne retire le lot "A12"
    Alors la demande est refusée : "Le lot a des propriétaires."
    Quand Anne retire l'immeuble "Résidence du Canal"
    Alors la demande est refusée : "Des lots de l'immeuble ont des propriétaires."
