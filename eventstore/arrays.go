package eventstore

import (
	"encoding/binary"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgtype"
)

// A batch travels as one array a column. Written here as PostgreSQL reads it, an array costs its
// bytes; by way of pgx's values it costs two pieces of memory and a copy for each element.

// encodedArray is a one-dimensional array in PostgreSQL's binary form.
type encodedArray []byte

// arrayWriter writes arrays one after the other into one piece of memory.
type arrayWriter struct {
	bytes []byte
	from  int // where the array under way begins
}

func (w *arrayWriter) begin(element uint32, count int) {
	w.from = len(w.bytes)
	w.int32(1) // dimensions
	w.int32(1) // there may be nulls
	w.bytes = binary.BigEndian.AppendUint32(w.bytes, element)
	w.int32(int32(count))
	w.int32(1) // the lower bound
}

func (w *arrayWriter) end() encodedArray {
	return encodedArray(w.bytes[w.from:len(w.bytes):len(w.bytes)])
}

func (w *arrayWriter) int32(n int32) {
	w.bytes = binary.BigEndian.AppendUint32(w.bytes, uint32(n))
}

func (w *arrayWriter) null() { w.int32(-1) }

func (w *arrayWriter) raw(value []byte) {
	w.int32(int32(len(value)))
	w.bytes = append(w.bytes, value...)
}

func (w *arrayWriter) text(value string) {
	w.int32(int32(len(value)))
	w.bytes = append(w.bytes, value...)
}

func (w *arrayWriter) number(n int64) {
	w.int32(8)
	w.bytes = binary.BigEndian.AppendUint64(w.bytes, uint64(n))
}

func (w *arrayWriter) id(id uuid.UUID) { w.raw(id[:]) }

func (w *arrayWriter) instant(at time.Time) { w.number(at.UnixMicro() - microsTo2000) }

// eventColumn is how a column of log.events travels.
type eventColumn struct {
	element uint32
	write   func(w *arrayWriter, r *Recorded)
}

// eventColumns are in the order of unnested.
var eventColumns = [...]eventColumn{
	{pgtype.JSONOID, func(w *arrayWriter, r *Recorded) { w.raw(r.Data) }},
	{pgtype.JSONOID, func(w *arrayWriter, r *Recorded) { w.raw(r.Metadata) }},
	{pgtype.UUIDOID, func(w *arrayWriter, r *Recorded) {
		if r.Building == uuid.Nil {
			w.null()
			return
		}
		w.id(r.Building)
	}},
	{pgtype.TextOID, func(w *arrayWriter, r *Recorded) {
		w.bytes = appendStream(w.bytes, r.Stream)
	}},
	{pgtype.Int8OID, func(w *arrayWriter, r *Recorded) { w.number(r.Version) }},
	{pgtype.UUIDOID, func(w *arrayWriter, r *Recorded) { w.id(r.ID) }},
	{pgtype.TextOID, func(w *arrayWriter, r *Recorded) { w.text(r.Type) }},
	{pgtype.Int4OID, func(w *arrayWriter, r *Recorded) {
		w.int32(4)
		w.int32(int32(r.Schema))
	}},
	{pgtype.TimestamptzOID, func(w *arrayWriter, r *Recorded) {
		if r.EffectiveAt.IsZero() {
			w.null()
			return
		}
		w.instant(r.EffectiveAt)
	}},
	{pgtype.ByteaOID, func(w *arrayWriter, r *Recorded) { w.raw(r.LeafHash[:]) }},
}

// placeColumns are the rest of insertEventsSQL; where one head moves, it says them.
var placeColumns = [...]eventColumn{
	{pgtype.UUIDOID, func(w *arrayWriter, r *Recorded) { w.id(r.Organization) }},
	{pgtype.Int8OID, func(w *arrayWriter, r *Recorded) { w.number(r.Position) }},
	{pgtype.TimestamptzOID, func(w *arrayWriter, r *Recorded) { w.instant(r.RecordedAt) }},
}

func (w *arrayWriter) column(c *eventColumn, rows []*Recorded) encodedArray {
	w.begin(c.element, len(rows))
	for _, r := range rows {
		c.write(w, r)
	}
	return w.end()
}

// subjectColumns are the subjects of all rows one after the other, and for each row where its own
// begin and end there, null without any: arrays of arrays cannot be unnested row by row.
func (w *arrayWriter) subjectColumns(rows []*Recorded) (all, from, to encodedArray) {
	count := 0
	w.begin(pgtype.Int4OID, len(rows))
	for _, r := range rows {
		w.int32(4)
		w.int32(int32(count + 1))
		count += len(r.Subjects)
	}
	from = w.end()
	last := 0
	w.begin(pgtype.Int4OID, len(rows))
	for _, r := range rows {
		if len(r.Subjects) == 0 {
			w.null()
			continue
		}
		last += len(r.Subjects)
		w.int32(4)
		w.int32(int32(last))
	}
	to = w.end()
	w.begin(pgtype.UUIDOID, count)
	for _, r := range rows {
		for _, id := range r.Subjects {
			w.id(id)
		}
	}
	return w.end(), from, to
}

// acceptArrays lets a connection take encodedArray as a parameter.
func acceptArrays(types *pgtype.Map) {
	for _, oid := range []uint32{
		pgtype.UUIDArrayOID, pgtype.Int8ArrayOID, pgtype.TextArrayOID, pgtype.Int4ArrayOID,
		pgtype.JSONArrayOID, pgtype.TimestamptzArrayOID, pgtype.ByteaArrayOID,
	} {
		if known, ok := types.TypeForOID(oid); ok {
			types.RegisterType(&pgtype.Type{
				Name: known.Name, OID: oid, Codec: arrayCodec{known.Codec},
			})
		}
	}
}

type arrayCodec struct{ pgtype.Codec }

// PlanEncode passes an encodedArray on as it is.
func (c arrayCodec) PlanEncode(
	types *pgtype.Map, oid uint32, format int16, value any,
) pgtype.EncodePlan {
	if _, encoded := value.(encodedArray); encoded && format == pgtype.BinaryFormatCode {
		return passOn{}
	}
	return c.Codec.PlanEncode(types, oid, format, value)
}

type passOn struct{}

func (passOn) Encode(value any, buffer []byte) ([]byte, error) {
	return append(buffer, value.(encodedArray)...), nil //nolint:forcetypeassert // PlanEncode saw it
}
