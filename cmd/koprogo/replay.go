package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/google/uuid"

	"github.com/koprogo/koprogo/api"
	"github.com/koprogo/koprogo/events"
	"github.com/koprogo/koprogo/eventstore"
	"github.com/koprogo/koprogo/queries"
)

// replayCommand shows a building as it was recorded at a moment, folded anew from the log.
type replayCommand struct {
	where
	Building string `required:"" help:"The building's id."`
	At       string `help:"An instant (RFC 3339) or a day; absent: now." xor:"moment"`
	Position int64  `help:"A position of the organization's log." xor:"moment"`
	JSON     bool   `name:"json" help:"As JSON."`
}

// Run folds and prints.
func (c *replayCommand) Run(ctx context.Context, out io.Writer) error {
	id, err := uuid.Parse(c.Building)
	if err != nil {
		return errors.New("--building must be an id")
	}
	moment, err := c.moment()
	if err != nil {
		return err
	}
	store, done, err := c.openStore(ctx, c.logger(os.Stderr))
	if err != nil {
		return err
	}
	defer done()
	reader := queries.NewReader(store, nil)
	organization, err := organizationOf(ctx, store, id)
	if err != nil {
		return replayError(err)
	}
	replay, err := reader.BuildingReplay(ctx, organization, id, moment)
	if err != nil {
		return replayError(err)
	}
	if c.JSON {
		text, err := api.ReplayJSON(replay)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(out, "%s\n", text)
		return err
	}
	return printReplay(out, replay)
}

// errFound ends a search.
var errFound = errors.New("found")

// organizationOf finds the log that has events of the building, also of one that was removed.
func organizationOf(
	ctx context.Context, store *eventstore.Store, building uuid.UUID,
) (uuid.UUID, error) {
	heads, err := store.Heads(ctx)
	if err != nil {
		return uuid.Nil, err
	}
	for _, head := range heads {
		err := store.ReplayBuilding(ctx, head.Organization, building, 0, head.Position,
			func(*eventstore.Recorded) error { return errFound })
		switch {
		case errors.Is(err, errFound):
			return head.Organization, nil
		case err != nil:
			return uuid.Nil, err
		}
	}
	return uuid.Nil, queries.ErrNotFound
}

func (c *replayCommand) moment() (queries.Moment, error) {
	if c.Position < 0 {
		return queries.Moment{}, errors.New("--position must be 1 or more")
	}
	if c.At == "" {
		return queries.Moment{Position: c.Position}, nil
	}
	if day, err := events.ParseDay(c.At); err == nil {
		return queries.Moment{Day: day}, nil
	}
	instant, err := time.Parse(time.RFC3339, c.At)
	if err != nil {
		return queries.Moment{}, errors.New("--at must be an instant (RFC 3339) or a day")
	}
	return queries.Moment{Instant: instant}, nil
}

func replayError(err error) error {
	switch {
	case errors.Is(err, queries.ErrNotFound):
		return errors.New("there was no such building at that moment")
	case errors.Is(err, queries.ErrPositionUnknown):
		return errors.New("the log does not reach that moment")
	}
	return err
}

// printReplay prints the building, then its lots, charges, balances and PCN, those that there are.
func printReplay(out io.Writer, replay queries.Replay) error {
	b := replay.Building
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "position\t%d\n", replay.Position)
	fmt.Fprintf(w, "recorded at\t%s\n", replay.At.Format(time.RFC3339Nano))
	fmt.Fprintf(w, "building\t%s\n", b.ID)
	fmt.Fprintf(w, "organization\t%s\n", b.OrganizationID)
	fmt.Fprintf(w, "name\t%s\n", b.Name)
	fmt.Fprintf(w, "address\t%s, %s %s, %s\n", b.Address, b.PostalCode, b.City, b.Country)
	fmt.Fprintf(w, "lots\t%d\n", b.Lots)
	fmt.Fprintf(w, "shares\t%s\n", b.Shares)
	if b.ConstructionYear != nil {
		fmt.Fprintf(w, "built\t%d\n", *b.ConstructionYear)
	}
	fmt.Fprintf(w, "registered\t%s\n", b.CreatedAt.Format(time.RFC3339Nano))
	fmt.Fprintf(w, "changed\t%s\n", b.UpdatedAt.Format(time.RFC3339Nano))
	section := func(title string, rows int, columns ...string) bool {
		if rows > 0 {
			fmt.Fprintf(w, "\n%s\n%s\n", title, strings.Join(columns, "\t"))
		}
		return rows > 0
	}
	section("Lots", len(replay.Lots), "number", "type", "floor", "shares", "owners")
	for _, lot := range replay.Lots {
		floor, owners := "", make([]string, len(lot.Owners))
		if lot.Floor != nil {
			floor = strconv.Itoa(*lot.Floor)
		}
		for i, o := range lot.Owners {
			owners[i] = fmt.Sprintf("%s %s", o.Row.OwnerID, o.Fraction)
			if o.Row.Right != events.RightFull {
				owners[i] += " " + o.Row.Right
			}
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", lot.Number, lot.Type, floor, lot.Shares,
			strings.Join(owners, ", "))
	}
	section("Charges", len(replay.Charges), "date", "category", "amount", "approval", "payment",
		"description")
	for _, charge := range replay.Charges {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", queries.Day(charge.Row.Date),
			charge.Row.Category, charge.Row.Gross, charge.Row.ApprovalStatus,
			charge.Row.PaymentStatus, charge.Description)
	}
	section("Balances", len(replay.Balances), "owner", "due")
	for _, balance := range replay.Balances {
		fmt.Fprintf(w, "%s\t%s\n", balance.OwnerID, balance.Due)
	}
	if section("PCN, approved charges", len(replay.PCN.Lines), "account", "label", "amount") {
		for _, line := range replay.PCN.Lines {
			fmt.Fprintf(w, "%s\t%s\t%s\n", line.Code, line.Labels.In("fr"), line.Amount)
		}
		fmt.Fprintf(w, "\ttotal\t%s\n", replay.PCN.Total)
	}
	return w.Flush()
}
