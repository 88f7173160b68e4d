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
	receipt, known, err = s.lookUp(ctx, organization, asked)
	return receipt, known && receipt.Status != underWay, err
}

// Reservation is what is known of the key of a request that takes several appends.
type Reservation struct {
	Begun   bool    // the same request reserved it, and has not ended or was cut short
	Done    bool    // the same request has completed
	Receipt Receipt // Resource as it was reserved; when Done the answer, RecordedAt its end
}

// Reserved looks a key up. It returns ErrKeyReused when the key belongs to another request.
func (s *Store) Reserved(
	ctx context.Context, organization uuid.UUID, asked Idempotency,
) (Reservation, error) {
	receipt, known, err := s.lookUp(ctx, organization, asked)
	done := known && receipt.Status != underWay
	return Reservation{Begun: known && !done, Done: done, Receipt: receipt}, err
}

// Reserve keeps the key of a request that takes several appends, none of which carries the key,
// before the first of them, with the Resource that the repetition needs to go on. It returns what
// Reserved does where somebody else was faster.
func (s *Store) Reserve(
	ctx context.Context, organization uuid.UUID, asked Idempotency,
) (Reservation, error) {
	now := s.clock()
	tag, err := s.pools[RoleJobs].Exec(ctx, reserveSQL, organization, asked.Actor, asked.Key,
		asked.Request, underWay, asked.Resource, 0, micros(now), micros(now.Add(-IdempotencyLife)))
	if err != nil {
		return Reservation{}, fmt.Errorf("reserve an idempotency key: %w", unavailable(err))
	}
	if tag.RowsAffected() > 0 {
		return Reservation{Receipt: Receipt{Resource: asked.Resource}}, nil
	}
	return s.Reserved(ctx, organization, asked)
}

// Complete makes a reserved key answer with Status and Resource of asked, and with the position
// and the instant at which the request's appends ended. The first to complete it is remembered.
func (s *Store) Complete(
	ctx context.Context, organization uuid.UUID, asked Idempotency, at Receipt,
) error {
	_, err := s.pools[RoleJobs].Exec(ctx, completeSQL, organization, asked.Actor, asked.Key,
		asked.Request, asked.Status, asked.Resource, at.Position, micros(at.RecordedAt))
	if err != nil {
		return fmt.Errorf("complete an idempotency key: %w", unavailable(err))
	}
	return nil
}

// Release forgets a reserved key whose request was refused and left nothing behind.
func (s *Store) Release(ctx context.Context, organization uuid.UUID, asked Idempotency) error {
	_, err := s.pools[RoleJobs].Exec(ctx, releaseSQL, organization, asked.Actor, asked.Key,
		asked.Request, underWay)
	if err != nil {
		return fmt.Errorf("release an idempotency key: %w", unavailable(err))
	}
	return nil
}

// underWay is the status of a reserved key.
const underWay = 0

const (
	insertedKeySQL = `insert into log.idempotency as kept
       (organization_id, actor, key, request, status, resource, position, recorded_at)
values ($1, $2, $3, $4, $5, $6, $7, $8)
on conflict (organization_id, actor, key) do update
   set request = excluded.request, status = excluded.status, resource = excluded.resource,
       position = excluded.position, recorded_at = excluded.recorded_at `
	reserveSQL  = insertedKeySQL + `where kept.recorded_at <= $9`
	completeSQL = insertedKeySQL + `where kept.status = 0 and kept.request = excluded.request`
	releaseSQL  = `delete from log.idempotency
 where organization_id = $1 and actor = $2 and key = $3 and request = $4 and status = $5`
	lookUpSQL = `select request, status, resource, position, recorded_at from log.idempotency
 where organization_id = $1 and actor = $2 and key = $3 and recorded_at > $4`
)

// lookUp finds a key, also one that is reserved.
func (s *Store) lookUp(
	ctx context.Context, organization uuid.UUID, asked Idempotency,
) (receipt Receipt, known bool, err error) {
	var request []byte
	receipt = Receipt{Organization: organization, Replayed: true}
	oldest := micros(s.clock().Add(-IdempotencyLife))
	err = s.pools[RoleJobs].QueryRow(ctx, lookUpSQL, organization, asked.Actor, asked.Key, oldest).
		Scan(&request, &receipt.Status, &receipt.Resource, &receipt.Position, &receipt.RecordedAt)
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
