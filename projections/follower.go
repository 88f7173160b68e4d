package projections

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"golang.org/x/sync/singleflight"

	"github.com/koprogo/koprogo/eventstore"
)

// Limits of one transaction, and the rhythm of what nobody rang for.
const (
	pageEvents    = 5_000 // over all organizations of a transaction
	organizations = 64    // in one transaction
	sweepEvery    = time.Second
	gatherFor     = 20 * time.Millisecond
	retryAfter    = 15 * time.Second // a projection that has stopped
)

// Config says what is followed.
type Config struct {
	Store       *eventstore.Store
	Projections []Projection // All when nil
	Logger      *slog.Logger
	Announce    func(Notice) // to the other servers; may be nil
}

// Follower keeps the read models where the log is. Any number of them share a database: one
// organization's checkpoint is moved by one at a time, together with its rows.
type Follower struct {
	store       *eventstore.Store
	pool        *pgxpool.Pool
	projections []Projection
	names       []string
	logger      *slog.Logger
	announce    func(Notice)
	progress    *progress
	woken       chan struct{}
	learning    singleflight.Group
	telling     sync.Mutex // held from a commit until its notice was given

	looked time.Time // for the goroutine of Run

	mu             sync.Mutex
	wanted         map[uuid.UUID]int64 // asked for by Wake
	subscribers    map[int]func(Notice)
	nextSubscriber int
}

// NewFollower makes a follower; Run sets it to work.
func NewFollower(config Config) *Follower {
	f := &Follower{
		store: config.Store, pool: config.Store.Pool(eventstore.RoleProjector),
		projections: config.Projections, logger: config.Logger, announce: config.Announce,
		progress: newProgress(), woken: make(chan struct{}, 1),
		wanted: map[uuid.UUID]int64{}, subscribers: map[int]func(Notice){},
	}
	if f.projections == nil {
		f.projections = All
	}
	if f.logger == nil {
		f.logger = slog.New(slog.DiscardHandler)
	}
	for _, p := range f.projections {
		f.names = append(f.names, p.Name)
	}
	return f
}

// Names are the names of the projections that it follows.
func (f *Follower) Names() []string { return f.names }

// Stopped lists the projections that could not apply an event, oldest first.
func (f *Follower) Stopped() []Stop { return f.progress.stopped() }

// Position is how far the organization's projections are, the slowest of them, as this process
// knows it; false when it does not.
func (f *Follower) Position(organization uuid.UUID) (int64, bool) {
	slowest := int64(-1)
	for _, name := range f.names {
		at, known := f.progress.position(organization, name)
		if !known {
			return 0, false
		}
		if slowest < 0 || at < slowest {
			slowest = at
		}
	}
	return slowest, true
}

// At is the organization's checkpoint of a projection as this process knows it, 0 where it does
// not.
func (f *Follower) At(organization uuid.UUID, projection string) int64 {
	at, _ := f.progress.position(organization, projection)
	return at
}

// Wake says that the organization's log reaches position: another server may have appended.
func (f *Follower) Wake(organization uuid.UUID, position int64) {
	f.mu.Lock()
	if f.wanted[organization] < position {
		f.wanted[organization] = position
	}
	f.mu.Unlock()
	select {
	case f.woken <- struct{}{}:
	default:
	}
}

// Run follows every organization's log until ctx ends, which is no error.
func (f *Follower) Run(ctx context.Context) error {
	rung, cancel := f.store.Bell().Listen()
	defer cancel()
	sweep := time.NewTicker(sweepEvery)
	defer sweep.Stop()
	f.look(ctx, true)
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-rung:
			f.linger(ctx)
			f.look(ctx, false)
		case <-f.woken:
			f.look(ctx, false)
		case <-sweep.C:
			f.look(ctx, true)
		}
	}
}

// linger lets more come together where nobody waits: a transaction's cost hardly grows with the
// events in it. What comes after a pause is applied at once.
func (f *Follower) linger(ctx context.Context) {
	left := gatherFor - time.Since(f.looked)
	if left <= 0 {
		return
	}
	timer := time.NewTimer(left)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-f.woken:
	case <-ctx.Done():
	}
}

