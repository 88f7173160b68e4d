package eventstore_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/koprogo/koprogo/events"
	"github.com/koprogo/koprogo/eventstore"
)

// A worker is a server process without HTTP: this test binary, started again with a job in its
// environment. It appends and reads until its standard input ends, and writes what it asked and
// what it was answered to a file, so that a killed worker's last words are there.
const workerJob = "KOPROGO_FAULT_JOB"

func init() {
	if job := os.Getenv(workerJob); job != "" {
		os.Exit(work(job))
	}
}

// job is what a worker is to do.
type job struct {
	URL           string
	History       string // the file that it appends operations to
	Ahead         int    // eventstore.Config's
	Number        int    // of the worker: its clients are told apart by it
	Clients       int
	Organizations []uuid.UUID
	Streams       [streamsPerLog]uuid.UUID // the same in each organization
}

const (
	streamsPerLog = 3
	logLength     = 60              // versions of a stream; then the next organization's turn
	opDeadline    = 2 * time.Second // of one operation
)

// What became of an operation. One without an end was under way when its worker died.
const (
	outcomeOK          = "ok"
	outcomeConflict    = "conflict"
	outcomeUnavailable = "unavailable" // certainly nothing was recorded
	outcomeUnknown     = "unknown"
	outcomeFailed      = "failed" // an answer that no append should get
)

// op is an operation on one organization's log, written once when it begins (End is 0) and once
// when it ends. Instants are of the machine's monotonic clock, which all processes share.
type op struct {
	ID           uuid.UUID // of the operation: the name in the event that it appends
	Client       int
	Organization int
	Read         bool
	Stream       int
	Expected     int64
	Also         int   // another stream, that was only read
	AlsoVersion  int64 // and what it must be at; -1 for any
	Begin, End   int64
	Outcome      string
	Detail       string
	Event        uuid.UUID // what was recorded
	Position     int64
	Version      int64     // what was read
	Last         uuid.UUID // the operation that wrote the last event read
}

func monotonic() int64 {
	var at unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &at); err != nil {
		panic(err)
	}
	return at.Nano()
}

// worker is the process's own state.
type worker struct {
	job   job
	store *eventstore.Store
	stop  context.Context
	mu    sync.Mutex
	out   *os.File
}

