package main

import (
	"crypto/rand"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/mail"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/koprogo/koprogo/eventstore"
)

// where are the settings of every command that works on a database.
type where struct {
	DatabaseURL   string `env:"DATABASE_URL" help:"PostgreSQL; absent: embedded in DATA_DIR."`
	DataDir       string `env:"DATA_DIR" default:"data" help:"Directory of what is embedded."`
	MasterKeyFile string `env:"MASTER_KEY_FILE" help:"Key that wraps all others; 32 bytes."`
	DBMaxConns    int    `env:"DB_MAX_CONNS" default:"${conns}" help:"Connections per server."`
	LogLevel      string `env:"LOG_LEVEL" default:"info" help:"debug, info, warn or error."`
}

// check refuses what cannot work, with a sentence that names the setting.
func (w where) check() error {
	if w.DatabaseURL != "" && !isURL(w.DatabaseURL, "postgres", "postgresql") {
		return errors.New("DATABASE_URL must read postgres://user@host/database")
	}
	if w.DBMaxConns < 5 || w.DBMaxConns > 1000 {
		return errors.New("DB_MAX_CONNS must be a number from 5 to 1000")
	}
	if w.DataDir == "" {
		return errors.New("DATA_DIR must name a directory")
	}
	if state, err := os.Stat(w.DataDir); err == nil && !state.IsDir() {
		return errors.New("DATA_DIR must name a directory; there is a file of that name")
	}
	_, err := w.level()
	return err
}

func (w where) level() (slog.Level, error) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(w.LogLevel)); err != nil {
		return level, errors.New("LOG_LEVEL must be debug, info, warn or error")
	}
	return level, nil
}

// logger writes to problems: standard output belongs to answers.
func (w where) logger(problems io.Writer) *slog.Logger {
	level, _ := w.level()
	return slog.New(slog.NewTextHandler(problems, &slog.HandlerOptions{Level: level}))
}

// isURL tells whether text is an absolute URL of one of the schemes. It names a host, unless it is
// a database's: that may stand in the query, as a socket does.
func isURL(text string, schemes ...string) bool {
	parsed, err := url.Parse(text)
	if err != nil || !slices.Contains(schemes, parsed.Scheme) {
		return false
	}
	return parsed.Hostname() != "" || strings.HasPrefix(parsed.Scheme, "postgres")
}

// isOrigin tells whether text is an origin as browsers send it: scheme and host, nothing after.
func isOrigin(text string) bool {
	parsed, err := url.Parse(text)
	return err == nil && isURL(text, "http", "https") && !strings.Contains(text, "*") &&
		text == parsed.Scheme+"://"+parsed.Host
}

// serving are the settings of a server.
type serving struct {
	Dev                bool     `help:"Development: own secrets, demo data, mails in files."`
	ServerHost         string   `env:"SERVER_HOST" default:"127.0.0.1" help:"Address."`
	ServerPort         int      `env:"SERVER_PORT" default:"8080" help:"Port."`
	NATSURL            string   `env:"NATS_URL" name:"nats-url" help:"Absent: in process."`
	JWTSecret          string   `env:"JWT_SECRET" name:"jwt-secret" help:"32 bytes or more."`
	RateLimitPerToken  int      `env:"RATE_LIMIT_PER_TOKEN" default:"${rate}" help:"0: off."`
	CORSAllowedOrigins []string `env:"CORS_ALLOWED_ORIGINS" name:"cors-allowed-origins" help:"Exact."`
	TrustedProxies     []string `env:"TRUSTED_PROXIES" name:"trusted-proxies" help:"Networks."`
	PublicURL          string   `env:"PUBLIC_URL" name:"public-url" help:"Where mails link to."`
	SMTPURL            string   `env:"SMTP_URL" name:"smtp-url" help:"Absent: DATA_DIR/outbox."`
	MailFrom           string   `env:"MAIL_FROM" default:"koprogo@localhost" help:"Sender."`
	TLSCertFile        string   `env:"TLS_CERT_FILE" name:"tls-cert-file" help:"PEM."`
	TLSKeyFile         string   `env:"TLS_KEY_FILE" name:"tls-key-file" help:"PEM."`
}

