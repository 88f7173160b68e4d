package api

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func nowUTC() time.Time { return time.Now().UTC() }

// tokenAuthenticate is what a session check comes to when nothing was revoked.
func tokenAuthenticate(tokens *Tokens) Authenticate {
	return func(_ context.Context, bearer string) (Caller, error) {
		token, err := tokens.Verify(bearer)
		if err != nil {
			return Caller{}, err
		}
		role, _ := ParseRole(token.Role)
		return Caller{
			Account: token.Account, Organization: token.Organization, Role: role,
			RoleID: token.RoleID, Session: token.ID, ExpiresAt: token.ExpiresAt,
		}, nil
	}
}

// rawClient asks the same question over one connection at little cost of its own, so that a
// benchmark measures the server.
type rawClient struct {
	conn     net.Conn
	reader   *bufio.Reader
	question []byte
}

func newRawClient(b *testing.B, address, path, bearer string) *rawClient {
	b.Helper()
	conn, err := net.Dial("tcp", address)
	require.NoError(b, err)
	b.Cleanup(func() { _ = conn.Close() })
	return &rawClient{
		conn: conn, reader: bufio.NewReaderSize(conn, 32<<10),
		question: []byte("GET " + path + " HTTP/1.1\r\nHost: koprogo\r\nAccept-Language: fr\r\n" +
			"Authorization: Bearer " + bearer + "\r\n\r\n"),
	}
}

var contentLength = []byte("Content-Length: ")

func (c *rawClient) get(b *testing.B) {
	b.Helper()
	if _, err := c.conn.Write(c.question); err != nil {
		b.Fatal(err)
	}
	length := 0
	for first := true; ; first = false {
		line, err := c.reader.ReadSlice('\n')
		if err != nil {
			b.Fatal(err)
		}
		if first && !bytes.Contains(line, []byte(" 200 ")) {
			b.Fatalf("answered %s", line)
		}
		if bytes.HasPrefix(line, contentLength) {
			length, _ = strconv.Atoi(string(bytes.TrimSpace(line[len(contentLength):])))
		}
		if len(line) == 2 {
			break
		}
	}
	if _, err := io.CopyN(io.Discard, c.reader, int64(length)); err != nil {
		b.Fatal(err)
	}
}
