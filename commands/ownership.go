package commands

import (
	"cmp"
	"math/big"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/koprogo/koprogo/events"
)

// Ownership is a dated relation of a lot and an owner. It is shared between states and never
// changed.
type Ownership struct {
	ID       uuid.UUID
	Owner    uuid.UUID
	Right    string
	From     events.Day
	To       events.Day // its last day; "" while none is known; before From where it was never held
	Revision int64      // counts what changed it
	First    *events.OwnershipStarted
	steps    []fractionFrom // by day, the first from From
	named    int32          // when it was named the primary contact, 0 for never: the latest wins
}

// fractionFrom is a fraction from a day on.
type fractionFrom struct {
	from     events.Day
	fraction events.Fraction
}

// RunsOn tells whether the ownership is held on a day.
func (o *Ownership) RunsOn(day events.Day) bool { return o.From <= day && !o.OverOn(day) }

// OverOn tells whether the ownership has ended before a day.
func (o *Ownership) OverOn(day events.Day) bool { return o.To != "" && o.To < day }

// FractionOn is what is held on a day; the zero value on a day on which it is not held.
func (o *Ownership) FractionOn(day events.Day) events.Fraction {
	if !o.RunsOn(day) {
		return events.Fraction{}
	}
	held := events.Fraction{}
	for _, step := range o.steps {
		if step.from <= day {
			held = step.fraction
		}
	}
	return held
}

// settledOn tells whether the ownership holds a fraction from a day on, for good.
func (o *Ownership) settledOn(day events.Day, fraction events.Fraction) bool {
	return o.steps[len(o.steps)-1].from <= day && o.FractionOn(day) == fraction
}

// Ownership returns one of the lot's ownerships; nil when it has none of this id.
func (l *Lot) Ownership(id uuid.UUID) *Ownership {
	for _, o := range l.Ownerships {
		if o.ID == id {
			return o
		}
	}
	return nil
}

// OwnersOn lists the ownerships that run on a day: by first day, then owner, then as entered.
func (l *Lot) OwnersOn(day events.Day) []*Ownership {
	var running []*Ownership
	for _, o := range l.Ownerships {
		if o.RunsOn(day) {
			running = append(running, o)
		}
	}
	slices.SortStableFunc(running, earlier)
	return running
}

func earlier(a, b *Ownership) int {
	return cmp.Or(cmp.Compare(a.From, b.From), slices.Compare(a.Owner[:], b.Owner[:]))
}

// PrimaryOn is the lot's primary contact on a day: of those who own it then, the one named last,
// else the earliest. It is nil on a day on which nobody owns the lot.
func (l *Lot) PrimaryOn(day events.Day) *Ownership {
	var primary *Ownership
	for _, o := range l.OwnersOn(day) {
		if primary == nil || o.named > primary.named {
			primary = o
		}
	}
	return primary
}

// OwnedSince tells whether somebody owns the lot on a day or will later.
func (l *Lot) OwnedSince(day events.Day) bool {
	return slices.ContainsFunc(l.Ownerships, func(o *Ownership) bool {
		return !o.OverOn(day) && (o.To == "" || o.To >= o.From)
	})
}

// start, amend, end and name fold a fact into a lot that nobody else sees yet.

func (l *Lot) start(e events.OwnershipStarted) {
	o := &Ownership{
		ID: e.OwnershipID, Owner: e.OwnerID, Right: e.Right, From: e.From, First: &e,
		steps: []fractionFrom{{e.From, e.Fraction}},
	}
	l.Ownerships = append(l.Ownerships[:len(l.Ownerships):len(l.Ownerships)], o)
	o.Revision = 1
	if e.PrimaryContact {
		l.name(o.ID)
		o = l.Ownership(o.ID)
		o.Revision = 1
	}
}

func (l *Lot) amend(e events.OwnershipFractionAmended) {
	l.alter(e.OwnershipID, func(o *Ownership) {
		kept := slices.IndexFunc(o.steps, func(s fractionFrom) bool { return s.from >= e.From })
		if kept < 0 {
			kept = len(o.steps)
		}
		o.steps = append(o.steps[:kept:kept], fractionFrom{e.From, e.Fraction})
	})
}

func (l *Lot) end(e events.OwnershipEnded) {
	l.alter(e.OwnershipID, func(o *Ownership) {
		if o.To != "" {
			l.Revision++ // the end that is replaced may have been counted by turnedBy
		}
		o.To = e.To
	})
}

