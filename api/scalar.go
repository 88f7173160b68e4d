package api

import (
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"
	"golang.org/x/text/unicode/norm"
)

func wrongType(name string) error {
	return fieldError{Code: CodeWrongType, Params: params("type", name)}
}

// readID reads a UUID in its canonical form. The nil UUID names nothing and is refused.
func readID(text string, into *uuid.UUID) error {
	id, err := uuid.Parse(text)
	if err != nil || len(text) != 36 || id == uuid.Nil {
		return fieldError{Code: CodeMalformed, Params: params("form", "uuid")}
	}
	*into = id
	return nil
}

// readText normalizes a text to NFC and bounds it.
func readText(text string, into reflect.Value, bounds *rules) error {
	if !utf8.ValidString(text) {
		return fieldError{Code: CodeMalformed, Params: params("form", "UTF-8")}
	}
	text = norm.NFC.String(text)
	if hasControl(text, bounds.maxLength > nameLength) {
		return fieldError{Code: CodeControlCharacters}
	}
	length := utf8.RuneCountInString(text)
	switch {
	case bounds.maxLength > 0 && length > bounds.maxLength:
		return fieldError{
			Code: CodeTooLong, Params: params("max", strconv.Itoa(bounds.maxLength)),
		}
	case length < bounds.minLength:
		return fieldError{
			Code: CodeTooShort, Params: params("min", strconv.Itoa(bounds.minLength)),
		}
	case bounds.allowed != nil && !slices.Contains(bounds.allowed, text):
		return fieldError{
			Code:   CodeUnknownValue,
			Params: params("values", strings.Join(bounds.allowed, ", ")),
		}
	}
	into.SetString(text)
	return nil
}

// hasControl finds control characters; lines may be broken in what has lines.
func hasControl(text string, lines bool) bool {
	for _, r := range text {
		if unicode.IsControl(r) && (!lines || r != '\n' && r != '\r' && r != '\t') {
			return true
		}
	}
	return false
}

// printable drops control characters, for strings.Map.
func printable(r rune) rune {
	if unicode.IsControl(r) || r == utf8.RuneError {
		return -1
	}
	return r
}

// readInteger reads a whole number; 12.0 and 1.2e1 are 12.
func readInteger(text string, into reflect.Value, bounds *rules) error {
	number, err := parseDecimal(text, 0)
	if err != nil {
		return wrongType("integer")
	}
	switch {
	case bounds.minimum != nil && number < *bounds.minimum:
		return fieldError{
			Code:   CodeOutOfRange,
			Params: params("range", "≥ "+strconv.FormatInt(*bounds.minimum, 10)),
		}
	case bounds.maximum != nil && number > *bounds.maximum:
		return fieldError{
			Code:   CodeOutOfRange,
			Params: params("range", "≤ "+strconv.FormatInt(*bounds.maximum, 10)),
		}
	case into.OverflowInt(number):
		return wrongType("integer")
	}
	into.SetInt(number)
	return nil
}
