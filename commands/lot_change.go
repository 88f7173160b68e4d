package commands

import (
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/koprogo/koprogo/events"
)

// Limits of a lot.
const (
	lowestFloor = -99
	highest     = 999
	maxSurface  = events.Area(1_000_000 * 10_000) // a million square metres
)

// lotTypes are the kinds of lots.
var lotTypes = []string{"apartment", "parking", "cellar", "commercial", "other"}

// RegisterLot enters a lot of a building. The same again under the same id changes nothing.
type RegisterLot struct {
	BuildingID uuid.UUID
	LotID      uuid.UUID
	Number     string
	Type       string
	Floor      Change[int]
	Surface    events.Area
	Shares     events.Shares
	SortKey    string // empty: made of the number, so that A2 comes before A10
}

// Stream is the building's.
func (c RegisterLot) Stream() events.Stream { return BuildingStream(c.BuildingID) }

// Decide refuses wrong fields, an id or number that another lot of the building has, and a lot
// beyond what the base deed names.
func (c RegisterLot) Decide(b Building) ([]events.Event, error) {
	if !b.Stands() {
		return nil, notFound("building")
	}
	wanted, err := checkLot(events.LotRegistered{
		LotID: c.LotID, Number: c.Number, Type: c.Type, Floor: floorOf(c.Floor, nil),
		Surface: c.Surface, Shares: c.Shares, SortKey: c.SortKey,
	})
	if err != nil {
		return nil, err
	}
	if lot := b.ever(c.LotID); lot != nil {
		if lot.Removed || !sameLot(*lot.First, wanted) {
			return nil, idTaken("lot")
		}
		return nil, nil
	}
	if err := b.free(wanted.Number, c.LotID); err != nil {
		return nil, err
	}
	if err := b.room(1, wanted.Shares); err != nil {
		return nil, err
	}
	return []events.Event{wanted}, nil
}

// ChangeLot changes the fields that it gives.
type ChangeLot struct {
	BuildingID uuid.UUID
	LotID      uuid.UUID
	Building   Change[uuid.UUID] // where it is given it repeats the lot's building
	Number     Change[string]
	Type       Change[string]
	Floor      Change[int]
	Surface    Change[events.Area]
	Shares     Change[events.Shares] // from today on
	SortKey    Change[string]        // cleared: made of the number again
	Now        time.Time
}

// Stream is the building's.
func (c ChangeLot) Stream() events.Stream { return BuildingStream(c.BuildingID) }

// Revision is the lot's.
func (c ChangeLot) Revision(b Building) int64 { return b.revision(c.LotID, c.Now) }

// Decide refuses wrong fields, another building, a number that another lot has, and shares beyond
// the building's total.
func (c ChangeLot) Decide(b Building) ([]events.Event, error) {
	lot := b.Lot(c.LotID)
	if !b.Stands() || lot == nil {
		return nil, notFound("lot")
	}
	if c.Building.Given && c.Building.Value != c.BuildingID {
		return nil, &Refused{
			Code: CodeUnchangeable, Field: "building_id", Reason: "a lot stays in its building",
		}
	}
	is := *lot.Facts
	wanted, err := checkLot(events.LotRegistered{
		LotID: c.LotID, Number: c.Number.over(is.Number), Type: c.Type.over(is.Type),
		Floor: floorOf(c.Floor, is.Floor), Surface: c.Surface.over(is.Surface),
		Shares: c.Shares.over(is.Shares), SortKey: c.sortKey(is),
	})
	if err != nil {
		return nil, err
	}
	if err := b.free(wanted.Number, c.LotID); err != nil {
		return nil, err
	}
	if err := b.room(0, wanted.Shares-is.Shares); err != nil {
		return nil, err
	}
	return b.lotChanges(is, wanted, b.today(c.Now)), nil
}

// sortKey keeps a key that somebody chose, and lets the others follow the number.
func (c ChangeLot) sortKey(is events.LotRegistered) string {
	if !c.SortKey.Given && !c.SortKey.Cleared && is.SortKey != naturalKey(is.Number) {
		return is.SortKey
	}
	return c.SortKey.or("")
}

