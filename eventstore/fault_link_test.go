package eventstore_test

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"io"
	"net"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// link is a proxy between a store and PostgreSQL that understands the protocol: a test sees each
// batch that a client sends before the server does, and decides what becomes of it.
type link struct {
	listener net.Listener
	server   string

	mu     sync.Mutex
	wires  map[*wire]struct{}
	refuse bool
	made   int // connections so far
	seen   []sent
	hook   func(*wire, sent) (handled bool)
}

// wire is one connection through the link.
type wire struct {
	link           *link
	client, server net.Conn
	statements     map[string]string // by the name under which the client prepared them

	mu    sync.Mutex
	muted bool // what the server says is thrown away, and the client cut when it is ready
}

// sent is what a client sends up to where it waits for an answer.
type sent struct {
	by         *wire
	frames     [][]byte
	statements []string // the text of each statement that the frames run
	binds      []int    // the frame at which each begins
}

// isCommit tells whether the batch ends a transaction of the writer.
func (s sent) isCommit() bool { return slices.Contains(s.statements, "commit") || s.isAlone() }

// isAlone tells whether it is the writer's only statement, which is a transaction by itself.
func (s sent) isAlone() bool {
	return len(s.statements) == 1 && strings.Contains(s.statements[0], "insert into log.events")
}

// startLink puts a link before the server of a postgres URL over TCP and returns the URL through
// it.
func startLink(t testing.TB, address string) (*link, string) {
	t.Helper()
	through, err := url.Parse(address)
	require.NoError(t, err)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	l := &link{listener: listener, server: through.Host, wires: map[*wire]struct{}{}}
	through.Host = listener.Addr().String()
	done := make(chan struct{})
	go func() {
		defer close(done)
		l.accept()
	}()
	t.Cleanup(func() {
		_ = listener.Close()
		l.cutAll()
		<-done
	})
	return l, through.String()
}

func (l *link) accept() {
	var pumps sync.WaitGroup
	defer pumps.Wait()
	for {
		client, err := l.listener.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial("tcp", l.server)
		w := &wire{link: l, client: client, server: server, statements: map[string]string{}}
		l.mu.Lock()
		refused := l.refuse || err != nil
		if !refused {
			l.wires[w] = struct{}{}
			l.made++
		}
		l.mu.Unlock()
		if refused {
			_ = client.Close()
			if server != nil {
				_ = server.Close()
			}
			continue
		}
		pumps.Go(w.up)
		pumps.Go(w.down)
	}
}

// cutAll ends every connection at both ends.
func (l *link) cutAll() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for w := range l.wires {
		w.cut()
	}
}

// refusing says whether new connections are cut at once.
func (l *link) refusing(refuse bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.refuse = refuse
}

// next has handle decide, once, about the next batch that ends a transaction of the writer.
func (l *link) next(handle func(*wire, sent)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.hook = func(w *wire, s sent) bool {
		if !s.isCommit() {
			return false
		}
		l.always(nil)
		handle(w, s)
		return true
	}
}

// hold stops the next batch that ends a transaction of the writer: reached is closed when it has
// come, and handle decides about it once proceed is called.
func (l *link) hold(
	t testing.TB, handle func(*wire, sent),
) (reached <-chan struct{}, proceed func()) {
	t.Helper()
	came, goes := make(chan struct{}), make(chan struct{})
	l.next(func(w *wire, batch sent) {
		close(came)
		<-goes
		handle(w, batch)
	})
	proceed = sync.OnceFunc(func() { close(goes) })
	t.Cleanup(proceed)
	return came, proceed
}

// passOn lets a batch pass.
func passOn(w *wire, batch sent) { w.pass(batch.frames...) }

// always has handle decide about every batch; it returns false to let one pass.
func (l *link) always(handle func(*wire, sent) (handled bool)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.hook = handle
}

// batches are those that passed so far.
func (l *link) batches() []sent {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.seen)
}

// mark is a place in what was sent, for awaitSent.
func (l *link) mark() int { return len(l.batches()) }

// awaitSent waits until a statement that contains text was sent after the mark.
func (l *link) awaitSent(t testing.TB, mark int, text string) {
	t.Helper()
	require.Eventually(t, func() bool {
		return slices.ContainsFunc(l.batches()[mark:], func(s sent) bool {
			return slices.ContainsFunc(s.statements, func(statement string) bool {
				return strings.Contains(statement, text)
			})
		})
	}, patience, interval)
}

