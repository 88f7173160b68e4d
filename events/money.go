package events

import (
	"errors"
	"math/bits"
	"strconv"
)

// Money is an amount in cents of a euro: an integer in events, never a fraction.
type Money int64

// MostMoney is the largest amount that one document or request may name: 9,999,999,999.99.
const MostMoney Money = 999_999_999_999

// ErrMoneyOverflow is returned where amounts add up to more cents than 64 bits hold.
var ErrMoneyOverflow = errors.New("the amounts add up to more than an amount can hold")

// Plus adds exactly, or returns ErrMoneyOverflow.
func (m Money) Plus(other Money) (Money, error) {
	sum := m + other
	if (sum > m) != (other > 0) {
		return 0, ErrMoneyOverflow
	}
	return sum, nil
}

// Minus subtracts exactly, or returns ErrMoneyOverflow.
func (m Money) Minus(other Money) (Money, error) {
	difference := m - other
	if (difference < m) != (other > 0) {
		return 0, ErrMoneyOverflow
	}
	return difference, nil
}

// Magnitude is the amount without its sign, in cents; it holds that of the least amount too.
func (m Money) Magnitude() uint64 {
	if m < 0 {
		return -uint64(m)
	}
	return uint64(m)
}

// String is the amount with two places, such as -1210.00.
func (m Money) String() string {
	sign, digits := "", strconv.FormatUint(m.Magnitude(), 10)
	if m < 0 {
		sign = "-"
	}
	for len(digits) < 3 {
		digits = "0" + digits
	}
	return sign + digits[:len(digits)-2] + "." + digits[len(digits)-2:]
}

// Sum adds amounts; whether it returns ErrMoneyOverflow does not depend on their order.
func Sum(amounts ...Money) (Money, error) {
	var high, low uint64 // one number of 128 bits in two's complement
	for _, amount := range amounts {
		var carry uint64
		low, carry = bits.Add64(low, uint64(amount), 0)
		high, _ = bits.Add64(high, uint64(amount>>63), carry)
	}
	if sum := Money(low); uint64(sum>>63) == high {
		return sum, nil
	}
	return 0, ErrMoneyOverflow
}
