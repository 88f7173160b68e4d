package api

import (
	"bytes"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// gathered serves on connections that gather, and returns its address.
func gathered(t *testing.T, config *http.Server) (url string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	config.ConnState = releaseIdle
	go func() { _ = config.Serve(Gather(listener)) }()
	t.Cleanup(func() { _ = config.Close() })
	return "http://" + listener.Addr().String()
}

func TestAnswersAreWholeHoweverLong(t *testing.T) {
	t.Parallel()
	url := gathered(t, &http.Server{
		ReadHeaderTimeout: time.Second,
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			n, err := strconv.Atoi(r.URL.Path[1:])
			if err != nil {
				http.Error(w, err.Error(), http.StatusBadRequest)
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

func TestAFullBufferWaitsForWhatFollows(t *testing.T) {
	t.Parallel()
	near, far := net.Pipe() // a write on it returns when it was read
	conn := &gatheringConn{Conn: near}
	first, second := bytes.Repeat([]byte("a"), httpBuffer), []byte("bc")
	n, err := conn.Write(first) // nobody reads yet
	require.NoError(t, err)
	require.Equal(t, httpBuffer, n)

	read, broken := make(chan []byte, 1), make(chan error, 1)
	go func() {
		all, err := io.ReadAll(far)
		read <- all
		broken <- err
	}()
	n, err = conn.Write(second)
	require.NoError(t, err)
	require.Equal(t, len(second), n)
	_, err = conn.Write(first)
	require.NoError(t, err)
	require.NoError(t, conn.Close())
	require.Equal(t, slices.Concat(first, second, first), <-read)
	require.NoError(t, <-broken)

	_, err = conn.Write(first)
	require.NoError(t, err)
	_, err = conn.Write(second)
	require.Error(t, err, "who is gone is noticed one piece later")
}

func TestClosingEndsAWriteThatNobodyReads(t *testing.T) {
	t.Parallel()
	near, far := net.Pipe()
	conn := &gatheringConn{Conn: near}
	ended := make(chan error, 1)
	go func() {
		_, err := conn.Write([]byte("abc"))
		ended <- err
	}()
	_, err := io.ReadFull(far, make([]byte, 1)) // the write is under way
	require.NoError(t, err)
	require.NoError(t, conn.Close())
	require.Error(t, <-ended)
}
