package seed

import (
	"fmt"
	"math/rand/v2"
)

// dice are the story's chances: the same seed and building throw the same.
func dice(seed uint64, building int) *rand.Rand {
	return rand.New(rand.NewPCG(seed, uint64(building))) //nolint:gosec // no secret; has to repeat
}

// iban is a Belgian account number with its check digits; the bank's code is none that is given
// out.
func iban(number int64) string {
	national := fmt.Sprintf("999%07d", number%10_000_000)
	check := mod97(national)
	if check == 0 {
		check = 97
	}
	basic := fmt.Sprintf("%s%02d", national, check)
	return fmt.Sprintf("BE%02d%s", 98-mod97(basic+"111400"), basic) // B is 11, E is 14
}

// enterpriseNumber is a number of the Belgian register with its check digits.
func enterpriseNumber(number int64) string {
	base := fmt.Sprintf("09%06d", number%1_000_000)
	return fmt.Sprintf("%s%02d", base, 97-mod97(base))
}

// ean is the code of a Belgian metering point (GSRN, 18 digits) with its check digit.
func ean(number int64) string {
	base := fmt.Sprintf("5414489%010d", number%10_000_000_000)
	sum := 0
	for i, digit := range base {
		weight := 3
		if i%2 == 1 {
			weight = 1
		}
		sum += weight * int(digit-'0')
	}
	return fmt.Sprintf("%s%d", base, (10-sum%10)%10)
}

// communication is a structured communication, as a Belgian transfer carries it.
func communication(number int64) string {
	base := fmt.Sprintf("%010d", number%10_000_000_000)
	check := mod97(base)
	if check == 0 {
		check = 97
	}
	digits := fmt.Sprintf("%s%02d", base, check)
	return fmt.Sprintf("+++%s/%s/%s+++", digits[:3], digits[3:7], digits[7:])
}

// mod97 is the remainder of a row of digits of any length.
func mod97(digits string) int {
	rest := 0
	for _, digit := range digits {
		rest = (rest*10 + int(digit-'0')) % 97
	}
	return rest
}