// pass sends frames on to the server.
func (w *wire) pass(frames ...[]byte) {
	for _, frame := range frames {
		if _, err := w.server.Write(frame); err != nil {
			return
		}
	}
}

// mute throws away what the server answers, and cuts the client when the answer is complete.
func (w *wire) mute() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.muted = true
}

// cutClient leaves the server alone with what it has received.
func (w *wire) cutClient() { _ = w.client.Close() }

func (w *wire) cut() {
	_ = w.client.Close()
	_ = w.server.Close()
}

// left forgets a connection that its server ended.
func (w *wire) left() {
	w.cut()
	w.link.mu.Lock()
	defer w.link.mu.Unlock()
	delete(w.link.wires, w)
}

// up reads what the client sends and passes it on batch by batch. A batch that a hook holds stays
// in its hands; when the client is gone the server's end stays open until the test cuts it.
func (w *wire) up() {
	in := bufio.NewReader(w.client)
	startup, err := readFrame(in, false)
	if err != nil {
		w.cut()
		return
	}
	w.pass(startup)
	for {
		batch, err := w.readBatch(in)
		if err != nil {
			w.mu.Lock()
			muted := w.muted
			w.mu.Unlock()
			if !muted {
				w.cut()
			}
			return
		}
		w.link.mu.Lock()
		hook := w.link.hook
		w.link.seen = append(w.link.seen, batch)
		w.link.mu.Unlock()
		if hook == nil || !hook(w, batch) {
			w.pass(batch.frames...)
		}
	}
}

// readBatch reads frames up to one that makes the server answer.
func (w *wire) readBatch(in *bufio.Reader) (sent, error) {
	batch := sent{by: w}
	for {
		frame, err := readFrame(in, true)
		if err != nil {
			return sent{}, err
		}
		kind, body := frame[0], frame[5:]
		switch kind {
		case 'P':
			name, rest, _ := bytes.Cut(body, []byte{0})
			text, _, _ := bytes.Cut(rest, []byte{0})
			w.statements[string(name)] = string(text)
		case 'B':
			_, rest, _ := bytes.Cut(body, []byte{0})
			name, _, _ := bytes.Cut(rest, []byte{0})
			batch.run(w.statements[string(name)])
		case 'Q':
			batch.run(string(bytes.TrimSuffix(body, []byte{0})))
		}
		batch.frames = append(batch.frames, frame)
		if kind != 'P' && kind != 'B' && kind != 'D' && kind != 'E' && kind != 'C' {
			return batch, nil
		}
	}
}

func (s *sent) run(statement string) {
	s.statements = append(s.statements, statement)
	s.binds = append(s.binds, len(s.frames))
}

// down passes the server's answers back.
func (w *wire) down() {
	defer w.left()
	in := bufio.NewReader(w.server)
	for {
		frame, err := readFrame(in, true)
		if err != nil {
			return
		}
		w.mu.Lock()
		muted := w.muted
		w.mu.Unlock()
		switch {
		case !muted:
			if _, err := w.client.Write(frame); err != nil {
				continue // whether the server goes on is not the client's affair
			}
		case frame[0] == 'Z':
			w.cut()
		}
	}
}

// readFrame reads a message of the protocol: a kind, but for the first, and a length that counts
// itself.
func readFrame(in *bufio.Reader, kind bool) ([]byte, error) {
	head := make([]byte, 4)
	if kind {
		head = make([]byte, 5)
	}
	if _, err := io.ReadFull(in, head); err != nil {
		return nil, err
	}
	length := int(binary.BigEndian.Uint32(head[len(head)-4:])) - 4
	frame := append(head, make([]byte, length)...) //nolint:makezero // the head is full
	_, err := io.ReadFull(in, frame[len(head):])
	return frame, err
}

// connected tells whether any client's connection is open.
func (l *link) connected() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.wires) > 0
}

// awaitNew waits until n more connections were made through the link.
func (l *link) awaitNew(t testing.TB, n int) {
	t.Helper()
	made := func() int {
		l.mu.Lock()
		defer l.mu.Unlock()
		return l.made
	}
	before := made()
	require.Eventually(t, func() bool { return made() >= before+n }, patience, interval)
}
