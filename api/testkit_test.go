package api

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/koprogo/koprogo/eventstore"
	"github.com/koprogo/koprogo/queries"
)

// The parcels are a noun of the tests: they show what a noun gets by being written in this shape.
type parcel struct {
	ID       uuid.UUID `json:"id"`
	Name     string    `json:"name"`
	Note     string    `json:"note"`
	Price    Money     `json:"price"`
	Shares   Quota     `json:"shares"`
	Day      Date      `json:"day"`
	MadeAt   Instant   `json:"made_at"`
	Children []string  `json:"children"`
}

type parcelIn struct {
	ID     Field[uuid.UUID] `json:"id" on:"create"`
	Name   Field[string]    `json:"name" required:"true"`
	Note   Field[string]    `json:"note" maxLength:"10000"`
	Kind   Field[string]    `json:"kind" enum:"small,large"`
	Price  Field[Money]     `json:"price"`
	Shares Field[Quota]     `json:"shares"`
	Day    Field[Date]      `json:"day"`
	Count  Field[int]       `json:"count" minimum:"1"`
	Open   Field[bool]      `json:"open"`
	Lines  Field[[]lineIn]  `json:"lines" maxItems:"3"`
}

// parcelOwnedIn declares organization_id itself, as users do.
type parcelOwnedIn struct {
	OrganizationID Field[uuid.UUID] `json:"organization_id"`
}

type lineIn struct {
	Text   Field[string] `json:"text" required:"true"`
	Amount Field[Money]  `json:"amount"`
}

type parcelFilter struct {
	City Field[string] `query:"city"`
	From Field[Date]   `query:"from"`
}

// yard holds the parcels of the tests' handlers.
type yard struct {
	mu       sync.Mutex
	parcels  map[uuid.UUID]parcel
	position int64
	reads    int
	last     *Call // of the last write
	lastIn   parcelIn
	lastPage Page
	during   func()              // called within a POST
	replay   *eventstore.Receipt // what a known idempotency key gives
	behind   bool                // the read model does not get there
}

func (y *yard) read(_ context.Context, c *Call, id ID) (Answer[parcel], error) {
	y.mu.Lock()
	defer y.mu.Unlock()
	y.reads++
	if y.behind && c.AsOf.IsNow() {
		return Answer[parcel]{}, fmt.Errorf("wait: %w", queries.ErrBehind)
	}
	found, ok := y.parcels[id.ID]
	if !ok {
		return Answer[parcel]{}, notFound("building")
	}
	if !c.AsOf.IsNow() {
		return Answer[parcel]{Body: found, Version: 1, Position: c.AsOf.Position}, nil
	}
	return Answer[parcel]{Body: found, Version: 3, Position: y.position}, nil
}

func (y *yard) list(_ context.Context, _ *Call, _ parcelFilter, page Page) (Listed[parcel], error) {
	y.mu.Lock()
	defer y.mu.Unlock()
	y.lastPage = page
	y.reads++
	all := make([]parcel, 0, len(y.parcels))
	for _, one := range y.parcels {
		all = append(all, one)
	}
	slices.SortFunc(all, func(a, b parcel) int { return strings.Compare(a.Name, b.Name) })
	total := int64(len(all))
	start := min(page.Offset(), len(all))
	if page.After != nil {
		start = slices.IndexFunc(all, func(p parcel) bool { return p.Name > string(page.After) })
		if start < 0 {
			start = len(all)
		}
	}
	end := min(start+page.Size, len(all))
	listed := Listed[parcel]{Items: all[start:end], Total: total, Position: y.position}
	if end < len(all) {
		listed.Next = []byte(all[end-1].Name)
	}
	return listed, nil
}

func (y *yard) write(
	ctx context.Context, c *Call, id uuid.UUID, in parcelIn,
) (Answer[parcel], error) {
	if y.during != nil {
		y.during()
	}
	receipt := y.store(c, id, in)
	return shown(ctx, c, id, receipt, y.read)
}

// store is what an append comes to.
func (y *yard) store(c *Call, id uuid.UUID, in parcelIn) eventstore.Receipt {
	y.mu.Lock()
	defer y.mu.Unlock()
	if y.replay != nil {
		return *y.replay
	}
	y.position++
	y.last, y.lastIn = c, in
	y.parcels[id] = parcel{
		ID: id, Name: in.Name.Value(), Note: in.Note.Value(), Price: in.Price.Value(),
		Shares: in.Shares.Value(), Day: DayDate(in.Day.Value().In(time.UTC)),
	}
	return eventstore.Receipt{Organization: c.Organization, Position: y.position}
}

func (y *yard) create(ctx context.Context, c *Call, _ None, in parcelIn) (Answer[parcel], error) {
	return y.write(ctx, c, c.NewID(in.ID), in)
}

func (y *yard) owned(_ context.Context, c *Call, _ None, in parcelOwnedIn) (Answer[None], error) {
	y.mu.Lock()
	defer y.mu.Unlock()
	y.last = c
	if in.OrganizationID.Value() != c.Organization {
		return Answer[None]{}, notFound("organization")
	}
	return Answer[None]{}, nil
}

func (y *yard) change(ctx context.Context, c *Call, id ID, in parcelIn) (Answer[parcel], error) {
	return y.write(ctx, c, id.ID, in)
}

