package seed

import (
	"context"
	"encoding/json"
	"os"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/koprogo/koprogo/commands"
	"github.com/koprogo/koprogo/deploy/embedded/embeddedtest"
	"github.com/koprogo/koprogo/events"
	"github.com/koprogo/koprogo/eventstore"
	"github.com/koprogo/koprogo/migrations/migrationstest"
)

func TestMain(m *testing.M) { os.Exit(embeddedtest.Main(m)) }

// now is the instant at which the stories of the tests are told.
var now = time.Date(2026, 3, 15, 10, 0, 0, 0, time.UTC)

// seeder tells stories on a database, without what another one remembers of it.
func seeder(t *testing.T, clone migrationstest.Clone) Seeder {
	t.Helper()
	store, err := eventstore.Open(t.Context(), eventstore.Config{
		URL: clone.URL, MasterKey: [32]byte{1}, Clock: func() time.Time { return now },
	})
	require.NoError(t, err)
	t.Cleanup(store.Close)
	return Seeder{
		App: commands.New(store), Store: store,
		SetPassword: func(context.Context, uuid.UUID, string) error { return nil },
	}
}

// heads is how far each log goes.
func heads(t *testing.T, s Seeder) []eventstore.Head {
	t.Helper()
	heads, err := s.Store.Heads(t.Context())
	require.NoError(t, err)
	return heads
}

// logOf reads an organization's log.
func logOf(t *testing.T, s Seeder, organization uuid.UUID) []eventstore.Recorded {
	t.Helper()
	head, err := s.Store.Head(t.Context(), organization)
	require.NoError(t, err)
	log, err := s.Store.Read(t.Context(), organization, 0, int(head.Position)+1)
	require.NoError(t, err)
	require.Len(t, log, int(head.Position))
	return log
}

// facts are what happened in each stream of an organization, personal texts in clear.
func facts(t *testing.T, s Seeder, organization uuid.UUID) map[string][]string {
	t.Helper()
	found := map[string][]string{}
	for _, recorded := range logOf(t, s, organization) {
		var data any
		require.NoError(t, json.Unmarshal(recorded.Data, &data))
		text, err := json.Marshal(opened(t, s, organization, data))
		require.NoError(t, err)
		stream := recorded.Stream.String()
		found[stream] = append(found[stream], recorded.Type+" "+string(text))
	}
	return found
}

func opened(t *testing.T, s Seeder, organization uuid.UUID, data any) any {
	t.Helper()
	switch value := data.(type) {
	case map[string]any:
		for name, field := range value {
			value[name] = opened(t, s, organization, field)
		}
	case []any:
		for i, item := range value {
			value[i] = opened(t, s, organization, item)
		}
	case string:
		clear, err := s.Store.Keyring().Open(t.Context(), organization, events.SealedText(value))
		if err == nil && value != "" {
			return clear
		}
	}
	return data
}
