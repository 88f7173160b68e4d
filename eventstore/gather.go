package eventstore

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/koprogo/koprogo/events"
)

// gathered is what a batch wants to know beyond the beliefs.
type gathered struct {
	claims map[claimKey]claimRow
	keys   map[idempotencyKey]knownKey
	// versions of a batch of so many streams that not all of them stay believed; nil for others.
	versions map[streamKey]int64
}

// wants lists the statements that a batch's reads take; empty when the beliefs say it all.
type wants struct {
	queries pgx.Batch
	collect []func(pgx.BatchResults) error
	into    *gathered
	beliefs *beliefs
	asked   map[string]bool
	oldest  time.Time // an idempotency key from before is forgotten
}

// gather reads in one round trip what the batch needs and the writer does not know: heads, stream
// versions, claims and idempotency keys. Heads come first: whatever is read after a head belongs
// to a state at least as new, and the compare-and-set refuses the batch when it is newer.
func (l *lane) gather(ctx context.Context, conn *pgx.Conn, batch []*pending) (*gathered, error) {
	if unknown := l.unknownHeads(batch); len(unknown) > 0 {
		heads, err := readHeads(ctx, conn,
			`select `+headColumns+` from log.logs where organization_id = any($1)`, unknown)
		if err != nil {
			return nil, err
		}
		l.store.epochs.see(heads)
		if err := l.learnHeads(unknown, heads); err != nil {
			return nil, err
		}
	}
	w := l.wants(batch)
	l.crowd.reads = w.queries.Len() > 0
	if w.queries.Len() == 0 {
		return w.into, nil
	}
	results := conn.SendBatch(ctx, &w.queries)
	for _, collect := range w.collect {
		if err := collect(results); err != nil {
			_ = results.Close()
			return nil, fmt.Errorf("read what the batch needs: %w", err)
		}
	}
	return w.into, results.Close()
}

// unknownHeads lists the organizations of whose head nothing is believed.
func (l *lane) unknownHeads(batch []*pending) []uuid.UUID {
	var unknown []uuid.UUID
	for _, p := range batch {
		organization := p.append.Organization
		if l.beliefs.head(organization) == nil && !slices.Contains(unknown, organization) {
			unknown = append(unknown, organization)
		}
	}
	return unknown
}

// wants lists what the batch has to read; its heads are known.
func (l *lane) wants(batch []*pending) *wants {
	w := &wants{
		into:    &gathered{claims: map[claimKey]claimRow{}, keys: map[idempotencyKey]knownKey{}},
		beliefs: l.beliefs, asked: map[string]bool{},
		oldest: micros(l.store.clock().Add(-IdempotencyLife)),
	}
	if streamsOf(batch) > maxVersions/2 {
		w.into.versions = map[streamKey]int64{}
	}
	for _, p := range batch {
		w.versions(p)
		if len(p.take)+len(p.release) > 0 {
			w.places(p)
		}
		w.known(p)
	}
	w.claimed(batch)
	return w
}

// streamsOf is how many streams the batch's appends name.
func streamsOf(batch []*pending) int {
	n := 0
	for _, p := range batch {
		n += len(p.append.Streams) + len(p.append.Reads)
	}
	return n
}

func (g *gathered) note(key streamKey, version int64) {
	if g.versions != nil {
		g.versions[key] = version
	}
}

// version is what the batch knows of a stream.
func (l *lane) version(read *gathered, head *headBelief, key streamKey) (int64, bool) {
	if version, known := read.versions[key]; known {
		return version, true
	}
	return l.beliefs.version(head, key)
}

func (l *lane) learnHeads(wanted []uuid.UUID, found []Head) error {
	for _, organization := range wanted {
		head := Head{Organization: organization}
		if i := slices.IndexFunc(found, func(h Head) bool {
			return h.Organization == organization
		}); i >= 0 {
			head = found[i]
		}
		if err := l.beliefs.learn(head); err != nil {
			return fmt.Errorf("read the head of %s: %w", organization, err)
		}
	}
	return nil
}

// ask queues a query once; collect reads its rows.
func (w *wants) ask(collect func(pgx.Rows) error, sql string, args ...any) {
	w.queries.Queue(sql, args...)
	w.collect = append(w.collect, func(results pgx.BatchResults) error {
		rows, err := results.Query()
		if err != nil {
			return err
		}
		defer rows.Close()
		if err := collect(rows); err != nil {
			return err
		}
		return rows.Err()
	})
}

func (w *wants) once(parts ...string) bool {
	key := strings.Join(parts, "\x00")
	seen := w.asked[key]
	w.asked[key] = true
	return !seen
}

