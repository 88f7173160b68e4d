package eventstore

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"
)

// scanLinks reads rows as PostgreSQL sends them, in binary, without making a value of any column:
// one goroutine reads while another hashes.

const (
	linksPerPage  = 5000
	chunkBytes    = 1 << 20 // a page's rows are handed on in pieces of about this size
	chunksInReuse = 4
	// PostgreSQL counts microseconds from 2000-01-01.
	microsTo2000 = 946_684_800_000_000
)

// Columns of linksSQL.
const (
	atPosition = iota
	atBuilding
	atSubjects
	atStream
	atVersion
	atID
	atType
	atSchema
	atData
	atMetadata
	atRecorded
	atEffective
	atLeaf
	linkColumns
)

var linksSQL = fmt.Sprintf(`select position, building_id, subjects, stream, version, id, type,
       schema, data, metadata, recorded_at, effective_at, leaf_hash
  from log.events where organization_id = $1 and position > $2
 order by position limit %d`, linksPerPage)

// rawRow holds a row's columns, nil for null.
type rawRow [linkColumns][]byte

// chunk holds rows one after the other: the bytes of all columns and the length of each, -1 for
// null.
type chunk struct {
	bytes   []byte
	lengths []int32
}

func (c *chunk) reset() { c.bytes, c.lengths = c.bytes[:0], c.lengths[:0] }

func (c *chunk) add(values [][]byte) {
	for _, value := range values {
		if value == nil {
			c.lengths = append(c.lengths, -1)
			continue
		}
		c.lengths = append(c.lengths, int32(len(value)))
		c.bytes = append(c.bytes, value...)
	}
}

// each calls fn with every row, in a value that it uses again.
func (c *chunk) each(fn func(*rawRow) error) error {
	var row rawRow
	at := 0
	for i, length := range c.lengths {
		column := i % linkColumns
		row[column] = nil
		if length >= 0 {
			row[column] = c.bytes[at : at+int(length) : at+int(length)]
			at += int(length)
		}
		if column == linkColumns-1 {
			if err := fn(&row); err != nil {
				return err
			}
		}
	}
	return nil
}

// scanLinks calls fn with every row of the organization, in the order of positions, and progress
// after each piece.
func scanLinks(
	ctx context.Context, tx pgx.Tx, organization uuid.UUID, fn func(link), progress func(),
) error {
	group, ctx := errgroup.WithContext(ctx)
	full := make(chan *chunk, chunksInReuse)
	free := make(chan *chunk, chunksInReuse)
	for range chunksInReuse {
		free <- &chunk{bytes: make([]byte, 0, chunkBytes+chunkBytes/4)}
	}
	group.Go(func() error {
		defer close(full)
		return readChunks(ctx, tx, organization, full, free)
	})
	group.Go(func() error {
		scratch := make([]byte, 0, headerRoom)
		for piece := range full {
			err := piece.each(func(row *rawRow) error {
				l, err := row.link(organization, &scratch)
				if err == nil {
					fn(l)
				}
				return err
			})
			if err != nil {
				return err
			}
			progress()
			free <- piece
		}
		return nil
	})
	return group.Wait()
}

func readChunks(
	ctx context.Context, tx pgx.Tx, organization uuid.UUID, full chan<- *chunk, free <-chan *chunk,
) error {
	after := int64(math.MinInt64)
	for {
		rows, err := tx.Query(ctx, linksSQL,
			pgx.QueryResultFormats{pgx.BinaryFormatCode}, organization, after)
		if err != nil {
			return fmt.Errorf("read the log's rows: %w", err)
		}
		count, last, err := readPage(ctx, rows, full, free)
		rows.Close()
		if err == nil {
			err = rows.Err()
		}
		if err != nil {
			return fmt.Errorf("read the log's rows: %w", err)
		}
		if count < linksPerPage {
			return nil
		}
		after = last
	}
}

