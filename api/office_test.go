package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/koprogo/koprogo/api"
	"github.com/koprogo/koprogo/commands"
	"github.com/koprogo/koprogo/deploy/embedded/embeddedtest"
	"github.com/koprogo/koprogo/eventstore"
	"github.com/koprogo/koprogo/eventstore/eventstoretest"
	"github.com/koprogo/koprogo/migrations/migrationstest"
	"github.com/koprogo/koprogo/projections"
	"github.com/koprogo/koprogo/queries"
)

func TestMain(m *testing.M) { os.Exit(embeddedtest.Main(m)) }

// office is a whole server over a database of the test's own, without broker and jobs.
type office struct {
	*httptest.Server
	clone       migrationstest.Clone
	store       *eventstore.Store
	app         *commands.App
	credentials *eventstore.Credentials
	access      *eventstore.AccessLog
	post        *api.Post
	outbox      string
	logs        *logs
	clock       *clock
	jobs        []uuid.UUID // that were asked for
}

// clock is the true time, moved by the test.
type clock struct {
	ahead atomic.Int64
	still atomic.Pointer[time.Time] // when it was stopped
}

func (c *clock) now() time.Time {
	now := time.Now()
	if still := c.still.Load(); still != nil {
		now = *still
	}
	return now.Add(time.Duration(c.ahead.Load()))
}

func (c *clock) forward(d time.Duration) { c.ahead.Add(int64(d)) }

// stop lets the clock move by forward alone.
func (c *clock) stop() { c.still.Store(new(time.Now())) }

// logs collects what the server logs.
type logs struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logs) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(line)
}

func (l *logs) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

var secret = []byte("a secret of the office's tests, 32 bytes")

func openOffice(t testing.TB, adjust ...func(*api.Accounts)) *office {
	t.Helper()
	return openOfficeOn(t, migrationstest.Database(t), adjust...)
}

// openOfficeOn is one of several servers on a database.
func openOfficeOn(
	t testing.TB, clone migrationstest.Clone, adjust ...func(*api.Accounts),
) *office {
	t.Helper()
	o := &office{clone: clone, logs: &logs{}, clock: &clock{}, outbox: t.TempDir()}
	logger := slog.New(slog.NewJSONHandler(o.logs, &slog.HandlerOptions{Level: slog.LevelDebug}))
	o.store = eventstoretest.Open(t, clone.URL, func(c *eventstore.Config) {
		c.Logger, c.Clock = logger, o.clock.now
	})
	follower := projections.NewFollower(projections.Config{Store: o.store, Logger: logger})
	eventstoretest.Run(t, follower.Run)
	o.app = commands.New(o.store)
	reader := queries.NewReader(o.store, follower)
	var err error
	o.credentials, err = o.store.Credentials()
	require.NoError(t, err)
	tokens, err := api.NewTokens(secret, o.clock.now)
	require.NoError(t, err)
	sessions, err := api.NewSessions(tokens, o.app, o.credentials, o.clock.now)
	require.NoError(t, err)
	mailer, err := api.NewOutbox(o.outbox, "office@example.org")
	require.NoError(t, err)
	o.post = api.NewPost(mailer, logger)
	t.Cleanup(o.post.Close)
	o.access = o.store.AccessLog()
	t.Cleanup(o.access.Close)
	accounts := &api.Accounts{
		Credentials: o.credentials, Sessions: sessions, Access: o.access, Post: o.post,
		PublicURL: "https://office.example.org",
	}
	for _, change := range adjust {
		change(accounts)
	}
	answers := api.NewAnswers(1 << 20)
	follower.Subscribe(func(n projections.Notice) { forget(answers, n) })
	server, err := api.New(api.Config{
		Answers: answers,
		Backend: api.Backend{
			Store: o.store, Commands: o.app, Queries: reader, Tokens: tokens,
			Accounts: accounts, Logger: logger, Enqueue: o.enqueue,
		},
		Authenticate: sessions.Authenticate, JWTSecret: secret, Clock: o.clock.now,
		Fence: api.Fence{
			Answered: reader.Answered, Newest: reader.Newest, Reached: reader.Reached,
			Wait: reader.Wait,
		},
	})
	require.NoError(t, err)
	o.Server = httptest.NewServer(server)
	t.Cleanup(o.Close)
	return o
}

// forget drops the answers that a notice makes old, as the product does.
func forget(answers *api.Answers, n projections.Notice) {
	if n.Everything {
		answers.ChangedAll(n.Organization)
	}
	for table := range n.Changed {
		answers.Changed(n.Organization, table)
	}
}

// enqueue notes a job as the jobs do, and leaves it queued.
func (o *office) enqueue(
	ctx context.Context, kind string, organization, actor uuid.UUID, _ any,
) (uuid.UUID, error) {
	id := newID()
	_, err := o.store.Pool(eventstore.RoleJobs).Exec(ctx, `
insert into log.jobs (organization_id, id, actor, kind, status)
values ($1, $2, $3, $4, 'queued')`, organization, id, actor, kind)
	o.jobs = append(o.jobs, id)
	return id, err
}

var newID = eventstoretest.NewID

