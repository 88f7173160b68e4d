package main_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/user"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// rawPost is a POST /buildings as it goes over the wire.
func rawPost(t testing.TB, token, key, name string) string {
	t.Helper()
	body, err := json.Marshal(buildingIn(name))
	require.NoError(t, err)
	return fmt.Sprintf("POST /api/v1/buildings HTTP/1.1\r\nHost: koprogo\r\n"+
		"Authorization: Bearer %s\r\nContent-Type: application/json\r\nIdempotency-Key: %s\r\n"+
		"Content-Length: %d\r\n\r\n%s", token, key, len(body), body)
}

// dial opens a connection to the server; it is closed with the test.
func (s *server) dial(t testing.TB) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	require.NoError(t, conn.SetDeadline(time.Now().Add(startPatience)))
	return conn
}

func TestRequestUnderWayEndsBeforeTheServerDoes(t *testing.T) {
	t.Parallel()
	dir, token := devDir(t)
	s := dev(t, dir)
	conn := s.dial(t)
	header, body, _ := strings.Cut(rawPost(t, token, "last", "Résidence dernière"), "\r\n\r\n")
	_, err := io.WriteString(conn, header+"\r\nExpect: 100-continue\r\n\r\n")
	require.NoError(t, err)
	answers := bufio.NewReader(conn)
	// The request is under way once the server asks for its body: who was only heard is let go.
	ready, err := http.ReadResponse(answers, nil)
	require.NoError(t, err)
	require.NoError(t, ready.Body.Close())
	require.Equal(t, http.StatusContinue, ready.StatusCode)
	require.NoError(t, s.cmd.Process.Signal(syscall.SIGTERM))
	require.Eventually(t, func() bool {
		late, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
		if err == nil {
			_ = late.Close()
		}
		return err != nil
	}, startPatience, tick, "it takes no new clients")
	_, err = io.WriteString(conn, body)
	require.NoError(t, err)
	answered, err := http.ReadResponse(answers, nil)
	require.NoError(t, err)
	require.NoError(t, answered.Body.Close())
	require.Equal(t, http.StatusCreated, answered.StatusCode)
	s.stop(t)
	require.NoFileExists(t, postmasterFile(dir), "its PostgreSQL has ended with it")

	found, _ := dev(t, dir).with(token).buildings(t)
	require.Len(t, found, 1)
	require.Equal(t, "Résidence dernière", found[0].Name)
}

func TestClientsThatBehaveBadlyDoNoHarmToOthers(t *testing.T) {
	t.Parallel()
	dir, token := devDir(t)
	s := dev(t, dir, unlimited)
	const many = 300

	t.Run("who sends slowly, or nothing, keeps nobody out", func(t *testing.T) {
		request := rawPost(t, token, "slow", "Résidence lente")
		for i := range many {
			_, err := io.WriteString(s.dial(t), request[:i%len(request)])
			require.NoError(t, err)
		}
		began := time.Now()
		s.with(token).register(t, "Résidence rapide")
		require.Less(t, time.Since(began), 5*time.Second)
	})
	t.Run("who does not read his answers keeps nobody out", func(t *testing.T) {
		conn := s.dial(t)
		ask := "GET /openapi.json HTTP/1.1\r\nHost: koprogo\r\n\r\n"
		require.NoError(t, conn.SetWriteDeadline(time.Now().Add(time.Second)))
		_, _ = io.WriteString(conn, strings.Repeat(ask, 2000)) // as much as the server takes
		s.with(token).register(t, "Résidence lue")
	})
	t.Run("who hangs up leaves one building or none, and may ask again", func(t *testing.T) {
		var clients sync.WaitGroup
		for i := range 30 {
			request := rawPost(t, token, "gone-"+strconv.Itoa(i), "Résidence "+strconv.Itoa(i))
			conn := s.dial(t)
			clients.Go(func() {
				_, _ = io.WriteString(conn, request)
				_ = conn.Close()
			})
		}
		clients.Wait()
		c := s.with(token)
		for i := range 30 {
			name := "Résidence " + strconv.Itoa(i)
			got := c.send(t, http.MethodPost, "/buildings", buildingIn(name),
				"Idempotency-Key", "gone-"+strconv.Itoa(i))
			require.Equal(t, http.StatusCreated, got.status, "%s", got.body)
		}
		found, total := c.buildings(t)
		require.Len(t, found, 32, "and the two of above")
		require.Len(t, found, total)
	})
	s.stop(t)
	run(t, dir, "verify").done(t)
}

func TestFloodIsLimitedByToken(t *testing.T) {
	t.Parallel()
	dir, token := devDir(t)
	const perSecond = 25
	s := dev(t, dir, "RATE_LIMIT_PER_TOKEN="+strconv.Itoa(perSecond))
	other := s.signIn(t, "syndic@grandplace.be", "syndic123")
	var refused, served atomic.Int64
	ctx := t.Context()
	began := time.Now()
	var clients sync.WaitGroup
	for range 8 {
		clients.Go(func() {
			c := s.with(token)
			for range 50 {
				got, err := c.try(ctx, http.MethodGet, "/buildings", nil)
				switch {
				case err != nil:
				case got.status == http.StatusOK:
					served.Add(1)
				case got.status == http.StatusTooManyRequests &&
					got.header.Get("Retry-After") != "" &&
					got.header.Get("X-RateLimit-Limit") == strconv.Itoa(perSecond):
					refused.Add(1)
				}
			}
		})
	}
	require.Equal(t, http.StatusOK, other.get(t, "/buildings").status, "another token")
	clients.Wait()
	require.EqualValues(t, 400, served.Load()+refused.Load(), "nothing else is answered")
	most := float64(perSecond) * (time.Since(began).Seconds() + 2) // the seconds at both ends
	require.LessOrEqual(t, float64(served.Load()), most)
	require.Positive(t, refused.Load())
	require.Eventually(t, func() bool {
		got, err := s.with(token).try(ctx, http.MethodGet, "/buildings", nil)
		return err == nil && got.status == http.StatusOK
	}, startPatience, 100*time.Millisecond, "it may come back")
}

func TestOrdinaryUserMayRunTheProduct(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("only root can become another user; every other test runs as an ordinary one here")
	}
	nobody, err := user.Lookup("nobody")
	require.NoError(t, err)
	uid, err := strconv.Atoi(nobody.Uid)
	require.NoError(t, err)
	gid, err := strconv.Atoi(nobody.Gid)
	require.NoError(t, err)
	dir := emptyDir(t)
	require.NoError(t, os.Chown(dir, uid, gid))
	identity := as(uint32(uid), uint32(gid))
	for range 2 { // a first start and one on what it left
		s := serveAs(t, dir, nil, []string{"--dev"}, identity)
		s.awaitReady(t)
		syndic := s.signIn(t, "syndic@grandplace.be", "syndic123")
		found, _ := syndic.buildings(t)
		require.NotEmpty(t, found)
		state, err := os.Stat("/proc/" + strconv.Itoa(postgresOf(t, dir).Postmaster))
		require.NoError(t, err)
		owner := state.Sys().(*syscall.Stat_t) //nolint:forcetypeassert // as on every Unix
		require.EqualValues(t, uid, owner.Uid)
		s.stop(t)
	}
}
