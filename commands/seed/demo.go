package seed

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/koprogo/koprogo/commands"
	"github.com/koprogo/koprogo/eventstore"
)

// The demo organizations: one to work in, and another one so that isolation can be tried.
var (
	DemoOrganization = demoID(0x100)
	DemoNeighbour    = demoID(0x200)
)

// demoID is a fixed id in the form of a UUIDv7.
func demoID(n uint16) uuid.UUID {
	return uuid.UUID{0x01, 0x90, 0, 0, 0, 0, 0x70, 0, 0x80, 0, 0, 0, 0, 0, byte(n >> 8), byte(n)}
}

// The accounts of the demo that its stories name.
var (
	demoSyndic     = demoID(0x101)
	demoAccountant = demoID(0x102)
	demoAuditor    = demoID(0x103)
	demoOwner      = demoID(0x104) // Marc Dubois: a flat and a parking
	demoHalfOwner  = demoID(0x105) // An Vermeulen: half of a flat
	demoNeighbour  = demoID(0x201)
	demoMandate    = demoID(0x1f0)
)

var demoAccounts = []account{
	{
		demoID(0x001), commands.RoleSuperadmin, eventstore.Platform,
		"admin@koprogo.com", "admin123", "Ada", "Koprogo",
	},
	{
		demoSyndic, commands.RoleSyndic, DemoOrganization,
		"syndic@grandplace.be", "syndic123", "Sophie", "Lambert",
	},
	{
		demoAccountant, commands.RoleAccountant, DemoOrganization,
		"comptable@grandplace.be", "comptable123", "Karim", "Haddad",
	},
	{
		demoAuditor, commands.RoleAuditor, DemoOrganization,
		"auditeur@grandplace.be", "auditeur123", "Lieve", "Peeters",
	},
	{
		demoOwner, commands.RoleOwner, DemoOrganization,
		"proprietaire@grandplace.be", "proprietaire123", "Marc", "Dubois",
	},
	{
		demoHalfOwner, commands.RoleOwner, DemoOrganization,
		"coproprietaire@grandplace.be", "proprietaire123", "An", "Vermeulen",
	},
	{
		demoNeighbour, commands.RoleSyndic, DemoNeighbour,
		"syndic@sablon.be", "syndic123", "Tom", "Janssens",
	},
}

// Demo makes the demo, or what is missing of it: what stands is left as it is.
func (s Seeder) Demo(ctx context.Context) error {
	if err := s.DemoBeginning(ctx); err != nil {
		return err
	}
	return s.DemoStory(ctx)
}

// DemoBeginning makes what one signs in with: the demo organizations, accounts and buildings.
func (s Seeder) DemoBeginning(ctx context.Context) error {
	for _, c := range demoOrganizations {
		system := commands.System(c.OrganizationID, correlation)
		if _, err := s.App.FoundOrganization(ctx, system, c); err != nil {
			return fmt.Errorf("seed %s: %w", c.Slug, err)
		}
	}
	for _, a := range demoAccounts {
		if err := s.open(ctx, a); err != nil {
			return fmt.Errorf("seed the demo: %w", err)
		}
	}
	teller := &teller{app: s.App, atOnce: 1}
	for _, d := range demoBuildings {
		c := d.register()
		_, err := tell(ctx, teller, cast{organization: d.organization}.made(c.BuildingID), c)
		if err := left("seed a building of the demo", err); err != nil {
			return err
		}
	}
	return nil
}

// demoAtOnce is how many commands of a demo building are under way.
const demoAtOnce = 32

// DemoDue tells whether the demo is to be made: nobody ever founded an organization, or the demo
// was the first and was not told to its end.
func (s Seeder) DemoDue(ctx context.Context) (bool, error) {
	first, err := s.Store.Read(ctx, eventstore.Platform, 0, 1)
	if err != nil {
		return false, fmt.Errorf("look for the demo: %w", err)
	}
	if len(first) == 0 {
		return true, nil
	}
	if first[0].Stream != commands.OrganizationStream(DemoOrganization) {
		return false, nil
	}
	told, err := s.told(ctx)
	return !told, err
}

// told tells whether the demo was told to its end. The auditor's mandate is its last fact.
func (s Seeder) told(ctx context.Context) (bool, error) {
	auditor, err := s.App.Member(ctx, DemoOrganization, demoAuditor)
	if err != nil {
		return false, fmt.Errorf("look whether the demo was told: %w", err)
	}
	_, given := auditor.Mandates[demoMandate]
	return given || auditor.Ended[demoMandate], nil
}

// DemoStory fills the demo's buildings with what happened in them, unless that was told to its end.
func (s Seeder) DemoStory(ctx context.Context) error {
	if told, err := s.told(ctx); err != nil || told {
		return err
	}
	day, err := s.founding(ctx, DemoOrganization)
	if err != nil {
		return err
	}
	t := &teller{app: s.App, atOnce: demoAtOnce}
	run := t.together(ctx)
	for n, d := range demoBuildings {
		run.Go(func() error { return t.tellAll(run.ctx, d.story(n, day)) })
	}
	if err := run.Wait(); err != nil {
		return err
	}
	_, err = tell(ctx, t, cast{organization: DemoOrganization}.system(), &commands.GiveMandate{
		AccountID: demoAuditor, MandateID: demoMandate,
		Buildings: []uuid.UUID{demoBuildings[0].id},
		From:      dayOf(day.AddDate(-2, 0, 0)), To: dayOf(day.AddDate(5, 0, 0)),
	})
	return left("give the demo's auditor a mandate", err)
}

