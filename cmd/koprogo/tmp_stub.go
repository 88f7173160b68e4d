package main

import "context"

type serveCommand struct{}
type workCommand struct{}
type rebuildCommand struct{}
type replayCommand struct{}
type seedCommand struct{}
type doctorCommand struct{}
type benchReplayCommand struct{}
type benchReadCommand struct{}

func (serveCommand) Run(context.Context) error { return nil }
func (workCommand) Run(context.Context) error { return nil }
func (rebuildCommand) Run(context.Context) error { return nil }
func (replayCommand) Run(context.Context) error { return nil }
func (seedCommand) Run(context.Context) error { return nil }
func (doctorCommand) Run(context.Context) error { return nil }
func (benchReplayCommand) Run(context.Context) error { return nil }
func (benchReadCommand) Run(context.Context) error { return nil }
