package eventstore

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/koprogo/koprogo/events"
)

// What somebody leaves behind who takes a whole log away, with its head, checkpoints and keys: the
// platform's log, which says that the organization was listed.

const whatLogMissing = "no log at all: the platform's log lists the organization"

// An organization is listed first and its own log begun right after; a process that ended between
// the two is made up for within seconds.
const (
	listedSQL = `select organization_id from log.events where organization_id = $1
 and stream = $2 and version = 1 and type = $3 and recorded_at < now() - interval '1 minute'`
	allListedSQL = `select stream from log.events where organization_id = $1
 and stream like $2 || '-%' and version = 1 and type = $3`
)

// listedType is the fact by which the platform lists an organization.
var listedType = events.OrganizationListed{}.EventType()

// listedOrganizations are those that the platform's log ever named.
func listedOrganizations(ctx context.Context, pool *pgxpool.Pool) ([]uuid.UUID, error) {
	rows, err := pool.Query(ctx, allListedSQL, Platform, events.OrganizationCategory, listedType)
	if err != nil {
		return nil, err
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return nil, err
	}
	var found []uuid.UUID
	for _, name := range names {
		stream, err := events.ParseStream(name)
		if err != nil {
			continue // whoever changed the row is found out by its leaf hash
		}
		found = append(found, stream.ID)
	}
	return found, nil
}

// lost adds the finding of a log that is not there and should be.
func (c *checker) lost(ctx context.Context, tx pgx.Tx) error {
	if c.head != nil || c.next > 1 || len(c.report.Findings) > 0 {
		return nil
	}
	var listed uuid.UUID
	stream := events.Stream{Category: events.OrganizationCategory, ID: c.report.ID}
	err := tx.QueryRow(ctx, listedSQL, Platform, stream.String(), listedType).Scan(&listed)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil
	}
	if err == nil {
		c.add(1, 1, whatLogMissing)
	}
	return err
}

// verifierKey is what the organization's checkpoints are checked with, "" for none. A key that does
// not open, though another log's does, is not the one that was made: there is none then. Where no
// key opens, the master key is another one, and nothing can be said.
func (o *VerifyOptions) verifierKey(
	ctx context.Context, id uuid.UUID, others []uuid.UUID,
) (string, error) {
	if o.VerifierKey == nil {
		return "", nil
	}
	key, err := o.VerifierKey(ctx, id)
	if !errors.Is(err, errWrapped) {
		return key, err
	}
	for _, other := range append(others[:len(others):len(others)], Platform) {
		if opened, failed := o.VerifierKey(ctx, other); failed == nil && opened != "" {
			return "", nil
		}
	}
	return "", fmt.Errorf("open the key of the checkpoints: %w", err)
}
