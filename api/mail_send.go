package api

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"mime"
	"mime/quotedprintable"
	"net"
	"net/mail"
	"net/smtp"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/google/uuid"
)

// SMTPMailer sends through a mail server.
type SMTPMailer struct {
	address  string // host and port
	host     string
	implicit bool // TLS from the first byte
	auth     smtp.Auth
	from     *mail.Address
}

// NewSMTPMailer reads SMTP_URL, smtp://user:password@host:587 (STARTTLS, without which no password
// is sent) or smtps://host:465 (TLS), and MAIL_FROM, an address with or without a name.
func NewSMTPMailer(smtpURL, from string) (*SMTPMailer, error) {
	parsed, err := url.Parse(smtpURL)
	if err != nil || parsed.Hostname() == "" ||
		parsed.Scheme != "smtp" && parsed.Scheme != "smtps" {
		return nil, errors.New("SMTP_URL reads smtp://user:password@host:587 or smtps://host:465")
	}
	sender, err := mail.ParseAddress(from)
	if err != nil {
		return nil, errors.New("MAIL_FROM is no e-mail address")
	}
	port := parsed.Port()
	if port == "" {
		port = map[string]string{"smtp": "587", "smtps": "465"}[parsed.Scheme]
	}
	m := &SMTPMailer{
		address: net.JoinHostPort(parsed.Hostname(), port), host: parsed.Hostname(),
		implicit: parsed.Scheme == "smtps", from: sender,
	}
	if user := parsed.User.Username(); user != "" {
		password, _ := parsed.User.Password()
		m.auth = smtp.PlainAuth("", user, password, m.host)
	}
	return m, nil
}

// Send delivers the message. Its errors name no person.
func (m *SMTPMailer) Send(ctx context.Context, message Mail) error {
	conn, err := m.dial(ctx)
	if err != nil {
		return fmt.Errorf("reach the mail server: %w", err)
	}
	defer conn.Close()
	if deadline, ok := ctx.Deadline(); ok {
		if err := conn.SetDeadline(deadline); err != nil {
			return fmt.Errorf("reach the mail server: %w", err)
		}
	}
	client, err := smtp.NewClient(conn, m.host)
	if err != nil {
		return fmt.Errorf("greet the mail server: %w", err)
	}
	if starts, _ := client.Extension("STARTTLS"); starts && !m.implicit {
		err := client.StartTLS(&tls.Config{ServerName: m.host, MinVersion: tls.VersionTLS12})
		if err != nil {
			return fmt.Errorf("secure the connection to the mail server: %w", err)
		}
	}
	if m.auth != nil {
		if err := client.Auth(m.auth); err != nil {
			return errors.New("sign in at the mail server: it refused")
		}
	}
	return m.hand(client, message)
}

func (m *SMTPMailer) dial(ctx context.Context) (net.Conn, error) {
	if m.implicit {
		dialer := tls.Dialer{Config: &tls.Config{ServerName: m.host, MinVersion: tls.VersionTLS12}}
		return dialer.DialContext(ctx, "tcp", m.address)
	}
	var dialer net.Dialer
	return dialer.DialContext(ctx, "tcp", m.address)
}

func (m *SMTPMailer) hand(client *smtp.Client, message Mail) error {
	text, err := compose(m.from, message, time.Now())
	if err != nil {
		return err
	}
	if err := client.Mail(m.from.Address); err != nil {
		return errors.New("hand over a mail: the server refused the sender")
	}
	if err := client.Rcpt(message.To); err != nil {
		return errors.New("hand over a mail: the server refused the recipient")
	}
	body, err := client.Data()
	if err != nil {
		return errors.New("hand over a mail: the server refused the message")
	}
	if _, err := body.Write(text); err != nil {
		return fmt.Errorf("hand over a mail: %w", err)
	}
	if err := body.Close(); err != nil {
		return errors.New("hand over a mail: the server refused the message")
	}
	_ = client.Quit() // the message was taken
	return nil
}

// Outbox writes each message into a file of its own, for a machine without a mail server.
type Outbox struct {
	directory string
	from      *mail.Address
}

// NewOutbox makes the directory, which only its owner may read.
func NewOutbox(directory, from string) (*Outbox, error) {
	if from == "" {
		from = "KoproGo <koprogo@localhost>"
	}
	sender, err := mail.ParseAddress(from)
	if err != nil {
		return nil, errors.New("MAIL_FROM is no e-mail address")
	}
	if err := os.MkdirAll(directory, 0o700); err != nil {
		return nil, fmt.Errorf("make the outbox: %w", err)
	}
	return &Outbox{directory: directory, from: sender}, nil
}

// Send writes <instant>-<id>.eml.
func (o *Outbox) Send(_ context.Context, message Mail) error {
	now := time.Now().UTC()
	text, err := compose(o.from, message, now)
	if err != nil {
		return err
	}
	name := now.Format("20060102T150405Z") + "-" + uuid.NewString()
	draft := filepath.Join(o.directory, "."+name)
	if err := os.WriteFile(draft, text, 0o600); err != nil {
		return fmt.Errorf("write a mail: %w", err)
	}
	// A reader never sees half a message.
	if err := os.Rename(draft, filepath.Join(o.directory, name+".eml")); err != nil {
		return fmt.Errorf("write a mail: %w", err)
	}
	return nil
}

// compose writes the message as RFC 5322 has it.
func compose(from *mail.Address, message Mail, now time.Time) ([]byte, error) {
	to, err := mail.ParseAddress(message.To)
	if err != nil {
		return nil, errors.New("write a mail: the recipient is no e-mail address")
	}
	_, domain, _ := strings.Cut(from.Address, "@")
	var out bytes.Buffer
	for _, header := range [][2]string{
		{"From", from.String()},
		{"To", to.String()},
		{"Subject", mime.QEncoding.Encode("utf-8", message.Subject)},
		{"Date", now.UTC().Format(time.RFC1123Z)},
		{"Message-ID", "<" + uuid.NewString() + "@" + domain + ">"},
		{"MIME-Version", "1.0"},
		{"Content-Type", "text/plain; charset=utf-8"},
		{"Content-Transfer-Encoding", "quoted-printable"},
		{"Auto-Submitted", "auto-generated"},
	} {
		out.WriteString(header[0] + ": " + header[1] + "\r\n")
	}
	out.WriteString("\r\n")
	body := quotedprintable.NewWriter(&out)
	if _, err := body.Write([]byte(strings.ReplaceAll(message.Text, "\n", "\r\n"))); err != nil {
		return nil, fmt.Errorf("write a mail: %w", err)
	}
	if err := body.Close(); err != nil {
		return nil, fmt.Errorf("write a mail: %w", err)
	}
	return out.Bytes(), nil
}
