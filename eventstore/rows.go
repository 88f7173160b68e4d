package eventstore

import (
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
)

// Most batches move one head: it travels in one statement with the events, which is a transaction
// by itself. A head is compared with its tree too, so that a batch that is sent before the answer
// to another stands only behind that one. A lone writer's event needs no arrays.
//
// In the select list unnest goes row by row; in a from clause PostgreSQL first writes all rows
// aside. The longest parameter is the first: the buffer that it is written to then grows once.
const (
	appendOneSQL = `
with moved as (
  update log.logs set position = $4, recorded_at = $5, tree = $6
   where organization_id = $1 and position = $2 and epoch = $3 and tree = $7 returning 1)
` + intoEvents + `
select $1, $4, $5, $8::json, $9::json, $10::uuid, $11::text, $12::bigint, $13::uuid, $14::text,
       $15::integer, $16::timestamptz, $17::bytea, $18::uuid[]
  from (select log.require_moved_head(count(*), $1) from moved) as held`

	appendSQL = `
with moved as (
  update log.logs set position = $17, recorded_at = $18, tree = $19
   where organization_id = $14 and position = $15 and epoch = $16 and tree = $20 returning 1)
` + intoEvents + `
select $14, generate_series($15 + 1, $17), $18,
       ` + unnested + `
  from (select log.require_moved_head(count(*), $14) from moved) as held`
)

const intoEvents = `
insert into log.events (organization_id, position, recorded_at, data, metadata, building_id, stream,
                        version, id, type, schema, effective_at, leaf_hash, subjects)`

// unnested are the eventColumns and the subjects.
const unnested = `unnest($1::json[]), unnest($2::json[]), unnest($3::uuid[]), unnest($4::text[]),
       unnest($5::bigint[]), unnest($6::uuid[]), unnest($7::text[]), unnest($8::integer[]),
       unnest($9::timestamptz[]), unnest($10::bytea[]),
       ($11::uuid[])[unnest($12::integer[]):unnest($13::integer[])]`

// Of several heads.
const (
	moveHeadsSQL = `select log.move_heads($1::uuid[], $2::bigint[], $3::integer[],
       $4::bigint[], $5::timestamptz[], $6::bytea[])`

	insertEventsSQL = intoEvents + `
select unnest($14::uuid[]), unnest($15::bigint[]), unnest($16::timestamptz[]),
       ` + unnested
)

const deleteClaimsSQL = `delete from log.claims
 where organization_id = $1 and name = any($2)`

const insertClaimsSQL = `insert into log.claims (organization_id, name, kind, holder, subject)
select $1, n, k, h, s from unnest($2::text[], $3::text[], $4::text[], $5::uuid[])
       as rows (n, k, h, s)`

const insertSubjectKeysSQL = `insert into log.keys (organization_id, purpose, subject, wrapped)
select unnest($1::uuid[]), 'subject', unnest($2::uuid[]), unnest($3::bytea[])`

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
	b.queueEvents(l, queries)
	b.queueClaims(queries)
	b.queueKeys(queries)
	for _, p := range b.accepted {
		organization := p.append.Organization
		if idem := p.append.Idempotency; idem != nil {
			last := &p.rows[len(p.rows)-1]
			queries.Queue(insertIdempotencySQL, organization, idem.Actor, idem.Key, idem.Request,
				idem.Status, idem.Resource, last.Position, last.RecordedAt)
		}
	}
}

// queueKeys writes the keys of the subjects that the appends bring.
func (b *batch) queueKeys(queries *pgx.Batch) {
	var organizations, subjects uuidArray
	var wrapped [][]byte
	for _, p := range b.accepted {
		for _, key := range p.keys {
			organizations = append(organizations, pgUUID(p.append.Organization))
			subjects, wrapped = append(subjects, pgUUID(key.Subject)), append(wrapped, key.Wrapped)
		}
	}
	if len(wrapped) > 0 {
		queries.Queue(insertSubjectKeysSQL, organizations, subjects, wrapped)
	}
}

// queueEvents moves the heads and writes the events.
func (b *batch) queueEvents(l *lane, queries *pgx.Batch) {
	const rowBytes = 344 // of a row without its data and metadata, lengths included
	var rows []*Recorded
	for _, p := range b.accepted {
		b.bytes += p.size()
		for i := range p.rows {
			rows = append(rows, &p.rows[i])
			b.bytes += rowBytes + 20*len(p.rows[i].Subjects)
		}
	}
	if organization := b.heads[0]; len(b.heads) > 1 || b.believed[organization].epoch == 0 {
		b.queueHeads(l, queries)
		queries.Queue(insertEventsSQL, b.columns(rows, placeColumns[:])...)
		return
	}
	before, head := b.believed[b.heads[0]], l.beliefs.head(b.heads[0])
	tree, _ := head.tree.MarshalBinary()
	if len(rows) > 1 {
		queries.Queue(appendSQL, append(b.columns(rows, nil), pgUUID(b.heads[0]), before.position,
			before.epoch, head.position, head.recorded, tree, before.tree)...)
		return
	}
	r := rows[0]
	queries.Queue(appendOneSQL, pgUUID(r.Organization), before.position, before.epoch,
		head.position, head.recorded, tree, before.tree, string(r.Data), string(r.Metadata),
		orNoUUID(r.Building), r.Stream.String(), r.Version, pgUUID(r.ID), r.Type, int32(r.Schema),
		orNoTime(r.EffectiveAt), r.LeafHash[:], r.Subjects)
}

// columns are the rows as arrays: the eventColumns, the subjects, and the columns that are given.
func (b *batch) columns(rows []*Recorded, more []eventColumn) []any {
	const most = len(eventColumns) + len(placeColumns) + 7
	w := arrayWriter{bytes: make([]byte, 0, b.bytes+most*arrayHead)}
	args := make([]any, 0, most)
	for i := range eventColumns {
		args = append(args, w.column(&eventColumns[i], rows))
	}
	subjects, from, to := w.subjectColumns(rows)
	args = append(args, subjects, from, to)
	for i := range more {
		args = append(args, w.column(&more[i], rows))
	}
	return args
}

// orNoTime is null for the zero instant.
func orNoTime(at time.Time) pgtype.Timestamptz {
	return pgtype.Timestamptz{Time: at, Valid: !at.IsZero()}
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

// uuidArray is encoded without reflection: the writer's hot path.
type uuidArray = pgtype.FlatArray[pgtype.UUID]

func pgUUID(id uuid.UUID) pgtype.UUID { return pgtype.UUID{Bytes: id, Valid: true} }

// orNoUUID is null for the nil id.
func orNoUUID(id uuid.UUID) pgtype.UUID { return pgtype.UUID{Bytes: id, Valid: id != uuid.Nil} }

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
			holders = append(holders, is.holder.String())
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
