package eventstore

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// VerifyOptions says what Verify checks.
type VerifyOptions struct {
	// Pool runs under a role that sees every organization, such as the writer's. One connection
	// is used at a time.
	Pool *pgxpool.Pool
	// Organizations are checked, and those that Against names; all when nil.
	Organizations []uuid.UUID
	// VerifierKey names the key that an organization's checkpoints are signed with, "" for none
	// (Notary.VerifierKey, or keys that somebody kept). Signatures are not checked without it.
	VerifierKey func(ctx context.Context, organization uuid.UUID) (string, error)
	// Against are notes of checkpoints that somebody kept outside the database. A log that was
	// written anew together with its head and its stored checkpoints is found out by them only.
	Against []string
	// Progress is called now and then with how many positions of a log are checked.
	Progress func(organization uuid.UUID, done, total int64)
}

// Report says whether logs are as they were recorded.
type Report struct {
	Whole         bool                 `json:"whole"`
	Organizations []OrganizationReport `json:"organizations"`
}

// OrganizationReport is about one organization's log.
type OrganizationReport struct {
	ID          uuid.UUID `json:"id"`
	Size        int64     `json:"size"`        // positions that the log should have
	Root        []byte    `json:"root"`        // of the tree over the rows as they are
	Checkpoints int       `json:"checkpoints"` // how many the log was compared with
	VerifierKey string    `json:"verifier_key,omitempty"`
	Findings    []Finding `json:"findings"`
	LeftOut     int       `json:"left_out,omitempty"` // findings past the first thousand
}

// Finding names what is not as it was recorded, at one position or somewhere from Position to To.
type Finding struct {
	Position int64  `json:"position"`
	To       int64  `json:"to"`
	What     string `json:"what"`
}

// String is a sentence without the organization.
func (f Finding) String() string {
	if f.To == f.Position {
		return fmt.Sprintf("position %d: %s", f.Position, f.What)
	}
	return fmt.Sprintf("positions %d to %d: %s", f.Position, f.To, f.What)
}

// Verify reads whole logs and checks that positions have no gap, versions none in their stream and
// recorded_at never falls, that each row has the leaf hash that its columns give, and that the
// leaves give the head's tree and every checkpoint's root. An error means that it could not check;
// what it found wrong is in the report.
func Verify(ctx context.Context, options VerifyOptions) (Report, error) {
	kept, err := readKept(options.Against)
	if err != nil {
		return Report{}, err
	}
	organizations := slices.Clone(options.Organizations)
	if options.Organizations == nil {
		if organizations, err = allOrganizations(ctx, options.Pool); err != nil {
			return Report{}, fmt.Errorf("list the logs: %w", err)
		}
	}
	for _, checkpoint := range kept {
		organizations = append(organizations, checkpoint.Organization)
	}
	slices.SortFunc(organizations, compareIDs)
	organizations = slices.Compact(organizations)
	report := Report{Whole: true}
	for _, id := range organizations {
		one, err := verifyOne(ctx, options, id, kept, organizations)
		if err != nil {
			return Report{}, fmt.Errorf("verify the log of %s: %w", id, err)
		}
		report.Organizations = append(report.Organizations, one)
		report.Whole = report.Whole && len(one.Findings) == 0
	}
	return report, nil
}

// verifyOne verifies a log with the key of its checkpoints. The key is asked for before the log is
// read, so that two connections are never held at once; where the first checkpoint was signed in
// between, the log is read again with the key that there is now.
func verifyOne(
	ctx context.Context, options VerifyOptions, id uuid.UUID, kept []Checkpoint,
	others []uuid.UUID,
) (OrganizationReport, error) {
	key, err := options.verifierKey(ctx, id, others)
	if err != nil {
		return OrganizationReport{}, err
	}
	report, err := verifyLog(ctx, options, id, kept, key)
	if err != nil || !slices.ContainsFunc(report.Findings, Finding.missesKey) {
		return report, err
	}
	if key, err = options.verifierKey(ctx, id, others); err != nil || key == "" {
		return report, err
	}
	return verifyLog(ctx, options, id, kept, key)
}

func (f Finding) missesKey() bool { return f.What == whatKeyMissing }

func readKept(notes []string) ([]Checkpoint, error) {
	kept := make([]Checkpoint, 0, len(notes))
	for _, text := range notes {
		checkpoint, err := ReadNote(text)
		if err != nil {
			return nil, err
		}
		kept = append(kept, checkpoint)
	}
	return kept, nil
}

