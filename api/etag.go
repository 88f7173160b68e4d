package api

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strconv"
	"strings"
)

// versionTag is the ETag of a resource: strong, and moving only with the resource.
func versionTag(version int64) string { return `"` + strconv.FormatInt(version, 10) + `"` }

// contentTag is the weak ETag of a list or report: a digest of its bytes, the same on every
// server.
func contentTag(body []byte) string {
	digest := sha256.Sum256(body)
	return `W/"` + base64.RawURLEncoding.EncodeToString(digest[:12]) + `"`
}

// sameTag tells whether an If-None-Match header names the tag (weak comparison, RFC 9110 13.1.2).
func sameTag(ifNoneMatch, tag string) bool {
	if ifNoneMatch == "" {
		return false
	}
	if ifNoneMatch == tag || strings.TrimSpace(ifNoneMatch) == "*" {
		return true
	}
	opaque := strings.TrimPrefix(tag, "W/")
	for candidate := range strings.SplitSeq(ifNoneMatch, ",") {
		if strings.TrimPrefix(strings.TrimSpace(candidate), "W/") == opaque {
			return true
		}
	}
	return false
}

// ifMatch reads the revision that a write believes in. No header, and *, mean any; a weak tag
// never matches (RFC 9110 13.1.1).
func ifMatch(header http.Header) (*int64, error) {
	values := header.Values("If-Match")
	if len(values) == 0 || len(values) == 1 && strings.TrimSpace(values[0]) == "*" {
		return nil, nil
	}
	text := strings.TrimSpace(values[0])
	if len(values) == 1 && strings.HasPrefix(text, `W/"`) && strings.HasSuffix(text, `"`) {
		return nil, refuse(CodePreconditionFailed)
	}
	digits, opened := strings.CutPrefix(text, `"`)
	digits, closed := strings.CutSuffix(digits, `"`)
	version, err := strconv.ParseInt(digits, 10, 64)
	if len(values) > 1 || !opened || !closed || err != nil || !isDigits(digits) {
		return nil, invalidParameter("If-Match", CodeMalformed, "form", "ETag")
	}
	return &version, nil
}
