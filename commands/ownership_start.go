package commands

import (
	"time"

	"github.com/google/uuid"

	"github.com/koprogo/koprogo/events"
)

const maxDeed = maxName // characters of a deed's reference

var rights = []string{events.RightFull, events.RightUsufruct, events.RightBare}

// OnLot is what commands about the ownership of a lot share: which lot, and their clock.
type OnLot struct {
	BuildingID uuid.UUID
	LotID      uuid.UUID
	Now        time.Time
}

// Stream is the building's.
func (c OnLot) Stream() events.Stream { return BuildingStream(c.BuildingID) }

// Revision is the lot's: whoever names one saw the lot with the owners that it had.
func (c OnLot) Revision(b Building) int64 { return b.revision(c.LotID, c.Now) }

// lot returns the lot and the day that it is where it stands.
func (c OnLot) lot(b Building) (*Lot, events.Day, error) {
	lot := b.Lot(c.LotID)
	if !b.Stands() || lot == nil {
		return nil, "", notFound("lot")
	}
	return lot, b.today(c.Now), nil
}

// readOwners loads owners, whose streams note what they hold, and refuses one who is not in the
// books.
func readOwners(r *Reader, ids ...uuid.UUID) error {
	for _, id := range ids {
		owner, err := Load[Owner](r, OwnerStream(id))
		if err != nil {
			return err
		}
		if !owner.Stands() {
			return notFound("owner")
		}
	}
	return nil
}

// decision collects the facts of a decision about a lot, and the lot that they lead to.
type decision struct {
	building uuid.UUID
	before   *Lot
	lot      Lot
	today    events.Day
	happened []events.Event
}

func (c OnLot) decide(b Building) (*decision, error) {
	lot, today, err := c.lot(b)
	if err != nil {
		return nil, err
	}
	return &decision{building: c.BuildingID, before: lot, lot: *lot, today: today}, nil
}

// facts are what was decided, unless too much of the lot would be owned.
func (d *decision) facts() ([]events.Event, error) {
	if err := checkHeld(d.before, &d.lot); err != nil {
		return nil, err
	}
	return d.happened, nil
}

func (d *decision) start(e events.OwnershipStarted) {
	d.lot.start(e)
	d.happened = append(d.happened, e, Elsewhere(OwnerStream(e.OwnerID), events.OwnerHoldingBegun{
		OwnershipID: e.OwnershipID, Building: d.building, LotID: e.LotID,
	}))
}

func (d *decision) amend(o *Ownership, fraction events.Fraction, from events.Day, deed string) {
	e := events.OwnershipFractionAmended{
		OwnershipID: o.ID, LotID: d.lot.ID(), OwnerID: o.Owner, Fraction: fraction, From: from,
		DeedReference: deed,
	}
	d.lot.amend(e)
	d.happened = append(d.happened, e)
}

// end gives an ownership its last day. Its owner's stream notes it the first time.
func (d *decision) end(o *Ownership, to events.Day, soldTo uuid.UUID) {
	if o.To == to {
		return
	}
	e := events.OwnershipEnded{
		OwnershipID: o.ID, LotID: d.lot.ID(), OwnerID: o.Owner, To: to, SoldTo: soldTo,
	}
	d.lot.end(e)
	d.happened = append(d.happened, e)
	if o.To == "" {
		d.happened = append(d.happened, Elsewhere(OwnerStream(o.Owner),
			events.OwnerHoldingEnded{OwnershipID: o.ID}))
	}
}

func (d *decision) name(o *Ownership) {
	d.lot.name(o.ID)
	d.happened = append(d.happened, events.OwnershipContactNamed{
		OwnershipID: o.ID, LotID: d.lot.ID(), OwnerID: o.Owner,
	})
}