// readPage hands on the rows of one page and returns how many there were and the last position.
func readPage(
	ctx context.Context, rows pgx.Rows, full chan<- *chunk, free <-chan *chunk,
) (count int, last int64, err error) {
	var piece *chunk
	send := func() error {
		select {
		case full <- piece:
			piece = nil
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	for rows.Next() {
		if piece == nil {
			select {
			case piece = <-free:
				piece.reset()
			case <-ctx.Done():
				return count, last, ctx.Err()
			}
		}
		values := rows.RawValues()
		piece.add(values)
		count++
		if last, err = rawInt64(values[atPosition]); err != nil {
			return count, last, err
		}
		if len(piece.bytes) >= chunkBytes {
			if err := send(); err != nil {
				return count, last, err
			}
		}
	}
	if piece != nil {
		err = send()
	}
	return count, last, err
}

// link computes what is checked of a row, in scratch.
func (r *rawRow) link(organization uuid.UUID, scratch *[]byte) (link, error) {
	l := link{stream: r[atStream]}
	var err error
	if l.position, err = rawInt64(r[atPosition]); err != nil {
		return l, err
	}
	if l.version, err = rawInt64(r[atVersion]); err != nil {
		return l, err
	}
	if l.recordedAt, err = rawInt64(r[atRecorded]); err != nil {
		return l, err
	}
	l.recordedAt += microsTo2000
	copy(l.stored[:], r[atLeaf])
	leaf, err := r.appendHeader(append((*scratch)[:0], 0x00), organization)
	if err != nil {
		return l, err
	}
	data, metadata := sha256.Sum256(r[atData]), sha256.Sum256(r[atMetadata])
	leaf = append(append(leaf, data[:]...), metadata[:]...)
	l.computed = sha256.Sum256(leaf)
	*scratch = leaf
	return l, nil
}

// appendHeader is AppendHeader from the columns as they are: subjects in the order they stand.
func (r *rawRow) appendHeader(dst []byte, organization uuid.UUID) ([]byte, error) {
	dst = appendID(dst, organization)
	dst = appendRaw(dst, r[atPosition])
	dst = appendRaw(dst, r[atBuilding])
	dst = appendRawSubjects(dst, r[atSubjects])
	for column := atStream; column <= atSchema; column++ {
		dst = appendRaw(dst, r[column])
	}
	for _, column := range []int{atRecorded, atEffective} {
		if r[column] == nil {
			dst = appendNull(dst)
			continue
		}
		instant, err := rawInt64(r[column])
		if err != nil {
			return dst, err
		}
		dst = appendInt64(dst, instant+microsTo2000)
	}
	return dst, nil
}

func appendRaw(dst, value []byte) []byte {
	if value == nil {
		return appendNull(dst)
	}
	return append(appendLength(dst, len(value)), value...)
}

// appendRawSubjects reads a one-dimensional uuid[] in PostgreSQL's binary form: dimensions, flags,
// type, length and lower bound, then each element with its length. What is no plain list of ids
// is taken as it is, which no leaf hash fits.
func appendRawSubjects(dst, value []byte) []byte {
	const head, element = 20, 4 + 16
	switch {
	case value == nil:
		return appendNull(dst)
	case len(value) == 12: // no dimension: an empty array
		return appendLength(dst, 0)
	case len(value) < head || (len(value)-head)%element != 0 || value[3] != 1 || value[7] != 0:
		return appendRaw(dst, value)
	}
	dst = appendLength(dst, (len(value)-head)/element*16)
	for at := head; at < len(value); at += element {
		dst = append(dst, value[at+4:at+element]...)
	}
	return dst
}

func rawInt64(value []byte) (int64, error) {
	if len(value) != 8 {
		return 0, fmt.Errorf("a column of log.events has %d bytes where 8 should stand", len(value))
	}
	return int64(binary.BigEndian.Uint64(value)), nil
}
