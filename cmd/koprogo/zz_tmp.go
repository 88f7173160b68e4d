package main

import "context"

type benchReplayCommand struct{}
type benchReadCommand struct{}

func (benchReplayCommand) Run(context.Context) error { return nil }
func (benchReadCommand) Run(context.Context) error { return nil }
