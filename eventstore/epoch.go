package eventstore

import (
	"context"
	"fmt"
	"sync"

	"github.com/google/uuid"
)

// epochs notices a log that was restored or failed over.
type epochs struct {
	mu    sync.Mutex
	known map[uuid.UUID]int32
	risen func()
}

// see compares the heads' epochs with those seen before.
func (e *epochs) see(heads []Head) {
	rose := false
	e.mu.Lock()
	if e.known == nil {
		e.known = map[uuid.UUID]int32{}
	}
	for _, head := range heads {
		before, known := e.known[head.Organization]
		rose = rose || known && before != head.Epoch
		e.known[head.Organization] = head.Epoch
	}
	e.mu.Unlock()
	if rose && e.risen != nil {
		e.risen()
	}
}

const raiseEpochsSQL = `update log.logs set epoch = epoch + 1`

// RaiseEpochs tells every server that the database was restored or failed over: each forgets what
// it believes of the logs when it next looks at a head, within a second. It returns how many logs
// there are.
func (s *Store) RaiseEpochs(ctx context.Context) (int64, error) {
	raised, err := s.pools[RoleJobs].Exec(ctx, raiseEpochsSQL)
	if err != nil {
		return 0, fmt.Errorf("raise the epochs: %w", unavailable(err))
	}
	return raised.RowsAffected(), nil
}
