package eventstore

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"
)

// pipe writes transactions on one connection. One may be sent before the one before is answered:
// PostgreSQL then goes from the one to the other without a pause. pgx itself sends nothing before
// it has read the answer, so the pipe speaks the protocol through pgx's own messages. One goroutine
// describes and sends; one at a time, the same or another, receives.
type pipe struct {
	conn  *pgx.Conn
	build pgx.ExtendedQueryBuilder
	out   []byte // what was sent last, to be written over
	known []*pgconn.StatementDescription
	open  bool // a refused transaction waits for its end
}

// mostKept bounds the memory that is kept for what is sent.
const mostKept = 256 << 10

// describe makes the transaction's statements known. Nothing may be under way.
func (p *pipe) describe(ctx context.Context, queries *pgx.Batch) error {
	for _, query := range queries.QueuedQueries {
		if p.described(query.SQL) != nil {
			continue
		}
		name := query.SQL
		if !p.named() {
			name = ""
		}
		found, err := p.conn.Prepare(ctx, name, query.SQL)
		if err != nil {
			return err
		}
		p.known = append(p.known, found)
	}
	return nil
}

// knows tells whether all of the transaction's statements are known.
func (p *pipe) knows(queries *pgx.Batch) bool {
	return !slices.ContainsFunc(queries.QueuedQueries, func(query *pgx.QueuedQuery) bool {
		return p.described(query.SQL) == nil
	})
}

func (p *pipe) described(sql string) *pgconn.StatementDescription {
	for _, known := range p.known {
		if known.SQL == sql {
			return known
		}
	}
	return nil
}

// named tells whether a prepared statement is still there in the next transaction: the database's
// address says when sessions are shared.
func (p *pipe) named() bool {
	return p.conn.Config().DefaultQueryExecMode == pgx.QueryExecModeCacheStatement
}

// send sends a transaction, whose answer has to come by the deadline.
func (p *pipe) send(queries *pgx.Batch, deadline time.Time) error {
	link := p.conn.PgConn().Conn()
	if err := link.SetDeadline(deadline); err != nil {
		return err
	}
	var err error
	out := p.out[:0]
	for _, query := range queries.QueuedQueries {
		if out, err = p.run(out, p.described(query.SQL), query.Arguments); err != nil {
			return err
		}
	}
	if out, err = new(pgproto3.Sync).Encode(out); err != nil {
		return err
	}
	if cap(out) <= mostKept {
		p.out = out
	}
	_, err = link.Write(out)
	return err
}

// run adds the messages that run a statement. Arrays that are encoded go as they are: the builder
// would make a copy of each, and grow with it.
func (p *pipe) run(
	out []byte, known *pgconn.StatementDescription, args []any,
) (_ []byte, err error) {
	others := slices.Clone(args)
	for i := range others {
		if _, encoded := others[i].(encodedArray); encoded {
			others[i] = nil
		}
	}
	if err := p.build.Build(p.conn.TypeMap(), known, others); err != nil {
		return nil, err
	}
	for i := range args {
		if array, encoded := args[i].(encodedArray); encoded {
			p.build.ParamValues[i], p.build.ParamFormats[i] = array, pgx.BinaryFormatCode
		}
	}
	if known.Name == "" {
		out, err = (&pgproto3.Parse{Query: known.SQL, ParameterOIDs: known.ParamOIDs}).Encode(out)
		if err != nil {
			return nil, err
		}
	}
	out, err = (&pgproto3.Bind{
		PreparedStatement: known.Name, Parameters: p.build.ParamValues,
		ParameterFormatCodes: p.build.ParamFormats, ResultFormatCodes: p.build.ResultFormats,
	}).Encode(out)
	if err != nil {
		return nil, err
	}
	return new(pgproto3.Execute).Encode(out)
}

// receive waits for the answer to the oldest transaction that has none: nil once it is committed.
func (p *pipe) receive() (err error) {
	front := p.conn.PgConn().Frontend()
	for {
		message, broken := front.Receive()
		if broken != nil {
			return cmp.Or(err, broken)
		}
		switch m := message.(type) {
		case *pgproto3.ErrorResponse:
			err = cmp.Or(err, error(pgconn.ErrorResponseToPgError(m)))
		case *pgproto3.ReadyForQuery:
			p.open = m.TxStatus != 'I'
			return err
		}
	}
}

// close leaves the connection as it was found, all transactions being answered; where an answer did
// not come it ends it, without waiting.
func (p *pipe) close(lost bool) {
	ctx, link := context.Background(), p.conn.PgConn().Conn()
	if lost {
		_ = link.SetDeadline(time.Now())
		_ = p.conn.Close(ctx)
		return
	}
	if p.open {
		_, _ = p.conn.Exec(ctx, "rollback")
	}
	_ = link.SetDeadline(time.Time{})
}
