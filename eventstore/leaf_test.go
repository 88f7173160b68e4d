package eventstore_test

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"os"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/koprogo/koprogo/events"
	"github.com/koprogo/koprogo/eventstore"
)

// vector is a row of testdata/leaf.json, its columns written as docs/log-format.md shows them.
type vector struct {
	Organization uuid.UUID   `json:"organization_id"`
	Position     int64       `json:"position"`
	Building     *uuid.UUID  `json:"building_id"`
	Subjects     []uuid.UUID `json:"subjects"`
	Stream       string      `json:"stream"`
	Version      int64       `json:"version"`
	ID           uuid.UUID   `json:"id"`
	Type         string      `json:"type"`
	Schema       int         `json:"schema"`
	Data         string      `json:"data"`
	Metadata     string      `json:"metadata"`
	RecordedAt   time.Time   `json:"recorded_at"`
	EffectiveAt  *time.Time  `json:"effective_at"`
	Header       string      `json:"header"`
	LeafHash     string      `json:"leaf_hash"`
}

// independentLeaf reads docs/log-format.md and nothing else.
func independentLeaf(v vector) (header, leaf string) {
	var h []byte
	field := func(value []byte) {
		h = append(binary.BigEndian.AppendUint32(h, uint32(len(value))), value...)
	}
	number := func(n int64) { field(binary.BigEndian.AppendUint64(nil, uint64(n))) }
	null := func() { h = append(h, 0xff, 0xff, 0xff, 0xff) }
	field(v.Organization[:])
	number(v.Position)
	if v.Building != nil {
		field(v.Building[:])
	} else {
		null()
	}
	if v.Subjects != nil {
		var all []byte
		for _, subject := range v.Subjects {
			all = append(all, subject[:]...)
		}
		field(all)
	} else {
		null()
	}
	field([]byte(v.Stream))
	number(v.Version)
	field(v.ID[:])
	field([]byte(v.Type))
	field(binary.BigEndian.AppendUint32(nil, uint32(v.Schema)))
	number(v.RecordedAt.UnixNano() / 1000)
	if v.EffectiveAt != nil {
		number(v.EffectiveAt.UnixNano() / 1000)
	} else {
		null()
	}
	data, metadata := sha256.Sum256([]byte(v.Data)), sha256.Sum256([]byte(v.Metadata))
	hash := sha256.New()
	for _, part := range [][]byte{{0x00}, h, data[:], metadata[:]} {
		hash.Write(part)
	}
	return hex.EncodeToString(h), hex.EncodeToString(hash.Sum(nil))
}

func (v vector) recorded(t *testing.T) *eventstore.Recorded {
	t.Helper()
	stream, err := events.ParseStream(v.Stream)
	require.NoError(t, err)
	r := &eventstore.Recorded{
		Organization: v.Organization, Position: v.Position, Subjects: v.Subjects,
		Stream: stream, Version: v.Version, ID: v.ID, Type: v.Type, Schema: v.Schema,
		Data: []byte(v.Data), Metadata: []byte(v.Metadata), RecordedAt: v.RecordedAt,
	}
	if v.Building != nil {
		r.Building = *v.Building
	}
	if v.EffectiveAt != nil {
		r.EffectiveAt = *v.EffectiveAt
	}
	return r
}

func TestLeaf(t *testing.T) {
	t.Parallel()

	t.Run("the worked examples of docs/log-format.md hold, byte for byte", func(t *testing.T) {
		t.Parallel()
		text, err := os.ReadFile("testdata/leaf.json")
		require.NoError(t, err)
		document, err := os.ReadFile("../docs/log-format.md")
		require.NoError(t, err)
		var vectors []vector
		require.NoError(t, json.Unmarshal(text, &vectors))
		require.Len(t, vectors, 2)
		for _, v := range vectors {
			header, leaf := independentLeaf(v)
			require.Equal(t, v.Header, header)
			require.Equal(t, v.LeafHash, leaf)
			r := v.recorded(t)
			require.Equal(t, v.Header, hex.EncodeToString(eventstore.AppendHeader(nil, r)))
			hash := eventstore.Leaf(r)
			require.Equal(t, v.LeafHash, hex.EncodeToString(hash[:]))
			require.Contains(t, string(document), v.LeafHash)
		}
	})

	t.Run("the order in which subjects are named does not count", func(t *testing.T) {
		t.Parallel()
		r := recordedOf(uuid.UUID{3}, uuid.UUID{1}, uuid.UUID{2})
		sorted := recordedOf(uuid.UUID{1}, uuid.UUID{2}, uuid.UUID{3})
		require.Equal(t, eventstore.Leaf(sorted), eventstore.Leaf(r))
		require.Equal(t, uuid.UUID{3}, r.Subjects[0], "the caller's slice was sorted")
	})

	t.Run("null is told from empty", func(t *testing.T) {
		t.Parallel()
		empty := recordedOf()
		empty.Subjects = []uuid.UUID{}
		require.NotEqual(t, eventstore.Leaf(recordedOf()), eventstore.Leaf(empty))
	})
}

