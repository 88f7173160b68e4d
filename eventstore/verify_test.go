package eventstore_test

import (
	"context"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/koprogo/koprogo/events"
	"github.com/koprogo/koprogo/eventstore"
	"github.com/koprogo/koprogo/migrations/migrationstest"
)

// tampered is one organization's log of logSize events, with checkpoints at 10 and logSize-5, and
// a superuser who may do as he likes.
type tampered struct {
	store        *eventstore.Store
	super        *pgx.Conn
	organization uuid.UUID
	clone        migrationstest.Clone
	kept         []string // notes that somebody kept outside
}

const logSize = 37

// superuser connects past every guard.
func superuser(t testing.TB, clone migrationstest.Clone) *pgx.Conn {
	t.Helper()
	super, err := pgx.Connect(t.Context(), clone.SuperuserURL)
	require.NoError(t, err)
	t.Cleanup(func() { _ = super.Close(context.Background()) })
	_, err = super.Exec(t.Context(), `alter table log.events disable trigger all,
		drop constraint if exists events_position_check,
		drop constraint if exists events_subjects_check`)
	require.NoError(t, err)
	return super
}

// fill appends logSize events over three streams.
func (l *tampered) fill(t testing.TB) {
	t.Helper()
	streams := []events.Stream{
		buildingStream(newID(t)), buildingStream(newID(t)), buildingStream(newID(t)),
	}
	versions := make([]int64, len(streams))
	for i := range logSize {
		at := i % len(streams)
		event := registered("Érables")
		if versions[at] > 0 {
			event = events.BuildingRenamed{Name: "Tilleuls " + newID(t).String()}
		}
		mustAppend(t, l.store, appendTo(l.organization, streams[at], versions[at], event))
		versions[at]++
		if i+1 == 10 || i+1 == logSize-5 {
			l.kept = append(l.kept, l.sign(t).Note)
		}
	}
}

func (l *tampered) sign(t testing.TB) eventstore.Checkpoint {
	t.Helper()
	head, err := l.store.Head(t.Context(), l.organization)
	require.NoError(t, err)
	checkpoint, err := l.store.Keyring().Notary().Sign(t.Context(), head)
	require.NoError(t, err)
	return checkpoint
}

func (l *tampered) exec(t testing.TB, sql string, args ...any) {
	t.Helper()
	tag, err := l.super.Exec(t.Context(), sql, append([]any{l.organization}, args...)...)
	require.NoError(t, err)
	require.NotZero(t, tag.RowsAffected(), "nothing was tampered with")
}

// rewrite changes a row and gives it the leaf hash that fits.
func (l *tampered) rewrite(t testing.TB, position int64) {
	t.Helper()
	row := l.super.QueryRow(t.Context(), `select `+eventstore.Columns+` from log.events
		where organization_id = $1 and position = $2`, l.organization, position)
	r, err := eventstore.ScanRecorded(row)
	require.NoError(t, err)
	r.Data = []byte(`{"name":"Saules"}`)
	leaf := eventstore.Leaf(&r)
	l.exec(t, `update log.events set data = $3, leaf_hash = $4
		where organization_id = $1 and position = $2`, position, string(r.Data), leaf[:])
}

// rewriteHead makes the head that fits the stored leaf hashes up to size.
func (l *tampered) rewriteHead(t testing.TB, size int64) {
	t.Helper()
	rows, err := l.super.Query(t.Context(), `select leaf_hash from log.events
		where organization_id = $1 and position <= $2 order by position`, l.organization, size)
	require.NoError(t, err)
	leaves, err := pgx.CollectRows(rows, pgx.RowTo[[]byte])
	require.NoError(t, err)
	tree := eventstore.NewTree()
	for _, leaf := range leaves {
		tree.Append([32]byte(leaf))
	}
	stored, err := tree.MarshalBinary()
	require.NoError(t, err)
	l.exec(t, `update log.logs set position = $2, tree = $3, recorded_at = (select recorded_at
		from log.events where organization_id = $1 and position = $2)
		where organization_id = $1`, size, stored)
}

func (l *tampered) verify(t testing.TB, against ...string) eventstore.OrganizationReport {
	t.Helper()
	report, err := eventstore.Verify(t.Context(), eventstore.VerifyOptions{
		Pool: l.store.Pool(eventstore.RoleJobs), Organizations: []uuid.UUID{l.organization},
		VerifierKey: l.store.Keyring().Notary().VerifierKey, Against: against,
	})
	require.NoError(t, err)
	require.Len(t, report.Organizations, 1)
	require.Equal(t, l.organization, report.Organizations[0].ID)
	require.Equal(t, len(report.Organizations[0].Findings) == 0, report.Whole)
	return report.Organizations[0]
}