func (s serving) check() error {
	switch {
	case s.ServerPort < 0 || s.ServerPort > 65535:
		return errors.New("SERVER_PORT must be a number from 0 to 65535")
	case s.NATSURL != "" && !isURL(s.NATSURL, "nats", "tls", "ws", "wss"):
		return errors.New("NATS_URL must read nats://host:4222")
	case s.JWTSecret != "" && len(s.JWTSecret) < 32:
		return errors.New("JWT_SECRET must be 32 bytes or more")
	case s.RateLimitPerToken < 0:
		return errors.New("RATE_LIMIT_PER_TOKEN must be 0 or more")
	case s.PublicURL != "" && !isURL(s.PublicURL, "http", "https"):
		return errors.New("PUBLIC_URL must read https://host")
	case s.SMTPURL != "" && !isURL(s.SMTPURL, "smtp", "smtps"):
		return errors.New("SMTP_URL must read smtp://user:password@host:587")
	case (s.TLSCertFile == "") != (s.TLSKeyFile == ""):
		return errors.New("TLS_CERT_FILE and TLS_KEY_FILE must be given together")
	}
	for _, origin := range s.CORSAllowedOrigins {
		if !isOrigin(origin) {
			return errors.New("CORS_ALLOWED_ORIGINS must list origins such as https://app.example")
		}
	}
	if _, err := s.proxies(); err != nil {
		return err
	}
	if _, err := mail.ParseAddress(s.MailFrom); err != nil {
		return errors.New("MAIL_FROM must be an e-mail address")
	}
	if s.TLSCertFile != "" {
		if _, err := tls.LoadX509KeyPair(s.TLSCertFile, s.TLSKeyFile); err != nil {
			return fmt.Errorf("TLS_CERT_FILE and TLS_KEY_FILE: %w", err)
		}
	}
	return nil
}

// proxies reads networks (10.0.0.0/8) and single addresses. One that is everybody is refused:
// whoever asked could say that he is somebody else.
func (s serving) proxies() ([]netip.Prefix, error) {
	networks := make([]netip.Prefix, len(s.TrustedProxies))
	for i, text := range s.TrustedProxies {
		text = strings.TrimSpace(text)
		network, err := netip.ParsePrefix(text)
		if at, single := netip.ParseAddr(text); single == nil {
			network, err = at.Unmap().Prefix(at.Unmap().BitLen())
		}
		if err != nil || network.Bits() == 0 || network.Addr().Is4In6() {
			return nil, errors.New("TRUSTED_PROXIES must list networks such as 10.0.0.0/8")
		}
		networks[i] = network.Masked()
	}
	return networks, nil
}

// secrets sign tokens and wrap keys.
type secrets struct {
	jwt    []byte
	master [32]byte
}

// What the data directory keeps of a development server's secrets.
const (
	masterKeyName = "master.key"
	jwtSecretName = "jwt.secret"
)

// secrets reads what signs and wraps. In development mode they are made once and kept in the
// data directory; otherwise both have to be given.
func (s serving) secrets(w where) (secrets, error) {
	var found secrets
	var err error
	if found.jwt = []byte(s.JWTSecret); len(found.jwt) == 0 {
		if !s.Dev {
			return found, errors.New("JWT_SECRET is required outside --dev: 32 bytes or more")
		}
		if found.jwt, err = keptSecret(filepath.Join(w.DataDir, jwtSecretName)); err != nil {
			return found, err
		}
	}
	if !s.Dev && w.MasterKeyFile == "" {
		return found, errNoMasterKey
	}
	found.master, err = w.masterKey(s.Dev)
	return found, err
}

var errNoMasterKey = errors.New("MASTER_KEY_FILE is required: it names the file of the key that " +
	"wraps all others (openssl rand -hex 32 makes one)")

// masterKey reads the key of MASTER_KEY_FILE, or the one that the data directory keeps, which
// development mode makes when it is missing.
func (w where) masterKey(mayMake bool) ([32]byte, error) {
	path := w.MasterKeyFile
	if path == "" {
		path = filepath.Join(w.DataDir, masterKeyName)
		if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
			if !mayMake {
				return [32]byte{}, errNoMasterKey
			}
			if err := os.MkdirAll(w.DataDir, 0o755); err != nil {
				return [32]byte{}, fmt.Errorf("make DATA_DIR: %w", err)
			}
			return eventstore.NewMasterKey(path)
		}
	}
	key, err := eventstore.LoadMasterKey(path)
	if err != nil {
		return key, fmt.Errorf("MASTER_KEY_FILE: %w", err)
	}
	return key, nil
}

// keptSecret is a secret of 32 random bytes that a file keeps.
func keptSecret(path string) ([]byte, error) {
	text, err := os.ReadFile(path)
	if err == nil && len(text) >= 32 {
		return text, nil
	}
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("read a kept secret: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, fmt.Errorf("make DATA_DIR: %w", err)
	}
	raw := make([]byte, 32)
	_, _ = rand.Read(raw) // never fails
	text = []byte(hex.EncodeToString(raw))
	if err := os.WriteFile(path, text, 0o600); err != nil {
		return nil, fmt.Errorf("keep a secret: %w", err)
	}
	return text, nil
}
