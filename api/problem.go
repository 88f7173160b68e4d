package api

import (
	"bytes"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
)

// Code is the stable name of a refusal. codes.go lists them all.
type Code string

// Problem is a refusal on its way to the client. Whatever refuses returns one as its error.
type Problem struct {
	Code       Code
	Params     map[string]string // what the text's {placeholders} stand for; never a rejected value
	Fields     []fieldError
	RetryAfter time.Duration
	Cause      error // logged where it is a fault of ours, never shown
}

func (p *Problem) Error() string {
	text := string(p.Code)
	for _, field := range p.Fields {
		text += "; " + field.Error()
	}
	if p.Cause != nil {
		text += ": " + p.Cause.Error()
	}
	return text
}

func (p *Problem) Unwrap() error { return p.Cause }

// Status is the HTTP status of the problem's code.
func (p *Problem) Status() int {
	if entry, known := codes[p.Code]; known {
		return entry.status
	}
	return http.StatusInternalServerError
}

// fieldError says what is wrong with one field or parameter.
type fieldError struct {
	Field  string
	Code   Code
	Params map[string]string
}

func (e fieldError) Error() string { return e.Field + " " + string(e.Code) }

// refuse makes a problem; the params are pairs of placeholder and text.
func refuse(code Code, pairs ...string) *Problem {
	return &Problem{Code: code, Params: params(pairs...)}
}

// refuseField makes the 400 of one field.
func refuseField(field string, code Code, pairs ...string) *Problem {
	return invalidFields(fieldError{Field: field, Code: code, Params: params(pairs...)})
}

// invalidFields makes a 400. It is unknown_field when no field is wrong but those unknown.
func invalidFields(fields ...fieldError) *Problem {
	code := CodeUnknownField
	names := make([]string, len(fields))
	for i, field := range fields {
		names[i] = field.Field
		if field.Code != CodeUnknownField {
			code = CodeInvalidField
		}
	}
	return &Problem{Code: code, Params: params("fields", strings.Join(names, ", ")), Fields: fields}
}

// invalidParameter makes the 400 of a query or path parameter or a header.
func invalidParameter(name string, code Code, pairs ...string) *Problem {
	return &Problem{
		Code: CodeInvalidParameter, Params: params("fields", name),
		Fields: []fieldError{{Field: name, Code: code, Params: params(pairs...)}},
	}
}

// notFound makes the 404 that names what was not found, such as "building".
func notFound(noun string) *Problem { return refuse(CodeNotFound, "noun", noun) }

func params(pairs ...string) map[string]string {
	if len(pairs) == 0 {
		return nil
	}
	named := make(map[string]string, len(pairs)/2)
	for i := 0; i+1 < len(pairs); i += 2 {
		named[pairs[i]] = pairs[i+1]
	}
	return named
}

// problemBody is the answer's shape (RFC 9457 and the contract).
type problemBody struct {
	Type     string       `json:"type" doc:"Where the code is explained"`
	Title    string       `json:"title"`
	Status   int          `json:"status"`
	Detail   string       `json:"detail" doc:"In the language of Accept-Language"`
	Instance string       `json:"instance" doc:"Names the request"`
	Code     Code         `json:"code"`
	Errors   []fieldEntry `json:"errors"`
	Error    string       `json:"error" doc:"The detail again, for older clients"`
}

type fieldEntry struct {
	Field  string `json:"field"`
	Code   Code   `json:"code"`
	Detail string `json:"detail"`
}

// body writes the problem in a language for the request of that id.
func (p *Problem) body(language Language, requestID string) problemBody {
	code := p.Code
	if _, known := codes[code]; !known {
		code = CodeInternal
	}
	body := problemBody{
		Type: problemPage + "#" + string(code), Title: titles[codes[code].status].in(language),
		Status: codes[code].status, Detail: explain(code, p.Params, language),
		Instance: "urn:koprogo:request:" + requestID, Code: code, Errors: []fieldEntry{},
	}
	for _, field := range p.Fields {
		body.Errors = append(body.Errors, fieldEntry{
			Field: field.Field, Code: field.Code,
			Detail: explain(field.Code, field.Params, language),
		})
	}
	if len(body.Errors) > 0 {
		body.Detail = summary(body.Errors)
	}
	body.Error = body.Detail
	return body
}

// summary names the first few fields with what is wrong with them.
func summary(entries []fieldEntry) string {
	const shown = 5
	sentences := make([]string, 0, shown)
	for _, entry := range entries[:min(len(entries), shown)] {
		sentences = append(sentences, entry.Field+": "+entry.Detail)
	}
	return strings.Join(sentences, " ")
}

// decimalParam is a number with places, or a percentage: 70.00, 60.00%.
var decimalParam = regexp.MustCompile(`^-?[0-9]+\.[0-9]+%?$`)

// explain fills the text of a code. A noun is named, and a decimal written, as the language does.
func explain(code Code, named map[string]string, language Language) string {
	text := codes[code].text.in(language)
	for name, value := range named {
		switch {
		case name == "noun":
			value = nounIn(value, language)
		case decimalParam.MatchString(value):
			value = decimalIn(language, value)
		}
		text = strings.ReplaceAll(text, "{"+name+"}", value)
	}
	return text
}

// problemJSON is the answer's body. Texts are not escaped for HTML: no browser reads them as such.
func problemJSON(p *Problem, language Language, requestID string) []byte {
	var out bytes.Buffer
	if err := json.MarshalWrite(&out, p.body(language, requestID)); err != nil {
		return []byte(`{"code":"internal","status":500}`)
	}
	return out.Bytes()
}

// writeProblem answers with the problem.
func writeProblem(w http.ResponseWriter, p *Problem, language Language, requestID string) {
	header := w.Header()
	header.Set("Content-Type", "application/problem+json")
	header.Set("Content-Language", language.String())
	header.Set("Cache-Control", "no-store")
	if p.RetryAfter > 0 {
		header.Set("Retry-After", strconv.Itoa(int((p.RetryAfter+time.Second-1)/time.Second)))
	} else if needsRetryAfter(p.Status()) && header.Get("Retry-After") == "" {
		header.Set("Retry-After", "1")
	}
	if p.Status() == http.StatusUnauthorized {
		header.Set("WWW-Authenticate", `Bearer realm="koprogo"`)
	}
	body := problemJSON(p, language, requestID)
	header.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(p.Status())
	_, _ = w.Write(body) // the client is gone when it fails, and nobody is left to tell
}

func needsRetryAfter(status int) bool {
	return status == http.StatusServiceUnavailable || status == http.StatusTooManyRequests
}
