package main_test

import (
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	natsserver "github.com/nats-io/nats-server/v2/server"
	"github.com/stretchr/testify/require"

	"github.com/koprogo/koprogo/deploy/embedded/embeddedtest"
)

// fleet is a database and a broker that several servers share.
type fleet struct {
	database, broker string
	nats             *natsserver.Server
	settings         []string
	token            string
}

func startFleet(t *testing.T) *fleet {
	t.Helper()
	f := &fleet{database: embeddedtest.Start(t).URL()}
	var err error
	f.nats, err = natsserver.NewServer(&natsserver.Options{
		Host: "127.0.0.1", Port: natsserver.RANDOM_PORT, JetStream: true, NoSigs: true,
		StoreDir: filepath.Join(emptyDir(t), "jetstream"),
	})
	require.NoError(t, err)
	f.nats.Start()
	t.Cleanup(func() { f.nats.Shutdown(); f.nats.WaitForShutdown() })
	require.True(t, f.nats.ReadyForConnections(startPatience))
	f.broker = f.nats.ClientURL()
	dir := emptyDir(t)
	key := masterKeyFile(t, dir, strings.Repeat("ab", 32), 0o600)
	f.settings = []string{
		"DATABASE_URL=" + f.database, "NATS_URL=" + f.broker, "JWT_SECRET=" + goodSecret,
		"MASTER_KEY_FILE=" + key,
	}
	runWith(t, dir, f.settings, "serve", "--server-port=0").
		failed(t, "run koprogo migrate")
	runWith(t, dir, f.settings, "migrate").done(t)
	f.token, err = enrol(f.database, key, masterKeyFile(t, dir, goodSecret, 0o600))
	require.NoError(t, err)
	return f
}

func (f *fleet) serve(t *testing.T) *server {
	t.Helper()
	return serve(t, emptyDir(t), f.settings)
}

// work starts `koprogo work`.
func (f *fleet) work(t *testing.T) *process {
	t.Helper()
	p, err := launch(emptyDir(t), f.settings, []string{"work"})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, p.signal(syscall.SIGTERM)) })
	require.Eventually(t, func() bool {
		return strings.Contains(p.out.String(), "KoproGo works.") || !p.running()
	}, startPatience, tick)
	require.True(t, p.running(), p.log.String())
	return p
}

func TestServersShareADatabaseAndABroker(t *testing.T) {
	t.Parallel()
	f := startFleet(t)
	worker := f.work(t)
	one, other := f.serve(t), f.serve(t)
	one.awaitReady(t)
	other.awaitReady(t)

	t.Run("what one server was told, the other one shows at that position", func(t *testing.T) {
		writeAndRead(t, f, one, other, 20)
	})
	t.Run("a list in one server's memory goes when the other server changes it",
		func(t *testing.T) {
			listed, _ := other.with(f.token).buildings(t)
			made, _ := one.with(f.token).register(t, "Résidence annoncée")
			require.NotContains(t, listed, made)
			require.Eventually(t, func() bool {
				listed, _ = other.with(f.token).buildings(t)
				return len(listed) == 21
			}, 10*time.Second, tick)
			require.Contains(t, listed, made)
		})
	t.Run("one idempotency key is one building, whichever server is asked", func(t *testing.T) {
		first := one.with(f.token).send(t, http.MethodPost, "/buildings",
			buildingIn("Résidence unique"), "Idempotency-Key", "unique")
		again := other.with(f.token).send(t, http.MethodPost, "/buildings",
			buildingIn("Résidence unique"), "Idempotency-Key", "unique")
		require.Equal(t, http.StatusCreated, again.status, "%s", again.body)
		require.Equal(t, "true", again.header.Get("Idempotency-Replayed"))
		require.JSONEq(t, string(first.body), string(again.body))
	})
	t.Run("a server that is killed leaves the other one at work", func(t *testing.T) {
		one.kill(t)
		other.with(f.token).register(t, "Résidence suivante")
	})
	one = f.serve(t)
	t.Run("a server that comes later shows what it missed", func(t *testing.T) {
		writeAndRead(t, f, other, one, 3)
		listed, _ := one.with(f.token).buildings(t)
		require.Contains(t, fmt.Sprint(listed), "Résidence suivante")
	})
	t.Run("without the broker they go on, and say that it is away", func(t *testing.T) {
		f.nats.Shutdown()
		f.nats.WaitForShutdown()
		writeAndRead(t, f, one, other, 5)
		require.Equal(t, http.StatusServiceUnavailable, one.with("").get(t, "/health/ready").status)
	})
	one.stop(t)
	other.stop(t)
	t.Run("work alone moves the read models", func(t *testing.T) { f.seedAndAwait(t) })
	require.NoError(t, worker.signal(syscall.SIGTERM))
	require.Zero(t, worker.code, worker.log.String())
	runWith(t, emptyDir(t), f.settings, "verify").done(t)
}

// seedAndAwait fills the demo in and waits until somebody has moved the read models.
func (f *fleet) seedAndAwait(t *testing.T) {
	t.Helper()
	runWith(t, emptyDir(t), f.settings, "seed").done(t)
	conn := connect(t, f.database)
	require.Eventually(t, func() bool {
		shown, err := demoBuildings(t, conn)
		return err == nil && shown > 0
	}, startPatience, tick)
}

// demoBuildings is how many the read model shows of the demo.
func demoBuildings(t *testing.T, conn *pgx.Conn) (shown int, err error) {
	t.Helper()
	err = conn.QueryRow(t.Context(), `select coalesce(sum(n), 0) from read.totals
		where organization_id = $1 and resource = 'buildings'`, demoOrganization).Scan(&shown)
	return shown, err
}

// writeAndRead writes on one server and reads on the other at the position that was answered.
func writeAndRead(t *testing.T, f *fleet, writes, reads *server, times int) {
	t.Helper()
	writer, reader := writes.with(f.token), reads.with(f.token)
	for i := range times {
		made, position := writer.register(t, fmt.Sprintf("Résidence %s %d", t.Name(), i))
		got := reader.get(t, "/buildings/"+made.ID, "Koprogo-Min-Position", position)
		require.Equal(t, http.StatusOK, got.status, "%s", got.body)
		listed, total := reader.buildings(t, "Koprogo-Min-Position", position)
		require.Contains(t, listed, made)
		require.Len(t, listed, total)
	}
}
