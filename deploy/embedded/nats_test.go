package embedded

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"
)

func startNATS(t *testing.T, dir string) *NATS {
	t.Helper()
	n, err := StartNATS(NATSConfig{Dir: dir, Logger: silent})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, n.Stop()) })
	return n
}

func connect(t *testing.T, n *NATS, options ...nats.Option) jetstream.JetStream {
	t.Helper()
	conn, err := n.Connect(options...)
	require.NoError(t, err)
	t.Cleanup(conn.Close)
	js, err := jetstream.New(conn)
	require.NoError(t, err)
	return js
}

var bells = jetstream.StreamConfig{
	Name: "bells", Subjects: []string{"bell.>"}, MaxBytes: 64 << 20, MaxAge: 24 * time.Hour,
}

// ring publishes as the relay does: where the stream is gone it is made again.
func ring(ctx context.Context, js jetstream.JetStream) error {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	_, err := js.Publish(ctx, "bell.a", []byte("x"))
	if errors.Is(err, jetstream.ErrNoStreamResponse) {
		_, err = js.CreateOrUpdateStream(ctx, bells)
	}
	return err
}

func messages(t *testing.T, js jetstream.JetStream) uint64 {
	t.Helper()
	stream, err := js.Stream(t.Context(), bells.Name)
	require.NoError(t, err)
	info, err := stream.Info(t.Context())
	require.NoError(t, err)
	return info.State.Msgs
}

func TestNATS(t *testing.T) {
	t.Parallel()
	t.Run("what was published is there after a restart", func(t *testing.T) {
		t.Parallel()
		dir := filepath.Join(t.TempDir(), "nats")
		n := startNATS(t, dir)
		js := connect(t, n)
		_, err := js.CreateStream(t.Context(), bells)
		require.NoError(t, err)
		for range 100 {
			require.NoError(t, ring(t.Context(), js))
		}
		require.True(t, n.Ready())
		require.NoError(t, n.Stop())
		require.NoError(t, n.Stop(), "stopping twice is stopping once")
		require.False(t, n.Ready())
		_, err = n.InProcessConn()
		require.ErrorIs(t, err, ErrNATSDown)

		again := startNATS(t, dir)
		require.EqualValues(t, 100, messages(t, connect(t, again)))
		require.Zero(t, again.Restarts())
	})

	t.Run("a directory deleted between two runs gives an empty store", func(t *testing.T) {
		t.Parallel()
		dir := filepath.Join(t.TempDir(), "nats")
		n := startNATS(t, dir)
		require.NoError(t, ring(t.Context(), connect(t, n)))
		require.NoError(t, n.Stop())
		require.NoError(t, os.RemoveAll(dir))
		js := connect(t, startNATS(t, dir))
		require.NoError(t, ring(t.Context(), js))
		require.Zero(t, messages(t, js))
	})

	t.Run("a store that cannot be read gives an empty one", func(t *testing.T) {
		t.Parallel()
		dir := filepath.Join(t.TempDir(), "nats")
		require.NoError(t, os.MkdirAll(dir, 0o700))
		require.NoError(t, os.WriteFile(filepath.Join(dir, "jetstream"), []byte("?"), 0o600))
		require.NoError(t, ring(t.Context(), connect(t, startNATS(t, dir))))
	})

	t.Run("a second server on the same directory is refused", func(t *testing.T) {
		t.Parallel()
		dir := filepath.Join(t.TempDir(), "nats")
		startNATS(t, dir)
		_, err := StartNATS(NATSConfig{Dir: dir, Logger: silent})
		require.EqualError(t, err, fmt.Sprintf("the data directory %s is in use by process %d",
			dir, os.Getpid()))
	})
}

func TestNATSLosesItsStore(t *testing.T) {
	t.Parallel()
	for name, lose := range map[string]func(dir string) error{
		"the whole directory": os.RemoveAll,
		"all that stands in it": func(dir string) error {
			entries, err := os.ReadDir(dir)
			for _, entry := range entries {
				err = errors.Join(err, os.RemoveAll(filepath.Join(dir, entry.Name())))
			}
			return err
		},
		"one stream": func(dir string) error {
			return os.RemoveAll(filepath.Join(dir, "jetstream", "$G", "streams", "bells"))
		},
		"the messages": func(dir string) error {
			return os.RemoveAll(filepath.Join(dir, "jetstream", "$G", "streams", "bells", "msgs"))
		},
	} {
		t.Run(name+" deleted under load is got over, and connections stay", func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(t.TempDir(), "nats")
			n := startNATS(t, dir)
			var reconnected atomic.Int64
			js := connect(t, n, nats.ReconnectHandler(func(*nats.Conn) { reconnected.Add(1) }))
			rings := load(t, js)
			require.Eventually(t, func() bool { return rings.Load() > 100 }, patience, interval)
			_ = lose(dir) // the server may make files meanwhile
			require.Eventually(t, func() bool { return n.Restarts() >= 1 && n.Ready() },
				patience, interval)
			before := rings.Load()
			require.Eventually(t, func() bool { return rings.Load() > before+100 },
				patience, interval)
			require.GreaterOrEqual(t, reconnected.Load(), int64(1))
			require.NoError(t, n.Stop())

			again := connect(t, startNATS(t, dir))
			require.NotZero(t, messages(t, again), "it stores on the disk again")
		})
	}
}

func TestNATSLosesItsStoreAtRest(t *testing.T) {
	t.Parallel()
	t.Run("a directory deleted before there is a stream is noticed", func(t *testing.T) {
		t.Parallel()
		dir := filepath.Join(t.TempDir(), "nats")
		n := startNATS(t, dir)
		require.NoError(t, os.RemoveAll(dir))
		require.Eventually(t, func() bool { return n.Restarts() == 1 }, patience, interval)
		require.NoError(t, ring(t.Context(), connect(t, n)))
	})

	t.Run("a stream's directory deleted while nobody publishes is noticed", func(t *testing.T) {
		t.Parallel()
		dir := filepath.Join(t.TempDir(), "nats")
		n := startNATS(t, dir)
		require.NoError(t, ring(t.Context(), connect(t, n)))
		streams := filepath.Join(dir, "jetstream", "$G", "streams")
		require.NoError(t, os.RemoveAll(filepath.Join(streams, bells.Name)))
		require.Eventually(t, func() bool { return n.Restarts() == 1 }, patience, interval)
	})
}

// load rings until the test ends and counts what was acknowledged.
func load(t *testing.T, js jetstream.JetStream) *atomic.Int64 {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	var acknowledged atomic.Int64
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for ctx.Err() == nil {
			if ring(ctx, js) == nil {
				acknowledged.Add(1)
			}
		}
	}()
	t.Cleanup(func() { cancel(); <-ended })
	return &acknowledged
}

func TestNATSLog(t *testing.T) {
	t.Parallel()
	t.Run("a store that cannot be written is noticed in the log", func(t *testing.T) {
		t.Parallel()
		var faulty atomic.Bool
		l := &natsLog{logger: slog.New(slog.DiscardHandler), faulty: &faulty}
		l.Errorf("Slow consumer on %s", "x")
		l.Warnf("JetStream out of %s", "luck")
		require.False(t, faulty.Load())
		l.Errorf("JetStream failed to store a msg on stream '%s > %s': %v", "a", "b", "c")
		require.True(t, faulty.Load())
	})
}
