package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/nats-io/nats.go"

	"github.com/koprogo/koprogo/deploy/embedded"
	"github.com/koprogo/koprogo/eventstore"
	"github.com/koprogo/koprogo/migrations"
)

// doctorCommand looks at everything that an installation needs and says what is wrong.
type doctorCommand struct {
	where
	NATSURL string `env:"NATS_URL" name:"nats-url" help:"Absent: in process."`
	JSON    bool   `name:"json" help:"As JSON."`
}

// finding is one thing that was looked at.
type finding struct {
	What   string `json:"what"`
	State  string `json:"state"` // ok, warning, wrong
	Detail string `json:"detail,omitempty"`
}

// Run answers 0 when nothing is wrong, 1 otherwise; warnings alone are 0.
func (c *doctorCommand) Run(ctx context.Context, out io.Writer) error {
	d := &examination{command: c}
	d.note("settings", c.check())
	d.postgresBinaries(ctx)
	d.broker()
	d.database(ctx)
	if c.JSON {
		if err := json.NewEncoder(out).Encode(d.findings); err != nil {
			return err
		}
	} else {
		for _, f := range d.findings {
			fmt.Fprintf(out, "%-8s %-12s %s\n", f.State, f.What, f.Detail)
		}
	}
	if d.wrong {
		return errNo
	}
	return nil
}

type examination struct {
	command  *doctorCommand
	findings []finding
	wrong    bool
}

// note adds what a look found; nil is ok.
func (d *examination) note(what string, err error) {
	f := finding{What: what, State: "ok"}
	if err != nil {
		f.State, f.Detail, d.wrong = "wrong", err.Error(), true
	}
	d.findings = append(d.findings, f)
}

func (d *examination) say(what, state, detail string) {
	d.findings = append(d.findings, finding{What: what, State: state, Detail: detail})
}

func (d *examination) postgresBinaries(ctx context.Context) {
	if d.command.DatabaseURL != "" {
		return
	}
	found, err := embedded.FindPostgres(ctx)
	if err != nil {
		d.note("postgresql", err)
		return
	}
	d.say("postgresql", "ok", fmt.Sprintf("version %d", found[0].Major))
}

func (d *examination) broker() {
	if d.command.NATSURL == "" {
		d.say("broker", "ok", "in process")
		return
	}
	conn, err := nats.Connect(d.command.NATSURL, nats.Timeout(5*time.Second))
	if err != nil {
		d.note("broker", errors.New("NATS_URL cannot be connected to"))
		return
	}
	conn.Close()
	d.note("broker", nil)
}

func (d *examination) database(ctx context.Context) {
	logger := d.command.logger(os.Stderr)
	database, err := d.command.findDatabase(ctx, logger)
	if err != nil {
		d.note("database", err)
		return
	}
	defer database.close()
	pending, err := migrations.Pending(ctx, database.url)
	if err == nil && len(pending) > 0 {
		err = fmt.Errorf("run koprogo migrate: %s", strings.Join(pending, ", "))
	}
	d.note("migrations", err)
	if err != nil {
		return
	}
	d.login(ctx, database.url)
	store, done, err := d.command.openStore(ctx, logger)
	if err != nil {
		d.note("log", err)
		return
	}
	defer done()
	d.log(ctx, store)
}

const ownerSQL = `select pg_has_role(session_user, 'koprogo_owner', 'member')`

// login warns of a server's login that could take the log owner's role: convenient on one
// machine, one wall less elsewhere.
func (d *examination) login(ctx context.Context, url string) {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		d.note("login", errors.New("the database cannot be connected to"))
		return
	}
	defer conn.Close(ctx)
	var owner bool
	if err := conn.QueryRow(ctx, ownerSQL).Scan(&owner); err != nil {
		d.note("login", err)
		return
	}
	if owner && d.command.DatabaseURL != "" {
		d.say("login", "warning", "the server's login is also a member of koprogo_owner: give "+
			"MIGRATION_DATABASE_URL a login of its own")
		return
	}
	d.note("login", nil)
}

const lagSQL = `
select coalesce(max(l.position - coalesce(c.position, 0)), 0)
  from log.logs l
  left join (select organization_id, min(position) as position
               from read.checkpoints group by organization_id) c
    on c.organization_id = l.organization_id`

// log tells how many logs there are and how far the read models are behind.
func (d *examination) log(ctx context.Context, store *eventstore.Store) {
	heads, err := store.Heads(ctx)
	if err != nil {
		d.note("log", err)
		return
	}
	var events int64
	for _, head := range heads {
		events += head.Position
	}
	d.say("log", "ok", fmt.Sprintf("%d logs, %d events", len(heads), events))
	var lag int64
	err = store.Pool(eventstore.RoleProjector).QueryRow(ctx, lagSQL).Scan(&lag)
	switch {
	case err != nil:
		d.note("projections", err)
	case lag > 0:
		d.say("projections", "warning", fmt.Sprintf("%d events behind, unless a server is at it",
			lag))
	default:
		d.note("projections", nil)
	}
}
