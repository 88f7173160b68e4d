package api

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/go-chi/cors"
)

// fixedHeader is a header that every answer carries. Its values are shared by all requests: their
// capacity is their length, so that Add copies them.
type fixedHeader struct {
	name   string
	values []string
}

// securityHeaders are those of an API that no page embeds. Strict transport is asked for where
// the public address is https.
func securityHeaders(publicURL string) []fixedHeader {
	headers := []fixedHeader{
		{"X-Content-Type-Options", []string{"nosniff"}},
		{"X-Frame-Options", []string{"DENY"}},
		{"Referrer-Policy", []string{"no-referrer"}},
		{"Content-Security-Policy", []string{"default-src 'none'; frame-ancestors 'none'"}},
		{"Cross-Origin-Resource-Policy", []string{"same-origin"}},
		{"Permissions-Policy", []string{"camera=(), geolocation=(), microphone=()"}},
	}
	if strings.HasPrefix(publicURL, "https://") {
		headers = append(headers, fixedHeader{
			"Strict-Transport-Security", []string{"max-age=31536000"},
		})
	}
	return headers
}

// The contract's lists.
var (
	corsAllowed = []string{
		"Authorization", "Content-Type", "Accept-Language", "Idempotency-Key", "If-Match",
		"If-None-Match", "X-Request-Id", "Koprogo-Min-Position",
	}
	corsExposed = []string{
		"ETag", "Location", "Koprogo-Position", "Idempotency-Replayed", "Retry-After",
	}
)

// crossOrigin lets exactly these origins read answers. Without any it lets nobody, and a wildcard
// or a path is refused.
func crossOrigin(origins []string) (func(http.Handler) http.Handler, error) {
	for _, origin := range origins {
		parsed, err := url.Parse(origin)
		if err != nil || parsed.Host == "" || parsed.Scheme != "http" && parsed.Scheme != "https" ||
			origin != parsed.Scheme+"://"+parsed.Host || strings.Contains(origin, "*") {
			return nil, fmt.Errorf("CORS_ALLOWED_ORIGINS: %q is no exact origin such as "+
				"https://app.example.org", origin)
		}
	}
	if len(origins) == 0 {
		return func(next http.Handler) http.Handler { return next }, nil
	}
	return cors.Handler(cors.Options{
		AllowedOrigins: origins, AllowedHeaders: corsAllowed, ExposedHeaders: corsExposed,
		AllowedMethods: []string{
			http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodDelete,
		},
		MaxAge: int((10 * time.Minute).Seconds()),
	}), nil
}
