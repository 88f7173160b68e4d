package seed

import (
	"time"

	"github.com/google/uuid"

	"github.com/koprogo/koprogo/commands"
	"github.com/koprogo/koprogo/events"
)

// story is all that is to be made of a building, in the order in which it is made.
type story struct {
	by       cast
	ids      ids
	building commands.RegisterBuilding
	who      map[string]uuid.UUID // owners that the story calls by a name
	lots     []commands.RegisterLot
	owners   []*commands.RegisterOwner
	holdings []holding
	links    []*commands.LinkOwnerAccount
	keys     []*commands.DeclareKey
	charges  []charge
}

// cast are the accounts that act in a story; nil ids stand for the product itself.
type cast struct{ organization, syndic, accountant uuid.UUID }

// holding is a command on who owns a lot, and how to tell that it was done.
type holding struct {
	commands.Command[commands.Building]
	done func(commands.Building) bool
}

// fate is what becomes of a charge.
type fate int

const (
	drafted fate = iota
	submitted
	rejected
	approved
	overdue
	paid
	cancelled
)

// charge is a charge and what becomes of it.
type charge struct {
	draft     *commands.DraftCharge
	fate      fate
	paidOn    events.Day
	reference string // of the payment
	reason    string // of the rejection
}

// lot adds a lot and returns its id.
func (s *story) lot(lot commands.RegisterLot) uuid.UUID {
	lot.BuildingID, lot.LotID = s.building.BuildingID, s.ids.id(ofLot, len(s.lots))
	s.lots = append(s.lots, lot)
	return lot.LotID
}

// person is an owner as a story names him. A company or group has no first name.
type person struct {
	kind, first, last, language, mandatary string
	street, house, city, postalCode        string
	enterprise                             string
}

// owner adds an owner and returns his id. Addresses for e-mail are of a domain that is nobody's.
func (s *story) owner(p person) uuid.UUID {
	n := len(s.owners)
	id := s.ids.id(ofOwner, n)
	number := int64(s.ids.building)*1000 + int64(n)
	fields := commands.OwnerFields{
		Kind: commands.To(p.kind), Language: commands.To(p.language),
		Email:  commands.To(address(p, s.ids.building, n)),
		Phone:  commands.To(phone(number)),
		Street: commands.To(p.street), HouseNumber: commands.To(p.house),
		City: commands.To(p.city), PostalCode: commands.To(p.postalCode),
		Country: commands.To("BE"), IBAN: commands.To(iban(1_000 + number)),
	}
	switch p.kind {
	case "person":
		fields.FirstName, fields.LastName = commands.To(p.first), commands.To(p.last)
	case "company":
		fields.CompanyName = commands.To(p.last)
		fields.EnterpriseNumber = commands.To(p.enterprise)
	default:
		fields.LastName = commands.To(p.last)
	}
	if p.mandatary != "" {
		fields.Mandatary = commands.To(p.mandatary)
	}
	s.owners = append(s.owners, &commands.RegisterOwner{OwnerID: id, OwnerFields: fields})
	return id
}

// on says which lot a command is about.
func (s *story) on(lot uuid.UUID) commands.OnLot {
	return commands.OnLot{BuildingID: s.building.BuildingID, LotID: lot, Now: s.building.Now}
}

// holds gives an owner a part of a lot from a day on, and returns the ownership's id. A deed's
// reference may follow.
func (s *story) holds(
	lot, owner uuid.UUID, fraction, right string, from events.Day, deed ...string,
) uuid.UUID {
	id := s.ids.id(ofOwnership, len(s.holdings))
	part, err := events.ParseFraction(fraction)
	if err != nil {
		panic("a fraction of a story: " + fraction) // written in this package
	}
	start := commands.StartOwnership{
		OnLot: s.on(lot), OwnershipID: id, OwnerID: owner, Fraction: part,
		Right: commands.To(right), From: commands.To(from),
	}
	if len(deed) > 0 {
		start.DeedReference = deed[0]
	}
	s.holdings = append(s.holdings, holding{start, func(b commands.Building) bool {
		return ownershipOf(b, lot, id) != nil
	}})
	return id
}

