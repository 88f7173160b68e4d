package eventstore_test

import (
	"context"
	"crypto/sha256"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/koprogo/koprogo/events"
	"github.com/koprogo/koprogo/eventstore"
	"github.com/koprogo/koprogo/migrations/migrationstest"
)

func BenchmarkLeaf(b *testing.B) {
	r := recordedOf(uuid.UUID{1}, uuid.UUID{2})
	r.Data = make([]byte, 400)
	b.ReportAllocs()
	for b.Loop() {
		eventstore.Leaf(r)
	}
}

// BenchmarkSealing is one event with two personal fields under a key in memory, and its encoding.
func BenchmarkSealing(b *testing.B) {
	store := open(b)
	organization, subject := newcomer(b, store)
	stream, id := buildingStream(newID(b)), newID(b)
	for name, text := range map[string]string{"none": "", "two": "Anne Peeters"} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				fresh, err := store.Keyring().NewKeys(organization, nil)
				require.NoError(b, err)
				_, err = events.Encode(events.AccountProfileCorrected{
					AccountID: subject, FirstName: events.PersonalText(text),
					LastName: events.PersonalText(text),
				}, fresh.Sealer(b.Context(), id, stream))
				require.NoError(b, err)
			}
		})
	}
}

// BenchmarkVerify compares Verify with a scan of the same rows that hashes their bytes.
func BenchmarkVerify(b *testing.B) {
	clone := migrationstest.Database(b)
	store := openOn(b, clone.URL)
	organization := newID(b)
	renames := make([]events.Event, 10_000)
	for i := range renames {
		renames[i] = registered("Érables")
	}
	const rows = 200_000
	for range rows / len(renames) {
		mustAppend(b, store, appendTo(organization, buildingStream(newID(b)), 0, renames...))
	}
	pool := store.Pool(eventstore.RoleJobs)
	_, err := superuser(b, clone).Exec(b.Context(), `vacuum analyze log.events`)
	require.NoError(b, err)
	b.Run("scan and SHA-256", func(b *testing.B) {
		for b.Loop() {
			scanAndHash(b, pool.Query, organization)
		}
	})
	b.Run("verify", func(b *testing.B) {
		for b.Loop() {
			report, err := eventstore.Verify(b.Context(), eventstore.VerifyOptions{Pool: pool})
			require.NoError(b, err)
			require.True(b, report.Whole)
			require.EqualValues(b, rows, report.Organizations[0].Size)
		}
	})
}

type query = func(ctx context.Context, sql string, args ...any) (pgx.Rows, error)

func scanAndHash(b *testing.B, ask query, organization uuid.UUID) {
	b.Helper()
	sql := `select ` + eventstore.Columns + ` from log.events
		where organization_id = $1 and position > $2 order by position limit 5000`
	for after, more := int64(0), true; more; {
		rows, err := ask(b.Context(), sql, organization, after)
		require.NoError(b, err)
		more = false
		for rows.Next() {
			more = true
			after++
			hash := sha256.New()
			for _, value := range rows.RawValues() {
				hash.Write(value)
			}
			hash.Sum(nil)
		}
		require.NoError(b, rows.Err())
	}
}
