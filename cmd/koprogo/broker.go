package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/koprogo/koprogo/deploy/embedded"
	"github.com/koprogo/koprogo/projections"
)

// noticeSubject is where servers tell each other which rows changed (core NATS: a lost notice is
// made good by forgetting everything that is remembered).
const noticeSubject = "koprogo.notices"

// broker is the NATS that a server is connected to: the one of NATS_URL, or its own in process.
type broker struct {
	embedded *embedded.NATS
	conn     *nats.Conn
	logger   *slog.Logger
}

func (s serving) startBroker(w where, logger *slog.Logger) (*broker, error) {
	b := &broker{logger: logger}
	options := []nats.Option{
		nats.Name("koprogo"), nats.MaxReconnects(-1), nats.ReconnectWait(250 * time.Millisecond),
		nats.NoEcho(), nats.RetryOnFailedConnect(true),
	}
	var err error
	if s.NATSURL != "" {
		if b.conn, err = nats.Connect(s.NATSURL, options...); err != nil {
			return nil, errors.New("NATS_URL cannot be connected to")
		}
		return b, nil
	}
	b.embedded, err = embedded.StartNATS(embedded.NATSConfig{
		Dir: filepath.Join(w.DataDir, "nats"), Logger: logger,
	})
	if err != nil {
		return nil, fmt.Errorf("start NATS: %w", err)
	}
	if b.conn, err = b.embedded.Connect(options...); err != nil {
		return nil, errors.Join(fmt.Errorf("connect to NATS: %w", err), b.embedded.Stop())
	}
	return b, nil
}

// replicas of the relay's stream: a NATS of one's own has no second server.
func (b *broker) replicas() int {
	if b.embedded != nil || len(b.conn.Servers()) < 3 {
		return 1
	}
	return 3
}

func (b *broker) ready() error {
	if !b.conn.IsConnected() {
		return errors.New("not connected")
	}
	return nil
}

// announce tells the other servers what changed.
func (b *broker) announce(n projections.Notice) {
	if text, err := json.Marshal(n); err == nil {
		_ = b.conn.Publish(noticeSubject, text) // a lost connection makes everybody forget
	}
}

// hear hands the other servers' notices to the follower, which goes deaf where one may be lost.
func (b *broker) hear(follower *projections.Follower) error {
	b.conn.SetDisconnectErrHandler(func(_ *nats.Conn, err error) {
		b.logger.Warn("the connection to NATS is lost", "error", err)
		follower.Deaf()
	})
	b.conn.SetErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) {
		b.logger.Warn("NATS reports an error", "error", err)
		follower.Deaf()
	})
	_, err := b.conn.Subscribe(noticeSubject, func(message *nats.Msg) {
		var n projections.Notice
		if json.Unmarshal(message.Data, &n) != nil {
			follower.Deaf()
			return
		}
		follower.Heard(n)
	})
	if err != nil {
		return fmt.Errorf("listen to other servers: %w", err)
	}
	return nil
}

func (b *broker) close() {
	b.conn.SetDisconnectErrHandler(nil)
	b.conn.Close()
	if b.embedded != nil {
		_ = b.embedded.Stop() // nothing in it is irreplaceable
	}
}
