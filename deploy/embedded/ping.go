package embedded

import (
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"strconv"
	"time"
)

// ping opens a connection as the application and closes it again. It speaks the few bytes of
// PostgreSQL's protocol (version 3.0, "Message Flow: Start-up") that tell a server that takes
// connections from one that is still recovering.
func ping(socketDir string, port int) error {
	path := filepath.Join(socketDir, ".s.PGSQL."+strconv.Itoa(port))
	conn, err := net.DialTimeout("unix", path, 2*time.Second)
	if err != nil {
		return fmt.Errorf("connect to PostgreSQL: %w", err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(5 * time.Second)); err != nil {
		return fmt.Errorf("connect to PostgreSQL: %w", err)
	}
	const protocol = 3 << 16
	body := "user\x00" + applicationLogin + "\x00database\x00" + applicationDatabase + "\x00\x00"
	message := binary.BigEndian.AppendUint32(nil, uint32(8+len(body)))
	message = binary.BigEndian.AppendUint32(message, protocol)
	if _, err := conn.Write(append(message, body...)); err != nil {
		return fmt.Errorf("greet PostgreSQL: %w", err)
	}
	for {
		kind, err := readMessage(conn)
		if err != nil {
			return fmt.Errorf("hear from PostgreSQL: %w", err)
		}
		switch kind {
		case 'E':
			return fmt.Errorf("PostgreSQL takes no connections yet")
		case 'Z': // ready for a query: say good-bye
			_, _ = conn.Write([]byte{'X', 0, 0, 0, 4})
			return nil
		}
	}
}

func readMessage(r io.Reader) (kind byte, err error) {
	var head [5]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return 0, err
	}
	rest := int64(binary.BigEndian.Uint32(head[1:])) - 4
	_, err = io.CopyN(io.Discard, r, rest)
	return head[0], err
}