// requireFound checks the findings, each as a sentence.
func requireFound(t testing.TB, report eventstore.OrganizationReport, want ...string) {
	t.Helper()
	found := []string{}
	for _, finding := range report.Findings {
		found = append(found, finding.String())
	}
	require.Equal(t, append([]string{}, want...), found)
}

const (
	changed   = "the row is not the one that was recorded: its leaf hash is another"
	missing   = "no row: it was taken away"
	cutOff    = "no row: the log's end is cut off"
	notInTree = "rows were changed together with their leaf hashes: the tree is another"
	notSigned = "rows were changed together with hashes and head: a checkpoint differs"
)

func update(set string, positions ...int64) func(testing.TB, *tampered) {
	return func(t testing.TB, l *tampered) {
		t.Helper()
		l.exec(t, `update log.events set `+set+`
			where organization_id = $1 and position = any($2)`, positions)
	}
}

func run(sql string) func(testing.TB, *tampered) {
	return func(t testing.TB, l *tampered) { t.Helper(); l.exec(t, sql) }
}

type tampering struct {
	name   string
	tamper func(testing.TB, *tampered)
	want   []string
}

var rowTamperings = []tampering{
	{"data changed", update(`data = '{"name":"Saules"}'`, 5), []string{"position 5: " + changed}},
	{
		"one space in data", update(`data = (data::text || ' ')::json`, 37),
		[]string{"position 37: " + changed},
	},
	{
		"metadata changed", update(`metadata = '{"role":"superadmin"}'`, 1),
		[]string{"position 1: " + changed},
	},
	{
		"recorded_at moved a microsecond", update(`recorded_at = recorded_at + '1 us'::interval`, 9),
		[]string{"position 9: " + changed},
	},
	{"recorded_at long ago", update(`recorded_at = '2001-01-01'`, 9), []string{
		"position 9: " + changed, "position 9: recorded_at is earlier than that of the row before",
	}},
	{
		"effective_at set", update(`effective_at = recorded_at`, 9),
		[]string{"position 9: " + changed},
	},
	{
		"the building taken off", update(`building_id = null`, 9),
		[]string{"position 9: " + changed},
	},
	{"no subjects made none", update(`subjects = '{}'`, 9), []string{"position 9: " + changed}},
	{"type changed", update(`type = 'building.removed'`, 9), []string{"position 9: " + changed}},
	{"schema changed", update(`schema = 2`, 9), []string{"position 9: " + changed}},
	{"id changed", update(`id = gen_random_uuid()`, 9), []string{"position 9: " + changed}},
	{"version changed", update(`version = 99`, 36), []string{
		"position 36: " + changed,
		"position 36: the version does not follow the one before it in its stream",
	}},
	{
		"many rows changed", update(`data = '{}'`, 5, 6, 7, 20),
		[]string{"positions 5 to 7: " + changed, "position 20: " + changed},
	},
	{
		"leaf hash changed", update(`leaf_hash = sha256('x')`, 12),
		[]string{"position 12: " + changed},
	},
	{"two rows swapped", func(t testing.TB, l *tampered) {
		t.Helper()
		update(`position = -position`, 14, 17)(t, l)
		l.exec(t, `update log.events set position = 31 + position
			where organization_id = $1 and position < 0`)
	}, []string{
		"positions 11 to 32: " + notInTree, // hashes went with the rows
		"position 14: " + changed,
		"position 14: the version does not follow the one before it in its stream",
		"position 15: recorded_at is earlier than that of the row before",
		"position 17: " + changed,
		"position 17: the version does not follow the one before it in its stream",
		"position 17: recorded_at is earlier than that of the row before",
		"position 20: the version does not follow the one before it in its stream",
	}},
	{"one deleted in the middle", run(`delete from log.events
		where organization_id = $1 and position = 20`), []string{"position 20: " + missing}},
	{"the first deleted", run(`delete from log.events
		where organization_id = $1 and position = 1`), []string{"position 1: " + missing}},
	{"the tail deleted", run(`delete from log.events
		where organization_id = $1 and position > 33`), []string{"positions 34 to 37: " + cutOff}},
	{
		"all deleted", run(`delete from log.events where organization_id = $1`),
		[]string{"positions 1 to 37: " + cutOff},
	},
	{"a row inserted beyond the head", insertAt(38), []string{
		"position 38: a row beyond the log's head",
	}},
	{"a row inserted before the first", insertAt(-3), []string{
		"position -3: a row at a position that the log does not have",
	}},
	{"a row deleted and another changed", func(t testing.TB, l *tampered) {
		t.Helper()
		l.exec(t, `delete from log.events where organization_id = $1 and position = 20`)
		update(`data = '{}'`, 22)(t, l)
	}, []string{"position 20: " + missing, "position 22: " + changed}},
}