const (
	namedOrganizationsSQL = `select organization_id from log.logs
union select organization_id from log.checkpoints
union select organization_id from log.keys where purpose = 'checkpoint'`
	nextOrganizationSQL = `select organization_id from log.events
 where organization_id >= $1 order by organization_id limit 1`
)

// allOrganizations finds every log that has or had a head, a checkpoint, a signing key, a row or a
// place in the platform's list: somebody who took a log away may have left one of them.
func allOrganizations(ctx context.Context, pool *pgxpool.Pool) ([]uuid.UUID, error) {
	rows, err := pool.Query(ctx, namedOrganizationsSQL)
	if err != nil {
		return nil, err
	}
	found, err := pgx.CollectRows(rows, pgx.RowTo[uuid.UUID])
	if err != nil {
		return nil, err
	}
	listed, err := listedOrganizations(ctx, pool)
	if err != nil {
		return nil, err
	}
	found = append(found, listed...)
	for next, more := uuid.Nil, true; more; {
		var id uuid.UUID
		err := pool.QueryRow(ctx, nextOrganizationSQL, next).Scan(&id)
		if errors.Is(err, pgx.ErrNoRows) {
			break
		}
		if err != nil {
			return nil, err
		}
		found = append(found, id)
		next, more = successor(id)
	}
	return found, nil
}

// successor is the next greater id; ok is false for the greatest.
func successor(id uuid.UUID) (next uuid.UUID, ok bool) {
	for i := len(id) - 1; i >= 0; i-- {
		id[i]++
		if id[i] != 0 {
			return id, true
		}
	}
	return id, false
}

const (
	checkpointsSQL = `select size, root_hash, note from log.checkpoints
 where organization_id = $1 order by size`
	lastAnswerSQL = `select coalesce(max(position), 0) from log.idempotency
 where organization_id = $1`
)

func verifyLog(
	ctx context.Context, options VerifyOptions, id uuid.UUID, kept []Checkpoint,
	verifierKey string,
) (OrganizationReport, error) {
	// One snapshot: the log may grow meanwhile.
	tx, err := options.Pool.BeginTx(ctx, pgx.TxOptions{
		IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly,
	})
	if err != nil {
		return OrganizationReport{}, err
	}
	defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }()
	check, err := openCheck(ctx, tx, id)
	if err != nil {
		return OrganizationReport{}, err
	}
	check.report.VerifierKey = verifierKey
	if err := checkStored(ctx, tx, check, options.VerifierKey != nil); err != nil {
		return OrganizationReport{}, err
	}
	for _, checkpoint := range kept {
		if checkpoint.Organization == id {
			check.keptCheckpoint(checkpoint)
		}
	}
	check.begin()
	progress := func() {
		if options.Progress != nil {
			options.Progress(id, check.next-1, check.size)
		}
	}
	if err := scanLinks(ctx, tx, id, check.row, progress); err != nil {
		return OrganizationReport{}, err
	}
	check.end()
	var answered int64
	if err := tx.QueryRow(ctx, lastAnswerSQL, id).Scan(&answered); err != nil {
		return OrganizationReport{}, err
	}
	check.covered(answered, whatAnswered)
	if err := check.lost(ctx, tx); err != nil {
		return OrganizationReport{}, err
	}
	return check.finish(), nil
}

func openCheck(ctx context.Context, tx pgx.Tx, id uuid.UUID) (*checker, error) {
	heads, err := readHeads(ctx, tx,
		`select `+headColumns+` from log.logs where organization_id = $1`, id)
	if err != nil {
		return nil, err
	}
	check := newChecker(id)
	if len(heads) == 1 {
		check.expectHead(heads[0])
	}
	return check, nil
}

// checkStored takes the stored checkpoints as witnesses.
func checkStored(ctx context.Context, tx pgx.Tx, check *checker, signed bool) error {
	rows, err := tx.Query(ctx, checkpointsSQL, check.report.ID)
	if err != nil {
		return err
	}
	stored, err := pgx.CollectRows(rows, scanCheckpoint)
	if err != nil {
		return err
	}
	if signed && len(stored) > 0 && check.report.VerifierKey == "" {
		check.add(stored[0].Size, stored[len(stored)-1].Size, whatKeyMissing)
	}
	for _, checkpoint := range stored {
		check.storedCheckpoint(checkpoint)
	}
	return nil
}
