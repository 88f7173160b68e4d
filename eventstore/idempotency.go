package eventstore

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// Repeated looks up an idempotency key that was used within IdempotencyLife: its receipt is the one
// that an append under the key would get. It returns ErrKeyReused when the key belongs to another
// request.
func (s *Store) Repeated(
	ctx context.Context, organization uuid.UUID, asked Idempotency,
) (receipt Receipt, known bool, err error) {
	var request []byte
	receipt = Receipt{Organization: organization, Replayed: true}
	oldest := micros(s.clock().Add(-IdempotencyLife))
	err = s.pools[RoleJobs].QueryRow(ctx, knownSQL, organization, asked.Actor, asked.Key, oldest).
		Scan(&request, &receipt.Status, &receipt.Resource, &receipt.Position)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return Receipt{}, false, nil
	case err != nil:
		return Receipt{}, false, fmt.Errorf("look up an idempotency key: %w", unavailable(err))
	case !bytes.Equal(request, asked.Request):
		return Receipt{}, false, ErrKeyReused
	}
	return receipt, true, nil
}
