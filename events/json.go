package events

import (
	"bytes"
	"sync"

	"github.com/google/uuid"
	"github.com/segmentio/encoding/json"
)

// unmarshal refuses nothing that an older binary may have written: unknown fields are ignored.
func unmarshal(data []byte, into any) error { return json.Unmarshal(data, into) }

// marshal writes JSON without HTML escapes, so that stored texts read as they were typed.
func marshal(value any) ([]byte, error) {
	scratch, _ := scratches.Get().(*[]byte)
	defer scratches.Put(scratch)
	text, err := json.Append((*scratch)[:0], value, json.SortMapKeys)
	if cap(text) <= maxScratch {
		*scratch = text[:0]
	}
	return bytes.Clone(text), err
}

// scratches are written to before a text's length is known, which then takes memory once.
var scratches = sync.Pool{New: func() any {
	scratch := make([]byte, 0, 1024)
	return &scratch
}}

// maxScratch bounds what a scratch keeps.
const maxScratch = 64 << 10

func compareIDs(a, b uuid.UUID) int { return bytes.Compare(a[:], b[:]) }
