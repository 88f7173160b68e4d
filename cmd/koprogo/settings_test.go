package main_test

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/koprogo/koprogo/deploy/embedded"
)

// flag is the flag of a setting: --server-port for SERVER_PORT.
func flag(setting string) string {
	return "--" + strings.ReplaceAll(strings.ToLower(setting), "_", "-")
}

// wrongSettings are values that must stop the start, with a word of the sentence that says so.
var wrongSettings = []struct{ name, value, says string }{
	{"SERVER_HOST", "256.1.1.1", "cannot be listened on"},
	{"SERVER_PORT", "eighty", "expected a valid"},
	{"SERVER_PORT", "65536", "from 0 to 65535"},
	{"SERVER_PORT", "-1", "from 0 to 65535"},
	{"DATABASE_URL", "mysql://localhost/koprogo", "postgres://"},
	{"DATABASE_URL", "localhost:5432", "postgres://"},
	{"DATABASE_URL", "postgres://koprogo@127.0.0.1:1/koprogo", "connection refused"},
	{"NATS_URL", "http://localhost", "nats://"},
	{"NATS_URL", "nats://", "nats://"},
	{"JWT_SECRET", "short-secret", "32 bytes"},
	{"MASTER_KEY_FILE", "/nowhere/master.key", "no such file"},
	{"DATA_DIR", "/dev/null", "directory"},
	{"DB_MAX_CONNS", "many", "expected a valid"},
	{"DB_MAX_CONNS", "4", "from 5"},
	{"RATE_LIMIT_PER_TOKEN", "often", "expected a valid"},
	{"RATE_LIMIT_PER_TOKEN", "-1", "0 or more"},
	{"CORS_ALLOWED_ORIGINS", "*", "https://app.example"},
	{"CORS_ALLOWED_ORIGINS", "https://*.example.org", "https://app.example"},
	{"CORS_ALLOWED_ORIGINS", "https://good.example,https://app.example/", "https://app.example"},
	{"CORS_ALLOWED_ORIGINS", "https://app.example/page", "https://app.example"},
	{"TRUSTED_PROXIES", "proxy.example", "10.0.0.0/8"},
	{"TRUSTED_PROXIES", "10.0.0.0/8,10.0.0.0/33", "10.0.0.0/8"},
	{"TRUSTED_PROXIES", "0.0.0.0/0", "10.0.0.0/8"},
	{"PUBLIC_URL", "app.example", "https://"},
	{"PUBLIC_URL", "https://", "https://"},
	{"SMTP_URL", "http://mail.example", "smtp://"},
	{"SMTP_URL", "smtp://", "smtp://"},
	{"MAIL_FROM", "nobody", "e-mail address"},
	{"MAIL_FROM", "a@b@c", "e-mail address"},
	{"TLS_CERT_FILE", "/nowhere/cert.pem", "together"},
	{"TLS_KEY_FILE", "/nowhere/key.pem", "together"},
	{"LOG_LEVEL", "loud", "debug, info, warn or error"},
}

func TestWrongSettingStopsTheStart(t *testing.T) {
	t.Parallel()
	dir := emptyDir(t)
	key := masterKeyFile(t, dir, strings.Repeat("ab", 32), 0o600)
	for _, wrong := range wrongSettings {
		if strings.HasPrefix(wrong.value, "postgres://") {
			wrong.value += "?connect_timeout=5"
		}
		t.Run(wrong.name+" "+wrong.value, func(t *testing.T) {
			right := []string{
				"JWT_SECRET=" + goodSecret, "MASTER_KEY_FILE=" + key, "SERVER_PORT=0",
			}
			named := runWith(t, dir, append(right, wrong.name+"="+wrong.value), "serve")
			named.failed(t, wrong.name, wrong.says)
			require.NotContains(t, named.log, goodSecret)
			require.Empty(t, named.out)
			flagged := runWith(t, dir, right, "serve", flag(wrong.name)+"="+wrong.value)
			flagged.failed(t, wrong.says)
			require.NoDirExists(t, filepath.Join(dir, "postgres"), "it began all the same")
		})
	}
	t.Run("a secret is not repeated where it is wrong", func(t *testing.T) {
		got := runWith(t, dir, []string{"MASTER_KEY_FILE=" + key}, "serve",
			"--jwt-secret=only-this-short")
		got.failed(t, "JWT_SECRET")
		require.NotContains(t, got.log, "only-this-short")
	})
	t.Run("a database's password is not repeated where it cannot be reached", func(t *testing.T) {
		got := runWith(t, dir, []string{"MASTER_KEY_FILE=" + key, "JWT_SECRET=" + goodSecret},
			"serve", "--server-port=0", "--database-url=postgres://a:hush-hush@127.0.0.1:1/b")
		got.failed(t, "DATABASE_URL")
		require.NotContains(t, got.log, "hush-hush")
	})
	t.Run("MIGRATION_DATABASE_URL is named by migrate", func(t *testing.T) {
		for url, says := range map[string]string{
			"mysql://x/y": "postgres://", "postgres://a@127.0.0.1:1/b": "connection refused",
		} {
			runWith(t, dir, []string{"MIGRATION_DATABASE_URL=" + url}, "migrate").
				failed(t, "MIGRATION_DATABASE_URL", says)
		}
	})
	t.Run("work needs the servers' database and broker", func(t *testing.T) {
		runWith(t, dir, []string{"NATS_URL=nats://127.0.0.1:1"}, "work").
			failed(t, "DATABASE_URL is required")
		run(t, dir, "work").failed(t, "nats-url")
	})
}

