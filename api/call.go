package api

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/koprogo/koprogo/commands"
	"github.com/koprogo/koprogo/eventstore"
	"github.com/koprogo/koprogo/queries"
)

// identifier keeps ID short to write; it is a UUID.
type identifier = uuid.UUID

// Call is one request as a handler sees it, after authentication, authorisation and decoding.
type Call struct {
	*Backend
	Caller       Caller    // zero on public routes
	Organization uuid.UUID // what the call is about; nil for the platform, or for all (spanning)
	Language     Language
	RequestID    string
	Address      string // the client's, personal data of the caller
	Agent        string
	Now          time.Time // UTC, the call's one clock
	Page         Page      // of lists
	AsOf         AsOf      // of reads that look at earlier moments
	IfMatch      *int64    // of writes

	route *Route
	made  uuid.UUID     // the id that the server gave what the call creates
	fresh *queries.Rows // the rows that the call made
	fence Fence
	least int64 // the position that Koprogo-Min-Position asks for, 0 when it does not

	languages string // the Accept-Language header
	key       string // the idempotency key, "" when there is none
	digest    []byte // HMAC of the request, beside key
}

// Every tells that a superadmin named no organization, on a route that then spans all.
func (c *Call) Every() bool { return c.route.Serve.spans && c.Organization == uuid.Nil }

// NewID is the id of what a POST creates: the client's own, else a fresh one.
func (c *Call) NewID(own Field[uuid.UUID]) uuid.UUID {
	if own.IsGiven() {
		return own.Value()
	}
	c.made = uuid.Must(uuid.NewV7())
	return c.made
}

// Asking is the caller as the rules see him, in the organization of the call. id is the resource
// that the answer shows; it is shown again when the request is repeated under the same
// idempotency key.
func (c *Call) Asking(id uuid.UUID) commands.Caller {
	asking := commands.Caller{
		Organization: c.Organization, Actor: c.Caller.Account, Role: c.Caller.Role.String(),
		Correlation: c.RequestID, Address: c.Address, Agent: c.Agent, IfMatch: c.IfMatch,
		Made: c.made,
	}
	if c.key != "" {
		asking.Idempotency = &eventstore.Idempotency{
			Actor: c.Caller.Account, Key: c.key, Request: c.digest,
			Status: c.route.Serve.status, Resource: c.route.Noun + "/" + id.String(),
		}
	}
	return asking
}

// decide runs a command of the call and answers with what show, the noun's GET, finds: the
// resource as it now is, or, when the request was answered before, as it then was.
func decide[S commands.State[S], R any](
	ctx context.Context, c *Call, id uuid.UUID, command commands.Command[S],
	show func(context.Context, *Call, ID) (Answer[R], error),
) (Answer[R], error) {
	outcome, err := commands.Handle(ctx, c.Commands, c.Asking(id), command)
	if err != nil {
		return Answer[R]{}, err
	}
	c.answered(outcome.Also...)
	return shown(ctx, c, id, outcome.Receipt, show)
}

// discard runs a command after which the resource is no more.
func discard[S commands.State[S]](
	ctx context.Context, c *Call, id uuid.UUID, command commands.Command[S],
) (Answer[None], error) {
	outcome, err := commands.Handle(ctx, c.Commands, c.Asking(id), command)
	return discarded(c, outcome, err)
}

func discarded[S any](c *Call, outcome commands.Outcome[S], err error) (Answer[None], error) {
	if err != nil {
		return Answer[None]{}, err
	}
	c.answered(append(outcome.Also, outcome.Receipt)...)
	return Answer[None]{
		Position: outcome.Receipt.Position, Replayed: outcome.Receipt.Replayed,
	}, nil
}

// answered notes that the caller is told of these appends, each in its own log: nobody who reads
// from this server is shown less from here on.
func (c *Call) answered(receipts ...eventstore.Receipt) {
	for _, receipt := range receipts {
		c.fence.answered(receipt.Organization, receipt.Position)
	}
}

// shown answers a write by showing its resource.
func shown[R any](
	ctx context.Context, c *Call, id uuid.UUID, receipt eventstore.Receipt,
	show func(context.Context, *Call, ID) (Answer[R], error),
) (Answer[R], error) {
	now := AsOf{}
	if receipt.Replayed {
		first, err := resourceID(receipt.Resource)
		if err != nil {
			return Answer[R]{}, err
		}
		id, now = first, AtPosition(receipt.Position)
	} else {
		c.answered(receipt)
		var err error
		if c.fresh, err = queries.Fresh(receipt.Recorded); err != nil {
			return Answer[R]{}, err
		}
	}
	c.AsOf = now
	answer, err := show(ctx, c, ID{ID: id})
	if isBehind(err) {
		// What was recorded is recorded: the log shows it where the read model does not yet.
		c.AsOf = AtPosition(receipt.Position)
		answer, err = show(ctx, c, ID{ID: id})
	}
	if err != nil {
		return answer, err
	}
	answer.Position, answer.Replayed = receipt.Position, receipt.Replayed
	if receipt.Replayed && answer.Status == 0 {
		answer.Status = receipt.Status
	}
	return answer, nil
}

func resourceID(resource string) (uuid.UUID, error) {
	_, text, _ := strings.Cut(resource, "/")
	id, err := uuid.Parse(text)
	if err != nil {
		return id, errors.New("read the idempotency record: it names no resource")
	}
	return id, nil
}
