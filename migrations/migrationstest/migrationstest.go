// Package migrationstest gives each test a migrated PostgreSQL database of its own: a copy of a
// template that is migrated once in a cluster. It imports migrations and the shared test cluster
// of deploy/embedded/embeddedtest. Start with Database.
//
// A package that uses it ends the shared cluster in its TestMain:
//
//	func TestMain(m *testing.M) { os.Exit(embeddedtest.Main(m)) }
package migrationstest

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/koprogo/koprogo/deploy/embedded/embeddedtest"
)

// Login is the one login of the databases: no superuser, with CREATEROLE, a member of the four
// roles. Its password, for TCP, is its name.
const Login = "koprogo_test"

// patience bounds what a test waits for its database, beside hundreds of others.
const patience = 2 * time.Minute

// Clone is a database of one test, and two ways in.
type Clone struct {
	Name         string
	URL          string // of Login
	SuperuserURL string
}

// Database makes a migrated database in the shared cluster, for the duration of the test.
func Database(t testing.TB) Clone {
	t.Helper()
	server := sharedCluster(t)
	clone := DatabaseOn(t, server)
	dropAtEnd(t, server, clone)
	return clone
}

// DatabaseOn makes a migrated database in the cluster of a superuser's URL, and leaves it there:
// for a test that stops or kills a PostgreSQL of its own (embeddedtest.Start).
func DatabaseOn(t testing.TB, superuserURL string) Clone {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	template, err := templateOf(ctx, superuserURL)
	if err != nil {
		t.Fatalf("make the template of the test databases: %v", err)
	}
	// Copying files takes a tenth of the CPU of copying through the write-ahead log.
	return create(ctx, t, superuserURL,
		"template "+template+" owner "+Login+" strategy file_copy")
}

// Empty makes a database in the shared cluster that was never migrated and on which Login may
// create schemas, which is what Migrate asks for.
func Empty(t testing.TB) Clone {
	t.Helper()
	server := sharedCluster(t)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := alone(ctx, server, makeLogin); err != nil {
		t.Fatalf("make the login of the test databases: %v", err)
	}
	clone := create(ctx, t, server, "template template0")
	dropAtEnd(t, server, clone)
	grant := "grant create on database " + clone.Name + " to " + Login
	if err := exec(ctx, server, grant); err != nil {
		t.Fatalf("let the login create in a test database: %v", err)
	}
	return clone
}

// OverTCP is the same login on the same database of the shared cluster over 127.0.0.1: for a
// test that puts a proxy between.
func (c Clone) OverTCP(t testing.TB) string {
	t.Helper()
	server, err := embeddedtest.SharedTCP()
	if err != nil {
		t.Fatalf("reach the shared test cluster over TCP: %v", err)
	}
	return address(t, server, c.Name, url.UserPassword(Login, Login))
}

func sharedCluster(t testing.TB) (superuserURL string) {
	t.Helper()
	server, err := embeddedtest.Shared()
	if err != nil {
		t.Fatalf("start the shared test cluster: %v", err)
	}
	return server
}

func create(ctx context.Context, t testing.TB, superuserURL, options string) Clone {
	t.Helper()
	name := "test_" + strings.ToLower(rand.Text())
	if err := exec(ctx, superuserURL, "create database "+name+" "+options); err != nil {
		t.Fatalf("make a test database: %v", err)
	}
	return Clone{
		Name:         name,
		URL:          address(t, superuserURL, name, url.UserPassword(Login, Login)),
		SuperuserURL: address(t, superuserURL, name, nil),
	}
}

// dropAtEnd drops the database when the test ends, whoever is still connected.
func dropAtEnd(t testing.TB, superuserURL string, c Clone) {
	t.Helper()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := exec(ctx, superuserURL, "drop database "+c.Name+" with (force)"); err != nil {
			t.Errorf("drop a test database: %v", err)
		}
	})
}

// address is a server's URL with another database, and another login unless that is nil.
func address(t testing.TB, server, database string, login *url.Userinfo) string {
	t.Helper()
	parsed, err := url.Parse(server)
	if err != nil {
		t.Fatalf("read the URL of the test cluster: %v", err)
	}
	if login != nil {
		parsed.User = login
	}
	parsed.Path = "/" + database
	return parsed.String()
}

func exec(ctx context.Context, url, sql string) error {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return fmt.Errorf("connect to the test cluster: %w", err)
	}
	defer conn.Close(ctx)
	_, err = conn.Exec(ctx, sql)
	return err
}
