package main

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"github.com/koprogo/koprogo/commands"
	"github.com/koprogo/koprogo/commands/jobs"
	"github.com/koprogo/koprogo/eventstore"
	"github.com/koprogo/koprogo/projections"
)

// newJobs makes the product's jobs: what they do is handed in here.
func (p *product) newJobs() (*jobs.Jobs, error) {
	return jobs.New(jobs.Config{
		Pool: p.store.Pool(eventstore.RoleJobs), Logger: p.logger,
		FinishPending: p.app.FinishPending, SignCheckpoints: p.signCheckpoints,
		LetFallOverdue: p.letFallOverdue,
		Tasks:          map[string]jobs.Task{jobs.KindVerify: p.verify},
	})
}

// verification is what a verify job comes to.
type verification struct {
	Whole      bool                            `json:"whole"`
	Log        []eventstore.OrganizationReport `json:"log"`
	ReadModels []comparison                    `json:"read_models"`
}

type comparison struct {
	Projection  string   `json:"projection"`
	Position    int64    `json:"position"`
	Differences []string `json:"differences"` // table and id of rows that differ from the log
}

// verify rehashes an organization's log, compares tree and checkpoints, and folds the read models
// anew to compare them with the tables.
func (p *product) verify(
	ctx context.Context, asked jobs.Request, progress func(percent int),
) (any, error) {
	report, err := eventstore.Verify(ctx, eventstore.VerifyOptions{
		Pool: p.store.Pool(eventstore.RoleJobs), Organizations: []uuid.UUID{asked.Organization},
		VerifierKey: p.store.Keyring().Notary().VerifierKey,
		Progress: func(_ uuid.UUID, done, total int64) {
			progress(int(50 * done / max(total, 1)))
		},
	})
	if err != nil {
		return nil, fmt.Errorf("verify the log: %w", err)
	}
	found := verification{Whole: report.Whole, Log: report.Organizations}
	for i, projection := range projections.All {
		compared, err := projections.Compare(ctx, p.store, projection, asked.Organization, nil)
		if err != nil {
			return nil, err
		}
		said := comparison{
			Projection: compared.Projection, Position: compared.Position, Differences: []string{},
		}
		for _, difference := range compared.Differences {
			said.Differences = append(said.Differences, difference.Table+" "+difference.ID)
			found.Whole = false
		}
		found.ReadModels = append(found.ReadModels, said)
		progress(50 + 50*(i+1)/len(projections.All))
	}
	return found, nil
}

// letFallOverdue notes that charges are overdue which nobody paid by their due day.
func (p *product) letFallOverdue(ctx context.Context) error {
	now := p.store.Clock()
	candidates, err := p.reader.DueCharges(ctx, now)
	if err != nil {
		return err
	}
	due := make([]commands.Due, len(candidates))
	for i, candidate := range candidates {
		due[i] = commands.Due(candidate)
	}
	_, err = p.app.LetFallOverdue(ctx, due, now)
	return err
}

// signCheckpoints signs the head of every log that grew since it was last signed.
func (p *product) signCheckpoints(ctx context.Context) error {
	heads, err := p.store.Heads(ctx)
	if err != nil {
		return err
	}
	notary := p.store.Keyring().Notary()
	for _, head := range heads {
		if head.Position == 0 {
			continue
		}
		if _, err := notary.Sign(ctx, head); err != nil {
			return fmt.Errorf("sign the checkpoint of %s: %w", head.Organization, err)
		}
	}
	return nil
}