// organization founds one on the enterprise plan.
func (o *office) organization(t testing.TB) uuid.UUID {
	t.Helper()
	id := newID()
	_, err := o.app.FoundOrganization(t.Context(), commands.System(id, "test"),
		commands.FoundOrganization{
			OrganizationID: id, Name: "Syndic " + id.String(), Slug: "s-" + id.String(),
			Plan: "enterprise", ContactID: newID(), ContactEmail: "contact@example.org",
		})
	require.NoError(t, err)
	return id
}

// person is a user whom a test signs in.
type person struct {
	id       uuid.UUID
	role     uuid.UUID
	email    string
	password string
	token    string
	refresh  string
}

// user opens an account with a password; its first role is the active one.
func (o *office) user(t testing.TB, organization uuid.UUID, role string) *person {
	t.Helper()
	return o.named(t, organization, role, "Ann")
}

// named is a user with a first name of his own.
func (o *office) named(
	t testing.TB, organization uuid.UUID, role, firstName string,
) *person {
	t.Helper()
	id := newID()
	p := &person{
		id: id, role: newID(), email: role + "-" + id.String() + "@example.org",
		password: "pass " + id.String(),
	}
	_, err := o.app.OpenAccount(t.Context(), commands.System(eventstore.Platform, "test"),
		commands.OpenAccount{
			AccountID: id, Email: p.email, FirstName: firstName, LastName: "Peeters-" + id.String(),
			Roles: []commands.RoleOffer{{ID: p.role, Role: role, Organization: organization}},
		})
	require.NoError(t, err)
	hash, err := o.credentials.Hash(t.Context(), p.password)
	require.NoError(t, err)
	require.NoError(t, o.credentials.SetPassword(t.Context(), id, hash))
	return p
}

// signedIn is a user who has signed in.
func (o *office) signedIn(t testing.TB, organization uuid.UUID, role string) *person {
	t.Helper()
	p := o.user(t, organization, role)
	o.signIn(t, p)
	return p
}

func (o *office) signIn(t testing.TB, p *person) {
	t.Helper()
	answer := o.ask(t, nil, "POST", "/auth/login", body{"email": p.email, "password": p.password})
	require.Equal(t, 200, answer.status, answer.text)
	p.token, p.refresh = answer.get("token"), answer.get("refresh_token")
}

type body map[string]any

// answer is what the server said.
type answer struct {
	t      testing.TB
	status int
	header http.Header
	text   string
	json   any
}

// ask sends a request as somebody (nil: without a token); headers are pairs.
func (o *office) ask(
	t testing.TB, as *person, method, path string, content any, headers ...string,
) answer {
	t.Helper()
	var sent io.Reader
	if content != nil {
		text, err := json.Marshal(content)
		require.NoError(t, err)
		sent = bytes.NewReader(text)
	}
	request, err := http.NewRequestWithContext(t.Context(), method, o.URL+"/api/v1"+path, sent)
	require.NoError(t, err)
	if content != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	if as != nil {
		request.Header.Set("Authorization", "Bearer "+as.token)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	response, err := o.Client().Do(request)
	require.NoError(t, err)
	defer response.Body.Close()
	read, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	got := answer{t: t, status: response.StatusCode, header: response.Header, text: string(read)}
	if strings.Contains(response.Header.Get("Content-Type"), "json") {
		require.NoError(t, json.Unmarshal(read, &got.json), got.text)
	}
	return got
}

// at finds a value in the answer: "user.roles.0.role".
func (a answer) at(path string) any {
	a.t.Helper()
	value := a.json
	for name := range strings.SplitSeq(path, ".") {
		switch in := value.(type) {
		case map[string]any:
			var found bool
			value, found = in[name]
			require.True(a.t, found, "%s has no %s", a.text, path)
		case []any:
			require.Regexp(a.t, `^\d$`, name)
			require.Greater(a.t, len(in), int(name[0]-'0'), a.text)
			value = in[name[0]-'0']
		default:
			require.Fail(a.t, "nothing there", "%s in %s", path, a.text)
		}
	}
	return value
}

func (a answer) get(path string) string {
	a.t.Helper()
	text, ok := a.at(path).(string)
	require.True(a.t, ok, "%s in %s", path, a.text)
	return text
}

// refused checks status and code of a problem.
func (a answer) refused(status int, code string) {
	a.t.Helper()
	require.Equal(a.t, status, a.status, a.text)
	require.Equal(a.t, "application/problem+json", a.header.Get("Content-Type"))
	require.Equal(a.t, code, a.get("code"), a.text)
}

// ok checks the status.
func (a answer) ok(status int) answer {
	a.t.Helper()
	require.Equal(a.t, status, a.status, a.text)
	return a
}

// mail waits for the next mail to an address.
func (o *office) mail(t testing.TB, to string) string {
	t.Helper()
	found := ""
	require.Eventually(t, func() bool {
		files, err := filepath.Glob(filepath.Join(o.outbox, "*.eml"))
		require.NoError(t, err)
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err == nil && strings.Contains(string(text), to) {
				found = string(text)
				require.NoError(t, os.Remove(file))
				return true
			}
		}
		return false
	}, 10*time.Second, 10*time.Millisecond)
	return found
}
