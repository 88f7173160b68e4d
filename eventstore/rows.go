package eventstore

import (
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
)

const moveHeadsSQL = `select log.move_heads($1::uuid[], $2::bigint[], $3::integer[],
       $4::bigint[], $5::timestamptz[], $6::bytea[])`

// Arrays of arrays cannot be unnested row by row, so subjects travel as the text of an array.
const insertEventsSQL = `
insert into log.events (` + Columns + `)
select o, p, b, s::uuid[], st, v, i, t, sc, d::json, m::json, r, e, l
  from unnest($1::uuid[], $2::bigint[], $3::uuid[], $4::text[], $5::text[], $6::bigint[],
              $7::uuid[], $8::text[], $9::integer[], $10::text[], $11::text[],
              $12::timestamptz[], $13::timestamptz[], $14::bytea[])
       as rows (o, p, b, s, st, v, i, t, sc, d, m, r, e, l)`

const deleteClaimsSQL = `delete from log.claims
 where organization_id = $1 and name = any($2)`

const insertClaimsSQL = `insert into log.claims (organization_id, name, kind, holder, subject)
select $1, n, k, h, s from unnest($2::text[], $3::text[], $4::text[], $5::uuid[])
       as rows (n, k, h, s)`

const insertSubjectKeySQL = `insert into log.keys (organization_id, purpose, subject, wrapped)
values ($1, 'subject', $2, $3)`

// A key older than its life is written over.
const insertIdempotencySQL = `
insert into log.idempotency
       (organization_id, actor, key, request, status, resource, position, recorded_at)
values ($1, $2, $3, $4, $5, $6, $7, $8)
on conflict (organization_id, actor, key) do update
   set request = excluded.request, status = excluded.status, resource = excluded.resource,
       position = excluded.position, recorded_at = excluded.recorded_at`

// queue adds the batch's statements: heads first, so that a transaction on an old belief fails
// before it writes a row.
func (b *batch) queue(l *lane, queries *pgx.Batch) {
	b.queueHeads(l, queries)
	b.queueEvents(queries)
	b.queueClaims(queries)
	for _, p := range b.accepted {
		organization := p.append.Organization
		for _, key := range p.keys {
			queries.Queue(insertSubjectKeySQL, organization, key.Subject, key.Wrapped)
		}
		if idem := p.append.Idempotency; idem != nil {
			last := &p.rows[len(p.rows)-1]
			queries.Queue(insertIdempotencySQL, organization, idem.Actor, idem.Key, idem.Request,
				idem.Status, idem.Resource, last.Position, last.RecordedAt)
		}
	}
}

func (b *batch) queueHeads(l *lane, queries *pgx.Batch) {
	n := len(b.heads)
	believed, epochs, positions := make([]int64, n), make([]int32, n), make([]int64, n)
	recorded, trees := make([]time.Time, n), make([][]byte, n)
	for i, organization := range b.heads {
		before, head := b.believed[organization], l.beliefs.head(organization)
		believed[i], epochs[i] = before.position, before.epoch
		positions[i], recorded[i] = head.position, head.recorded
		trees[i], _ = head.tree.MarshalBinary()
		if head.epoch == 0 {
			head.epoch = 1
		}
	}
	organizations := make(uuidArray, n)
	for i, organization := range b.heads {
		organizations[i] = pgUUID(organization)
	}
	queries.Queue(moveHeadsSQL, organizations, believed, epochs, positions, recorded, trees)
}

func (b *batch) queueEvents(queries *pgx.Batch) {
	n := 0
	for _, p := range b.accepted {
		n += len(p.rows)
	}
	var (
		organizations, ids   = make(uuidArray, 0, n), make(uuidArray, 0, n)
		buildings            = make(uuidArray, 0, n)
		positions, versions  = make([]int64, 0, n), make([]int64, 0, n)
		subjects             = make([]*string, 0, n)
		streams, types       = make([]string, 0, n), make([]string, 0, n)
		schemas              = make([]int32, 0, n)
		data, metadata       = make([]string, 0, n), make([]string, 0, n)
		recorded, effectives = make([]time.Time, 0, n), make([]*time.Time, 0, n)
		leaves               = make([][]byte, 0, n)
	)
	for _, p := range b.accepted {
		for i := range p.rows {
			r := &p.rows[i]
			organizations = append(organizations, pgUUID(r.Organization))
			ids = append(ids, pgUUID(r.ID))
			buildings = append(buildings, orNoUUID(r.Building))
			positions, versions = append(positions, r.Position), append(versions, r.Version)
			subjects = append(subjects, arrayText(r.Subjects))
			streams, types = append(streams, r.Stream.String()), append(types, r.Type)
			schemas = append(schemas, int32(r.Schema))
			data, metadata = append(data, string(r.Data)), append(metadata, string(r.Metadata))
			recorded = append(recorded, r.RecordedAt)
			effectives = append(effectives, orNull(r.EffectiveAt, r.EffectiveAt.IsZero()))
			leaves = append(leaves, r.LeafHash[:])
		}
	}
	queries.Queue(insertEventsSQL, organizations, positions, buildings, subjects, streams, versions,
		ids, types, schemas, data, metadata, recorded, effectives, leaves)
}

// uuidArray is encoded without reflection: the writer's hot path.
type uuidArray = pgtype.FlatArray[pgtype.UUID]

func pgUUID(id uuid.UUID) pgtype.UUID { return pgtype.UUID{Bytes: id, Valid: true} }

// orNoUUID is null for the nil id.
func orNoUUID(id uuid.UUID) pgtype.UUID { return pgtype.UUID{Bytes: id, Valid: id != uuid.Nil} }

func orNull[T any](value T, null bool) *T {
	if null {
		return nil
	}
	return &value
}

func arrayText(ids []uuid.UUID) *string {
	if len(ids) == 0 {
		return nil
	}
	texts := make([]string, len(ids))
	for i, id := range ids {
		texts[i] = id.String()
	}
	text := "{" + strings.Join(texts, ",") + "}"
	return &text
}

// queueClaims writes what the appends left changed: a claim that was given back and taken again
// within the batch changes hands once.
func (b *batch) queueClaims(queries *pgx.Batch) {
	for _, organization := range b.heads {
		var gone, names, kinds, holders []string
		var subjects uuidArray
		for key, was := range b.before {
			if key.organization == organization && b.claims[key] != was {
				gone = append(gone, key.name)
			}
		}
		for key, is := range b.claims {
			if key.organization != organization || b.before[key] == is {
				continue
			}
			names, kinds = append(names, key.name), append(kinds, is.kind)
			holders = append(holders, is.holder)
			subjects = append(subjects, orNoUUID(is.subject))
		}
		if len(gone) > 0 {
			queries.Queue(deleteClaimsSQL, organization, gone)
		}
		if len(names) > 0 {
			queries.Queue(insertClaimsSQL, organization, names, kinds, holders, subjects)
		}
	}
}
