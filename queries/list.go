package queries

import "strings"

// ordering is how a list in the database is sorted: by the expression and then, so that the order
// is total, by id and, over all organizations, by theirs.
type ordering struct {
	expression string
	kind       string // the SQL type of its values
}

// pageOf is the SQL of a page, one row longer than asked for, of what from selects by conditions.
func (o ordering) pageOf(from string, c conditions, every bool, p Page) (string, []any, error) {
	direction, beyond := " asc", ">"
	if p.Descending {
		direction, beyond = " desc", "<"
	}
	keys := []string{o.expression, "id"}
	if every {
		keys = append(keys, "organization_id")
	}
	offset := (p.Number - 1) * p.Size
	if p.After != nil {
		offset = 0
		m, err := readMark(p.After)
		if err != nil {
			return "", nil, err
		}
		value, err := m.text()
		if err != nil {
			return "", nil, err
		}
		values, args := "(?::text::"+o.kind+", ?::text::uuid", []any{value, m.ID}
		if every {
			values, args = values+", ?::text::uuid", append(args, m.Organization)
		}
		c.add("("+strings.Join(keys, ", ")+") "+beyond+" "+values+")", args...)
	}
	text := from + c.where() + " order by " + strings.Join(keys, direction+", ") + direction
	page := conditions{args: c.args}
	page.add(" limit ? offset ?", p.Size+1, max(0, offset))
	return text + page.texts[0], page.args, nil
}
