package api

import (
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics counts requests by route, never by path: paths hold ids.
type metrics struct {
	requests *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
	memory   prometheus.Counter
	byRoute  map[*Route]*routeMetrics
}

// routeMetrics are the counters of one route, found once: looking one up by its labels costs more
// than an answer from memory.
type routeMetrics struct {
	ok, unchanged prometheus.Counter
	seconds       prometheus.Observer
}

func newMetrics(registry prometheus.Registerer, routes []Route) (*metrics, error) {
	m := &metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "koprogo_http_requests_total", Help: "Requests by method, route and status.",
		}, []string{"method", "route", "status"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "koprogo_http_request_seconds", Help: "How long requests took, by method and route.",
			Buckets: []float64{.0001, .0005, .001, .005, .01, .05, .1, .5, 1, 5},
		}, []string{"method", "route"}),
		memory: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "koprogo_http_answers_from_memory_total", Help: "Reads answered from memory.",
		}),
		byRoute: map[*Route]*routeMetrics{},
	}
	for _, collector := range []prometheus.Collector{m.requests, m.seconds, m.memory} {
		if err := registry.Register(collector); err != nil {
			return nil, err
		}
	}
	for i := range routes {
		route := &routes[i]
		m.byRoute[route] = &routeMetrics{
			ok:        m.requests.WithLabelValues(route.Method, route.Path, "200"),
			unchanged: m.requests.WithLabelValues(route.Method, route.Path, "304"),
			seconds:   m.seconds.WithLabelValues(route.Method, route.Path),
		}
	}
	return m, nil
}

func (m *metrics) observe(route *Route, method string, status int, took time.Duration) {
	pattern := "none"
	if known := m.byRoute[route]; known != nil {
		known.seconds.Observe(took.Seconds())
		switch {
		case method == route.Method && status == http.StatusOK:
			known.ok.Inc()
			return
		case method == route.Method && status == http.StatusNotModified:
			known.unchanged.Inc()
			return
		}
		pattern = route.Path
	}
	m.requests.WithLabelValues(knownMethod(method), pattern, strconv.Itoa(status)).Inc()
}
