package projections

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// loadError is a row that could not be loaded: no fault of the event's.
type loadError struct{ error }

func (e loadError) Unwrap() error { return e.error }

func (t *transaction) load(ctx context.Context, organization uuid.UUID) func(fetch) error {
	return func(f fetch) error {
		sql := f.from.live().load
		rows, err := t.conn.Query(ctx, sql, organization, f.keys) //nolint:rowserrcheck // by take
		if err != nil {
			return loadError{err}
		}
		if err := f.take(rows); err != nil {
			return loadError{err}
		}
		return nil
	}
}

// apply moves one projection over the page. At an event that it cannot apply it stops, and its
// rows are made again as they were before that event.
func (t *transaction) apply(ctx context.Context, p *part, m *moving) error {
	load := t.load(ctx, p.organization)
	to, err := m.over(&Batch{copy: m.copy, load: load}, p, int64(1)<<62)
	var unloaded loadError
	if errors.As(err, &unloaded) {
		return err
	}
	if err != nil {
		m.err, m.copy = err, NewCopy(p.organization)
		if _, err := m.over(&Batch{copy: m.copy, load: load}, p, to); err != nil {
			return err
		}
	}
	m.to = to
	return nil
}

// over applies the events of the page up to a position and tells how far it came.
func (m *moving) over(b *Batch, p *part, upTo int64) (to int64, err error) {
	to = m.from
	defer func() {
		if panicked := recover(); panicked != nil {
			err = fmt.Errorf("apply the event after position %d to %s: %v", to, m.Name, panicked)
		}
	}()
	for i := range p.page {
		r := &p.page[i]
		if r.Position <= m.from || r.Position > upTo {
			continue
		}
		if err := p.unreadable[r.Position]; err != nil && m.wants(r) {
			return to, err
		}
		if err := m.apply(b, r); err != nil {
			return to, err
		}
		to = r.Position
	}
	return to, nil
}

// commit writes rows and checkpoints and ends the transaction, in one round trip.
func (t *transaction) commit(ctx context.Context) error {
	batch := &pgx.Batch{}
	var copies []*Copy
	for _, p := range t.parts {
		var names []string
		var to []int64
		for _, m := range p.projections {
			if m.to == m.from {
				continue
			}
			names, to = append(names, m.Name), append(to, m.to)
			copies = append(copies, m.copy)
		}
		if len(names) > 0 {
			batch.Queue(moveCheckpointsSQL, p.organization, names, to)
		}
	}
	changed, err := queueRows(batch, copies, liveStatements)
	if err != nil {
		return err
	}
	batch.Queue("commit")
	if err := t.conn.SendBatch(ctx, batch).Close(); err != nil {
		return fmt.Errorf("write rows and checkpoints: %w", err)
	}
	for _, p := range t.parts {
		for _, m := range p.projections {
			m.changed = changed[m.copy]
		}
	}
	return nil
}

// done says what was committed and tells which organizations moved.
func (t *transaction) done(ctx context.Context) map[uuid.UUID]bool {
	moved := map[uuid.UUID]bool{}
	for _, p := range t.parts {
		notice := Notice{
			Organization: p.organization, Moves: map[string]Move{}, Changed: map[string][]string{},
		}
		for _, m := range p.projections {
			_, known := t.follower.progress.position(p.organization, m.Name)
			before, ever := t.follower.progress.last(p.organization, m.Name)
			if known && m.from < before {
				t.follower.Doubt() // PostgreSQL restarted and lost what was not on disk yet
			}
			// Another server may have moved it unheard.
			notice.Everything = notice.Everything || ever && before < m.from
			if m.to > m.from || before != m.from || !known {
				notice.Moves[m.Name] = Move{From: m.from, To: m.to}
			}
			for table, ids := range m.changed {
				notice.Changed[table] = append(notice.Changed[table], ids...)
			}
			moved[p.organization] = moved[p.organization] || m.to > m.from
		}
		if len(notice.Moves) > 0 {
			t.follower.tell(notice)
		}
		if moved[p.organization] && t.follower.announce != nil {
			t.follower.announce(notice)
		}
		for _, m := range p.projections {
			if m.err != nil {
				t.follower.stop(ctx, p.organization, m.Name, m.to, m.err)
			}
		}
	}
	return moved
}
