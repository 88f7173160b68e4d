package eventstore_test

import (
	"context"
	"math"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/koprogo/koprogo/eventstore"
	"github.com/koprogo/koprogo/migrations/migrationstest"
)

// follow reads the organization's log by position, as far as it goes each time, until n events
// were seen.
func follow(
	ctx context.Context, s *eventstore.Store, organization uuid.UUID, n int,
) ([]eventstore.Recorded, error) {
	var seen []eventstore.Recorded
	for last := int64(0); len(seen) < n; {
		page, err := s.Read(ctx, organization, last, 50)
		if err != nil {
			return seen, err
		}
		if len(page) > 0 {
			seen, last = append(seen, page...), page[len(page)-1].Position
		}
	}
	return seen, nil
}

func TestFaultAReaderBesideWritersMissesNothing(t *testing.T) {
	t.Parallel()
	url := migrationstest.Database(t).URL
	servers := []*eventstore.Store{openOn(t, url), openOn(t, url)}
	organization := newID(t)
	const writers, each = 24, 60
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	type reading struct {
		seen []eventstore.Recorded
		err  error
	}
	readings := make(chan reading)
	for _, server := range servers {
		go func() {
			seen, err := follow(ctx, server, organization, writers*each)
			readings <- reading{seen, err}
		}()
	}
	answers := make(chan answer, writers*each)
	for w := range writers {
		stream := buildingStream(newID(t))
		go func() {
			for version := range int64(each) {
				receipt, err := servers[w%2].Append(ctx,
					appendTo(organization, stream, version, renamed("A")))
				answers <- answer{receipt, err}
			}
		}()
	}
	var receipts []eventstore.Receipt
	for range writers * each {
		got := <-answers
		require.NoError(t, got.err)
		receipts = append(receipts, got.receipt)
	}
	whole := requireSound(t, servers[0], organization, receipts...)
	for range servers {
		r := <-readings
		require.NoError(t, r.err)
		require.Equal(t, whole, r.seen, "what was read while it was written is what stands")
	}
}

func TestFaultTheBellRingsBeforeTheAnswer(t *testing.T) {
	t.Parallel()
	store := open(t)
	organization := newID(t)
	const writers, each = 16, 50
	behind := make(chan int64, writers*each)
	for range writers {
		stream := buildingStream(newID(t))
		go func() {
			for version := range int64(each) {
				receipt, err := store.Append(context.Background(),
					appendTo(organization, stream, version, renamed("A")))
				if err != nil {
					behind <- math.MaxInt64
					continue
				}
				behind <- receipt.Position - store.Bell().Position(organization)
			}
		}()
	}
	for range writers * each {
		n := <-behind
		require.NotEqual(t, int64(math.MaxInt64), n, "an append failed")
		require.LessOrEqual(t, n, int64(0), "an answer came before the bell")
	}
}
