package embedded

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
)

// whereabouts is what a running PostgreSQL leaves in its home for commands beside the server.
type whereabouts struct {
	SocketDir  string `json:"socket_dir"`
	Port       int    `json:"port"`
	Server     int    `json:"server_pid"`
	Postmaster int    `json:"postgres_pid"`
}

func (p *Postgres) runtime() whereabouts {
	return whereabouts{
		SocketDir: p.socketDir, Port: p.cfg.port(),
		Server: os.Getpid(), Postmaster: p.PID(),
	}
}

func (h home) writeRuntime(w whereabouts) error {
	text, err := json.Marshal(w)
	if err != nil {
		return fmt.Errorf("encode where PostgreSQL runs: %w", err)
	}
	return h.owner.writeFile(h.runtimeFile(), append(text, '\n'))
}

// AttachPostgres finds the PostgreSQL that another process runs for a data directory and that
// takes connections: ok is false when there is none, or when it belongs to another user. The
// URL is that of Postgres.URL and holds until that process ends.
func AttachPostgres(dataDir string) (url string, ok bool) {
	path, err := filepath.EvalSymlinks(filepath.Join(dataDir, "postgres"))
	if err != nil {
		return "", false
	}
	h := home{path: path}
	text, err := os.ReadFile(h.runtimeFile())
	if err != nil {
		return "", false
	}
	var w whereabouts
	if json.Unmarshal(text, &w) != nil || ping(w.SocketDir, w.Port) != nil {
		return "", false
	}
	return h.url(applicationLogin, applicationDatabase, w.SocketDir, w.Port), true
}
