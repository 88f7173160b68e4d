package api

import (
	"strconv"
	"time"

	"github.com/koprogo/koprogo/events"
)

// AsOf is the moment that a read looks at; its zero value is now. At most one field is set.
type AsOf struct {
	Position int64      // a position in the organization's log
	Instant  time.Time  // the last position recorded by then
	Day      events.Day // its end, in the building's zone
}

// IsNow tells that no moment was named.
func (a AsOf) IsNow() bool { return a == AsOf{} }

// AtPosition is the moment right after a position was recorded.
func AtPosition(position int64) AsOf { return AsOf{Position: position} }

const (
	asOfParameter         = "as_of"
	asOfPositionParameter = "as_of_position"
)

// parseAsOf reads the two parameters. An instant or day of the future is position_unknown; so is
// a position past the head, which the query finds.
func parseAsOf(moment, position string, now time.Time) (AsOf, error) {
	switch {
	case moment != "" && position != "":
		return AsOf{}, invalidParameter(asOfPositionParameter, CodeGivenTwice)
	case position != "":
		n, err := parsePosition(asOfPositionParameter, position)
		return AtPosition(n), err
	case moment == "":
		return AsOf{}, nil
	}
	if day, err := parseDay(moment); err == nil {
		// The day may have begun already in the zone that is furthest ahead, 14 hours.
		if string(day) > now.UTC().Add(14*time.Hour).Format(time.DateOnly) {
			return AsOf{}, refuse(CodePositionUnknown)
		}
		return AsOf{Day: day}, nil
	}
	instant, err := parseInstant(moment)
	if err != nil {
		return AsOf{}, invalidParameter(asOfParameter, CodeMalformed, "form", "date-time")
	}
	if instant.After(now) {
		return AsOf{}, refuse(CodePositionUnknown)
	}
	return AsOf{Instant: instant}, nil
}

// parsePosition reads a position: a whole number from 1.
func parsePosition(name, text string) (int64, error) {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || !isDigits(text) {
		return 0, invalidParameter(name, CodeWrongType, "type", "integer")
	}
	if n < 1 {
		return 0, invalidParameter(name, CodeOutOfRange, "range", "≥ 1")
	}
	return n, nil
}
