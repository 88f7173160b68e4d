package commands

import (
	"encoding/binary"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/koprogo/koprogo/events"
)

// packLot packs a lot as it was registered, without its id. The piece ends with the texts: number,
// sort key and, where it is none of lotTypes, the type. A process may hold a hundred thousand.
func packLot(e *events.LotRegistered) string {
	known := int64(slices.Index(lotTypes, e.Type))
	kind := e.Type
	if known >= 0 {
		kind = ""
	}
	room := make([]byte, 0, 96)
	if e.Floor != nil {
		room = binary.AppendVarint(append(room, 1), int64(*e.Floor))
	} else {
		room = append(room, 0)
	}
	for _, n := range []int64{
		int64(e.Surface), int64(e.Shares), known,
		int64(len(e.Number)), int64(len(e.SortKey)),
	} {
		room = binary.AppendVarint(room, n)
	}
	return string(append(append(append(room, e.Number...), e.SortKey...), kind...))
}

// unpackLot is the lot of an id as it was packed.
func unpackLot(id uuid.UUID, packed string) *events.LotRegistered {
	e := &events.LotRegistered{LotID: id}
	rest := strings.NewReader(packed)
	number := func() int64 {
		n, _ := binary.ReadVarint(rest) // what was packed is whole
		return n
	}
	if has, _ := rest.ReadByte(); has == 1 {
		floor := int(number())
		e.Floor = &floor
	}
	e.Surface, e.Shares = events.Area(number()), events.Shares(number())
	known, long, key := number(), number(), number()
	texts := strings.Clone(packed[len(packed)-rest.Len():]) // not the page that they stand in
	e.Number, texts = texts[:long], texts[long:]
	e.SortKey, e.Type = texts[:key], texts[key:]
	if known >= 0 {
		e.Type = lotTypes[known]
	}
	return e
}
