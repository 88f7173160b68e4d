package embedded

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
)

// natsLog passes on what the NATS server says. JetStream reports a store that it can no longer
// write nowhere but in its log, so this is also where that is noticed.
type natsLog struct {
	logger *slog.Logger
	faulty *atomic.Bool
	fatal  atomic.Bool // where the server would have ended its process
}

// storeFaults are parts of the sentences by which JetStream gives a store up.
var storeFaults = []string{
	"failed to store a msg", "critical write error", "JetStream out of ", "Critical write error",
}

func (l *natsLog) Noticef(format string, v ...any) { l.say(slog.LevelDebug, format, v) }
func (l *natsLog) Warnf(format string, v ...any)   { l.say(slog.LevelWarn, format, v) }
func (l *natsLog) Errorf(format string, v ...any)  { l.say(slog.LevelError, format, v) }
func (l *natsLog) Debugf(string, ...any)           {}
func (l *natsLog) Tracef(string, ...any)           {}

func (l *natsLog) Fatalf(format string, v ...any) {
	l.fatal.Store(true)
	l.say(slog.LevelError, format, v)
}

func (l *natsLog) say(level slog.Level, format string, values []any) {
	text := fmt.Sprintf(format, values...)
	if level == slog.LevelError {
		for _, part := range storeFaults {
			if strings.Contains(text, part) {
				l.faulty.Store(true)
			}
		}
	}
	l.logger.Log(context.Background(), level, "NATS says", "text", text)
}
