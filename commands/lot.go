package commands

import (
	"cmp"
	"slices"
	"strings"

	"github.com/google/uuid"
	"github.com/tidwall/btree"

	"github.com/koprogo/koprogo/events"
	"github.com/koprogo/koprogo/eventstore"
	"github.com/koprogo/koprogo/eventstore/packed"
)

// Lot is what the rules ask of one lot of a building. It is shared between states and never
// changed.
type Lot struct {
	First      *events.LotRegistered // as it was registered
	Facts      *events.LotRegistered // as it is
	Revision   int64                 // counts what changed the lot or its ownerships, days apart
	Ownerships []*Ownership          // all there ever were, by when they were entered
	amended    []sharesFrom          // by day
	named      int32                 // how often a primary contact was named
	Removed    bool
}

// ID is the lot's.
func (l *Lot) ID() uuid.UUID { return l.First.LotID }

// sharesFrom are a lot's shares from a day on.
type sharesFrom struct {
	from   events.Day
	shares events.Shares
}

// SharesOn are the lot's shares on a day: those that it was registered with hold until others were
// to.
func (l *Lot) SharesOn(day events.Day) events.Shares {
	for i := len(l.amended) - 1; i >= 0; i-- {
		if l.amended[i].from <= day {
			return l.amended[i].shares
		}
	}
	return l.First.Shares
}

// lots are a building's lots, removed ones too, with sums over those that stand. Its zero value
// holds none. A copy of it is another value: evolving one leaves the other as it was.
type lots struct {
	Standing  int                     // how many stand
	Taken     events.Shares           // the shares that these hold together
	unchanged packed.Map              // those still as they were registered, as most are, by id
	changed   btree.Map[string, *Lot] // the others, by id
	numbers   packed.Map              // of those that stand, in their normal form
}

// lotsDegree makes small nodes: for every lot that changes, those on the way to it are copied.
const lotsDegree = 8

// asRegistered is a lot that nothing has changed.
func asRegistered(id uuid.UUID, packed string) *Lot {
	first := unpackLot(id, packed)
	return &Lot{First: first, Facts: first, Revision: 1}
}

// Lot returns a lot that stands; nil when the building has none of this id.
func (l *lots) Lot(id uuid.UUID) *Lot {
	if lot := l.ever(id); lot != nil && !lot.Removed {
		return lot
	}
	return nil
}

// ever returns the lot also when it was removed.
func (l *lots) ever(id uuid.UUID) *Lot {
	if lot, known := l.changed.Get(string(id[:])); known {
		return lot
	}
	if lot, known := l.unchanged.Get(string(id[:])); known {
		return asRegistered(id, lot)
	}
	return nil
}

// Lots lists the lots that stand in their order: by sort key, then id.
func (l *lots) Lots() []*Lot {
	standing := make([]*Lot, 0, l.Standing)
	for id, lot := range l.unchanged.All() {
		standing = append(standing, asRegistered(uuid.UUID([]byte(id)), lot))
	}
	l.changed.Scan(func(_ string, lot *Lot) bool {
		if !lot.Removed {
			standing = append(standing, lot)
		}
		return true
	})
	slices.SortFunc(standing, func(a, b *Lot) int {
		return cmp.Or(strings.Compare(a.Facts.SortKey, b.Facts.SortKey),
			slices.Compare(a.First.LotID[:], b.First.LotID[:]))
	})
	return standing
}

// addNumber makes a number, in its normal form, one that a lot bears, dropNumber one that none
// does. What other states hold stays as it was: they share what does not differ.
func (l *lots) addNumber(number string) {
	l.numbers = l.numbers.With(number, "")
}

func (l *lots) dropNumber(number string) {
	l.numbers = l.numbers.Without(number)
}

// bears tells whether a lot that stands has the number.
func (l *lots) bears(number string) bool {
	_, borne := l.numbers.Get(normalNumber(number))
	return borne
}

