package eventstore

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	fastjson "github.com/segmentio/encoding/json"
)

// The JetStream stream that the logs are relayed to, one subject an organization.
const (
	RelayStream   = "KOPROGO"
	relaySubject  = "koprogo.log."
	relayMaxBytes = 24 << 20
	relayMaxAge   = 24 * time.Hour
	// One message carries a run of events: its answer is waited for before the next, since each
	// names the sequence that it follows.
	relayPage     = 200
	relayMaxData  = 512 << 10
	relaySweep    = time.Second
	relayGather   = 20 * time.Millisecond // between two rounds
	headerLast    = "Koprogo-Last"
	relayMaxPause = 2 * time.Second
)

// RelayConfig says how the log is relayed.
type RelayConfig struct {
	Connection *nats.Conn
	Replicas   int // of the stream: 1 in process, 3 in a cluster
}

// Relay publishes every log to JetStream and rings the bell for what other servers appended.
// Losing NATS loses nothing: the log is the truth, and an empty stream is filled again with the
// last 24 hours. Several servers may relay the same log: each message names the sequence that it
// follows, so that a second publication of the same events is refused.
type Relay struct {
	store     *Store
	config    RelayConfig
	js        jetstream.JetStream
	published map[uuid.UUID]relayed
	own       run
	body      []byte    // of the message under way
	began     time.Time // the last round
}

// run is the sequences of the stream's last messages that a relay published without another's
// between them; zero when there are none.
type run struct{ first, last uint64 }

// relayed is where an organization's subject stands.
type relayed struct {
	position int64
	sequence uint64 // of the subject's last message; 0 for none
}

// Relayed is a message: the events of one organization from position First to Last, in order.
type Relayed struct {
	Organization uuid.UUID      `json:"organization_id"`
	First        int64          `json:"first"`
	Last         int64          `json:"last"`
	Events       []RelayedEvent `json:"events"`
}

// RelayedEvent is an event as it stands in the log; personal data stays sealed.
type RelayedEvent struct {
	Position   int64           `json:"position"`
	BuildingID uuid.UUID       `json:"building_id,omitzero"`
	Stream     string          `json:"stream"`
	Version    int64           `json:"version"`
	ID         uuid.UUID       `json:"id"`
	Type       string          `json:"type"`
	Schema     int             `json:"schema"`
	Data       json.RawMessage `json:"data"`
	RecordedAt time.Time       `json:"recorded_at"`
	LeafHash   []byte          `json:"leaf_hash"`
}

// Relay follows the log until ctx ends. It never gives up: NATS may come and go.
func (s *Store) Relay(ctx context.Context, config RelayConfig) error {
	js, err := jetstream.New(config.Connection)
	if err != nil {
		return fmt.Errorf("open JetStream: %w", err)
	}
	r := &Relay{store: s, config: config, js: js, published: map[uuid.UUID]relayed{}}
	heard, err := config.Connection.Subscribe(relaySubject+">", r.hear)
	if err != nil {
		return fmt.Errorf("listen to other servers: %w", err)
	}
	defer heard.Unsubscribe() //nolint:errcheck // the connection may be gone
	r.run(ctx)
	return nil
}

// hear rings the bell for what another server relayed.
func (r *Relay) hear(message *nats.Msg) {
	organization, err := uuid.Parse(strings.TrimPrefix(message.Subject, relaySubject))
	if err != nil {
		return
	}
	last, err := strconv.ParseInt(message.Header.Get(headerLast), 10, 64)
	if err == nil && last > r.store.bell.Position(organization) {
		r.store.bell.Ring(organization, last)
	}
}

func (r *Relay) run(ctx context.Context) {
	rung, cancel := r.store.bell.Listen()
	defer cancel()
	sweep := time.NewTicker(relaySweep)
	defer sweep.Stop()
	pause := relaySweep / 8
	for {
		r.began = time.Now()
		if err := r.catchUp(ctx); err != nil && ctx.Err() == nil {
			r.store.logger.Warn("the relay waits for NATS or PostgreSQL", "error", err)
			r.published, r.own = map[uuid.UUID]relayed{}, run{}
			select {
			case <-time.After(pause):
				pause = min(2*pause, relayMaxPause)
				continue
			case <-ctx.Done():
				return
			}
		}
		pause = relaySweep / 8
		select {
		case <-rung:
			r.linger(ctx)
		case <-sweep.C:
			r.sweep(ctx)
		case <-ctx.Done():
			return
		}
	}
}

// linger lets more come together: a message costs as much for one event as for many.
func (r *Relay) linger(ctx context.Context) {
	select {
	case <-time.After(relayGather - time.Since(r.began)):
	case <-ctx.Done():
	}
}

// sweep notices what no bell rang for: appends of a server that died before it relayed them.
func (r *Relay) sweep(ctx context.Context) {
	heads, err := r.store.Heads(ctx)
	if err != nil {
		return // the next sweep tries again
	}
	for _, head := range heads {
		if head.Position > r.store.bell.Position(head.Organization) {
			r.store.bell.Ring(head.Organization, head.Position)
		}
	}
}

