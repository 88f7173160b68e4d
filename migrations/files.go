package migrations

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"

	"github.com/pressly/goose/v3"
)

//go:embed 0*.sql
var numbered embed.FS

//go:embed roles.sql
var roles string

type file struct {
	version int64
	name    string
}

// files lists the numbered files in order. They are part of the program: one that cannot be read
// or has no number is a mistake of the build.
func files() []file {
	names, err := fs.Glob(numbered, "*.sql")
	if err != nil {
		panic(err)
	}
	list := make([]file, 0, len(names))
	for _, name := range names {
		version, err := goose.NumericComponent(name)
		if err != nil {
			panic(err)
		}
		list = append(list, file{version, name})
	}
	return list
}

// Version is the number of the newest file.
func Version() int64 {
	list := files()
	return list[len(list)-1].version
}

// Fingerprint is 16 hexadecimal digits that change with any migration, river's included.
func Fingerprint() (string, error) {
	hash := sha256.New()
	hash.Write([]byte(roles))
	for _, file := range files() {
		text, err := numbered.ReadFile(file.name)
		if err != nil {
			return "", fmt.Errorf("read the migration %s: %w", file.name, err)
		}
		hash.Write(text)
	}
	migrator, err := newRiverMigrator(nil)
	if err != nil {
		return "", err
	}
	for _, migration := range migrator.AllVersions() {
		hash.Write([]byte(migration.SQLUp))
	}
	return hex.EncodeToString(hash.Sum(nil)[:8]), nil
}
