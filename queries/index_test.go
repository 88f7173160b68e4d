package queries_test

import (
	"context"
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/koprogo/koprogo/events"
	"github.com/koprogo/koprogo/eventstore"
	"github.com/koprogo/koprogo/projections"
	"github.com/koprogo/koprogo/queries"
)

// Another server moves the read model and its notices are lost: the index compares positions, and
// shows what was added, changed and removed.
func TestAnIndexFindsOutWhatItWasNotTold(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	deaf := queries.NewReader(w.Store, projections.NewFollower(projections.Config{Store: w.Store}))
	organization := newID()
	list := func() []string {
		deaf.Answered(organization, w.reader.Newest(organization))
		there := &world{reader: deaf}
		return there.named(t, queries.OwnerList{Span: queries.In(organization)})
	}
	changed := w.owner(t, organization, profile("Ann", "A"))
	removed := w.owner(t, organization, profile("Bob", "B"))
	w.owner(t, organization, profile("Cem", "C"))
	require.Equal(t, []string{"Ann A", "Bob B", "Cem C"}, list())
	w.append(t, organization, ownerStream(changed),
		events.OwnerProfileCorrected{OwnerID: changed, Profile: profile("Ann", "Z")})
	w.append(t, organization, ownerStream(removed), events.OwnerRemoved{})
	w.owner(t, organization, profile("Dee", "D"))
	require.Equal(t, []string{"Cem C", "Dee D", "Ann Z"}, list())
}

// Where nobody follows the log, a read looks at the rows as they are each time.
func TestAnIndexWithoutFollowerIsMadeForEachRead(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	organization := newID()
	id := w.owner(t, organization, profile("Ann", "A"))
	w.named(t, queries.OwnerList{Span: queries.In(organization)}) // it is projected
	alone := &world{reader: queries.NewReader(w.Store, nil)}
	all := queries.OwnerList{Span: queries.In(organization)}
	require.Equal(t, []string{"Ann A"}, alone.named(t, all))
	w.append(t, organization, ownerStream(id), events.OwnerRemoved{})
	require.Empty(t, w.named(t, all))
	require.Empty(t, alone.named(t, all))
}

func TestAMarkOfAnotherListIsRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, mark := range []string{
		"", "{}", `{"v":1,"i":"x"}`, `{"v":"QQ==","i":"x"}`,
		`{"v":"QQ==","i":"` + newID().String() + `","o":"x"}`,
	} {
		_, err := w.reader.Owners(t.Context(), queries.OwnerList{
			Span: queries.In(newID()), Page: queries.Page{Number: 1, Size: 1, After: []byte(mark)},
		})
		require.ErrorIs(t, err, queries.ErrBadMark, mark)
	}
}

// BenchmarkOwners measures the index of an organization with 40,000 owners: its first use, a page
// by number, by cursor, of a search, and the read after one owner changed.
func BenchmarkOwners(b *testing.B) {
	w := newWorld(b)
	const size = 40_000
	organization := newID()
	ids := w.manyOwners(b, organization, size)
	in := queries.In(organization)
	page := queries.Page{Number: 1, Size: 20, Sort: "last_name"}
	list := func(b *testing.B, q string, page queries.Page) queries.Listed[queries.Owner] {
		b.Helper()
		listed, err := w.reader.Owners(context.Background(),
			queries.OwnerList{Span: in, Q: q, Page: page})
		require.NoError(b, err)
		return listed
	}
	_, err := w.reader.OwnerByID(context.Background(), in, ids[size-1]) // all are projected
	require.NoError(b, err)
	w.exec(b, "analyze log.keys, read.owners") // as autovacuum does

	b.Run("first use", func(b *testing.B) {
		for b.Loop() {
			w.reader.ForgetPeople()
			require.EqualValues(b, size, list(b, "", page).Total)
		}
	})
	b.Run("memory", func(b *testing.B) {
		before, after := runtime.MemStats{}, runtime.MemStats{}
		for b.Loop() {
			w.reader.ForgetPeople()
			runtime.GC()
			runtime.ReadMemStats(&before)
			list(b, "", page)
			runtime.GC()
			runtime.ReadMemStats(&after)
		}
		b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/size, "B/owner")
	})
	b.Run("page 1", func(b *testing.B) {
		for b.Loop() {
			list(b, "", page)
		}
	})
	b.Run("a page that nobody asked for", func(b *testing.B) {
		for n := 0; b.Loop(); n++ {
			list(b, "", queries.Page{Number: 1 + n%500, Size: 20, Sort: "email"})
		}
	})
	b.Run("cursor", func(b *testing.B) {
		next := page
		for b.Loop() {
			next.After = list(b, "", next).Next
		}
	})
	b.Run("search", func(b *testing.B) {
		for b.Loop() {
			list(b, "name 39", page)
		}
	})
	b.Run("after a change", func(b *testing.B) {
		for n := 0; b.Loop(); n++ {
			b.StopTimer()
			id := ids[n%size]
			w.append(b, organization, ownerStream(id), events.OwnerProfileCorrected{
				OwnerID: id, Profile: profile("Y", fmt.Sprint("Name ", n)),
			})
			_, err := w.reader.OwnerByID(context.Background(), in, id) // it is projected
			require.NoError(b, err)
			b.StartTimer()
			list(b, "", page)
		}
	})
}

// manyOwners registers n owners in appends of 500.
func (w *world) manyOwners(t require.TestingT, organization uuid.UUID, n int) []uuid.UUID {
	ids := make([]uuid.UUID, n)
	for begin := 0; begin < n; begin += 500 {
		a := eventstore.Append{Organization: organization}
		for i := begin; i < min(n, begin+500); i++ {
			ids[i] = newID()
			a.Subjects = append(a.Subjects, ids[i])
			a.Streams = append(a.Streams, eventstore.StreamAppend{
				Stream: ownerStream(ids[i]),
				Events: []events.Event{events.OwnerRegistered{
					OwnerID: ids[i], Profile: profile(fmt.Sprint("First", i%977), fmt.Sprint("Name ", i)),
				}},
			})
			w.noteVersion(organization, ownerStream(ids[i]))
		}
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		receipt, err := w.Store.Append(ctx, a)
		cancel()
		require.NoError(t, err)
		w.reader.Answered(organization, receipt.Position)
	}
	return ids
}

func (w *world) noteVersion(organization uuid.UUID, stream events.Stream) {
	w.Appended(organization, stream, 1)
}