func TestALeafTakesNoMemory(t *testing.T) { //nolint:paralleltest // it counts allocations
	r := recordedOf(uuid.UUID{1}, uuid.UUID{2})
	require.Zero(t, testing.AllocsPerRun(100, func() { eventstore.Leaf(r) }))
}

func recordedOf(subjects ...uuid.UUID) *eventstore.Recorded {
	return &eventstore.Recorded{
		Organization: uuid.UUID{9}, Position: 1, Building: uuid.UUID{8}, Subjects: subjects,
		Stream: events.Stream{Category: "building", ID: uuid.UUID{8}}, Version: 1,
		ID: uuid.UUID{7}, Type: "building.registered", Schema: 1,
		Data: []byte(`{"a":1}`), Metadata: []byte(`{}`),
		RecordedAt:  time.UnixMicro(1_700_000_000_000_001).UTC(),
		EffectiveAt: time.UnixMicro(1_600_000_000_000_000).UTC(),
	}
}

func TestEveryColumnChangesTheLeaf(t *testing.T) {
	t.Parallel()
	changes := map[string]func(*rapid.T, *eventstore.Recorded){
		"organization": func(t *rapid.T, r *eventstore.Recorded) {
			r.Organization = flip(t, r.Organization)
		},
		"position":    func(t *rapid.T, r *eventstore.Recorded) { r.Position ^= bit(t, 63) },
		"building":    func(t *rapid.T, r *eventstore.Recorded) { r.Building = flip(t, r.Building) },
		"no building": func(_ *rapid.T, r *eventstore.Recorded) { r.Building = uuid.Nil },
		"subject": func(t *rapid.T, r *eventstore.Recorded) {
			r.Subjects[0] = flip(t, r.Subjects[0])
		},
		"subjects":    func(_ *rapid.T, r *eventstore.Recorded) { r.Subjects = r.Subjects[1:] },
		"no subjects": func(_ *rapid.T, r *eventstore.Recorded) { r.Subjects = nil },
		"category":    func(_ *rapid.T, r *eventstore.Recorded) { r.Stream.Category += "s" },
		"stream":      func(t *rapid.T, r *eventstore.Recorded) { r.Stream.ID = flip(t, r.Stream.ID) },
		"version":     func(t *rapid.T, r *eventstore.Recorded) { r.Version ^= bit(t, 63) },
		"id":          func(t *rapid.T, r *eventstore.Recorded) { r.ID = flip(t, r.ID) },
		"type":        func(_ *rapid.T, r *eventstore.Recorded) { r.Type = r.Type[1:] },
		"schema":      func(t *rapid.T, r *eventstore.Recorded) { r.Schema ^= int(bit(t, 31)) },
		"data":        func(_ *rapid.T, r *eventstore.Recorded) { r.Data = append(r.Data, ' ') },
		"metadata":    func(_ *rapid.T, r *eventstore.Recorded) { r.Metadata = append(r.Metadata, ' ') },
		"recorded_at": func(t *rapid.T, r *eventstore.Recorded) {
			r.RecordedAt = r.RecordedAt.Add(time.Duration(1+bit(t, 40)) * time.Microsecond)
		},
		"effective_at": func(t *rapid.T, r *eventstore.Recorded) {
			r.EffectiveAt = r.EffectiveAt.Add(time.Duration(1+bit(t, 40)) * time.Microsecond)
		},
		"no effective_at": func(_ *rapid.T, r *eventstore.Recorded) { r.EffectiveAt = time.Time{} },
		"type and id": func(_ *rapid.T, r *eventstore.Recorded) { // the border between two fields
			r.Type, r.Stream.Category = r.Type+"x", r.Stream.Category[1:]
		},
	}
	for name, change := range changes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rapid.Check(t, func(t *rapid.T) {
				r := recordedOf(uuid.UUID{1, 1}, uuid.UUID{2, 2})
				before := eventstore.Leaf(r)
				change(t, r)
				require.NotEqual(t, before, eventstore.Leaf(r))
			})
		})
	}
}

func bit(t *rapid.T, below int) int64 { return 1 << rapid.IntRange(0, below-1).Draw(t, "bit") }

func flip(t *rapid.T, id uuid.UUID) uuid.UUID {
	at := rapid.IntRange(0, 127).Draw(t, "bit of an id")
	id[at/8] ^= 1 << (at % 8)
	return id
}
