package commands

import (
	"encoding/binary"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/koprogo/koprogo/events"
)

// packedLot is a lot as it was registered, in one piece of memory that points nowhere: a process
// may hold a hundred thousand, and each collection of its garbage would go through all of theirs.
// It begins with the id, and ends with the texts: number, normal number, sort key and, where it is
// none of lotTypes, the type.
type packedLot string

const idBytes = len(uuid.UUID{})

// packLot packs a lot. Its number in the normal form is a piece of it.
func packLot(e *events.LotRegistered) (packed packedLot, number string) {
	normal := normalNumber(e.Number)
	known := int64(slices.Index(lotTypes, e.Type))
	kind := e.Type
	if known >= 0 {
		kind = ""
	}
	room := make([]byte, 0, 96)
	room = append(room, e.LotID[:]...)
	if e.Floor != nil {
		room = binary.AppendVarint(append(room, 1), int64(*e.Floor))
	} else {
		room = append(room, 0)
	}
	for _, n := range []int64{
		int64(e.Surface), int64(e.Shares), known,
		int64(len(e.Number)), int64(len(normal)), int64(len(e.SortKey)),
	} {
		room = binary.AppendVarint(room, n)
	}
	from := len(room) + len(e.Number)
	all := string(room) + e.Number + normal + e.SortKey + kind
	return packedLot(all), all[from : from+len(normal)]
}

// id is the lot's, as 16 bytes.
func (p packedLot) id() string { return string(p[:idBytes]) }

// open is the lot as it was packed.
func (p packedLot) open() *events.LotRegistered {
	e := &events.LotRegistered{LotID: uuid.UUID([]byte(p[:idBytes]))}
	rest := strings.NewReader(string(p[idBytes:]))
	number := func() int64 {
		n, _ := binary.ReadVarint(rest) // what was packed is whole
		return n
	}
	if has, _ := rest.ReadByte(); has == 1 {
		floor := int(number())
		e.Floor = &floor
	}
	e.Surface, e.Shares = events.Area(number()), events.Shares(number())
	known, long, normal, key := number(), number(), number(), number()
	texts := string(p[len(p)-rest.Len():])
	e.Number, texts = texts[:long], texts[long+normal:]
	e.SortKey, e.Type = texts[:key], texts[key:]
	if known >= 0 {
		e.Type = lotTypes[known]
	}
	return e
}
