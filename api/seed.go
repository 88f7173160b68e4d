package api

import (
	"context"
	"net/http"

	"github.com/google/uuid"
)

// Seed makes the demo organizations, or what is missing of them, and names them.
type Seed func(context.Context) ([]uuid.UUID, error)

// CodeDevelopmentOnly refuses what a server does in development mode only.
const CodeDevelopmentOnly Code = "development_only"

var _ = explained(map[Code]codeEntry{
	CodeDevelopmentOnly: {http.StatusNotFound, text{
		"Only a development server does this.",
		"Seul un serveur de développement fait cela.",
		"Alleen een ontwikkelserver doet dit.",
	}},
})

// seedBody names the organizations that stand after seeding.
type seedBody struct {
	Organizations []uuid.UUID `json:"organizations"`
}

// seedDemo answers when the demo stands; what stood already is left as it is.
func seedDemo(ctx context.Context, c *Call, _ None, _ None) (Answer[seedBody], error) {
	if c.Seed == nil {
		return Answer[seedBody]{}, refuse(CodeDevelopmentOnly)
	}
	organizations, err := c.Seed(ctx)
	return Answer[seedBody]{Body: seedBody{organizations}}, err
}
