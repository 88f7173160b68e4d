package embedded

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// lastWords quotes the end of what PostgreSQL said since it was started: on its standard error
// until its own log takes over, and there.
func (h home) lastWords(since time.Time) string {
	said := tail(endOf(h.startupLog()))
	logs, _ := filepath.Glob(filepath.Join(h.logs(), "postgresql-*.log")) // a well-formed pattern
	for _, path := range logs {
		if info, err := os.Stat(path); err == nil && !info.ModTime().Before(since) {
			said += "; " + tail(endOf(path))
		}
	}
	return strings.TrimPrefix(said, "; ") + " (log: " + h.logs() + ")"
}

// endOf reads the last few kilobytes of a file; nothing where it cannot.
func endOf(path string) string {
	const most = 4 << 10
	f, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil && info.Size() > most {
		if _, err := f.Seek(-most, io.SeekEnd); err != nil {
			return ""
		}
	}
	text, err := io.ReadAll(io.LimitReader(f, most))
	if err != nil {
		return ""
	}
	return string(text)
}

// tail keeps the last lines of an output, on one line.
func tail(text string) string {
	lines := strings.FieldsFunc(text, func(r rune) bool { return r == '\n' })
	if len(lines) > 6 {
		lines = lines[len(lines)-6:]
	}
	return strings.Join(lines, "; ")
}
