package main_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/koprogo/koprogo/deploy/embedded"
)

// story is what was done to two buildings, to be told by the commands.
type story struct {
	dir                         string
	kept, removed               building
	registered, renamed, before string // positions
}

func tell(t *testing.T, s *server, token string) story {
	t.Helper()
	c := s.with(token)
	told := story{dir: s.dir}
	told.kept, told.registered = c.register(t, "Résidence d'avant")
	got := c.send(t, http.MethodPut, "/buildings/"+told.kept.ID,
		map[string]any{"name": "Résidence d'après"})
	require.Equal(t, http.StatusOK, got.status, "%s", got.body)
	told.renamed = got.header.Get("Koprogo-Position")
	told.removed, told.before = c.register(t, "Résidence démolie")
	got = c.send(t, http.MethodDelete, "/buildings/"+told.removed.ID, nil)
	require.Equal(t, http.StatusNoContent, got.status)
	return told
}

func TestCommandsWorkBesideARunningServerAndWithoutOne(t *testing.T) {
	t.Parallel()
	dir, token := devDir(t)
	s := dev(t, dir)
	told := tell(t, s, token)
	t.Run("beside a running server", func(t *testing.T) {
		told.check(t)
		listed, _ := s.with(token).buildings(t)
		require.Len(t, listed, 1, "the server has gone on")
	})
	s.stop(t)
	t.Run("without one", func(t *testing.T) {
		told.check(t)
		_, running := embedded.AttachPostgres(dir)
		require.False(t, running, "a command ends the PostgreSQL that it started")
		require.NoFileExists(t, postmasterFile(dir))
	})
}

func (s story) check(t *testing.T) {
	t.Helper()
	t.Run("replay", s.checkReplay)
	t.Run("verify", s.checkVerify)
	t.Run("export", s.checkExport)
	t.Run("rebuild", func(t *testing.T) {
		require.Contains(t, run(t, s.dir, "rebuild", "buildings").done(t), "buildings was rebuilt")
		for line := range strings.Lines(run(t, s.dir, "rebuild", "all", "--json").done(t)) {
			require.Contains(t, decoded[map[string]string](t, line), "rebuilt")
		}
		run(t, s.dir, "rebuild", "castles").failed(t, "castles", "buildings")
	})
	t.Run("seed changes nothing where the demo stands", func(t *testing.T) {
		before := run(t, s.dir, "verify").done(t)
		for range 2 {
			require.Contains(t, run(t, s.dir, "seed").done(t), "syndic@grandplace.be")
		}
		require.Equal(t, before, run(t, s.dir, "verify").done(t))
	})
	t.Run("migrate has nothing to do, as often as it is asked", func(t *testing.T) {
		for range 2 {
			require.Contains(t, run(t, s.dir, "migrate").done(t), "up to date")
		}
	})
	t.Run("doctor finds nothing wrong", func(t *testing.T) {
		require.NotContains(t, run(t, s.dir, "doctor").done(t), "wrong")
		for _, found := range decoded[[]struct{ What, State string }](t,
			run(t, s.dir, "doctor", "--json").done(t)) {
			require.Equal(t, "ok", found.State, found.What)
		}
	})
}

func decoded[T any](t testing.TB, text string) (into T) {
	t.Helper()
	require.NoError(t, json.Unmarshal([]byte(text), &into), text)
	return into
}

// replayed is what replay --json prints.
type replayed struct {
	Position int64  `json:"position"`
	At       string `json:"at"`
	Building struct {
		building
		Organization string      `json:"organization_id"`
		Lots         int         `json:"total_units"`
		Shares       json.Number `json:"total_tantiemes"`
	} `json:"building"`
}

func (s story) checkReplay(t *testing.T) {
	kept, removed := "--building="+s.kept.ID, "--building="+s.removed.ID
	text := run(t, s.dir, "replay", kept).done(t)
	require.Contains(t, text, "Résidence d'après")
	require.Contains(t, text, loadOrganization.String())
	now := decoded[replayed](t, run(t, s.dir, "replay", kept, "--json").done(t))
	require.Equal(t, "Résidence d'après", now.Building.Name)
	require.Equal(t, loadOrganization.String(), now.Building.Organization)
	require.Equal(t, 8, now.Building.Lots)
	require.Equal(t, json.Number("1000"), now.Building.Shares)

	at := "--position=" + s.registered
	require.Contains(t, run(t, s.dir, "replay", kept, at).done(t), "Résidence d'avant")
	then := decoded[replayed](t, run(t, s.dir, "replay", kept, at, "--json").done(t))
	require.Equal(t, "Résidence d'avant", then.Building.Name)
	require.Contains(t, run(t, s.dir, "replay", kept, "--at="+then.At).done(t), "d'avant")
	require.Contains(t, run(t, s.dir, "replay", kept, "--position="+s.renamed).done(t), "d'après")

	run(t, s.dir, "replay", removed).failed(t, "no such building at that moment")
	require.Contains(t, run(t, s.dir, "replay", removed, "--position="+s.before).done(t),
		"Résidence démolie")
	for says, args := range map[string][]string{
		"no such building at that moment":   {kept, "--at=2020-02-29"},
		"no such building":                  {"--building=" + uuid.NewString()},
		"does not reach that moment":        {kept, "--position=9999"},
		"does not reach":                    {kept, "--at=2999-01-01T00:00:00Z"},
		"--position must be":                {kept, "--position=-1"},
		"--at must be":                      {kept, "--at=yesterday"},
		"can't be used together":            {kept, "--at=2020-02-29", "--position=1"},
		"--building must be an id":          {"--building=castle"},
		"missing flags: --building=STRING":  {},
		"unknown flag --buildings, did you": {"--buildings=" + s.kept.ID},
	} {
		run(t, s.dir, append([]string{"replay"}, args...)...).failed(t, says)
	}
}