// succeed names another primary contact when the one that was owns the lot no more: the owner who
// came first. Where he goes on a later day, nobody is named before it; PrimaryOn says who it is
// then.
func (d *decision) succeed() {
	was, is := d.before.PrimaryOn(d.today), d.lot.PrimaryOn(d.today)
	if was == nil || is == nil || d.lot.Ownership(was.ID).RunsOn(d.today) ||
		is.named > 0 && is.named == d.lot.named {
		return
	}
	d.name(d.lot.OwnersOn(d.today)[0])
}

// inWay is an ownership of the same owner and right that does not end before a day.
func (d *decision) inWay(owner uuid.UUID, right string, day events.Day) *Ownership {
	for _, o := range d.lot.Ownerships {
		if o.Owner == owner && o.Right == right && !o.OverOn(day) &&
			(o.To == "" || o.From <= o.To) {
			return o
		}
	}
	return nil
}

func alreadyOwner() *Refused {
	return refuse(CodeAlreadyOwner, "the owner holds this right in the lot already")
}

// outside refuses a day on which an ownership does not run.
func outside(o *Ownership) *Refused {
	return refuse(CodeOwnershipDates, "the day is not one of the ownership's",
		"from", string(o.From), "to", string(o.To))
}

// StartOwnership gives an owner a fraction of a lot. The same again under the same id changes
// nothing.
type StartOwnership struct {
	OnLot
	OwnershipID    uuid.UUID
	OwnerID        uuid.UUID
	Fraction       events.Fraction
	Right          Change[string]     // full unless given
	From           Change[events.Day] // today where the building stands unless given
	PrimaryContact bool               // in place of the one that is; the first owner is anyway
	DeedReference  string
}

// Read loads the owner.
func (c StartOwnership) Read(r *Reader) error { return readOwners(r, c.OwnerID) }

// Decide refuses wrong fields, an owner who holds the same right in the lot, and more than the
// whole of a lot on any day.
func (c StartOwnership) Decide(b Building) ([]events.Event, error) {
	d, err := c.decide(b)
	if err != nil {
		return nil, err
	}
	check := &check{}
	check.id(c.OwnershipID)
	e := events.OwnershipStarted{
		OwnershipID: c.OwnershipID, LotID: c.LotID, OwnerID: c.OwnerID, Fraction: c.Fraction,
		Right: c.Right.or(events.RightFull), From: c.From.or(d.today),
		PrimaryContact: c.PrimaryContact,
		DeedReference:  check.line("deed_reference", c.DeedReference, maxDeed),
	}
	check.among("right", e.Right, rights...)
	check.day("from", e.From)
	check.fraction("fraction", e.Fraction)
	if err := check.err(); err != nil {
		return nil, err
	}
	if o := d.lot.Ownership(c.OwnershipID); o != nil {
		if !c.repeats(o, e) {
			return nil, idTaken("ownership")
		}
		return nil, nil
	}
	if d.inWay(e.OwnerID, e.Right, e.From) != nil {
		return nil, alreadyOwner()
	}
	e.PrimaryContact = e.PrimaryContact || len(d.lot.OwnersOn(e.From)) == 0
	d.start(e)
	return d.facts()
}

// repeats tells whether e asks again for what an ownership was made by. The first owner is the
// primary contact whatever was asked.
func (c StartOwnership) repeats(o *Ownership, e events.OwnershipStarted) bool {
	if !c.From.Given {
		e.From = o.First.From
	}
	e.PrimaryContact = e.PrimaryContact || o.First.PrimaryContact
	return *o.First == e
}

func (c *check) fraction(field string, fraction events.Fraction) {
	if fraction.IsZero() {
		c.refuse(field, CodeRequired, "the field is required")
	} else if fraction.Compare(events.WholeFraction) > 0 {
		c.refuse(field, CodeOutOfRange, "the fraction is more than the whole", "min", "0",
			"max", "1")
	}
}

// ChangeOwnership gives an ownership that is not over another fraction from a day on, or makes it
// the lot's primary contact.
type ChangeOwnership struct {
	OnLot
	OwnershipID    uuid.UUID
	Fraction       Change[events.Fraction]
	From           Change[events.Day] // today, or the ownership's first day, unless given
	PrimaryContact Change[bool]
}

