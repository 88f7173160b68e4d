package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/google/uuid"
)

// exportCommand writes an organization's log to a file that verifies on its own.
type exportCommand struct {
	where
	Organization string `required:"" help:"Whose log; 'platform' for the platform's."`
	Output       string `short:"o" default:"-" help:"File; - for standard output."`
}

// Run writes the log. The file is made whole or not at all.
func (c *exportCommand) Run(ctx context.Context, out io.Writer) error {
	organization, err := uuid.Parse(c.Organization)
	if c.Organization != "platform" && err != nil {
		return errors.New("--organization must be an id or 'platform'")
	}
	store, done, err := c.openStore(ctx, c.logger(os.Stderr))
	if err != nil {
		return err
	}
	defer done()
	notary := store.Keyring().Notary()
	write := func(w io.Writer) error {
		_, err := notary.Export(ctx, organization, store.Clock(), w)
		return err
	}
	if c.Output == "-" {
		return write(out)
	}
	return writeWhole(c.Output, write)
}

// writeWhole writes a file beside its place and moves it there when it is complete.
func writeWhole(path string, write func(io.Writer) error) error {
	file, err := os.Create(path + ".part")
	if err != nil {
		return fmt.Errorf("make the file: %w", err)
	}
	buffered := bufio.NewWriter(file)
	err = errors.Join(write(buffered), buffered.Flush(), file.Sync(), file.Close())
	if err != nil {
		return errors.Join(err, os.Remove(file.Name()))
	}
	return os.Rename(file.Name(), path)
}
