package events

import (
	"fmt"
	"strings"

	"github.com/google/uuid"
)

// Stream names the events of one thing: a category and an id, written "building-018f…".
type Stream struct {
	Category string
	ID       uuid.UUID
}

// String is the stored form, category first.
func (s Stream) String() string { return s.Category + "-" + s.ID.String() }

// IsZero tells whether no stream is named.
func (s Stream) IsZero() bool { return s == Stream{} }

// ParseStream reads the stored form.
func ParseStream(text string) (Stream, error) {
	category, id, found := strings.Cut(text, "-")
	if !found || category == "" {
		return Stream{}, fmt.Errorf("stream %q has no category", text)
	}
	parsed, err := uuid.Parse(id)
	if err != nil || len(id) != 36 {
		return Stream{}, fmt.Errorf("stream %q has no id", text)
	}
	return Stream{Category: category, ID: parsed}, nil
}
