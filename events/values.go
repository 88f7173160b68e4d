package events

import (
	"fmt"
	"math/big"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"
	_ "time/tzdata" // the calendar of Brussels on machines without zone files

	"golang.org/x/text/unicode/norm"
)

// Shares is a number of shares (quotités) in ten-thousandths of a share, over a building's total:
// the contract allows four decimal places and sums are exact.
type Shares int64

// SharesUnit is one whole share.
const SharesUnit Shares = 10_000

// WholeShares makes n whole shares.
func WholeShares(n int64) Shares { return Shares(n) * SharesUnit }

// String is the exact decimal, without trailing zeros.
func (s Shares) String() string {
	text := strconv.FormatInt(int64(s), 10)
	sign := ""
	if s < 0 {
		sign, text = "-", text[1:]
	}
	for len(text) < 5 {
		text = "0" + text
	}
	whole, part := text[:len(text)-4], strings.TrimRight(text[len(text)-4:], "0")
	if part == "" {
		return sign + whole
	}
	return sign + whole + "." + part
}

// IBAN is an account number, upper case without spaces, its check digits right (ISO 13616).
type IBAN string

var ibanForm = regexp.MustCompile(`^[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}$`)

// ParseIBAN accepts spaces and lower case.
func ParseIBAN(text string) (IBAN, error) {
	compact := strings.ToUpper(strings.ReplaceAll(text, " ", ""))
	if !ibanForm.MatchString(compact) {
		return "", fmt.Errorf("an IBAN is a country code, two digits and 11 to 30 characters")
	}
	if mod97(compact[4:]+compact[:4]) != 1 {
		return "", fmt.Errorf("the IBAN's check digits are wrong")
	}
	return IBAN(compact), nil
}

func mod97(text string) int64 {
	digits := strings.Builder{}
	for _, r := range text {
		if r >= 'A' {
			digits.WriteString(strconv.Itoa(int(r-'A') + 10))
			continue
		}
		digits.WriteRune(r)
	}
	n, _ := new(big.Int).SetString(digits.String(), 10)
	return new(big.Int).Mod(n, big.NewInt(97)).Int64()
}

// EnterpriseNumber is a Belgian BCE/KBO number, ten digits without punctuation.
type EnterpriseNumber string

var enterpriseForm = regexp.MustCompile(`^[01][0-9]{9}$`)

// ParseEnterpriseNumber accepts dots, spaces and a leading BE; the last two digits are
// 97 minus the first eight modulo 97.
func ParseEnterpriseNumber(text string) (EnterpriseNumber, error) {
	compact := strings.TrimPrefix(strings.ToUpper(text), "BE")
	compact = strings.NewReplacer(".", "", " ", "").Replace(compact)
	if !enterpriseForm.MatchString(compact) {
		return "", fmt.Errorf("an enterprise number is ten digits that begin with 0 or 1")
	}
	head, _ := strconv.Atoi(compact[:8])
	check, _ := strconv.Atoi(compact[8:])
	if 97-head%97 != check {
		return "", fmt.Errorf("the enterprise number's check digits are wrong")
	}
	return EnterpriseNumber(compact), nil
}

var emailForm = regexp.MustCompile(`^[^\s@"<>]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?$`)

// ParseEmail returns the address with its domain in lower case; at most 254 characters
// (RFC 5321), all of which are seen. Whether two addresses are the same is told by NormalEmail.
func ParseEmail(text string) (string, error) {
	local, domain, found := strings.Cut(norm.NFC.String(strings.TrimSpace(text)), "@")
	address := local + "@" + strings.ToLower(domain)
	if !found || len(address) > 254 || !emailForm.MatchString(address) ||
		strings.ContainsFunc(local, isUnseen) ||
		!strings.Contains(domain, ".") || strings.Contains(domain, "..") {
		return "", fmt.Errorf("an e-mail address reads name@domain.tld")
	}
	return address, nil
}

// NormalEmail is the form that a claim on an address is made of.
func NormalEmail(address string) string { return NormalText(address) }

// Day is a calendar day, written 2006-01-02; the zone is the building's.
type Day string

// ParseDay reads a calendar day.
func ParseDay(text string) (Day, error) {
	if _, err := time.Parse(time.DateOnly, text); err != nil {
		return "", fmt.Errorf("a day reads 2006-01-02")
	}
	return Day(text), nil
}

// Start is the day's first instant in Belgium; zero for no day.
func (d Day) Start() time.Time {
	start, _ := time.ParseInLocation(time.DateOnly, string(d), brussels)
	return start
}

// brussels is the zone in which facts take effect on a day. Program and tests carry zone files.
var brussels = func() *time.Location {
	zone, err := Zone("Europe/Brussels")
	if err != nil {
		return time.UTC
	}
	return zone
}()

// zones are those that were asked for, by name: there are some hundred in all.
var zones sync.Map

// Zone is time.LoadLocation, which reads a file at every call, with a memory.
func Zone(name string) (*time.Location, error) {
	if known, ok := zones.Load(name); ok {
		return known.(*time.Location), nil //nolint:forcetypeassert // stored below
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		return nil, fmt.Errorf("find a time zone: %w", err)
	}
	zones.Store(name, zone)
	return zone, nil
}

// Area is a surface in ten-thousandths of a square metre.
type Area int64
