package api

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/koprogo/koprogo/commands"
	"github.com/koprogo/koprogo/eventstore"
	"github.com/koprogo/koprogo/queries"
)

// mapped turns any error of a handler into a Problem: the one place where the errors of the
// layers beneath become statuses.
func mapped(err error, route *Route) *Problem {
	problem := new(Problem)
	refused := new(commands.Refused)
	switch {
	case errors.As(err, &problem):
		if problem.Code == CodeNotFound && problem.Params["noun"] == "" {
			return notFound(route.Noun)
		}
		return problem
	case errors.As(err, &refused):
		return refusal(refused, route)
	case errors.Is(err, queries.ErrOrganization):
		return refuse(CodeOrganizationRequired)
	case errors.Is(err, queries.ErrNotFound):
		return notFound(route.Noun)
	case errors.Is(err, queries.ErrPositionUnknown):
		return refuse(CodePositionUnknown)
	case errors.Is(err, queries.ErrBadMark):
		return refuse(CodeInvalidCursor)
	case errors.Is(err, queries.ErrBehind):
		return &Problem{Code: CodePositionNotReached, RetryAfter: time.Second, Cause: err}
	case errors.Is(err, commands.ErrPrecondition):
		return refuse(CodePreconditionFailed)
	case errors.Is(err, eventstore.ErrOutcomeUnknown):
		return &Problem{Code: CodeOutcomeUnknown, RetryAfter: time.Second, Cause: err}
	case errors.Is(err, eventstore.ErrUnavailable), eventstore.ConnectionLost(err):
		return &Problem{Code: CodeUnavailable, RetryAfter: time.Second, Cause: err}
	case errors.Is(err, eventstore.ErrKeyReused):
		return refuse(CodeKeyReused)
	case errors.Is(err, eventstore.ErrErased):
		return refuse(CodeErased)
	case errors.Is(err, eventstore.ErrConflict), errors.Is(err, eventstore.ErrClaimed):
		return refuse(CodeConflict)
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return &Problem{Code: CodeUnavailable, RetryAfter: time.Second, Cause: err}
	}
	return &Problem{Code: CodeInternal, Cause: err}
}

// refusal turns what a rule refused into a problem. Fields are named as REST names them.
func refusal(refused *commands.Refused, route *Route) *Problem {
	if !refused.Invalid() {
		problem := &Problem{Code: Code(refused.Code), Params: refusalParams(refused)}
		if field := refused.Params["field"]; field != "" {
			problem.Fields = []fieldError{{
				Field: restName(field, route.Serve.words), Code: problem.Code,
				Params: problem.Params,
			}}
		}
		return problem
	}
	fields := make([]fieldError, 0, 1+len(refused.More))
	for _, wrong := range append([]*commands.Refused{refused}, refused.More...) {
		fields = append(fields, fieldError{
			Field: restName(wrong.Field, route.Serve.words), Code: Code(wrong.Code),
			Params: refusalParams(wrong),
		})
	}
	return invalidFields(fields...)
}

func restName(field string, words map[string]string) string {
	parts := strings.Split(field, ".")
	for i, part := range parts {
		head, place, indexed := strings.Cut(part, "[")
		if name, ok := words[head]; ok {
			head = name
		}
		if indexed {
			head += "[" + place
		}
		parts[i] = head
	}
	return strings.Join(parts, ".")
}

// refusalParams are a refusal's params as our texts name them.
func refusalParams(refused *commands.Refused) map[string]string {
	named := params()
	for name, value := range refused.Params {
		if named == nil {
			named = map[string]string{}
		}
		switch name {
		case "what":
			name = "noun"
		case "values":
			value = strings.ReplaceAll(value, ",", ", ")
		}
		named[name] = value
	}
	if refused.Code == commands.CodeOutOfRange {
		named["range"] = named["min"] + ".." + named["max"]
	}
	return named
}
