package commands

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/koprogo/koprogo/eventstore"
)

// The demo organizations: one to work in, and another one so that isolation can be tried.
var (
	DemoOrganization  = demoID(0x100)
	DemoNeighbour     = demoID(0x200)
	demoAdministrator = demoID(0x001)
)

// demoID is a fixed id in the form of a UUIDv7: the demo is made once, however often it is asked
// for.
func demoID(n uint16) uuid.UUID {
	return uuid.UUID{0x01, 0x90, 0, 0, 0, 0, 0x70, 0, 0x80, 0, 0, 0, 0, 0, byte(n >> 8), byte(n)}
}

type demoAccount struct {
	id           uuid.UUID
	role         string
	organization uuid.UUID
	email        string
	password     string
	first, last  string
}

var demoAccounts = []demoAccount{
	{
		demoAdministrator, RoleSuperadmin, eventstore.Platform,
		"admin@koprogo.com", "admin123", "Ada", "Koprogo",
	},
	{
		demoID(0x101), RoleSyndic, DemoOrganization,
		"syndic@grandplace.be", "syndic123", "Sophie", "Lambert",
	},
	{
		demoID(0x102), RoleAccountant, DemoOrganization,
		"comptable@grandplace.be", "comptable123", "Karim", "Haddad",
	},
	{
		demoID(0x103), RoleAuditor, DemoOrganization,
		"auditeur@grandplace.be", "auditeur123", "Lieve", "Peeters",
	},
	{
		demoID(0x104), RoleOwner, DemoOrganization,
		"proprietaire@grandplace.be", "proprietaire123", "Marc", "Dubois",
	},
	{
		demoID(0x201), RoleSyndic, DemoNeighbour,
		"syndic@sablon.be", "syndic123", "Tom", "Janssens",
	},
}

// SeedDemo makes the demo organizations with their accounts and buildings. What stands already is
// left as it is, so it may be asked for again. setPassword sets the password of an account that
// has none.
func (a *App) SeedDemo(
	ctx context.Context, now time.Time,
	setPassword func(ctx context.Context, account uuid.UUID, password string) error,
) error {
	for _, c := range demoOrganizations {
		if _, err := a.FoundOrganization(ctx, System(c.OrganizationID, "seed"), c); err != nil {
			return fmt.Errorf("seed %s: %w", c.Slug, err)
		}
	}
	for _, account := range demoAccounts {
		if err := a.seedAccount(ctx, account, setPassword); err != nil {
			return fmt.Errorf("seed the %s of the demo: %w", account.role, err)
		}
	}
	for organization, buildings := range demoBuildings {
		for i, c := range buildings {
			c.BuildingID = demoID(uint16(organization[14])<<8 + 0x10 + uint16(i))
			c.Now = now
			_, err := Handle(ctx, a, System(organization, "seed"), c)
			if err != nil && !isTaken(err) {
				return fmt.Errorf("seed %s: %w", c.Name, err)
			}
		}
	}
	return nil
}

func (a *App) seedAccount(
	ctx context.Context, account demoAccount,
	setPassword func(ctx context.Context, account uuid.UUID, password string) error,
) error {
	role := account.id
	role[13] = 1 // an id of its own
	_, err := a.OpenAccount(ctx, System(account.organization, "seed"), OpenAccount{
		AccountID: account.id, Email: account.email,
		FirstName: account.first, LastName: account.last,
		Roles: []RoleOffer{{
			ID: role, Role: account.role, Organization: account.organization, Primary: true,
		}},
	})
	if isTaken(err) {
		return nil // somebody has gone on from it, or has the e-mail
	}
	if err != nil {
		return err
	}
	return setPassword(ctx, account.id, account.password)
}

// isTaken tells whether the demo's thing was changed or removed by somebody meanwhile.
func isTaken(err error) bool {
	var refused *Refused
	return errors.As(err, &refused) &&
		(refused.Code == CodeIDTaken || refused.Code == CodeEmailTaken)
}

var demoOrganizations = []FoundOrganization{
	{
		OrganizationID: DemoOrganization, ContactID: demoID(0x1ff), Plan: "professional",
		Name: "Résidences de la Grand-Place", Slug: "grand-place",
		ContactEmail: "bureau@grandplace.be", ContactPhone: "+32 2 555 01 00",
	},
	{
		OrganizationID: DemoNeighbour, ContactID: demoID(0x2ff), Plan: "starter",
		Name: "Syndic du Sablon", Slug: "sablon",
		ContactEmail: "bureau@sablon.be", ContactPhone: "+32 2 555 02 00",
	},
}

// The buildings are made up; the IBANs are test numbers that belong to nobody.
var demoBuildings = map[uuid.UUID][]RegisterBuilding{
	DemoOrganization: {
		{
			Name: "Résidence Les Érables", Slug: "les-erables", Address: "Avenue des Érables 12",
			City: "Bruxelles", PostalCode: "1000", Country: "Belgique", Lots: 24,
			ConstructionYear: To(1974), WorkingIBAN: "BE21 0012 3456 7803",
			ReserveIBAN: "BE88 3630 0000 0141", Entrances: []string{"A", "B"},
			FiscalYearStart: "01-01",
		},
		{
			Name: "Résidence du Parc", Slug: "parc", Address: "Rue du Parc 8", City: "Ixelles",
			PostalCode: "1050", Country: "Belgique", Lots: 12, ConstructionYear: To(1932),
		},
		{
			Name: "Het Beffroi", Slug: "beffroi", Address: "Korenmarkt 3", City: "Gent",
			PostalCode: "9000", Country: "België", Lots: 18, Shares: To(10_000),
			ConstructionYear: To(2008),
		},
		{
			Name: "Tour du Midi 2", Slug: "midi-2", Address: "Boulevard du Midi 40",
			City: "Saint-Gilles", PostalCode: "1060", Country: "BE", Lots: 96,
			Shares: To(100_000), ConstructionYear: To(1967),
		},
		{
			Name: "Les Terrasses de Flagey", Slug: "flagey", Address: "Place Flagey 21",
			City: "Ixelles", PostalCode: "1050", Country: "Belgique", Lots: 30,
			ConstructionYear: To(2024),
		},
	},
	DemoNeighbour: {
		{
			Name: "Hôtel du Sablon", Slug: "sablon", Address: "Rue des Minimes 5",
			City: "Bruxelles", PostalCode: "1000", Country: "Belgique", Lots: 6,
			ConstructionYear: To(1898),
		},
	},
}