// CatchUp applies what the log has at this moment and returns; where a projection stops, its
// error.
func (f *Follower) CatchUp(ctx context.Context) error {
	behind, err := f.sweep(ctx)
	if err != nil {
		return err
	}
	for _, organization := range slices.Sorted(asTexts(behind)) {
		id := uuid.MustParse(organization)
		if err := f.follow(ctx, map[uuid.UUID]int64{id: behind[id]}); err != nil {
			return err
		}
	}
	var errs []error
	for _, stop := range f.Stopped() {
		errs = append(errs, stop.Err)
	}
	return errors.Join(errs...)
}

func asTexts(of map[uuid.UUID]int64) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for id := range of {
			if !yield(id.String()) {
				return
			}
		}
	}
}

// look finds who is behind and follows. What goes wrong with the database is logged: the sweep
// comes again.
func (f *Follower) look(ctx context.Context, sweep bool) {
	f.looked = time.Now()
	behind := f.rungFor()
	if sweep {
		swept, err := f.sweep(ctx)
		if err != nil {
			f.troubled(ctx, err)
			return
		}
		maps.Copy(behind, swept)
	}
	if err := f.follow(ctx, behind); err != nil {
		f.troubled(ctx, err)
	}
}

func (f *Follower) troubled(ctx context.Context, err error) {
	if ctx.Err() != nil {
		return
	}
	f.Doubt()
	f.logger.ErrorContext(ctx, "the read models could not be moved", "error", err)
}

// rungFor lists who is behind as far as this process was told.
func (f *Follower) rungFor() map[uuid.UUID]int64 {
	behind := map[uuid.UUID]int64{}
	f.mu.Lock()
	wanted := f.wanted
	f.wanted = map[uuid.UUID]int64{}
	f.mu.Unlock()
	for _, told := range []map[uuid.UUID]int64{f.store.Bell().Positions(), wanted} {
		for organization, position := range told {
			if at, known := f.Position(organization); !known || at < position {
				behind[organization] = max(behind[organization], position)
			}
		}
	}
	return behind
}

const sweepSQL = `
select l.organization_id, l.position, coalesce(c.n, 0) < cardinality($1)
  from log.logs l
  left join (select organization_id, count(*) as n, min(position) as slowest
               from read.checkpoints where projection = any($1) group by organization_id) c
    on c.organization_id = l.organization_id
 where c.n is null or c.n < cardinality($1) or c.slowest < l.position`

// sweep lists who is behind as the database has it, without locking anything.
func (f *Follower) sweep(ctx context.Context) (map[uuid.UUID]int64, error) {
	rows, err := f.pool.Query(ctx, sweepSQL, f.names) //nolint:rowserrcheck // by ForEachRow
	if err != nil {
		return nil, fmt.Errorf("find who is behind: %w", err)
	}
	behind := map[uuid.UUID]int64{}
	var organization uuid.UUID
	var position int64
	var missing bool
	_, err = pgx.ForEachRow(rows, []any{&organization, &position, &missing}, func() error {
		behind[organization] = position
		if missing {
			f.progress.doubtOne(organization, f.names)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("find who is behind: %w", err)
	}
	return behind, nil
}

// follow brings organizations to the positions given, or as near as another server, a projection
// that has stopped or ctx let it.
func (f *Follower) follow(ctx context.Context, behind map[uuid.UUID]int64) error {
	for len(behind) > 0 && ctx.Err() == nil {
		var units []unit
		for organization, position := range behind {
			if projections := f.due(organization, position); len(projections) > 0 {
				units = append(units, unit{organization, projections})
			} else {
				delete(behind, organization)
			}
			if len(units) == organizations {
				break
			}
		}
		moved, err := f.advance(ctx, units, pageEvents)
		if err != nil {
			return err
		}
		for _, u := range units {
			if !moved[u.organization] {
				delete(behind, u.organization) // another server is at it
			}
		}
	}
	return nil
}

// due lists the projections that are behind the position and are not at rest.
func (f *Follower) due(organization uuid.UUID, position int64) []*Projection {
	var due []*Projection
	now := time.Now()
	for i := range f.projections {
		p := &f.projections[i]
		at, known := f.progress.position(organization, p.Name)
		if (!known || at < position) && !f.progress.rests(organization, p.Name, now) {
			due = append(due, p)
		}
	}
	return due
}
