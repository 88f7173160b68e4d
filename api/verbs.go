package api

import (
	"context"
	"net/http"
	"reflect"

	"github.com/google/uuid"
)

// None is what a route takes that has no parameters, or no body.
type None struct{}

// ID is the parameter of the paths that end in {id}.
type ID = struct {
	ID identifier `path:"id"`
}

// Answer is what a handler answers: the resource, and what the conventions need to know of it.
type Answer[R any] struct {
	Body     R
	Version  int64  // of the resource, its ETag; 0 for what has none: a weak one is made
	Position int64  // of the log: where a write ended, or what the answer shows; 0 when not known
	Stale    int64  // set to Position where a read model has stopped
	Replayed bool   // the idempotency key was known; nothing happened now
	Status   int    // 0: the verb's own
	Location string // of what was created, or of the job that goes on
}

// reply is an Answer without its type.
type reply struct {
	body              any
	version, position int64
	stale             int64
	replayed          bool
	status            int
	location          string
	shows             []uuid.UUID
}

func (a Answer[R]) reply() reply {
	return reply{
		body: a.Body, version: a.Version, position: a.Position, stale: a.Stale,
		replayed: a.Replayed, status: a.Status, location: a.Location,
	}
}

type verbKind uint8

const (
	verbRead verbKind = iota + 1
	verbList
	verbCreate
	verbChange
	verbRemove
	verbRaw
)

// streaming is a handler that writes its answer itself.
type streaming = func(
	ctx context.Context, c *Call, w http.ResponseWriter, r *http.Request,
) error

// verb is what a route does, with the conventions that it takes. The functions below make one of
// a handler; the methods say what else it accepts.
type verb struct {
	kind                 verbKind
	params, body, answer reflect.Type
	call                 func(ctx context.Context, c *Call, params, body any) (reply, error)
	stream               streaming

	sorts      sorting
	takesAsOf  bool
	spans      bool
	isPlatform bool
	tables     []string
	status     int
	words      map[string]string
	media      string // of a file; of anything else "", which is JSON
}

// read answers one resource, report or bare array (an empty one is []).
func read[P, R any](handle func(context.Context, *Call, P) (Answer[R], error)) verb {
	return verb{
		kind: verbRead, params: reflect.TypeFor[P](), answer: reflect.TypeFor[R](), status: 200,
		call: func(ctx context.Context, c *Call, params, _ any) (reply, error) {
			answer, err := handle(ctx, c, *params.(*P))
			return answer.reply(), err
		},
	}
}

// list answers a page in its envelope. It must be told what it sorts by.
func list[P, R any](handle func(context.Context, *Call, P, Page) (Listed[R], error)) verb {
	return verb{
		kind: verbList, params: reflect.TypeFor[P](), answer: reflect.TypeFor[Paged[R]](),
		status: 200,
		call: func(ctx context.Context, c *Call, params, _ any) (reply, error) {
			listed, err := handle(ctx, c, *params.(*P), c.Page)
			if err != nil {
				return reply{}, err
			}
			body, err := listed.body(c.Page, string(c.Language))
			return reply{
				body: body, position: listed.Position, stale: listed.Stale, shows: listed.Shows,
			}, err
		},
	}
}

// create is a POST: required fields must have a value, null and "" mean absent. It answers 201
// with the whole resource; actions that create nothing say answering(200).
func create[P, B, R any](handle func(context.Context, *Call, P, B) (Answer[R], error)) verb {
	return write(verbCreate, 201, handle)
}

// change is a PUT: fields that are left out stay, null and "" clear.
func change[P, B, R any](handle func(context.Context, *Call, P, B) (Answer[R], error)) verb {
	return write(verbChange, 200, handle)
}

// act is a POST on something that stands: it answers 200 with the resource.
func act[P, B, R any](handle func(context.Context, *Call, P, B) (Answer[R], error)) verb {
	return write(verbCreate, 200, handle)
}

func write[P, B, R any](
	kind verbKind, status int, handle func(context.Context, *Call, P, B) (Answer[R], error),
) verb {
	return verb{
		kind: kind, params: reflect.TypeFor[P](), body: reflect.TypeFor[B](),
		answer: reflect.TypeFor[R](), status: status,
		call: func(ctx context.Context, c *Call, params, body any) (reply, error) {
			answer, err := handle(ctx, c, *params.(*P), *body.(*B))
			return answer.reply(), err
		},
	}
}

// remove is a DELETE: it answers 204 and no body, unless it says otherwise.
func remove[P any](handle func(context.Context, *Call, P) (Answer[None], error)) verb {
	made := erase(handle)
	made.status, made.answer = 204, nil
	return made
}

// erase is a DELETE that answers 200 with a body.
func erase[P, R any](handle func(context.Context, *Call, P) (Answer[R], error)) verb {
	return verb{
		kind: verbRemove, params: reflect.TypeFor[P](), body: reflect.TypeFor[None](),
		answer: reflect.TypeFor[R](), status: 200,
		call: func(ctx context.Context, c *Call, params, _ any) (reply, error) {
			answer, err := handle(ctx, c, *params.(*P))
			return answer.reply(), err
		},
	}
}

// raw writes its answer itself: files, streams, plain text. Its GET still is authenticated,
// authorised and limited; its parameters are its own.
func raw(handle streaming) verb {
	return verb{kind: verbRaw, status: 200, isPlatform: true, stream: handle}
}

// showing describes the body of what writes its answer itself, by an empty one.
func (v verb) showing(body any) verb {
	v.answer = reflect.TypeOf(body)
	return v
}

// sorted names what a list may be sorted by, the default first, ascending.
func (v verb) sorted(columns ...string) verb {
	v.sorts.columns = columns
	return v
}

// upTo sets the largest per_page where it is not 100.
func (v verb) upTo(perPage int) verb {
	v.sorts.perPage = perPage
	return v
}

// asOf lets the read look at earlier moments: c.AsOf.
func (v verb) asOf() verb {
	v.takesAsOf = true
	return v
}

// remembered keeps answers in memory until one of these tables changes for the organization.
func (v verb) remembered(tables ...string) verb {
	v.tables = tables
	return v
}

// spanning lets a superadmin who names no organization see all: then c.Organization is nil.
func (v verb) spanning() verb {
	v.spans = true
	return v
}

// platform is about no single organization, or finds its own: accounts, organizations, sessions.
func (v verb) platform() verb {
	v.isPlatform = true
	return v
}

// answering sets the status of success.
func (v verb) answering(status int) verb {
	v.status = status
	return v
}

// saying translates the rules' field names to REST ones, in pairs: "lots", "total_units".
func (v verb) saying(pairs ...string) verb {
	v.words = params(pairs...)
	return v
}

func (v verb) writes() bool {
	return v.kind == verbCreate || v.kind == verbChange || v.kind == verbRemove
}

func (v verb) mode() bodyMode {
	if v.kind == verbChange {
		return onChange
	}
	return onCreate
}