// turnedBy counts the days up to one on which an ownership began or was over.
func (l *Lot) turnedBy(day events.Day) (turned int64) {
	for _, o := range l.Ownerships {
		if o.From <= day {
			turned++
		}
		if o.OverOn(day) {
			turned++
		}
	}
	return turned
}

// name makes an ownership the one named last; the one that was changes with it.
func (l *Lot) name(id uuid.UUID) {
	before := l.named
	l.named++
	for _, o := range l.Ownerships {
		if before > 0 && o.named == before && o.ID != id {
			l.alter(o.ID, func(*Ownership) {})
		}
	}
	l.alter(id, func(o *Ownership) { o.named = l.named })
}

// alter puts a changed copy of an ownership in its place.
func (l *Lot) alter(id uuid.UUID, change func(*Ownership)) {
	i := slices.IndexFunc(l.Ownerships, func(o *Ownership) bool { return o.ID == id })
	if i < 0 {
		return
	}
	changed := *l.Ownerships[i]
	changed.Revision++
	change(&changed)
	l.Ownerships = slices.Clone(l.Ownerships)
	l.Ownerships[i] = &changed
}

// Held is how much of a lot is owned on a day, by right.
type Held struct{ Full, Bare, Usufruct *big.Rat }

// HeldOn sums the fractions of a day, exactly.
func (l *Lot) HeldOn(day events.Day) Held {
	held := Held{new(big.Rat), new(big.Rat), new(big.Rat)}
	for _, o := range l.Ownerships {
		fraction := o.FractionOn(day)
		if fraction.IsZero() {
			continue
		}
		switch o.Right {
		case events.RightFull:
			held.Full.Add(held.Full, fraction.Rat())
		case events.RightBare:
			held.Bare.Add(held.Bare, fraction.Rat())
		default:
			held.Usufruct.Add(held.Usufruct, fraction.Rat())
		}
	}
	return held
}

// WithBare is full and bare ownership together: the total that is shown. WithUsufruct is full
// ownership and usufruct. Neither is ever more than the whole.
func (h Held) WithBare() *big.Rat     { return new(big.Rat).Add(h.Full, h.Bare) }
func (h Held) WithUsufruct() *big.Rat { return new(big.Rat).Add(h.Full, h.Usufruct) }

// checkHeld refuses a lot of which more than the whole is held on some day; before is the lot as
// it is, of which the refusal says how much is held on that day.
func checkHeld(before, after *Lot) error {
	whole := big.NewRat(1, 1)
	for _, day := range after.turns() {
		held := after.HeldOn(day)
		switch {
		case held.WithBare().Cmp(whole) > 0:
			return ownershipExceeded(day, before.HeldOn(day).WithBare())
		case held.WithUsufruct().Cmp(whole) > 0:
			return ownershipExceeded(day, before.HeldOn(day).WithUsufruct())
		}
	}
	return nil
}

func ownershipExceeded(day events.Day, present *big.Rat) *Refused {
	return refuse(CodeOwnershipExceeded, "more than the whole lot would be owned",
		"sum", ShownPercentage(present), "fraction", present.RatString(), "day", string(day))
}

// turns are the days on which what is held may grow.
func (l *Lot) turns() []events.Day {
	var days []events.Day
	for _, o := range l.Ownerships {
		for _, step := range o.steps {
			days = append(days, step.from)
		}
	}
	slices.Sort(days)
	return slices.Compact(days)
}

// ShownPercentage writes a part of the whole as people read it: 3/5 is 60.00%.
func ShownPercentage(part *big.Rat) string {
	return new(big.Rat).Mul(part, big.NewRat(100, 1)).FloatString(2) + "%"
}

// today is the calendar day at an instant where the building stands.
func (b Building) today(now time.Time) events.Day {
	zone, err := events.Zone(b.Facts.Zone)
	if err != nil {
		zone = time.UTC
	}
	return dayOf(now.In(zone))
}

func dayOf(at time.Time) events.Day { return events.Day(at.Format(time.DateOnly)) }

// before is the day before; a day was parsed where it came in.
func before(day events.Day) events.Day {
	at, err := time.Parse(time.DateOnly, string(day))
	if err != nil {
		return ""
	}
	return dayOf(at.AddDate(0, 0, -1))
}
