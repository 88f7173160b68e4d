package eventstore_test

import (
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/koprogo/koprogo/eventstore"
)

// planned is how the connection's statement "grown" is to be run, with what PostgreSQL expects.
func planned(t *testing.T, conn *pgxpool.Conn) string {
	t.Helper()
	rows, err := conn.Query(t.Context(), "explain execute grown (1)", pgx.QueryExecModeSimpleProtocol)
	require.NoError(t, err)
	lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(t, err)
	return strings.Join(lines, "\n")
}

func TestStatementsArePlannedAnewWhenTablesHaveGrown(t *testing.T) {
	t.Parallel()
	pool := open(t).Pool(eventstore.RoleProjector)
	acquire := func() *pgxpool.Conn {
		conn, err := pool.Acquire(t.Context())
		require.NoError(t, err)
		return conn
	}
	conn := acquire()
	exec := func(sql string) {
		_, err := conn.Exec(t.Context(), sql)
		require.NoError(t, err)
	}
	exec("create temporary table grown (id bigint primary key)")
	exec("prepare grown (bigint) as select * from grown where id > $1")
	early := planned(t, conn)
	exec("insert into grown select generate_series(1, 100000)")
	require.Equal(t, early, planned(t, conn), "PostgreSQL by itself keeps the plan")
	conn.Release()

	require.Eventually(t, func() bool {
		conn = acquire()
		defer conn.Release()
		return planned(t, conn) != early
	}, 5*time.Second, 50*time.Millisecond)
}
