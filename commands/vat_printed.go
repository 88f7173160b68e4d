package commands

import (
	"fmt"
	"slices"

	"github.com/koprogo/koprogo/events"
)

// vatGroup are the lines of one rate.
type vatGroup struct {
	rate  events.VATRate
	lines []int
	net   events.Money
}

// due is what the rate gives on the group's net.
func (g vatGroup) due() events.Money { return vatOf(g.net, g.rate) }

// vatGroups are the rates in the order in which the lines name them first.
func vatGroups(bill []taxed) []vatGroup {
	var groups []vatGroup
	places := map[events.VATRate]int{}
	for i, line := range bill {
		place, known := places[line.rate]
		if !known {
			place = len(groups)
			places[line.rate] = place
			groups = append(groups, vatGroup{rate: line.rate})
		}
		groups[place].lines = append(groups[place].lines, i)
		groups[place].net += line.net
	}
	return groups
}

// vatOfLines is the VAT of each line. printed is the whole invoice's: where no line prints its
// own, it stands and is shared out; else it is compared with what the lines come to.
func vatOfLines(bill []taxed, printed *events.Money) ([]events.Money, error) {
	groups := vatGroups(bill)
	due := make([]events.Money, len(groups))
	for i, group := range groups {
		due[i] = group.due()
	}
	if printed != nil && !anyPrinted(bill) {
		var err error
		if due, err = dueAsPrinted(groups, due, *printed, len(bill)); err != nil {
			return nil, err
		}
	}
	vats, sum := make([]events.Money, len(bill)), events.Money(0)
	for i, group := range groups {
		if err := group.share(bill, due[i], vats); err != nil {
			return nil, err
		}
	}
	for _, vat := range vats {
		sum += vat
	}
	if printed != nil && !near(*printed, sum, len(bill)) {
		return nil, mismatch(CodeVATMismatch, "vat_amount",
			"the printed VAT is not the sum of the lines'", sum, len(bill))
	}
	return vats, nil
}

func anyPrinted(bill []taxed) bool {
	for _, line := range bill {
		if line.printed != nil {
			return true
		}
	}
	return false
}

// dueAsPrinted shares the invoice's printed VAT out over its rates.
func dueAsPrinted(
	groups []vatGroup, due []events.Money, printed events.Money, lines int,
) ([]events.Money, error) {
	sum, weights := events.Money(0), make([]int64, len(groups))
	for i, group := range groups {
		sum += due[i]
		weights[i] = exactVAT(group.net, group.rate)
	}
	if !nearVAT(printed, sum, weights, lines) {
		return nil, mismatch(CodeVATMismatch, "vat_amount",
			"the printed VAT is not that of the rates", sum, lines)
	}
	return shareVAT(printed, weights, due)
}

// share enters the VAT of the group's lines in vats: what a line prints; for those that print
// none their part of due, or of what the rate gives on their net where others do print theirs.
func (g vatGroup) share(bill []taxed, due events.Money, vats []events.Money) error {
	var silent []int
	var weights []int64
	var owns []events.Money
	silentNet, sum := events.Money(0), events.Money(0)
	for _, i := range g.lines {
		net, printed, own := bill[i].net, bill[i].printed, vatOf(bill[i].net, g.rate)
		if printed == nil {
			silent, owns = append(silent, i), append(owns, own)
			weights, silentNet = append(weights, exactVAT(net, g.rate)), silentNet+net
			continue
		}
		if !nearVAT(*printed, own, []int64{exactVAT(net, g.rate)}, len(g.lines)) {
			return mismatch(CodeVATMismatch, printedAt(i),
				"a line's printed VAT is not that of its rate", own, len(g.lines))
		}
		vats[i], sum = *printed, sum+*printed
	}
	mixed := len(silent) < len(g.lines)
	if mixed {
		due = vatOf(silentNet, g.rate)
	}
	shares, err := shareVAT(due, weights, owns)
	if err != nil {
		return err
	}
	for place, i := range silent {
		vats[i], sum = shares[place], sum+shares[place]
	}
	if mixed && !near(sum, g.due(), len(g.lines)) {
		first := slices.IndexFunc(g.lines, func(i int) bool { return bill[i].printed != nil })
		return mismatch(CodeVATMismatch, printedAt(g.lines[first]),
			"the printed VAT of a rate is not that of its net", g.due(), len(g.lines))
	}
	return nil
}

// exactVAT is a net's VAT in ten-thousandths of a cent: at most 500 lines of 10^12 cents at a
// rate of 10^4, which 64 bits hold.
func exactVAT(net events.Money, rate events.VATRate) int64 { return int64(net) * int64(rate) }

// shareVAT shares due out by weight with the largest remainder. Beside positive weights a
// negative one (a discount) keeps its own VAT, and the positive ones share the rest.
func shareVAT(due events.Money, weights []int64, owns []events.Money) ([]events.Money, error) {
	positive := false
	for _, weight := range weights {
		positive = positive || weight > 0
	}
	shares := make([]events.Money, len(weights))
	if none(weights) {
		return shares, nil
	}
	parts := make([]Part, len(weights))
	for i, weight := range weights {
		if weight < 0 && positive {
			shares[i] = owns[i]
			due -= owns[i]
			continue
		}
		parts[i].Weight = max(weight, -weight)
	}
	amounts, err := Allocate(due, parts)
	if err != nil {
		return nil, err
	}
	for i, amount := range amounts {
		shares[i] += amount
	}
	return shares, nil
}

// none tells whether there is no VAT to pay: each rate or net is zero.
func none(weights []int64) bool {
	for _, weight := range weights {
		if weight != 0 {
			return false
		}
	}
	return true
}

// near tells whether two amounts differ by no more than one cent per line.
func near(a, b events.Money, lines int) bool {
	difference, err := a.Minus(b)
	return err == nil && difference.Magnitude() <= uint64(lines)
}

// nearVAT is near for a printed VAT; where there is none to pay, none may be printed.
func nearVAT(printed, due events.Money, weights []int64, lines int) bool {
	if none(weights) {
		return printed == 0
	}
	return near(printed, due, lines)
}

func mismatch(
	code Code, field, reason string, expected events.Money, lines int,
) *Refused {
	return refuse(code, reason, "field", field, "expected", expected.String(),
		"tolerance", events.Money(lines).String())
}

// printedAt is the field of a line's printed VAT.
func printedAt(line int) string { return fmt.Sprintf("lines[%d].vat_amount", line) }