func insertAt(position int64) func(testing.TB, *tampered) {
	return func(t testing.TB, l *tampered) {
		t.Helper()
		l.exec(t, `insert into log.events select organization_id, $2, building_id, subjects, stream,
			version + 1000, gen_random_uuid(), type, schema, data, metadata, recorded_at,
			effective_at, leaf_hash
			from log.events where organization_id = $1 and position = 37`, position)
	}
}

var treeTamperings = []tampering{
	// 37 = 32 + 4 + 1; checkpoints stand at 10 and 32.
	{"leaf hash recomputed after the last checkpoint", func(t testing.TB, l *tampered) {
		t.Helper()
		l.rewrite(t, 34)
	}, []string{"positions 33 to 36: " + notInTree}},
	{"leaf hash recomputed of the last row", func(t testing.TB, l *tampered) {
		t.Helper()
		l.rewrite(t, 37)
	}, []string{"position 37: " + notInTree}},
	{"leaf hash recomputed between checkpoints", func(t testing.TB, l *tampered) {
		t.Helper()
		l.rewrite(t, 20)
	}, []string{"positions 11 to 32: " + notInTree}},
	{"leaf hash recomputed before the first checkpoint", func(t testing.TB, l *tampered) {
		t.Helper()
		l.rewrite(t, 3)
	}, []string{"positions 1 to 10: " + notInTree}},
	{"leaf hash and head recomputed", func(t testing.TB, l *tampered) {
		t.Helper()
		l.rewrite(t, 20)
		l.rewriteHead(t, logSize)
	}, []string{"positions 11 to 32: " + notSigned}},
	{"the tail cut off with the head", func(t testing.TB, l *tampered) {
		t.Helper()
		l.exec(t, `delete from log.events where organization_id = $1 and position > 30`)
		l.rewriteHead(t, 30)
	}, []string{"positions 31 to 32: a checkpoint was signed over positions that the log no longer has"}},
	{"a row taken out and the rest moved up", func(t testing.TB, l *tampered) {
		t.Helper()
		l.exec(t, `delete from log.events where organization_id = $1 and position = 37`)
		l.rewriteHead(t, 36)
		l.rewrite(t, 12)
		l.rewriteHead(t, 36)
	}, []string{"positions 11 to 32: " + notSigned}},
	{
		"the head taken away", run(`delete from log.logs where organization_id = $1`),
		[]string{"position 37: the log's head is missing"},
	},
	{"the head's tree changed", run(`update log.logs set tree = sha256('x') || sha256('y') ||
		sha256('z') where organization_id = $1`), []string{
		"positions 1 to 32: the head's tree is another than a signed checkpoint's and the rows'",
		"positions 33 to 37: " + notInTree,
	}},
	{
		"the head's tree cut", run(`update log.logs set tree = '' where organization_id = $1`),
		[]string{"position 37: the head's tree cannot be read"},
	},
	{"a head far beyond", run(`update log.logs set position = 1::bigint << 60
		where organization_id = $1`), []string{
		"positions 38 to 1152921504606846976: " + cutOff,
		"position 1152921504606846976: the head's tree cannot be read",
	}},
	{"a checkpoint's root changed", run(`update log.checkpoints set root_hash = sha256('x')
		where organization_id = $1 and size = 10`), []string{
		"position 10: the checkpoint's row is another than its note",
	}},
	{
		"a checkpoint's note forged", run(`update log.checkpoints
		set note = replace(note, E'\n10\n', E'\n11\n') where organization_id = $1 and size = 10`),
		[]string{"position 10: the checkpoint is not signed by this log's key"},
	},
}

func TestVerifyFindsWhatASuperuserDid(t *testing.T) {
	t.Parallel()
	clone := migrationstest.Database(t)
	for _, group := range [][]tampering{rowTamperings, treeTamperings} {
		for _, c := range group {
			t.Run(c.name, func(t *testing.T) {
				t.Parallel()
				store := openOn(t, clone.URL)
				l := &tampered{store: store, super: superuser(t, clone), organization: newID(t)}
				l.fill(t)
				requireFound(t, l.verify(t))
				c.tamper(t, l)
				requireFound(t, l.verify(t), c.want...)
			})
		}
	}
}