func work(text string) int {
	w := &worker{}
	if err := w.run(text); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

func (w *worker) run(text string) (err error) {
	if err = json.Unmarshal([]byte(text), &w.job); err != nil {
		return err
	}
	stop, cancel := context.WithCancel(context.Background())
	defer cancel()
	w.stop = stop
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		cancel()
	}()
	w.out, err = os.OpenFile(w.job.History, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer w.out.Close()
	for { // the database may be away just then
		w.store, err = eventstore.Open(stop, eventstore.Config{
			URL: w.job.URL, Ahead: w.job.Ahead,
		})
		if err == nil {
			break
		}
		if stop.Err() != nil {
			return nil
		}
	}
	defer w.store.Close()
	var clients sync.WaitGroup
	for n := range w.job.Clients {
		clients.Go(func() { w.client(100*w.job.Number + n) })
	}
	clients.Wait()
	return nil
}

// client appends and reads, mostly on what it saw last, now and then on something stale.
func (w *worker) client(id int) {
	var believed [streamsPerLog]int64
	for organization := 0; organization < len(w.job.Organizations) && w.stop.Err() == nil; {
		stream := rand.IntN(streamsPerLog)
		o := op{
			ID: uuid.New(), Client: id, Organization: organization, Stream: stream,
			Expected: believed[stream], Also: rand.IntN(streamsPerLog), AlsoVersion: -1,
		}
		switch dice := rand.IntN(10); {
		case dice < 3:
			o.Read = true
		case dice < 5 && o.Also != stream:
			o.AlsoVersion = believed[o.Also]
		case dice == 5:
			o.Expected = max(0, o.Expected-1)
		}
		w.do(&o)
		switch {
		case o.Outcome == outcomeOK && o.Read:
			believed[stream] = o.Version
		case o.Outcome == outcomeOK:
			believed[stream] = o.Expected + 1
		default:
			w.look(organization, &believed)
		}
		if believed[stream] >= logLength {
			organization, believed = organization+1, [streamsPerLog]int64{}
		}
	}
}

// look finds out where the streams stand, off the record.
func (w *worker) look(organization int, believed *[streamsPerLog]int64) {
	ctx, cancel := context.WithTimeout(w.stop, opDeadline)
	defer cancel()
	for n := range believed {
		_ = w.store.Load(ctx, w.job.Organizations[organization], w.stream(n), believed[n],
			func(r eventstore.Recorded) error {
				believed[n] = r.Version
				return nil
			})
	}
}

func (w *worker) stream(n int) events.Stream { return buildingStream(w.job.Streams[n]) }

// do runs the operation between the two lines that tell of it.
func (w *worker) do(o *op) {
	ctx, cancel := context.WithTimeout(context.Background(), opDeadline)
	defer cancel()
	o.Begin = monotonic()
	w.write(o)
	var err error
	if o.Read {
		err = w.read(ctx, o)
	} else {
		err = w.append(ctx, o)
	}
	o.End = monotonic()
	switch {
	case err == nil:
		o.Outcome = outcomeOK
	case errors.Is(err, eventstore.ErrConflict):
		o.Outcome = outcomeConflict
	case errors.Is(err, eventstore.ErrUnavailable):
		o.Outcome = outcomeUnavailable
	case errors.Is(err, eventstore.ErrOutcomeUnknown):
		o.Outcome = outcomeUnknown
	default:
		o.Outcome, o.Detail = outcomeFailed, err.Error()
	}
	w.write(o)
}

func (w *worker) append(ctx context.Context, o *op) error {
	a := appendTo(w.job.Organizations[o.Organization], w.stream(o.Stream), o.Expected,
		renamed(o.ID.String()))
	if o.AlsoVersion >= 0 {
		a.Reads = []eventstore.StreamVersion{{Stream: w.stream(o.Also), Version: o.AlsoVersion}}
	}
	receipt, err := w.store.Append(ctx, a)
	if err != nil {
		return err
	}
	o.Position, o.Event = receipt.Position, receipt.Recorded[0].ID
	return nil
}

func (w *worker) read(ctx context.Context, o *op) error {
	return w.store.Load(ctx, w.job.Organizations[o.Organization], w.stream(o.Stream), 0,
		func(r eventstore.Recorded) error {
			o.Version = r.Version
			o.Last = uuid.MustParse(r.Event.(events.BuildingRenamed).Name)
			return nil
		})
}

func (w *worker) write(o *op) {
	line, err := json.Marshal(o)
	if err == nil {
		w.mu.Lock()
		defer w.mu.Unlock()
		_, err = w.out.Write(append(line, '\n'))
	}
	if err != nil {
		panic(err)
	}
}

// crew are the workers of a test, one process a place at a time.
type crew struct {
	job       job
	urls      []string
	dir       string
	running   []*exec.Cmd
	inputs    []io.Closer
	started   int
	histories [][]string // of each place, the files of its workers
	counted   map[string]counted
	checked   map[string]int64 // how much of a history requireAcknowledged has seen
}

// counted is how much of a history was read, and what was found in it.
type counted struct {
	bytes    int64
	answered int
}

// startCrew starts a worker for each URL.
func startCrew(t testing.TB, clients int, urls ...string) *crew {
	t.Helper()
	c := &crew{
		urls: urls, dir: t.TempDir(), running: make([]*exec.Cmd, len(urls)),
		inputs: make([]io.Closer, len(urls)), histories: make([][]string, len(urls)),
		counted: map[string]counted{}, checked: map[string]int64{},
	}
	c.job.Clients = clients
	for range 3000 {
		c.job.Organizations = append(c.job.Organizations, newID(t))
	}
	for n := range c.job.Streams {
		c.job.Streams[n] = newID(t)
	}
	for place := range urls {
		c.start(t, place)
	}
	t.Cleanup(func() {
		for place := range c.running {
			c.kill(place)
		}
	})
	return c
}

func (c *crew) start(t testing.TB, place int) {
	t.Helper()
	c.started++
	mine := c.job
	mine.URL, mine.Number = c.urls[place], c.started
	mine.Ahead = 2 * place // the first worker has none decided while another is written
	mine.History = fmt.Sprintf("%s/%d.jsonl", c.dir, c.started)
	c.histories[place] = append(c.histories[place], mine.History)
	text, err := json.Marshal(mine)
	require.NoError(t, err)
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), workerJob+"="+string(text))
	cmd.Stderr = os.Stderr
	c.inputs[place], err = cmd.StdinPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	c.running[place] = cmd
}