// ends gives an ownership its last day.
func (s *story) ends(lot, owner, ownership uuid.UUID, to events.Day) {
	s.holdings = append(s.holdings, holding{
		commands.EndOwnership{OnLot: s.on(lot), OwnerID: owner, To: commands.To(to)},
		func(b commands.Building) bool {
			held := ownershipOf(b, lot, ownership)
			return held == nil || held.To != ""
		},
	})
}

// sells hands all that an owner has of a lot to another one on a day.
func (s *story) sells(lot, from, to uuid.UUID, on events.Day, deed string) {
	id := s.ids.id(ofOwnership, len(s.holdings))
	s.holdings = append(s.holdings, holding{
		commands.TransferOwnership{
			OnLot: s.on(lot), OwnershipID: id, FromOwner: from, ToOwner: to,
			On: commands.To(on), DeedReference: deed,
		},
		func(b commands.Building) bool { return ownershipOf(b, lot, id) != nil },
	})
}

func ownershipOf(b commands.Building, lot, id uuid.UUID) *commands.Ownership {
	if held := b.Lot(lot); held != nil {
		return held.Ownership(id)
	}
	return nil
}

// key adds a distribution key that has stood since a day; its base is the sum of its weights.
func (s *story) key(name string, from events.Day, weights ...events.KeyWeight) uuid.UUID {
	key := &commands.DeclareKey{
		KeyID: s.ids.id(ofKey, len(s.keys)), BuildingID: s.building.BuildingID, Name: name,
		ValidFrom: commands.To(commands.OnDay(from)), Weights: weights, Now: s.building.Now,
	}
	for _, weight := range weights {
		key.Base += weight.Weight
	}
	s.keys = append(s.keys, key)
	return key.KeyID
}

// line is a line of an invoice; the price is in cents.
func line(text string, quantity, cents int64, rate events.VATRate) commands.ChargeLineFields {
	return commands.ChargeLineFields{
		Description: text, Quantity: events.WholeQuantity(quantity),
		UnitPrice: events.UnitPrice(cents * 100), VATRate: rate,
	}
}

// bill is a charge as a story names it. Days are counted from its date.
type bill struct {
	kind     string // invoice unless given
	category events.Category
	account  string
	text     string
	supplier string
	number   string
	on       time.Time
	key, lot uuid.UUID
	lines    []commands.ChargeLineFields
	fate     fate
	reason   string
}

// payable is how long a supplier waits for his money, in days.
const payable = 30

// charge adds a charge.
func (s *story) charge(b bill) {
	n := len(s.charges)
	draft := &commands.DraftCharge{
		ChargeID: s.ids.id(ofCharge, n), BuildingID: s.building.BuildingID,
		SupplierID: s.supplier(b.supplier),
		ChargeFields: commands.ChargeFields{
			Category: commands.To(string(b.category)), Description: commands.To(b.text),
			Date:     commands.To(commands.OnDay(dayOf(b.on))),
			DueDate:  commands.To(commands.OnDay(dayOf(b.on.AddDate(0, 0, payable)))),
			Supplier: commands.To(b.supplier), InvoiceNumber: commands.To(b.number),
			AccountCode: commands.To(b.account), Lines: commands.To(b.lines),
		},
	}
	if b.kind != "" {
		draft.Kind = commands.To(b.kind)
	}
	if b.key != uuid.Nil {
		draft.KeyID = commands.To(b.key)
	}
	if b.lot != uuid.Nil {
		draft.PrivateLotID = commands.To(b.lot)
	}
	s.charges = append(s.charges, charge{
		draft: draft, fate: b.fate, reason: b.reason,
		paidOn:    dayOf(b.on.AddDate(0, 0, payable-3-n%9)),
		reference: communication(int64(s.ids.building)*10_000 + int64(n) + 1),
	})
}
