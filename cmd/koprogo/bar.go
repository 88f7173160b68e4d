package main

import (
	"os"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// bar shows progress on a terminal, and nothing elsewhere.
type bar struct{ shown *progressbar.ProgressBar }

func newBar(quiet bool, what string) bar {
	if quiet || !term.IsTerminal(int(os.Stderr.Fd())) {
		return bar{}
	}
	return bar{shown: progressbar.NewOptions64(1, progressbar.OptionSetDescription(what),
		progressbar.OptionSetWriter(os.Stderr), progressbar.OptionShowCount(),
		progressbar.OptionClearOnFinish())}
}

func (b bar) set(done, total int64) {
	if b.shown == nil {
		return
	}
	b.shown.ChangeMax64(max(total, 1))
	_ = b.shown.Set64(done) // a bar that cannot be drawn is no reason to stop
}

func (b bar) end() {
	if b.shown != nil {
		_ = b.shown.Finish()
	}
}
