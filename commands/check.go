package commands

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	_ "time/tzdata" // the calendar of a building's zone on machines without zone files
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"
	"golang.org/x/text/language"

	"github.com/koprogo/koprogo/events"
)

const maxName = 255 // characters of a name or title

// check collects what is wrong with a command's fields; each method returns the field's value in
// the form that is stored.
type check struct{ first *Refused }

func (c *check) refuse(field string, code Code, reason string, params ...string) {
	wrong := &Refused{Code: code, Field: field, Reason: reason, Params: pairs(params)}
	if c.first == nil {
		c.first = wrong
		return
	}
	c.first.More = append(c.first.More, wrong)
}

// err is the refusal, or nil: an untyped nil where nothing is wrong.
func (c *check) err() error {
	if c.first == nil {
		return nil
	}
	return c.first
}

// line is a text of one line: trimmed, at most longest characters, none of them a control.
func (c *check) line(field, text string, longest int) string {
	text = strings.TrimSpace(text)
	switch {
	case !utf8.ValidString(text) || strings.ContainsFunc(text, unicode.IsControl):
		c.refuse(field, CodeMalformed, "the text holds control characters", "form", "text")
	case utf8.RuneCountInString(text) > longest:
		c.refuse(field, CodeTooLong, "the text is too long", "max", strconv.Itoa(longest))
	}
	return text
}

// name is a line that may not be empty.
func (c *check) name(field, text string) string {
	text = c.line(field, text, maxName)
	if text == "" {
		c.refuse(field, CodeRequired, "the field is required")
	}
	return text
}

// id is what a thing is made under: given by the client or made by the server, but never nil.
func (c *check) id(id uuid.UUID) {
	if id == uuid.Nil {
		c.refuse("id", CodeRequired, "the field is required")
	}
}

func (c *check) between(field string, n, least, most int) {
	if n < least || n > most {
		c.refuse(field, CodeOutOfRange, fmt.Sprintf("the number is not in %d..%d", least, most),
			"min", strconv.Itoa(least), "max", strconv.Itoa(most))
	}
}

func (c *check) among(field, word string, words ...string) {
	if !slices.Contains(words, word) {
		c.refuse(field, CodeUnknownValue, "the word is none of "+strings.Join(words, ", "),
			"values", strings.Join(words, ","))
	}
}

var (
	slugForm = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)
	rateForm = regexp.MustCompile(`^[a-z][a-z0-9_]{0,63}$`)
)

// slug is lower-case letters and digits in groups joined by hyphens; "" where none is wanted.
func (c *check) slug(field, text string) string {
	text = c.line(field, text, 100)
	if text != "" && !slugForm.MatchString(text) {
		c.refuse(field, CodeMalformed, "a slug is lower-case letters, digits and hyphens",
			"form", "les-erables")
	}
	return text
}

// country is a name, kept as given, or an ISO 3166-1 code of two or three letters.
func (c *check) country(field, text string) string {
	text = c.name(field, text)
	if strings.ContainsFunc(text, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsMark(r) && !strings.ContainsRune(" -'’.,()&", r)
	}) {
		c.refuse(field, CodeMalformed, "a country is a name or a code", "form", "Belgium, BE")
		return text
	}
	if n := utf8.RuneCountInString(text); n == 2 || n == 3 {
		region, err := language.ParseRegion(text)
		if err != nil || !region.IsCountry() {
			c.refuse(field, CodeMalformed, "no country has this code", "form", "Belgium, BE")
		}
	}
	return text
}

// zone is an IANA name.
func (c *check) zone(field, text string) string {
	text = c.line(field, text, 64)
	if _, err := events.Zone(text); err != nil || text == "" || text == "Local" {
		c.refuse(field, CodeMalformed, "no time zone has this name", "form", "Europe/Brussels")
	}
	return text
}

// dayOfYear is a month and day that every year has, written 01-31.
func (c *check) dayOfYear(field, text string) string {
	if text == "" {
		return ""
	}
	if _, err := time.Parse(time.DateOnly, "2001-"+text); err != nil {
		c.refuse(field, CodeMalformed, "a day of the year reads MM-DD", "form", "01-31")
	}
	return text
}

func (c *check) day(field string, day events.Day) {
	if day == "" {
		c.refuse(field, CodeRequired, "the field is required")
	} else if _, err := events.ParseDay(string(day)); err != nil {
		c.refuse(field, CodeMalformed, err.Error(), "form", "2026-01-31")
	}
}

func (c *check) iban(field, text string) events.IBAN {
	if strings.TrimSpace(text) == "" {
		return ""
	}
	iban, err := events.ParseIBAN(text)
	if err != nil {
		c.refuse(field, CodeMalformed, err.Error(), "form", "BE68 5390 0754 7034")
	}
	return iban
}

func (c *check) enterpriseNumber(field, text string) events.EnterpriseNumber {
	if strings.TrimSpace(text) == "" {
		return ""
	}
	number, err := events.ParseEnterpriseNumber(text)
	if err != nil {
		c.refuse(field, CodeMalformed, err.Error(), "form", "0123.456.749")
	}
	return number
}

func (c *check) email(field, text string) string {
	if strings.TrimSpace(text) == "" {
		c.refuse(field, CodeRequired, "the field is required")
		return ""
	}
	address, err := events.ParseEmail(text)
	if err != nil {
		c.refuse(field, CodeMalformed, err.Error(), "form", "name@domain.tld")
	}
	return address
}

var phoneForm = regexp.MustCompile(`^\+?[0-9][0-9 ()./-]{2,30}$`)

func (c *check) phone(field, text string) string {
	text = strings.TrimSpace(text)
	if text != "" && !phoneForm.MatchString(text) {
		c.refuse(field, CodeMalformed, "a telephone number is digits", "form", "+32 2 123 45 67")
	}
	return text
}
