package api_test

import (
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/koprogo/koprogo/commands"
)

func newUnit(building string, more ...any) body {
	wanted := body{
		"building_id": building, "unit_number": "A2", "unit_type": "Apartment",
		"surface_area": 84.5, "quota": 100,
	}
	for i := 0; i+1 < len(more); i += 2 {
		wanted[more[i].(string)] = more[i+1]
	}
	return wanted
}

// owner registers one.
func (o *office) owner(t testing.TB, organization uuid.UUID) uuid.UUID {
	t.Helper()
	id := newID()
	_, err := commands.Handle(t.Context(), o.app, commands.System(organization, "test"),
		&commands.RegisterOwner{OwnerID: id, OwnerFields: commands.OwnerFields{
			FirstName: commands.To("Marie"), LastName: commands.To("Dubois"),
			Email: commands.To(id.String() + "@example.be"), Address: commands.To("Rue Haute 1"),
			City: commands.To("Bruxelles"), PostalCode: commands.To("1000"),
			Country: commands.To("Belgique"),
		}})
	require.NoError(t, err)
	return id
}