// lotChanges are the facts that lead from is to wanted, shares from a day on.
func (b Building) lotChanges(is, wanted events.LotRegistered, from events.Day) []events.Event {
	var happened []events.Event
	shares := wanted.Shares
	wanted.Shares = is.Shares
	if !sameLot(is, wanted) {
		happened = append(happened, events.LotDescribed{
			LotID: is.LotID, Number: wanted.Number, Type: wanted.Type, Floor: wanted.Floor,
			Surface: wanted.Surface, SortKey: wanted.SortKey,
		})
	}
	if shares != is.Shares {
		happened = append(happened, events.LotSharesAmended{
			LotID: is.LotID, Shares: shares, Total: b.Facts.Shares, From: from,
		})
	}
	return happened
}

func sameLot(a, b events.LotRegistered) bool {
	floors := a.Floor == b.Floor || a.Floor != nil && b.Floor != nil && *a.Floor == *b.Floor
	a.Floor, b.Floor = nil, nil
	return floors && a == b
}

// floorOf is the floor after a change; nil where there is none.
func floorOf(change Change[int], is *int) *int {
	switch {
	case change.Given:
		return &change.Value
	case change.Cleared:
		return nil
	}
	return is
}

// checkLot brings a lot's fields into their stored form, or refuses those that are wrong.
func checkLot(f events.LotRegistered) (events.LotRegistered, error) {
	c := &check{}
	c.id(f.LotID)
	f.Number = c.name("number", f.Number)
	c.among("type", f.Type, lotTypes...)
	if f.Floor != nil {
		c.between("floor", *f.Floor, lowestFloor, highest)
	}
	if f.Surface < 1 || f.Surface > maxSurface {
		c.refuse("surface", CodeOutOfRange, "the surface is more than 0", "min", "0.0001",
			"max", strconv.Itoa(int(maxSurface/10_000)))
	}
	if f.Shares < 1 || f.Shares > events.WholeShares(maxShares) {
		c.refuse("shares", CodeOutOfRange, "the shares are more than 0", "min", "0.0001",
			"max", strconv.Itoa(maxShares))
	}
	if f.SortKey = c.line("sort_key", f.SortKey, maxName); f.SortKey == "" {
		f.SortKey = naturalKey(f.Number)
	}
	return f, c.err()
}

// free refuses a number that another lot of the building has.
func (l *lots) free(number string, lot uuid.UUID) error {
	if !l.bears(number) {
		return nil
	}
	if own := l.Lot(lot); own != nil && normalNumber(own.Facts.Number) == normalNumber(number) {
		return nil
	}
	return refuse(CodeUnitNumberTaken, "another lot of the building has this number")
}

// room refuses more lots or shares than the base deed names.
func (b Building) room(lots int, shares events.Shares) error {
	if lots <= 0 && shares <= 0 {
		return nil
	}
	b.Standing, b.Taken = b.Standing+lots, b.Taken+shares
	return b.fit(b.Facts.Lots, b.Facts.Shares)
}

// fit refuses totals below what the lots hold.
func (l *lots) fit(lots int, shares events.Shares) error {
	if l.Standing > lots {
		return refuse(CodeUnitsExceeded, "there are more lots than the base deed names",
			"units", strconv.Itoa(l.Standing), "total", strconv.Itoa(lots))
	}
	if l.Taken > shares {
		return refuse(CodeSharesExceeded, "the lots' shares are more than the total",
			"sum", l.Taken.String(), "total", shares.String())
	}
	return nil
}

// revision is that of a lot at an instant, which a day moves on which an ownership begins or has
// ended: who owns the lot is part of what is shown of it. It is 0 where there is none.
func (b Building) revision(id uuid.UUID, now time.Time) int64 {
	lot := b.Lot(id)
	if lot == nil {
		return 0
	}
	return lot.Revision + lot.turnedBy(b.today(now))
}

// RemoveLot takes a lot out of the books. Its number is free again, its id is not.
type RemoveLot struct {
	BuildingID uuid.UUID
	LotID      uuid.UUID
	Now        time.Time
}

// Stream is the building's.
func (c RemoveLot) Stream() events.Stream { return BuildingStream(c.BuildingID) }

// Revision is the lot's.
func (c RemoveLot) Revision(b Building) int64 { return b.revision(c.LotID, c.Now) }

// Decide refuses a lot that somebody owns, or will own.
func (c RemoveLot) Decide(b Building) ([]events.Event, error) {
	lot := b.Lot(c.LotID)
	if !b.Stands() || lot == nil {
		return nil, notFound("lot")
	}
	if lot.OwnedSince(b.today(c.Now)) {
		return nil, refuse(CodeUnitOwned, "the lot has owners")
	}
	return []events.Event{events.LotRemoved{LotID: c.LotID}}, nil
}
