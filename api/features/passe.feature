# language: fr
Fonctionnalité: Revoir le passé
  Ce qui fut enregistré reste : on revoit un immeuble tel qu'il était, et qui a fait quoi.

  Contexte:
    Étant donné l'organisation "Syndic du Canal"
    Et Anne, syndic de "Syndic du Canal"
    Et qu'Anne a enregistré l'immeuble "Résidence du Canal"

  Scénario: revoir un immeuble à une date
    Étant donné qu'on note la date "avant les travaux"
    Et que 40 jours passent
    Et qu'Anne modifie l'immeuble "Résidence du Canal" :
      | nombre de lots | 9 |
    Alors l'immeuble "Résidence du Canal" était ainsi pour Anne à la date "avant les travaux" :
      | nombre de lots | 8 |
    Et l'immeuble "Résidence du Canal" est ainsi pour Anne :
      | nombre de lots | 9 |

  Scénario: un immeuble retiré se revoit encore à sa date
    Étant donné qu'on note la date "sous gestion"
    Et que 3 jours passent
    Et qu'Anne retire l'immeuble "Résidence du Canal"
    Alors Anne ne trouve pas l'immeuble "Résidence du Canal"
    Et l'immeuble "Résidence du Canal" était ainsi pour Anne à la date "sous gestion" :
      | nombre de lots | 8 |

  Scénario: avant son enregistrement, un immeuble n'existait pas ; de demain, nul ne sait rien
    Quand Anne revoit l'immeuble "Résidence du Canal" il y a 30 jours
    Alors la demande est refusée : "Immeuble introuvable"
    Quand Anne revoit l'immeuble "Résidence du Canal" dans 30 jours
    Alors la demande est refusée : "Rien n'est encore enregistré à ce moment."

  Scénario: l'historique raconte en français ce qui s'est passé, et par qui
    Étant donné Cécile, syndic de "Syndic du Canal"
    Et que Cécile modifie l'immeuble "Résidence du Canal" :
      | nom | Résidence du Quai |
    Et qu'Anne modifie l'immeuble "Résidence du Canal" :
      | nombre de lots | 9 |
    Alors l'historique de l'immeuble "Résidence du Canal" raconte à Anne :
      | fait                   | par    |
      | Immeuble enregistré    | Anne   |
      | Immeuble renommé       | Cécile |
      | Acte de base modifié   | Anne   |
