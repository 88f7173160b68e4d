package eventstore

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/google/uuid"
)

// exportFormat is the first word of a log's file; docs/log-format.md fixes the rest.
const exportFormat = "koprogo-log/1"

// fileHeader is the first line of a log's file.
type fileHeader struct {
	Format       string    `json:"format"`
	Organization uuid.UUID `json:"organization"`
	VerifierKey  string    `json:"verifier_key"`
	ExportedAt   time.Time `json:"exported_at"`
	Size         int64     `json:"size"`
}

// fileEvent is a line for one event. Data and Metadata are the stored texts, as JSON strings, so
// that no reader or writer of JSON touches their bytes.
type fileEvent struct {
	Position    int64       `json:"position"`
	Building    *uuid.UUID  `json:"building_id"`
	Subjects    []uuid.UUID `json:"subjects"`
	Stream      string      `json:"stream"`
	Version     int64       `json:"version"`
	ID          uuid.UUID   `json:"id"`
	Type        string      `json:"type"`
	Schema      int32       `json:"schema"`
	Data        string      `json:"data"`
	Metadata    string      `json:"metadata"`
	RecordedAt  time.Time   `json:"recorded_at"`
	EffectiveAt *time.Time  `json:"effective_at"`
	LeafHash    []byte      `json:"leaf_hash"`
}

// fileFooter is the last line.
type fileFooter struct {
	Checkpoint string `json:"checkpoint"`
}

const rowsPerExportPage = 1000

// Export writes the log of an organization to w as a file that VerifyFile checks without a
// database. Personal data stays sealed and no key is in the file. It returns an error, with the
// file incomplete or written to its end, when the rows do not give the tree that the checkpoint
// signs.
func (n *Notary) Export(
	ctx context.Context, organization uuid.UUID, at time.Time, w io.Writer,
) (Checkpoint, error) {
	checkpoint, err := n.signHead(ctx, organization)
	if err == nil {
		err = n.export(ctx, checkpoint, at, w)
	}
	if err != nil {
		return Checkpoint{}, fmt.Errorf("export the log of %s: %w", organization, err)
	}
	return checkpoint, nil
}

func (n *Notary) signHead(ctx context.Context, organization uuid.UUID) (Checkpoint, error) {
	heads, err := readHeads(ctx, n.ring.pool,
		`select `+headColumns+` from log.logs where organization_id = $1`, organization)
	if err != nil {
		return Checkpoint{}, err
	}
	if len(heads) == 0 {
		return Checkpoint{}, errors.New("there is no such log")
	}
	return n.Sign(ctx, heads[0])
}

func (n *Notary) export(
	ctx context.Context, checkpoint Checkpoint, at time.Time, w io.Writer,
) error {
	buffered := bufio.NewWriterSize(w, 1<<16)
	lines := json.NewEncoder(buffered)
	lines.SetEscapeHTML(false)
	header := fileHeader{
		Format: exportFormat, Organization: checkpoint.Organization,
		VerifierKey: checkpoint.VerifierKey, ExportedAt: at.UTC(), Size: checkpoint.Size,
	}
	if err := lines.Encode(header); err != nil {
		return err
	}
	// The log only grows, so pages need no snapshot and hold no connection between them.
	tree := NewTree()
	for tree.Size() < checkpoint.Size {
		limit := min(rowsPerExportPage, checkpoint.Size-tree.Size())
		page, err := n.page(ctx, checkpoint.Organization, tree.Size(), int(limit))
		if err != nil {
			return err
		}
		for i := range page {
			if page[i].Position != tree.Size()+1 {
				return fmt.Errorf("position %d is missing", tree.Size()+1)
			}
			if err := lines.Encode(lineOf(&page[i])); err != nil {
				return err
			}
			tree.Append(page[i].LeafHash)
		}
		if len(page) == 0 {
			return fmt.Errorf("position %d is missing", tree.Size()+1)
		}
	}
	if err := lines.Encode(fileFooter{Checkpoint: checkpoint.Note}); err != nil {
		return err
	}
	if err := buffered.Flush(); err != nil {
		return err
	}
	if tree.Root() != checkpoint.Root {
		return errors.New("the rows are not those that the checkpoint signs")
	}
	return nil
}

// page reads rows without decoding events, which a newer binary may have written.
func (n *Notary) page(
	ctx context.Context, organization uuid.UUID, after int64, limit int,
) ([]Recorded, error) {
	rows, err := n.ring.pool.Query(ctx, readSQL, organization, after, limit)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	page := make([]Recorded, 0, limit)
	for rows.Next() {
		recorded, err := ScanRecorded(rows)
		if err != nil {
			return nil, err
		}
		page = append(page, recorded)
	}
	return page, rows.Err()
}

func lineOf(r *Recorded) fileEvent {
	line := fileEvent{
		Position: r.Position, Subjects: r.Subjects, Stream: r.Stream.String(),
		Version: r.Version, ID: r.ID, Type: r.Type, Schema: int32(r.Schema),
		Data: string(r.Data), Metadata: string(r.Metadata),
		RecordedAt: r.RecordedAt, LeafHash: r.LeafHash[:],
	}
	if r.Building != uuid.Nil {
		line.Building = &r.Building
	}
	if !r.EffectiveAt.IsZero() {
		line.EffectiveAt = &r.EffectiveAt
	}
	return line
}
