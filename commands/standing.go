package commands

import (
	"github.com/google/uuid"

	"github.com/koprogo/koprogo/events"
)

// Seen is the version up to which this process knows the stream from its own memory, 0 when it
// keeps no copy. It moves with every command that this process decides on the stream, before the
// command is answered, so whoever remembers something of a stream sees that it changed here
// without asking the database.
func (a *App) Seen(organization uuid.UUID, stream events.Stream) int64 {
	kept, _ := a.warm.get(place{organization, stream})
	return kept.version
}
