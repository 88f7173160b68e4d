package events

import (
	"bytes"

	"github.com/google/uuid"
	"github.com/segmentio/encoding/json"
)

// unmarshal refuses nothing that an older binary may have written: unknown fields are ignored.
func unmarshal(data []byte, into any) error { return json.Unmarshal(data, into) }

// marshal writes JSON without HTML escapes, so that stored texts read as they were typed.
func marshal(value any) ([]byte, error) {
	return json.Append(nil, value, json.SortMapKeys)
}

func compareIDs(a, b uuid.UUID) int { return bytes.Compare(a[:], b[:]) }
