package commands

import (
	"math/big"

	"github.com/google/uuid"

	"github.com/koprogo/koprogo/events"
)

// millionths is the unit in which parts of a charge are shown.
const millionths = 1_000_000

// division is a charge being divided over the lots of its building, in their order.
type division struct {
	content *events.ChargeContent
	lots    []*Lot
	named   []bool                  // which lots a key names, even with weight 0
	weights map[uuid.UUID]weighing  // by key; nil: the lots' shares
	lines   []events.ChargeDivision // one a line
}

// weighing is what the lots weigh in a key on the charge's day.
type weighing struct {
	from  events.Day
	base  int64
	parts []Part // in the order of the lots
}

// divide is the approval of a charge: each line by its key on the charge's day, to the cent, ties
// by the lots' sort keys; each lot's amount over who had the use of it that day (full ownership and
// usufruct) in proportion, also where they hold less than the whole. A credit note is divided as
// what it takes back. It is refused (shares_incomplete) while weights do not sum to their base.
func divide(
	content *events.ChargeContent, building *Building, keys map[uuid.UUID]Key,
) (events.ChargeApproved, error) {
	d := division{content: content, weights: map[uuid.UUID]weighing{}}
	approved := events.ChargeApproved{
		Building: content.Building, Total: content.Sign() * content.Gross,
	}
	if err := d.choose(building); err != nil {
		return approved, err
	}
	for i := range content.Lines {
		key := content.Lines[i].KeyID
		if key == uuid.Nil {
			key = content.KeyID
		}
		if content.PrivateLotID != uuid.Nil {
			key = uuid.Nil
		}
		if err := d.line(i, key, building, keys); err != nil {
			return approved, err
		}
	}
	var err error
	approved.Divisions, approved.Lots, err = d.frozen()
	return approved, err
}

// choose takes the lots that may bear the charge.
func (d *division) choose(building *Building) error {
	d.lots = building.Lots()
	if id := d.content.PrivateLotID; id != uuid.Nil {
		lot := building.Lot(id)
		if lot == nil { // it was removed since
			return sharesIncomplete(0, 1)
		}
		d.lots = []*Lot{lot}
	}
	d.named = make([]bool, len(d.lots))
	return nil
}

// line divides one line by a key.
func (d *division) line(
	i int, key uuid.UUID, building *Building, keys map[uuid.UUID]Key,
) error {
	w, known := d.weights[key]
	if !known {
		var err error
		if w, err = d.weigh(key, building, keys); err != nil {
			return err
		}
		d.weights[key] = w
	}
	total := d.content.Sign() * d.content.Lines[i].Gross
	amounts, err := AllocateByKey(total, w.base, w.parts)
	if err != nil {
		return err
	}
	weights := make([]int64, len(w.parts))
	for n := range w.parts {
		weights[n] = w.parts[n].Weight
	}
	d.lines = append(d.lines, events.ChargeDivision{
		Line: i, KeyID: key, ValidFrom: w.from, Base: w.base, Total: total, Weights: weights,
		Amounts: amounts,
	})
	return nil
}

// weigh finds what the lots weigh in a key, and which of them it names.
func (d *division) weigh(
	key uuid.UUID, building *Building, keys map[uuid.UUID]Key,
) (weighing, error) {
	w := weighing{parts: make([]Part, len(d.lots))}
	for i, lot := range d.lots {
		w.parts[i] = Part{SortKey: lot.Facts.SortKey, ID: lot.ID()}
	}
	switch {
	case d.content.PrivateLotID != uuid.Nil:
		w.base, w.parts[0].Weight, d.named[0] = 1, 1, true
		return w, nil
	case key == uuid.Nil:
		var sum events.Shares
		for i, lot := range d.lots {
			shares := lot.SharesOn(d.content.Date)
			w.parts[i].Weight, d.named[i], sum = int64(shares), true, sum+shares
		}
		if w.base = int64(building.Facts.Shares); int64(sum) != w.base {
			return w, refuse(CodeSharesIncomplete, "the lots' shares are not the building's",
				"sum", sum.String(), "base", building.Facts.Shares.String())
		}
		return w, nil
	}
	version, valid := keys[key].On(d.content.Date)
	if !valid {
		return w, refuse(CodeKeyNotValid, "the key has no version on the charge's day",
			"day", string(d.content.Date))
	}
	w.base, w.from = version.Base, version.ValidFrom
	weights := make(map[uuid.UUID]int64, len(version.Weights))
	for _, weight := range version.Weights {
		weights[weight.LotID] = weight.Weight
	}
	for i, lot := range d.lots {
		weight, names := weights[lot.ID()]
		w.parts[i].Weight, d.named[i] = weight, d.named[i] || names
	}
	return w, nil
}