// Revision is the ownership's.
func (c ChangeOwnership) Revision(b Building) int64 {
	if lot := b.Lot(c.LotID); lot != nil {
		if o := lot.Ownership(c.OwnershipID); o != nil {
			return o.Revision
		}
	}
	return 0
}

// Decide refuses an ownership that is over, a day outside it, more than the whole of a lot on any
// day, and to leave a lot without primary contact.
func (c ChangeOwnership) Decide(b Building) ([]events.Event, error) {
	d, err := c.decide(b)
	if err != nil {
		return nil, err
	}
	o := d.lot.Ownership(c.OwnershipID)
	if o == nil {
		return nil, notFound("ownership")
	}
	check := &check{}
	from := c.From.or(max(d.today, o.From))
	check.day("from", from)
	if c.Fraction.Given || c.Fraction.Cleared {
		check.fraction("fraction", c.Fraction.Value)
	}
	if err := check.err(); err != nil {
		return nil, err
	}
	if o.OverOn(d.today) || from < o.From || o.OverOn(from) {
		return nil, outside(o)
	}
	if c.Fraction.Given && !o.settledOn(from, c.Fraction.Value) {
		d.amend(o, c.Fraction.Value, from, "")
	}
	if c.PrimaryContact.Given {
		if err := d.contact(o, c.PrimaryContact.Value); err != nil {
			return nil, err
		}
	}
	return d.facts()
}

// contact makes an ownership the primary contact, or another one in its place.
func (d *decision) contact(o *Ownership, primary bool) error {
	day := max(d.today, o.From)
	is := d.lot.PrimaryOn(day)
	switch {
	case primary && (is == nil || is.ID != o.ID):
		d.name(o)
	case !primary && is != nil && is.ID == o.ID:
		for _, other := range d.lot.OwnersOn(day) {
			if other.ID != o.ID {
				d.name(other)
				return nil
			}
		}
		return refuse(CodePrimaryRequired, "a lot with owners has one primary contact")
	}
	return nil
}

// EndOwnership ends what an owner holds of a lot.
type EndOwnership struct {
	OnLot
	OwnerID uuid.UUID
	Right   string             // empty: every right that he holds
	To      Change[events.Day] // the last day; the one before today unless given
}

// Read loads the owner.
func (c EndOwnership) Read(r *Reader) error { return readOwners(r, c.OwnerID) }

// Decide refuses an owner who holds nothing of the lot, and a last day before the first or after
// the one that is known.
func (c EndOwnership) Decide(b Building) ([]events.Event, error) {
	d, err := c.decide(b)
	if err != nil {
		return nil, err
	}
	check := &check{}
	if c.Right != "" {
		check.among("right", c.Right, rights...)
	}
	if c.To.Given {
		check.day("to", c.To.Value)
	}
	if err := check.err(); err != nil {
		return nil, err
	}
	ending := c.ending(b)
	if len(ending) == 0 {
		return nil, notFound("ownership")
	}
	for _, o := range ending {
		to := c.To.or(before(max(d.today, o.From)))
		if c.To.Given && to < o.From || o.OverOn(to) {
			return nil, outside(o)
		}
		d.end(o, to, uuid.Nil)
	}
	d.succeed()
	return d.facts()
}

// ending are the ownerships that the command ends: full ownership first.
func (c EndOwnership) ending(b Building) []*Ownership {
	lot, today, err := c.lot(b)
	if err != nil {
		return nil
	}
	var ending []*Ownership
	for _, right := range rights {
		for _, o := range lot.Ownerships {
			if o.Owner == c.OwnerID && o.Right == right && !o.OverOn(today) &&
				(c.Right == "" || c.Right == right) && (o.To == "" || o.From <= o.To) {
				ending = append(ending, o)
			}
		}
	}
	return ending
}
