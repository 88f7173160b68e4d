package commands

import (
	"sync"
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

// race asks n times at once, and returns which were let in: every other one must be refused with
// the code.
func race(
	t *testing.T, n int, code Code, ask func(i int) error,
) (entered []int, refused []*Refused) {
	t.Helper()
	answers := make([]error, n)
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() { answers[i] = ask(i) })
	}
	all.Wait()
	for i, err := range answers {
		if err == nil {
			entered = append(entered, i)
			continue
		}
		refused = append(refused, refusal(t, err))
		require.Equal(t, code, refused[len(refused)-1].Code)
	}
	return entered, refused
}

func refusal(t *testing.T, err error) *Refused {
	t.Helper()
	var refused *Refused
	require.ErrorAs(t, err, &refused)
	require.NotEmpty(t, refused.Error())
	return refused
}
