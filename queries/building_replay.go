package queries

import (
	"context"
	"time"

	"github.com/google/uuid"
)

// Replay is a building as it was when its organization's log reached Position. What belongs to a
// building stands beside it, each noun with the issue that brings it.
type Replay struct {
	Position int64
	At       time.Time // when Position was recorded
	Building Building
}

// BuildingReplay shows a building at a moment; errors as BuildingAt.
func (r *Reader) BuildingReplay(
	ctx context.Context, organization, id uuid.UUID, moment Moment,
) (Replay, error) {
	found, err := r.BuildingAt(ctx, organization, id, moment)
	if err != nil {
		return Replay{}, err
	}
	at, err := r.recordedAt(ctx, organization, found.Position)
	return Replay{Position: found.Position, At: at, Building: found.Item}, err
}
