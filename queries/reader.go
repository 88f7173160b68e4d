package queries

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/koprogo/koprogo/eventstore"
	"github.com/koprogo/koprogo/projections"
)

// Errors of reads.
var (
	ErrNotFound        = errors.New("not found")
	ErrPositionUnknown = errors.New("the position is past the head of the log")
	ErrBehind          = projections.ErrBehind // a read model did not get there in time
)

// patience bounds a read's work in the database, which does not hang on its client's.
const patience = 10 * time.Second

// Reader answers reads of one server.
type Reader struct {
	store    *eventstore.Store
	pool     *pgxpool.Pool
	keyring  *eventstore.Keyring
	follower *projections.Follower
	travel   *projections.Travel
	trees    *eventstore.Trees
	people   *people
	fence    fence
	conns    atomic.Int64 // connections ever made, as last seen

	ownerIndexes *indexes[Owner]

	kept          *kept
	buildingPages *keptPagesOf[Building]
	lotPages      *keptPagesOf[Lot]
	ownerPages    *keptPagesOf[Owner]
	chargePages   *keptPagesOf[Charge]
}

// NewReader makes a reader. Where follower is nil, as in a command beside a running server, reads
// show what the read models show and wait for nothing.
func NewReader(store *eventstore.Store, follower *projections.Follower) *Reader {
	r := &Reader{
		store: store, pool: store.Pool(eventstore.RoleReader), keyring: store.Keyring(),
		follower: follower, travel: projections.NewTravel(store), people: newPeople(),
		fence: fence{answered: map[uuid.UUID]int64{}}, ownerIndexes: newIndexes(ownerIndexing),
		trees: eventstore.NewTrees(store),
	}
	r.keepPages()
	if follower != nil {
		follower.Subscribe(r.people.heard)
		follower.Subscribe(r.ownerIndexes.heard)
		follower.Subscribe(r.keptHeard)
	}
	return r
}

// Span is the organization that a read is about. With Every set it is all of them, for a
// superadmin.
type Span struct {
	Organization uuid.UUID
	Every        bool
	// Fresh are the rows that the caller's own append made: they are shown from here, without
	// waiting for the read model. May be nil.
	Fresh *projections.Copy
}

// In is one organization.
func In(organization uuid.UUID) Span { return Span{Organization: organization} }

// Everywhere is every organization.
func Everywhere() Span { return Span{Every: true} }

// Found is one thing, with what the read model that showed it is: Position, of the log, is known
// where a moment was asked for or where the model has stopped; Stale is then that position too,
// else 0.
type Found[R any] struct {
	Item     R
	Position int64
	Stale    int64
}

// withItem is what was found with another item in place of its own.
func withItem[Q, R any](found Found[Q], item R) Found[R] {
	return Found[R]{Item: item, Position: found.Position, Stale: found.Stale}
}

const (
	enterSQL      = `select log.enter_organization($1)`
	enterEverySQL = `select log.enter_every_organization()`
)

// read waits until the read models named show what was answered before, and runs what queue adds
// in one pipelined transaction as the reader. It returns the position at which a model has
// stopped, 0 where none has.
func (r *Reader) read(
	ctx context.Context, span Span, models []string, queue func(*pgx.Batch),
) (stale int64, err error) {
	return r.readIn(ctx, "begin", span, models, queue)
}

// readIn is read in a transaction that begins as it is told.
func (r *Reader) readIn(
	ctx context.Context, begin string, span Span, models []string, queue func(*pgx.Batch),
) (stale int64, err error) {
	if stale, err = r.await(ctx, span, models); err != nil {
		return 0, err
	}
	conn, err := r.pool.Acquire(ctx)
	if err != nil {
		return 0, fmt.Errorf("reach the read models: %w: %w", eventstore.ErrUnavailable, err)
	}
	defer conn.Release()
	if r.reconnected() {
		if stale, err = r.await(ctx, span, models); err != nil {
			return 0, err
		}
	}
	batch := &pgx.Batch{}
	batch.Queue(begin)
	if span.Every {
		batch.Queue(enterEverySQL)
	} else {
		batch.Queue(enterSQL, span.Organization)
	}
	queue(batch)
	batch.Queue("commit")
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	if err := conn.SendBatch(ctx, batch).Close(); err != nil {
		if conn.Conn().IsClosed() {
			err = fmt.Errorf("%w: %w", eventstore.ErrUnavailable, err)
		}
		return 0, fmt.Errorf("read: %w", err)
	}
	return stale, nil
}

// reconnected tells whether the pool made connections since the last read: PostgreSQL may have
// restarted, and read models gone back to what was on disk. Then what was believed of them is
// forgotten.
func (r *Reader) reconnected() bool {
	made := r.pool.Stat().NewConnsCount()
	before := r.conns.Swap(made)
	if r.follower == nil || before == made {
		return false
	}
	r.follower.Doubt()
	return true
}

// one collects exactly one row; ErrNotFound when there is none.
func one[R any](into *R, scan func(pgx.CollectableRow) (R, error)) func(pgx.Rows) error {
	return func(rows pgx.Rows) error {
		row, err := pgx.CollectOneRow(rows, scan)
		if errors.Is(err, pgx.ErrNoRows) {
			return ErrNotFound
		}
		*into = row
		return err
	}
}

// many collects all rows; the list is never nil.
func many[R any](into *[]R, scan func(pgx.CollectableRow) (R, error)) func(pgx.Rows) error {
	return func(rows pgx.Rows) error {
		list, err := pgx.CollectRows(rows, scan)
		*into = list
		return err
	}
}

// number reads one number.
func number(into *int64) func(pgx.Row) error {
	return func(row pgx.Row) error { return row.Scan(into) }
}
