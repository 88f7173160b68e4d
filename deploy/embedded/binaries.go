package embedded

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// MinMajor is the oldest major version of PostgreSQL that the product runs on.
const MinMajor = 15

// ErrNoPostgres says that the machine has no PostgreSQL server binaries new enough.
var ErrNoPostgres = errors.New("no PostgreSQL server found: install PostgreSQL " +
	strconv.Itoa(MinMajor) + " or newer (Debian, Ubuntu: deploy/install-postgresql.sh as root), " +
	"or set DATABASE_URL to a server that runs elsewhere")

// ErrMajorVersion says that a cluster was made by a major version that is not installed.
var ErrMajorVersion = errors.New("made by another major version of PostgreSQL")

// Installation is one set of PostgreSQL server binaries.
type Installation struct {
	BinDir string
	Major  int
}

func (i Installation) program(name string) string { return filepath.Join(i.BinDir, name) }

// FindPostgres lists the machine's PostgreSQL server binaries, the newest major version first.
// Returns ErrNoPostgres when there are none.
func FindPostgres(ctx context.Context) ([]Installation, error) {
	return installationsIn(ctx, binaryDirs(ctx))
}

func installationsIn(ctx context.Context, dirs []string) ([]Installation, error) {
	var found []Installation
	for _, dir := range dirs {
		if !executable(filepath.Join(dir, "initdb")) {
			continue
		}
		major, err := majorOf(ctx, filepath.Join(dir, "postgres"))
		if err != nil || major < MinMajor {
			continue
		}
		found = append(found, Installation{BinDir: dir, Major: major})
	}
	if len(found) == 0 {
		return nil, ErrNoPostgres
	}
	slices.SortStableFunc(found, func(a, b Installation) int { return cmp.Compare(b.Major, a.Major) })
	return found, nil
}

// installationFor picks the installation that opens a cluster: the newest for a cluster that
// is yet to be made, the one of the same major version for one that exists.
func installationFor(cluster string, found []Installation) (Installation, error) {
	text, err := os.ReadFile(filepath.Join(cluster, "PG_VERSION"))
	if errors.Is(err, os.ErrNotExist) {
		return found[0], nil
	}
	if err != nil {
		return Installation{}, fmt.Errorf("read the version of the database cluster: %w", err)
	}
	version := strings.TrimSpace(string(text))
	for _, i := range found {
		if strconv.Itoa(i.Major) == version {
			return i, nil
		}
	}
	present := make([]string, len(found))
	for n, i := range found {
		present[n] = strconv.Itoa(i.Major)
	}
	return Installation{}, fmt.Errorf(
		"the database cluster %s was made by PostgreSQL %s and this machine has PostgreSQL %s: "+
			"install PostgreSQL %s, or upgrade the cluster with pg_upgrade: %w",
		cluster, version, strings.Join(slices.Compact(present), ", "), version, ErrMajorVersion)
}

// binaryDirs lists the places where server binaries may stand, in order of preference among
// equal versions.
func binaryDirs(ctx context.Context) []string {
	var dirs []string
	add := func(dir string) {
		if dir != "" && !slices.Contains(dirs, dir) {
			dirs = append(dirs, dir)
		}
	}
	if path, err := exec.LookPath("postgres"); err == nil {
		if real, err := filepath.EvalSymlinks(path); err == nil {
			add(filepath.Dir(real))
		}
	}
	if out, err := output(ctx, "pg_config", "--bindir"); err == nil {
		add(strings.TrimSpace(out))
	}
	for _, pattern := range []string{
		"/usr/lib/postgresql/*/bin", "/usr/lib/postgresql*/bin", "/usr/libexec/postgresql*",
		"/usr/pgsql-*/bin", "/usr/local/pgsql/bin", "/opt/homebrew/opt/postgresql@*/bin",
	} {
		matches, _ := filepath.Glob(pattern) // the patterns are constant and well formed
		for _, dir := range matches {
			add(dir)
		}
	}
	return dirs
}

var versionPattern = regexp.MustCompile(`\(PostgreSQL\) (\d+)`)

func majorOf(ctx context.Context, postgres string) (int, error) {
	out, err := output(ctx, postgres, "--version")
	if err != nil {
		return 0, err
	}
	m := versionPattern.FindStringSubmatch(out)
	if m == nil {
		return 0, fmt.Errorf("%s --version says %q", postgres, strings.TrimSpace(out))
	}
	return strconv.Atoi(m[1])
}

func output(ctx context.Context, program string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Env = childEnvironment()
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("run %s: %w", program, err)
	}
	return string(out), nil
}

func executable(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0
}
