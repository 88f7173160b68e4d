package projections

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/koprogo/koprogo/eventstore"
)

// Limits of a rebuild: rows of one organization are written when so many changed, and forgotten
// when so many are held.
const (
	rebuildWrite = 20_000
	rebuildHold  = 200_000
)

// ErrRebuilding is returned when the read model is being rebuilt already.
var ErrRebuilding = errors.New("the read model is being rebuilt already")

// Rebuild makes a read model anew from the log, in tables beside the live ones, which readers and
// followers go on using until the names are swapped. Where an event cannot be applied, nothing is
// swapped. watch, which may be nil, is told after each page how many events of how many are done.
func Rebuild(
	ctx context.Context, store *eventstore.Store, p Projection, watch func(done, of int64),
) error {
	conn, err := store.Pool(eventstore.RoleProjector).Acquire(ctx)
	if err != nil {
		return fmt.Errorf("rebuild %s: %w", p.Name, err)
	}
	defer conn.Release()
	if watch == nil {
		watch = func(int64, int64) {}
	}
	b := &rebuild{
		store: store, conn: conn, projection: &p, watch: watch, at: map[uuid.UUID]int64{},
	}
	// Two at once would only fail at making the second's tables; the lock says so in words.
	var free bool
	if err := conn.QueryRow(ctx, tryRebuildSQL, p.Name).Scan(&free); err != nil {
		return fmt.Errorf("rebuild %s: %w", p.Name, err)
	}
	if !free {
		return fmt.Errorf("rebuild %s: %w", p.Name, ErrRebuilding)
	}
	err = b.run(ctx)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
	defer cancel()
	if err != nil {
		_, _ = conn.Exec(ctx, "rollback") // outside a transaction it does nothing
		err = errors.Join(fmt.Errorf("rebuild %s: %w", p.Name, err), b.drop(ctx))
	}
	_, unlocked := conn.Exec(ctx, endRebuildSQL, p.Name)
	return errors.Join(err, unlocked)
}

const (
	tryRebuildSQL = `select pg_try_advisory_lock(hashtextextended('rebuild ' || $1::text, 0))`
	endRebuildSQL = `select pg_advisory_unlock(hashtextextended('rebuild ' || $1::text, 0))`
)

type rebuild struct {
	store      *eventstore.Store
	conn       *pgxpool.Conn
	projection *Projection
	watch      func(done, of int64)
	at         map[uuid.UUID]int64 // how far the new tables are
	done       int64
}

func newName(table AnyTable) string { return table.Name() + "__new" }

func newStatements(table AnyTable) statements { return table.statements(newName(table)) }

func (r *rebuild) run(ctx context.Context) error {
	if err := r.drop(ctx); err != nil {
		return err
	}
	if err := r.create(ctx); err != nil {
		return err
	}
	// Each round is shorter than the one before; what is left is applied under the lock.
	for range 4 {
		if err := r.fillAll(ctx); err != nil {
			return err
		}
	}
	return r.swap(ctx)
}

// drop takes away what a rebuild that was killed left behind.
func (r *rebuild) drop(ctx context.Context) error {
	for _, table := range r.projection.tables() {
		if _, err := r.conn.Exec(ctx, "drop table if exists read."+newName(table)); err != nil {
			return fmt.Errorf("drop read.%s: %w", newName(table), err)
		}
	}
	return nil
}

const storageSQL = `select coalesce(array_to_string(reloptions, ', '), '') from pg_class
 where oid = $1::text::regclass`

// create makes the new tables with all that the live ones have: columns, indexes, storage
// options, and by read.guard row-level security, rights and distribution.
func (r *rebuild) create(ctx context.Context) error {
	for _, table := range r.projection.tables() {
		var storage string
		err := r.conn.QueryRow(ctx, storageSQL, "read."+table.Name()).Scan(&storage)
		if err != nil {
			return fmt.Errorf("read how %s is stored: %w", table.Name(), err)
		}
		name := "read." + newName(table)
		texts := []string{
			"begin",
			"create table " + name + " (like read." + table.Name() + " including all)",
		}
		if storage != "" {
			texts = append(texts, "alter table "+name+" set ("+storage+")")
		}
		texts = append(texts, "select read.guard('"+name+"'::regclass)", "commit")
		for _, text := range texts {
			if _, err := r.conn.Exec(ctx, text); err != nil {
				return fmt.Errorf("make %s: %w", name, err)
			}
		}
	}
	return nil
}

