package api

import (
	"context"
	"net/http"
	"reflect"
	"strconv"

	"golang.org/x/text/language"
)

// File is an answer that is taken away. Its name is plain: letters, digits, dots, dashes.
type File struct {
	Name    string
	Content []byte
}

// file answers a GET with a file of the media type.
func file[P any](media string, handle func(context.Context, *Call, P) (Answer[File], error)) verb {
	made := read(handle)
	made.answer, made.media = reflect.TypeFor[File](), media
	return made
}

// writeFile writes a file, or a 304 to a client that has it.
func writeFile(x *exchange, r *http.Request, media string, made File) {
	header := x.Header()
	header["Cache-Control"] = privateOnly
	header["Vary"] = withOrigin(header["Vary"])
	tag := contentTag(made.Content)
	header.Set("Etag", tag)
	if sameTag(r.Header.Get("If-None-Match"), tag) {
		x.WriteHeader(http.StatusNotModified)
		return
	}
	header.Set("Content-Type", media)
	header.Set("Content-Disposition", `attachment; filename="`+made.Name+`"`)
	header.Set("Content-Length", strconv.Itoa(len(made.Content)))
	x.WriteHeader(http.StatusOK)
	_, _ = x.Write(made.Content) // the client is gone when it fails
}

// paperLanguages are those that files are written in.
var (
	paperLanguages = []string{"fr", "nl", "de", "en"}
	paperMatcher   = language.NewMatcher([]language.Tag{
		language.French, language.Dutch, language.German, language.English,
	})
)

// paperLanguage is what a file is written in: the language that the caller asks for, else the
// organization's.
func (c *Call) paperLanguage(ctx context.Context) (string, error) {
	if c.languages != "" && len(c.languages) <= maxLanguageHeader {
		tags, _, err := language.ParseAcceptLanguage(c.languages)
		if _, index, sure := paperMatcher.Match(tags...); err == nil && sure != language.No {
			return paperLanguages[index], nil
		}
	}
	organization, err := c.Commands.Organization(ctx, c.Organization)
	return organization.Language, err
}
