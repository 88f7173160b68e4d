package main_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/koprogo/koprogo/api"
	"github.com/koprogo/koprogo/commands"
	"github.com/koprogo/koprogo/commands/seed"
	"github.com/koprogo/koprogo/deploy/embedded"
	"github.com/koprogo/koprogo/eventstore"
)

// scratch is where data directories stand: in memory where there is plenty, since killing a
// process loses nothing of a file system.
var scratch = sync.OnceValue(func() string {
	const memory, needed = "/dev/shm", 4 << 30
	var stat syscall.Statfs_t
	if os.Getenv("TMPDIR") != "" || syscall.Statfs(memory, &stat) != nil ||
		stat.Bavail*uint64(stat.Bsize) < needed {
		return os.TempDir()
	}
	return memory
})

// emptyDir makes an empty data directory that every user can pass through. It goes with the test.
func emptyDir(t testing.TB) string {
	t.Helper()
	dir, err := makeDir()
	require.NoError(t, err)
	t.Cleanup(func() {
		awaitPostgresEnd(t, dir)
		require.NoError(t, os.RemoveAll(dir))
	})
	return dir
}

func makeDir() (string, error) {
	dir, err := os.MkdirTemp(scratch(), "koprogo-process-")
	if err != nil {
		return "", fmt.Errorf("make a data directory: %w", err)
	}
	return dir, os.Chmod(dir, 0o711)
}

func postmasterFile(dir string) string {
	return filepath.Join(dir, "postgres", "cluster", "postmaster.pid")
}

// awaitPostgresEnd waits until the PostgreSQL of an ended server has ended by itself.
func awaitPostgresEnd(t testing.TB, dir string) {
	t.Helper()
	require.Eventually(t, func() bool {
		_, err := os.Stat(postmasterFile(dir))
		return errors.Is(err, os.ErrNotExist)
	}, stopPatience, tick, "the PostgreSQL of %s does not end", dir)
}

// The organization that tests write to: an unlimited plan, one syndic.
var (
	loadOrganization = uuid.MustParse("01900000-0000-7000-8000-000000000900")
	loadSyndic       = uuid.MustParse("01900000-0000-7000-8000-000000000901")
	loadRole         = uuid.MustParse("01900000-0000-7000-8000-000000000902")
	demoOrganization = seed.DemoOrganization
)

// seededDir is a data directory of a development server that ran once.
type seededDir struct {
	path  string
	token string // of the syndic of loadOrganization, for an hour
}

var (
	seeded   seededDir // once seedOnce was called
	seedOnce = sync.OnceValue(func() error { return seeded.make() })
)

func (d *seededDir) make() (err error) {
	if d.path, err = makeDir(); err != nil {
		return err
	}
	s, err := tryServe(d.path, nil, []string{"--dev"})
	if err != nil {
		return err
	}
	if err := s.untilDemo(); err != nil {
		return errors.Join(err, s.signal(syscall.SIGTERM))
	}
	url, ok := embedded.AttachPostgres(d.path)
	if !ok {
		return errors.Join(errors.New("nobody runs PostgreSQL"), s.signal(syscall.SIGTERM))
	}
	d.token, err = enrol(url, filepath.Join(d.path, "master.key"),
		filepath.Join(d.path, "jwt.secret"))
	return errors.Join(err, s.signal(syscall.SIGTERM))
}

func removeSeeded() {
	if seeded.path != "" {
		_ = os.RemoveAll(seeded.path)
	}
}

// devDir is a data directory with the demo and loadOrganization in it, copied from one that was
// made once.
func devDir(t testing.TB) (dir, token string) {
	t.Helper()
	require.NoError(t, seedOnce())
	dir = emptyDir(t)
	copied := exec.Command("cp", "-a", seeded.path+"/.", dir)
	output, err := copied.CombinedOutput()
	require.NoError(t, err, "%s", output)
	return dir, seeded.token
}

// enrol founds loadOrganization and signs its syndic in.
func enrol(databaseURL, masterKeyFile, jwtSecretFile string) (token string, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), startPatience)
	defer cancel()
	master, err := eventstore.LoadMasterKey(masterKeyFile)
	if err != nil {
		return "", err
	}
	secret, err := os.ReadFile(jwtSecretFile)
	if err != nil {
		return "", err
	}
	store, err := eventstore.Open(ctx, eventstore.Config{
		URL: databaseURL, MaxConns: 5, MasterKey: master, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		return "", err
	}
	defer store.Close()
	if err := foundLoad(ctx, commands.New(store)); err != nil {
		return "", err
	}
	credentials, err := store.Credentials()
	if err != nil {
		return "", err
	}
	session, _, err := credentials.StartSession(ctx, loadSyndic, loadRole, "127.0.0.1", "tests")
	if err != nil {
		return "", err
	}
	tokens, err := api.NewTokens(bytes.TrimSpace(secret), time.Now)
	if err != nil {
		return "", err
	}
	now := time.Now().UTC()
	return tokens.Issue(api.Token{
		Account: loadSyndic, Organization: loadOrganization, Role: commands.RoleSyndic,
		RoleID: loadRole, ID: session.ID, IssuedAt: now, ExpiresAt: now.Add(api.AccessTokenLife),
	})
}

func foundLoad(ctx context.Context, app *commands.App) error {
	system := commands.System(loadOrganization, "tests")
	_, err := app.FoundOrganization(ctx, system, commands.FoundOrganization{
		OrganizationID: loadOrganization, ContactID: uuid.New(), Plan: "enterprise",
		Name: "Syndic de la Charge", Slug: "charge", ContactEmail: "bureau@charge.be",
	})
	if err != nil {
		return err
	}
	_, err = app.OpenAccount(ctx, system, commands.OpenAccount{
		AccountID: loadSyndic, Email: "syndic@charge.be", FirstName: "Lou", LastName: "Maes",
		Roles: []commands.RoleOffer{{
			ID: loadRole, Role: commands.RoleSyndic, Organization: loadOrganization, Primary: true,
		}},
	})
	return err
}

// postgres is where the PostgreSQL of a running server stands.
type postgres struct {
	Socket     string `json:"socket_dir"`
	Port       int    `json:"port"`
	Postmaster int    `json:"postgres_pid"`
}

func postgresOf(t testing.TB, dir string) postgres {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, "postgres", "runtime.json"))
	require.NoError(t, err)
	var p postgres
	require.NoError(t, json.Unmarshal(text, &p))
	return p
}

// superuser connects past every guard to the PostgreSQL of a running server.
func superuser(t testing.TB, dir string) *pgx.Conn {
	t.Helper()
	url, ok := embedded.AttachPostgres(dir)
	require.True(t, ok, "nobody runs the PostgreSQL of %s", dir)
	return connect(t, strings.Replace(url, "postgres://koprogo@", "postgres://postgres@", 1))
}

func connect(t testing.TB, url string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

// readModels is all rows of all read models, by table.
func readModels(t testing.TB, conn *pgx.Conn) map[string]string {
	t.Helper()
	rows, err := conn.Query(t.Context(), `select tablename from pg_tables
		where schemaname = 'read' order by tablename`)
	require.NoError(t, err)
	tables, err := pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(t, err)
	require.NotEmpty(t, tables)
	found := make(map[string]string, len(tables))
	for _, table := range tables {
		var text string
		require.NoError(t, conn.QueryRow(t.Context(), `select coalesce(string_agg(
			row_to_json(r)::text, e'\n' order by row_to_json(r)::text), '')
			from read.`+pgx.Identifier{table}.Sanitize()+` r`).Scan(&text))
		found[table] = text
	}
	return found
}
