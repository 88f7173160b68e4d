package projections

import "slices"

// All is every read model.
var All = []Projection{Organizations, Accounts, Members, Buildings, Lots, Owners, Keys, Charges}

// Named returns the projection of that name; false when there is none.
func Named(name string) (Projection, bool) {
	i := slices.IndexFunc(All, func(p Projection) bool { return p.Name == name })
	if i < 0 {
		return Projection{}, false
	}
	return All[i], true
}

// Names are the names of All.
func Names() []string {
	names := make([]string, len(All))
	for i, p := range All {
		names[i] = p.Name
	}
	return names
}

// IsPersonal tells whether a column of a read model's table holds sealed values.
func IsPersonal(table, column string) bool {
	for _, p := range All {
		for _, t := range p.Tables {
			if t.Name() == table {
				return slices.Contains(t.Personal(), column)
			}
		}
	}
	return false
}
