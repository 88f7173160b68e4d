// Package commands holds the rules: states folded from streams, commands that decide which facts
// happened, and what they refuse. It imports events and eventstore, and reads no read model.
//
// Start reading in handle.go (how a command is decided and appended), then building.go (the first
// noun). Requests that take two logs (an organization's founding, an account's roles) stand in
// found.go and membership.go, and finish.go repeats the half that a crash left out.
package commands
