package commands

import (
	"bytes"
	"cmp"
	"fmt"
	"math/big"
	"math/bits"
	"slices"
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/koprogo/koprogo/events"
)

// Part is what takes part in an allocation. SortKey decides who gets a cent where remainders
// tie: a lot's sort key (not the name that people see). ID tells equal keys apart, the place in
// the list equal ids.
type Part struct {
	Weight  int64 // not negative
	SortKey string
	ID      uuid.UUID
}

// Allocate shares total out in proportion to the weights, exact to the cent, by the largest
// remainder: every part gets its exact share rounded down, and the cents that are left go one by
// one to the largest remainders, ties by ascending sort key. A negative total is the mirror of
// the positive one. Amounts stand in the order of the parts and add up to total.
//
// It refuses weights that are negative, all zero or too large to add up.
func Allocate(total events.Money, parts []Part) ([]events.Money, error) {
	whole, err := wholeWeight(parts)
	if err != nil {
		return nil, err
	}
	if whole == 0 {
		return nil, refuse(CodeSharesIncomplete, "all weights are zero", "sum", "0", "base", "0")
	}
	amounts := make([]events.Money, len(parts))
	remainders := make([]uint64, len(parts))
	size := total.Magnitude()
	left := size
	for i, part := range parts {
		high, low := bits.Mul64(size, uint64(part.Weight))
		// No weight exceeds the whole, so the quotient is at most size.
		quotient, remainder := bits.Div64(high, low, uint64(whole))
		amounts[i], remainders[i] = events.Money(quotient), remainder
		left -= quotient
	}
	handOut(amounts, left, parts, func(i, j int) int {
		return cmp.Compare(remainders[i], remainders[j])
	})
	return signed(amounts, total), nil
}

// AllocateByKey is Allocate for a distribution key: it is refused (shares_incomplete) while the
// weights do not add up to the key's base.
func AllocateByKey(total events.Money, base int64, parts []Part) ([]events.Money, error) {
	whole, err := wholeWeight(parts)
	if err != nil {
		return nil, err
	}
	if whole != base {
		return nil, refuse(CodeSharesIncomplete, "the weights do not add up to the key's base",
			"sum", strconv.FormatInt(whole, 10), "base", strconv.FormatInt(base, 10))
	}
	return Allocate(total, parts)
}

func wholeWeight(parts []Part) (int64, error) {
	whole := int64(0)
	for _, part := range parts {
		whole += part.Weight
		if part.Weight < 0 || whole < 0 {
			return 0, refuse(CodeWeightsInvalid, "a weight is negative, or the weights too large")
		}
	}
	return whole, nil
}

// handOut gives one cent each to the largest remainders. There are always fewer cents left than
// remainders above zero, so a part without weight gets none.
func handOut(
	amounts []events.Money, left uint64, parts []Part, byRemainder func(i, j int) int,
) {
	if left == 0 {
		return
	}
	order := make([]int, len(parts))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(i, j int) int {
		if larger := byRemainder(j, i); larger != 0 {
			return larger // ties are few, texts are dear to compare
		}
		return cmp.Or(cmp.Compare(parts[i].SortKey, parts[j].SortKey),
			bytes.Compare(parts[i].ID[:], parts[j].ID[:]), cmp.Compare(i, j))
	})
	for _, i := range order[:left] {
		amounts[i]++
	}
}

func signed(amounts []events.Money, total events.Money) []events.Money {
	if total < 0 {
		for i := range amounts {
			amounts[i] = -amounts[i]
		}
	}
	return amounts
}

// OwnerPart is what an owner holds of a lot.
type OwnerPart struct {
	OwnerID  uuid.UUID
	Fraction events.Fraction
	From     events.Day // when this ownership began
}

// AllocateOwners shares a lot's amount out over its owners in proportion to their fractions, also
// where these add up to less than the whole; ties by start of ownership, then owner id. It
// refuses (shares_incomplete) where nobody holds a fraction.
func AllocateOwners(amount events.Money, owners []OwnerPart) ([]events.Money, error) {
	fractions := make([]events.Fraction, len(owners))
	parts := make([]Part, len(owners))
	for i, owner := range owners {
		fractions[i] = owner.Fraction
		parts[i] = Part{SortKey: string(owner.From), ID: owner.OwnerID}
	}
	weights, small := events.CommonWeights(fractions)
	if !small {
		return allocateBig(amount, events.BigCommonWeights(fractions), parts), nil
	}
	for i, weight := range weights {
		parts[i].Weight = weight
	}
	return Allocate(amount, parts)
}

// allocateBig is Allocate for weights of any size, which are not all zero: the fractions of a few
// owners may have a common denominator beyond 64 bits.
func allocateBig(total events.Money, weights []*big.Int, parts []Part) []events.Money {
	whole := new(big.Int)
	for _, weight := range weights {
		whole.Add(whole, weight)
	}
	amounts := make([]events.Money, len(parts))
	remainders := make([]*big.Int, len(parts))
	left := total.Magnitude()
	size := new(big.Int).SetUint64(left)
	for i, weight := range weights {
		product := new(big.Int).Mul(size, weight)
		quotient, remainder := product.QuoRem(product, whole, new(big.Int))
		amounts[i], remainders[i] = events.Money(quotient.Uint64()), remainder
		left -= quotient.Uint64()
	}
	handOut(amounts, left, parts, func(i, j int) int { return remainders[i].Cmp(remainders[j]) })
	return signed(amounts, total)
}

// Prorate shares total out over spans of days, in the order in which they are listed; of two
// equal remainders the earlier span gets the cent.
func Prorate(total events.Money, days ...int64) ([]events.Money, error) {
	parts := make([]Part, len(days))
	for i, n := range days {
		parts[i].Weight = n
	}
	return Allocate(total, parts)
}

// ProrateSale shares the amount of a period, both its days included, between the seller of a lot
// and its buyer by their days of ownership; the day of the deed is the buyer's.
func ProrateSale(
	total events.Money, from, to, deed events.Day,
) (seller, buyer events.Money, err error) {
	period, err := DaysThrough(from, to)
	if err != nil {
		return 0, 0, err
	}
	if period < 1 {
		return 0, 0, refuse(CodeWeightsInvalid, "the period ends before it begins")
	}
	sold, err := DaysThrough(from, deed)
	if err != nil {
		return 0, 0, err
	}
	sellers := min(max(sold-1, 0), period)
	amounts, err := Prorate(total, sellers, period-sellers)
	if err != nil {
		return 0, 0, err
	}
	return amounts[0], amounts[1], nil
}

// DaysThrough counts the days of a period, both from and to included: 1 where they are the same
// day, 0 or less where to is earlier.
func DaysThrough(from, to events.Day) (int64, error) {
	first, err := time.Parse(time.DateOnly, string(from))
	if err != nil {
		return 0, fmt.Errorf("count the days of a period: %w", err)
	}
	last, err := time.Parse(time.DateOnly, string(to))
	if err != nil {
		return 0, fmt.Errorf("count the days of a period: %w", err)
	}
	const day = 24 * 60 * 60 // of UTC, which has no summer time
	return (last.Unix()-first.Unix())/day + 1, nil
}
