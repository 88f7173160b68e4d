package embedded

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// systemHome holds the clusters of root's data directories that PostgreSQL's user cannot reach.
const systemHome = "/var/lib/koprogo"

// home is where everything of one PostgreSQL stands.
type home struct {
	data  string // DATA_DIR, absolute
	path  string // DATA_DIR/postgres, links resolved
	owner account
}

func (h home) cluster() string     { return filepath.Join(h.path, "cluster") }
func (h home) logs() string        { return filepath.Join(h.path, "log") }
func (h home) startupLog() string  { return filepath.Join(h.logs(), "start.log") }
func (h home) lockFile() string    { return filepath.Join(h.path, "lock") }
func (h home) password() string    { return filepath.Join(h.path, "password") }
func (h home) runtimeFile() string { return filepath.Join(h.path, "runtime.json") }

// name tells this cluster's processes from those of every other cluster of the machine.
func (h home) name() string { return "koprogo-" + shortHash(h.path) }

func shortHash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:6])
}

// openHome finds the home of a data directory, or makes one that the account can reach.
func openHome(ctx context.Context, dataDir, postgres string, logger *slog.Logger) (home, error) {
	data, err := makeDataDir(dataDir)
	if err != nil {
		return home{}, err
	}
	link := filepath.Join(data, "postgres")
	owner, err := accountFor(link)
	if err != nil {
		return home{}, err
	}
	_, err = os.Lstat(link)
	switch {
	case err == nil:
	case !errors.Is(err, os.ErrNotExist):
		return home{}, fmt.Errorf("look at %s: %w", link, err)
	case owner.reaches(ctx, data, postgres):
		if err := owner.makeDir(link); err != nil {
			return home{}, err
		}
	default:
		if err := linkToSystemHome(data, link, owner, logger); err != nil {
			return home{}, err
		}
	}
	path, err := filepath.EvalSymlinks(link)
	if err != nil {
		return home{}, fmt.Errorf("the PostgreSQL of the data directory %s is gone from where "+
			"it stood: %w", data, err)
	}
	if err := owner.makeDir(path); err != nil {
		return home{}, err
	}
	if !owner.reaches(ctx, path, postgres) {
		return home{}, fmt.Errorf("the user %s, who runs PostgreSQL, cannot enter %s: "+
			"let others pass through the directories above it (chmod o+x), or set DATA_DIR "+
			"to another place", owner.name, path)
	}
	h := home{data: data, path: path, owner: owner}
	return h, owner.makeDir(h.logs())
}

// makeDataDir makes DATA_DIR. Root's is open for passing through, because its PostgreSQL
// belongs to another user; what stands in it is closed by itself.
func makeDataDir(dir string) (string, error) {
	if dir == "" {
		return "", errors.New("the embedded PostgreSQL needs a data directory (DATA_DIR)")
	}
	path, err := filepath.Abs(dir)
	if err != nil {
		return "", fmt.Errorf("find the data directory %s: %w", dir, err)
	}
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	if err := os.MkdirAll(path, 0o755); err != nil {
		return "", fmt.Errorf("make the data directory: %w", err)
	}
	mode := os.FileMode(0o700)
	if os.Geteuid() == 0 {
		mode = 0o711
	}
	if err := os.Chmod(path, mode); err != nil {
		return "", fmt.Errorf("close the data directory to others: %w", err)
	}
	return path, nil
}

// reaches tells whether the account can enter a directory and run PostgreSQL there.
func (a account) reaches(ctx context.Context, dir, postgres string) bool {
	return !a.switched || a.run(ctx, dir, "", postgres, "--version") == nil
}

// linkToSystemHome makes a directory under systemHome for a data directory that the account
// cannot reach. Its name carries a random part: a data directory deleted and made anew has
// lost its keys, and must not find the old one's cluster.
func linkToSystemHome(data, link string, owner account, logger *slog.Logger) error {
	if err := os.MkdirAll(systemHome, 0o711); err != nil {
		return fmt.Errorf("make a place for PostgreSQL outside %s: %w", data, err)
	}
	base := filepath.Join(systemHome, shortHash(data))
	left, _ := filepath.Glob(base + "-*") // a constant pattern over hexadecimal digits
	for _, old := range left {
		logger.Warn("a PostgreSQL cluster of a deleted data directory remains; "+
			"remove it if nobody needs it", "cluster", old, "data_dir", data)
	}
	place := base + "-" + strings.ToLower(rand.Text()[:8])
	if err := owner.makeDir(place); err != nil {
		return err
	}
	if err := os.Symlink(place, link); err != nil && !errors.Is(err, os.ErrExist) {
		return fmt.Errorf("link the data directory to its PostgreSQL: %w", err)
	}
	logger.Info("PostgreSQL stands outside the data directory, which its user cannot enter",
		"user", owner.name, "data_dir", data, "place", place)
	return nil
}

// RemoveDataDir removes a data directory that nobody uses any more, with the cluster that stands
// outside it where root's does.
func RemoveDataDir(dir string) error {
	place, err := filepath.EvalSymlinks(filepath.Join(dir, "postgres"))
	if err == nil && filepath.Dir(place) == systemHome {
		if err := os.RemoveAll(place); err != nil {
			return fmt.Errorf("remove the cluster of %s: %w", dir, err)
		}
	}
	if err := os.RemoveAll(dir); err != nil {
		return fmt.Errorf("remove a data directory: %w", err)
	}
	return nil
}

// maxSocketPath is the longest path of a Unix socket that every system takes, in bytes.
const maxSocketPath = 103

// socketDir makes the directory of the socket: in the home, or where that path would be too
// long, a private one among the temporary files, under a name that follows from the home.
func (h home) socketDir() (string, error) {
	candidates := []string{
		filepath.Join(h.path, "socket"),
		filepath.Join(os.TempDir(), h.name()),
		filepath.Join("/tmp", h.name()),
	}
	for _, dir := range candidates {
		if len(dir)+len("/.s.PGSQL.65535") > maxSocketPath {
			continue
		}
		return dir, h.owner.makeDir(dir)
	}
	return "", fmt.Errorf("no place for a socket: %s and %s are too long", h.path, os.TempDir())
}

// syncDir makes a renaming in a directory last through a loss of power.
func syncDir(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("open %s: %w", dir, err)
	}
	err = errors.Join(f.Sync(), f.Close())
	if err != nil && !errors.Is(err, syscall.EINVAL) {
		return fmt.Errorf("write %s to the disk: %w", dir, err)
	}
	return nil
}
