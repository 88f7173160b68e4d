package api

import (
	"net/http"
	"strings"
	"unicode"
)

// maxAgent is how many characters of a client's name for itself are kept: it stands in every event
// that he causes, for ever.
const maxAgent = 255

// agentOf is the User-Agent header as it is kept: text, without control characters, cut.
func agentOf(header http.Header) string {
	kept, length := strings.Builder{}, 0
	for _, r := range strings.ToValidUTF8(header.Get("User-Agent"), "") {
		if unicode.IsControl(r) {
			continue
		}
		if length++; length > maxAgent {
			break
		}
		kept.WriteRune(r)
	}
	return kept.String()
}
