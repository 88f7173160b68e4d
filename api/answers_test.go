package api

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"strconv"
	"sync"
	"testing"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
)

func keepable(organization uuid.UUID, target string, size int, tables ...string) *answer {
	return &answer{
		key:   answerKey{organization: organization, target: target},
		route: &Route{Serve: verb{tables: tables}}, body: make([]byte, size),
	}
}

func TestAnswersMemory(t *testing.T) {
	t.Parallel()
	t.Run("a change of one of its tables drops an answer, of others not", func(t *testing.T) {
		t.Parallel()
		memory := NewAnswers(1 << 20)
		a := keepable(house, "/a", 10, "buildings")
		b := keepable(house, "/b", 10, "accounts", "members")
		other := keepable(stranger, "/a", 10, "buildings")
		for _, one := range []*answer{a, b, other} {
			memory.keep(one, memory.begin())
		}
		memory.Changed(house, "buildings", "lots")
		require.Nil(t, memory.find(a.key))
		require.Same(t, b, memory.find(b.key))
		require.Same(t, other, memory.find(other.key))
		memory.ChangedAll(house)
		require.Nil(t, memory.find(b.key))
		require.Same(t, other, memory.find(other.key))
		memory.ChangedAll(uuid.Nil)
		require.Nil(t, memory.find(other.key))
		require.Zero(t, memory.bytes)
	})
	t.Run("what was rendered from older rows is not kept after the change", func(t *testing.T) {
		t.Parallel()
		memory := NewAnswers(1 << 20)
		a := keepable(house, "/a", 10, "buildings")
		for _, change := range []func(){
			func() { memory.Changed(house, "buildings") },
			func() { memory.ChangedAll(house) },
			func() { memory.ChangedAll(uuid.Nil) },
			func() { memory.forgetChanges(); memory.Changed(house, "buildings") },
		} {
			begun := memory.begin()
			change()
			memory.keep(a, begun)
			require.Nil(t, memory.find(a.key))
		}
		begun := memory.begin()
		memory.Changed(house, "lots")
		memory.Changed(stranger, "buildings")
		memory.keep(a, begun)
		require.NotNil(t, memory.find(a.key))
	})
	t.Run("the memory is bounded, and what is asked for stays", func(t *testing.T) {
		t.Parallel()
		memory := NewAnswers(100_000)
		hot := keepable(house, "/hot", 5_000, "buildings")
		memory.keep(hot, 0)
		for i := range 200 {
			require.NotNil(t, memory.find(hot.key), i)
			memory.keep(keepable(house, "/"+strconv.Itoa(i), 5_000, "buildings"), 0)
			require.LessOrEqual(t, memory.bytes, 100_000)
		}
		require.Len(t, memory.entries, len(memory.owners[house].answers))
		huge := keepable(house, "/huge", 50_000, "buildings")
		memory.keep(huge, 0)
		require.Nil(t, memory.find(huge.key))
	})
	t.Run("keeping, finding and dropping at once leave it whole", func(t *testing.T) {
		t.Parallel()
		memory := NewAnswers(60_000)
		var all sync.WaitGroup
		for worker := range 4 {
			all.Go(func() {
				for i := range 2_000 {
					one := keepable(house, "/"+strconv.Itoa(i%97), 700, "t"+strconv.Itoa(i%3))
					memory.keep(one, memory.begin())
					memory.find(one.key)
					if i%50 == worker {
						memory.Changed(house, "t"+strconv.Itoa(worker%3))
					}
				}
			})
		}
		all.Wait()
		count, bytes := 0, 0
		for at := memory.oldest; at != nil; at = at.newer {
			count++
			bytes += at.weight()
			require.Same(t, at, memory.entries[at.key])
		}
		require.Len(t, memory.entries, count)
		require.Equal(t, memory.bytes, bytes)
	})
}

