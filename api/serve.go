package api

import (
	"context"
	"net/http"
	"net/url"
	"reflect"
	"strconv"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/google/uuid"
)

// workFor bounds what a request does in the layers beneath. It does not hang on the client's
// patience: a cancelled context would close a connection to the database.
const workFor = 15 * time.Second

// serve takes a request through its route: authenticate, authorise, decode, one call, encode.
func (s *Server) serve(x *exchange, r *http.Request, route *Route) {
	x.route = route
	ctx := r.Context()
	if route.Serve.kind != verbRaw { // what streams ends with its client and bounds itself
		bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), workFor)
		defer cancel()
		ctx = bounded
	}
	if err := s.admit(ctx, x, r, route); err != nil {
		s.refuse(x, r, mapped(err, route))
		return
	}
	c := &Call{
		Backend: &s.backend, Caller: x.caller, Organization: x.caller.Organization,
		Language: x.language, RequestID: x.requestID, Address: s.proxies.client(r),
		Agent: agentOf(r.Header), Now: s.now().UTC(), route: route, fence: s.fence,
		languages: r.Header.Get("Accept-Language"),
	}
	var err error
	if route.Serve.kind == verbRaw {
		err = route.Serve.stream(ctx, c, x, r)
	} else {
		err = s.serveTyped(ctx, c, x, r)
	}
	if err != nil {
		s.refuse(x, r, mapped(err, route))
	}
}

// admit authenticates, authorises and counts the request.
func (s *Server) admit(ctx context.Context, x *exchange, r *http.Request, route *Route) error {
	if route.May == Public {
		return s.limiter.allow(x, r, s.counted(r))
	}
	bearer := bearerOf(r.Header)
	if !x.known {
		if bearer == "" {
			return s.refuseStranger(x, r)
		}
		caller, err := s.authenticate(ctx, bearer)
		if err != nil {
			if mapped(err, route).Status() == http.StatusUnauthorized {
				return s.refuseStranger(x, r)
			}
			return err
		}
		x.caller, x.known = caller, true
	}
	if err := s.limiter.allow(x, r, bearer); err != nil {
		return err
	}
	if route.May&x.caller.Role == 0 {
		return refuse(CodeForbidden)
	}
	return nil
}

// refuseStranger counts failed sign-ins by address, so that tokens cannot be guessed at speed.
func (s *Server) refuseStranger(x *exchange, r *http.Request) error {
	if err := s.limiter.allow(x, r, s.counted(r)); err != nil {
		return err
	}
	return ErrUnauthenticated
}

func (s *Server) serveTyped(ctx context.Context, c *Call, x *exchange, r *http.Request) error {
	asked, err := s.decode(ctx, c, x, r)
	if err != nil {
		return err
	}
	if c.key != "" {
		done, err := s.turns.take(ctx, turn{c.Organization, c.Caller.Account, c.key})
		if err != nil {
			return err
		}
		defer done()
	}
	c.least = asked.least
	if err := s.fence.waitFor(ctx, c.Organization, c.least); err != nil {
		return err
	}
	begun := uint64(0)
	if s.answers != nil {
		begun = s.answers.begin()
	}
	got, err := s.work(ctx, c, asked)
	if err != nil {
		return err
	}
	if verb := &c.route.Serve; !verb.writes() && !verb.isPlatform && c.AsOf.IsNow() {
		s.fence.answered(c.Organization, got.position)
	}
	return s.render(c, x, r, got, begun)
}

// work runs the handler within the gate.
func (s *Server) work(ctx context.Context, c *Call, asked asked) (reply, error) {
	leave, err := s.gate.enter(ctx)
	if err != nil {
		return reply{}, err
	}
	defer leave()
	return c.route.Serve.call(ctx, c, asked.params, asked.body)
}

// asked is a request as it was decoded.
type asked struct {
	params, body any
	least        int64
}

// decode reads parameters, conditions and body, and finds the organization.
func (s *Server) decode(
	ctx context.Context, c *Call, x *exchange, r *http.Request,
) (asked, error) {
	verb := &c.route.Serve
	q, err := parseQuery(r.URL.RawQuery)
	if err != nil {
		return asked{}, err
	}
	known := shapeOf(verb.params)
	if err := q.rename(known); err != nil {
		return asked{}, err
	}
	if err := q.unknown(known, verb.conventions()); err != nil {
		return asked{}, err
	}
	into := reflect.New(verb.params)
	if err := decodeParams(pathParameters(r), q, into.Elem()); err != nil {
		return asked{}, err
	}
	got := asked{params: into.Interface()}
	if verb.takesAsOf {
		c.AsOf, err = parseAsOf(q[asOfParameter], q[asOfPositionParameter], c.Now)
		if err != nil {
			return got, err
		}
	}
	var named Field[uuid.UUID]
	if verb.writes() {
		named, err = s.decodeWrite(c, x, r, &got)
	} else {
		got.least, err = leastPosition(r.Header)
	}
	if err != nil {
		return got, err
	}
	if err := s.findOrganization(ctx, c, r, q, named); err != nil {
		return got, err
	}
	if verb.kind == verbList {
		c.Page, err = parsePage(q, verb.sorts, s.cursors, r.URL.Path, c.Organization)
	}
	return got, err
}

