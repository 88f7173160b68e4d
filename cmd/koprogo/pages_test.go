package main_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/koprogo/koprogo/deploy/embedded"
)

// The shell blocks of README.md and of the readers' pages are run as they stand, on a server of
// the page's own. What a page promises is held to:
//
//   - each request is answered with 2xx, but those under a comment such as "# 409 four_eyes", up to
//     the next empty line: these with that status, and that code in the answer;
//   - each command ends well;
//   - what is shown in the block behind a shell block is what that printed, but for spaces and what
//     an ellipsis stands for.
func TestPagesAreTrue(t *testing.T) {
	t.Parallel()
	for _, page := range []string{
		"README.md", "docs/syndic.md", "docs/auditor.md", "docs/accountant.md",
	} {
		t.Run(page, func(t *testing.T) {
			t.Parallel()
			text, err := os.ReadFile(filepath.Join("..", "..", page))
			require.NoError(t, err)
			steps := stepsOf(string(text))
			require.NotEmpty(t, steps, "the page has shell blocks")
			dir, _ := devDir(t)
			s := dev(t, dir)
			s.awaitReady(t)
			runPage(t, s, steps)
		})
	}
}

// step is a shell block, and what the page shows of its output.
type step struct{ shell, shown string }

var (
	block   = regexp.MustCompile("(?s)```(sh|json|text|csv)\n(.*?)```\n*(```|)")
	promise = regexp.MustCompile(`(?m)^# (\d{3}) (\w+)$`)
)

func stepsOf(page string) []step {
	var steps []step
	for from := 0; ; {
		at := block.FindStringSubmatchIndex(page[from:])
		if at == nil {
			return steps
		}
		content := page[from+at[4] : from+at[5]]
		if page[from+at[2]:from+at[3]] == "sh" {
			steps = append(steps, step{shell: content})
		} else if len(steps) > 0 {
			steps[len(steps)-1].shown += content
		}
		from += at[6] // another block may begin here
	}
}

// curlWrapper stands before curl: it notes an answer whose status is not the one expected.
const curlWrapper = `#!/bin/sh
head=$(mktemp) body=$(mktemp)
"$REAL_CURL" -D "$head" "$@" > "$body"
cat "$body"
status=$(sed -n 's/^HTTP[^ ]* \([0-9]*\).*/\1/p' "$head" | tail -n 1)
case "$status ${EXPECTED-}" in
2??\ ) ;;
"${EXPECTED% *} ${EXPECTED-}")
  [ -n "${EXPECTED-}" ] && grep -q "\"code\":\"${EXPECTED#* }\"" "$body" ||
    echo "$* wanted ${EXPECTED-}: $(cat "$body")" >> "$FAILURES" ;;
*) echo "$* answered $status, not ${EXPECTED:-2xx}: $(cat "$body")" >> "$FAILURES" ;;
esac
rm -f "$head" "$body"
`

const divider = "\n<<the next block>>\n"

// runPage runs the blocks as one script, in a directory that looks like the checkout.
func runPage(t *testing.T, s *server, steps []step) {
	t.Helper()
	curl, err := exec.LookPath("curl")
	require.NoError(t, err, "deploy/install-curl.sh installs it")
	postgres, err := embedded.FindPostgres(t.Context()) // psql stands beside it
	require.NoError(t, err)
	home := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(home, "wrapped"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(home, "wrapped", "curl"),
		[]byte(curlWrapper), 0o700))
	require.NoError(t, os.Symlink(filepath.Dir(program), filepath.Join(home, "bin")))
	require.NoError(t, os.Symlink(s.dir, filepath.Join(home, "data")))
	script := "EXPECTED=; export EXPECTED\n"
	for _, one := range steps {
		shell := strings.ReplaceAll(one.shell, "http://127.0.0.1:8080", s.url)
		shell = strings.ReplaceAll(shell, "\n\n", "\nEXPECTED=\n")
		shell = promise.ReplaceAllString(shell, "EXPECTED='$1 $2'")
		script += shell + "EXPECTED=\nprintf '" + strings.ReplaceAll(divider, "\n", `\n`) + "'\n"
	}
	failures := filepath.Join(home, "failures")
	ctx, cancel := context.WithTimeout(t.Context(), runPatience)
	defer cancel()
	command := exec.CommandContext(ctx, "sh", "-eu", "-c", script)
	command.Dir = home
	command.Env = append(environment(s.dir, nil), "REAL_CURL="+curl, "FAILURES="+failures,
		"PATH="+filepath.Join(home, "wrapped")+":"+os.Getenv("PATH")+":"+postgres[0].BinDir)
	command.WaitDelay = stopPatience
	var complaints strings.Builder
	command.Stderr = &complaints
	output, err := command.Output()
	require.NoError(t, err, "%s\n%s", output, complaints.String())
	if told, err := os.ReadFile(failures); err == nil {
		require.Empty(t, string(told))
	}
	printed := strings.Split(string(output), divider)
	for i, one := range steps {
		requireShown(t, one.shown, printed[i])
	}
}

// requireShown wants the pieces between ellipses in what was printed, in their order.
func requireShown(t *testing.T, shown, printed string) {
	t.Helper()
	spaceless := func(text string) string { return strings.Join(strings.Fields(text), "") }
	rest := spaceless(printed)
	for piece := range strings.SplitSeq(shown, "…") {
		_, behind, found := strings.Cut(rest, spaceless(piece))
		require.True(t, found, "the page shows %q; it is not (in this place) in:\n%s",
			piece, printed)
		rest = behind
	}
}
