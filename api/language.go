package api

import (
	"sync"

	"golang.org/x/text/language"
)

// Language is one that problems and labels are written in.
type Language uint8

// The languages of the product; English is used when a client asks for none of them.
const (
	English Language = iota
	French
	Dutch
)

// String is the language's tag.
func (l Language) String() string { return [...]string{"en", "fr", "nl"}[l] }

var matcher = language.NewMatcher([]language.Tag{
	language.English, language.French, language.Dutch,
})

// chosen remembers what the few headers that browsers send mean. Matching costs microseconds.
var chosen = struct {
	sync.RWMutex
	languages map[string]Language
}{languages: map[string]Language{}}

const (
	maxChosen         = 512
	maxLanguageHeader = 256
)

// chooseLanguage reads an Accept-Language header; what cannot be read means English.
func chooseLanguage(header string) Language {
	switch {
	case header == "" || len(header) > maxLanguageHeader:
		return English
	case header == "fr":
		return French
	case header == "nl":
		return Dutch
	}
	chosen.RLock()
	known, ok := chosen.languages[header]
	chosen.RUnlock()
	if ok {
		return known
	}
	_, index := language.MatchStrings(matcher, header)
	found := Language(index)
	chosen.Lock()
	defer chosen.Unlock()
	if len(chosen.languages) >= maxChosen {
		clear(chosen.languages)
	}
	chosen.languages[header] = found
	return found
}
