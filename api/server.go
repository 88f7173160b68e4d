package api

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"
	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/koprogo/koprogo/commands"
	"github.com/koprogo/koprogo/eventstore"
	"github.com/koprogo/koprogo/queries"
)

// Backend is what handlers work with.
type Backend struct {
	Store    *eventstore.Store
	Commands *commands.App
	Queries  *queries.Reader
	Tokens   *Tokens
	Accounts *Accounts
	Enqueue  Enqueue
	Seed     Seed // nil outside development mode
	Checks   []Check
	Logger   *slog.Logger
	Metrics  *prometheus.Registry
}

// Config is what a server is made of.
type Config struct {
	Backend      Backend
	Authenticate Authenticate
	// OrganizationOf finds the organization of a resource that a superadmin asks for without
	// naming one; not found where no organization has it. When nil, Backend.Queries is asked.
	OrganizationOf func(ctx context.Context, noun string, id uuid.UUID) (uuid.UUID, error)
	Fence          Fence
	Answers        *Answers // nil keeps no answers in memory
	JWTSecret      []byte
	RatePerToken   int // per second; 0 is off
	Origins        []string
	// TrustedProxies are the networks whose X-Forwarded-For is believed; none: nobody's is.
	TrustedProxies []netip.Prefix
	PublicURL      string
	Version        string
	MaxWorking     int              // requests that work at once; 256 when nil
	Clock          func() time.Time // time.Now when nil
}

const maxWorking = 256

// Server answers every route. It is an http.Handler.
type Server struct {
	backend        Backend
	authenticate   Authenticate
	organizationOf func(ctx context.Context, noun string, id uuid.UUID) (uuid.UUID, error)
	fence          Fence
	answers        *Answers
	logger         *slog.Logger
	metrics        *metrics
	limiter        *limiter
	gate           gate
	turns          *turns
	cursors        *cursors
	requestKey     []byte
	proxies        proxies
	fixedHeaders   []fixedHeader
	ids            requestIDs
	now            func() time.Time
	document       []byte // the OpenAPI document
	inner          http.Handler
}

// New makes the server of Routes. It returns an error that names the setting or the route that is
// wrong; a route that declares nobody who may call it is one.
func New(config Config) (*Server, error) { return newServer(config, Routes) }

func newServer(config Config, routes []Route) (*Server, error) {
	if config.Clock == nil {
		config.Clock = time.Now
	}
	if config.MaxWorking == 0 {
		config.MaxWorking = maxWorking
	}
	if config.Backend.Logger == nil {
		config.Backend.Logger = slog.New(slog.DiscardHandler)
	}
	if config.Backend.Metrics == nil {
		config.Backend.Metrics = prometheus.NewRegistry()
	}
	if config.OrganizationOf == nil && config.Backend.Queries != nil {
		config.OrganizationOf = config.Backend.organizationOf
	}
	if config.Authenticate == nil {
		return nil, errors.New("make the server: nobody authenticates")
	}
	s := &Server{
		backend: config.Backend, authenticate: config.Authenticate,
		organizationOf: config.OrganizationOf, fence: config.Fence, answers: config.Answers,
		logger: config.Backend.Logger, limiter: newLimiter(config.RatePerToken),
		proxies: config.TrustedProxies,
		gate:    make(gate, config.MaxWorking), turns: newTurns(), now: config.Clock,
		fixedHeaders: securityHeaders(config.PublicURL),
	}
	if err := s.makeKeys(config.JWTSecret); err != nil {
		return nil, err
	}
	routes = append([]Route(nil), routes...) // pointers into it are kept
	if err := checkRoutes(routes); err != nil {
		return nil, err
	}
	var err error
	if s.metrics, err = newMetrics(config.Backend.Metrics, routes); err != nil {
		return nil, fmt.Errorf("register the metrics: %w", err)
	}
	if s.inner, err = s.assemble(config, routes); err != nil {
		return nil, err
	}
	return s, nil
}

func (s *Server) makeKeys(secret []byte) error {
	if len(secret) < minSecret {
		return fmt.Errorf("JWT_SECRET holds %d bytes, at least %d are needed", len(secret), minSecret)
	}
	var err error
	if s.cursors, err = newCursors(secret); err != nil {
		return err
	}
	if s.requestKey, err = deriveKey(secret, "idempotency"); err != nil {
		return err
	}
	prefix := make([]byte, 6)
	_, _ = rand.Read(prefix) // never fails
	s.ids.prefix = hex.EncodeToString(prefix) + "-"
	return nil
}

// assemble puts the layers in order: CORS, answers from memory, the router.
func (s *Server) assemble(config Config, routes []Route) (http.Handler, error) {
	origins, err := crossOrigin(config.Origins)
	if err != nil {
		return nil, err
	}
	router := chi.NewRouter()
	router.Use(middleware.GetHead)
	router.NotFound(s.refusing(CodeRouteNotFound))
	router.MethodNotAllowed(s.refusing(CodeMethodNotAllowed))
	if err := s.mount(router, config, routes); err != nil {
		return nil, err
	}
	return origins(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if x, ok := w.(*exchange); !ok || !s.fromMemory(x, r) {
			router.ServeHTTP(w, r)
		}
	})), nil
}

// refusing answers what no route takes.
func (s *Server) refusing(code Code) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		x := w.(*exchange) //nolint:forcetypeassert // ServeHTTP made it
		if err := s.limiter.allow(x, r, s.counted(r)); err != nil {
			s.refuse(x, r, mapped(err, &Route{}))
			return
		}
		s.refuse(x, r, refuse(code))
	}
}

// counted is the name under which a request without a token is counted.
func (s *Server) counted(r *http.Request) string { return network(s.proxies.client(r)) }

// Bounds of a connection: slow clients are let go.
const (
	readHeaderFor  = 10 * time.Second
	readFor        = 60 * time.Second
	writeFor       = 90 * time.Second
	idleFor        = 120 * time.Second
	maxHeaderBytes = 32 << 10
)

// HTTPServer is the server's handler with the bounds of its connections.
func (s *Server) HTTPServer() *http.Server {
	return &http.Server{
		Handler: s, ReadHeaderTimeout: readHeaderFor, ReadTimeout: readFor,
		WriteTimeout: writeFor, IdleTimeout: idleFor, MaxHeaderBytes: maxHeaderBytes,
		ConnState: releaseIdle,
		ErrorLog:  slog.NewLogLogger(s.logger.Handler(), slog.LevelDebug),
	}
}