// kill ends the place's worker without a word.
func (c *crew) kill(place int) {
	if cmd := c.running[place]; cmd != nil {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		c.running[place] = nil
	}
}

// end lets the workers finish what they do.
func (c *crew) end(t testing.TB) {
	t.Helper()
	for place, cmd := range c.running {
		require.NoError(t, c.inputs[place].Close())
		require.NoError(t, cmd.Wait())
		c.running[place] = nil
	}
}

// await waits until each worker was answered n more operations.
func (c *crew) await(t testing.TB, n int) {
	t.Helper()
	for place := range c.running {
		c.awaitAt(t, place, n)
	}
}

// awaitAt waits until n more appends of the place's worker were acknowledged. Reads do not count:
// many fit into the time of one commit.
func (c *crew) awaitAt(t testing.TB, place, n int) {
	t.Helper()
	before := c.acknowledged(place)
	require.Eventually(t, func() bool { return c.acknowledged(place) >= before+n },
		2*patience, 10*time.Millisecond, "worker %d does not get on", place)
}

// pause stops the place's worker in the middle of whatever it does, and lets it go on.
func (c *crew) pause(t testing.TB, place int, during func()) {
	t.Helper()
	process := c.running[place].Process
	require.NoError(t, process.Signal(syscall.SIGSTOP))
	during()
	require.NoError(t, process.Signal(syscall.SIGCONT))
}

// acknowledged counts the appends that the place's worker was told are recorded.
func (c *crew) acknowledged(place int) int {
	files := c.histories[place]
	name := files[len(files)-1]
	seen := c.counted[name]
	lines := linesAfter(name, seen.bytes)
	seen.bytes += int64(len(lines))
	for line := range bytes.Lines(lines) {
		var o op
		if json.Unmarshal(line, &o) == nil && o.Outcome == outcomeOK && !o.Read {
			seen.answered++
		}
	}
	c.counted[name] = seen
	return seen.answered
}

// linesAfter are the whole lines of a file past its first bytes; none when there is no file yet.
func linesAfter(name string, offset int64) []byte {
	file, err := os.Open(name)
	if err != nil {
		return nil
	}
	defer file.Close()
	text, err := io.ReadAll(io.NewSectionReader(file, offset, math.MaxInt64-offset))
	if err != nil {
		return nil
	}
	return text[:bytes.LastIndexByte(text, '\n')+1]
}

// operations are all that the workers so far wrote, each once: as it ended, or as it began when
// nobody knows how.
func (c *crew) operations(t testing.TB) []op {
	t.Helper()
	at := map[uuid.UUID]int{}
	var all []op
	for _, files := range c.histories {
		for _, file := range files {
			text, err := os.ReadFile(file)
			if errors.Is(err, os.ErrNotExist) {
				continue // killed before it said anything
			}
			require.NoError(t, err)
			for line := range strings.Lines(string(text)) {
				var o op
				if !strings.HasSuffix(line, "\n") {
					continue // cut off by a kill, or being written
				}
				require.NoError(t, json.Unmarshal([]byte(line), &o), line)
				n, begun := at[o.ID]
				if !begun {
					n, all = len(all), append(all, op{})
					at[o.ID] = n
				}
				all[n] = o
			}
		}
	}
	return all
}