// fillAll brings the new tables to where each log is now.
func (r *rebuild) fillAll(ctx context.Context) error {
	heads, err := r.store.Heads(ctx)
	if err != nil {
		return err
	}
	of := r.done
	for _, head := range heads {
		of += head.Position - r.at[head.Organization]
	}
	for _, head := range heads {
		err := r.fill(ctx, head.Organization, head.Position, true, func() { r.watch(r.done, of) })
		if err != nil {
			return err
		}
	}
	return nil
}

// rebuildEventsSQL leaves out the streams that the projection does not look at.
const rebuildEventsSQL = `select ` + eventstore.Columns + ` from log.events
 where organization_id = $1 and position > $2 and position <= $3
   and split_part(stream, '-', 1) = any($4)
 order by position limit $5`

// fill applies one organization's events up to a position.
func (r *rebuild) fill(
	ctx context.Context, organization uuid.UUID, upTo int64, own bool, report func(),
) error {
	from := r.at[organization]
	if from >= upTo {
		return nil
	}
	batch := &Batch{copy: NewCopy(organization)}
	if from > 0 {
		batch.load = r.load(ctx, organization)
	}
	for at := from; at < upTo; {
		page, err := r.page(ctx, organization, at, upTo)
		if err != nil {
			return err
		}
		next := upTo
		if len(page) == pageEvents {
			next = page[len(page)-1].Position
		}
		if err := r.apply(ctx, batch, page); err != nil {
			return err
		}
		r.done += next - at
		at = next
		report()
		if err := r.write(ctx, batch, own, at == upTo); err != nil {
			return err
		}
	}
	r.at[organization] = upTo
	return nil
}

func (r *rebuild) page(
	ctx context.Context, organization uuid.UUID, after, upTo int64,
) ([]eventstore.Recorded, error) {
	rows, err := r.conn.Query(ctx, rebuildEventsSQL,
		organization, after, upTo, r.projection.Categories, pageEvents)
	if err != nil {
		return nil, fmt.Errorf("read the log: %w", err)
	}
	unreadable := map[int64]error{}
	page, err := readPage(rows, r.projection.wants, unreadable)
	if err != nil {
		return nil, err
	}
	for i := range page {
		if err := unreadable[page[i].Position]; err != nil {
			return nil, fmt.Errorf("organization %s: %w", organization, err)
		}
	}
	return page, nil
}

func (r *rebuild) apply(ctx context.Context, b *Batch, page []eventstore.Recorded) error {
	if b.load != nil {
		for _, fetch := range r.projection.fetches(b.copy, page) {
			if err := b.load(fetch); err != nil {
				return err
			}
		}
	}
	for i := range page {
		if err := r.projection.apply(b, &page[i]); err != nil {
			return fmt.Errorf("organization %s: %w", b.copy.organization, err)
		}
	}
	return ctx.Err()
}

// load reads rows of the new tables.
func (r *rebuild) load(ctx context.Context, organization uuid.UUID) func(fetch) error {
	return func(f fetch) error {
		sql := newStatements(f.from).load
		rows, err := r.conn.Query(ctx, sql, organization, f.keys) //nolint:rowserrcheck // by take
		if err != nil {
			return fmt.Errorf("load rows: %w", err)
		}
		return f.take(rows)
	}
}

// write puts the copy's rows into the new tables when they are many or the last, in a transaction
// of its own unless the caller has one.
func (r *rebuild) write(ctx context.Context, b *Batch, own, last bool) error {
	if !last && b.copy.touched() < rebuildWrite {
		return nil
	}
	batch := &pgx.Batch{}
	if own {
		batch.Queue("begin")
	}
	if _, err := queueRows(batch, []*Copy{b.copy}, newStatements); err != nil {
		return err
	}
	if own {
		batch.Queue("commit")
	}
	if err := r.conn.SendBatch(ctx, batch).Close(); err != nil {
		return fmt.Errorf("write rows: %w", err)
	}
	if b.copy.size() > rebuildHold {
		b.copy, b.load = NewCopy(b.copy.organization), r.load(ctx, b.copy.organization)
	}
	return nil
}