// evolve folds a fact of a lot or an ownership; others leave the lots as they are.
func (l lots) evolve(event events.Event) lots {
	switch e := event.(type) {
	case events.LotRegistered:
		l.Standing, l.Taken = l.Standing+1, l.Taken+e.Shares
		l.addNumber(normalNumber(e.Number))
		l.unchanged = l.unchanged.With(string(e.LotID[:]), packLot(&e))
	case events.LotDescribed:
		return l.change(e.LotID, func(lot *Lot, of *lots) { of.describe(lot, e) })
	case events.LotSharesAmended:
		return l.change(e.LotID, func(lot *Lot, of *lots) {
			of.Taken += e.Shares - lot.Facts.Shares
			facts := *lot.Facts
			facts.Shares = e.Shares
			lot.Facts, lot.amended = &facts, amendShares(lot.amended, e)
		})
	case events.LotRemoved:
		return l.change(e.LotID, func(lot *Lot, of *lots) {
			of.Standing, of.Taken = of.Standing-1, of.Taken-lot.Facts.Shares
			of.dropNumber(normalNumber(lot.Facts.Number))
			lot.Removed = true
		})
	case events.OwnershipStarted:
		return l.change(e.LotID, func(lot *Lot, _ *lots) { lot.start(e) })
	case events.OwnershipFractionAmended:
		return l.change(e.LotID, func(lot *Lot, _ *lots) { lot.amend(e) })
	case events.OwnershipEnded:
		return l.change(e.LotID, func(lot *Lot, _ *lots) { lot.end(e) })
	case events.OwnershipContactNamed:
		return l.change(e.LotID, func(lot *Lot, _ *lots) { lot.name(e.OwnershipID) })
	}
	return l
}

// change changes a copy of a lot, and what is known of all of them.
func (l lots) change(id uuid.UUID, change func(lot *Lot, of *lots)) lots {
	known := l.ever(id)
	if known == nil {
		return l
	}
	lot := *known
	lot.Revision++
	change(&lot, &l)
	if _, first := l.unchanged.Get(string(id[:])); first {
		l.unchanged = l.unchanged.Without(string(id[:]))
	}
	others := l.changed.Copy()
	if others.Len() == 0 {
		others = btree.NewMap[string, *Lot](lotsDegree)
	}
	others.Set(string(id[:]), &lot)
	l.changed = *others
	return l
}

func (l *lots) describe(lot *Lot, e events.LotDescribed) {
	l.dropNumber(normalNumber(lot.Facts.Number))
	l.addNumber(normalNumber(e.Number))
	facts := *lot.Facts
	facts.Number, facts.Type, facts.Floor = e.Number, e.Type, e.Floor
	facts.Surface, facts.SortKey = e.Surface, e.SortKey
	lot.Facts = &facts
}

// amendShares are the days with one more; what was to hold on later days does not.
func amendShares(before []sharesFrom, e events.LotSharesAmended) []sharesFrom {
	kept := slices.IndexFunc(before, func(s sharesFrom) bool { return s.from >= e.From })
	if kept < 0 {
		kept = len(before)
	}
	return append(before[:kept:kept], sharesFrom{e.From, e.Shares})
}

// normalNumber is what makes two lots' numbers the same: those that look the same on a door.
func normalNumber(number string) string { return events.NormalText(number) }

// naturalDigits is the width that numbers are filled up to in a sort key.
const naturalDigits = 6

// naturalKey is the sort key of a number: compared byte by byte it puts A2 before A10. Digits are
// filled up with zeros; a longer row of digits comes behind every shorter one.
func naturalKey(number string) string {
	var key, digits strings.Builder
	flush := func() {
		if digits.Len() == 0 {
			return
		}
		run := strings.TrimLeft(digits.String(), "0")
		key.WriteString(strings.Repeat("0", max(0, naturalDigits-len(run))))
		key.WriteString(strings.Repeat(":", max(0, len(run)-naturalDigits)))
		key.WriteString(run)
		digits.Reset()
	}
	for _, r := range normalNumber(number) {
		if '0' <= r && r <= '9' {
			digits.WriteRune(r)
			continue
		}
		flush()
		key.WriteRune(r)
	}
	flush()
	return cutRunes(key.String(), maxName)
}

// cutRunes is the text's beginning, of at most n characters.
func cutRunes(text string, n int) string {
	if runes := []rune(text); len(runes) > n {
		return string(runes[:n])
	}
	return text
}

// claimedBy are the claims that a fact of a building takes for ever: the lots of all buildings of
// an organization share one space of ids, as do all ownerships, and an id is not used again after
// a removal. They are not the state's Claims: a building may have thousands.
func claimedBy(building events.Stream, event events.Event) []eventstore.Claim {
	switch e := event.(type) {
	case events.LotRegistered:
		return []eventstore.Claim{{Kind: claimLot, Value: e.LotID.String(), Holder: building}}
	case events.OwnershipStarted:
		lot := events.Stream{Category: claimLot, ID: e.LotID}
		return []eventstore.Claim{{
			Kind: claimOwnership, Value: e.OwnershipID.String(), Holder: lot,
		}}
	}
	return nil
}
