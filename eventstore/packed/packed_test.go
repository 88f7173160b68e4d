package packed_test

import (
	"encoding/binary"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/koprogo/koprogo/eventstore/packed"
)

// A map holds what Go's own does after any changes, in order, and so does each that a change was
// made from.
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
		var before []state
		shared := rapid.Bool().Draw(t, "shared")
		for range rapid.IntRange(0, 300).Draw(t, "changes") {
			k := key.Draw(t, "key")
			if shared && rapid.IntRange(0, 9).Draw(t, "keep") == 0 {
				before = append(before, state{now.held, maps.Clone(now.want)})
			}
			if rapid.IntRange(0, 2).Draw(t, "what") == 0 {
				delete(now.want, k)
				if shared {
					now.held = now.held.Without(k)
				} else {
					now.held.Delete(k)
				}
				continue
			}
			now.want[k] = text.Draw(t, "text")
			if shared {
				now.held = now.held.With(k, now.want[k])
			} else {
				now.held.Set(k, now.want[k])
			}
		}
		from := key.Draw(t, "from")
		for _, s := range append(before, now) {
			holds(t, &s.held, s.want, from)
		}
	})
}

// Many make maps of their own from one at the same time; none sees what another put.
func TestMapsThatShare(t *testing.T) {
	t.Parallel()
	var held packed.Map
	for n := range 1_000 {
		held.Set(fmt.Sprint("all ", n), strings.Repeat("x", 60))
	}
	made := make([]packed.Map, 8)
	var group sync.WaitGroup
	for i := range made {
		group.Go(func() {
			mine := held
			for n := range 500 {
				mine = mine.With(fmt.Sprint("all ", n, " of ", i), "mine").Without(fmt.Sprint("all ", n))
			}
			made[i] = mine
		})
	}
	group.Wait()
	require.Equal(t, 1_000, held.Len())
	for key, text := range held.All() {
		require.NotContains(t, key, "of")
		require.Len(t, text, 60)
	}
	for i := range made {
		require.Equal(t, 1_000, made[i].Len())
		for key, text := range made[i].All() {
			_, of, whole := strings.Cut(key, " of ")
			require.Equal(t, whole, text == "mine", key)
			require.True(t, !whole || of == fmt.Sprint(i), key)
		}
	}
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
	b.Run("with", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			id := uuid.Must(uuid.NewV7())
			held = held.With(string(id[:]), text)
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
