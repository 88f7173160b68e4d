# language: fr
Fonctionnalité: Le journal fait foi
  Tout est écrit dans un journal que personne ne réécrit sans que cela se voie.

  Contexte:
    Étant donné l'organisation "Syndic du Canal"
    Et Anne, syndic de "Syndic du Canal"
    Et qu'Anne a enregistré l'immeuble "Résidence du Canal"
    Et Octave, auditeur de "Syndic du Canal"

  Scénario: l'auditeur fait vérifier le journal, et il est intact
    Quand Octave demande la vérification du journal
    Alors la demande est prise en charge
    Et la vérification du journal de "Syndic du Canal" ne trouve rien

  Scénario: une ligne changée en cachette dans la base se voit, à sa place
    Étant donné qu'Octave garde l'attestation signée du journal
    Quand quelqu'un change en cachette l'enregistrement de l'immeuble "Résidence du Canal"
    Alors la vérification du journal de "Syndic du Canal" montre cet enregistrement

  Scénario: ce qui est refusé n'est pas écrit
    Étant donné qu'on note la longueur du journal de "Syndic du Canal"
    Quand Octave enregistre l'immeuble "Chez l'auditeur"
    Alors la demande est refusée : "Votre rôle ne le permet pas."
    Quand Anne enregistre l'immeuble "Terrain vague" :
      | nombre de lots | 0 |
    Alors la demande est refusée à cause du champ "nombre de lots"
    Et le journal de "Syndic du Canal" n'a pas grandi
