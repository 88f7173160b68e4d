package api

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// Mail is one message to one person, in plain text.
type Mail struct {
	To      string
	Subject string
	Text    string
}

// Mailer hands a message on: to a server (SMTPMailer) or into a directory (Outbox).
type Mailer interface {
	Send(ctx context.Context, mail Mail) error
}

// Post makes and sends messages beside the requests that cause them, so that neither a slow mail
// server nor whether an address is known shows in an answer's time.
type Post struct {
	mailer Mailer
	logger *slog.Logger
	queue  chan Errand
	done   chan struct{}
	closed chan struct{}
	once   sync.Once
}

// Errand makes a message when its turn comes; none is sent where it returns nil.
type Errand func(ctx context.Context) (*Mail, error)

const (
	postQueue   = 1000
	postTries   = 3
	postFor     = 30 * time.Second
	postBetween = 5 * time.Second
)

// NewPost starts sending; Close ends it.
func NewPost(mailer Mailer, logger *slog.Logger) *Post {
	p := &Post{
		mailer: mailer, logger: logger, queue: make(chan Errand, postQueue),
		done: make(chan struct{}), closed: make(chan struct{}),
	}
	go p.run()
	return p
}

// Take accepts an errand; the problem unavailable when far too many wait.
func (p *Post) Take(errand Errand) error {
	select {
	case <-p.closed:
		return &Problem{Code: CodeUnavailable, RetryAfter: time.Minute}
	default:
	}
	select {
	case p.queue <- errand:
		return nil
	default:
		return &Problem{Code: CodeUnavailable, RetryAfter: time.Minute}
	}
}

// Close sends what waits, each once, and ends.
func (p *Post) Close() {
	p.once.Do(func() { close(p.closed) })
	<-p.done
}

func (p *Post) run() {
	defer close(p.done)
	for {
		select {
		case errand := <-p.queue:
			p.deliver(errand)
		case <-p.closed:
			for len(p.queue) > 0 {
				p.deliver(<-p.queue)
			}
			return
		}
	}
}

// deliver tries a few times. Its log names no person.
func (p *Post) deliver(errand Errand) {
	ctx, cancel := context.WithTimeout(context.Background(), postFor)
	defer cancel()
	mail, err := errand(ctx)
	for try := 1; err == nil && mail != nil; try++ {
		if err = p.mailer.Send(ctx, *mail); err == nil {
			return
		}
		if try == postTries || !p.pause() {
			break
		}
		err = nil
	}
	if err != nil {
		p.logger.Error("a mail could not be sent", "cause", err)
	}
}

// pause waits between tries; false when the post closes.
func (p *Post) pause() bool {
	timer := time.NewTimer(postBetween)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-p.closed:
		return false
	}
}
