package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/koprogo/koprogo/projections"
)

// rebuildCommand fills a read model anew from the log while the live one goes on serving.
type rebuildCommand struct {
	where
	Projection string `arg:"" help:"Its name, or 'all'."`
	JSON       bool   `name:"json" help:"The outcome as JSON."`
}

// Run rebuilds and says what was rebuilt.
func (c *rebuildCommand) Run(ctx context.Context, out io.Writer) error {
	chosen := projections.All
	if c.Projection != "all" {
		found, known := projections.Named(c.Projection)
		if !known {
			return fmt.Errorf("there is no projection %q; there are: %s", c.Projection,
				strings.Join(projections.Names(), ", "))
		}
		chosen = []projections.Projection{found}
	}
	store, done, err := c.openStore(ctx, c.logger(os.Stderr))
	if err != nil {
		return err
	}
	defer done()
	for _, projection := range chosen {
		bar := newBar(c.JSON, projection.Name)
		err := projections.Rebuild(ctx, store, projection, bar.set)
		bar.end()
		if err != nil {
			return err
		}
		said := "The read model %s was rebuilt.\n"
		if c.JSON {
			said = "{\"rebuilt\":%q}\n"
		}
		fmt.Fprintf(out, said, projection.Name)
	}
	return nil
}
