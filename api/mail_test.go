package api_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/mail"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/koprogo/koprogo/api"
)

// postOffice takes one message as an SMTP server does and returns its lines.
func postOffice(t *testing.T, refuseRecipient bool) (url string, taken <-chan []string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = listener.Close() })
	lines := make(chan []string, 1)
	go func() {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		var heard []string
		say := func(text string) { _, _ = io.WriteString(conn, text+"\r\n") }
		say("220 here")
		in := bufio.NewScanner(conn)
		for data := false; in.Scan(); {
			line := in.Text()
			heard = append(heard, line)
			switch {
			case data && line == ".":
				data = false
				say("250 taken")
			case data:
			case strings.HasPrefix(line, "EHLO"):
				say("250-here\r\n250 8BITMIME")
			case strings.HasPrefix(line, "RCPT") && refuseRecipient:
				say("550 nobody@example.org is not known here")
			case line == "DATA":
				data = true
				say("354 go on")
			case line == "QUIT":
				say("221 bye")
				lines <- heard
				return
			default:
				say("250 ok")
			}
		}
	}()
	return "smtp://" + listener.Addr().String(), lines
}

func TestMailers(t *testing.T) {
	t.Parallel()
	message := api.Mail{
		To: "zoe.peeters@example.org", Subject: "Été à Liège", Text: "Bonjour Zoë,\n\n.dot\n",
	}

	t.Run("a mail server gets the message", func(t *testing.T) {
		t.Parallel()
		url, taken := postOffice(t, false)
		mailer, err := api.NewSMTPMailer(url, "KoproGo <office@example.org>")
		require.NoError(t, err)
		require.NoError(t, mailer.Send(t.Context(), message))
		said := strings.Join(<-taken, "\r\n")
		require.Contains(t, said, "MAIL FROM:<office@example.org>")
		require.Contains(t, said, "RCPT TO:<zoe.peeters@example.org>")
		require.Contains(t, said, "Subject: =?utf-8?q?=C3=89t=C3=A9_=C3=A0_Li=C3=A8ge?=")
		require.Contains(t, said, "..dot")
	})
	t.Run("a refusal names no person", func(t *testing.T) {
		t.Parallel()
		url, _ := postOffice(t, true)
		mailer, err := api.NewSMTPMailer(url, "office@example.org")
		require.NoError(t, err)
		err = mailer.Send(t.Context(), message)
		require.Error(t, err)
		require.NotContains(t, err.Error(), "@")
	})
	t.Run("the outbox keeps a file that only its owner reads", func(t *testing.T) {
		t.Parallel()
		directory := filepath.Join(t.TempDir(), "outbox")
		mailer, err := api.NewOutbox(directory, "")
		require.NoError(t, err)
		require.NoError(t, mailer.Send(t.Context(), message))
		files, err := filepath.Glob(filepath.Join(directory, "*.eml"))
		require.NoError(t, err)
		require.Len(t, files, 1)
		state, err := os.Stat(files[0])
		require.NoError(t, err)
		require.Equal(t, os.FileMode(0o600), state.Mode().Perm())
		file, err := os.Open(files[0])
		require.NoError(t, err)
		defer file.Close()
		read, err := mail.ReadMessage(file)
		require.NoError(t, err)
		require.Equal(t, "<zoe.peeters@example.org>", read.Header.Get("To"))
	})
	t.Run("a header cannot be smuggled in", func(t *testing.T) {
		t.Parallel()
		mailer, err := api.NewOutbox(t.TempDir(), "")
		require.NoError(t, err)
		bad := message
		bad.To = "a@example.org\r\nBcc: b@example.org"
		require.Error(t, mailer.Send(t.Context(), bad))
	})
	t.Run("wrong settings are named", func(t *testing.T) {
		t.Parallel()
		for _, wrong := range [][2]string{
			{"http://x", "a@b.be"}, {"smtp://", "a@b.be"}, {"smtp://x", "nobody"},
		} {
			_, err := api.NewSMTPMailer(wrong[0], wrong[1])
			require.Error(t, err)
		}
	})
	t.Run("what waits is sent before the post closes", func(t *testing.T) {
		t.Parallel()
		directory := t.TempDir()
		mailer, err := api.NewOutbox(directory, "")
		require.NoError(t, err)
		post := api.NewPost(mailer, slog.New(slog.DiscardHandler))
		errand := func(mail *api.Mail, err error) api.Errand {
			return func(context.Context) (*api.Mail, error) { return mail, err }
		}
		for range 5 {
			require.NoError(t, post.Take(errand(&message, nil)))
		}
		require.NoError(t, post.Take(errand(nil, errors.New("no"))))
		require.NoError(t, post.Take(errand(nil, nil)))
		post.Close()
		files, err := filepath.Glob(filepath.Join(directory, "*.eml"))
		require.NoError(t, err)
		require.Len(t, files, 5)
		require.Error(t, post.Take(errand(&message, nil)))
	})
}
