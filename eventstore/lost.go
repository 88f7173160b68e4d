package eventstore

import (
	"errors"
	"io"
	"net"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
)

// ConnectionLost tells whether err says that PostgreSQL could not be reached or went away, in
// whichever layer that was noticed: not an answer to a statement, and worth another try.
func ConnectionLost(err error) bool {
	var network net.Error
	var ended *pgconn.PgError
	return errors.As(err, &network) || errors.Is(err, io.ErrUnexpectedEOF) ||
		pgconn.SafeToRetry(err) || errors.As(err, &ended) && strings.HasPrefix(ended.Code, "57P")
}
