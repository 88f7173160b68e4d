package eventstore

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/google/uuid"
	lru "github.com/hashicorp/golang-lru/v2"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Access is one reading of a person's data by somebody else.
type Access struct {
	Organization uuid.UUID // in whose data it was read; nil for the platform's
	Actor        uuid.UUID
	Role         string
	Subject      uuid.UUID // whose data
	Resource     string    // kind and id, such as "user/018f…"
	RequestID    string
	At           time.Time

	id uuid.UUID // given before the first try at writing, so that a second one adds no row
}

// AccessLog records who read which personal data. Rows are written in batches beside the requests.
type AccessLog struct {
	pool   *pgxpool.Pool
	logger *slog.Logger
	queue  chan []Access
	closed chan struct{}
	done   chan struct{}
	once   sync.Once
	listed *lru.Cache[listing, time.Time] // when a person was last noted as one of a list
}

// listing is a reader of lists and a person who stands in them.
type listing struct{ organization, actor, subject uuid.UUID }

const (
	accessQueue  = 256  // requests that wait to be recorded
	accessBatch  = 1000 // rows in one statement, about
	accessEvery  = 200 * time.Millisecond
	accessRepeat = time.Second

	listedKept  = 32_768
	listedAgain = 10 * time.Minute
)

// AccessLog starts writing; Close ends it once what was noted is written.
func (s *Store) AccessLog() *AccessLog {
	listed, err := lru.New[listing, time.Time](listedKept)
	if err != nil { // only for a size below one
		panic(err)
	}
	l := &AccessLog{
		listed: listed,
		pool:   s.pools[RoleJobs], logger: s.logger, queue: make(chan []Access, accessQueue),
		closed: make(chan struct{}), done: make(chan struct{}),
	}
	go l.run()
	return l
}

// Note records readings. It waits only while far too many are waiting, and returns an error when
// ctx ends then: a reading that cannot be recorded is not to be answered.
func (l *AccessLog) Note(ctx context.Context, read ...Access) error {
	if len(read) == 0 {
		return nil
	}
	select {
	case <-l.closed:
		return errors.New("note an access: the log of accesses is closed")
	default:
	}
	for i := range read {
		id, err := uuid.NewV7()
		if err != nil {
			return fmt.Errorf("note an access: %w", err)
		}
		read[i].id = id
	}
	select {
	case l.queue <- read:
		return nil
	case <-l.closed:
		return errors.New("note an access: the log of accesses is closed")
	case <-ctx.Done():
		return fmt.Errorf("note an access: %w", ctx.Err())
	}
}

// NoteListed records readings of a list. Lists are read over and over, and the same people with
// them: of each reader and person it records the first reading in ten minutes.
func (l *AccessLog) NoteListed(ctx context.Context, read ...Access) error {
	var first []Access
	for _, a := range read {
		at, noted := l.listed.Get(listing{a.Organization, a.Actor, a.Subject})
		if !noted || a.At.Sub(at) >= listedAgain {
			first = append(first, a)
		}
	}
	if err := l.Note(ctx, first...); err != nil {
		return err
	}
	for _, a := range first {
		l.listed.Add(listing{a.Organization, a.Actor, a.Subject}, a.At)
	}
	return nil
}

// Close writes what waits and ends the writer. No request is under way any more.
func (l *AccessLog) Close() {
	l.once.Do(func() { close(l.closed) })
	<-l.done
}

func (l *AccessLog) run() {
	defer close(l.done)
	tick := time.NewTicker(accessEvery)
	defer tick.Stop()
	var batch []Access
	for {
		select {
		case read := <-l.queue:
			if batch = append(batch, read...); len(batch) < accessBatch {
				continue
			}
		case <-tick.C:
		case <-l.closed:
			for len(l.queue) > 0 {
				batch = append(batch, <-l.queue...)
			}
			l.write(batch)
			return
		}
		if l.write(batch) {
			batch = nil
		}
	}
}

const accessSQL = `
insert into log.access (organization_id, id, at, actor, role, subject, resource, request_id)
select * from unnest($1::uuid[], $2::uuid[], $3::timestamptz[], $4::uuid[], $5::text[],
                     $6::uuid[], $7::text[], $8::text[])
on conflict (organization_id, id) do nothing`

// write records a batch; false when it could not, and the batch has to wait.
func (l *AccessLog) write(batch []Access) bool {
	if len(batch) == 0 {
		return true
	}
	n := len(batch)
	ids, organizations := make([]uuid.UUID, n), make([]uuid.UUID, n)
	actors, subjects := make([]uuid.UUID, n), make([]uuid.UUID, n)
	at := make([]time.Time, n)
	roles, resources, requests := make([]string, n), make([]string, n), make([]string, n)
	for i, a := range batch {
		ids[i] = a.id
		organizations[i], actors[i], subjects[i] = a.Organization, a.Actor, a.Subject
		at[i], roles[i], resources[i], requests[i] = a.At, a.Role, a.Resource, a.RequestID
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	_, err := l.pool.Exec(ctx, accessSQL,
		organizations, ids, at, actors, roles, subjects, resources, requests)
	if err == nil {
		return true
	}
	l.logger.Error("recording who read personal data failed", "rows", n, "error", err)
	select {
	case <-l.closed:
	case <-time.After(accessRepeat):
	}
	return false
}
