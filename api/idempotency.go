package api

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"net/http"
	"strings"
	"sync"

	"github.com/google/uuid"
)

const (
	idempotencyHeader = "Idempotency-Key"
	maxIdempotencyKey = 255
)

// idempotencyKey reads the header: 1 to 255 printable ASCII characters, "" when there is none.
func idempotencyKey(header http.Header) (string, error) {
	values := header.Values(idempotencyHeader)
	switch {
	case len(values) == 0:
		return "", nil
	case len(values) > 1:
		return "", invalidParameter(idempotencyHeader, CodeGivenTwice)
	case values[0] == "":
		return "", invalidParameter(idempotencyHeader, CodeRequired)
	case len(values[0]) > maxIdempotencyKey:
		return "", invalidParameter(idempotencyHeader, CodeTooLong, "max", "255")
	}
	for _, c := range []byte(values[0]) {
		if c < ' ' || c > '~' {
			return "", invalidParameter(idempotencyHeader, CodeMalformed, "form", "ASCII")
		}
	}
	return values[0], nil
}

// refusesIdempotency tells the paths whose answers hold secrets and are never given twice.
func refusesIdempotency(path string) bool {
	return strings.HasPrefix(path, "/auth/") || strings.HasPrefix(path, "/2fa/")
}

// requestMAC is what tells a repeated request from another one under the same key.
func requestMAC(key []byte, method, target string, body []byte) []byte {
	mac := hmac.New(sha256.New, key)
	_, _ = mac.Write([]byte(method + "\x00" + target + "\x00")) // a hash never fails
	_, _ = mac.Write(body)
	return mac.Sum(nil)
}

// turns lets one request at a time run under an idempotency key: a second one waits, and then
// finds what the first recorded. Between servers the store's own row decides.
type turns struct {
	mu      sync.Mutex
	running map[turn]chan struct{}
}

type turn struct {
	organization, account uuid.UUID
	key                   string
}

func newTurns() *turns { return &turns{running: map[turn]chan struct{}{}} }

// take waits for the key's turn. The caller calls done when it has finished.
func (t *turns) take(ctx context.Context, at turn) (done func(), err error) {
	for {
		t.mu.Lock()
		first, taken := t.running[at]
		if !taken {
			mine := make(chan struct{})
			t.running[at] = mine
			t.mu.Unlock()
			return func() {
				t.mu.Lock()
				delete(t.running, at)
				t.mu.Unlock()
				close(mine)
			}, nil
		}
		t.mu.Unlock()
		select {
		case <-first:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}
