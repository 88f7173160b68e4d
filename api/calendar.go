package api

import (
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/koprogo/koprogo/events"
)

// Date is a calendar day of a building's zone. A request gives a day or an instant, which In
// turns into the day there; an answer always holds a day.
type Date struct {
	day     events.Day
	instant time.Time // set when the request gave an instant
}

// DayDate makes the date of an answer.
func DayDate(day events.Day) Date { return Date{day: day} }

// In is the calendar day in zone.
func (d Date) In(zone *time.Location) events.Day {
	if d.instant.IsZero() {
		return d.day
	}
	return events.Day(d.instant.In(zone).Format(time.DateOnly))
}

// MarshalJSON writes the day's midnight, "2026-03-15T00:00:00Z"; no day is null.
func (d Date) MarshalJSON() ([]byte, error) {
	day := d.In(time.UTC)
	if day == "" {
		return []byte("null"), nil
	}
	return []byte(`"` + string(day) + `T00:00:00Z"`), nil
}

// UnmarshalText reads 2026-03-15 or an RFC 3339 instant. Midnight UTC is the form of answers, so
// it means that day in every zone.
func (d *Date) UnmarshalText(text []byte) error {
	if day, err := parseDay(string(text)); err == nil {
		*d = Date{day: day}
		return nil
	}
	instant, err := parseInstant(string(text))
	if err != nil {
		return fieldError{Code: CodeMalformed, Params: params("form", "date")}
	}
	if instant.Equal(instant.Truncate(24*time.Hour)) && text[len(text)-1]|0x20 == 'z' {
		*d = Date{day: events.Day(instant.Format(time.DateOnly))}
		return nil
	}
	*d = Date{instant: instant}
	return nil
}

// Schema describes the text.
func (Date) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{
		Type: huma.TypeString, Format: "date-time", Examples: []any{"2026-03-15T00:00:00Z"},
		Description: "Calendar day of the building's zone. Requests send 2026-03-15 or an " +
			"instant; answers write the day's midnight.",
	}
}

// Instant is a moment, RFC 3339 in UTC.
type Instant time.Time

// Time is the moment in UTC.
func (i Instant) Time() time.Time { return time.Time(i) }

// MarshalJSON writes microseconds at most; no moment is null.
func (i Instant) MarshalJSON() ([]byte, error) {
	if time.Time(i).IsZero() {
		return []byte("null"), nil
	}
	moment := time.Time(i).UTC().Truncate(time.Microsecond)
	return moment.AppendFormat([]byte{'"'}, `2006-01-02T15:04:05.999999Z"`), nil
}

// UnmarshalText reads RFC 3339 with any offset.
func (i *Instant) UnmarshalText(text []byte) error {
	instant, err := parseInstant(string(text))
	if err != nil {
		return fieldError{Code: CodeMalformed, Params: params("form", "date-time")}
	}
	*i = Instant(instant)
	return nil
}

// Schema describes the text.
func (Instant) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{
		Type: huma.TypeString, Format: "date-time", Examples: []any{"2026-03-15T09:30:00Z"},
		Description: "RFC 3339, UTC.",
	}
}

// parseDay reads a calendar day in the years 1 to 9999.
func parseDay(text string) (events.Day, error) {
	if strings.HasPrefix(text, "0000") {
		return "", &time.ParseError{Value: text, Message: ": year out of range"}
	}
	return events.ParseDay(text)
}

// parseInstant reads RFC 3339 in the years 1 to 9999, also in UTC.
func parseInstant(text string) (time.Time, error) {
	instant, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return time.Time{}, err
	}
	instant = instant.UTC()
	if instant.Year() < 1 || instant.Year() > 9999 {
		return time.Time{}, &time.ParseError{Value: text, Message: ": year out of range"}
	}
	return instant, nil
}
