package events

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
	"golang.org/x/text/width"
)

// NormalText is the form in which two texts are the same that nobody tells apart on paper: letter
// case, how words are spaced, full-width letters, how an accent is put together, and characters
// that are not seen make no difference. Letters of other scripts that look alike do.
func NormalText(text string) string {
	seen := strings.Map(func(r rune) rune {
		if isUnseen(r) {
			return -1
		}
		return r
	}, text)
	lower := strings.ToLower(norm.NFC.String(width.Fold.String(seen)))
	return strings.Join(strings.Fields(norm.NFC.String(lower)), " ")
}

func isUnseen(r rune) bool {
	return unicode.In(r, unicode.Cc, unicode.Cf, unicode.Variation_Selector) && !unicode.IsSpace(r)
}