// verified is what verify --json prints.
type verified struct {
	Whole         bool `json:"whole"`
	Organizations []struct {
		ID       string `json:"id"`
		Size     int    `json:"size"`
		Findings []struct {
			Position int `json:"position"`
		} `json:"findings"`
	} `json:"organizations"`
}

func (s story) checkVerify(t *testing.T) {
	text := run(t, s.dir, "verify").done(t)
	require.Contains(t, text, "Every log is as it was recorded.")
	require.Contains(t, text, "platform")
	report := decoded[verified](t, run(t, s.dir, "verify", "--json").done(t))
	require.True(t, report.Whole)
	require.Len(t, report.Organizations, 4)
	only := "--organization=" + loadOrganization.String()
	report = decoded[verified](t, run(t, s.dir, "verify", only, "--json").done(t))
	require.Len(t, report.Organizations, 1)
	require.Equal(t, loadOrganization.String(), report.Organizations[0].ID)
	run(t, s.dir, "verify", "--organization=platform").done(t)
	run(t, s.dir, "verify", "--organization="+uuid.NewString()).failed(t, "there is no log")
	run(t, s.dir, "verify", "--organization=mine").failed(t, "--organization")
	runWith(t, s.dir, []string{"DATABASE_URL=postgres://a@127.0.0.1:1/b"}, "verify").
		failed(t, "DATABASE_URL")
}

func (s story) checkExport(t *testing.T) {
	outside := emptyDir(t) // whoever checks a file has nothing of ours but the program
	file := filepath.Join(outside, "charge.log")
	organization := "--organization=" + loadOrganization.String()
	require.Empty(t, run(t, s.dir, "export", organization, "-o", file).done(t))
	run(t, outside, "verify", "--file", file).done(t)
	require.True(t, decoded[verified](t,
		run(t, outside, "verify", "--file", file, "--json").done(t)).Whole)
	require.NoFileExists(t, file+".part")

	printed := run(t, s.dir, "export", organization).done(t)
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Len(t, strings.Split(printed, "\n"), len(strings.Split(string(text), "\n")))
	require.NotContains(t, string(text), "bureau@charge.be", "personal data stays sealed")

	t.Run("a changed byte is found in the file", func(t *testing.T) {
		changed := bytes.Replace(text, []byte("d'avant"), []byte("d'Avant"), 1)
		require.NotEqual(t, text, changed)
		require.NoError(t, os.WriteFile(file, changed, 0o600))
		got := run(t, outside, "verify", "--file", file)
		require.Equal(t, 1, got.code, "%s%s", got.out, got.log)
		require.Contains(t, got.out, loadOrganization.String())
		require.Contains(t, got.out, "position "+s.registered)
		require.Contains(t, got.out, "Somebody touched what was recorded.")
	})
	t.Run("what is no exported log cannot be checked", func(t *testing.T) {
		require.NoError(t, os.WriteFile(file, []byte("not a log\n"), 0o600))
		run(t, outside, "verify", "--file", file).failed(t, "log")
		run(t, outside, "verify", "--file", filepath.Join(outside, "none")).failed(t, "--file")
	})
	run(t, s.dir, "export", "--organization=mine").failed(t, "--organization")
	run(t, s.dir, "export", "--organization="+uuid.NewString()).failed(t, "there is no such log")
	run(t, s.dir, "export", organization, "-o", "/nowhere/charge.log").failed(t, "/nowhere")
}

func TestVerifyNamesWhatASuperuserTouched(t *testing.T) {
	t.Parallel()
	dir, token := devDir(t)
	s := dev(t, dir)
	told := tell(t, s, token)
	super := superuser(t, dir)
	_, err := super.Exec(t.Context(), `alter table log.events disable trigger all`)
	require.NoError(t, err)
	tag, err := super.Exec(t.Context(), `update log.events
		set data = replace(data::text, 'avant', 'Avant')::json
		where organization_id = $1 and position = $2::text::bigint`, loadOrganization, told.registered)
	require.NoError(t, err)
	require.EqualValues(t, 1, tag.RowsAffected())
	require.NoError(t, super.Close(t.Context()))
	found := func(t *testing.T) {
		t.Helper()
		got := run(t, dir, "verify")
		require.Equal(t, 1, got.code, "%s%s", got.out, got.log)
		require.Regexp(t, loadOrganization.String()+" .*NOT WHOLE\n +position "+told.registered+":",
			got.out)
		require.Contains(t, got.out, "Somebody touched what was recorded.")
		got = run(t, dir, "verify", "--json")
		require.Equal(t, 1, got.code)
		report := decoded[verified](t, got.out)
		require.False(t, report.Whole)
		for _, o := range report.Organizations {
			require.Equal(t, o.ID == loadOrganization.String(), len(o.Findings) > 0, o.ID)
		}
		run(t, dir, "verify", "--organization="+demoOrganization.String()).done(t)
	}
	t.Run("beside the running server", found)
	s.stop(t)
	t.Run("without one", found)
}

func TestDoctorSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	dir, _ := devDir(t)
	got := runWith(t, dir, []string{"NATS_URL=nats://127.0.0.1:1"}, "doctor")
	require.Equal(t, 1, got.code)
	require.Regexp(t, `(?m)^wrong +broker +NATS_URL`, got.out)
	got = runWith(t, dir, []string{"LOG_LEVEL=loud"}, "doctor", "--json")
	require.Equal(t, 1, got.code)
	require.Contains(t, got.out, "LOG_LEVEL")
	require.NoError(t, os.Remove(filepath.Join(dir, "master.key")))
	got = run(t, dir, "doctor")
	require.Equal(t, 1, got.code)
	require.Contains(t, got.out, "MASTER_KEY_FILE")
}

func TestMigrateGoesAsFarAsItIsTold(t *testing.T) {
	t.Parallel()
	dir := emptyDir(t)
	require.Contains(t, run(t, dir, "migrate", "--to=1").done(t), "up to date")
	got := run(t, dir, "doctor")
	require.Equal(t, 1, got.code)
	require.Regexp(t, `(?m)^wrong +migrations +run koprogo migrate`, got.out)
	for range 2 {
		run(t, dir, "migrate").done(t)
	}
	require.Regexp(t, `(?m)^ok +migrations`, run(t, dir, "doctor").out)
	run(t, dir, "migrate", "--to=first").failed(t, "--to")
}

func TestHelpListsEveryCommand(t *testing.T) {
	t.Parallel()
	dir := emptyDir(t)
	commands := []string{
		"serve", "work", "migrate", "rebuild", "replay", "verify", "export", "seed", "doctor",
		"bench", "completion",
	}
	help := run(t, dir, "--help").done(t)
	for _, command := range commands {
		require.Regexp(t, `(?m)^  `+command+` +\w`, help)
		require.Contains(t, run(t, dir, command, "--help").done(t), "koprogo "+command)
	}
	for _, args := range [][]string{{"castle"}, {}, {"serve", "--castle"}, {"bench"}} {
		got := run(t, dir, args...)
		got.failed(t)
		require.Contains(t, got.log, "koprogo --help", args)
	}
	run(t, dir, "castle").failed(t, "castle")
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Empty(t, entries, "help touches nothing")
}

func TestCompletionIsAScriptThatBashTakes(t *testing.T) {
	t.Parallel()
	dir := emptyDir(t)
	for _, shell := range []string{"bash", "zsh", "fish"} {
		script := run(t, dir, "completion", "-c", shell).done(t)
		require.Contains(t, script, "koprogo")
		if path, err := exec.LookPath(shell); err == nil {
			check := exec.Command(path, "-n")
			check.Stdin = strings.NewReader(script)
			output, err := check.CombinedOutput()
			require.NoError(t, err, "%s", output)
		}
	}
	asked := runWith(t, dir, []string{"COMP_LINE=koprogo re", "COMP_POINT=10"})
	require.ElementsMatch(t, []string{"rebuild", "replay"}, strings.Fields(asked.out))
}

func TestBenchmarkPrintsTheDocumentedShape(t *testing.T) {
	t.Parallel()
	dir := emptyDir(t)
	text := run(t, dir, "bench", "append", "--json", "--runs=1", "--for=20ms", "--dir="+dir).done(t)
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.DisallowUnknownFields()
	var report struct {
		Benchmarks []struct {
			Name      string   `json:"name"`
			Value     *float64 `json:"value"`
			Unit      string   `json:"unit"`
			Yardstick float64  `json:"yardstick"`
			Ratio     float64  `json:"ratio"`
			Aim       string   `json:"aim"`
			Runs      int      `json:"runs"`
		} `json:"benchmarks"`
		Machine map[string]any `json:"machine"`
	}
	require.NoError(t, decoder.Decode(&report))
	require.NotEmpty(t, report.Benchmarks)
	for _, b := range report.Benchmarks {
		require.NotEmpty(t, b.Name)
		require.NotEmpty(t, b.Unit, b.Name)
		require.NotEmpty(t, b.Aim, b.Name)
		require.NotNil(t, b.Value, b.Name)
		require.Positive(t, *b.Value, b.Name)
		require.Equal(t, 1, b.Runs, b.Name)
	}
	require.Contains(t, report.Machine, "cores")
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Empty(t, entries, "its cluster is gone")
}
