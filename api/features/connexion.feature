# language: fr
Fonctionnalité: Se connecter
  Chacun entre avec son adresse et son mot de passe, et n'apprend rien des comptes des autres.

  Contexte:
    Étant donné l'organisation "Syndic du Canal"
    Et Anne, syndic de "Syndic du Canal"

  Scénario: le syndic se connecte et se reconnaît
    Quand Anne se connecte
    Alors Anne est connectée comme syndic de "Syndic du Canal"

  Scénario: un mot de passe faux et une adresse inconnue reçoivent la même réponse
    Quand Anne se connecte avec un mot de passe faux
    Alors la demande est refusée : "L'adresse e-mail ou le mot de passe est incorrect."
    Quand un inconnu essaie de se connecter
    Alors la demande est refusée : "L'adresse e-mail ou le mot de passe est incorrect."

  Scénario: une personne écartée ne lit plus rien, dès la requête suivante
    Étant donné Basile, comptable de "Syndic du Canal"
    Et que Basile est connecté
    Quand Anne écarte Basile
    Et Basile consulte les immeubles
    Alors la demande est refusée : "Connectez-vous : le jeton manque, est expiré ou n'est pas valide."
