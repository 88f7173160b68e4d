package queries

import (
	"context"

	"github.com/google/uuid"

	"github.com/koprogo/koprogo/eventstore"
)

// CheckpointAt signs which tree the organization's log had at a position, for what is taken away
// and shows that position: whoever holds the log can tell that it is the same.
func (r *Reader) CheckpointAt(
	ctx context.Context, organization uuid.UUID, position int64,
) (eventstore.Checkpoint, error) {
	head, err := r.trees.HeadAt(ctx, organization, position)
	if err != nil {
		return eventstore.Checkpoint{}, err
	}
	return r.keyring.Notary().Sign(ctx, head)
}
