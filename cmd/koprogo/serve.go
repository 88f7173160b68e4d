package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strconv"
	"time"

	"github.com/koprogo/koprogo/api"
)

// shutdownPatience is how long requests under way may take when the server is asked to stop.
const shutdownPatience = 10 * time.Second

// serveCommand runs the server.
type serveCommand struct {
	where
	serving
}

// Run serves until it is told to stop.
func (c *serveCommand) Run(ctx context.Context, out io.Writer) error {
	if err := errors.Join(c.where.check(), c.serving.check()); err != nil {
		return err
	}
	found, err := c.secrets(c.where)
	if err != nil {
		return err
	}
	logger := c.logger(os.Stderr)
	began := time.Now()
	// The port first: who else is there is worth knowing before a database is started.
	listener, err := net.Listen("tcp", net.JoinHostPort(c.ServerHost, strconv.Itoa(c.ServerPort)))
	if err != nil {
		return fmt.Errorf("SERVER_HOST and SERVER_PORT cannot be listened on: %w", err)
	}
	defer listener.Close()
	p, err := c.start(ctx, found, logger)
	if err != nil {
		return err
	}
	defer p.close()
	if c.Dev {
		if err := p.seedDemo(ctx); err != nil {
			return err
		}
	}
	if err := p.resume(ctx); err != nil {
		return err
	}
	if err := c.greet(out, listener.Addr().String(), time.Since(began)); err != nil {
		return err
	}
	return c.serve(ctx, p, listener, logger)
}

func (c *serveCommand) serve(
	ctx context.Context, p *product, listener net.Listener, logger *slog.Logger,
) error {
	server := p.api.HTTPServer()
	failed := make(chan error, 1)
	go func() {
		if c.TLSCertFile != "" {
			failed <- server.ServeTLS(listener, c.TLSCertFile, c.TLSKeyFile)
			return
		}
		failed <- server.Serve(api.Gather(listener))
	}()
	select {
	case err := <-failed:
		return fmt.Errorf("serve: %w", err)
	case <-ctx.Done():
	}
	logger.Info("the server stops")
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownPatience)
	defer cancel()
	if err := server.Shutdown(ctx); err != nil && !errors.Is(err, http.ErrServerClosed) {
		return errors.Join(fmt.Errorf("let requests end: %w", err), server.Close())
	}
	return nil
}

// greet says where the server is, and in development mode how to begin.
func (c *serveCommand) greet(out io.Writer, address string, took time.Duration) error {
	scheme := "http"
	if c.TLSCertFile != "" {
		scheme = "https"
	}
	base := scheme + "://" + address
	fmt.Fprintf(out, "KoproGo listens on %s (ready in %s). Documentation: %s/docs\n",
		base, took.Round(time.Millisecond), base)
	if !c.Dev {
		return nil
	}
	_, err := fmt.Fprintf(out, firstSteps, base)
	return err
}

// Three lines that a shell takes as they are.
const firstSteps = `
Sign in as the demo organization's syndic: syndic@grandplace.be / syndic123
(the platform's administrator: admin@koprogo.com / admin123)

  API=%s/api/v1
  TOKEN=$(curl -s $API/auth/login -H 'Content-Type: application/json'` +
	` -d '{"email":"syndic@grandplace.be","password":"syndic123"}'` +
	` | sed 's/.*"token":"\([^"]*\)".*/\1/')
  curl -s $API/buildings -H "Authorization: Bearer $TOKEN"

`