func (y *yard) remove(_ context.Context, _ *Call, id ID) (Answer[None], error) {
	y.mu.Lock()
	defer y.mu.Unlock()
	delete(y.parcels, id.ID)
	y.position++
	return Answer[None]{Position: y.position}, nil
}

func (y *yard) routes() []Route {
	return []Route{
		{"GET", "/health", Public, "", raw(health), "Live"},
		{"GET", "/health/ready", Public, "", raw(ready), "Ready"},
		{
			"GET", "/parcels", Professionals, "building",
			list(y.list).sorted("name", "price").spanning().remembered("parcels"), "List parcels",
		},
		{"POST", "/parcels", Managers, "building", create(y.create), "Register a parcel"},
		{
			"GET", "/parcels/{id}", Professionals, "building",
			read(y.read).asOf().remembered("parcels"), "Read a parcel",
		},
		{
			"GET", "/parcels/{id}/office", Managers, "building",
			read(y.read).remembered("parcels"), "Read what only managers read",
		},
		{"PUT", "/parcels/{id}", Managers, "building", change(y.change), "Change a parcel"},
		{"DELETE", "/parcels/{id}", Managers, "building", remove(y.remove), "Remove a parcel"},
		{"POST", "/auth/parcels", Everyone, "building", create(y.create), "No key here"},
		{"POST", "/parcels/owned", Managers, "building", act(y.owned), "Declare the organization"},
		{"GET", "/boom", Everyone, "", read(boom), "Panic"},
	}
}

func boom(context.Context, *Call, None) (Answer[None], error) { panic("a secret in a panic") }

// The callers of the tests.
var (
	house    = uuid.MustParse("01900000-0000-7000-8000-000000000001")
	stranger = uuid.MustParse("01900000-0000-7000-8000-000000000002")
	firstID  = uuid.MustParse("01900000-0000-7000-8000-00000000000a")
)

var callers = map[string]Caller{
	"syndic-token":     {Organization: house, Role: Syndic, Account: uuid.NewSHA1(house, []byte("s"))},
	"accountant-token": {Organization: house, Role: Accountant},
	"owner-token":      {Organization: house, Role: Owner, Restricted: true},
	"auditor-token":    {Organization: house, Role: Auditor, Restricted: true},
	"admin-token":      {Role: Superadmin},
}

func authenticateTest(_ context.Context, bearer string) (Caller, error) {
	caller, ok := callers[bearer]
	if !ok {
		return Caller{}, ErrUnauthenticated
	}
	return caller, nil
}

var testSecret = []byte("a secret of the tests, 32 bytes or more")

// testServer is a real HTTP server over the yard.
type testServer struct {
	*httptest.Server
	yard *yard
	logs *bytes.Buffer
}

func serve(t *testing.T, adjust ...func(*Config)) *testServer {
	t.Helper()
	y := &yard{parcels: map[uuid.UUID]parcel{}, position: 7}
	logs := &bytes.Buffer{}
	config := Config{
		Authenticate: authenticateTest, JWTSecret: testSecret,
		Backend: Backend{Logger: slog.New(slog.NewJSONHandler(&lockedWriter{out: logs}, nil))},
	}
	for _, change := range adjust {
		change(&config)
	}
	server, err := newServer(config, y.routes())
	require.NoError(t, err)
	real := httptest.NewUnstartedServer(server)
	real.Config = server.HTTPServer()
	real.Start()
	t.Cleanup(real.Close)
	return &testServer{Server: real, yard: y, logs: logs}
}

type lockedWriter struct {
	mu  sync.Mutex
	out io.Writer
}

func (w *lockedWriter) Write(line []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.out.Write(line)
}

// got is an answer as the tests look at it.
type got struct {
	status int
	header http.Header
	body   []byte
}

func (g got) problem(t *testing.T) problemBody {
	t.Helper()
	require.Equal(t, "application/problem+json", g.header.Get("Content-Type"), string(g.body))
	var problem problemBody
	require.NoError(t, json.Unmarshal(g.body, &problem), string(g.body))
	require.Equal(t, g.status, problem.Status)
	return problem
}

func (g got) parcel(t *testing.T) map[string]any {
	t.Helper()
	var fields map[string]any
	require.NoError(t, json.Unmarshal(g.body, &fields), string(g.body))
	return fields
}

// send asks as the syndic; headers are pairs.
func (s *testServer) send(t *testing.T, method, path, body string, headers ...string) got {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, s.URL+path,
		strings.NewReader(body))
	require.NoError(t, err)
	request.Header.Set("Authorization", "Bearer syndic-token")
	if body != "" {
		request.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(headers); i += 2 {
		request.Header.Del(headers[i])
		if headers[i+1] != "" {
			request.Header.Set(headers[i], headers[i+1])
		}
	}
	response, err := s.Client().Do(request)
	require.NoError(t, err)
	defer response.Body.Close()
	read, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return got{status: response.StatusCode, header: response.Header, body: read}
}

func (s *testServer) get(t *testing.T, path string, headers ...string) got {
	t.Helper()
	return s.send(t, http.MethodGet, path, "", headers...)
}

func (s *testServer) post(t *testing.T, body string, headers ...string) got {
	t.Helper()
	return s.send(t, http.MethodPost, "/api/v1/parcels", body, headers...)
}
