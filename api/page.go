package api

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/google/uuid"

	"github.com/koprogo/koprogo/queries"
)

// Bounds of pages.
const (
	defaultPerPage = 20
	maxPerPage     = 100
	maxRowsDeep    = 10_000 // page × per_page; further on a cursor goes at constant cost
)

// pageParameters are those of every list.
var pageParameters = []string{"page", "per_page", "sort_by", "order", "cursor"}

// sorting is what a list may be sorted by.
type sorting struct {
	columns    []string // the first is the default
	descending bool     // the default order
	perPage    int      // the largest page; maxPerPage when nil
}

// Page is what part of a list is asked for. After is nil, or the mark that the query gave as Next
// with the page before: then Number only says where the reader thinks he is.
type Page struct {
	Number     int // from 1
	Size       int
	Sort       string // one of the columns that the list declares
	Descending bool
	After      []byte
	cursors    *cursors
	binding    []byte
}

// Offset is how many rows stand before a numbered page.
func (p Page) Offset() int { return (p.Number - 1) * p.Size }

// Listed is one page of a list, as a query found it.
type Listed[R any] struct {
	Items    []R
	Total    int64
	Next     []byte // the query's own mark of where the next page begins; nil at the end
	Position int64  // of the log, up to which the list shows it; 0 where that is not known
	Stale    int64  // set to Position where the read model has stopped
	// Shows is whose personal data the page shows. Where the route remembers its answers, whoever
	// gets one from memory is noted to have read it; the handler notes its own call.
	Shows []uuid.UUID
	// shown keeps the items' JSON while the same items are given; turn makes them where it does not.
	shown *queries.Shown
	turn  func() []R
}

// Paged is the envelope of every list.
type Paged[R any] struct {
	Data       []R        `json:"data"`
	Pagination Pagination `json:"pagination"`
}

// Pagination says where the page stands.
type Pagination struct {
	CurrentPage int     `json:"current_page"`
	PerPage     int     `json:"per_page"`
	TotalItems  int64   `json:"total_items"`
	TotalPages  int64   `json:"total_pages"`
	HasNext     bool    `json:"has_next"`
	HasPrevious bool    `json:"has_previous"`
	NextCursor  *string `json:"next_cursor" nullable:"true"`
}

// pagination says where a page of the list stands.
func (l *Listed[R]) pagination(page Page) Pagination {
	size := int64(page.Size)
	stands := Pagination{
		CurrentPage: page.Number, PerPage: page.Size, TotalItems: l.Total,
		TotalPages: (l.Total + size - 1) / size, HasPrevious: page.Number > 1,
		HasNext: l.Next != nil || page.After == nil && int64(page.Number)*size < l.Total,
	}
	if l.Next != nil {
		sealed := page.cursors.seal(page.Number+1, l.Next, page.binding)
		stands.NextCursor = &sealed
	}
	return stands
}

// rendered is a page in its envelope, as JSON.
type rendered struct {
	rows       *renderedRows
	pagination []byte // and the envelope's end
}

// renderedRows is the envelope up to its pagination.
type renderedRows struct {
	text   []byte
	digest [sha256.Size]byte
}

// tag is the page's ETag. The digest of rows that are kept is made once.
func (r rendered) tag() string { return contentTag(append(r.rows.digest[:], r.pagination...)) }

// body is the page in its envelope. Where the items were given before, so is their JSON.
func (l *Listed[R]) body(page Page, language string) (any, error) {
	rows, err := l.rows(language)
	if err != nil {
		return nil, err
	}
	pagination, err := json.Marshal(l.pagination(page), json.Deterministic(true))
	if err != nil {
		return nil, fmt.Errorf("render a pagination: %w", err)
	}
	return rendered{rows: rows, pagination: append(pagination, '}')}, nil
}

func (l *Listed[R]) rows(language string) (*renderedRows, error) {
	if l.shown == nil {
		return renderRows(l.Items)
	}
	made, err := l.shown.Of(language, func() (any, error) { return renderRows(l.turn()) })
	if err != nil {
		return nil, err
	}
	return made.(*renderedRows), nil //nolint:forcetypeassert // made above
}

func renderRows[R any](items []R) (*renderedRows, error) {
	data := []byte("[]")
	if len(items) > 0 {
		var err error
		if data, err = json.Marshal(items, json.Deterministic(true)); err != nil {
			return nil, fmt.Errorf("render a page: %w", err)
		}
	}
	text := append([]byte(`{"data":`), data...)
	text = append(text, `,"pagination":`...)
	return &renderedRows{text: slices.Clip(text), digest: sha256.Sum256(text)}, nil
}

// parsePage reads the parameters of a list; path and organization bind its cursors.
func parsePage(
	q query, sorts sorting, seals *cursors, path string, organization uuid.UUID,
) (Page, error) {
	page := Page{Number: 1, Size: defaultPerPage, Sort: sorts.columns[0], cursors: seals}
	largest := sorts.perPage
	if largest == 0 {
		largest = maxPerPage
	}
	var err error
	if page.Size, err = countParameter(q, "per_page", defaultPerPage, largest); err != nil {
		return page, err
	}
	if page.Number, err = countParameter(q, "page", 1, maxRowsDeep); err != nil {
		return page, err
	}
	if page.Number*page.Size > maxRowsDeep {
		return page, invalidParameter("page", CodePageTooFar)
	}
	if err := page.order(q, sorts); err != nil {
		return page, err
	}
	page.binding = binding(q, path, organization, page)
	if cursor := q["cursor"]; cursor != "" {
		if q["page"] != "" {
			return page, invalidParameter("page", CodeGivenTwice)
		}
		page.Number, page.After, err = seals.open(cursor, page.binding)
	}
	return page, err
}

func (p *Page) order(q query, sorts sorting) error {
	if column := q["sort_by"]; column != "" {
		if !slices.Contains(sorts.columns, column) {
			return invalidParameter("sort_by", CodeUnknownValue,
				"values", strings.Join(sorts.columns, ", "))
		}
		p.Sort = column
	}
	p.Descending = sorts.descending && p.Sort == sorts.columns[0]
	switch q["order"] {
	case "":
	case "asc":
		p.Descending = false
	case "desc":
		p.Descending = true
	default:
		return invalidParameter("order", CodeUnknownValue, "values", "asc, desc")
	}
	return nil
}

func countParameter(q query, name string, fallback, most int) (int, error) {
	text := q[name]
	if text == "" {
		return fallback, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || !isDigits(text) {
		return 0, invalidParameter(name, CodeWrongType, "type", "integer")
	}
	if n < 1 || n > most {
		return 0, invalidParameter(name, CodeOutOfRange, "range", "1.."+strconv.Itoa(most))
	}
	return n, nil
}
