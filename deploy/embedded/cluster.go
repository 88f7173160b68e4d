package embedded

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// Names inside the cluster: the login of the application and the database that it owns.
const (
	applicationLogin    = "koprogo"
	applicationDatabase = "koprogo"
	superuser           = "postgres"
)

// makeCluster makes a cluster in one step: one that was interrupted on the way stands under
// another name and is made again.
func (h home) makeCluster(ctx context.Context, i Installation, durable bool) error {
	if _, err := os.Stat(filepath.Join(h.cluster(), "PG_VERSION")); err == nil {
		return nil
	}
	draft := h.cluster() + ".draft"
	if err := os.RemoveAll(draft); err != nil {
		return fmt.Errorf("remove an unfinished database cluster: %w", err)
	}
	if err := h.owner.writeFile(h.password(), []byte(rand.Text()+"\n")); err != nil {
		return err
	}
	if err := h.initdb(ctx, i, draft, durable); err != nil {
		return err
	}
	conf := filepath.Join(draft, "postgresql.conf")
	text, err := os.ReadFile(conf)
	if err != nil {
		return fmt.Errorf("read PostgreSQL's settings: %w", err)
	}
	text = append(text, "\ninclude 'koprogo.conf' # written at every start\n"+
		"include_if_exists 'local.conf' # yours, goes over it\n"...)
	if err := h.owner.writeFile(conf, text); err != nil {
		return err
	}
	local := "# Your own settings; they go over those of koprogo.conf.\n"
	if err := h.owner.writeFile(filepath.Join(draft, "local.conf"), []byte(local)); err != nil {
		return err
	}
	if err := h.makeLogin(ctx, i, draft, durable); err != nil {
		return err
	}
	if err := os.Rename(draft, h.cluster()); err != nil {
		return fmt.Errorf("put the database cluster in its place: %w", err)
	}
	if !durable {
		return nil
	}
	return syncDir(h.path)
}

// initdb falls back to the locale C where the machine has no C.UTF-8.
func (h home) initdb(ctx context.Context, i Installation, dir string, durable bool) error {
	var failures error
	for _, locale := range []string{"C.UTF-8", "C"} {
		args := []string{
			"--pgdata=" + dir, "--username=" + superuser, "--encoding=UTF8", "--locale=" + locale,
			"--data-checksums", "--auth-local=trust", "--auth-host=scram-sha-256",
			"--pwfile=" + h.password(), "--text-search-config=simple", "--no-instructions",
		}
		if !durable {
			args = append(args, "--no-sync")
		}
		err := h.owner.run(ctx, h.path, "", i.program("initdb"), args...)
		if err == nil {
			return nil
		}
		failures = errors.Join(failures, fmt.Errorf("with locale %s: %w", locale, err))
		if !strings.Contains(err.Error(), "locale") {
			break
		}
		if err := os.RemoveAll(dir); err != nil {
			return fmt.Errorf("remove an unfinished database cluster: %w", err)
		}
	}
	return fmt.Errorf("make a database cluster: %w", failures)
}

// makeLogin makes the application's login and database before anyone can connect.
func (h home) makeLogin(ctx context.Context, i Installation, dir string, durable bool) error {
	password, err := h.readPassword()
	if err != nil {
		return err
	}
	if err := h.owner.writeFile(filepath.Join(dir, "koprogo.conf"), nil); err != nil {
		return err
	}
	sql := fmt.Sprintf("CREATE ROLE %s LOGIN CREATEROLE PASSWORD '%s';\n"+
		"CREATE DATABASE %s OWNER %s;\n",
		applicationLogin, password, applicationDatabase, applicationLogin)
	args := []string{"--single", "-D", dir, "-c", "exit_on_error=on"}
	if !durable {
		args = append(args, "-c", "fsync=off")
	}
	args = append(args, "postgres")
	if err := h.owner.run(ctx, h.path, sql, i.program("postgres"), args...); err != nil {
		return fmt.Errorf("make the application's login and database: %w", err)
	}
	return nil
}

func (h home) readPassword() (string, error) {
	text, err := os.ReadFile(h.password())
	if err != nil {
		return "", fmt.Errorf("read the database's password: %w", err)
	}
	return strings.TrimSpace(string(text)), nil
}

var escapeSetting = strings.NewReplacer(`'`, `''`, `\`, `\\`)

// configure writes the settings of one start. The log names no values: neither statements,
// nor the details that quote keys.
func (h home) configure(cfg PostgresConfig, socketDir string) error {
	settings := map[string]string{
		"cluster_name":               h.name(),
		"listen_addresses":           "",
		"port":                       strconv.Itoa(cfg.port()),
		"unix_socket_directories":    socketDir,
		"unix_socket_permissions":    "0700",
		"max_connections":            strconv.Itoa(cfg.MaxConns + spareConns),
		"shared_buffers":             "128MB",
		"fsync":                      "on",
		"full_page_writes":           "on",
		"synchronous_commit":         "on",
		"wal_compression":            "on",
		"jit":                        "off",
		"timezone":                   "UTC",
		"log_timezone":               "UTC",
		"lc_messages":                "C",
		"logging_collector":          "on",
		"log_directory":              h.logs(),
		"log_filename":               "postgresql-%H.log",
		"log_rotation_age":           "60",
		"log_rotation_size":          "0",
		"log_truncate_on_rotation":   "on",
		"log_line_prefix":            "%m [%p] %q%u@%d ",
		"log_statement":              "none",
		"log_min_error_statement":    "panic",
		"log_min_duration_statement": "-1",
		"log_error_verbosity":        "terse",
	}
	if cfg.TCPPort != 0 {
		settings["listen_addresses"] = "127.0.0.1"
	}
	maps.Copy(settings, cfg.ExtraSettings)
	var text strings.Builder
	text.WriteString("# Written by koprogo at every start; your own settings go into local.conf.\n")
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		fmt.Fprintf(&text, "%s = '%s'\n", name, escapeSetting.Replace(settings[name]))
	}
	access := "# Written by koprogo at every start. The socket's directory is closed to others.\n" +
		"local all all trust\nhost all all 127.0.0.1/32 scram-sha-256\n"
	return errors.Join(
		h.owner.writeFile(filepath.Join(h.cluster(), "koprogo.conf"), []byte(text.String())),
		h.owner.writeFile(filepath.Join(h.cluster(), "pg_hba.conf"), []byte(access)),
	)
}