// frozen keeps the lots that some key names, with what they bear.
func (d *division) frozen() ([]events.ChargeDivision, []events.ChargeLot, error) {
	var lots []events.ChargeLot
	for i, lot := range d.lots {
		if !d.named[i] {
			continue
		}
		borne := events.ChargeLot{
			LotID: lot.ID(), SortKey: lot.Facts.SortKey, Shares: lot.SharesOn(d.content.Date),
		}
		for _, line := range d.lines {
			borne.Amount += line.Amounts[i]
		}
		if err := d.own(lot, &borne, d.part(i)); err != nil {
			return nil, nil, err
		}
		lots = append(lots, borne)
	}
	for i := range d.lines {
		d.lines[i].Weights = keep(d.lines[i].Weights, d.named)
		d.lines[i].Amounts = keep(d.lines[i].Amounts, d.named)
	}
	return d.lines, lots, nil
}

// keep leaves out what is not named.
func keep[V any](all []V, named []bool) []V {
	kept := all[:0]
	for i, value := range all {
		if named[i] {
			kept = append(kept, value)
		}
	}
	return kept
}

// part is what a lot weighs in the whole charge: over lines of several keys the mean, each line
// counting for its amount.
func (d *division) part(lot int) *big.Rat {
	if len(d.lines) == 1 {
		return big.NewRat(d.lines[0].Weights[lot], d.lines[0].Base)
	}
	sum, total := new(big.Rat), new(big.Rat)
	for _, line := range d.lines {
		amount := new(big.Rat).SetInt64(int64(line.Total))
		total.Add(total, amount)
		sum.Add(sum, amount.Mul(amount, big.NewRat(line.Weights[lot], line.Base)))
	}
	return sum.Quo(sum, total)
}

// own shares a lot's amount out over its owners.
func (d *division) own(lot *Lot, borne *events.ChargeLot, part *big.Rat) error {
	borne.Part = shown(part)
	var parts []OwnerPart
	var fractions []events.Fraction
	for _, o := range lot.OwnersOn(d.content.Date) {
		if o.Right == events.RightBare {
			continue
		}
		fraction := o.FractionOn(d.content.Date)
		fractions = append(fractions, fraction)
		parts = append(parts, OwnerPart{OwnerID: o.Owner, Fraction: fraction, From: o.From})
		borne.Owners = append(borne.Owners, events.ChargeOwner{
			OwnershipID: o.ID, OwnerID: o.Owner, Fraction: fraction, From: o.From,
		})
	}
	if len(parts) == 0 {
		return nil
	}
	amounts, err := AllocateOwners(borne.Amount, parts)
	if err != nil {
		return err
	}
	if len(parts) == 1 {
		borne.Owners[0].Amount, borne.Owners[0].Part = amounts[0], borne.Part
		return nil
	}
	whole := events.SumFractions(fractions...)
	for i := range parts {
		held := new(big.Rat).Quo(fractions[i].Rat(), whole)
		borne.Owners[i].Amount, borne.Owners[i].Part = amounts[i], shown(held.Mul(held, part))
	}
	return nil
}

// shown is a part in millionths, rounded half up.
func shown(part *big.Rat) int64 {
	twice := new(big.Int).Mul(part.Num(), big.NewInt(2*millionths))
	twice.Add(twice, part.Denom())
	return twice.Div(twice, new(big.Int).Mul(part.Denom(), big.NewInt(2))).Int64()
}