// catchUp relays every organization's log up to what the bell rang for.
func (r *Relay) catchUp(ctx context.Context) error {
	for organization, position := range r.store.bell.Positions() {
		at, known := r.published[organization]
		if !known {
			var err error
			if at, err = r.where(ctx, organization); err != nil {
				return err
			}
		}
		for at.position < position {
			next, err := r.publish(ctx, organization, at)
			if err != nil {
				return err
			}
			if next == at {
				break // the log ends before what the bell said
			}
			at = next
		}
		r.published[organization] = at
	}
	return nil
}

// where asks JetStream for the subject's last message. Without one, the events that the stream
// would still hold are relayed again.
func (r *Relay) where(ctx context.Context, organization uuid.UUID) (relayed, error) {
	stream, err := r.stream(ctx)
	if err != nil {
		return relayed{}, err
	}
	last, err := stream.GetLastMsgForSubject(ctx, relaySubject+organization.String())
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		since := r.store.Clock().Add(-relayMaxAge)
		position, err := r.store.PositionAt(ctx, organization, since)
		return relayed{position: position}, err
	}
	if err != nil {
		return relayed{}, fmt.Errorf("ask JetStream for the last event: %w", err)
	}
	position, err := strconv.ParseInt(last.Header.Get(headerLast), 10, 64)
	if err != nil {
		return relayed{}, fmt.Errorf("read the relayed position: %w", err)
	}
	return relayed{position: position, sequence: last.Sequence}, nil
}

func (r *Relay) stream(ctx context.Context) (jetstream.Stream, error) {
	stream, err := r.js.CreateOrUpdateStream(ctx, jetstream.StreamConfig{
		Name: RelayStream, Subjects: []string{relaySubject + ">"},
		Storage: jetstream.FileStorage, MaxBytes: relayMaxBytes, MaxAge: relayMaxAge,
		Discard: jetstream.DiscardOld, Replicas: max(1, r.config.Replicas),
		Duplicates: time.Minute,
	})
	if err != nil {
		return nil, fmt.Errorf("open the relay's stream: %w", err)
	}
	return stream, nil
}

// publish sends the next run of events and returns where the subject stands then.
func (r *Relay) publish(
	ctx context.Context, organization uuid.UUID, at relayed,
) (relayed, error) {
	page, err := r.store.readEncoded(ctx, organization, at.position, relayPage)
	if err != nil || len(page) == 0 {
		return at, err
	}
	message := Relayed{Organization: organization, First: page[0].Position}
	for size, i := 0, 0; i < len(page) && (i == 0 || size < relayMaxData); i++ {
		e := &page[i]
		size += len(e.Data)
		message.Last = e.Position
		message.Events = append(message.Events, RelayedEvent{
			Position: e.Position, BuildingID: e.Building, Stream: e.Stream.String(),
			Version: e.Version, ID: e.ID, Type: e.Type, Schema: e.Schema, Data: e.Data,
			RecordedAt: e.RecordedAt, LeafHash: e.LeafHash[:],
		})
	}
	// The stored bytes are known to be JSON: PostgreSQL took them.
	if r.body, err = fastjson.Append(r.body[:0], message, fastjson.TrustRawMessage); err != nil {
		return at, fmt.Errorf("encode a relayed message: %w", err)
	}
	ack, err := r.send(ctx, organization, message.Last, at.sequence)
	if wrongSequence(err) {
		return r.where(ctx, organization) // another server was first
	}
	if err != nil {
		return at, fmt.Errorf("relay position %d: %w", message.Last, err)
	}
	return relayed{position: message.Last, sequence: ack.Sequence}, nil
}

// send publishes the body behind the subject's last message, whose sequence that is. Where all
// messages since were this relay's own it is enough to name the stream's last one: a subject's is
// loaded by the broker at every message, which then keeps ten seconds of the stream in memory.
func (r *Relay) send(
	ctx context.Context, organization uuid.UUID, last int64, behind uint64,
) (*jetstream.PubAck, error) {
	publish := func(follows jetstream.PublishOpt) (*jetstream.PubAck, error) {
		return r.js.PublishMsg(ctx, &nats.Msg{
			Subject: relaySubject + organization.String(), Data: r.body,
			Header: nats.Header{headerLast: {strconv.FormatInt(last, 10)}},
		}, follows)
	}
	if r.own.first != 0 && behind >= r.own.first {
		ack, err := publish(jetstream.WithExpectLastSequence(r.own.last))
		if err == nil {
			r.own.last = ack.Sequence
		}
		if !wrongSequence(err) {
			return ack, err
		}
	}
	ack, err := publish(jetstream.WithExpectLastSequencePerSubject(behind))
	if err == nil {
		if r.own.first == 0 || ack.Sequence != r.own.last+1 {
			r.own.first = ack.Sequence
		}
		r.own.last = ack.Sequence
	}
	return ack, err
}

func wrongSequence(err error) bool {
	var refused *jetstream.APIError
	return errors.As(err, &refused) &&
		refused.ErrorCode == jetstream.JSErrCodeStreamWrongLastSequence
}
