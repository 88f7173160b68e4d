package migrationstest

import (
	"context"
	"fmt"
	"net/url"
	"sync"

	"github.com/jackc/pgx/v5"

	"github.com/koprogo/koprogo/migrations"
)

// prepared names the template of each cluster that this process has looked at, by the superuser's
// URL.
var prepared = struct {
	sync.Mutex
	templates map[string]string
}{templates: map[string]string{}}

// templateOf is the name of the template of this version of the migrations, which it makes
// unless the cluster has it.
func templateOf(ctx context.Context, superuserURL string) (string, error) {
	prepared.Lock()
	defer prepared.Unlock()
	if name, found := prepared.templates[superuserURL]; found {
		return name, nil
	}
	fingerprint, err := migrations.Fingerprint()
	if err != nil {
		return "", err
	}
	name := "koprogo_template_" + fingerprint
	err = alone(ctx, superuserURL, func(ctx context.Context, conn *pgx.Conn) error {
		return makeTemplate(ctx, conn, superuserURL, name)
	})
	if err != nil {
		return "", err
	}
	prepared.templates[superuserURL] = name
	return name, nil
}

// alone runs do while no other test process does: several share a cluster.
func alone(
	ctx context.Context, superuserURL string, do func(context.Context, *pgx.Conn) error,
) error {
	conn, err := pgx.Connect(ctx, superuserURL)
	if err != nil {
		return fmt.Errorf("connect to the test cluster: %w", err)
	}
	defer conn.Close(ctx)
	const preparing = 0x7465737473 // "tests"
	if _, err := conn.Exec(ctx, "select pg_advisory_lock($1)", int64(preparing)); err != nil {
		return fmt.Errorf("wait for another test process: %w", err)
	}
	return do(ctx, conn)
}

func makeLogin(ctx context.Context, conn *pgx.Conn) error {
	var made bool
	err := conn.QueryRow(ctx, "select exists (select from pg_roles where rolname = $1)",
		Login).Scan(&made)
	if err != nil || made {
		return err
	}
	_, err = conn.Exec(ctx, "create role "+Login+" login createrole password '"+Login+"'")
	return err
}

// makeTemplate migrates a database and then makes it a template, so that one that was left half
// done is none. Nobody may connect to a template: PostgreSQL copies none that is in use.
func makeTemplate(ctx context.Context, conn *pgx.Conn, superuserURL, name string) error {
	if err := makeLogin(ctx, conn); err != nil {
		return fmt.Errorf("make the login: %w", err)
	}
	var made bool
	err := conn.QueryRow(ctx,
		"select exists (select from pg_database where datname = $1 and datistemplate)",
		name).Scan(&made)
	if err != nil || made {
		return err
	}
	for _, sql := range []string{
		"drop database if exists " + name,
		"create database " + name + " template template0 owner " + Login,
	} {
		if _, err := conn.Exec(ctx, sql); err != nil {
			return fmt.Errorf("make the database %s: %w", name, err)
		}
	}
	parsed, err := url.Parse(superuserURL)
	if err != nil {
		return fmt.Errorf("read the URL of the test cluster: %w", err)
	}
	parsed.User, parsed.Path = url.UserPassword(Login, Login), "/"+name
	if err := migrations.Migrate(ctx, migrations.Options{URL: parsed.String()}); err != nil {
		return fmt.Errorf("migrate the database %s: %w", name, err)
	}
	_, err = conn.Exec(ctx,
		"alter database "+name+" with is_template true allow_connections false")
	return err
}
