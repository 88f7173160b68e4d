package commands

import (
	"time"

	"github.com/koprogo/koprogo/events"
)

// When is a calendar day of the building's zone: as it was given, or that of an instant there.
type When struct {
	Day     events.Day
	Instant time.Time // set when an instant was given
}

// OnDay is a day as it was given.
func OnDay(day events.Day) When { return When{Day: day} }

// AtInstant is the day of an instant.
func AtInstant(at time.Time) When { return When{Instant: at} }

// day is the calendar day that a command gives, in the building's zone; absent when it gives none.
func (b Building) day(given Change[When], absent events.Day) events.Day {
	switch {
	case !given.Given:
		return absent
	case given.Value.Instant.IsZero():
		return given.Value.Day
	}
	return b.today(given.Value.Instant)
}
