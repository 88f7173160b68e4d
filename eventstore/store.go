package eventstore

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	pgxuuid "github.com/vgarvardt/pgx-google-uuid/v5"
)

// Role is one of the database roles that a pool takes.
type Role string

// The roles of a server's pools. Jobs run as the writer on connections of their own.
const (
	RoleWriter    Role = "writer"
	RoleProjector Role = "projector"
	RoleReader    Role = "reader"
	RoleJobs      Role = "jobs"
)

// databaseRole is the role's name in PostgreSQL.
func (r Role) databaseRole() string {
	if r == RoleJobs {
		return "koprogo_writer"
	}
	return "koprogo_" + string(r)
}

// Config says where the log is and how it is opened.
type Config struct {
	URL       string // of one login that may take the roles
	MaxConns  int    // over all pools; 10 when nil
	MasterKey [32]byte
	Logger    *slog.Logger
	Clock     func() time.Time // time.Now when nil
	// Ahead is how many writers at once have one batch of appends decided while another is
	// written; 48 when 0.
	Ahead int
	// Restored is called when a log's epoch has risen: the database was restored or failed over,
	// and what is remembered of it may never have been. It may be nil.
	Restored func()
}

// Store is the log of every organization in one database.
type Store struct {
	logger  *slog.Logger
	clock   func() time.Time
	pools   map[Role]*pgxpool.Pool
	keyring *Keyring
	bell    *Bell
	lanes   [laneCount]*lane
	closing sync.Once
	epochs  epochs
	told    func(Receipt) // of what was appended; nil where nobody is
}

// OnAppend has fn told of what this Store appends, in the order of each log, before anybody is
// answered or hears of it otherwise. It is called once, before the first append; fn is quick.
func (s *Store) OnAppend(fn func(Receipt)) { s.told = fn }

// minConns is what the four pools need at least.
const minConns = 5

// Open connects and checks that each pool runs under its role. It refuses a role that is a
// superuser, bypasses row-level security or owns the log: such a server could change what was
// recorded.
func Open(ctx context.Context, config Config) (*Store, error) {
	if config.MaxConns == 0 {
		config.MaxConns = 10
	}
	if config.MaxConns < minConns {
		return nil, fmt.Errorf("open the log: at least %d connections are needed", minConns)
	}
	s := &Store{
		logger: config.Logger, clock: config.Clock, bell: newBell(),
		pools: map[Role]*pgxpool.Pool{}, epochs: epochs{risen: config.Restored},
	}
	if s.logger == nil {
		s.logger = slog.New(slog.DiscardHandler)
	}
	if s.clock == nil {
		s.clock = time.Now
	}
	for role, conns := range shareConns(config.MaxConns) {
		pool, err := openPool(ctx, config.URL, role, conns)
		if err != nil {
			s.Close()
			return nil, fmt.Errorf("open the log as %s: %w", role.databaseRole(), err)
		}
		s.pools[role] = pool
	}
	s.keyring = newKeyring(s.pools[RoleJobs], config.MasterKey)
	for i := range s.lanes {
		s.lanes[i] = startLane(s, cmp.Or(config.Ahead, aheadFrom))
	}
	return s, nil
}

// shareConns gives each pool its part: writer 2, projector 2, jobs 2, the reader the rest. Where
// there are few the projector gives one up, then the writer, whose lanes take turns; the jobs never
// do: a long job holds one of theirs, and nobody signs in meanwhile without another.
func shareConns(most int) map[Role]int32 {
	shares := map[Role]int32{RoleWriter: 2, RoleProjector: 2, RoleJobs: 2}
	if most < 8 {
		shares[RoleProjector] = 1
	}
	if most < 6 {
		shares[RoleWriter] = 1
	}
	left := int32(most)
	for _, n := range shares {
		left -= n
	}
	shares[RoleReader] = left
	return shares
}

