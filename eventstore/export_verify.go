package eventstore

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/google/uuid"
)

// Findings of a file.
const (
	whatUnreadable  = "the line is not one that an export writes"
	whatFileCut     = "the file is cut off before its checkpoint"
	whatFileKey     = "the file names another verifier key than the one that was given"
	whatFileNote    = "the file's checkpoint is not signed by the file's key over its size"
	whatAfterFooter = "lines follow the checkpoint"
)

// maxLine bounds a line of a log's file: an event holds at most 1 MiB, which escapes may grow.
const maxLine = 16 << 20

// FileOptions say what VerifyFile holds a file against. Without them a file only proves that it
// fits together: whoever makes a log up can sign it with a key of his own.
type FileOptions struct {
	VerifierKey string   // the organization's, as it was learnt elsewhere; "" takes the file's word
	Against     []string // notes of checkpoints that somebody kept; those of other logs are ignored
	Progress    func(organization uuid.UUID, done, total int64)
}

// VerifyFile checks what Notary.Export wrote, without a database. An error means that r is no
// log's file or cannot be read.
func VerifyFile(r io.Reader, options FileOptions) (Report, error) {
	kept, err := readKept(options.Against)
	if err != nil {
		return Report{}, err
	}
	lines := bufio.NewScanner(r)
	lines.Buffer(make([]byte, 0, 1<<16), maxLine)
	header, err := readFileHeader(lines)
	if err != nil {
		return Report{}, fmt.Errorf("read a log's file: %w", err)
	}
	f := fileCheck{check: newChecker(header.Organization), header: header, options: options}
	f.check.expectSize(header.Size)
	f.check.report.VerifierKey = header.VerifierKey
	if options.VerifierKey != "" && options.VerifierKey != header.VerifierKey {
		f.check.add(header.Size, header.Size, whatFileKey)
		f.check.report.VerifierKey = options.VerifierKey
	}
	for _, checkpoint := range kept {
		if checkpoint.Organization == header.Organization && checkpoint.Size <= header.Size {
			f.check.keptCheckpoint(checkpoint)
		}
	}
	f.check.begin()
	for lines.Scan() {
		f.line(lines.Bytes())
	}
	if err := lines.Err(); err != nil {
		return Report{}, fmt.Errorf("read a log's file: %w", err)
	}
	one := f.finish()
	return Report{
		Whole: len(one.Findings) == 0, Organizations: []OrganizationReport{one},
	}, nil
}

func readFileHeader(lines *bufio.Scanner) (fileHeader, error) {
	var header fileHeader
	if !lines.Scan() {
		return header, errors.Join(errors.New("it is empty"), lines.Err())
	}
	if err := json.Unmarshal(lines.Bytes(), &header); err != nil {
		return header, errors.New("its first line is no JSON")
	}
	if header.Format != exportFormat {
		return header, fmt.Errorf("its format is not %s", exportFormat)
	}
	if header.Size < 0 {
		return header, errors.New("its size is negative")
	}
	return header, nil
}

// fileCheck goes through the lines behind the header.
type fileCheck struct {
	check   *checker
	header  fileHeader
	options FileOptions
	again   bytes.Buffer
	footer  bool
	trailed bool
}

func (f *fileCheck) line(text []byte) {
	switch {
	case f.footer:
		f.trailed = true
		return
	case bytes.HasPrefix(text, []byte(`{"checkpoint":`)):
		f.foot(text)
		return
	}
	l, err := f.link(text)
	if err != nil {
		// The positions that no readable line has are found missing.
		f.check.add(f.check.next, f.check.next, whatUnreadable)
		return
	}
	f.check.row(l)
	if f.options.Progress != nil && l.position%1000 == 0 {
		f.options.Progress(f.header.Organization, l.position, f.header.Size)
	}
}

// link computes what is checked of an event's line.
func (f *fileCheck) link(text []byte) (link, error) {
	var e fileEvent
	if err := json.Unmarshal(text, &e); err != nil {
		return link{}, err
	}
	// A name given twice or in capitals would let two readers see two texts.
	if !bytes.Equal(f.canonical(e), text) {
		return link{}, errors.New("it is not as an export writes it")
	}
	l := link{
		position: e.Position, version: e.Version, stream: []byte(e.Stream),
		recordedAt: e.RecordedAt.UnixMicro(),
	}
	copy(l.stored[:], e.LeafHash)
	leaf := appendFileHeader([]byte{0x00}, f.header.Organization, &e)
	data, metadata := sha256.Sum256([]byte(e.Data)), sha256.Sum256([]byte(e.Metadata))
	l.computed = sha256.Sum256(append(append(leaf, data[:]...), metadata[:]...))
	return l, nil
}

// canonical is the line that an export writes for e.
func (f *fileCheck) canonical(e fileEvent) []byte {
	f.again.Reset()
	encoder := json.NewEncoder(&f.again)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(e); err != nil {
		return nil
	}
	return bytes.TrimSuffix(f.again.Bytes(), []byte("\n"))
}

// appendFileHeader is AppendHeader for a line: stream as it is written, subjects as they stand.
func appendFileHeader(dst []byte, organization uuid.UUID, e *fileEvent) []byte {
	dst = appendInt64(appendID(dst, organization), e.Position)
	if e.Building == nil {
		dst = appendNull(dst)
	} else {
		dst = appendID(dst, *e.Building)
	}
	if e.Subjects == nil {
		dst = appendNull(dst)
	} else {
		dst = appendLength(dst, 16*len(e.Subjects))
		for _, subject := range e.Subjects {
			dst = append(dst, subject[:]...)
		}
	}
	dst = appendInt64(appendText(dst, e.Stream), e.Version)
	dst = appendText(appendID(dst, e.ID), e.Type)
	dst = binary.BigEndian.AppendUint32(appendLength(dst, 4), uint32(e.Schema))
	dst = appendInt64(dst, e.RecordedAt.UnixMicro())
	if e.EffectiveAt == nil {
		return appendNull(dst)
	}
	return appendInt64(dst, e.EffectiveAt.UnixMicro())
}

// foot takes the file's checkpoint as the last witness.
func (f *fileCheck) foot(text []byte) {
	f.footer = true
	var footer fileFooter
	err := json.Unmarshal(text, &footer)
	checkpoint, verified := VerifyNote(footer.Checkpoint, f.check.report.VerifierKey)
	if err != nil || verified != nil || checkpoint.Organization != f.header.Organization ||
		checkpoint.Size != f.header.Size {
		f.check.add(f.header.Size, f.header.Size, whatFileNote)
		return
	}
	f.check.lastWitness(witness{size: checkpoint.Size, root: checkpoint.Root})
}

func (f *fileCheck) finish() OrganizationReport {
	if !f.footer {
		f.check.add(f.header.Size, f.header.Size, whatFileCut)
	}
	if f.trailed {
		f.check.add(f.header.Size, f.header.Size, whatAfterFooter)
	}
	f.check.end()
	return f.check.finish()
}
