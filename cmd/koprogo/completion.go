package main

import kongcompletion "github.com/jotaen/kong-completion"

// completionCommand prints what makes a shell complete koprogo's commands and settings.
type completionCommand struct{ kongcompletion.Completion }
