package main

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestRun(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		script string
		code   int
	}{
		"the command finds the cluster": {
			`test -n "$KOPROGO_TEST_POSTGRES" && test -n "$KOPROGO_TEST_POSTGRES_TCP"`, 0,
		},
		"its exit code is passed on":                   {"exit 7", 7},
		"a command ended by a signal counts as failed": {"kill -KILL $$", 137},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			code, err := run([]string{"/bin/sh", "-c", c.script})
			require.NoError(t, err)
			require.Equal(t, c.code, code)
		})
	}

	t.Run("a command that does not exist is an error", func(t *testing.T) {
		t.Parallel()
		code, err := run([]string{"/nowhere/command"})
		require.Error(t, err)
		require.Equal(t, exitNotRun, code)
	})
}