// demoBuilding is a building of the demo. The first one has a story of its own, the others one that
// is made up by chance.
type demoBuilding struct {
	id           uuid.UUID
	organization uuid.UUID
	commands.RegisterBuilding
	language string
	owners   int // where there are more than lots, two share one
	months   int // of charges
}

// register is the command that enters the building. Its clock only bounds the year of construction.
func (d demoBuilding) register() commands.RegisterBuilding {
	c := d.RegisterBuilding
	c.BuildingID, c.Now = d.id, time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	return c
}

func (d demoBuilding) story(n int, day time.Time) *story {
	by := cast{organization: d.organization, syndic: demoNeighbour, accountant: uuid.Nil}
	if d.organization == DemoOrganization {
		by.syndic, by.accountant = demoSyndic, demoAccountant
	}
	building := d.register()
	building.Now = day
	if n == 0 {
		s := tellErables(by, building, day)
		s.links = []*commands.LinkOwnerAccount{
			{OwnerID: s.who["marc"], Account: commands.To(demoOwner)},
			{OwnerID: s.who["an"], Account: commands.To(demoHalfOwner)},
		}
		return s
	}
	return house{
		by: by, ids: idsOf(d.organization, 0, n), building: building, language: d.language,
		owners: d.owners, until: day, months: d.months,
	}.story(dice(0, n))
}

var demoOrganizations = []commands.FoundOrganization{
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

// The buildings are made up; the IBANs are test numbers that belong to nobody. Nobody owns a lot of
// the last one of the first organization yet.
var demoBuildings = []demoBuilding{
	{
		id: demoID(0x110), organization: DemoOrganization,
		RegisterBuilding: commands.RegisterBuilding{
			Name: "Résidence Les Érables", Slug: "les-erables", Address: "Avenue des Érables 12",
			City: "Bruxelles", PostalCode: "1000", Country: "Belgique", Lots: 24,
			Shares: commands.To(1000), ConstructionYear: commands.To(1974),
			WorkingIBAN: "BE21 0012 3456 7803", ReserveIBAN: "BE88 3630 0000 0141",
			EnterpriseNumber: enterpriseNumber(812_345), Entrances: []string{"A", "B"},
			FiscalYearStart: "01-01",
		},
	},
	{
		id: demoID(0x111), organization: DemoOrganization, language: "fr", owners: 13, months: 24,
		RegisterBuilding: commands.RegisterBuilding{
			Name: "Résidence du Parc", Slug: "parc", Address: "Rue du Parc 8", City: "Ixelles",
			PostalCode: "1050", Country: "Belgique", Lots: 12, Shares: commands.To(1000),
			ConstructionYear: commands.To(1932), EnterpriseNumber: enterpriseNumber(812_346),
		},
	},
	{
		id: demoID(0x112), organization: DemoOrganization, language: "nl", owners: 22, months: 24,
		RegisterBuilding: commands.RegisterBuilding{
			Name: "Het Beffroi", Slug: "beffroi", Address: "Korenmarkt 3", City: "Gent",
			PostalCode: "9000", Country: "België", Lots: 18, Shares: commands.To(10_000),
			ConstructionYear: commands.To(2008), EnterpriseNumber: enterpriseNumber(812_347),
		},
	},
	{
		id: demoID(0x113), organization: DemoOrganization, language: "fr", owners: 104, months: 24,
		RegisterBuilding: commands.RegisterBuilding{
			Name: "Tour du Midi 2", Slug: "midi-2", Address: "Boulevard du Midi 40",
			City: "Saint-Gilles", PostalCode: "1060", Country: "BE", Lots: 96,
			Shares: commands.To(100_000), ConstructionYear: commands.To(1967),
			EnterpriseNumber: enterpriseNumber(812_348),
		},
	},
	{
		id: demoID(0x114), organization: DemoOrganization, language: "fr",
		RegisterBuilding: commands.RegisterBuilding{
			Name: "Les Terrasses de Flagey", Slug: "flagey", Address: "Place Flagey 21",
			City: "Ixelles", PostalCode: "1050", Country: "Belgique", Lots: 30,
			Shares: commands.To(1000), ConstructionYear: commands.To(2024),
		},
	},
	{
		id: demoID(0x210), organization: DemoNeighbour, language: "fr", owners: 7, months: 24,
		RegisterBuilding: commands.RegisterBuilding{
			Name: "Hôtel du Sablon", Slug: "sablon", Address: "Rue des Minimes 5",
			City: "Bruxelles", PostalCode: "1000", Country: "Belgique", Lots: 6,
			Shares: commands.To(1000), ConstructionYear: commands.To(1898),
		},
	},
}
