package eventstore

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/koprogo/koprogo/events"
)

// Places of Columns.
const (
	columnOrganization = iota
	columnPosition
	columnBuilding
	columnSubjects
	columnStream
	columnVersion
	columnID
	columnType
	columnSchema
	columnData
	columnMetadata
	columnRecordedAt
	columnEffectiveAt
	columnLeafHash
	columnCount
)

// ScanRecorded reads one row of Columns. Event is left for Decode.
func ScanRecorded(row pgx.Row) (Recorded, error) {
	var r Recorded
	if rows, ok := row.(pgx.Rows); ok {
		return r, scanRecorded(rows, &r)
	}
	return r, scanValues(row, &r)
}

// scanRecorded reads the row that rows are at. Rows come in PostgreSQL's binary form, unless a
// setting of the database's address makes pgx ask for text.
func scanRecorded(rows pgx.Rows, r *Recorded) error {
	fields, values := rows.FieldDescriptions(), rows.RawValues()
	if len(values) != columnCount || fields[columnOrganization].Format != pgx.BinaryFormatCode {
		return scanValues(rows, r)
	}
	if err := r.read(values); err != nil {
		return fmt.Errorf("read an event's row: %w", err)
	}
	return nil
}

// scanValues lets pgx read the row, whichever form it has.
func scanValues(row pgx.Row, r *Recorded) error {
	var (
		building  pgtype.UUID
		effective pgtype.Timestamptz
		stream    string
		leaf      []byte
	)
	err := row.Scan(&r.Organization, &r.Position, &building, &r.Subjects, &stream, &r.Version,
		&r.ID, &r.Type, &r.Schema, &r.Data, &r.Metadata, &r.RecordedAt, &effective, &leaf)
	if err != nil {
		return fmt.Errorf("read an event's row: %w", unavailable(err))
	}
	r.Building = building.Bytes
	r.RecordedAt = r.RecordedAt.UTC()
	if effective.Valid {
		r.EffectiveAt = effective.Time.UTC()
	}
	copy(r.LeafHash[:], leaf)
	if r.Stream, err = events.ParseStream(stream); err != nil {
		return fmt.Errorf("read position %d: %w", r.Position, err)
	}
	return nil
}

// read takes the columns as PostgreSQL sends them in binary. Nothing of r points into values
// afterwards.
func (r *Recorded) read(values [][]byte) (err error) {
	var c columns
	r.Organization = c.id(values[columnOrganization])
	r.Position = c.int64(values[columnPosition])
	r.Building = uuid.Nil
	if value := values[columnBuilding]; value != nil {
		r.Building = c.id(value)
	}
	r.Subjects = c.ids(values[columnSubjects])
	r.Version = c.int64(values[columnVersion])
	r.ID = c.id(values[columnID])
	r.Type = events.Name(values[columnType])
	r.Schema = c.int32(values[columnSchema])
	// One piece of memory for both; neither may grow into what follows it.
	data, metadata := values[columnData], values[columnMetadata]
	both := make([]byte, len(data)+len(metadata))
	n := copy(both, data)
	copy(both[n:], metadata)
	r.Data, r.Metadata = both[:n:n], both[n:]
	r.RecordedAt = c.instant(values[columnRecordedAt])
	r.EffectiveAt = time.Time{}
	if value := values[columnEffectiveAt]; value != nil {
		r.EffectiveAt = c.instant(value)
	}
	c.expect(copy(r.LeafHash[:], values[columnLeafHash]) == len(r.LeafHash))
	if c.wrong {
		return fmt.Errorf("a column has another length than its type")
	}
	if r.Stream, err = parseStream(values[columnStream]); err != nil {
		return fmt.Errorf("position %d: %w", r.Position, err)
	}
	return nil
}

// parseStream is events.ParseStream of a text that is not kept.
func parseStream(text []byte) (events.Stream, error) {
	category, id, _ := bytes.Cut(text, []byte{'-'})
	if parsed, err := uuid.ParseBytes(id); err == nil && len(id) == 36 && len(category) > 0 {
		return events.Stream{Category: string(category), ID: parsed}, nil
	}
	return events.ParseStream(string(text)) // it says what is wrong
}

// columns reads binary values; wrong is set when one has not its type's length.
type columns struct{ wrong bool }

func (c *columns) expect(right bool) { c.wrong = c.wrong || !right }

func (c *columns) id(value []byte) (id uuid.UUID) {
	c.expect(len(value) == len(id))
	copy(id[:], value)
	return id
}

func (c *columns) int64(value []byte) int64 {
	if c.expect(len(value) == 8); c.wrong {
		return 0
	}
	return int64(binary.BigEndian.Uint64(value))
}

func (c *columns) int32(value []byte) int {
	if c.expect(len(value) == 4); c.wrong {
		return 0
	}
	return int(int32(binary.BigEndian.Uint32(value)))
}

// instant counts from 2000-01-01, as PostgreSQL does.
func (c *columns) instant(value []byte) time.Time {
	return time.UnixMicro(c.int64(value) + microsTo2000).UTC()
}

// Binary form of a uuid[] of one dimension: dimensions, flags, element type, length, lower bound,
// then each element with its length before it.
const (
	arrayHead    = 20
	arrayElement = 4 + 16
)

// ids is nil for null.
func (c *columns) ids(value []byte) []uuid.UUID {
	if value == nil {
		return nil
	}
	n := (len(value) - arrayHead) / arrayElement
	c.expect(n > 0 && len(value) == arrayHead+n*arrayElement)
	if c.wrong {
		return nil
	}
	ids := make([]uuid.UUID, n)
	for i := range ids {
		at := arrayHead + i*arrayElement
		copy(ids[i][:], value[at+4:at+arrayElement])
	}
	return ids
}
