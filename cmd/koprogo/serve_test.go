package main_test

import (
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
)

func TestDevelopmentServerBeginsByItself(t *testing.T) {
	t.Parallel()
	dir := emptyDir(t)
	first := dev(t, dir)
	first.awaitReady(t)
	require.Contains(t, first.out.String(), first.url+"/docs")

	t.Run("it says how to sign in, and the demo's syndic may", func(t *testing.T) {
		require.Contains(t, first.out.String(), "syndic@grandplace.be / syndic123")
		require.Contains(t, first.out.String(), "admin@koprogo.com / admin123")
		first.signIn(t, "admin@koprogo.com", "admin123")
	})
	t.Run("the three lines that it prints work in a shell", func(t *testing.T) {
		_, err := exec.LookPath("curl")
		require.NoError(t, err, "deploy/install-curl.sh installs it")
		var lines []string
		for line := range strings.Lines(first.out.String()) {
			if strings.HasPrefix(line, "  ") {
				lines = append(lines, strings.TrimSpace(line))
			}
		}
		require.Len(t, lines, 3)
		shell := exec.Command("sh", "-eu", "-c", strings.Join(lines, "\n"))
		shell.Stderr = &first.log
		output, err := shell.Output()
		require.NoError(t, err)
		var listed page
		answer{body: output}.decode(t, &listed)
		require.Equal(t, "Résidence Les Érables", listed.Data[0].Name)
	})

	require.NoError(t, first.untilDemo())
	syndic := first.signIn(t, "syndic@grandplace.be", "syndic123")
	made, _ := syndic.register(t, "Résidence Neuve")
	seeded, _ := syndic.buildings(t)
	unowned := slices.IndexFunc(seeded, func(b building) bool {
		return b.Name == "Les Terrasses de Flagey"
	})
	gone := syndic.send(t, http.MethodDelete, "/buildings/"+seeded[unowned].ID, nil)
	require.Equal(t, http.StatusNoContent, gone.status)
	before := positions(t, dir)
	secrets := secretsOf(t, dir)
	first.stop(t)
	second := dev(t, dir)

	t.Run("a second start seeds nothing again, and keeps what was changed", func(t *testing.T) {
		require.Equal(t, before, positions(t, dir))
		left, total := second.with(syndic.token).buildings(t)
		require.Len(t, left, len(seeded)-1)
		require.Len(t, left, total)
		require.Contains(t, left, made)
		require.NotContains(t, left, seeded[unowned])
	})
	t.Run("a second start keeps secrets: nobody has to sign in again", func(t *testing.T) {
		require.Equal(t, secrets, secretsOf(t, dir))
		require.Equal(t, http.StatusOK, second.with(syndic.token).get(t, "/auth/me").status)
	})
}

// positions is how far each organization's log goes.
func positions(t testing.TB, dir string) map[string]int64 {
	t.Helper()
	rows, err := superuser(t, dir).Query(t.Context(), //nolint:rowserrcheck // ForEachRow does
		`select organization_id::text, position from log.logs`)
	require.NoError(t, err)
	found := map[string]int64{}
	var organization string
	var position int64
	_, err = pgx.ForEachRow(rows, []any{&organization, &position}, func() error {
		found[organization] = position
		return nil
	})
	require.NoError(t, err)
	return found
}

func secretsOf(t testing.TB, dir string) [2]string {
	t.Helper()
	var found [2]string
	for i, name := range []string{"master.key", "jwt.secret"} {
		state, err := os.Stat(filepath.Join(dir, name))
		require.NoError(t, err)
		require.Equal(t, os.FileMode(0o600), state.Mode().Perm(), name)
		text, err := os.ReadFile(filepath.Join(dir, name))
		require.NoError(t, err)
		found[i] = string(text)
	}
	return found
}

func TestServersOfTwoDirectoriesRunSideBySide(t *testing.T) {
	t.Parallel()
	hither, token := devDir(t)
	one := dev(t, hither)
	thither, _ := devDir(t)
	other := dev(t, thither)
	made, _ := one.with(token).register(t, "Résidence d'ici")
	found, _ := one.with(token).buildings(t)
	require.Equal(t, []building{made}, found)
	found, _ = other.with(token).buildings(t)
	require.Empty(t, found, "what one server was told stays with it")

	t.Run("a second server of one directory is refused", func(t *testing.T) {
		refused := run(t, hither, "serve", "--dev", "--server-port", "0")
		refused.failed(t, hither, "in use by process "+strconv.Itoa(one.cmd.Process.Pid))
		require.Equal(t, http.StatusOK, one.with(token).get(t, "/buildings").status)
	})
	t.Run("a second server on one port is refused", func(t *testing.T) {
		third := emptyDir(t)
		_, port, _ := strings.Cut(strings.TrimPrefix(one.url, "http://"), ":")
		run(t, third, "serve", "--dev", "--server-port", port).
			failed(t, "SERVER_HOST and SERVER_PORT", "in use")
		entries, err := filepath.Glob(filepath.Join(third, "postgres"))
		require.NoError(t, err)
		require.Empty(t, entries, "it has not begun a database")
	})
}

func TestDirectoryOfAnotherMajorVersionIsRefused(t *testing.T) {
	t.Parallel()
	dir, _ := devDir(t)
	version := filepath.Join(dir, "postgres", "cluster", "PG_VERSION")
	require.NoError(t, os.WriteFile(version, []byte("9.6\n"), 0o600))
	for _, args := range [][]string{{"serve", "--dev", "--server-port", "0"}, {"verify"}} {
		run(t, dir, args...).failed(t, "9.6", dir)
	}
	text, err := os.ReadFile(version)
	require.NoError(t, err)
	require.Equal(t, "9.6\n", string(text), "nothing was touched")
}
