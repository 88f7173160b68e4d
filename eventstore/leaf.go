package eventstore

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"slices"

	"github.com/google/uuid"

	"github.com/koprogo/koprogo/events"
)

// docs/log-format.md fixes every byte below; a change of it makes every proof given so far void.

// nullLength stands before a column that is null, which an empty one is not.
const nullLength = 0xFFFFFFFF

// headerRoom holds the header of an event with a few subjects, so that hashing needs no memory
// from the heap; a longer header gets some.
const headerRoom = 640

// Leaf is the hash that the Merkle tree holds of r: SHA-256(0x00 ‖ header ‖ SHA-256(data) ‖
// SHA-256(metadata)). It reads every column of r but LeafHash.
func Leaf(r *Recorded) [32]byte {
	return LeafFromHashes(r, sha256.Sum256(r.Data), sha256.Sum256(r.Metadata))
}

// LeafFromHashes is Leaf for somebody who was given hashes in the place of r's data and metadata.
func LeafFromHashes(r *Recorded, data, metadata [32]byte) [32]byte {
	var room [headerRoom]byte
	leaf := AppendHeader(append(room[:0], 0x00), r)
	leaf = append(leaf, data[:]...)
	leaf = append(leaf, metadata[:]...)
	return sha256.Sum256(leaf)
}

// AppendHeader appends the header of r to dst: each column but data, metadata and leaf_hash, in
// the table's order.
func AppendHeader(dst []byte, r *Recorded) []byte {
	dst = appendID(dst, r.Organization)
	dst = appendInt64(dst, r.Position)
	if r.Building == uuid.Nil {
		dst = appendNull(dst)
	} else {
		dst = appendID(dst, r.Building)
	}
	dst = appendSubjects(dst, r.Subjects)
	dst = appendStream(dst, r.Stream)
	dst = appendInt64(dst, r.Version)
	dst = appendID(dst, r.ID)
	dst = appendText(dst, r.Type)
	dst = binary.BigEndian.AppendUint32(appendLength(dst, 4), uint32(r.Schema))
	dst = appendInt64(dst, r.RecordedAt.UnixMicro())
	if r.EffectiveAt.IsZero() {
		return appendNull(dst)
	}
	return appendInt64(dst, r.EffectiveAt.UnixMicro())
}

func appendSubjects(dst []byte, subjects []uuid.UUID) []byte {
	if subjects == nil {
		return appendNull(dst)
	}
	if !slices.IsSortedFunc(subjects, compareIDs) {
		subjects = slices.SortedFunc(slices.Values(subjects), compareIDs)
	}
	dst = appendLength(dst, 16*len(subjects))
	for i := range subjects {
		dst = append(dst, subjects[i][:]...)
	}
	return dst
}

func compareIDs(a, b uuid.UUID) int { return bytes.Compare(a[:], b[:]) }

// appendStream is appendText(dst, s.String()) without the string.
func appendStream(dst []byte, s events.Stream) []byte {
	dst = appendLength(dst, len(s.Category)+1+36)
	return appendIDText(append(append(dst, s.Category...), '-'), s.ID)
}

// appendIDText is append(dst, id.String()...) without the string.
func appendIDText(dst []byte, id uuid.UUID) []byte {
	dst = append(hex.AppendEncode(dst, id[0:4]), '-')
	dst = append(hex.AppendEncode(dst, id[4:6]), '-')
	dst = append(hex.AppendEncode(dst, id[6:8]), '-')
	dst = append(hex.AppendEncode(dst, id[8:10]), '-')
	return hex.AppendEncode(dst, id[10:16])
}

func appendLength(dst []byte, n int) []byte {
	return binary.BigEndian.AppendUint32(dst, uint32(n))
}

func appendNull(dst []byte) []byte { return appendLength(dst, nullLength) }

func appendID(dst []byte, id uuid.UUID) []byte { return append(appendLength(dst, 16), id[:]...) }

func appendText(dst []byte, text string) []byte {
	return append(appendLength(dst, len(text)), text...)
}

func appendInt64(dst []byte, n int64) []byte {
	return binary.BigEndian.AppendUint64(appendLength(dst, 8), uint64(n))
}
