package api_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"

	"github.com/stretchr/testify/require"
)

// golden fixes the shape of an answer that clients rely on: later versions only add fields.
// UPDATE_GOLDEN=1 writes it anew.
func (a answer) golden(name string) {
	a.t.Helper()
	require.Less(a.t, a.status, 300, a.text)
	var value any
	require.NoError(a.t, json.Unmarshal([]byte(a.text), &value))
	text, err := json.MarshalIndent(shapeOf(value), "", "  ")
	require.NoError(a.t, err)
	file := filepath.Join("testdata", "answers", name+".golden")
	if os.Getenv("UPDATE_GOLDEN") != "" {
		require.NoError(a.t, os.MkdirAll(filepath.Dir(file), 0o755))
		require.NoError(a.t, os.WriteFile(file, append(text, '\n'), 0o644))
	}
	want, err := os.ReadFile(file)
	require.NoError(a.t, err)
	require.Equal(a.t, string(want), string(text)+"\n", name)
}

var (
	anID      = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`)
	anInstant = regexp.MustCompile(`^\d{4}-\d{2}-\d{2}T[\d:.]+Z$`)
	aSecret   = regexp.MustCompile(`[A-Za-z0-9_+/=.-]{40,}`)
)

// shapeOf puts names in place of what differs from run to run.
func shapeOf(value any) any {
	switch value := value.(type) {
	case map[string]any:
		for key, child := range value {
			value[key] = shapeOf(child)
		}
	case []any:
		for i, child := range value {
			value[i] = shapeOf(child)
		}
	case string:
		if anInstant.MatchString(value) {
			return "INSTANT"
		}
		return aSecret.ReplaceAllString(anID.ReplaceAllString(value, "ID"), "TEXT")
	}
	return value
}