func TestVerify(t *testing.T) {
	t.Parallel()

	t.Run("a log that was made anew is found out by a note kept outside", func(t *testing.T) {
		t.Parallel()
		l := newTampered(t)
		l.rewrite(t, 20)
		l.rewriteHead(t, logSize)
		l.exec(t, `delete from log.checkpoints where organization_id = $1`)
		requireFound(t, l.verify(t))
		requireFound(t, l.verify(t, l.kept[0]))
		requireFound(t, l.verify(t, l.kept...), "positions 11 to 32: "+notSigned)
	})

	t.Run("a log that was taken away altogether is missed by a note", func(t *testing.T) {
		t.Parallel()
		l := newTampered(t)
		for _, table := range []string{"events", "logs", "checkpoints", "keys"} {
			l.exec(t, `delete from log.`+table+` where organization_id = $1`)
		}
		report, err := eventstore.Verify(t.Context(), eventstore.VerifyOptions{
			Pool: l.store.Pool(eventstore.RoleJobs), Against: l.kept[:1],
		})
		require.NoError(t, err)
		require.False(t, report.Whole)
		require.Len(t, report.Organizations, 1)
		require.Equal(t, l.organization, report.Organizations[0].ID)
	})

	t.Run("rows and checkpoints without a head are found without being named", func(t *testing.T) {
		t.Parallel()
		l := newTampered(t)
		whole := &tampered{store: l.store, super: l.super, organization: uuid.Max}
		whole.fill(t)
		l.exec(t, `delete from log.logs where organization_id = $1`)
		l.exec(t, `delete from log.checkpoints where organization_id = $1`)
		l.exec(t, `delete from log.keys where organization_id = $1`)
		report, err := eventstore.Verify(t.Context(), eventstore.VerifyOptions{
			Pool: l.store.Pool(eventstore.RoleJobs),
		})
		require.NoError(t, err)
		require.False(t, report.Whole)
		require.Len(t, report.Organizations, 2)
		requireFound(t, report.Organizations[0], "position 37: the log's head is missing")
		requireFound(t, report.Organizations[1])
		require.Equal(t, uuid.Max, report.Organizations[1].ID)
	})

	t.Run("a signing key that was exchanged or taken away is seen", func(t *testing.T) {
		t.Parallel()
		l := newTampered(t)
		l.exec(t, `delete from log.keys where organization_id = $1 and purpose = 'checkpoint'`)
		l.store = openOn(t, l.clone.URL)
		requireFound(t, l.verify(t),
			"positions 10 to 32: the key that signed the checkpoints is missing")
		l.sign(t) // makes another key
		requireFound(t, l.verify(t, l.kept[0]),
			"position 10: the checkpoint is not signed by this log's key",
			"position 10: a checkpoint that was kept is not signed by this log's key",
			"position 32: the checkpoint is not signed by this log's key")
	})

	t.Run("an answered request past the end betrays a log cut off with all its proofs",
		func(t *testing.T) {
			t.Parallel()
			l := newTampered(t)
			l.exec(t, `insert into log.idempotency (organization_id, actor, key, request, status,
				resource, position, recorded_at)
				values ($1, gen_random_uuid(), 'k', '', 201, 'building/x', 37, now())`)
			requireFound(t, l.verify(t))
			l.exec(t, `delete from log.events where organization_id = $1 and position > 36`)
			l.rewriteHead(t, 36)
			requireFound(t, l.verify(t),
				"position 37: requests were answered at positions that the log no longer has")
		})

	t.Run("findings are bounded", func(t *testing.T) {
		t.Parallel()
		l := newTampered(t)
		l.exec(t, `insert into log.events select organization_id, 100 + 2 * n, building_id, subjects,
			stream, 1000 + n, id, type, schema, data, metadata, recorded_at, effective_at, leaf_hash
			from log.events, generate_series(1, 1500) n
			where organization_id = $1 and position = 37`)
		report := l.verify(t)
		require.Len(t, report.Findings, 1000)
		require.Equal(t, 500, report.LeftOut)
	})

	t.Run("pages and progress reach the end of a longer log", func(t *testing.T) {
		t.Parallel()
		l := newTampered(t)
		stream := buildingStream(newID(t))
		renames := make([]events.Event, 6000)
		for i := range renames {
			renames[i] = events.BuildingRenamed{Name: "Tilleuls"}
		}
		mustAppend(t, l.store, appendTo(l.organization, stream, 0, renames...))
		last := int64(0)
		options := eventstore.VerifyOptions{
			Pool: l.store.Pool(eventstore.RoleJobs),
			Progress: func(_ uuid.UUID, done, total int64) {
				require.EqualValues(t, logSize+6000, total)
				require.GreaterOrEqual(t, done, last)
				last = done
			},
		}
		report, err := eventstore.Verify(t.Context(), options)
		require.NoError(t, err)
		require.True(t, report.Whole)
		require.EqualValues(t, logSize+6000, last)
		update(`data = '{}'`, 5001, 6037)(t, l)
		last = 0
		report, err = eventstore.Verify(t.Context(), options)
		require.NoError(t, err)
		requireFound(t, report.Organizations[0],
			"position 5001: "+changed, "position 6037: "+changed)
	})
}

// newTampered has a database of its own.
func newTampered(t testing.TB) *tampered {
	t.Helper()
	clone := migrationstest.Database(t)
	l := &tampered{
		store: openOn(t, clone.URL), super: superuser(t, clone), organization: newID(t),
		clone: clone,
	}
	l.fill(t)
	return l
}
