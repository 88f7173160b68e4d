package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"

	"github.com/google/uuid"

	"github.com/koprogo/koprogo/eventstore"
)

// verifyCommand proves that the logs are as they were recorded.
type verifyCommand struct {
	where
	File         string   `type:"existingfile" help:"Check an exported log instead, offline."`
	VerifierKey  string   `help:"With --file: the key that you trust to have signed it."`
	Organization []string `help:"Only these; 'platform' for the platform's."`
	Against      []string `type:"existingfile" help:"Signed checkpoints that you kept yourself."`
	JSON         bool     `name:"json" help:"The report as JSON."`
}

// Run answers 0 when everything is whole, 1 when not, naming organization and position, and 2 when
// it could not check.
func (c *verifyCommand) Run(ctx context.Context, out io.Writer) error {
	report, err := c.report(ctx)
	if err != nil {
		return err
	}
	if c.JSON {
		err = json.NewEncoder(out).Encode(report)
	} else {
		err = printReport(out, report)
	}
	if err == nil && !report.Whole {
		return errNo
	}
	return err
}

func (c *verifyCommand) report(ctx context.Context) (eventstore.Report, error) {
	var kept []string
	for _, path := range c.Against {
		note, err := os.ReadFile(path)
		if err != nil {
			return eventstore.Report{}, fmt.Errorf("read a kept checkpoint: %w", err)
		}
		kept = append(kept, string(note))
	}
	if c.File != "" {
		file, err := os.Open(c.File)
		if err != nil {
			return eventstore.Report{}, fmt.Errorf("open the exported log: %w", err)
		}
		defer file.Close()
		return eventstore.VerifyFile(file, eventstore.FileOptions{
			VerifierKey: c.VerifierKey, Against: kept,
		})
	}
	organizations, err := parseIDs(c.Organization)
	if err != nil {
		return eventstore.Report{}, err
	}
	store, done, err := c.openStore(ctx, c.logger(os.Stderr))
	if err != nil {
		return eventstore.Report{}, err
	}
	defer done()
	bar := newBar(c.JSON, "verifying")
	defer bar.end()
	report, err := eventstore.Verify(ctx, eventstore.VerifyOptions{
		Pool: store.Pool(eventstore.RoleJobs), Organizations: organizations, Against: kept,
		VerifierKey: store.Keyring().Notary().VerifierKey,
		Progress:    func(_ uuid.UUID, done, total int64) { bar.set(done, total) },
	})
	if err != nil || len(organizations) == 0 {
		return report, err
	}
	for _, o := range report.Organizations {
		if o.Size == 0 && len(o.Findings) == 0 {
			return report, fmt.Errorf("there is no log of organization %s", o.ID)
		}
	}
	return report, nil
}

func printReport(out io.Writer, report eventstore.Report) error {
	for _, o := range report.Organizations {
		name := o.ID.String()
		if o.ID == eventstore.Platform {
			name = "platform"
		}
		state := "whole"
		if len(o.Findings) > 0 {
			state = "NOT WHOLE"
		}
		fmt.Fprintf(out, "%-36s  %9d events  root %x  %s\n", name, o.Size, o.Root, state)
		for _, finding := range o.Findings {
			fmt.Fprintf(out, "    %s\n", finding)
		}
	}
	verdict := "Every log is as it was recorded."
	if !report.Whole {
		verdict = "Somebody touched what was recorded."
	}
	_, err := fmt.Fprintln(out, verdict)
	return err
}

func parseIDs(texts []string) ([]uuid.UUID, error) {
	var ids []uuid.UUID
	for _, text := range texts {
		id, err := uuid.Parse(text)
		if err != nil && text != "platform" {
			return nil, fmt.Errorf("--organization must be an id or 'platform', not %q", text)
		}
		ids = append(ids, id)
	}
	return ids, nil
}
