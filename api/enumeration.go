package api

import (
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// enumeration lists values that REST writes with a capital and the domain without: Works for works.
type enumeration []string

// marshal writes Works for works.
func (e enumeration) marshal(value string) ([]byte, error) {
	for _, name := range e {
		if strings.EqualFold(name, value) {
			return []byte(name), nil
		}
	}
	return []byte(value), nil
}

// unmarshal reads one of the names as it is written.
func (e enumeration) unmarshal(text []byte) (string, error) {
	if !slices.Contains(e, string(text)) {
		return "", fieldError{
			Code: CodeUnknownValue, Params: params("values", strings.Join(e, ", ")),
		}
	}
	return strings.ToLower(string(text)), nil
}

// schema names the values.
func (e enumeration) schema() *huma.Schema {
	schema := &huma.Schema{Type: huma.TypeString}
	for _, name := range e {
		schema.Enum = append(schema.Enum, name)
	}
	return schema
}
