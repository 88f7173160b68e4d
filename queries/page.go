package queries

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/google/uuid"
)

// ErrBadMark is returned for a mark that no list gave.
var ErrBadMark = errors.New("the mark is not one of this list")

// Page is what part of a list is asked for. After is nil, or the mark that the list gave as Next
// with the page before; it belongs to the same order and filters.
type Page struct {
	Number     int // from 1; without meaning beside After
	Size       int
	Sort       string // one of the list's columns; its default when empty
	Descending bool
	After      []byte
}

// Listed is one page of a list.
type Listed[R any] struct {
	Items []R // never nil
	Total int64
	Next  []byte // the mark of where the next page begins; nil at the end
	Stale int64  // where the read model has stopped, the position that it shows; else 0

	// Shown keeps what the caller makes of the items, for as long as the same items are given; nil
	// where they are read for this call.
	Shown *Shown

	at int64 // the position that it shows, where that is known; else 0
}

// Shown is what was made of a page's items, by the way of making.
type Shown struct {
	mu   sync.Mutex
	made map[string]any
}

// Of gives what was made before in this way, or makes it. It is not for changing.
func (s *Shown) Of(way string, render func() (any, error)) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if made, found := s.made[way]; found {
		return made, nil
	}
	made, err := render()
	if err != nil {
		return nil, err
	}
	if s.made == nil {
		s.made = map[string]any{}
	}
	s.made[way] = made
	return made, nil
}

// withItems is the page with other items in place of its own, one for one.
func withItems[Q, R any](listed Listed[Q], items []R) Listed[R] {
	return Listed[R]{
		Items: items, Total: listed.Total, Next: listed.Next, Stale: listed.Stale, at: listed.at,
	}
}

// mark is where a page ended: the sorted value and the ids of its last row.
type mark struct {
	Value        json.RawMessage `json:"v"`
	ID           string          `json:"i"`
	Organization string          `json:"o,omitempty"`
}

func readMark(text []byte) (m mark, err error) {
	if err := json.Unmarshal(text, &m); err != nil || m.ID == "" || m.Value == nil {
		return m, ErrBadMark
	}
	return m, nil
}

func writeMark(value any, id, organization uuid.UUID) ([]byte, error) {
	text, err := json.Marshal(value)
	if err != nil {
		return nil, fmt.Errorf("mark where a page ends: %w", err)
	}
	m := mark{Value: text, ID: id.String()}
	if organization != uuid.Nil && organization != id {
		m.Organization = organization.String()
	}
	return json.Marshal(m)
}

// text is the sorted value as PostgreSQL reads it.
func (m mark) text() (string, error) {
	var text string
	if json.Unmarshal(m.Value, &text) == nil {
		return text, nil
	}
	var n json.Number
	if err := json.Unmarshal(m.Value, &n); err != nil {
		return "", ErrBadMark
	}
	return n.String(), nil
}

// afterMark is the SQL of what a mark holds, as a row: the sorted value, of the given type, the id
// and, where it is one of three, the organization.
func afterMark(after []byte, kind string, columns int) (string, []any, error) {
	m, err := readMark(after)
	if err != nil {
		return "", nil, err
	}
	value, err := m.text()
	if err != nil {
		return "", nil, err
	}
	if columns == 2 {
		return "(?::text::" + kind + ", ?::text::uuid)", []any{value, m.ID}, nil
	}
	return "(?::text::" + kind + ", ?::text::uuid, ?::text::uuid)",
		[]any{value, m.ID, m.Organization}, nil
}

// cut takes the row too many off a page that was read one row longer, and tells whether there is
// another page.
func cut[R any](items []R, size int) ([]R, bool) {
	if items == nil {
		items = []R{}
	}
	if len(items) <= size {
		return items, false
	}
	return items[:size], true
}

// conditions collects a where clause and its parameters.
type conditions struct {
	texts []string
	args  []any
}

// add adds a condition in which each ? is the next parameter.
func (c *conditions) add(text string, args ...any) {
	for _, arg := range args {
		c.args = append(c.args, arg)
		text = strings.Replace(text, "?", fmt.Sprintf("$%d", len(c.args)), 1)
	}
	c.texts = append(c.texts, text)
}

func (c *conditions) where() string {
	if len(c.texts) == 0 {
		return ""
	}
	return " where " + strings.Join(c.texts, " and ")
}

// slicePage cuts a page out of a list that is held in memory, already in order.
func slicePage[R any](all []R, p Page, offset int) ([]R, bool) {
	from := min(offset, len(all))
	return cut(append([]R{}, all[from:]...), p.Size)
}
