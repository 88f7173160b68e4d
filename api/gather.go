package api

import (
	"net"
	"net/http"
	"sync"
	"time"
)

// net/http writes an answer that is longer than its buffer in two pieces at least: a full buffer,
// then the rest. Over TCP each is a segment of its own, and sending one costs more than making most
// answers does.

// httpBuffer is the size of net/http's buffer. Were it another, nothing would be joined.
const httpBuffer = 4 << 10

// Gather joins a connection's full buffer with the piece that follows it. It is for plain TCP, on a
// server that HTTPServer made.
func Gather(listener net.Listener) net.Listener { return gatheringListener{listener} }

type gatheringListener struct{ net.Listener }

func (l gatheringListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &gatheringConn{Conn: conn}, nil
}

// gatheringConn holds back a full buffer until the next piece, or until release.
type gatheringConn struct {
	net.Conn
	mu   sync.Mutex
	held *[httpBuffer]byte // nil while nothing is held back
}

var heldBuffers = sync.Pool{New: func() any { return new([httpBuffer]byte) }}

// Write says that a piece was written that it holds back: a later call brings its error.
func (c *gatheringConn) Write(piece []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.held != nil:
		return c.send(piece)
	case len(piece) == httpBuffer:
		c.held, _ = heldBuffers.Get().(*[httpBuffer]byte)
		return copy(c.held[:], piece), nil
	}
	return c.Conn.Write(piece)
}

// send writes what is held back and the piece, and tells how much of the piece was written.
func (c *gatheringConn) send(piece []byte) (int, error) {
	held := c.held
	c.held = nil
	defer heldBuffers.Put(held)
	both := net.Buffers{held[:], piece}
	written, err := both.WriteTo(c.Conn)
	return max(0, int(written)-httpBuffer), err
}

// releaseFor is how long a client has to take the end of an answer: net/http's own bound is over.
const releaseFor = 5 * time.Second

// release writes what is held back, unless somebody is writing.
func (c *gatheringConn) release() error {
	if !c.mu.TryLock() {
		return nil
	}
	defer c.mu.Unlock()
	if c.held == nil {
		return nil
	}
	if err := c.SetWriteDeadline(time.Now().Add(releaseFor)); err != nil {
		return err
	}
	if _, err := c.send(nil); err != nil {
		return err
	}
	return c.SetWriteDeadline(time.Time{})
}

// Close writes what is held back first. It ends a write that is under way.
func (c *gatheringConn) Close() error {
	_ = c.release() // the client is gone when it fails
	return c.Conn.Close()
}

// CloseWrite does what net/http asks of a connection whose last answer is not all read yet.
func (c *gatheringConn) CloseWrite() error {
	if err := c.release(); err != nil {
		return err
	}
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}

// releaseIdle sends the end of an answer whose last piece was a full buffer.
func releaseIdle(conn net.Conn, state http.ConnState) {
	if gathering, ok := conn.(*gatheringConn); ok &&
		(state == http.StateIdle || state == http.StateHijacked) {
		_ = gathering.release() // the next read finds the connection broken
	}
}
