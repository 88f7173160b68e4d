package eventstore

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// Reading a page and decoding it take about as long, so one goroutine reads while the caller's
// decodes and folds.
const (
	replayPage   = 5_000 // rows of one query
	replaySlice  = 250   // rows that are handed on at once
	replaySlices = 8     // slices on their way
)

const replaySQL = `select ` + Columns + ` from log.events
 where organization_id = $1 and position > $2 and position <= $3 order by position limit $4`

// Replay calls fn with the organization's events after one position and up to another, oldest
// first. The Recorded is fn's until fn returns; what it points to stays.
func (s *Store) Replay(
	ctx context.Context, organization uuid.UUID, after, upTo int64, fn func(*Recorded) error,
) error {
	ask := func(after int64) (pgx.Rows, error) {
		return s.pools[RoleProjector].Query(ctx, replaySQL, //nolint:rowserrcheck // readPage does
			organization, after, upTo, replayPage)
	}
	p := &pages{
		full: make(chan []Recorded, replaySlices), free: make(chan []Recorded, replaySlices),
		stop: make(chan struct{}),
	}
	for range replaySlices {
		p.free <- make([]Recorded, 0, replaySlice)
	}
	go func() {
		defer close(p.full)
		p.err = p.read(after, ask)
	}()
	err := p.fold(fn)
	close(p.stop)
	for range p.full { // the reader's error stands once this is closed
	}
	if err != nil {
		return err
	}
	return p.err
}

// pages are rows on their way from the goroutine that reads to the one that decodes.
type pages struct {
	full chan []Recorded
	free chan []Recorded // slices to fill again
	stop chan struct{}   // closed when nobody folds any more
	err  error           // the reader's; to be read after full is closed
}

func (p *pages) fold(fn func(*Recorded) error) error {
	for slice := range p.full {
		for i := range slice {
			if err := slice[i].Decode(); err != nil {
				return err
			}
			if err := fn(&slice[i]); err != nil {
				return err
			}
		}
		clear(slice)
		p.free <- slice[:0]
	}
	return nil
}

func (p *pages) read(after int64, ask func(after int64) (pgx.Rows, error)) error {
	for {
		rows, err := ask(after)
		if err != nil {
			return fmt.Errorf("read the log: %w", unavailable(err))
		}
		count, last, err := p.readPage(rows)
		if err != nil || count < replayPage {
			return err
		}
		after = last
	}
}

// readPage hands on the rows of one page. Where nobody folds any more it returns fewer than there
// are, and no error.
func (p *pages) readPage(rows pgx.Rows) (count int, last int64, err error) {
	defer rows.Close()
	var slice []Recorded
	for rows.Next() {
		if slice == nil {
			select {
			case slice = <-p.free:
			case <-p.stop:
				return 0, 0, nil
			}
		}
		slice = slice[:len(slice)+1]
		r := &slice[len(slice)-1]
		if err := scanRecorded(rows, r); err != nil {
			return 0, 0, err
		}
		count, last = count+1, r.Position
		if len(slice) == replaySlice {
			p.full <- slice // it has room for every slice there is
			slice = nil
		}
	}
	if err := rows.Err(); err != nil {
		return 0, 0, fmt.Errorf("read the log: %w", unavailable(err))
	}
	if slice != nil {
		p.full <- slice
	}
	return count, last, nil
}
