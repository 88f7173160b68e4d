package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
)

// wire is one connection of a client that costs little: it reads no more of an answer than it
// needs, so that the server is what is measured. It sends no If-None-Match.
type wire struct {
	address, token string
	conn           net.Conn
	answers        *bufio.Reader
	request        []byte
	least          int64 // Koprogo-Min-Position of the next request; 0 for none
}

func dial(ctx context.Context, address, token string) (*wire, error) {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("reach the server: %w", err)
	}
	return &wire{
		address: address, token: token, conn: conn, answers: bufio.NewReaderSize(conn, 64<<10),
	}, nil
}

func (w *wire) close() { _ = w.conn.Close() } // nothing is owed to it

// send writes a request.
func (w *wire) send(method, target string, body []byte) error {
	r := append(w.request[:0], method...)
	r = append(append(append(r, ' '), target...), " HTTP/1.1\r\nHost: "...)
	r = append(append(r, w.address...), "\r\nAuthorization: Bearer "...)
	r = append(append(r, w.token...), "\r\nAccept: application/json\r\n"...)
	if w.least > 0 {
		r = append(strconv.AppendInt(append(r, "Koprogo-Min-Position: "...), w.least, 10), "\r\n"...)
	}
	if body != nil {
		r = append(r, "Content-Type: application/json\r\nContent-Length: "...)
		r = append(strconv.AppendInt(r, int64(len(body)), 10), "\r\n"...)
	}
	w.request = append(append(r, "\r\n"...), body...)
	if _, err := w.conn.Write(w.request); err != nil {
		return fmt.Errorf("ask: %w", err)
	}
	return nil
}

// ask sends a request and reads past the answer.
func (w *wire) ask(method, target string, body []byte) (head, error) {
	if err := w.send(method, target, body); err != nil {
		return head{}, err
	}
	got, err := readHead(w.answers)
	if err == nil {
		_, err = w.answers.Discard(got.length)
	}
	if err != nil {
		return got, fmt.Errorf("read an answer: %w", err)
	}
	return got, nil
}

// tell sends a request with a body, wants it done, and reads the answer into a value unless that
// is nil.
func (w *wire) tell(method, target string, body, into any) error {
	text, err := json.Marshal(body)
	if err != nil {
		return fmt.Errorf("write a request: %w", err)
	}
	if err := w.send(method, target, text); err != nil {
		return err
	}
	got, err := readHead(w.answers)
	if err != nil {
		return fmt.Errorf("read an answer: %w", err)
	}
	answer := make([]byte, got.length)
	if _, err := io.ReadFull(w.answers, answer); err != nil {
		return fmt.Errorf("read an answer: %w", err)
	}
	if got.status >= http.StatusMultipleChoices {
		return fmt.Errorf("%s %s: %d: %s", method, target, got.status, answer)
	}
	if into == nil {
		return nil
	}
	return json.Unmarshal(answer, into)
}
