package api

import (
	"bytes"
	"io"
	"net"
	"net/http"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// counting counts the writes that reach the network.
type counting struct {
	net.Conn
	writes *atomic.Int64
}

func (c counting) Write(piece []byte) (int, error) {
	c.writes.Add(1)
	return c.Conn.Write(piece)
}

type countingListener struct {
	net.Listener
	writes *atomic.Int64
}

func (l countingListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	return counting{conn, l.writes}, err
}

// gathered serves bodies as long as the path says, and counts the writes.
func gathered(t *testing.T, config *http.Server) (url string, writes *atomic.Int64) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	writes = new(atomic.Int64)
	config.ConnState = releaseIdle
	go func() { _ = config.Serve(Gather(countingListener{listener, writes})) }()
	t.Cleanup(func() { _ = config.Close() })
	return "http://" + listener.Addr().String(), writes
}

func TestAnswersAreWholeHoweverLong(t *testing.T) {
	t.Parallel()
	url, _ := gathered(t, &http.Server{
		ReadHeaderTimeout: time.Second,
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			n, err := strconv.Atoi(r.URL.Path[1:])
			if !assert.NoError(t, err) {
				return
			}
			w.Header()["Date"] = nil
			w.Header().Set("Content-Length", strconv.Itoa(n))
			if r.URL.Query().Has("last") {
				w.Header().Set("Connection", "close")
			}
			_, _ = w.Write(bytes.Repeat([]byte("k"), n))
		}),
	})
	client := &http.Client{Timeout: 5 * time.Second}
	// Around the lengths at which head and body fill one buffer or two exactly.
	for n := 3_900; n <= 2*httpBuffer+100; n++ {
		requireLong(t, client, url+"/"+strconv.Itoa(n), n)
	}
	for n := 3_950; n <= httpBuffer; n++ { // the last answer of a connection
		requireLong(t, client, url+"/"+strconv.Itoa(n)+"?last", n)
	}
}

func requireLong(t *testing.T, client *http.Client, url string, n int) {
	t.Helper()
	answer, err := client.Get(url)
	require.NoError(t, err, url)
	body, err := io.ReadAll(answer.Body)
	require.NoError(t, err, url)
	require.NoError(t, answer.Body.Close())
	require.Len(t, body, n, url)
}

func TestALongAnswerIsOneWrite(t *testing.T) {
	t.Parallel()
	const n = 20_000
	url, writes := gathered(t, &http.Server{
		ReadHeaderTimeout: time.Second,
		Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", strconv.Itoa(n))
			_, _ = w.Write(make([]byte, n))
		}),
	})
	requireLong(t, http.DefaultClient, url, n)
	// Two buffers: a connection that is no TCP connection itself takes them one by one.
	require.EqualValues(t, 2, writes.Load())
}