func openPool(ctx context.Context, url string, role Role, conns int32) (*pgxpool.Pool, error) {
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, errors.New("the database's address cannot be read")
	}
	config.MaxConns = conns
	config.MaxConnIdleTime = 5 * time.Minute
	config.HealthCheckPeriod = 5 * time.Second
	if config.ConnConfig.ConnectTimeout == 0 {
		config.ConnConfig.ConnectTimeout = 5 * time.Second
	}
	parameters := config.ConnConfig.RuntimeParams
	parameters["role"] = role.databaseRole()
	parameters["application_name"] = "koprogo " + string(role)
	parameters["timezone"] = "UTC"
	// Statements are planned once and not for each array that they are asked with: of most, planning
	// took longer than running. Most are planned while their tables are small; every one of them has
	// its index, and a plan that reads whole tables would stay when they have grown.
	parameters["plan_cache_mode"] = "force_generic_plan"
	parameters["enable_seqscan"] = "off"
	switch role {
	case RoleProjector:
		parameters["synchronous_commit"] = "off"
	case RoleWriter:
		yieldHeads(parameters)
	}
	config.AfterConnect = func(ctx context.Context, conn *pgx.Conn) error {
		// Without it pgx takes an id for a database/sql value, and goes by its text.
		pgxuuid.Register(conn.TypeMap())
		acceptArrays(conn.TypeMap())
		return checkRole(ctx, conn, role.databaseRole())
	}
	config.PrepareConn = planAnew
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, err
	}
	if err := pool.Ping(ctx); err != nil {
		pool.Close()
		return nil, err
	}
	return pool, nil
}

// planned is when a connection's statements were last planned, and when they will be again.
type planned struct{ at, next time.Time }

// longestPlan is how long a plan serves at most.
const longestPlan = time.Minute

// planAnew has a connection's statements planned again once it is twice as old as when they were,
// or after longestPlan: a table may have grown meanwhile. A plan goes by how large a table is, and
// what is planned while all are empty would read whole indexes later.
func planAnew(ctx context.Context, conn *pgx.Conn) (bool, error) {
	const firstPlan = 250 * time.Millisecond
	known, now := conn.PgConn().CustomData(), time.Now()
	last, begun := known["planned"].(planned)
	if begun && now.Before(last.next) {
		return true, nil
	}
	if !begun {
		known["planned"] = planned{now, now.Add(firstPlan)}
		return true, nil
	}
	if _, err := conn.PgConn().Exec(ctx, "discard plans").ReadAll(); err != nil {
		return false, nil //nolint:nilerr // the pool takes another connection
	}
	known["planned"] = planned{now, now.Add(min(2*last.next.Sub(last.at), longestPlan))}
	return true, nil
}

// yieldHeads keeps servers from waiting for each other: a head that is held for long is waited for
// aside (held.go), and the locks of a server that stopped or was cut off are taken from it.
func yieldHeads(parameters map[string]string) {
	parameters["lock_timeout"] = "400ms"
	parameters["idle_in_transaction_session_timeout"] = "2s"
	parameters["tcp_keepalives_idle"] = "5"
	parameters["tcp_keepalives_interval"] = "2"
	parameters["tcp_keepalives_count"] = "3"
}

const checkRoleSQL = `
select current_user, rolsuper or rolbypassrls,
       coalesce((select pg_get_userbyid(relowner) = current_user
                   from pg_class where oid = to_regclass('log.events')), false)
  from pg_roles where rolname = current_user`

func checkRole(ctx context.Context, conn *pgx.Conn, want string) error {
	var role string
	var mighty, owner bool
	if err := conn.QueryRow(ctx, checkRoleSQL).Scan(&role, &mighty, &owner); err != nil {
		return fmt.Errorf("check the role: %w", err)
	}
	switch {
	case role != want:
		return fmt.Errorf("the connection runs as another role than %s", want)
	case mighty:
		return fmt.Errorf("%s is a superuser or bypasses row-level security", want)
	case owner:
		return fmt.Errorf("%s owns the log", want)
	}
	return nil
}

// Close ends the writer, refusing what still waits, and closes the connections. A second call does
// nothing.
func (s *Store) Close() {
	s.closing.Do(func() {
		for _, l := range s.lanes {
			if l != nil {
				l.stop()
			}
		}
		for _, pool := range s.pools {
			pool.Close()
		}
	})
}

// Pool is the pool that runs under role.
func (s *Store) Pool(role Role) *pgxpool.Pool { return s.pools[role] }

// Keyring seals and opens personal data.
func (s *Store) Keyring() *Keyring { return s.keyring }

// Bell rings in this process after each append.
func (s *Store) Bell() *Bell { return s.bell }

// Clock is the store's clock, in UTC.
func (s *Store) Clock() time.Time { return s.clock().UTC() }
