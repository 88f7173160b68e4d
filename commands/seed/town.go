package seed

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"github.com/koprogo/koprogo/commands"
)

// Town is a large organization. The same seed, organization and day make the same facts, and the
// first buildings of a larger town are those of a smaller one. There are 20 lots to a building on
// the average, 4 owners to 3 lots, and 24 charges a year for two years.
type Town struct {
	Organization uuid.UUID // where it is made; nil: one of its own, with a syndic and an accountant
	Seed         uint64
	Buildings    int
	Until        time.Time // charges go up to the month before; its day in Belgium counts
	AtOnce       int       // buildings under way; 0: as many as fill the log's writer
	Progress     func(done, total int64)
}

// MostBuildings is how large a town may be.
const MostBuildings = 100_000

// TownSyndicPassword is that of the syndic and the accountant of a town with an organization of its
// own.
const TownSyndicPassword = "syndic123"

// Made is what a town came to.
type Made struct {
	Organization uuid.UUID
	Syndic       uuid.UUID // nil in an organization that was there
	SyndicRole   uuid.UUID
	SyndicEmail  string
	Events       int64 // that this run recorded
	Buildings    int
	Lots         int
	Owners       int
	Charges      int
}

// townAtOnce is enough to fill the log's writer: each building waits for its own append.
const townAtOnce = 64

// Town makes a town, or what is missing of it.
func (s Seeder) Town(ctx context.Context, t Town) (Made, error) {
	made, by, err := s.foundTown(ctx, t)
	if err != nil {
		return made, err
	}
	if t.AtOnce == 0 {
		t.AtOnce = townAtOnce
	}
	told := &teller{app: s.App, atOnce: 1}
	run, ctx := errgroup.WithContext(ctx)
	run.SetLimit(t.AtOnce)
	var done atomic.Int64
	for n := range t.Buildings {
		if ctx.Err() != nil {
			break
		}
		house := t.house(by, n)
		made.Buildings++
		made.Lots += house.building.Lots
		made.Owners += house.owners
		made.Charges += house.charges()
		run.Go(func() error {
			if err := told.tellAll(ctx, house.story(dice(t.Seed, n+1))); err != nil {
				return err
			}
			if n := done.Add(1); t.Progress != nil {
				t.Progress(n, int64(t.Buildings))
			}
			return nil
		})
	}
	err = run.Wait()
	made.Events = told.events.Load()
	return made, err
}

// foundTown makes the organization of a town and its accounts, or looks for the one that is named.
func (s Seeder) foundTown(ctx context.Context, t Town) (Made, cast, error) {
	if t.Organization != uuid.Nil {
		_, err := s.founding(ctx, t.Organization)
		return Made{Organization: t.Organization}, cast{organization: t.Organization}, err
	}
	own := idsOf(uuid.Nil, t.Seed, 0)
	slug := fmt.Sprintf("seed-%d", t.Seed)
	found := commands.FoundOrganization{
		OrganizationID: own.id(ofAccount, 0), ContactID: own.id(ofAccount, 1), Slug: slug,
		Name: fmt.Sprintf("Gestion immobilière %d", t.Seed), Plan: "enterprise",
		ContactEmail: "bureau@" + slug + ".example.com", ContactPhone: "+32 2 555 03 00",
	}
	made := Made{Organization: found.OrganizationID}
	system := commands.System(found.OrganizationID, correlation)
	if _, err := s.App.FoundOrganization(ctx, system, found); err != nil {
		return made, cast{}, fmt.Errorf("found the town's organization: %w", err)
	}
	accounts := []account{
		{
			own.id(ofAccount, 2), commands.RoleSyndic, found.OrganizationID,
			"syndic@" + slug + ".example.com", TownSyndicPassword, "Sophie", "Lambert",
		},
		{
			own.id(ofAccount, 3), commands.RoleAccountant, found.OrganizationID,
			"comptable@" + slug + ".example.com", TownSyndicPassword, "Karim", "Haddad",
		},
	}
	for _, a := range accounts {
		if err := s.open(ctx, a); err != nil {
			return made, cast{}, err
		}
	}
	syndic := accounts[0]
	made.Syndic, made.SyndicRole, made.SyndicEmail = syndic.id, syndic.roleID(), syndic.email
	return made, cast{found.OrganizationID, syndic.id, accounts[1].id}, nil
}

// townLots is how many lots buildings have, in turn: 20 on the average.
var townLots = [...]int{8, 14, 20, 26, 32}

// lotsUpTo is how many lots the first n buildings have together.
func lotsUpTo(n int) int {
	sum := n / len(townLots) * 100
	for _, lots := range townLots[:n%len(townLots)] {
		sum += lots
	}
	return sum
}

// house is the town's building number n, from 0.
func (t Town) house(by cast, n int) house {
	chance := dice(t.Seed, -n-1)
	at := places[chance.IntN(len(places))]
	ids := idsOf(by.organization, t.Seed, n+1)
	names := residences[at.language]
	street := at.streets[chance.IntN(len(at.streets))]
	number := int64(t.Seed%1000)*1_000_000 + int64(n)
	until := belgianDay(t.Until)
	return house{
		by: by, ids: ids, language: at.language,
		building: commands.RegisterBuilding{
			BuildingID: ids.id(ofBuilding, 0),
			Name:       fmt.Sprintf("%s %d", names[chance.IntN(len(names))], n+1),
			Address:    fmt.Sprintf("%s %d", street, 1+chance.IntN(180)),
			City:       at.city, PostalCode: at.postalCode, Country: "Belgique",
			Lots: townLots[n%len(townLots)], Shares: commands.To(10_000),
			ConstructionYear: commands.To(1905 + chance.IntN(115)),
			EnterpriseNumber: enterpriseNumber(number), WorkingIBAN: iban(2 * number),
			ReserveIBAN: iban(2*number + 1), FiscalYearStart: "01-01", Now: until,
		},
		owners: lotsUpTo(n+1)*4/3 - lotsUpTo(n)*4/3, until: until, months: months,
	}
}

// charges is how many charges the house's story has.
func (h house) charges() int {
	sum := 0
	for n := range h.months {
		for _, u := range usuals {
			if n%u.every == u.from {
				sum++
			}
		}
	}
	return sum
}