const versionSQL = `select version from log.events
 where organization_id = $1 and stream = $2 order by version desc limit 1`

// versions asks for the streams whose version is not believed. A stream that is said to be new
// and of which nothing is known is taken at the append's word: the key (organization_id, stream,
// version) refuses it otherwise.
func (w *wants) versions(p *pending) {
	organization := p.append.Organization
	head := w.beliefs.head(organization)
	ask := func(stream events.Stream) {
		key := streamKey{organization, stream}
		if version, known := w.beliefs.version(head, key); known {
			w.into.note(key, version)
			return
		}
		if !w.once("version", organization.String(), stream.String()) {
			return
		}
		w.ask(func(rows pgx.Rows) error {
			var version int64
			for rows.Next() {
				if err := rows.Scan(&version); err != nil {
					return err
				}
			}
			w.beliefs.setVersion(head, key, version)
			w.into.note(key, version)
			return nil
		}, versionSQL, organization, stream.String())
	}
	for _, in := range p.append.Streams {
		if in.Expected > 0 || p.fresh {
			ask(in.Stream)
		}
	}
	for _, seen := range p.append.Reads {
		ask(seen.Stream)
	}
}

// One by one: a plan made while the table was small might read all of the organization's.
const claimsSQL = `select c.name, c.kind, c.holder, c.subject from unnest($2::text[]) n, lateral (
  select name, kind, holder, subject from log.claims
   where organization_id = $1 and name = n limit 1) c`

// claimed asks who has the names that the appends take or give back.
func (w *wants) claimed(batch []*pending) {
	names := map[uuid.UUID][]string{}
	for _, p := range batch {
		organization := p.append.Organization
		for _, claims := range [][]namedClaim{p.take, p.release} {
			for _, c := range claims {
				if c.name != "" && w.once("claim", organization.String(), c.name) {
					names[organization] = append(names[organization], c.name)
				}
			}
		}
	}
	for organization, names := range names {
		w.ask(func(rows pgx.Rows) error {
			return eachClaim(rows, func(name string, row claimRow) error {
				w.into.claims[claimKey{organization, name}] = row
				return nil
			})
		}, claimsSQL, organization, names)
	}
}

const placesSQL = `select name, kind, holder, subject from log.claims
 where organization_id = $1 and kind = $2 and name like $3`

// places asks for the taken numbers of the kinds that the append takes or gives back. They stay
// believed with the head, and join the claims when a number changes hands.
func (w *wants) places(p *pending) {
	organization := p.append.Organization
	head := w.beliefs.head(organization)
	for _, c := range slices.Concat(p.take, p.release) {
		if c.name != "" {
			continue
		}
		if _, known := head.places[c.kind]; known && !p.fresh ||
			!w.once("places", organization.String(), c.kind) {
			continue
		}
		w.ask(func(rows pgx.Rows) error {
			taken := newPlaces()
			head.places[c.kind] = taken
			return eachClaim(rows, func(name string, row claimRow) error {
				n, err := placeNumber(row.kind, name)
				if err == nil {
					taken.hold(n, row.holder)
				}
				return err
			})
		}, placesSQL, organization, c.kind, c.kind+"/%")
	}
}

func eachClaim(rows pgx.Rows, fn func(name string, row claimRow) error) error {
	for rows.Next() {
		var name, holder string
		var row claimRow
		var subject *uuid.UUID
		if err := rows.Scan(&name, &row.kind, &holder, &subject); err != nil {
			return err
		}
		var err error
		if row.holder, err = events.ParseStream(holder); err != nil {
			return fmt.Errorf("read who holds %s: %w", name, err)
		}
		if subject != nil {
			row.subject = *subject
		}
		if err := fn(name, row); err != nil {
			return err
		}
	}
	return nil
}

const knownSQL = `select request, status, resource, position from log.idempotency
 where organization_id = $1 and actor = $2 and key = $3 and recorded_at > $4`

// known asks whether the append's idempotency key was used within the last 24 hours.
func (w *wants) known(p *pending) {
	idem := p.append.Idempotency
	if idem == nil {
		return
	}
	key := idempotencyKey{p.append.Organization, idem.Actor, idem.Key}
	w.ask(func(rows pgx.Rows) error {
		for rows.Next() {
			var k knownKey
			if err := rows.Scan(&k.request, &k.status, &k.resource, &k.position); err != nil {
				return err
			}
			w.into.keys[key] = k
		}
		return nil
	}, knownSQL, key.organization, key.actor, key.key, w.oldest)
}
