package api

import (
	"context"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// exchange is one request on its way through the server: the writer that everything after the
// outermost layer gets, with what is known of the request so far.
type exchange struct {
	http.ResponseWriter
	requestID string
	language  Language
	began     time.Time
	status    int
	route     *Route // nil until one is found
	caller    Caller
	known     bool // the caller was authenticated
}

// WriteHeader notes the status.
func (x *exchange) WriteHeader(status int) {
	if x.status == 0 {
		x.status = status
	}
	x.ResponseWriter.WriteHeader(status)
}

// Write notes an implicit 200.
func (x *exchange) Write(body []byte) (int, error) {
	if x.status == 0 {
		x.status = http.StatusOK
	}
	return x.ResponseWriter.Write(body)
}

// Unwrap lets http.ResponseController reach the connection.
func (x *exchange) Unwrap() http.ResponseWriter { return x.ResponseWriter }

// refuse answers with a problem and logs what is a fault of ours.
func (s *Server) refuse(x *exchange, r *http.Request, problem *Problem) {
	if problem.Status() >= http.StatusInternalServerError {
		s.logFault(r.Context(), x, problem)
	}
	if x.status == 0 {
		writeProblem(x, problem, x.language, x.requestID)
	}
}

func (s *Server) logFault(ctx context.Context, x *exchange, problem *Problem) {
	cause := ""
	if problem.Cause != nil {
		cause = problem.Cause.Error()
	}
	level := slog.LevelWarn
	if problem.Code == CodeInternal {
		level = slog.LevelError
	}
	s.logger.LogAttrs(ctx, level, "request failed", slog.String("code", string(problem.Code)),
		slog.String("cause", cause), slog.String("request_id", x.requestID))
}

// ServeHTTP gives every request its id, its headers and its line in the log, and turns a panic
// into a 500 without a word of it to the client.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	x := &exchange{
		ResponseWriter: w, requestID: s.requestID(r.Header), began: time.Now(),
		language: chooseLanguage(r.Header.Get("Accept-Language")),
	}
	defer func() { s.finish(x, r, recover()) }()
	header := w.Header()
	for _, fixed := range s.fixedHeaders {
		header[fixed.name] = fixed.values
	}
	header["X-Request-Id"] = []string{x.requestID}
	s.inner.ServeHTTP(x, r)
}

// finish answers what panicked, counts the request and writes its line in the log.
func (s *Server) finish(x *exchange, r *http.Request, panicked any) {
	if panicked != nil {
		if panicked == http.ErrAbortHandler { //nolint:errorlint // net/http compares it so too
			panic(panicked)
		}
		s.logger.LogAttrs(r.Context(), slog.LevelError, "panic",
			slog.String("request_id", x.requestID), slog.String("stack", string(debug.Stack())))
		if x.status == 0 {
			writeProblem(x, refuse(CodeInternal), x.language, x.requestID)
		}
	}
	took := time.Since(x.began)
	pattern := "none"
	if x.route != nil {
		pattern = x.route.Path
	}
	s.metrics.observe(x.route, r.Method, x.status, took)
	if s.logger.Enabled(r.Context(), slog.LevelInfo) {
		s.logger.LogAttrs(r.Context(), slog.LevelInfo, "request",
			slog.String("request_id", x.requestID), slog.String("method", knownMethod(r.Method)),
			slog.String("route", pattern), slog.Int("status", x.status),
			slog.Int64("took_us", took.Microseconds()))
	}
}

// knownMethod keeps a method that a client invented out of logs and metrics.
func knownMethod(method string) string {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodDelete,
		http.MethodOptions, http.MethodPatch:
		return method
	}
	return "other"
}

// requestIDs numbers the requests of a process after a prefix of its own.
type requestIDs struct {
	prefix string
	last   atomic.Uint64
}

const maxRequestID = 64

// requestID is the client's own id where it has the contract's form, else a fresh one.
func (s *Server) requestID(header http.Header) string {
	if own := header["X-Request-Id"]; len(own) == 1 && isRequestID(own[0]) {
		return own[0]
	}
	return s.ids.prefix + strconv.FormatUint(s.ids.last.Add(1), 36)
}

func isRequestID(text string) bool {
	if text == "" || len(text) > maxRequestID {
		return false
	}
	for _, c := range []byte(text) {
		letter := c|0x20 >= 'a' && c|0x20 <= 'z'
		if !letter && (c < '0' || c > '9') && c != '.' && c != '_' && c != '-' {
			return false
		}
	}
	return true
}

// bearerOf is the token of the Authorization header, "" when there is none.
func bearerOf(header http.Header) string {
	given := header["Authorization"]
	if len(given) != 1 || len(given[0]) < 8 || !strings.EqualFold(given[0][:7], "Bearer ") {
		return ""
	}
	return strings.TrimSpace(given[0][7:])
}
