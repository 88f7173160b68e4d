package packed

// Pages is how many pages a map has.
func (m *Map) Pages() int { return m.pages.Len() }
