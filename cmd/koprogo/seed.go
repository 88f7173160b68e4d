package main

import (
	"context"
	"fmt"
	"io"
	"os"

	"github.com/koprogo/koprogo/commands"
)

// seedCommand fills in the demo organizations. What stands already is left as it is.
type seedCommand struct{ where }

// Run seeds and says how to sign in.
func (c *seedCommand) Run(ctx context.Context, out io.Writer) error {
	store, done, err := c.openStore(ctx, c.logger(os.Stderr))
	if err != nil {
		return err
	}
	defer done()
	credentials, err := store.Credentials()
	if err != nil {
		return err
	}
	if err := seedDemo(ctx, commands.New(store), credentials); err != nil {
		return err
	}
	_, err = fmt.Fprintln(out, "The demo organizations stand: syndic@grandplace.be / syndic123.")
	return err
}
