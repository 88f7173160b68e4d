package eventstore_test

import (
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/koprogo/koprogo/eventstore"
	"github.com/koprogo/koprogo/eventstore/eventstoretest"
	"github.com/koprogo/koprogo/migrations/migrationstest"
)

// Behind a pooler no statement is there in the next transaction, and none may be named.
func TestBatchesFollowEachOtherWithoutNamedStatements(t *testing.T) {
	t.Parallel()
	address, err := url.Parse(migrationstest.Database(t).URL)
	require.NoError(t, err)
	query := address.Query()
	query.Set("default_query_exec_mode", "cache_describe")
	address.RawQuery = query.Encode()
	store := eventstoretest.Open(t, address.String(),
		func(config *eventstore.Config) { config.Ahead = 2 })
	organization := newID(t)
	const writers, appends = 16, 40
	done := make(chan error, writers)
	for range writers {
		stream := buildingStream(newID(t))
		go func() {
			var err error
			for version := int64(0); err == nil && version < appends; version++ {
				_, err = store.Append(t.Context(),
					appendTo(organization, stream, version, renamed("A")))
			}
			done <- err
		}()
	}
	for range writers {
		require.NoError(t, <-done)
	}
	require.Positive(t, store.Ahead())
	require.Len(t, requireSound(t, store, organization), writers*appends)
	var named int
	require.NoError(t, store.Pool(eventstore.RoleWriter).QueryRow(t.Context(),
		"select count(*) from pg_prepared_statements where name <> ''").Scan(&named))
	require.Zero(t, named)
}
