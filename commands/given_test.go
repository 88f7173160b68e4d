package commands

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/koprogo/koprogo/events"
)

// now is the instant of the rules' tests.
var now = time.Date(2026, 3, 15, 10, 0, 0, 0, time.UTC)

// id makes a readable id of a small number.
func id(n byte) uuid.UUID { return uuid.UUID{6: 0x70, 8: 0x80, 15: n} }

// scenario is the state that happened leads to, and then what a command decides.
type scenario[S State[S]] struct {
	t       *testing.T
	state   S
	decided []events.Event
	err     error
}

func given[S State[S]](t *testing.T, happened ...events.Event) *scenario[S] {
	t.Helper()
	t.Parallel()
	s := &scenario[S]{t: t}
	for _, event := range happened {
		s.state = s.state.Evolve(event)
	}
	return s
}

func (s *scenario[S]) when(command Command[S]) *scenario[S] {
	s.decided, s.err = command.Decide(s.state)
	return s
}

func (s *scenario[S]) then(want ...events.Event) {
	s.t.Helper()
	require.NoError(s.t, s.err)
	require.Equal(s.t, want, s.decided)
}

func (s *scenario[S]) thenRefused(code Code) {
	s.t.Helper()
	require.Nil(s.t, s.decided)
	require.Equal(s.t, code, refusal(s.t, s.err).Code)
	require.False(s.t, refusal(s.t, s.err).Invalid())
}

func (s *scenario[S]) thenInvalid(field string, code Code) {
	s.t.Helper()
	refused := refusal(s.t, s.err)
	require.True(s.t, refused.Invalid())
	require.Equal(s.t, field, refused.Field)
	require.Equal(s.t, code, refused.Code)
	require.Empty(s.t, refused.More)
}

func refusal(t *testing.T, err error) *Refused {
	t.Helper()
	var refused *Refused
	require.ErrorAs(t, err, &refused)
	require.NotEmpty(t, refused.Error())
	return refused
}