// conventions are the parameters that the verb takes beside its own.
func (v verb) conventions() []string {
	var names []string
	if v.kind == verbList {
		names = append(names, pageParameters...)
	}
	if v.takesAsOf {
		names = append(names, asOfParameter, asOfPositionParameter)
	}
	return names
}

func (s *Server) decodeWrite(
	c *Call, x *exchange, r *http.Request, got *asked,
) (Field[uuid.UUID], error) {
	var named Field[uuid.UUID]
	var err error
	if c.IfMatch, err = ifMatch(r.Header); err != nil {
		return named, err
	}
	if c.key, err = idempotencyKey(r.Header); err != nil {
		return named, err
	}
	if c.key != "" && refusesIdempotency(c.route.Path) {
		return named, refuse(CodeIdempotencyForbidden)
	}
	raw, err := readBody(x, r)
	if err != nil {
		return named, err
	}
	if c.key != "" {
		c.digest = requestMAC(s.requestKey, r.Method, r.URL.RequestURI(), raw)
	}
	into := reflect.New(c.route.Serve.body)
	named, err = decodeBody(raw, into.Interface(), c.route.Serve.mode())
	got.body = into.Interface()
	return named, err
}

// findOrganization decides whose data the call is about. It comes from the token; another one's
// is not found. A superadmin names it, or the resource does.
func (s *Server) findOrganization(
	ctx context.Context, c *Call, r *http.Request, q query, inBody Field[uuid.UUID],
) error {
	named := inBody.Value()
	if text := q[organizationField]; text != "" {
		var inQuery uuid.UUID
		if err := readID(text, &inQuery); err != nil {
			return invalidParameter(organizationField, CodeMalformed, "form", "uuid")
		}
		if named != uuid.Nil && named != inQuery {
			return invalidParameter(organizationField, CodeGivenTwice)
		}
		named = inQuery
	}
	switch {
	case c.route.May == Public:
		return nil
	case c.Caller.Role != Superadmin:
		if named != uuid.Nil && named != c.Organization {
			return notFound("organization")
		}
		return nil
	}
	c.Organization = named
	if named != uuid.Nil || c.route.Serve.isPlatform || c.route.Serve.spans {
		return nil
	}
	return s.organizationOfResource(ctx, c, r)
}

// organizationOfResource finds the organization of the {id} that a superadmin asks for.
func (s *Server) organizationOfResource(ctx context.Context, c *Call, r *http.Request) error {
	var id uuid.UUID
	text := pathParameters(r)("id")
	if text == "" || s.organizationOf == nil || readID(text, &id) != nil {
		return refuse(CodeOrganizationRequired)
	}
	organization, err := s.organizationOf(ctx, c.route.Noun, id)
	if err != nil {
		return err
	}
	c.Organization = organization
	return nil
}

// pathParameters reads {name} of the route's path. humachi and chi leave it escaped where the
// request's path was.
func pathParameters(r *http.Request) func(name string) string {
	return func(name string) string {
		text := r.PathValue(name)
		if r.URL.RawPath == "" {
			return text
		}
		if clear, err := url.PathUnescape(text); err == nil {
			return clear
		}
		return text
	}
}

// render encodes the reply with its headers, answers 304 where the client has it, and remembers
// it where the route says so.
func (s *Server) render(
	c *Call, x *exchange, r *http.Request, got reply, begun uint64,
) error {
	status := got.status
	if status == 0 {
		status = c.route.Serve.status
	}
	var body []byte
	made, isFile := got.body.(File)
	_, isPage := got.body.(rendered)
	if status != http.StatusNoContent && !isFile && !isPage {
		var err error
		if body, err = json.Marshal(got.body, json.Deterministic(true)); err != nil {
			return &Problem{Code: CodeInternal, Cause: err}
		}
	}
	header := x.Header()
	header["Vary"] = withOrigin(header["Vary"])
	if got.position > 0 {
		header.Set(positionHeader, strconv.FormatInt(got.position, 10))
	}
	if got.stale > 0 {
		header.Set(staleHeader, strconv.FormatInt(got.stale, 10))
	}
	if got.replayed {
		header.Set(replayedHeader, "true")
	}
	if got.location != "" {
		header.Set("Location", got.location)
	}
	if c.route.Serve.writes() {
		s.writeWritten(x, status, body, got)
		return nil
	}
	if isFile {
		writeFile(x, r, c.route.Serve.media, made)
		return nil
	}
	shown := c.rendered(r, got, body)
	if s.keeps(c, got) {
		s.answers.keep(shown, begun)
	}
	writeAnswer(x, r, shown)
	return nil
}

// writeWritten answers a write.
func (s *Server) writeWritten(x *exchange, status int, body []byte, got reply) {
	header := x.Header()
	header.Set("Cache-Control", "no-store")
	if got.version > 0 {
		header.Set("Etag", versionTag(got.version))
	}
	if body != nil {
		header.Set("Content-Type", "application/json")
		header.Set("Content-Length", strconv.Itoa(len(body)))
	}
	x.WriteHeader(status)
	if body != nil {
		_, _ = x.Write(body) // the client is gone when it fails
	}
}
