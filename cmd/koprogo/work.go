package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
)

// workCommand runs jobs, projections and the relay without the API, beside any number of servers
// on one database.
type workCommand struct {
	where
	NATSURL string `env:"NATS_URL" name:"nats-url" required:"" help:"The servers' broker."`
}

// Run works until it is told to stop.
func (c *workCommand) Run(ctx context.Context, out io.Writer) error {
	if c.DatabaseURL == "" {
		return errors.New("DATABASE_URL is required: an embedded PostgreSQL has one server, " +
			"and that does the work already")
	}
	settings := serving{NATSURL: c.NATSURL, MailFrom: "koprogo@localhost"}
	if err := errors.Join(c.check(), settings.check()); err != nil {
		return err
	}
	master, err := c.masterKey(false)
	if err != nil {
		return err
	}
	p := &product{where: c.where, logger: c.logger(os.Stderr)}
	working, cancel := context.WithCancel(context.WithoutCancel(ctx))
	p.cancel = cancel
	defer p.close()
	if err := p.open(ctx, working, settings, secrets{master: master}); err != nil {
		return err
	}
	fmt.Fprintln(out, "KoproGo works.")
	<-ctx.Done()
	return nil
}