func TestAnswersFromMemory(t *testing.T) {
	t.Parallel()
	memory := NewAnswers(1 << 20)
	var newest, shown int64
	s := serve(t, func(config *Config) {
		config.Answers, config.RatePerToken = memory, 1000
		config.Fence = Fence{
			Newest:  func(uuid.UUID) int64 { return newest },
			Reached: func(_ uuid.UUID, position int64) bool { return position <= shown },
		}
	})
	s.yard.parcels[firstID] = parcel{ID: firstID, Name: "A"}
	path := "/api/v1/parcels/" + firstID.String()
	reads := func(path string, headers ...string) int {
		before := s.yard.reads
		require.Equal(t, 200, s.get(t, path, headers...).status)
		return s.yard.reads - before
	}

	t.Run("the second answer is the first, header by header", func(t *testing.T) {
		first := s.get(t, path, "X-Request-Id", "r")
		before := s.yard.reads
		second := s.get(t, path, "X-Request-Id", "r")
		require.Equal(t, before, s.yard.reads)
		require.Equal(t, first.body, second.body)
		for _, header := range []http.Header{first.header, second.header} {
			header.Del("Date")
			require.NotEmpty(t, header.Get("X-RateLimit-Remaining"))
			header.Del("X-RateLimit-Remaining")
			header.Del("X-RateLimit-Reset")
		}
		require.Equal(t, first.header, second.header)
		require.Equal(t, 304, s.get(t, path, "If-None-Match", `"3"`).status)
	})
	t.Run("colleagues share it, after their own authentication and authorisation", func(t *testing.T) {
		require.Zero(t, reads(path, "Authorization", "Bearer accountant-token"))
		require.Equal(t, 403, s.get(t, path, "Authorization", "Bearer owner-token").status)
		require.Equal(t, 401, s.get(t, path, "Authorization", "Bearer x").status)
		require.Equal(t, 1, reads(path, "Authorization", "Bearer auditor-token"),
			"his mandate decides")
	})
	t.Run("a colleague whose role may not is refused, also from memory", func(t *testing.T) {
		require.Equal(t, 1, reads(path+"/office"))
		require.Zero(t, reads(path+"/office"))
		answer := s.get(t, path+"/office", "Authorization", "Bearer accountant-token")
		require.Equal(t, http.StatusForbidden, answer.status)
	})
	t.Run("another language, query or moment is another answer", func(t *testing.T) {
		require.Equal(t, 1, reads(path, "Accept-Language", "fr"))
		require.Equal(t, 1, reads(path+"?as_of_position=5"))
		require.Equal(t, 1, reads(path+"?as_of_position=5"), "moments are kept elsewhere")
		require.Equal(t, 1, reads("/api/v1/parcels?page=1"))
		require.Zero(t, reads("/api/v1/parcels?page=1"))
	})
	t.Run("nobody is shown less than what was answered before", func(t *testing.T) {
		newest = 9
		require.Equal(t, 1, reads(path))
		shown = 9
		require.Zero(t, reads(path))
		require.Zero(t, reads(path, leastHeader, "9"))
		require.Equal(t, 1, reads(path, leastHeader, "10"))
	})
	t.Run("a change of the table drops it", func(t *testing.T) {
		memory.Changed(house, "parcels")
		require.Equal(t, 1, reads(path))
		require.Zero(t, reads(path))
	})
}

// benchServer has what production has in front of an answer from memory.
func benchServer(b *testing.B) (*Server, string) {
	b.Helper()
	tokens, err := NewTokens(testSecret, nowUTC)
	require.NoError(b, err)
	bearer, err := tokens.Issue(testToken(nowUTC()))
	require.NoError(b, err)
	nowhere, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	require.NoError(b, err)
	b.Cleanup(func() { _ = nowhere.Close() })
	y := &yard{parcels: map[uuid.UUID]parcel{}}
	for i := range 20 {
		id := uuid.Must(uuid.NewV7())
		y.parcels[id] = parcel{
			ID: id, Name: fmt.Sprintf("Résidence %d", i), Note: "12 rue des Érables, Ath",
		}
	}
	y.parcels[firstID] = parcel{ID: firstID, Name: "Résidence", Note: "12 rue des Érables, Ath"}
	server, err := newServer(Config{
		Authenticate: tokenAuthenticate(tokens), JWTSecret: testSecret, Answers: NewAnswers(64 << 20),
		RatePerToken: 1 << 30, Origins: []string{"https://app.example.org"},
		Backend: Backend{
			Metrics: prometheus.NewRegistry(), Logger: slog.New(slog.NewJSONHandler(nowhere, nil)),
		},
		Fence: Fence{
			Newest:  func(uuid.UUID) int64 { return 5 },
			Reached: func(uuid.UUID, int64) bool { return true },
		},
	}, y.routes())
	require.NoError(b, err)
	return server, bearer
}

// BenchmarkGet compares reads through the whole server with a bare handler that writes the same
// bytes, over real connections.
func BenchmarkGet(b *testing.B) {
	server, bearer := benchServer(b)
	for name, path := range map[string]string{
		"resource": "/api/v1/parcels/" + firstID.String(), "page": "/api/v1/parcels?page=1&per_page=20",
	} {
		recorder := httptest.NewRecorder()
		request := httptest.NewRequest(http.MethodGet, path, http.NoBody)
		request.Header.Set("Authorization", "Bearer "+bearer)
		server.ServeHTTP(recorder, request)
		require.Equal(b, 200, recorder.Code, recorder.Body.String())
		body := recorder.Body.Bytes()
		bare := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.Header().Set("Content-Length", strconv.Itoa(len(body)))
			_, _ = w.Write(body)
		})
		b.Run(name+"/bare", func(b *testing.B) { benchmarkGet(b, bare, path, bearer) })
		b.Run(name+"/memory", func(b *testing.B) { benchmarkGet(b, server, path, bearer) })
	}
}

func benchmarkGet(b *testing.B, handler http.Handler, path, bearer string) {
	b.Helper()
	server := httptest.NewServer(handler)
	defer server.Close()
	b.SetParallelism(16 / runtime.GOMAXPROCS(0))
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		client := newRawClient(b, server.Listener.Addr().String(), path, bearer)
		for pb.Next() {
			client.get(b)
		}
	})
}
