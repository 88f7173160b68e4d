package eventstore

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/koprogo/koprogo/events"
)

// HolderOf finds who claims a personal name of a kind, given in its normal form; the zero stream
// when nobody does. Only the claim's keyed hash is looked for.
func (s *Store) HolderOf(
	ctx context.Context, organization uuid.UUID, kind, normal string,
) (events.Stream, error) {
	mac, err := s.keyring.ClaimHMAC(ctx, organization, kind, normal)
	if err != nil {
		return events.Stream{}, fmt.Errorf("find who claims a %s: %w", kind, err)
	}
	var holder string
	err = s.Pool(RoleJobs).QueryRow(ctx, holderSQL, organization, kind+":"+mac).Scan(&holder)
	if errors.Is(err, pgx.ErrNoRows) {
		return events.Stream{}, nil
	}
	if err != nil {
		return events.Stream{}, fmt.Errorf("find who claims a %s: %w", kind, unavailable(err))
	}
	return events.ParseStream(holder)
}

const holdersSQL = `select distinct holder from log.claims
 where organization_id = $1 and kind = $2 and name like $3 order by holder`

// Holders lists the streams that hold numbered claims of a kind, in their order: how the log finds
// all of a kind without a read model.
func (s *Store) Holders(
	ctx context.Context, organization uuid.UUID, kind string,
) ([]events.Stream, error) {
	rows, err := s.Pool(RoleJobs).Query(ctx, holdersSQL, organization, kind, kind+"/%")
	if err != nil {
		return nil, fmt.Errorf("list who claims a %s: %w", kind, unavailable(err))
	}
	holders, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (events.Stream, error) {
		var holder string
		if err := row.Scan(&holder); err != nil {
			return events.Stream{}, err
		}
		return events.ParseStream(holder)
	})
	if err != nil {
		return nil, fmt.Errorf("list who claims a %s: %w", kind, unavailable(err))
	}
	return holders, nil
}
