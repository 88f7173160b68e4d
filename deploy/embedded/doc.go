// Package embedded runs the PostgreSQL and the NATS JetStream that the product brings along
// when it is given no others: PostgreSQL as a supervised child made of the machine's own
// binaries, NATS inside the process.
//
// It imports nothing of ours. Start reading at StartPostgres and StartNATS; a command that
// works beside a running server begins with AttachPostgres. Tests take their clusters from
// the package embeddedtest.
//
// Everything of PostgreSQL stands in DATA_DIR/postgres, which belongs to the operating system
// user that runs it:
//
//	cluster/      the data directory proper
//	socket/       the only way in (mode 0700), unless its path is too long for a socket
//	log/          PostgreSQL's log, 24 files of an hour each
//	lock          held while a process uses the directory
//	password      of both logins, asked for over TCP only
//	runtime.json  where the running PostgreSQL listens
//
// Started by root, PostgreSQL runs as the owner of that directory, or at the first start as
// the user postgres, else nobody. Where that user cannot reach DATA_DIR (below /root, say),
// DATA_DIR/postgres is a symbolic link to a directory of its own under /var/lib/koprogo.
package embedded
