package api

import (
	"bytes"
	"io"
	"net/http"
	"strconv"
	"sync"

	"github.com/koprogo/koprogo/eventstore"
)

// Header values that answers share.
var (
	jsonType    = []string{"application/json"}
	privateOnly = []string{"private, no-cache"}
	varied      = []string{"Accept-Language, Authorization"}
)

// rendered makes the answer of a read.
func (c *Call) rendered(r *http.Request, got reply, body []byte) *answer {
	var rows []byte
	var tag string
	if page, isPage := got.body.(rendered); isPage {
		rows, body, tag = page.rows.text, page.pagination, page.tag()
	} else if tag = contentTag(body); got.version > 0 {
		tag = versionTag(got.version)
	}
	made := &answer{
		key: answerKey{
			organization: c.Organization, language: c.Language, target: r.URL.RequestURI(),
			quarter: quarterOf(c.Now),
		},
		route: c.route, rows: rows, body: body, tag: tag, tagLine: []string{tag},
		length: []string{strconv.Itoa(len(rows) + len(body))}, shows: got.shows,
	}
	if got.position > 0 {
		made.position = []string{strconv.FormatInt(got.position, 10)}
	}
	return made
}

// writeAnswer writes a 200, or a 304 to a client that has it.
func writeAnswer(x *exchange, r *http.Request, made *answer) {
	header := x.Header()
	header["Etag"] = made.tagLine
	header["Cache-Control"] = privateOnly
	header["Vary"] = withOrigin(header["Vary"])
	if made.position != nil {
		header[positionHeader] = made.position
	}
	if sameTag(r.Header.Get("If-None-Match"), made.tag) {
		x.WriteHeader(http.StatusNotModified)
		return
	}
	header["Content-Type"] = jsonType
	header["Content-Length"] = made.length
	x.WriteHeader(http.StatusOK)
	made.write(x)
}

// bodies are the buffers in which bodies are put together: in one piece they take fewer writes.
var bodies = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// write writes the body; the client is gone when it fails.
func (a *answer) write(to io.Writer) {
	if a.rows == nil {
		_, _ = to.Write(a.body)
		return
	}
	whole := bodies.Get().(*bytes.Buffer) //nolint:forcetypeassert // New makes nothing else
	defer bodies.Put(whole)
	whole.Reset()
	whole.Write(a.rows)
	whole.Write(a.body)
	_, _ = to.Write(whole.Bytes())
}

// withOrigin keeps what the CORS layer said that answers vary by.
func withOrigin(before []string) []string {
	if len(before) == 0 {
		return varied
	}
	for _, name := range before {
		if name == varied[0] {
			return before
		}
	}
	return append(before[:len(before):len(before)], varied[0])
}

// keeps tells whether an answer may be shared with other callers of the organization.
func (s *Server) keeps(c *Call, got reply) bool {
	return s.answers != nil && c.route.Serve.tables != nil && c.AsOf.IsNow() && got.stale == 0 &&
		!c.Caller.Restricted && c.Caller.Role != Superadmin && got.status == 0
}

// fromMemory answers a read from memory, after authentication and authorisation, and tells
// whether it did. What it does not know it leaves to the route.
func (s *Server) fromMemory(x *exchange, r *http.Request) bool {
	if s.answers == nil || r.Method != http.MethodGet {
		return false
	}
	bearer := bearerOf(r.Header)
	if bearer == "" {
		return false
	}
	caller, err := s.authenticate(r.Context(), bearer)
	if err != nil || caller.Restricted || caller.Role == Superadmin {
		return false
	}
	x.caller, x.known = caller, true
	found := s.answers.find(answerKey{
		organization: caller.Organization, language: x.language, target: r.URL.RequestURI(),
		quarter: quarterOf(s.now()),
	})
	if found == nil || found.route.May&caller.Role == 0 {
		return false
	}
	least, err := leastPosition(r.Header)
	if err != nil || !s.fence.shows(caller.Organization, least) {
		return false
	}
	x.route = found.route
	if err := s.limiter.allow(x, r, bearer); err != nil {
		s.refuse(x, r, mapped(err, found.route))
		return true
	}
	if err := s.noteShown(x, r, found); err != nil {
		s.refuse(x, r, mapped(err, found.route))
		return true
	}
	s.metrics.memory.Inc()
	writeAnswer(x, r, found)
	return true
}

// noteShown records that the caller read the people whom an answer shows.
func (s *Server) noteShown(x *exchange, r *http.Request, found *answer) error {
	if len(found.shows) == 0 {
		return nil
	}
	read, at := make([]eventstore.Access, len(found.shows)), s.now().UTC()
	for i, person := range found.shows {
		read[i] = eventstore.Access{
			Organization: x.caller.Organization, Actor: x.caller.Account,
			Role: x.caller.Role.String(), Subject: person,
			Resource: found.route.Noun + "/" + person.String(), RequestID: x.requestID, At: at,
		}
	}
	return s.backend.Accounts.Access.NoteListed(r.Context(), read...)
}