// goodSecret signs tokens in tests.
const goodSecret = "a secret of more than thirty-two bytes"

func masterKeyFile(t testing.TB, dir, text string, mode os.FileMode) string {
	t.Helper()
	file, err := os.CreateTemp(dir, "key-*")
	require.NoError(t, err)
	_, err = file.WriteString(text)
	require.NoError(t, err)
	require.NoError(t, file.Chmod(mode))
	require.NoError(t, file.Close())
	return file.Name()
}

func TestSecretsAreRequiredOutsideDevelopment(t *testing.T) {
	t.Parallel()
	dir, token := devDir(t)
	secret, err := os.ReadFile(filepath.Join(dir, "jwt.secret"))
	require.NoError(t, err)
	key := filepath.Join(dir, "master.key")
	port := "--server-port=0"

	t.Run("neither is taken from the directory of a development server", func(t *testing.T) {
		runWith(t, dir, []string{"MASTER_KEY_FILE=" + key}, "serve", port).
			failed(t, "JWT_SECRET is required")
		runWith(t, dir, []string{"JWT_SECRET=" + goodSecret}, "serve", port).
			failed(t, "MASTER_KEY_FILE is required")
	})
	t.Run("a master key that everybody may read is refused", func(t *testing.T) {
		open := masterKeyFile(t, dir, strings.Repeat("ab", 32), 0o644)
		for _, command := range [][]string{{"serve", port}, {"serve", "--dev", port}, {"verify"}} {
			runWith(t, dir, []string{"JWT_SECRET=" + goodSecret, "MASTER_KEY_FILE=" + open},
				command...).failed(t, "MASTER_KEY_FILE", "everybody", "chmod 600")
		}
	})
	t.Run("a master key of another length is refused", func(t *testing.T) {
		short := masterKeyFile(t, dir, "abab", 0o600)
		runWith(t, dir, []string{"JWT_SECRET=" + goodSecret, "MASTER_KEY_FILE=" + short}, "serve",
			port).failed(t, "MASTER_KEY_FILE", "32 bytes")
	})
	t.Run("another master key than the one that the data was sealed with is refused",
		func(t *testing.T) {
			other := masterKeyFile(t, dir, strings.Repeat("cd", 32), 0o600)
			runWith(t, dir, []string{"JWT_SECRET=" + goodSecret, "MASTER_KEY_FILE=" + other},
				"serve", port).failed(t, "MASTER_KEY_FILE")
		})
	t.Run("by flags, both are enough, and nothing is seeded or told", func(t *testing.T) {
		s := serve(t, dir, nil, "--jwt-secret="+string(secret), "--master-key-file="+key)
		s.awaitReady(t)
		require.NotContains(t, s.out.String(), "syndic123")
		require.Equal(t, http.StatusOK, s.with(token).get(t, "/buildings").status)
		s.stop(t)
	})
	t.Run("by the environment, on an empty directory, nobody has an account", func(t *testing.T) {
		empty := emptyDir(t)
		own := masterKeyFile(t, dir, strings.Repeat("ef", 32), 0o600)
		s := serve(t, empty, []string{"JWT_SECRET=" + goodSecret, "MASTER_KEY_FILE=" + own})
		s.awaitReady(t)
		s.with("").send(t, http.MethodPost, "/auth/login", map[string]string{
			"email": "admin@koprogo.com", "password": "admin123",
		}).isProblem(t, http.StatusUnauthorized, "invalid_credentials")
		require.Empty(t, positions(t, empty))
		s.stop(t)
	})
}

func TestWrongCertificateStopsTheStart(t *testing.T) {
	t.Parallel()
	dir := emptyDir(t)
	mine, mineKey := certificate(t, dir)
	_, foreign := certificate(t, dir)
	for name, files := range map[string][2]string{
		"no file":                {"/nowhere/cert.pem", "/nowhere/key.pem"},
		"no PEM":                 {"/etc/hostname", mineKey},
		"another key":            {mine, foreign},
		"two times one file":     {mine, mine},
		"the two the other way":  {mineKey, mine},
		"a directory for a file": {dir, mineKey},
	} {
		t.Run(name, func(t *testing.T) {
			got := runWith(t, dir, []string{
				"TLS_CERT_FILE=" + files[0], "TLS_KEY_FILE=" + files[1],
			}, "serve", "--dev", "--server-port=0")
			got.failed(t, "TLS_CERT_FILE and TLS_KEY_FILE")
			require.Empty(t, got.out)
			_, running := embedded.AttachPostgres(dir)
			require.False(t, running)
		})
	}
}
