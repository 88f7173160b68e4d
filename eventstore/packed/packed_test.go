package packed_test

import (
	"encoding/binary"
	"iter"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/koprogo/koprogo/eventstore/packed"
)

// A map holds what Go's own does after any changes, in order, and so does each copy that was made
// on the way.
func TestMap(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		key := rapid.OneOf(
			rapid.StringN(0, 3, -1),
			rapid.Custom(func(t *rapid.T) string {
				return string(binary.BigEndian.AppendUint16(nil, rapid.Uint16Max(200).Draw(t, "n")))
			}),
		)
		text := rapid.Custom(func(t *rapid.T) string {
			return strings.Repeat("x", rapid.SampledFrom([]int{0, 1, 90, 200, 2000}).Draw(t, "long"))
		})
		type state struct {
			held packed.Map
			want map[string]string
		}
		now := state{want: map[string]string{}}
		var copies []state
		for range rapid.IntRange(0, 300).Draw(t, "changes") {
			k := key.Draw(t, "key")
			switch rapid.IntRange(0, 9).Draw(t, "what") {
			case 0:
				copies = append(copies, now)
				now = state{now.held.Copy(), maps.Clone(now.want)}
			case 1, 2, 3:
				now.held.Delete(k)
				delete(now.want, k)
			default:
				now.want[k] = text.Draw(t, "text")
				now.held.Set(k, now.want[k])
			}
		}
		from := key.Draw(t, "from")
		for _, s := range append(copies, now) {
			holds(t, &s.held, s.want, from)
		}
	})
}

// holds checks everything that can be asked of a map.
func holds(t *rapid.T, held *packed.Map, want map[string]string, from string) {
	t.Helper()
	require.Equal(t, len(want), held.Len())
	keys := slices.Sorted(maps.Keys(want))
	var behind, before []string
	for n, key := range keys {
		text, known := held.Get(key)
		require.True(t, known, "%q", key)
		require.Equal(t, want[key], text)
		at, known := held.At(n)
		require.True(t, known)
		require.Equal(t, key, at)
		if key >= from {
			behind = append(behind, key)
		}
		if key <= from {
			before = append(before, key)
		}
	}
	_, known := held.Get(from)
	require.Equal(t, slices.Contains(keys, from), known)
	for _, n := range []int{-1, len(keys)} {
		_, known := held.At(n)
		require.False(t, known)
	}
	require.Equal(t, keys, keysOf(t, held.All(), want))
	require.Equal(t, behind, keysOf(t, held.From(from), want))
	slices.Reverse(keys)
	slices.Reverse(before)
	require.Equal(t, keys, keysOf(t, held.Back(), want))
	require.Equal(t, before, keysOf(t, held.BackFrom(from), want))
}

// keysOf are the keys of a walk, whose texts are checked. The walk is broken off at each place too.
func keysOf(t *rapid.T, walk iter.Seq2[string, string], want map[string]string) (keys []string) {
	t.Helper()
	for key, text := range walk {
		require.Equal(t, want[key], text)
		keys = append(keys, key)
	}
	for stop := range keys {
		n := 0
		for key := range walk {
			require.Equal(t, keys[n], key)
			if n++; n > stop {
				break
			}
		}
		require.Equal(t, stop+1, n)
	}
	return keys
}

// Keys that come in order fill their pages; those that come in any order, two thirds of them.
func TestPagesAreFull(t *testing.T) {
	t.Parallel()
	const lots, room = 10_000, 1 << 10
	var ordered, scattered packed.Map
	text := strings.Repeat("x", 62)
	for range lots {
		id := uuid.Must(uuid.NewV7())
		ordered.Set(string(id[:]), text)
		id = uuid.New()
		scattered.Set(string(id[:]), text)
	}
	const bytes = lots * (2 + 16 + 62)
	require.Less(t, ordered.Pages(), bytes/room*108/100)
	require.Less(t, scattered.Pages(), bytes/room*100/60)
}

func BenchmarkMap(b *testing.B) {
	const size = 6_000
	ids := make([]string, size)
	var held packed.Map
	text := strings.Repeat("x", 62)
	for n := range ids {
		id := uuid.Must(uuid.NewV7())
		ids[n] = string(id[:])
		held.Set(ids[n], text)
	}
	b.Run("get", func(b *testing.B) {
		for n := 0; b.Loop(); n++ {
			held.Get(ids[n%size])
		}
	})
	b.Run("copy and set", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			id := uuid.Must(uuid.NewV7())
			held = held.Copy()
			held.Set(string(id[:]), text)
		}
	})
	b.Run("all", func(b *testing.B) {
		for b.Loop() {
			for range held.All() {
				continue
			}
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*held.Len()), "ns/key")
	})
}
