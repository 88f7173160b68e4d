package queries

import (
	"github.com/koprogo/koprogo/eventstore"
	"github.com/koprogo/koprogo/projections"
)

// Rows are rows of read models in memory.
type Rows = projections.Copy

// Fresh makes the rows of what one append began, for Span.Fresh.
func Fresh(recorded []eventstore.Recorded) (*Rows, error) { return projections.Fresh(recorded) }
